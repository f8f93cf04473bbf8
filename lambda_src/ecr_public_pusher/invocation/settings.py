"""The function's environment, read once, at the edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ecr_public_pusher.configuration.allowed_roles import AllowedRoles
from ecr_public_pusher.errors import ConfigurationError
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.sign_in.network import GoogleEndpoints

# Not DEBUG, at which botocore logs whole responses, tokens included.
LOG_LEVELS = frozenset({"INFO", "WARN", "WARNING", "ERROR", "CRITICAL"})


# The variables by which Google's own command line takes other addresses (gcloud topic
# configurations, `api_endpoint_overrides`).
GOOGLE_ENDPOINTS = {
    "sts": "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS",
    "iam_credentials": "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
}


@dataclass(frozen=True)
class Workers:
    """The retry queue's limits: concurrent invocations, and messages for each of them.

    The defaults are the template's.
    """

    concurrency: int = 5
    batch_size: int = 10

    @classmethod
    def read(cls, text: str) -> "Workers":
        """Return the limits in a text such as 5x10, or the defaults."""
        found = re.fullmatch("([1-9][0-9]{0,3})x([1-9][0-9]{0,3})", text)
        return cls(int(found[1]), int(found[2])) if found else cls()

    @property
    def messages_at_once(self) -> int:
        """Return how many messages fill the batch of every concurrent invocation."""
        return self.concurrency * self.batch_size


@dataclass(frozen=True)
class Settings:
    """The function's settings.

    `root`: the configuration's path, without a trailing slash.
    `stack`: the stack that owns the Secrets.
    `region`, `account`: the function's.
    `retry_queue_url`: the queue on which failed clusters wait.
    `retry_receives`: the most often that a message is received there.
    `dead_letter_queue_url`: the queue for messages that are not retried.
    `fan_out`: a push of everything is split into messages on the retry queue.
    `workers`: the limits of the retry queue's invocations.
    `cluster_metrics`: each cluster has metrics of its own.
    `allowed_endpoints`: the hosts outside EKS that anything may be sent to.
    `execution_role`: the ARN of the function's own role, where it is known.
    `allowed_roles`: the roles that documents may name; None: any.
    `google`: the addresses of Google's token services.
    """

    root: str
    stack: str
    region: str
    account: str
    retry_queue_url: str | None = None
    retry_receives: int | None = None
    dead_letter_queue_url: str | None = None
    fan_out: bool = False
    workers: Workers = Workers()
    cluster_metrics: bool = True
    allowed_endpoints: tuple[str, ...] = ()
    execution_role: str | None = None
    allowed_roles: AllowedRoles | None = None
    google: GoogleEndpoints = field(default_factory=GoogleEndpoints)
    log_level: str = "INFO"

    @property
    def identity(self) -> Stack:
        """The stack, as the owner of Secrets."""
        return Stack(self.account, self.region, self.stack)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, function_arn: str) -> "Settings":
        """Return the settings. Raise ConfigurationError if the environment is not a function's."""
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise ConfigurationError(
                "AWS_REGION is not set",
                remedy="Lambda sets it; elsewhere, set it to the region of the parameters.",
            )
        queue = environ.get("RETRY_QUEUE_URL") or None
        fan_out = environ.get("FAN_OUT", "false").lower() == "true"
        if fan_out and queue is None:
            raise ConfigurationError(
                "FAN_OUT is set without RETRY_QUEUE_URL",
                remedy="Deploy with template.yaml, which sets both, or unset FAN_OUT.",
            )
        account = function_arn.split(":")[4]
        return cls(
            root="/" + environ.get("CONFIG_PATH", "/ecr-public-pusher").strip("/"),
            stack=environ.get("STACK_NAME")
            or environ.get("POWERTOOLS_SERVICE_NAME")
            or "ecr-public-pusher",
            region=region,
            account=account,
            retry_queue_url=queue,
            retry_receives=(
                int(receives)
                if (receives := environ.get("RETRY_RECEIVES", "")).isdecimal()
                else None
            ),
            dead_letter_queue_url=environ.get("DLQ_URL") or None,
            fan_out=fan_out,
            workers=Workers.read(environ.get("WORKERS", "")),
            cluster_metrics=environ.get("CLUSTER_METRICS", "true").lower() != "false",
            allowed_endpoints=_listed(environ.get("ALLOWED_ENDPOINTS", "")),
            execution_role=environ.get("EXECUTION_ROLE_ARN") or None,
            allowed_roles=_allowed_roles(environ, account),
            google=_google(environ),
            log_level=(
                level
                if (level := environ.get("POWERTOOLS_LOG_LEVEL", "").upper()) in LOG_LEVELS
                else "INFO"
            ),
        )


def _google(environ: Mapping[str, str]) -> GoogleEndpoints:
    """Return the addresses of Google's token services, or those that replace them.

    Raise ConfigurationError for one that is not https: tokens are sent there.
    """
    given = {
        name: environ[variable].rstrip("/")
        for name, variable in GOOGLE_ENDPOINTS.items()
        if environ.get(variable)
    }
    for name, url in given.items():
        if not url.startswith("https://"):
            raise ConfigurationError(
                f"{GOOGLE_ENDPOINTS[name]} is not an https URL",
                remedy="Unset it: the function then uses Google's own address.",
            )
    return GoogleEndpoints(**given)


def _listed(text: str) -> tuple[str, ...]:
    """Return the entries of a list that CloudFormation joined with commas."""
    return tuple(entry for entry in text.split(",") if entry.strip())


def _allowed_roles(environ: Mapping[str, str], account: str) -> AllowedRoles:
    """Return the roles that documents may name.

    Raise ConfigurationError where one name is given for both uses.
    """
    sign_in = environ.get("ASSUMABLE_ROLE_NAME", "")
    pull = environ.get("PULL_ROLE_NAME", "")
    if sign_in and sign_in == pull:
        raise ConfigurationError(
            f"ASSUMABLE_ROLE_NAME and PULL_ROLE_NAME are both {sign_in}",
            remedy=(
                "Give the registries' roles a name of their own; deployed with template.yaml, equal"
                " names are refused."
            ),
        )
    accounts = _listed(environ.get("ALLOWED_ACCOUNTS", ""))
    return AllowedRoles(account, accounts, sign_in=sign_in, pull=pull)
