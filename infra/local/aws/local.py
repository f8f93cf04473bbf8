"""The embedded AWS as its users see it: an endpoint, its contents, and the calls it received."""

import base64
import contextlib
import functools
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from moto.core.base_backend import BackendDict
from moto.eks.models import Cluster as EksCluster
from moto.eks.models import eks_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.exceptions import ParameterNotFound
from moto.ssm.models import ssm_backends
from moto.utilities.utils import get_partition
from werkzeug.serving import make_server

from ..closable import Closable
from ..identity import Credential
from . import ecr_public
from .deployments import Deployments
from .ecr_private import EcrPrivate
from .eks_access import EksAccess
from .gateway import Gateway
from .issuer import IssuerSite, WebIdentityIssuer
from .queues import RETRY_DELAY_SECONDS, LocalQueue
from .roles import Role, find_session, open_session
from .web_identity import WebIdentity
from .wire import Answer, AwsCall, AwsRequest, Scripted

DEFAULT_ACCOUNT = "111122223333"
CLUSTER_SECURITY_GROUP = "sg-0123456789abcdef0"
OUTPOST = {
    "outpostArns": [f"arn:aws:outposts:us-east-1:{DEFAULT_ACCOUNT}:outpost/op-0123456789abcdef0"],
    "controlPlaneInstanceType": "m5.large",
}
LOOPBACK = "127.0.0.1"


