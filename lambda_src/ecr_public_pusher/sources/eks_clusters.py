"""The EKS clusters of a region as a role sees them, with their tags, found within a time limit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ecr_public_pusher.aws_api.assumed_role import Caller, Callers
from ecr_public_pusher.aws_api.errors import AWS_ERRORS, call_aws, error_code
from ecr_public_pusher.aws_api.throttling import patiently
from ecr_public_pusher.blocking_calls import DISCOVERY
from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.field_types import CLUSTER_NAME
from ecr_public_pusher.errors import (
    DiscoveryError,
    EksError,
    NotReadyError,
    NotThereError,
    PusherError,
)
from ecr_public_pusher.sign_in.eks import EksSignIn, EndpointCache, unless_eks_refused

DESCRIPTIONS_AT_ONCE = 10  # in each region: EKS's own limits are low
_REMEDY = (
    "The execution role (or roleArn: infra/spoke-role.yaml with Discovery=true) needs"
    " eks:ListClusters; check `regions`."
)


@dataclass(frozen=True)
class Search:
    """One search: a place to look in, and the clusters to look for.

    `settings`: the region, and the role to look as.
    `names`: the clusters to describe; None: those that EKS lists and `wants` accepts.
    """

    settings: ClusterConfig
    names: frozenset[str] | None
    wants: Callable[[str], bool]


@dataclass(frozen=True)
class Patience:
    """Time limits, in seconds, of a search without progress and of all searches.

    Every cluster waits for the searches.
    """

    stalled: float
    in_all: float


class Clock:
    """The timeout of a search that makes no progress.

    Time counts only while one of its calls has a thread. Without one, the search waits for its
    turn, at most until the end of all searches.
    """

    def __init__(self, timeout: asyncio.Timeout, patience: Patience, last: float) -> None:
        self._timeout = timeout
        self._patience = patience
        self._last = last
        self._on_threads = 0

    @property
    def waits(self) -> bool:
        """Return whether none of its calls has a thread."""
        return not self._on_threads

    def begin(self) -> None:
        """Count a call that got its thread."""
        self._on_threads += 1
        self._restart()

    def end(self) -> None:
        """Count a call that succeeded or failed."""
        self._on_threads -= 1
        self._restart()

    def _restart(self) -> None:
        soon = asyncio.get_running_loop().time() + self._patience.stalled
        if not self._timeout.expired():
            self._timeout.reschedule(min(soon, self._last) if self._on_threads else self._last)


@dataclass
class Sightings:
    """The results of a search so far.

    `tags`: each cluster's tags.
    `failures`: the errors of clusters that could not be described.
    `failure`: the error of the search as a whole.
    `not_ready`: the tags of clusters that are being created or deleted, or whose creation failed;
    None where EKS's response had none.
    """

    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    not_ready: dict[str, Mapping[str, str] | None] = field(default_factory=dict)
    failures: dict[str, EksError] = field(default_factory=dict)
    failure: PusherError | None = None
    clock: Clock | None = None

    def failure_of(self, name: str) -> PusherError | None:
        """Return the error that leaves a cluster's existence or tags unknown; else None."""
        return None if name in self.tags else self.failures.get(name) or self.failure

    async def timed[T](self, call: Callable[[Callable[[], object]], Awaitable[T]]) -> T:
        """Return the result of `call(on_thread)`.

        The search's time counts from when the call gets its thread until it ends.
        """
        clock = self.clock
        began = False

        def on_thread() -> None:
            nonlocal began
            if clock and not began:
                began = True
                clock.begin()

        try:
            return await call(on_thread)
        except asyncio.CancelledError:
            began = False  # the call still occupies its thread
            raise
        finally:
            if clock and began:
                clock.end()


# Fills the sightings by calls through `timed`; raises PusherError.
type LookUp = Callable[[Search, Sightings], Awaitable[None]]


