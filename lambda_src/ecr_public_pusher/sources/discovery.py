"""Discovery: the EKS clusters with the documents' tags, in all of their regions.

Clusters that a document of their own names are left to that document.

Only what a request asks for is looked up: where it asks for many clusters of a region, all are
listed and described; clusters that it names exactly are described without a list. So a message for
ten clusters costs ten calls, no matter how many clusters have the tags.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.claims import Claim
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, IamAuthenticator
from ecr_public_pusher.configuration.loader import (
    Configuration,
    Discovery,
    cannot_judge_cluster_id,
    first_correct,
    is_eks_name,
    names_an_eks_cluster,
)
from ecr_public_pusher.configuration.narrowing import Narrowing
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import CannotBeJudged, DiscoveryError, EksError, PusherError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.sign_in.eks import EndpointCache
from ecr_public_pusher.sources.eks_clusters import (
    EksDirectory,
    LookUp,
    Patience,
    Search,
    Sightings,
    run_search,
)

# Most names listed in a message.
SHOWN = 10
# A search that takes long may hang, so another is started beside it, up to the maximum.
SEARCHES_AT_ONCE = 8
MOST_SEARCHES_AT_ONCE = 48
# All clusters wait for discovery. So a region that hangs is left out soon, while one with so many
# clusters that EKS throttles may go on.
STALLED_SECONDS = 15.0
SHARE = 1 / 2  # of the remaining time


# All documents that look in the same place, as the same role, share a search: (role, external id,
# region).
type _Place = tuple[str | None, str | None, str]


async def find_clusters(
    configuration: Configuration,
    request: Request,
    *,
    callers: Callers,
    endpoints: EndpointCache,
    deadline: Deadline,
) -> Configuration:
    """Return the configuration with the clusters that `request` asks for and discoveries find.

    For clusters that it knows, a sweep uses EKS's answers of the last hour. Raise DeadlineReached
    when there is no answer in time.
    """
    directory = EksDirectory(callers, endpoints, fresh=request.action != "sweep")
    remaining = deadline.remaining
    looking = discover(
        configuration,
        directory.look_up,
        narrowing=Narrowing(request.clusters),
        patience=Patience(min(STALLED_SECONDS, remaining / 3), in_all=remaining * SHARE),
        any_tags=request.removes,
    )
    return await deadline.wait_for(looking, what="looking for clusters by tag")


async def discover(
    configuration: Configuration,
    look_up: LookUp,
    *,
    narrowing: Narrowing,
    patience: Patience,
    any_tags: bool = False,
) -> Configuration:
    """Return the configuration with the clusters that its discoveries find.

    The errors of clusters that could not be looked up are added as `<id>/<region>/*`, or under the
    very id where that is asked for. A discovery that finds nothing fails as `<id>/*`: it is never
    taken for nothing to do.

    `any_tags`: a cluster that is asked for by its very id is included whatever its tags, and
    whatever document names it by now, as for a removal of what was pushed.
    """
    work = _Discovering(configuration, narrowing, any_tags=any_tags)
    last = asyncio.get_running_loop().time() + patience.in_all
    seen: dict[_Place, Sightings] = {}

    async def look(item: tuple[_Place, Search]) -> None:
        place, search = item
        seen[place] = await run_search(search, look_up, patience, last)

    await run_concurrently(
        work.searches().items(), look, width=SEARCHES_AT_ONCE, most=MOST_SEARCHES_AT_ONCE
    )
    return work.result(seen)


class _Discovering:
    def __init__(
        self, configuration: Configuration, narrowing: Narrowing, *, any_tags: bool
    ) -> None:
        self._configuration = configuration
        self._narrowing = narrowing
        self._any_tags = any_tags
        self._taken = {config.target for config in configuration.clusters}
        # A token for aws-iam-authenticator would also sign in to an EKS cluster that is named like
        # its clusterId, so such a cluster is looked for too.
        self._authenticators: dict[str, list[str]] = {}
        self._listed: set[_Place] = set()
        for config in configuration.clusters:
            choice = config.sign_in
            if (
                isinstance(choice, IamAuthenticator)
                and is_eks_name(choice.cluster_id)
                and narrowing.wants(config.id)
            ):
                self._authenticators.setdefault(choice.cluster_id, []).append(config.id)

    def searches(self) -> dict[_Place, Search]:
        """Return the searches to make, by place."""
        found: dict[_Place, Search] = {}
        for discovery, region in self._places():
            prefix = f"{discovery.id}/{region}/"
            if not self._narrowing.may_mean(prefix) and not self._authenticators:
                continue
            names = self._names(prefix)
            key = _place(discovery, region)
            found[key] = _joined(
                found.get(key),
                Search(replace(discovery.settings, region=region), names, self._wanted(prefix)),
            )
        self._listed = {key for key, search in found.items() if search.names is None}
        return found

    def _names(self, prefix: str) -> frozenset[str] | None:
        asked = self._narrowing.exactly(prefix) if self._narrowing.may_mean(prefix) else frozenset()
        return asked | self._authenticators.keys() if asked is not None else None

    def _wanted(self, prefix: str) -> Callable[[str], bool]:
        return lambda name: name in self._authenticators or self._narrowing.wants(prefix + name)

    def result(self, seen: Mapping[_Place, Sightings]) -> Configuration:
        """Return the configuration with the results of the searches."""
        found: list[ClusterConfig] = []
        left: list[str] = []
        invalid = {**self._configuration.invalid, **self._of_invalid_documents()}
        for discovery in self._configuration.discoveries:
            matching = list(self._matching(discovery, seen))
            failed: dict[str, PusherError] = {}
            for region in discovery.regions:
                failed |= self._failed(discovery, region, seen)
            if not matching and not failed and self._narrowing.wants(discovery.every):
                not_ready = [
                    name
                    for region in discovery.regions
                    for name in self._not_ready(discovery, region, seen)
                ]
                failed[discovery.every] = _nothing(discovery, not_ready)
            invalid |= failed
            for config in matching:
                if config.id in failed:
                    continue
                if self._is_left(config):
                    left += [config.id] if self._narrowing.wants(config.id) else []
                elif claim := self._possible_claim(config):
                    invalid |= self._not_known(discovery, config, claim)
                else:
                    found.append(config)
        invalid |= self._refused_authenticators({config.cluster for config in found}, seen)
        explicit = (config for config in self._configuration.clusters if config.id not in invalid)
        return replace(
            self._configuration,
            clusters=(*explicit, *found),
            invalid=invalid,
            left_to_documents=tuple(left),
        )

    def _refused_authenticators(
        self, names: Collection[str], seen: Mapping[_Place, Sightings]
    ) -> dict[str, PusherError]:
        """Return the errors of documents whose clusterId is, or may be, an EKS cluster's name."""
        refused: dict[str, PusherError] = {}
        coming_or_going = {
            name
            for discovery, region in self._places()
            for name in self._not_ready(discovery, region, seen)
        }
        for name, those in self._authenticators.items():
            failure = next(
                (failure for sightings in seen.values() if (failure := sightings.failure_of(name))),
                None,
            )
            for one in those:
                if name in names:
                    refused[one] = names_an_eks_cluster(one, name)
                elif failure is not None:
                    refused[one] = cannot_judge_cluster_id(
                        one, name, failure.message, remedy=failure.remedy
                    )
                elif name in coming_or_going:
                    why = "an EKS cluster of that name is being created or deleted"
                    refused[one] = cannot_judge_cluster_id(
                        one, name, why, remedy="Wait until that is done."
                    )
        return refused

    def _not_ready(
        self, discovery: Discovery, region: str, seen: Mapping[_Place, Sightings]
    ) -> list[str]:
        """Return the names of clusters with the tags, known or possible, that are not ready."""
        sightings = seen.get(_place(discovery, region))
        known = sightings.not_ready if sightings else {}
        return sorted(name for name, tags in known.items() if tags is None or discovery.holds(tags))

    def _matching(
        self, discovery: Discovery, seen: Mapping[_Place, Sightings]
    ) -> Iterator[ClusterConfig]:
        for region in discovery.regions:
            for name, tags in sorted(self._tags(discovery, region, seen).items()):
                config = discovery.cluster(region, name)
                if discovery.holds(tags) or (self._any_tags and config.id in self._narrowing.exact):
                    yield config

    def _tags(
        self, discovery: Discovery, region: str, seen: Mapping[_Place, Sightings]
    ) -> Mapping[str, Mapping[str, str]]:
        """Return the tags of each cluster that was seen in the discovery's own place.

        Where that was not listed, include clusters that other searches saw in the same account and
        region: the document that a namespace belongs to must not depend on the request.
        """
        key = _place(discovery, region)
        if key in self._listed:
            return seen[key].tags
        place = replace(discovery.settings, region=region).target[:2]
        others = (
            one
            for (role, _, where), one in seen.items()
            if replace(discovery.settings, role_arn=role, region=where).target[:2] == place
        )
        return {name: tags for one in others for name, tags in one.tags.items()}

    def _is_meant_itself(self, config: ClusterConfig) -> bool:
        return self._any_tags and config.id in self._narrowing.exact

    def _is_left(self, config: ClusterConfig) -> bool:
        """Return whether a document, even a disabled or invalid one, names the cluster itself."""
        if self._is_meant_itself(config):
            return False
        return config.target in self._taken or any(
            claim.names_cluster(config) for claim in self._configuration.claimed
        )

    def _possible_claim(self, config: ClusterConfig) -> Claim | None:
        """Return the claim of a document that may mean the cluster, as far as it can be read.

        There is none for a removal: it deletes what this discovery wrote, whichever document the
        cluster belongs to.
        """
        if self._any_tags:
            return None
        return next(
            (claim for claim in self._configuration.claimed if claim.may_name(config)), None
        )

    def _not_known(
        self, discovery: Discovery, config: ClusterConfig, claim: Claim
    ) -> dict[str, PusherError]:
        """Return one error for all clusters that an unreadable document may mean."""
        remedy = first_correct(claim, self._configuration.invalid)
        if claim.possible is not None:
            meant = f"{config.cluster} in {config.region}"
            said = f"{claim.source} {claim.fault}, and may refer to {meant}: nothing was sent there"
            return {config.id: CannotBeJudged(said, remedy=remedy)}
        said = (
            f"{claim.source} cannot be read, and may refer to any cluster that {discovery.id}"
            " finds: nothing was sent to these"
        )
        return {
            config.id if config.id in self._narrowing.exact else discovery.every: CannotBeJudged(
                said, remedy=remedy
            )
        }

    def _failed(
        self, discovery: Discovery, region: str, seen: Mapping[_Place, Sightings]
    ) -> dict[str, PusherError]:
        prefix = f"{discovery.id}/{region}/"
        sightings = seen.get(_place(discovery, region))
        if sightings is None or not self._narrowing.may_mean(prefix):
            return {}
        exactly = self._narrowing.exactly(prefix)
        if exactly is not None:
            errors = {name: sightings.failure_of(name) for name in exactly}
            return {prefix + name: error for name, error in errors.items() if error is not None}
        failures = {
            name: error
            for name, error in sightings.failures.items()
            if self._narrowing.wants(prefix + name)
        }
        if sightings.failure is not None:
            return {f"{prefix}*": sightings.failure}
        return {f"{prefix}*": _not_described(failures)} if failures else {}

    def _of_invalid_documents(self) -> dict[str, PusherError]:
        """Return errors for clusters asked for by name whose discovery is invalid.

        It is unknown whether the discovery still means them.
        """
        every = [
            (document_id[:-1], error)
            for document_id, error in self._configuration.invalid.items()
            if document_id.endswith("/*")
        ]
        return {
            name: error
            for name in self._narrowing.exact
            for prefix, error in every
            if name.startswith(prefix)
        }

    def _places(self) -> Iterator[tuple[Discovery, str]]:
        """Return each discovery with its regions, taking one region of each discovery in turn.

        So a discovery whose regions all hang does not keep the others waiting.
        """
        discoveries = self._configuration.discoveries
        rounds = zip_longest(*(discovery.regions for discovery in discoveries))
        return (
            (discovery, region)
            for turn in rounds
            for discovery, region in zip(discoveries, turn, strict=True)
            if region
        )


