"""Request + configuration -> which clusters, in order. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.kubectl_commands import kubectl
from ecr_public_pusher.configuration.loader import Configuration
from ecr_public_pusher.configuration.narrowing import Narrowing
from ecr_public_pusher.errors import CannotBeJudged, PusherError, RequestError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.results import Namespace


@dataclass(frozen=True)
class PlannedCluster:
    """A cluster to push.

    `ahead`: other enabled documents for the same cluster and Secret name that come first, and keep
    what they select;
    `behind`: those that come after. `invalid`: ids of documents whose Secrets must stay theirs
    until they are corrected.
    """

    config: ClusterConfig
    ahead: tuple[ClusterConfig, ...] = ()
    behind: tuple[ClusterConfig, ...] = ()
    invalid: frozenset[str] = frozenset()

    @property
    def kubectl(self) -> str:
        """Return how a command for the cluster begins."""
        return kubectl(self.config)

    def answers_for(self, document_id: str) -> bool:
        """Return whether this document reports what a document that is gone or disabled has left:
        the first one does.
        """
        if self.ahead or document_id in self.invalid:
            return False
        return all(other.id != document_id for other in self.behind)

    @property
    def needs_list(self) -> bool:
        """A selector of a document ahead can only be judged by the labels that a list shows."""
        return self.config.selection.needs_list or any(
            other.selection.selector for other in self.ahead
        )

    def holder(self, namespace: Namespace) -> str | None:
        """The id of the document ahead that selects `namespace` too."""
        for other in self.ahead:
            if other.selection.selects(namespace):
                return other.id
        return None


@dataclass(frozen=True)
class Plan:
    """What a run will do: `clusters` to push, in order of id; those that are `disabled`; documents
    that are `invalid`, by id.

    `gone`: what was asked for by a message, and that no document names any more, nor a discovery
    finds.
    """

    clusters: tuple[PlannedCluster, ...] = ()
    disabled: tuple[PlannedCluster, ...] = ()
    invalid: Mapping[str, PusherError] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The clusters that something is to be done or said about by a worker: planned ones, and
        invalid documents.
        """
        return sorted([*(planned.config.id for planned in self.clusters), *self.invalid])


def make_plan(request: Request, configuration: Configuration) -> Plan:
    """The plan for `request`.

    Raises RequestError for a cluster name or glob that matches no document, unless it is to ignore
    missing ones.

    Documents that are disabled or invalid were reported by their own push: a sweep says only what
    it could not judge itself.
    """
    if request.deleted is not None or request.unknown_parameter is not None:
        return Plan()
    known = {config.id for config in configuration.clusters} | set(configuration.invalid)
    narrowing = Narrowing(request.clusters)
    lost = tuple(narrowing.lost(known))
    if lost and not request.ignore_missing:
        discoveries = {discovery.every for discovery in configuration.discoveries}
        found = (
            " Of a discovery only clusters that exist, and bear its tags."
            if discoveries or any("/" in pattern for pattern in lost)
            else ""
        )
        raise RequestError(
            f"no cluster document matches {', '.join(lost[:10])[:300]}",
            remedy=(
                f"Known ids: {', '.join(sorted(known | discoveries)[:50])[:1000] or 'none'}.{found}"
            ),
        )
    wanted = narrowing.wants
    enabled = sorted(
        (config for config in configuration.clusters if config.enabled),
        key=lambda config: config.id,
    )
    if request.removes:  # what a disabled document wrote before is ours all the same
        every = sorted(
            (config for config in configuration.clusters if wanted(config.id)),
            key=lambda config: config.id,
        )
        return Plan(
            tuple(PlannedCluster(config) for config in every),
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
        if isinstance(error, CannotBeJudged)
    }


def _disabled(
    configuration: Configuration, enabled: list[ClusterConfig], wanted: Callable[[str], bool]
) -> Iterator[PlannedCluster]:
    """Yield disabled documents, each with the enabled ones for the same cluster and Secret name, in
    order of id.
    """
    for config in sorted(configuration.clusters, key=lambda config: config.id):
        if not config.enabled and wanted(config.id):
            key = (*config.target, config.secret_name)
            others = tuple(other for other in enabled if (*other.target, other.secret_name) == key)
            yield PlannedCluster(config, behind=others, invalid=frozenset(configuration.invalid))


def _side_by_side(
    enabled: list[ClusterConfig], invalid: frozenset[str]
) -> Iterator[PlannedCluster]:
    """Yield each document with the others for the same cluster and Secret name.

    `enabled` is in order of id.
    """
    together: dict[tuple[str, ...], list[ClusterConfig]] = {}
    for config in enabled:
        together.setdefault((*config.target, config.secret_name), []).append(config)
    for config in enabled:
        others = together[(*config.target, config.secret_name)]
        place = others.index(config)
        yield PlannedCluster(config, tuple(others[:place]), tuple(others[place + 1 :]), invalid)
