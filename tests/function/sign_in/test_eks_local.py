"""EKS clusters that are local to an Outpost: the token is for their id, and aws-auth admits."""

import pytest

from tests.support.reports import cluster_of, findings
from tests.support.world import ACCOUNT, EXECUTION_ROLE, GROUP, World

LOCAL_ID = "11111111-2222-3333-4444-555555555555"
OTHER = "arn:aws:iam::111122223333:role/another"
MAPPING = f"- rolearn: {EXECUTION_ROLE}\n  username: ecr-public-pusher\n  groups:\n  - {GROUP}"
EDIT = (
    f"kubectl --context arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod edit configmap aws-auth -n"
    " kube-system"
)


def local(world: World, *, local_id: str = LOCAL_ID, principal: str = EXECUTION_ROLE) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a",),
        document="namespaces: [a]",
        local_id=local_id,
        principal=principal,
    )


def test_it_is_pushed_to_with_a_token_for_its_id(world: World) -> None:
    local(world)
    assert world.run()["ok"]
    assert world.token("prod", "a")


def test_its_id_is_remembered_with_its_endpoint(world: World) -> None:
    local(world)
    assert [world.run()["ok"] for _ in range(2)] == [True, True]
    assert len(world.aws.called("eks", "DescribeCluster")) == 1


def test_a_check_passes_and_shows_the_id(world: World) -> None:
    local(world)
    report = world.run({"action": "check"})
    assert report["ok"]
    assert f", local cluster {LOCAL_ID}" in findings(report, "prod")["eks"]["message"]


def test_one_that_is_found_by_tag_is_pushed_to(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), local_id=LOCAL_ID, tags={"team": "a"})
    world.discovery("fleet", "{regions: [us-east-1], tags: {team: a}, namespaces: [a]}")
    assert world.run()["ok"]


@pytest.mark.parametrize("action", ["push", "check"])
def test_where_it_does_not_admit_the_role_the_remedy_is_aws_auth(world: World, action: str) -> None:
    local(world, principal=OTHER)
    report = world.run({"action": action})
    found = (
        findings(report, "prod")["sign-in"]
        if action == "check"
        else cluster_of(report, "prod")["error"]
    )
    assert f"(`{EDIT}`)" in found["remedy"]
    assert found["remedy"].endswith(f"\n{MAPPING}")
    assert "access-entry" not in found["remedy"]


@pytest.mark.parametrize(("mode", "entries"), [("", False), ("CONFIG_MAP", False), ("API", True)])
def test_access_entries_are_the_remedy_only_where_eks_says_so(
    world: World, mode: str, entries: bool
) -> None:
    """A local cluster goes by aws-auth where EKS names no mode."""
    local(world, principal=OTHER)
    cluster = world.clusters["prod"]
    world.aws.put_cluster(ACCOUNT, "us-east-1", cluster, local_as="prod", authentication_mode=mode)
    remedy = cluster_of(world.run(), "prod")["error"]["remedy"]
    assert ("access-entry" in remedy, "aws-auth" in remedy) == (entries, not entries)


def test_aws_auth_knows_a_role_without_its_path(world: World) -> None:
    local(world, principal=OTHER)
    world.environ["EXECUTION_ROLE_ARN"] = EXECUTION_ROLE.replace("role/", "role/some/path/")
    assert cluster_of(world.run(), "prod")["error"]["remedy"].endswith(f"\n{MAPPING}")


@pytest.mark.parametrize("local_id", ["a b", "x" * 101, "a\nb", "`id`"])
def test_an_id_of_another_form_is_not_signed(world: World, local_id: str) -> None:
    local(world)
    cluster = world.clusters["prod"]
    cluster.name = local_id
    world.aws.put_cluster(ACCOUNT, "us-east-1", cluster, local_as="prod")
    before = len(cluster.requests)
    error = cluster_of(world.run(), "prod")["error"]
    assert (error["type"], len(cluster.requests)) == ("EksError", before)
    assert error["message"] == "EKS returned no usable id for the local cluster prod in us-east-1"
