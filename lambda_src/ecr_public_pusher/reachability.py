"""Whether a cluster's endpoint can be reached: name, connection and TLS, each told apart, since each is somebody else's to mend."""

import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

from ecr_public_pusher.eks import Endpoint
from ecr_public_pusher.errors import DeadlineReached
from ecr_public_pusher.lease import Lease, within
from ecr_public_pusher.model import Finding
from ecr_public_pusher.transport import Patience, verifying_context

_IN_VPC = "Run the function in the cluster's VPC, or one that is connected with it (template parameters SubnetIds and SecurityGroupIds)."


def reached(endpoint: Endpoint, *, cluster: str, region: str, lease: Lease, patience: Patience) -> list[Finding]:
    """One finding each for DNS, TCP and TLS, up to the first that is not ok."""
    parts = urlsplit(endpoint.url)
    host, port = parts.hostname or "", parts.port or 443
    addresses = _resolved(host, port, lease, patience)
    if isinstance(addresses, str):
        return [Finding("dns", False, f"{host} {addresses}", _dns_remedy(endpoint, cluster, region))]
    found = [Finding("dns", True, f"{host} is {', '.join(addresses[:4])}")]
    connection = _connected(addresses, port, patience)
    if isinstance(connection, str):
        return [*found, Finding("tcp", False, f"{addresses[0]} port {port} {connection}", _tcp_remedy(endpoint, addresses, cluster, region))]
    found.append(Finding("tcp", True, f"connected to port {port}"))
    return [*found, _tls(connection, host, endpoint, patience, cluster, region)]


def _resolved(host: str, port: int, lease: Lease, patience: Patience) -> list[str] | str:
    """The addresses of `host`, or what is wrong. On a thread of its own: a resolver may hang for longer than all of the rest."""
    short = Lease(min(lease.not_after, lease.clock.wall() + 2 * patience.connect_seconds), lease.clock)
    try:
        answers = within(short, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), what="resolving the endpoint's name")
    except DeadlineReached:
        return "was not resolved in time (DNS)"
    except OSError:
        return "has no address (DNS)"
    finally:
        short.end()
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _connected(addresses: list[str], port: int, patience: Patience) -> socket.socket | str:
    wrong = "cannot be reached"
    for address in addresses[:4]:
        try:
            return socket.create_connection((address, port), timeout=patience.connect_seconds)
        except TimeoutError:
            wrong = "does not answer (time-out)"
        except ConnectionRefusedError:
            wrong = "refuses connections"
        except OSError as error:
            wrong = f"cannot be reached ({type(error).__name__})"
    return wrong


def _tls(connection: socket.socket, host: str, endpoint: Endpoint, patience: Patience, cluster: str, region: str) -> Finding:
    look = f"aws eks describe-cluster --region {region} --name {cluster} --query cluster.[endpoint,certificateAuthority]"
    with connection:
        try:
            context = verifying_context(endpoint.ca_pem)
            connection.settimeout(patience.connect_seconds)
            with context.wrap_socket(connection, server_hostname=host) as wrapped:
                return Finding("tls", True, f"{wrapped.version()}, and the certificate is of the cluster's own authority")
        except ssl.SSLCertVerificationError as error:
            return Finding("tls", False, f"the certificate is not the cluster's: {str(error.verify_message)[:200]}", look)
        except (OSError, ValueError) as error:
            return Finding("tls", False, f"no TLS is spoken there ({type(error).__name__})", look)


def _private(addresses: list[str]) -> bool:
    return all(ipaddress.ip_address(address.split("%")[0]).is_private for address in addresses)


def _dns_remedy(endpoint: Endpoint, cluster: str, region: str) -> str:
    if not endpoint.public:
        return f"The endpoint is private only, so its name is known in its VPC alone. {_IN_VPC}"
    return f"aws eks describe-cluster --region {region} --name {cluster} --query cluster.endpoint; from a VPC, see its DNS settings."


def _tcp_remedy(endpoint: Endpoint, addresses: list[str], cluster: str, region: str) -> str:
    if endpoint.public and not _private(addresses):
        return (
            f"Does the endpoint admit the function's address? aws eks describe-cluster --region {region} --name {cluster}"
            " --query cluster.resourcesVpcConfig.publicAccessCidrs"
        )
    group = endpoint.security_group or "CLUSTER_SECURITY_GROUP"
    admit = f"aws ec2 authorize-security-group-ingress --region {region} --group-id {group} --protocol tcp --port 443"
    return f"The endpoint is private. {_IN_VPC} Then admit it: {admit} --source-group FUNCTION_SECURITY_GROUP"
