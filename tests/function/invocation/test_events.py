"""Events as they reach the function.

Refused ones, and those of Parameter Store about deleted documents.
"""

from typing import Any

import pytest

from tests.support.world import World


@pytest.mark.parametrize(
    ("event", "said", "action"),
    [
        ({"action": "psh"}, 'unknown action "psh" (did you mean push?)', "psh"),
        ({"action": "remove"}, "a removal needs", "remove"),
        (
            {"action": "push", "cluster": ["a"]},
            "unknown field cluster of push (did you mean clusters?)",
            "push",
        ),
        (
            {"action": "sweep", "window": 5},
            "unknown field window of sweep (did you mean windowMinutes?)",
            "sweep",
        ),
        ({"action": 7}, '"action" must be a string', "unknown"),
        ({"action": ["x"] * 10}, '"action" must be a string', "unknown"),
    ],
)
def test_a_refused_event_is_reported_under_the_action_it_asked_for(
    world: World, event: dict[str, Any], said: str, action: str
) -> None:
    report = world.invoke(event)
    assert (report["action"], report["error"]["type"]) == (action, "RequestError")
    assert said in report["error"]["message"]


def test_an_event_nested_a_thousand_deep_is_refused(world: World) -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert world.invoke({"action": deep})["error"]["type"] == "RequestError"
    assert world.invoke({"clusters": deep})["error"]["type"] == "RequestError"


@pytest.mark.parametrize("last", [False, True])
def test_a_deleted_document_is_not_ok_and_counted(
    world: World, last: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    if not last:
        world.document("other", "{cluster: prod, namespaces: [a], secretName: other}")
    world.aws.delete_parameter("/ecr-public-pusher/clusters/prod")
    detail = {"operation": "Delete", "name": "/ecr-public-pusher/clusters/prod", "type": "String"}
    capsys.readouterr()
    report = world.call(
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    )
    assert (report["ok"], report["deleted"]["id"]) == (False, "prod")
    assert '"DocumentsDeleted":[1.0]' in capsys.readouterr().out.replace(" ", "")


@pytest.mark.parametrize("operation", ["Create", "Update"])
def test_a_change_event_of_a_document_that_is_gone_meanwhile_asks_for_nothing(
    world: World, operation: str
) -> None:
    """Events may arrive late, and out of order: the deletion has one of its own."""
    world.document("other", "namespaces: [a]")
    detail = {"operation": operation, "name": "/ecr-public-pusher/clusters/prod", "type": "String"}
    report = world.call(
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    )
    assert (report["ok"], report["gone"], report["clusters"]) == (True, ["prod"], [])


def test_deleting_a_stray_parameter_is_what_its_alarm_asked_for(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    detail = {"operation": "Delete", "name": "/ecr-public-pusher/cluster/typo", "type": "String"}
    capsys.readouterr()
    report = world.call(
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    )
    assert report["ok"]
    assert "UnknownParameters" not in capsys.readouterr().out
