"""A plan names what a push, or a removal, would change."""

import base64
import json
from datetime import datetime, timedelta

from tests.support.world import World


def test_a_plan_names_what_a_push_would_change(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a", "b", "c"),
        document="{namespaces: [a, b], takeOwnership: true, prune: true}",
    )
    world.apply("prod", "prune.yaml")
    world.document("prod", "{namespaces: [a, c], prune: true}")
    world.invoke()
    world.foreign_secret("prod", "b")
    world.document("prod", "{namespaces: [a, b, default], takeOwnership: true, prune: true}")
    expected = [
        {"namespace": "b", "outcome": "adopted"},
        {"namespace": "default", "outcome": "created"},
        {"namespace": "c", "outcome": "pruned"},
    ]
    for action in ("plan", "check"):
        report = world.invoke({"action": action})
        assert sorted(report["clusters"][0]["changes"], key=str) == sorted(expected, key=str)
    removal = world.invoke({"action": "plan", "remove": True, "clusters": ["prod"]})
    assert removal["clusters"][0]["changes"] == [
        {"namespace": "a", "outcome": "removed"},
        {"namespace": "c", "outcome": "removed"},
    ]
    assert "changes" not in world.invoke()["clusters"][0]


def test_a_plan_says_what_is_selected_what_is_not_any_more_and_why(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces={"a": {"team": "x"}, "team-a": {}, "team-b": {}, "old": {}},
        document="namespaces: [a, 'team-*', old]",
    )
    world.invoke()
    world.document("prod", "{namespaces: {include: [a, 'team-*', gone], exclude: [team-b]}}")
    (cluster,) = world.invoke({"action": "plan"})["clusters"]
    assert cluster["selection"] == [
        {"namespace": "a", "selected": True, "reason": "name"},
        {"namespace": "gone", "selected": True, "reason": "name"},
        {"namespace": "team-a", "selected": True, "reason": "glob team-*"},
        {"namespace": "old", "selected": False, "reason": "no name or glob matches"},
        {"namespace": "team-b", "selected": False, "reason": "excluded by team-b"},
    ]
    for event in ({}, {"action": "check"}, {"action": "plan", "remove": True, "clusters": ["*"]}):
        assert "selection" not in world.invoke(event)["clusters"][0]
    world.document("prod", "{namespaces: {selector: team=x}}")
    (cluster,) = world.invoke({"action": "plan"})["clusters"]
    assert [(one["namespace"], one["reason"]) for one in cluster["selection"]] == [
        ("a", "selector team=x"),
        ("old", "selector team=x does not match"),
        ("team-a", "selector team=x does not match"),
        ("team-b", "selector team=x does not match"),
    ]


def test_a_plan_sends_a_placeholder_that_ends_as_a_token_would(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert world.invoke({"action": "plan"})["ok"]
    (apply,) = [one for one in list(cluster.requests) if one.method == "PATCH"]
    sent = json.loads(apply.body)
    stamps = [
        datetime.fromisoformat(sent["metadata"]["annotations"][f"ecr-public-pusher/{name}"])
        for name in ("pushed-at", "expires-at")
    ]
    assert abs(stamps[1] - stamps[0] - timedelta(hours=12)) <= timedelta(seconds=1)
    config = json.loads(base64.b64decode(sent["data"][".dockerconfigjson"]))
    assert config["auths"].keys() == {"public.ecr.aws", "ecr-public.aws.com"}
    token = world.aws.ecr_public.issued[-1]
    assert token not in {auth["auth"] for auth in config["auths"].values()}
