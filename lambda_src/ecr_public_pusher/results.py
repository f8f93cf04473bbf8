"""The values that travel through a run: tokens, namespaces, outcomes, results.

No behaviour that touches the world.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from ecr_public_pusher.errors import PusherError


class Outcome(StrEnum):
    """What became of one planned namespace."""

    CREATED = "created"
    UPDATED = "updated"
    ADOPTED = "adopted"
    REMOVED = "removed"
    PRUNED = "pruned"
    CURRENT = "current"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    WRONG_TYPE = "wrong-type"
    LEFT = "left"
    FAILED = "failed"
    NOT_ATTEMPTED = "not-attempted"

    @property
    def applied(self) -> bool:
        """The Secret holds this run's token."""
        return self in (Outcome.CREATED, Outcome.UPDATED, Outcome.ADOPTED)

    @property
    def bad(self) -> bool:
        """Somebody has to do something."""
        return not self.applied and self not in (
            Outcome.REMOVED,
            Outcome.PRUNED,
            Outcome.CURRENT,
            Outcome.SKIPPED,
        )


@dataclass(frozen=True)
class RegistryToken:
    """An ECR token: `authorization` is base64 of `AWS:password`, as a docker config's `auth` wants
    it.
    """

    authorization: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class IssuedToken:
    """What the report says of a token: which registry it is for, and until when."""

    registry: str
    expires_at: datetime
    private: bool = False


@dataclass(frozen=True)
class Namespace:
    """What a namespace list says of one namespace."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    terminating: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True)
class NamespaceOutcome:
    """What became of one namespace, and why.

    `taken_from`: the field managers an adopted Secret was taken from. `service_accounts`: those
    that were changed, in their own order.
    `with_cluster`: it failed for no reason of its own, but with its cluster. `replaces`: the Secret
    was somebody else's, and all that it held is replaced.
    """

    namespace: str
    outcome: Outcome
    message: str = ""
    remedy: str = ""
    taken_from: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    with_cluster: bool = False
    replaces: bool = False


class Check(StrEnum):
    """What a check looks at, in this order; the names are those in the report.

    Up to TLS, what does not pass ends the cluster's check, REGISTRIES and TOKEN apart; so does
    SIGN_IN.
    """

    CONFIGURATION = "configuration"  # its document
    REGISTRIES = "registries"  # each private registry's token can be had
    ROLE = "role"  # whose credentials sign: the function's own, or the role to assume
    TOKEN = "token"  # the sign-in token can be made, and is not too long
    EKS = "eks"  # EKS describes the cluster
    DNS = "dns"  # the endpoint's name has an address
    TCP = "tcp"  # a connection to it comes about
    TLS = "tls"  # it is the server that the cluster's certificate authority vouches for
    SIGN_IN = "sign-in"  # the cluster knows us, as a member of our group
    PERMISSION = "permission"  # each right that the configuration needs
    RBAC = "rbac"  # what of infra/rbac is applied is as new as this release wants
    EXCESS = "excess"  # no dangerous right beyond
    LEFT = "left"  # Secrets of a disabled document, which nothing renews
    NAMESPACES = "namespaces"  # what is selected now, and whether it could be pushed to: a dry run


@dataclass(frozen=True)
class Finding:
    """What a check found out about one thing. `remedy`: what to do, mostly a command to paste."""

    check: Check
    ok: bool
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class ClusterResult:
    """What became of one cluster's document.

    `error` is set where the cluster as a whole failed; `skipped` says why nothing was tried.

    `found`: the names of all namespaces that were to be worked on. `seconds_left`: the least life
    that the Secret of a selected namespace has left after the run, 0 where one lacks it; None where
    that is not known. `empty_globs`: those of several that match nothing.
    """

    id: str
    outcomes: tuple[NamespaceOutcome, ...] = ()
    error: PusherError | None = None
    skipped: str | None = None
    seconds: float = 0.0
    attempted: bool = True
    found: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    seconds_left: float | None = None
    empty_globs: tuple[str, ...] = ()

    @cached_property
    def ok(self) -> bool:
        return (
            self.error is None
            and not any(outcome.outcome.bad for outcome in self.outcomes)
            and all(finding.ok for finding in self.findings)
        )

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """How many namespaces came to each outcome; a cluster that was skipped counts as one."""
        if self.skipped:
            return {Outcome.SKIPPED: 1}
        return Counter(outcome.outcome for outcome in self.outcomes)
