"""Choice of the clusters that a request concerns, in order. Pure."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, SecretsKey
from ecr_public_pusher.configuration.kubectl_commands import kubectl
from ecr_public_pusher.configuration.loader import Configuration
from ecr_public_pusher.configuration.names import is_glob, matches
from ecr_public_pusher.configuration.narrowing import Narrowing
from ecr_public_pusher.errors import (
    CannotBeJudged,
    EksError,
    PusherError,
    RequestError,
    RoleError,
    UnreadDocument,
)
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.results import Namespace

# Errors of what AWS answered in this run, not of a document's text.
_OF_THIS_RUN = (CannotBeJudged, EksError, RoleError, UnreadDocument)


@dataclass(frozen=True)
class PlannedCluster:
    """A cluster to push to.

    `ahead`: other enabled documents for the same cluster and Secret name that come first, and keep
    what they select. `behind`: those that come after; in a removal, all that are not removed.
    `invalid`: ids of documents whose Secrets stay theirs until they are corrected.
    `repositories`: of the same document, one for each of Argo CD's repositories.
    `of_cluster`: every Secret that enabled documents ask for in the cluster; in a removal, those of
    documents that stay.
    """

    config: ClusterConfig
    ahead: tuple[ClusterConfig, ...] = ()
    behind: tuple[ClusterConfig, ...] = ()
    invalid: frozenset[str] = frozenset()
    repositories: "tuple[PlannedCluster, ...]" = ()
    of_cluster: tuple[ClusterConfig, ...] = ()

    @property
    def kubectl(self) -> str:
        """Return the beginning of a kubectl command for the cluster."""
        return kubectl(self.config)

    def answers_for(self, document_id: str) -> bool:
        """Return whether this document reports what a disabled or deleted one has left.

        The first document of the cluster does.
        """
        if self.ahead or document_id in self.invalid:
            return False
        return all(other.id != document_id for other in self.behind)

    @property
    def needs_list(self) -> bool:
        """Return whether namespaces must be listed.

        Only the labels in a list tell what a selector of a document ahead selects.
        """
        return self.config.selection.needs_list or any(
            other.selection.selector for other in self.ahead
        )

    def successor(self, namespace: Namespace, *, listed: bool) -> str | None:
        """Return the id of a document behind that selects `namespace` too, or None.

        Where its labels are not known (`listed` is false), a selector may select it.
        """
        for other in self.behind:
            if other.selection.selects(namespace) or (other.selection.selector and not listed):
                return other.id
        return None

    def holder(self, namespace: Namespace) -> str | None:
        """Return the id of the first document ahead that selects `namespace` too, or None."""
        for other in self.ahead:
            if other.selection.selects(namespace):
                return other.id
        return None


@dataclass(frozen=True)
class Plan:
    """Clusters that a run concerns, in order of id.

    `clusters`: to push to. `disabled`: of disabled documents. `invalid`: errors of invalid
    documents, by id. `gone`: asked for by a message, but no longer named by a document or found by
    a discovery.
    """

    clusters: tuple[PlannedCluster, ...] = ()
    disabled: tuple[PlannedCluster, ...] = ()
    invalid: Mapping[str, PusherError] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Return the ids a worker must handle: planned clusters and invalid documents."""
        return sorted([*(planned.config.id for planned in self.clusters), *self.invalid])


def make_plan(request: Request, configuration: Configuration) -> Plan:
    """Return the plan for `request`.

    Raise RequestError for a cluster name or glob that matches no document, unless the request
    ignores missing ones. A glob may match only clusters that are left to documents of their own: a
    discovery all of whose clusters have one is no mistake. The id of such a cluster is one.

    Disabled and invalid documents were reported by their own push: a sweep reports only what it
    could not judge itself, and discoveries for which it could not look.
    """
    if request.deleted is not None or request.unknown_parameter is not None:
        return Plan()
    known = {config.id for config in configuration.clusters} | set(configuration.invalid)
    narrowing = Narrowing(request.clusters)
    left = configuration.left_to_documents
    lost = tuple(
        pattern
        for pattern in narrowing.lost(known)
        if not (is_glob(pattern) and any(matches(pattern, cluster) for cluster in left))
    )
    if lost and not request.ignore_missing:
        raise _no_document(lost, known, configuration)
    wanted = narrowing.wants
    if request.includes_disabled:
        configuration = _enabling(configuration, wanted)
    enabled = sorted(
        (config for config in configuration.clusters if config.enabled),
        key=lambda config: config.id,
    )
    if request.removes:  # disabled documents too: what they wrote is ours
        every = sorted(
            (config for config in configuration.clusters if wanted(config.id)),
            key=lambda config: config.id,
        )
        staying = [config for config in enabled if not wanted(config.id)]
        return Plan(
            tuple(_only_behind(every, staying, frozenset())),
            invalid=_invalid(configuration, wanted),
            gone=lost,
        )
    planned = tuple(
        cluster
        for cluster in _side_by_side(enabled, frozenset(configuration.invalid))
        if wanted(cluster.config.id)
    )
    if request.action == "sweep":
        return Plan(planned, invalid=_not_judged(configuration, wanted), gone=lost)
    return Plan(
        clusters=planned,
        disabled=tuple(_disabled(configuration, enabled, wanted)),
        invalid=_invalid(configuration, wanted),
        gone=lost,
    )


