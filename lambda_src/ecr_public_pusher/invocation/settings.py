"""The function's environment, read once, at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass

from ecr_public_pusher.errors import ConfigurationError
from ecr_public_pusher.ownership import Stack

LOG_LEVELS = frozenset({"INFO", "WARN", "WARNING", "ERROR", "CRITICAL"})  # at DEBUG, botocore logs whole answers, tokens included


@dataclass(frozen=True)
class Settings:
    """`root`: the configuration's path, without a slash at its end. `stack`: whose Secrets these are. `region`, `account`: the function's.

    `retry_queue_url`: where clusters that failed wait; `retry_receives`: how often a message is handed out there at most.
    `dead_letter_queue_url`: where somebody looks at what is not tried again. `fan_out`: a push of everything is split on the retry queue.
    `allowed_endpoints`: the hosts beside EKS's that anything may be sent to. `execution_role`: the ARN of the function's own, where it is known.
    """

    root: str
    stack: str
    region: str
    account: str
    retry_queue_url: str | None = None
    retry_receives: int | None = None
    dead_letter_queue_url: str | None = None
    fan_out: bool = False
    allowed_endpoints: tuple[str, ...] = ()
    execution_role: str | None = None
    log_level: str = "INFO"

    @property
    def identity(self) -> Stack:
        return Stack(self.account, self.region, self.stack)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, function_arn: str) -> "Settings":
        """Raises ConfigurationError where the environment is not a function's."""
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise ConfigurationError("AWS_REGION is not set", remedy="Lambda sets it; elsewhere, set it to the region of the parameters.")
        queue = environ.get("RETRY_QUEUE_URL") or None
        fan_out = environ.get("FAN_OUT", "false").lower() == "true"
        if fan_out and queue is None:
            raise ConfigurationError("FAN_OUT is set without RETRY_QUEUE_URL", remedy="Deploy with template.yaml, which sets both, or unset FAN_OUT.")
        return cls(
            root="/" + environ.get("CONFIG_PATH", "/ecr-public-pusher").strip("/"),
            stack=environ.get("STACK_NAME") or environ.get("POWERTOOLS_SERVICE_NAME") or "ecr-public-pusher",
            region=region,
            account=function_arn.split(":")[4],
            retry_queue_url=queue,
            retry_receives=int(receives) if (receives := environ.get("RETRY_RECEIVES", "")).isdecimal() else None,
            dead_letter_queue_url=environ.get("DEAD_LETTER_QUEUE_URL") or None,
            fan_out=fan_out,
            allowed_endpoints=tuple(host for host in environ.get("ALLOWED_ENDPOINTS", "").split(",") if host.strip()),
            execution_role=environ.get("EXECUTION_ROLE_ARN") or None,
            log_level=level if (level := environ.get("POWERTOOLS_LOG_LEVEL", "").upper()) in LOG_LEVELS else "INFO",
        )
