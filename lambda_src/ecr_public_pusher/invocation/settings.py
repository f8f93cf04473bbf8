"""The function's environment, read once, at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass

from ecr_public_pusher.errors import ConfigurationError


@dataclass(frozen=True)
class Settings:
    """`root`: the configuration's path, without a slash at its end. `stack`: whose Secrets these are. `region`, `account`: the function's.

    `retry_queue_url`: where clusters that failed wait. `fan_out`: a push of everything is split on that queue into one message per cluster.
    """

    root: str
    stack: str
    region: str
    account: str
    retry_queue_url: str | None = None
    fan_out: bool = False

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
            fan_out=fan_out,
        )
