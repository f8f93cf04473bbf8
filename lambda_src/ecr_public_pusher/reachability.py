"""Whether a cluster's endpoint can be reached: name, connection and TLS, each told apart, since each is somebody else's to mend."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from ecr_public_pusher.eks import Endpoint
from ecr_public_pusher.errors import DeadlineReached
from ecr_public_pusher.lease import Lease, within
from ecr_public_pusher.model import Check, Finding
from ecr_public_pusher.transport import Patience, verifying_context

# An EKS endpoint has an address in two or three zones; a dead one must not use up the time of the others.
MAX_ADDRESSES = 4

_IN_VPC = "Run the function in the cluster's VPC, or one that is connected with it (template parameters SubnetIds and SecurityGroupIds)."


class Route:
    """The way to one endpoint. `resolve`, `connect` and `shake_hands` go it step by step, each on what the one before found."""

    def __init__(self, endpoint: Endpoint, *, cluster: str, region: str, lease: Lease, patience: Patience) -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint, self._lease, self._patience = endpoint, lease, patience
        self._of_cluster = f"--region {region} --name {cluster}"
        self._region = region
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._addresses: list[str] = []
        self._connection: socket.socket | None = None

    def resolve(self) -> Finding:
        """DNS. In its own time: a resolver may hang for longer than all of the rest."""
        try:
            answers = self._soon(lambda: socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM), 2)
        except DeadlineReached:
            return Finding(Check.DNS, False, f"{self._host} was not resolved in time (DNS)", self._dns_remedy())
        except (OSError, UnicodeError):
            return Finding(Check.DNS, False, f"{self._host} has no address (DNS)", self._dns_remedy())
        self._addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        return Finding(Check.DNS, True, f"{self._host} is {', '.join(self._addresses[:MAX_ADDRESSES])}")

    def connect(self) -> Finding:
        """TCP, to the first address that accepts."""
        wrong = []
        for address in self._addresses[:MAX_ADDRESSES]:
            seconds = min(self._patience.connect_seconds, self._lease.remaining)
            try:
                self._connection = socket.create_connection((address, self._port), timeout=max(seconds, 0.001))
                return Finding(Check.TCP, True, f"connected to {address} port {self._port}")
            except TimeoutError:
                self._lease.check()  # else it is our time that was too short
                wrong.append(f"{address} port {self._port} does not answer (time-out)")
            except ConnectionRefusedError:
                wrong.append(f"{address} port {self._port} refuses connections")
            except OSError as error:
                wrong.append(f"{address} port {self._port} cannot be reached ({type(error).__name__})")
        return Finding(Check.TCP, False, "; ".join(wrong), self._tcp_remedy())

    def shake_hands(self) -> Finding:
        """TLS, with the cluster's own certificate authority."""
        assert self._connection is not None
        look = f"aws eks describe-cluster {self._of_cluster} --query 'cluster.[endpoint,certificateAuthority.data]'"
        with self._connection as connection:
            try:
                context = verifying_context(self._endpoint.ca_pem)
            except (ssl.SSLError, ValueError):
                return Finding(Check.TLS, False, "EKS names a certificate authority that is none", look)
            try:
                connection.settimeout(self._patience.connect_seconds)
                version = self._soon(lambda: self._greet(context, connection), 2)
            except ssl.SSLCertVerificationError as error:
                what = f"the certificate is not the cluster's: {str(error.verify_message)[:200]}"
                return Finding(Check.TLS, False, what, f"Something answers in the cluster's place, or its authority was renewed: {look}")
            except (TimeoutError, DeadlineReached):
                return Finding(Check.TLS, False, "the connection is accepted, but nothing answers (time-out in the TLS handshake)", look)
            except (OSError, ValueError) as error:
                return Finding(Check.TLS, False, f"no TLS is spoken there ({type(error).__name__})", look)
        return Finding(Check.TLS, True, f"{version}, and the certificate is of the cluster's own authority")

    def _greet(self, context: ssl.SSLContext, connection: socket.socket) -> str | None:
        with context.wrap_socket(connection, server_hostname=self._host) as wrapped:
            return wrapped.version()

    def _soon[T](self, work: Callable[[], T], times: float) -> T:
        """`work()` within so many connect time-outs: bytes, or a resolver's retries, may drip for ever. Raises DeadlineReached, or as `work`."""
        short = Lease(min(self._lease.not_after, self._lease.clock.wall() + times * self._patience.connect_seconds), self._lease.clock)
        try:
            return within(short, work, what="looking for the endpoint")
        finally:
            short.end()

    @property
    def _private(self) -> bool:
        """Not `is_private`: a VPC may have addresses of 100.64.0.0/10 too."""
        return not any(ipaddress.ip_address(address.split("%")[0]).is_global for address in self._addresses)

    def _dns_remedy(self) -> str:
        if not self._endpoint.public:
            return f"The endpoint is private only, so its name may be known in its VPC alone. {_IN_VPC}"
        return f"Is this still its name? aws eks describe-cluster {self._of_cluster} --query cluster.endpoint (In a VPC: see its DNS settings.)"

    def _tcp_remedy(self) -> str:
        if self._private or not self._endpoint.public:
            group = self._endpoint.security_group or "CLUSTER_SECURITY_GROUP"
            return (
                f"The endpoint {'has private addresses here' if self._endpoint.public else 'is private only'}. {_IN_VPC} Then admit it: "
                f"aws ec2 authorize-security-group-ingress --region {self._region} --group-id {group} --protocol tcp --port 443"
                " --source-group FUNCTION_SECURITY_GROUP"
            )
        cidrs = self._endpoint.public_cidrs
        if cidrs and "0.0.0.0/0" not in cidrs:
            return (
                f"The endpoint admits {', '.join(cidrs[:10])} only. Add the function's own address (of the NAT gateway of its VPC): "
                f"aws eks update-cluster-config {self._of_cluster} --resources-vpc-config publicAccessCidrs={','.join([*cidrs, 'ADDRESS/32'])}"
            )
        return "A function in a VPC (SubnetIds) needs a way to the internet: a NAT gateway, and a security group that lets 443 out."
