"""A Secret's metadata reduced to what decisions need: owner, age and version. Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ecr_public_pusher.jobs.secret_manifest import (
    ATTACHED,
    EXPIRES_AT,
    OWNER,
    PUSHED_AT,
    REPOSITORIES,
    REPOSITORY_LABEL,
    TOKEN_KEYS,
)
from ecr_public_pusher.kubernetes_api.names import (
    NAMESPACE,
    OBJECT,
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
# "Resource Tracking"). External Secrets deletes what bears its label if the ExternalSecret of that
# name gets another target (`deleteOrphanedSecrets`).
TRACKING_LABELS = frozenset(
    {"argocd.argoproj.io/instance", "reconcile.external-secrets.io/created-by"}
)
# Before 3.0 it tracked by this one, which Helm charts set too: it counts where Argo CD wrote.
SHARED_LABEL = "app.kubernetes.io/instance"
ARGO_CD = "argocd"
# reflector (`ResourceMirror.cs`) and kubernetes-replicator (`DeleteReplicatedResource`) delete
# copies whose source is gone. With `replicate-from`, the latter goes on writing the source's data.
TRACKING_ANNOTATIONS = frozenset(
    {
        "argocd.argoproj.io/tracking-id",
        "argocd.argoproj.io/installation-id",
        "reflector.v1.k8s.emberstack.com/reflects",
        "replicator.v1.mittwald.de/replicate-from",
        "replicator.v1.mittwald.de/replicated-keys",
    }
)

_TOKENS = frozenset(f"f:{key}" for key in TOKEN_KEYS)

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


class SeenSecret(NamedTuple):
    """A Secret as a list showed it.

    `owner` is the owner annotation if our label stands beside it, else None. `managers` hold its
    token, and `writers` that of its stringData, which the API server turns into data: whoever holds
    either has written it. `restored`: Velero put it there. `finalizers`: None unless it is being
    deleted. `attached`: its name was put into ServiceAccounts. `repositories`: namespace and name
    of the Secrets of Argo CD's repositories that its document named. `labelled`: Argo CD finds it.
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
    repositories: tuple[tuple[str, str], ...] = ()
    labelled: bool = False

    @property
    def written(self) -> Hashable:
        """Return its writer and time of writing: the same for all that one push wrote."""
        return (
            self.owner,
            self.expires_at,
            self.pushed_at,
            self.managers,
            self.writers,
            self.restored,
            self.labelled,
        )

    @property
    def deleting(self) -> bool:
        """Return whether it is being deleted, and waits only for its finalizers."""
        return self.finalizers is not None

    def held_by(self, manager: str) -> bool:
        """Return whether `manager` holds the data by an apply.

        False if somebody else has written it as stringData since.
        """
        ours = (manager, APPLY)
        return ours in self.managers and (not self.writers or ours in self.writers)

    def others(self, manager: str) -> tuple[str, ...]:
        """Return the other field managers that hold the data, in order."""
        return tuple(sorted({name for name, _ in self.managers | self.writers if name != manager}))

    def seconds_left(self, now: datetime) -> float:
        """Return the seconds that its token has left; 0 if it has expired or does not say."""
        return max(0.0, (self.expires_at - now).total_seconds()) if self.expires_at else 0.0

    def share_left(self, now: datetime) -> float:
        """Return the part of its token's life that is left, from 0 to 1."""
        if self.expires_at is None or self.pushed_at is None or self.expires_at <= self.pushed_at:
            return 0.0
        return self.seconds_left(now) / (self.expires_at - self.pushed_at).total_seconds()


def seen_secret(item: Mapping[str, Any], names: Names) -> SeenSecret:
    """Return the Secret reduced to what decisions need, with names that may be shown.

    Raise KeyError, TypeError, ValueError if it is not a Secret.
    """
    metadata = item["metadata"]
    labels = _texts(metadata.get("labels"))
    annotations = _texts(metadata.get("annotations"))
    managers, writers = _holders(metadata.get("managedFields"), names)
    return SeenSecret(
        names.checked(metadata["namespace"], NAMESPACE),
        of_form(metadata["uid"], UID),
        of_form(metadata["resourceVersion"], VERSION),
        _owner(labels, annotations, names),
        _moment(annotations.get(EXPIRES_AT)),
        _moment(annotations.get(PUSHED_AT)),
        managers,
        writers,
        not RESTORE_LABELS.isdisjoint(labels),
        (
            tuple(names.checked(one, QUALIFIED) for one in metadata.get("finalizers") or ())
            if "deletionTimestamp" in metadata
            else None
        ),
        _marks(metadata, labels, annotations, names),
        ATTACHED in annotations or NOTED_ACCOUNTS in annotations,
        _repositories(annotations[REPOSITORIES], names) if REPOSITORIES in annotations else (),
        REPOSITORY_LABEL in labels,
    )


def _repositories(text: str, names: Names) -> tuple[tuple[str, str], ...]:
    """Return what an annotation of ours notes; nothing if somebody has changed its form."""
    try:
        return tuple(
            (names.checked(namespace, NAMESPACE), names.checked(name, OBJECT))
            for namespace, _, name in (word.partition("/") for word in text.split())
        )
    except ValueError:
        return ()


def _owner(labels: Mapping[str, str], annotations: Mapping[str, str], names: Names) -> str | None:
    if labels.get(MANAGED_BY_LABEL) != PRODUCT or OWNER not in annotations:
        return None
    return names.shown(annotations[OWNER])


def _holders(entries: Any, names: Names) -> tuple[frozenset[Manager], frozenset[Manager]]:
    """Return who holds the token in the data, and who has written it as stringData."""
    data: list[Manager] = []
    string_data: list[Manager] = []
    for entry in entries or ():
        fields = entry.get("fieldsV1") or {}
        in_data = not _TOKENS.isdisjoint(fields.get("f:data", ()))
        in_string_data = not _TOKENS.isdisjoint(fields.get("f:stringData", ()))
        if in_data or in_string_data:
            manager = names.shown(entry["manager"]), str(entry["operation"])
            if in_data:
                data.append(manager)
            if in_string_data:
                string_data.append(manager)
    return _set(tuple(data)), _set(tuple(string_data))


@lru_cache(maxsize=1024)
def _set(managers: tuple[Manager, ...]) -> frozenset[Manager]:
    """Return one shared set for equal managers: thousands of Secrets have the same."""
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
    """Return the time; None if it is not written as we write it.

    Then the token's life is unknown, and it is renewed.
    """
    try:
        moment = _parsed(text) if text else None
    except (TypeError, ValueError):
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> datetime:
    """Return the moment that ISO 8601 text names: one push writes the same to all namespaces."""
    return datetime.fromisoformat(text)
