"""Discovery: which EKS clusters a document's tags mean, in all of its regions. Clusters that a document of their own names are left to that."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.loader import Configuration, Discovery
from ecr_public_pusher.errors import DiscoveryError, EksError, PusherError

# (the discovery's settings in one region) -> each cluster there, with its tags. Raises PusherError.
type LookUp = Callable[[ClusterConfig], Awaitable[Mapping[str, Mapping[str, str]]]]


async def discover(configuration: Configuration, look_up: LookUp, *, seconds: float) -> Configuration:
    """The configuration with the clusters that its discoveries find, each region within `seconds`, and what failed in place of those.

    A region that cannot be looked into fails as `<id>/<region>/*`, a discovery that finds nothing as `<id>/*`: never as nothing to do.
    """
    places = [(discovery, region) for discovery in configuration.discoveries for region in discovery.regions]
    answers = await asyncio.gather(*(_look(discovery, region, look_up, seconds) for discovery, region in places))
    taken = {config.target for config in configuration.clusters}
    found: list[ClusterConfig] = []
    invalid = dict(configuration.invalid)
    for discovery in configuration.discoveries:
        theirs = [(region, answer) for (one, region), answer in zip(places, answers, strict=True) if one is discovery]
        failed = {f"{discovery.id}/{region}/*": answer for region, answer in theirs if isinstance(answer, PusherError)}
        matching = [discovery.cluster(region, name) for region, names in theirs if not isinstance(names, PusherError) for name in names]
        if not matching and not failed:
            invalid[discovery.every] = _nothing(discovery)
        invalid |= failed
        found += (config for config in matching if config.target not in taken)
    return replace(configuration, clusters=(*configuration.clusters, *found), invalid=invalid, discoveries=())


def wanted(discoveries: Iterable[Discovery], patterns: Sequence[str]) -> tuple[Discovery, ...]:
    """Those whose clusters the patterns of a request may mean: it need not be looked for the others'."""
    return tuple(one for one in discoveries if not patterns or any(_may_mean(pattern, one) for pattern in patterns))


def _may_mean(pattern: str, discovery: Discovery) -> bool:
    literal = pattern[: next((place for place, character in enumerate(pattern) if character in "*?["), len(pattern))]
    prefix = f"{discovery.id}/"
    return literal.startswith(prefix) or (literal != pattern and prefix.startswith(literal))


async def _look(discovery: Discovery, region: str, look_up: LookUp, seconds: float) -> Sequence[str] | PusherError:
    try:
        async with asyncio.timeout(seconds):
            there = await look_up(replace(discovery.settings, region=region))
    except PusherError as error:
        return error
    except TimeoutError:
        return DiscoveryError(
            f"EKS in {region} (or the role to assume) did not answer within {seconds:.0f} seconds",
            remedy="The others were pushed, and this is tried again. If it lasts: check `regions`; from a VPC, see that EKS there is reached.",
        )
    return sorted(name for name, tags in there.items() if discovery.holds(tags))


def _nothing(discovery: Discovery) -> EksError:
    tags = ", ".join(f"{key}={value}" for key, value in discovery.tags.items())[:300]
    return DiscoveryError(
        f"no EKS cluster in {', '.join(discovery.regions)[:300]} bears the tags {tags}",
        remedy="Tag a cluster (aws eks tag-resource), correct regions, tags or roleArn, or delete the document.",
    )
