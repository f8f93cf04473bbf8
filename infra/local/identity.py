"""AWS credentials and EKS access entries, the values that the embedded AWS and Kubernetes share.

The AWS hands out credentials, and the Kubernetes verifies tokens signed with them. Neither should
know the other's rules, so these values live here.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credential:
    """An AWS access key and its owner; `arn` is the ARN that GetCallerIdentity returns."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    arn: str


CredentialLookup = Callable[[str], Credential | None]
"""A function that returns the credential of an access key id, or None for an unknown one."""


@dataclass(frozen=True)
class AccessEntry:
    """An EKS access entry: principal, Kubernetes groups and user name.

    The user name is the session's ARN by default, as with EKS.
    """

    principal_arn: str
    groups: tuple[str, ...]
    username: str | None = None


class AccessEntries:
    """A cluster's access entries; `version` counts their changes."""

    def __init__(self, entries: Iterable[AccessEntry] = ()) -> None:
        self._entries = tuple(entries)
        self._lock = threading.Lock()
        self.version = 0

    def __iter__(self) -> Iterator[AccessEntry]:
        return iter(self._entries)

    def of(self, principal: str) -> AccessEntry | None:
        """Return the entry of a role or user, if any."""
        return next(
            (entry for entry in self._entries if same_principal(entry.principal_arn, principal)),
            None,
        )

    def put(self, entry: AccessEntry) -> None:
        """Add an entry, or replace that of its principal."""
        with self._lock:
            others = tuple(
                one
                for one in self._entries
                if not same_principal(one.principal_arn, entry.principal_arn)
            )
            self._entries = (*others, entry)
            self.version += 1

    def remove(self, principal: str) -> None:
        """Remove a principal's entry."""
        with self._lock:
            self._entries = tuple(
                one for one in self._entries if not same_principal(one.principal_arn, principal)
            )
            self.version += 1


def principal_of(arn: str) -> str:
    """Return the IAM principal of a caller's ARN: the role of an assumed-role session.

    Any other ARN is returned unchanged. STS leaves a role's path out of the session's ARN, so it is
    missing here too.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "sts" or not parts[5].startswith("assumed-role/"):
        return arn
    role = parts[5].split("/")[1]
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{role}"


def same_principal(left: str, right: str) -> bool:
    """Return whether two principal ARNs name the same role or user, paths ignored.

    EKS itself compares unique ids.
    """
    return _without_path(left) == _without_path(right)


def _without_path(arn: str) -> str:
    head, _, resource = arn.rpartition(":")
    kind, *names = resource.split("/")
    return f"{head}:{kind}/{names[-1]}" if names else arn