def _enabling(configuration: Configuration, wanted: Callable[[str], bool]) -> Configuration:
    """Return the configuration as it would be if the wanted documents were enabled."""
    clusters = tuple(
        replace(config, enabled=True) if wanted(config.id) else config
        for config in configuration.clusters
    )
    return replace(configuration, clusters=clusters)


def _no_document(
    lost: tuple[str, ...], known: set[str], configuration: Configuration
) -> RequestError:
    discoveries = {discovery.every for discovery in configuration.discoveries}
    ids = sorted(known | discoveries)
    close = difflib.get_close_matches(lost[0], ids, n=1)
    guess = f"Did you mean {close[0]}? " if close else ""
    remedy = f"{guess}Known ids: {', '.join(ids[:50])[:1000] or 'none'}."
    if own := [pattern for pattern in lost if pattern in configuration.left_to_documents]:
        remedy += f" Documents of their own name {', '.join(own[:10])[:300]}: use their ids."
    elif discoveries or any("/" in pattern for pattern in lost):
        remedy += " For a discovery, only existing clusters with its tags match."
    return RequestError(f"no cluster document matches {', '.join(lost[:10])[:300]}", remedy=remedy)


def _invalid(configuration: Configuration, wanted: Callable[[str], bool]) -> dict[str, PusherError]:
    return {
        document_id: error
        for document_id, error in sorted(configuration.invalid.items())
        if wanted(document_id)
    }


def _not_judged(
    configuration: Configuration, wanted: Callable[[str], bool]
) -> dict[str, PusherError]:
    return {
        document_id: error
        for document_id, error in _invalid(configuration, wanted).items()
        if isinstance(error, _OF_THIS_RUN)
    }


def _disabled(
    configuration: Configuration, enabled: list[ClusterConfig], wanted: Callable[[str], bool]
) -> Iterator[PlannedCluster]:
    """Yield disabled documents, in order of id.

    Each comes with the enabled ones for the same cluster and Secret name.
    """
    disabled = (
        config
        for config in sorted(configuration.clusters, key=lambda config: config.id)
        if not config.enabled and wanted(config.id)
    )
    return _only_behind(disabled, enabled, frozenset(configuration.invalid))


def _only_behind(
    configs: Iterable[ClusterConfig], others: Sequence[ClusterConfig], invalid: frozenset[str]
) -> Iterator[PlannedCluster]:
    """Yield each document with those of the `others` that mean the same Secrets."""
    by_cluster = _by_cluster(others)

    def planned(config: ClusterConfig) -> PlannedCluster:
        sharing = _sharing(config, by_cluster.get(config.target, ()))
        return PlannedCluster(config, behind=sharing, invalid=invalid)

    for config in configs:
        yield _with_repositories(config, planned, by_cluster.get(config.target, ()))


def _by_cluster(
    configs: Sequence[ClusterConfig],
) -> dict[tuple[str, str, str], tuple[ClusterConfig, ...]]:
    """Return the settings of every Secret of these documents by cluster, in their order."""
    found: dict[tuple[str, str, str], list[ClusterConfig]] = {}
    for config in configs:
        found.setdefault(config.target, []).extend((config, *config.of_repositories))
    return {target: tuple(secrets) for target, secrets in found.items()}


def _with_repositories(
    config: ClusterConfig,
    planned: Callable[[ClusterConfig], PlannedCluster],
    of_cluster: tuple[ClusterConfig, ...],
) -> PlannedCluster:
    """Return the document's `planned`, with those of its repositories' Secrets."""
    repositories = tuple(planned(one) for one in config.of_repositories)
    return replace(planned(config), repositories=repositories, of_cluster=of_cluster)


def _sharing(config: ClusterConfig, others: Sequence[ClusterConfig]) -> tuple[ClusterConfig, ...]:
    """Return the `others` that mean the same cluster and Secret name."""
    return tuple(other for other in others if other.secrets == config.secrets)


def _side_by_side(
    enabled: list[ClusterConfig], invalid: frozenset[str]
) -> Iterator[PlannedCluster]:
    """Yield each document with the others for the same cluster and Secret name.

    `enabled` must be in order of id.
    """
    by_cluster = _by_cluster(enabled)
    together: dict[SecretsKey, list[ClusterConfig]] = {}
    for secrets in by_cluster.values():
        for one in secrets:
            together.setdefault(one.secrets, []).append(one)

    def planned(config: ClusterConfig) -> PlannedCluster:
        others = together[config.secrets]
        place = others.index(config)
        return PlannedCluster(config, tuple(others[:place]), tuple(others[place + 1 :]), invalid)

    for config in enabled:
        yield _with_repositories(config, planned, by_cluster[config.target])