def _place(discovery: Discovery, region: str) -> _Place:
    return discovery.settings.role_arn, discovery.settings.external_id, region


def _joined(one: Search | None, other: Search) -> Search:
    if one is None:
        return other
    names = one.names | other.names if one.names is not None and other.names is not None else None
    return Search(one.settings, names, lambda name: one.wants(name) or other.wants(name))


def _not_described(failures: Mapping[str, EksError]) -> DiscoveryError:
    """Return the error for clusters that could not be described, so that their tags are unknown."""
    names = sorted(failures)
    first = failures[min(failures)]
    others = (
        f" (and {len(names) - 1} more:"
        f" {', '.join(names[1:SHOWN])}{', ...' if len(names) > SHOWN else ''})"
        if len(names) > 1
        else ""
    )
    return DiscoveryError(
        f"{first.message}{others}, so its tags are unknown; the others were pushed",
        remedy=first.remedy,
    )


def _nothing(discovery: Discovery, not_ready: list[str]) -> EksError:
    tags = ", ".join(f"{key}={value}" for key, value in discovery.tags.items())[:300]
    left_out = (
        f" (left out, being created or deleted: {', '.join(not_ready[:SHOWN])})"
        if not_ready
        else ""
    )
    return DiscoveryError(
        f"no EKS cluster in {', '.join(discovery.regions)[:300]} has the tags {tags}{left_out}",
        remedy=(
            f"Tag a cluster (`aws eks tag-resource --region {discovery.regions[0]} --resource-arn"
            " CLUSTER_ARN --tags KEY=VALUE`), correct regions, tags or roleArn, or delete the"
            " document."
        ),
    )
