"""Ownership of a Secret.

By label, owner and field manager, and only as long as our apply holds the data.
"""

import base64
import json
from typing import Any

import pytest

from ecr_public_pusher.ownership import MAX_MANAGER_BYTES, Stack
from tests.support.world import ACCOUNT, SECRET, STACK, World

PATH = f"/api/v1/namespaces/a/secrets/{SECRET}"
APPLY = "application/apply-patch+yaml"
REMOVE = {"action": "remove", "clusters": ["prod"]}


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a]")
    world.apply("prod", "prune.yaml")
    return world


def applied_by(world: World, manager: str, field: str = "stringData") -> None:
    """Apply another tool's own credential."""
    config = '{"auths": {"somewhere": {"auth": "eDp5"}}}'
    value = config if field == "stringData" else base64.b64encode(config.encode()).decode()
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET},
        "type": "kubernetes.io/dockerconfigjson",
    }
    status, _ = world.clusters["prod"].admin(
        "PATCH",
        f"{PATH}?fieldManager={manager}",
        {**body, field: {".dockerconfigjson": value}},
        content_type=APPLY,
    )
    assert status == 201, status


def auths(world: World) -> dict[str, Any]:
    secret = world.secret("prod", "a")
    assert secret is not None
    return dict(json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"])


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_what_another_manager_applied_is_a_conflict_however_it_applied_it(
    prod: World, field: str
) -> None:
    applied_by(prod, "flux", field)
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert (problem["outcome"], problem["message"]) == (
        "conflict",
        "the Secret ecr-public-token is managed by flux",
    )
    assert list(auths(prod)) == ["somewhere"]


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_it_is_adopted_where_that_is_asked_for_and_then_updated(prod: World, field: str) -> None:
    applied_by(prod, "flux", field)
    prod.document("prod", "{namespaces: [a], takeOwnership: true}")
    assert prod.invoke()["clusters"][0]["adopted"] == [{"namespace": "a", "from": ["flux"]}]
    assert prod.invoke()["totals"]["updated"] == 1
    assert "public.ecr.aws" in auths(prod)


@pytest.mark.parametrize(
    "other",
    [
        Stack("111122223333", "eu-west-1", STACK.name),
        Stack("444455556666", "us-east-1", STACK.name),
        Stack("111122223333", "us-east-1", "b"),
    ],
)
def test_another_stack_is_not_us(
    prod: World, other: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conflict names the first stack.

    The second neither removes nor prunes what the first wrote.
    """
    prod.invoke()
    first = auths(prod)
    with monkeypatch.context() as patched:
        become(patched, other)
        prod.document("prod", "namespaces: [a]")
        (problem,) = prod.invoke()["clusters"][0]["problems"]
        assert (problem["outcome"], problem["message"]) == (
            "conflict",
            f"the Secret {SECRET} is managed by {STACK.field_manager}",
        )
        assert prod.invoke(REMOVE)["clusters"][0]["counts"] == {}
        prod.document("prod", "{namespaces: [a], takeOwnership: true}")
        assert prod.invoke()["clusters"][0]["adopted"] == [
            {"namespace": "a", "from": [STACK.field_manager]}
        ]
    assert auths(prod) != first
    (problem,) = prod.invoke()["clusters"][0].get("problems") or [{"message": "adopted back"}]
    assert problem["message"] == "adopted back"


def become(patched: pytest.MonkeyPatch, stack: Stack) -> None:
    """Become the function of another deployment, with the same documents and the same role.

    Only its name differs.
    """
    patched.setattr(
        "ecr_public_pusher.invocation.settings.Settings.identity", property(lambda _: stack)
    )


def test_a_name_too_long_for_the_api_server_is_cut_and_still_its_own() -> None:
    stacks = [Stack("111122223333", "ap-southeast-1", "s" * 127 + end) for end in "ab"]
    names = {stack.field_manager for stack in stacks}
    assert len(names) == 2
    assert {len(name.encode()) for name in names} == {MAX_MANAGER_BYTES}
    assert (
        Stack("111122223333", "us-east-1", "pusher").field_manager
        == "ecr-public-pusher/111122223333/us-east-1/pusher"
    )


@pytest.mark.parametrize(
    ("event", "outcome"),
    [(REMOVE, "conflict"), ({"action": "push", "clusters": ["prod"], "prune": "all"}, "skipped")],
)
def test_a_secret_whose_data_somebody_wrote_since_is_not_deleted_and_that_is_reported(
    prod: World, event: dict[str, Any], outcome: str
) -> None:
    """It still has our label and annotations, so a removal that leaves it is not complete."""
    prod.invoke()
    edited = {
        "data": {".dockerconfigjson": base64.b64encode(b'{"auths": {"by-hand": {}}}').decode()}
    }
    status, _ = prod.clusters["prod"].admin(
        "PATCH",
        f"{PATH}?fieldManager=kubectl-edit",
        edited,
        content_type="application/merge-patch+json",
    )
    assert status == 200
    prod.document("prod", "{namespaces: [b], prune: true}")
    report = prod.invoke(event)
    assert report["ok"] is (outcome == "skipped")
    assert report["clusters"][0]["counts"].get(outcome) == 1
    assert list(auths(prod)) == ["by-hand"]


def test_a_secret_that_waits_for_a_finalizer_is_reported_to_wait(prod: World) -> None:
    prod.invoke()
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    prod.clusters["prod"].admin(
        "PATCH", f"{PATH}?fieldManager=holder", held, content_type="application/merge-patch+json"
    )
    for _ in range(2):
        (problem,) = prod.invoke(REMOVE)["clusters"][0]["problems"]
        assert problem["outcome"] == "failed"
        assert "waits for finalizers set by others: example.com/hold" in problem["message"]
        assert (
            f"kubectl --context arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod -n a patch secret"
            in problem["remedy"]
        )
    free = {"metadata": {"finalizers": None}}
    prod.clusters["prod"].admin(
        "PATCH", f"{PATH}?fieldManager=holder", free, content_type="application/merge-patch+json"
    )
    assert prod.secret("prod", "a") is None
    assert prod.invoke(REMOVE)["ok"]
