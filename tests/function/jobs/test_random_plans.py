"""A plan of a random estate, held against what a push then does to the embedded API server."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecr_public_pusher.jobs.secret_manifest import OWNER
from infra.local.kube import EmbeddedCluster
from infra.local.kube.kinds import NAMESPACES, SECRETS
from tests.support.estates import FLAGS, SELECTIONS, examples
from tests.support.secrets import put_ours
from tests.support.world import ROOT, World, world_of_process

DOCUMENTS = ("first", "second")
PLACES = ("a", "b", "team-a", "team-b", "web")
CHANGES = ("created", "adopted", "pruned")
TEXTS = st.fixed_dictionaries(
    {"namespaces": SELECTIONS},
    optional={
        "prune": FLAGS,
        "takeOwnership": FLAGS,
        "allowEmpty": FLAGS,
        "enabled": st.sampled_from((True, True, False)),
    },
).map(lambda fields: json.dumps({"cluster": "main", **fields}))
ESTATES = st.fixed_dictionaries({"first": TEXTS}, optional={"second": TEXTS})
# In a namespace: nothing, somebody else's Secret, or a document's with so many hours to live.
HELD = st.one_of(
    st.none(),
    st.just(("", 0)),
    st.tuples(st.sampled_from((*DOCUMENTS, "first", "gone")), st.sampled_from((11, 2, -1))),
)
CONTENTS = st.fixed_dictionaries(dict.fromkeys(PLACES, HELD))
EVENTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    (
        {},
        {},
        {},
        {"clusters": ["first"]},
        {"namespaces": ["a", "team-*"]},
        {"clusters": ["*"], "prune": "all"},
    )
)


# A push creates, takes over, renews, adopts and prunes one each.
EACH_CHANGE = (
    {
        "first": '{"cluster": "main", "namespaces": ["a", "b", "team-*"], "prune": true,'
        ' "takeOwnership": true}'
    },
    {
        "a": None,
        "b": ("", 0),
        "team-a": ("first", 11),
        "team-b": ("gone", 2),
        "web": ("first", 2),
    },
    dict[str, Any](),
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Return one cluster, which each example fills anew."""
    with pytest.MonkeyPatch.context() as patch, world_of_process(patch) as made:
        made.add_cluster("main", namespaces={one: {"team": "web"} for one in PLACES}, embedded=True)
        made.apply("main", "prune.yaml")
        yield made


def fill(world: World, documents: dict[str, str], contents: dict[str, Any]) -> EmbeddedCluster:
    cluster = world.clusters["main"]
    assert isinstance(cluster, EmbeddedCluster)
    for name in DOCUMENTS:
        world.aws.delete_parameter(f"{ROOT}/clusters/{name}")
    for name, text in documents.items():
        world.document(name, text)
    for one in cluster.store.values(SECRETS):
        cluster.store.delete(SECRETS, one["metadata"]["namespace"], one["metadata"]["name"])
    for namespace, held in contents.items():
        if held is None:
            continue
        document, hours = held
        if document:
            config = json.dumps({"auths": {"public.ecr.aws": {"auth": "QVdTOngK"}}})
            put_ours(cluster, namespace, document, hours_left=hours, config=config)
        else:
            world.foreign_secret("main", namespace, manager="helm")
    return cluster


def owners(cluster: EmbeddedCluster) -> dict[str, str | None]:
    """Return whose Secret is in each namespace that has one: a document's, or None."""
    return {
        one["metadata"]["namespace"]: one["metadata"].get("annotations", {}).get(OWNER)
        for one in cluster.store.values(SECRETS)
    }


def changed(before: dict[str, str | None], after: dict[str, str | None]) -> set[tuple[str, str]]:
    """Return each namespace whose Secret a push created, took over or deleted, and which."""
    return {
        *((name, "created") for name in after.keys() - before.keys()),
        *((name, "pruned") for name in before.keys() - after.keys()),
        *((name, "adopted") for name in after.keys() & before if after[name] != before[name]),
    }


def everything(cluster: EmbeddedCluster) -> Any:
    return copy.deepcopy([list(cluster.store.values(kind)) for kind in (NAMESPACES, SECRETS)])


def in_common(report: dict[str, Any]) -> dict[str, Any]:
    """Return what plan and push must have in common, by cluster."""
    return {
        one["id"]: (
            one["ok"],
            one["counts"],
            one["error"] and one["error"]["type"],
            sorted((each["namespace"], each["outcome"]) for each in one["problems"]),
        )
        for one in report["clusters"]
    }


@given(ESTATES, CONTENTS, EVENTS)
@example(*EACH_CHANGE)
@examples(12)
def test_a_push_does_what_its_plan_says_and_the_plan_writes_nothing(
    world: World, documents: dict[str, str], contents: dict[str, Any], event: dict[str, Any]
) -> None:
    cluster = fill(world, documents, contents)
    before = owners(cluster)
    untouched = everything(cluster)
    plan = world.run({"action": "plan", **event})
    assert everything(cluster) == untouched
    push = world.run({"action": "push", **event})
    said = [
        (change["namespace"], change["outcome"])
        for one in plan["clusters"]
        for change in one.get("changes", [])
    ]
    assert len(said) == len(set(said))
    assert set(said) == changed(before, owners(cluster))
    assert in_common(plan) == in_common(push)
    assert plan["totals"] == push["totals"]
