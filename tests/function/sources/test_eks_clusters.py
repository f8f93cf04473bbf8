"""The time limit of a search.

The results of one that is cut off, and the search when only some clusters are requested.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ecr_public_pusher.configuration.loader import Configuration, Parameter, load
from ecr_public_pusher.configuration.narrowing import Narrowing
from ecr_public_pusher.sources.discovery import discover
from ecr_public_pusher.sources.eks_clusters import LookUp, Patience, Search, Sightings

DOCUMENT = "{regions: [us-east-1, eu-west-1], tags: {team: web}, namespaces: [a]}"
TAGS = {"team": "web"}


def found(look_up: LookUp, *patterns: str, stalled: float = 5, in_all: float = 5) -> Configuration:
    configuration = load(
        [Parameter("/root/discover/fleet", DOCUMENT)], root="/root", region="us-east-1"
    )
    return asyncio.run(
        discover(
            configuration,
            look_up,
            narrowing=Narrowing(patterns),
            patience=Patience(stalled, in_all),
        )
    )


def answered_after(
    seconds: float, *, thread_after: float = 0
) -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Run a call that has to wait for its thread first."""

    async def call(on_thread: Callable[[], object]) -> None:
        await asyncio.sleep(thread_after)
        on_thread()
        await asyncio.sleep(seconds)

    return call


def one_every(seconds: float, *, count: int, thread_after: float = 0) -> LookUp:
    async def look_up(search: Search, seen: Sightings) -> None:
        for number in range(count if search.settings.region == "us-east-1" else 0):
            await seen.timed(answered_after(seconds, thread_after=thread_after))
            seen.tags[f"c{number}"] = TAGS

    return look_up


def test_a_search_that_makes_progress_may_go_on() -> None:
    configuration = found(one_every(0.05, count=8), stalled=0.2)
    assert (len(configuration.clusters), configuration.invalid) == (8, {})


def test_while_it_waits_for_a_thread_it_has_not_stalled() -> None:
    configuration = found(one_every(0, count=2, thread_after=0.3), stalled=0.1)
    assert (len(configuration.clusters), configuration.invalid) == (2, {})


def test_what_never_got_a_thread_is_distinguished_from_what_did_not_answer() -> None:
    configuration = found(one_every(0, count=1, thread_after=60), in_all=0.1)
    assert (
        "there was no time left to call EKS in us-east-1"
        in configuration.invalid["fleet/us-east-1/*"].message
    )


@pytest.mark.parametrize(("stalled", "in_all"), [(0.3, 5), (5, 0.3)])
def test_what_was_seen_before_the_time_was_up_is_pushed_and_the_rest_is_an_error(
    stalled: float, in_all: float
) -> None:
    async def look_up(search: Search, seen: Sightings) -> None:
        if search.settings.region == "us-east-1":
            seen.tags["one"] = TAGS
            await seen.timed(answered_after(60))

    configuration = found(look_up, stalled=stalled, in_all=in_all)
    assert [config.id for config in configuration.clusters] == ["fleet/us-east-1/one"]
    assert list(configuration.invalid) == ["fleet/us-east-1/*"]
    message = configuration.invalid["fleet/us-east-1/*"].message
    assert "did not respond in time; 1 clusters were found before" in message


def test_a_thousand_are_found_like_one() -> None:
    configuration = found(one_every(0, count=1000))
    assert len({config.id for config in configuration.clusters}) == 1000


@pytest.mark.parametrize(
    ("patterns", "looked"),
    [
        ((), {"us-east-1": None, "eu-west-1": None}),
        (("*",), {"us-east-1": None, "eu-west-1": None}),
        (("fleet/*",), {"us-east-1": None, "eu-west-1": None}),
        (("fleet/*/one",), {"us-east-1": None, "eu-west-1": None}),
        (("fleet/us-*",), {"us-east-1": None}),
        (("fleet/us-east-1/one", "fleet/us-east-1/two"), {"us-east-1": {"one", "two"}}),
        (("fleet/us-east-1/one", "fleet/us-east-1/t*"), {"us-east-1": None}),
        (("fleet/us-east-1/one", "fleet/eu-west-1/*"), {"us-east-1": {"one"}, "eu-west-1": None}),
        (("prod", "fleet2/*", "fleet", "flee/us-east-1/x"), {}),
    ],
)
def test_only_what_is_asked_for_is_looked_up(
    patterns: tuple[str, ...], looked: dict[str, set[str] | None]
) -> None:
    asked: dict[str, frozenset[str] | None] = {}

    async def look_up(search: Search, seen: Sightings) -> None:
        asked[search.settings.region] = search.names

    found(look_up, *patterns)
    assert asked == looked
