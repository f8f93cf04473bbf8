"""One request on a stored kind, as the verbs get it: decoded, signed in and authorised."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ..auth.authz import Attributes, UserInfo
from ..kinds import Kind

APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Call:
    """One authorised request on a served kind."""

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
        """The namespace of the object; empty for cluster-scoped kinds."""
        return self.asked.namespace if self.kind.namespaced else ""

    @property
    def dry(self) -> bool:
        """True for a dry run."""
        return self.query.get("dryRun") == "All"


def now() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