class DescribedCluster(Protocol):
    """The fields of a cluster that EKS describes."""

    @property
    def name(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def ca_pem(self) -> str: ...


class _Quiet(MotoRequestHandler):
    """A moto request handler that prints no line on stderr for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class _Dispatcher(DomainDispatcherApplication):
    """A moto dispatcher that looks up each host's backend once, not at every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


@functools.cache
def _moto() -> DomainDispatcherApplication:
    """Return moto's applications, made once per process.

    Their state is in the backends, which each LocalAws resets.
    """
    return _Dispatcher()


class LocalAws(Closable):
    """An AWS on a loopback port, while the context lasts.

    `account_id` is the function's account, which holds the parameters.

    moto's state belongs to the process: a new LocalAws empties it, so only one can be in use.
    """

    def __init__(self, account_id: str = DEFAULT_ACCOUNT) -> None:
        self.account_id = account_id
        ecr_public.register()
        BackendDict.reset()
        self.ecr_private = EcrPrivate(self.find_credential)
        self._web_identity = WebIdentity(self.find_credential)
        self._sites: dict[str, IssuerSite] = {}
        self.eks_access = EksAccess(self.find_credential)
        self.deployments = Deployments(account_id)
        self._gateway = Gateway(
            _moto(),
            self.find_credential,
            self._own_answer,
            self.deployments.note_change,
        )
        self.ecr_public = ecr_public.EcrPublic(self._gateway.script)
        self._server = make_server(
            LOOPBACK, 0, self._gateway, threaded=True, request_handler=_Quiet
        )
        self.endpoint_url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="local-aws",
            daemon=True,
        )
        self._thread.start()

    def _own_answer(self, request: AwsRequest) -> Answer | None:
        own = (self.ecr_private, self._web_identity, self.eks_access, self.deployments)
        return next((answer for one in own if (answer := one.answer(request)) is not None), None)

    @property
    def calls(self) -> list[AwsCall]:
        """Every call so far, in the order of arrival."""
        return self._gateway.calls

    def called(self, service: str, action: str | None = None) -> list[AwsCall]:
        """Return the calls of one service, or of one action of it."""
        return [
            call for call in self.calls if call.service == service and action in (None, call.action)
        ]

    @property
    def web_identity(self) -> WebIdentityIssuer:
        """The issuer of web identity tokens of the function's account."""
        return self._web_identity.of(self.account_id)

    def web_identity_of(self, account_id: str) -> WebIdentityIssuer:
        """Return the issuer of web identity tokens of an account."""
        return self._web_identity.of(account_id)

    def issuer_site(self, account_id: str | None = None) -> IssuerSite:
        """Return the site that serves the issuer's keys to an API server.

        It starts with the first call and ends with this AWS.
        """
        account = account_id or self.account_id
        if account not in self._sites:
            self._sites[account] = IssuerSite(self._web_identity.of(account))
        return self._sites[account]

    def script(
        self, service: str, action: str, answer: Scripted | None, *, times: int | None = None
    ) -> None:
        """Answer the next `times` such calls (None: all) with `answer`; None ends that."""
        self._gateway.script(service, action, answer, times)

    def put_parameter(
        self, name: str, value: str, *, secure: bool = False, region: str = "us-east-1"
    ) -> None:
        """Write a String, or a SecureString under the account's aws/ssm key."""
        ssm_backends[self.account_id][region].put_parameter(
            name=name,
            description="",
            value=value,
            parameter_type="SecureString" if secure else "String",
            allowed_pattern="",
            keyid="alias/aws/ssm" if secure else "",
            overwrite=True,
            tags=[],
            data_type="text",
            tier="Standard",
            policies=None,
        )

    def put_secret(
        self,
        name: str,
        value: str | bytes,
        *,
        region: str = "us-east-1",
        account_id: str | None = None,
    ) -> str:
        """Write a secret in Secrets Manager, new or over the old; return its complete ARN."""
        backend = secretsmanager_backends[account_id or self.account_id][region]
        text = value if isinstance(value, str) else ""
        binary = "" if isinstance(value, str) else base64.b64encode(value).decode()
        if name in backend.secrets:
            backend.put_secret_value(name, text, binary, str(uuid.uuid4()), ["AWSCURRENT"])
        else:
            backend.create_secret(
                name, text or None, binary or None, None, None, None, None, [], False
            )
        return str(backend.secrets[name].arn)

    def delete_parameter(self, name: str, *, region: str = "us-east-1") -> None:
        """Delete a parameter, if it exists."""
        with contextlib.suppress(ParameterNotFound):
            ssm_backends[self.account_id][region].delete_parameter(name)

    def put_role(
        self,
        arn: str,
        *,
        external_id: str | None = None,
        trusted: str | None = None,
        session_name: str | None = None,
    ) -> None:
        """Add a role that `trusted` (a principal's ARN; None: nobody) may assume.

        `external_id` and `session_name`: the values that its trust policy requires, if any.
        """
        self._gateway.roles[arn] = Role(arn, external_id, trusted, session_name)

    def put_queue(
        self, name: str, *, region: str = "us-east-1", delay_seconds: int = RETRY_DELAY_SECONDS
    ) -> LocalQueue:
        """Add an SQS queue to the function's account.

        Messages become visible `delay_seconds` after they were sent, unless they set a delay of
        their own.
        """
        return LocalQueue(
            name, self.account_id, region, self.endpoint_url, delay_seconds=delay_seconds
        )

    def put_cluster(
        self,
        account_id: str,
        region: str,
        cluster: DescribedCluster,
        *,
        public: bool = True,
        public_cidrs: tuple[str, ...] = ("0.0.0.0/0",),
        authentication_mode: str = "API",
        tags: Mapping[str, str] | None = None,
        local_as: str | None = None,
        status: str = "ACTIVE",
    ) -> None:
        """Let EKS describe the cluster, in that account and region only.

        `public`: the endpoint is open to `public_cidrs`; otherwise it is private only.

        `local_as`: the name of a local cluster on an Outpost. Its sign-in uses its id, which is the
        cluster's own name here.
        """
        partition = get_partition(region)
        name = local_as or cluster.name
        described = EksCluster(
            name,
            f"arn:{partition}:iam::{account_id}:role/cluster",
            {},
            account_id,
            region,
            partition,
        )
        described.endpoint = cluster.endpoint
        described.resources_vpc_config = {
            "endpointPublicAccess": public,
            "endpointPrivateAccess": not public,
            "publicAccessCidrs": list(public_cidrs) if public else [],
            "clusterSecurityGroupId": CLUSTER_SECURITY_GROUP,
        }
        # moto answers with these attributes, though its class does not declare them.
        mode = {"authenticationMode": authentication_mode}
        described.access_config = mode  # type: ignore[attr-defined]
        if local_as:
            described.id = cluster.name  # type: ignore[attr-defined]
            described.outpost_config = OUTPOST  # type: ignore[attr-defined]
        described.tags = dict(tags or {})
        described.status = status
        described.certificate_authority = {
            "data": base64.b64encode(cluster.ca_pem.encode()).decode()
        }
        eks_backends[account_id][region].clusters[name] = described
        self.eks_access.put(
            account_id, region, name, getattr(cluster, "access_entries", None), authentication_mode
        )

    def remove_cluster(self, name: str, *, region: str, account_id: str | None = None) -> None:
        """Let EKS no longer describe the cluster."""
        del eks_backends[account_id or self.account_id][region].clusters[name]

    def credentials_for(
        self, role_arn: str, session_name: str, *, session_token: str | None = None
    ) -> Credential:
        """Return credentials of a role's session, as Lambda gives its function.

        `session_token` replaces the generated one.
        """
        return open_session(role_arn, session_name, session_token)

    def find_credential(self, access_key_id: str) -> Credential | None:
        """Return the credential of a valid access key, else None: a CredentialLookup."""
        return find_session(access_key_id)

    def close(self) -> None:
        """Stop the server and free its port."""
        for site in self._sites.values():
            site.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
