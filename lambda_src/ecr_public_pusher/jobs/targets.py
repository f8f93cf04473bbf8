"""Request + configuration -> which clusters, in order. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, IamAuthenticator
from ecr_public_pusher.configuration.loader import Configuration
from ecr_public_pusher.configuration.narrowing import Narrowing
from ecr_public_pusher.errors import CannotBeJudged, PusherError, RequestError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.results import Namespace


@dataclass(frozen=True)
class PlannedCluster:
    """A cluster to push. `ahead`: other documents for the same cluster and Secret name that come first, and keep what they select."""

    config: ClusterConfig
    ahead: tuple[ClusterConfig, ...] = ()

    @property
    def needs_list(self) -> bool:
        """A selector of a document ahead can only be judged by the labels that a list shows."""
        return self.config.selection.needs_list or any(other.selection.selector for other in self.ahead)

    def holder(self, namespace: Namespace) -> str | None:
        """The id of the document ahead that selects `namespace` too."""
        return next((other.id for other in self.ahead if other.selection.selects(namespace)), None)


@dataclass(frozen=True)
class Plan:
    """What a run will do: `clusters` to push, in order of id; `disabled` ids; documents that are `invalid`, by id.

    `gone`: what was asked for by a message, and that no document names any more, nor a discovery finds.
    """

    clusters: tuple[PlannedCluster, ...] = ()
    disabled: tuple[str, ...] = ()
    invalid: Mapping[str, PusherError] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The clusters that something is to be done or said about by a worker: planned ones, and invalid documents."""
        return sorted([*(planned.config.id for planned in self.clusters), *self.invalid])


def to_look_for(request: Request, configuration: Configuration) -> Narrowing | None:
    """Of which clusters must be known whether a discovery finds them, before a plan is made; None where that changes nothing."""
    if request.deleted is not None or not (configuration.discoveries or any("/" in pattern for pattern in request.clusters)):
        return None
    narrowing = Narrowing(request.clusters)
    if request.action != "sweep" or any(discovery.settings.selection.needs_list for discovery in configuration.discoveries):
        return narrowing
    # No cluster that is found is swept; but a document whose clusterId is the name of one would have a token that signs in there.
    swept = (config for config in configuration.clusters if config.selection.needs_list and isinstance(config.sign_in, IamAuthenticator))
    return Narrowing(ids) if (ids := tuple(config.id for config in swept if narrowing.wants(config.id))) else None


def make_plan(request: Request, configuration: Configuration) -> Plan:
    """The plan for `request`. Raises RequestError for a cluster name or glob that matches no document, unless it is to ignore missing ones.

    A sweep concerns only clusters whose new namespaces can be known by a list; documents that are invalid were reported by their own push,
    and it says only what it could not judge itself.
    """
    if request.deleted is not None or request.unknown_parameter is not None:
        return Plan()
    known = {config.id for config in configuration.clusters} | set(configuration.invalid)
    narrowing = Narrowing(request.clusters)
    lost = tuple(narrowing.lost(known))
    if lost and not request.ignore_missing:
        discoveries = {discovery.every for discovery in configuration.discoveries}
        found = " Of a discovery only clusters that exist, and bear its tags." if discoveries or any("/" in pattern for pattern in lost) else ""
        raise RequestError(
            f"no cluster document matches {', '.join(lost[:10])[:300]}",
            remedy=f"Known ids: {', '.join(sorted(known | discoveries)[:50])[:1000] or 'none'}.{found}",
        )
    wanted = narrowing.wants
    enabled = sorted((config for config in configuration.clusters if config.enabled), key=lambda config: config.id)
    if request.removes:  # what a disabled document wrote before is ours all the same
        every = sorted((config for config in configuration.clusters if wanted(config.id)), key=lambda config: config.id)
        return Plan(tuple(PlannedCluster(config) for config in every), invalid=_invalid(configuration, wanted), gone=lost)
    ahead = _ahead(enabled)
    planned = tuple(PlannedCluster(config, ahead[config.id]) for config in enabled if wanted(config.id))
    if request.action == "sweep":
        swept = tuple(cluster for cluster in planned if cluster.config.selection.needs_list)
        return Plan(swept, invalid=_not_judged(configuration, wanted), gone=lost)
    return Plan(
        clusters=planned,
        disabled=tuple(sorted(config.id for config in configuration.clusters if not config.enabled and wanted(config.id))),
        invalid=_invalid(configuration, wanted),
        gone=lost,
    )


def _invalid(configuration: Configuration, wanted: Callable[[str], bool]) -> dict[str, PusherError]:
    return {document_id: error for document_id, error in sorted(configuration.invalid.items()) if wanted(document_id)}


def _not_judged(configuration: Configuration, wanted: Callable[[str], bool]) -> dict[str, PusherError]:
    return {document_id: error for document_id, error in _invalid(configuration, wanted).items() if isinstance(error, CannotBeJudged)}


def _ahead(enabled: list[ClusterConfig]) -> dict[str, tuple[ClusterConfig, ...]]:
    """By id, the documents for the same cluster and Secret name that come first. `enabled` is in order of id."""
    found: dict[str, tuple[ClusterConfig, ...]] = {}
    seen: dict[tuple[str, ...], list[ClusterConfig]] = {}
    for config in enabled:
        before = seen.setdefault((*config.target, config.secret_name), [])
        found[config.id] = tuple(before)
        before.append(config)
    return found
