"""One request on a stored kind, as the verbs get it: read, signed in and allowed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ..auth.authz import Attributes, UserInfo
from ..kinds import Kind

APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Call:
    """One allowed request on a served kind."""

    kind: Kind
    asked: Attributes
    query: dict[str, str]
    user: UserInfo
    agent: str
    content_type: str
    body: bytes
    shape: str

    @property
    def manager(self) -> str:
        """The field manager: the one named, else the user agent up to its first slash."""
        return self.query.get("fieldManager") or self.agent.split("/")[0] or "unknown"

    @property
    def namespace(self) -> str:
        """The namespace of the object; none for kinds that have none."""
        return self.asked.namespace if self.kind.namespaced else ""

    @property
    def dry(self) -> bool:
        """Whether nothing is to be stored."""
        return self.query.get("dryRun") == "All"


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
