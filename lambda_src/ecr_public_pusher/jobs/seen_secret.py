"""Reduce a Secret's metadata to what is decided upon: whose it is, how fresh, and which version of
it was seen. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from ecr_public_pusher.jobs.secret_manifest import ATTACHED, DATA_KEY, EXPIRES_AT, OWNER, PUSHED_AT
from ecr_public_pusher.kubernetes_api.names import (
    NAMESPACE,
    QUALIFIED,
    UID,
    VERSION,
    Names,
    of_form,
)
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, MANAGED_BY_LABEL, PRODUCT

APPLY = "Apply"
# Before 1.1, a Secret's annotation listed its accounts.
NOTED_ACCOUNTS = f"{ANNOTATION_PREFIX}service-accounts"
# Velero labels what it restores (velero.io/docs, "Restore reference"), and writes as this field
# manager.
RESTORE_LABELS = frozenset({"velero.io/restore-name", "velero.io/backup-name"})
RESTORE_MANAGER = "velero"
# Argo CD deletes what bears its mark once it leaves the application (argo-cd.readthedocs.io,
# "Resource Tracking").
TRACKING_LABELS = frozenset({"argocd.argoproj.io/instance"})
# Before 3.0 it tracked by this one, which Helm charts set too: it counts where Argo CD wrote.
SHARED_LABEL, ARGO_CD = "app.kubernetes.io/instance", "argocd"
TRACKING_ANNOTATIONS = frozenset(
    {"argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id"}
)

_DATA = f"f:{DATA_KEY}"

# A field manager and its operation, Apply or Update.
type Manager = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks by which somebody else's controller would delete the Secret.

    `owners`: kind and name of each owner reference.
    """

    owners: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.owners or self.labels or self.annotations)


NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class SeenSecret:
    """A Secret as a list showed it.

    `owner` is the owner annotation where our label stands beside it, else None. `managers` hold its
    data, and `writers` its stringData, which the API server turns into data: whoever holds either
    has written it. `restored` says that Velero put it there. `finalizers` are None unless it is
    being deleted. `attached`: its name was put into ServiceAccounts.
    """

    namespace: str
    uid: str
    version: str
    owner: str | None = None
    expires_at: datetime | None = None
    pushed_at: datetime | None = None
    managers: frozenset[Manager] = frozenset()
    writers: frozenset[Manager] = frozenset()
    restored: bool = False
    finalizers: tuple[str, ...] | None = None
    marks: Marks = NO_MARKS
    attached: bool = False

    @property
    def deleting(self) -> bool:
        """Return whether it goes as soon as its finalizers do."""
        return self.finalizers is not None

    def held_by(self, manager: str) -> bool:
        """Return whether an apply of `manager` holds the data, and nobody else has written it as
        stringData since.
        """
        ours = (manager, APPLY)
        return ours in self.managers and (not self.writers or ours in self.writers)

    def others(self, manager: str) -> tuple[str, ...]:
        """Return the field managers that hold the data beside `manager`, in order."""
        return tuple(sorted({name for name, _ in self.managers | self.writers if name != manager}))

    def seconds_left(self, now: datetime) -> float:
        """Return how long its token lives yet, in seconds; 0 where it has ended, or
        does not say.
        """
        return max(0.0, (self.expires_at - now).total_seconds()) if self.expires_at else 0.0

    def share_left(self, now: datetime) -> float:
        """Return the part of its token's life that is left, from 0 to 1."""
        if self.expires_at is None or self.pushed_at is None or self.expires_at <= self.pushed_at:
            return 0.0
        return self.seconds_left(now) / (self.expires_at - self.pushed_at).total_seconds()


def seen_secret(item: Mapping[str, Any], names: Names) -> SeenSecret:
    """Return what is decided upon, by the names that may be shown.

    Raise KeyError, TypeError, ValueError for what is no Secret.
    """
    metadata = item["metadata"]
    labels = _texts(metadata.get("labels"))
    annotations = _texts(metadata.get("annotations"))
    return SeenSecret(
        namespace=names.checked(metadata["namespace"], NAMESPACE),
        uid=of_form(metadata["uid"], UID),
        version=of_form(metadata["resourceVersion"], VERSION),
        owner=(
            names.shown(annotations[OWNER])
            if OWNER in annotations and labels.get(MANAGED_BY_LABEL) == PRODUCT
            else None
        ),
        expires_at=_moment(annotations.get(EXPIRES_AT)),
        pushed_at=_moment(annotations.get(PUSHED_AT)),
        managers=_holders(metadata.get("managedFields"), "f:data", names),
        writers=_holders(metadata.get("managedFields"), "f:stringData", names),
        restored=not RESTORE_LABELS.isdisjoint(labels),
        finalizers=(
            tuple(names.checked(one, QUALIFIED) for one in metadata.get("finalizers") or ())
            if "deletionTimestamp" in metadata
            else None
        ),
        marks=_marks(metadata, labels, annotations, names),
        attached=ATTACHED in annotations or NOTED_ACCOUNTS in annotations,
    )


def _holders(entries: Any, part: str, names: Names) -> frozenset[Manager]:
    held = []
    for entry in entries or ():
        fields = entry.get("fieldsV1")
        if fields and part in fields and _DATA in fields[part]:
            held.append((names.shown(entry["manager"]), str(entry["operation"])))
    return _set(tuple(held))


@lru_cache(maxsize=1024)
def _set(managers: tuple[Manager, ...]) -> frozenset[Manager]:
    """Return the same set for the same managers: those of thousands of Secrets are one."""
    return frozenset(managers)


def _marks(
    metadata: Mapping[str, Any],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    names: Names,
) -> Marks:
    references = metadata.get("ownerReferences")
    tracking = TRACKING_LABELS
    if SHARED_LABEL in labels and any(
        str(entry["manager"]).startswith(ARGO_CD) for entry in metadata.get("managedFields") or ()
    ):
        tracking |= {SHARED_LABEL}
    if (
        not references
        and tracking.isdisjoint(labels)
        and TRACKING_ANNOTATIONS.isdisjoint(annotations)
    ):
        return NO_MARKS
    owners = tuple(
        f"{names.shown(one.get('kind'))} {names.shown(one.get('name'))}" for one in references or ()
    )
    return Marks(
        owners,
        tuple(sorted(tracking & labels.keys())),
        tuple(sorted(TRACKING_ANNOTATIONS & annotations.keys())),
    )


def _texts(values: Any) -> Mapping[str, str]:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise TypeError
    return values


def _moment(text: str | None) -> datetime | None:
    """Return the moment; None for one that is not written as we write it: then the token's life is
    unknown, and it is renewed.
    """
    try:
        moment = datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
