"""The configuration as it is read of Parameter Store: few calls, patience, and each document by itself."""

from typing import Any

from infra.local.aws import Answer, AwsRequest
from tests.support.world import World


def entry(report: dict[str, Any], identity: str) -> dict[str, Any]:
    return next(cluster for cluster in report["clusters"] if cluster["id"] == identity)


def test_a_document_nested_a_thousand_deep_fails_alone(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("deep", "namespaces: " + "[" * 1000 + "]" * 1000)
    world.document("deeper", "namespaces:\n- " + "- " * 1500 + "a")
    report = world.invoke()
    assert entry(report, "prod")["ok"]
    assert [entry(report, name)["error"]["type"] for name in ("deep", "deeper")] == ["InvalidDocument", "InvalidDocument"]


def test_nulls_select_and_prune_nothing_by_themselves(world: World) -> None:
    """As Terraform's optional() attributes write them."""
    world.add_cluster("prod", namespaces=("team-a", "team-b"), document="{namespaces: ['team-*'], prune: true}")
    world.apply("prod", "prune.yaml")
    world.invoke()
    world.document("prod", '{"namespaces": {"include": ["team-*"], "exclude": null, "selector": null}, "prune": true, "roleArn": null}')
    report = world.invoke()
    assert (report["ok"], entry(report, "prod")["counts"]) == (True, {"updated": 2})


def test_secure_documents_are_read_ten_at_a_time(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    for number in range(23):
        world.document(f"d{number:02}", f"{{cluster: prod, namespaces: [a], secretName: s{number}, enabled: false}}", secure=True)
    assert world.invoke()["totals"]["skipped"] == 23
    assert len(world.aws.called("ssm", "GetParameters")) == 3


def test_of_ten_secure_documents_only_the_one_that_may_not_be_decrypted_fails(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",))
    for number in range(10):
        world.document(f"d{number}", f"{{cluster: prod, namespaces: [a], secretName: s{number}, enabled: false}}", secure=True)

    def locked(request: AwsRequest) -> Answer | None:
        denied = "/ecr-public-pusher/clusters/d3" in request.parameters["Names"].split(",")
        return Answer.refusal(request, "AccessDeniedException", "kms:Decrypt") if denied else None

    world.aws.script("ssm", "GetParameters", locked)
    report = world.invoke()
    assert [cluster["id"] for cluster in report["clusters"] if not cluster["ok"]] == ["d3"]
    assert len(world.aws.called("ssm", "GetParameters")) == 11


def test_a_throttled_parameter_store_is_waited_for(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script("ssm", "GetParametersByPath", lambda request: Answer.refusal(request, "ThrottlingException", "Rate exceeded"), times=4)
    assert world.invoke()["ok"]
