"""The values that travel through a run: tokens, namespaces, outcomes, results.

Nothing here does any I/O.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from ecr_public_pusher.errors import PusherError

# The threshold of the alarm credential-ending, and of what a check and `status` report.
CREDENTIAL_ENDING = timedelta(days=14)


class Outcome(StrEnum):
    """The outcome of one planned namespace."""

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
        """Return whether the Secret holds this run's token."""
        return self in (Outcome.CREATED, Outcome.UPDATED, Outcome.ADOPTED)

    @property
    def bad(self) -> bool:
        """Return whether somebody has to act."""
        return not self.applied and self not in (
            Outcome.REMOVED,
            Outcome.PRUNED,
            Outcome.CURRENT,
            Outcome.SKIPPED,
        )


@dataclass(frozen=True)
class RegistryToken:
    """An ECR token; `authorization` is base64 of `AWS:password`, a docker config's `auth`."""

    authorization: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class IssuedToken:
    """A token as the report shows it: the registry it is for, and its expiry."""

    registry: str
    expires_at: datetime
    private: bool = False


class Namespace(NamedTuple):
    """One entry of a namespace list.

    A tuple, as NamespaceOutcome: a large run makes tens of thousands of them, each at a quarter of
    the cost of a frozen dataclass.
    """

    name: str
    labels: Mapping[str, str] = MappingProxyType({})
    terminating: bool = False
    created_at: datetime | None = None


class NamespaceOutcome(NamedTuple):
    """The outcome of one namespace, with its reason.

    `taken_from`: the field managers an adopted Secret was taken from.
    `service_accounts`: those that were changed, in their own order.
    `with_cluster`: it failed only because its cluster did.
    `replaces`: the pull Secret was somebody else's, and all that it held is replaced.
    `secret`: the Secret's name, if it is not the document's pull Secret.
    """

    namespace: str
    outcome: Outcome
    message: str = ""
    remedy: str = ""
    taken_from: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    with_cluster: bool = False
    replaces: bool = False
    secret: str = ""


class Choice(NamedTuple):
    """A namespace that a document selects, or no longer selects, with the reason."""

    namespace: str
    selected: bool
    reason: str


class Check(StrEnum):
    """The steps of a check, in their order; the names are those in the report.

    A step up to TLS that does not pass ends the cluster's check, except REGISTRIES and TOKEN; so
    does SIGN_IN.
    """

    CONFIGURATION = "configuration"  # its document
    REGISTRIES = "registries"  # each private registry gives a token
    ROLE = "role"  # the signing credentials: the function's own, or a role to assume
    TOKEN = "token"  # the sign-in token can be made, and is not too long
    CREDENTIAL = "credential"  # a stored credential that expires within CREDENTIAL_ENDING
    EKS = "eks"  # EKS describes the cluster
    DNS = "dns"  # the endpoint's name has an address
    TCP = "tcp"  # a connection to it can be made
    TLS = "tls"  # the server's certificate is signed by the cluster's authority
    SIGN_IN = "sign-in"  # the cluster accepts us, as a member of our group
    PERMISSION = "permission"  # each permission that the configuration needs
    RBAC = "rbac"  # the applied infra/rbac is as new as this release needs
    EXCESS = "excess"  # no dangerous permission beyond those
    LEFT = "left"  # Secrets of a disabled document, which nothing renews
    NAMESPACES = "namespaces"  # the selected namespaces can be pushed to: a dry run


@dataclass(frozen=True)
class Finding:
    """The result of one step of a check. `remedy`: what to do, mostly a command to paste.

    `seconds_left`: the shortest remaining life of the Secrets that are left; None for other steps.
    """

    check: Check
    ok: bool
    message: str
    remedy: str = ""
    seconds_left: float | None = None


@dataclass(frozen=True)
class ClusterResult:
    """The result of one cluster's document.

    `error` is set where the cluster as a whole failed; `skipped` says why nothing was tried.
    `found`: the names of all namespaces that were to be worked on.
    `seconds_left`: the shortest remaining life of a selected namespace's Secret after the run, 0
    where one is missing; None where it is not known.
    `empty_globs`: those of several that match nothing.
    `selection`: in a dry run, the namespaces selected, and those that have its Secret still.
    `credential_expires_at`: the end of the stored credential; None where none is stored, or where
    its end is not known.
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
    selection: tuple[Choice, ...] = ()
    credential_expires_at: datetime | None = None

    @cached_property
    def ok(self) -> bool:
        """Return whether the cluster and everything in it succeeded."""
        return (
            self.error is None
            and not any(outcome.outcome.bad for outcome in self.outcomes)
            and all(finding.ok for finding in self.findings)
        )

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """The number of namespaces by outcome; a skipped cluster counts as one."""
        if self.skipped:
            return {Outcome.SKIPPED: 1}
        return Counter(outcome.outcome for outcome in self.outcomes)