async def run_search(search: Search, look_up: LookUp, patience: Patience, last: float) -> Sightings:
    """Return what a search saw until it ended, failed, or ran out of time."""
    seen = Sightings()
    try:
        async with asyncio.timeout_at(last) as timeout:
            seen.clock = Clock(timeout, patience, last)
            await look_up(search, seen)
    except PusherError as error:
        seen.failure = error
    except TimeoutError:
        seen.failure = _not_in_time(search, seen)
    return seen


def _not_in_time(search: Search, seen: Sightings) -> DiscoveryError:
    region = search.settings.region
    until = f"{len(seen.tags)} clusters were found before"
    if seen.clock is None or seen.clock.waits:
        return DiscoveryError(
            f"there was no time left to call EKS in {region}, since too many other calls did not"
            f" return; {until}",
            remedy=(
                "The clusters that were found were pushed; the rest is retried. If it persists, see"
                " the regions that did not respond in time, or raise Timeout."
            ),
        )
    return DiscoveryError(
        f"EKS in {region} (or the role to assume) did not respond in time; {until}",
        remedy=(
            "The clusters that were found were pushed; the rest is retried. If it persists, check"
            " `regions`; from a VPC, make sure that EKS there can be reached."
        ),
    )


class EksDirectory:
    """The clusters that EKS has in a region, with their tags.

    `fresh`: ask EKS about each cluster now, without the answers of the last hour.
    """

    def __init__(self, callers: Callers, endpoints: EndpointCache, *, fresh: bool) -> None:
        self._callers = callers
        self._endpoints = endpoints
        self._fresh = fresh

    async def look_up(self, search: Search, seen: Sightings) -> None:
        """Fill `seen` with the clusters that the role sees and that can be pushed to.

        Those that are being created or deleted are noted apart, as not ready. Raise DiscoveryError,
        RoleError, SignInError.
        """
        settings = search.settings
        names = search.names

        async def assumed(on_thread: Callable[[], object]) -> Caller:
            on_thread()  # STS has threads of its own
            return await self._callers.caller(settings.role_arn, settings.external_id)

        caller = await seen.timed(assumed)
        if names is None:
            client = self._callers.clients.client("eks", settings.region)
            listed = await seen.timed(self._run(lambda: list_clusters(client, **caller.signature)))
            names = frozenset(name for name in listed if search.wants(name))

        async def describe_one(name: str) -> None:
            sign_in = EksSignIn(replace(settings, cluster=name), self._callers, self._endpoints)
            try:
                remembered = None if self._fresh else sign_in.remembered()
                endpoint = remembered or await sign_in.ask(lambda call: seen.timed(self._run(call)))
                (seen.tags if endpoint.is_ready else seen.not_ready)[name] = endpoint.tags
            except NotReadyError:
                seen.not_ready[name] = None
            except NotThereError:
                pass
            except EksError as error:
                seen.failures[name] = error

        await run_concurrently(sorted(names), describe_one, width=DESCRIPTIONS_AT_ONCE)

    def _run[T](self, call: Callable[[], T]) -> Callable[[Callable[[], object]], Awaitable[T]]:
        return lambda on_thread: self._callers.blocking.run(
            call, service=DISCOVERY, on_thread=on_thread
        )


def list_clusters(client: Any, **signature: Any) -> list[str]:
    """Return the names of all clusters in the client's region. Raise DiscoveryError."""
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        try:
            page = patiently(partial(client.list_clusters, **token, **signature))
            names += call_aws(partial(_cluster_names, page))
        except AWS_ERRORS as error:
            raise DiscoveryError(
                f"EKS did not list the clusters in {client.meta.region_name}: {error_code(error)}",
                remedy=unless_eks_refused(error, client) or _REMEDY,
            ) from None
        if not page.get("nextToken"):
            return names
        token = {"nextToken": page["nextToken"]}


def _cluster_names(page: dict[str, Any]) -> list[str]:
    return [CLUSTER_NAME.check(name) for name in page["clusters"]]
