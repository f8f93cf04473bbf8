"""The configuration as read from Parameter Store: few calls, retries, each document separately."""

import json
from collections.abc import Callable

import pytest

from infra.local.aws import Answer, AwsRequest
from tests.support.reports import entry
from tests.support.world import World


def test_a_document_nested_a_thousand_deep_fails_only_itself(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("deep", "namespaces: " + "[" * 1000 + "]" * 1000)
    world.document("deeper", "namespaces:\n- " + "- " * 1500 + "a")
    report = world.invoke()
    assert entry(report, "prod")["ok"]
    assert [entry(report, name)["error"]["type"] for name in ("deep", "deeper")] == [
        "InvalidDocument",
        "InvalidDocument",
    ]


def test_nulls_select_and_prune_nothing_by_themselves(world: World) -> None:
    """Terraform's optional() attributes are written so."""
    world.add_cluster(
        "prod", namespaces=("team-a", "team-b"), document="{namespaces: ['team-*'], prune: true}"
    )
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document(
        "prod",
        '{"namespaces": {"include": ["team-*"], "exclude": null, "selector": null}, "prune": true,'
        ' "roleArn": null}',
    )
    report = world.invoke()
    assert (report["ok"], entry(report, "prod")["counts"]) == (True, {"updated": 2})


def test_secure_documents_are_read_ten_at_a_time(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    for number in range(23):
        world.document(
            f"d{number:02}",
            f"{{cluster: prod, namespaces: [a], secretName: s{number}, enabled: false}}",
            secure=True,
        )
    assert world.invoke()["totals"]["skipped"] == 23
    assert len(world.aws.called("ssm", "GetParameters")) == 3


def test_of_ten_secure_documents_only_the_one_that_may_not_be_decrypted_fails(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    for number in range(10):
        world.document(
            f"d{number}",
            f"{{cluster: prod, namespaces: [a], secretName: s{number}, enabled: false}}",
            secure=True,
        )

    def locked(request: AwsRequest) -> Answer | None:
        denied = "/ecr-public-pusher/clusters/d3" in request.parameters["Names"].split(",")
        return Answer.refusal(request, "AccessDeniedException", "kms:Decrypt") if denied else None

    world.aws.script("ssm", "GetParameters", locked)
    report = world.invoke()
    assert [cluster["id"] for cluster in report["clusters"] if not cluster["ok"]] == ["d3"]
    assert len(world.aws.called("ssm", "GetParameters")) == 11


def test_a_throttled_parameter_store_is_waited_for(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script(
        "ssm",
        "GetParametersByPath",
        lambda request: Answer.refusal(request, "ThrottlingException", "Rate exceeded"),
        times=4,
    )
    assert world.invoke()["ok"]


NO_ANSWER = Answer(0, b"")


def refused(code: str, status: int) -> Callable[[AwsRequest], Answer]:
    return lambda request: Answer.refusal(request, code, "", status=status)


def sealed(world: World, count: int) -> list[str]:
    """Add this many SecureStrings, and return their ids."""
    ids = [f"d{number:02}" for number in range(count)]
    for identity in ids:
        world.document(identity, "{cluster: prod, namespaces: [a], enabled: false}", secure=True)
    return ids


def test_without_an_answer_every_secure_document_is_unread_and_the_others_are_pushed(
    world: World,
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    ids = sealed(world, 13)
    world.aws.script("ssm", "GetParameters", NO_ANSWER)
    report = world.invoke()
    errors = [entry(report, identity)["error"] for identity in ids]
    names = [f"/ecr-public-pusher/clusters/{identity}" for identity in ids]
    said = [f"{name}: the SecureString could not be read: ConnectionClosedError" for name in names]
    assert [error["message"] for error in errors] == said
    assert [error["remedy"] for error in errors if "kms:Decrypt" in error["remedy"]] == []
    assert entry(report, "prod")["ok"]
    assert {call.parameters["Names"] for call in world.aws.called("ssm", "GetParameters")} == {
        ",".join(names[:10])
    }


def test_a_fault_at_one_of_ten_is_not_taken_for_a_refusal(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    ids = sealed(world, 3)

    def unwell(request: AwsRequest) -> Answer | None:
        struck = "/ecr-public-pusher/clusters/d01" in request.parameters["Names"].split(",")
        return Answer.refusal(request, "InternalServerError", "", status=500) if struck else None

    world.aws.script("ssm", "GetParameters", unwell)
    report = world.invoke()
    assert [identity for identity in ids if not entry(report, identity)["ok"]] == ["d01"]
    assert "is unavailable" in entry(report, "d01")["error"]["remedy"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (NO_ANSWER, "could not be read: ConnectionClosedError"),
        (refused("InternalServerError", 500), "could not be read: InternalServerError"),
        (refused("AccessDeniedException", 400), "cannot be decrypted: AccessDeniedException"),
    ],
    ids=["no answer", "unwell", "refused"],
)
def test_a_sweep_reports_what_it_could_not_read(
    world: World, answer: Answer | Callable[[AwsRequest], Answer], said: str
) -> None:
    """It cannot look after that cluster, and a document that is invalid is a push's to report."""
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("wrong", "namespaces: [")
    (identity,) = sealed(world, 1)
    world.aws.script("ssm", "GetParameters", answer)
    report = world.invoke({"action": "sweep"})
    assert [one["id"] for one in report["clusters"] if not one["ok"]] == [identity]
    error = entry(report, identity)["error"]
    assert (error["type"], said in error["message"]) == ("InvalidDocument", True), error


def test_a_secure_document_that_went_meanwhile_is_not_sent_to_its_key(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    (identity,) = sealed(world, 1)
    name = f"/ecr-public-pusher/clusters/{identity}"
    gone = json.dumps({"Parameters": [], "InvalidParameters": [name]}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    world.aws.script("ssm", "GetParameters", Answer(200, gone, headers))
    error = entry(world.invoke(), identity)["error"]
    assert error["message"] == f"{name}: the SecureString was listed, but no longer exists"
    assert "kms" not in error["remedy"]


def test_a_list_without_an_answer_is_not_blamed_on_permissions(world: World) -> None:
    world.aws.script("ssm", "GetParametersByPath", NO_ANSWER)
    error = world.invoke()["error"]
    assert (error["type"], "ConnectionClosedError" in error["message"]) == (
        "ConfigurationError",
        True,
    )
    assert "ssm:GetParametersByPath" not in error["remedy"]
