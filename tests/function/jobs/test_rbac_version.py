"""A check reports when the infra/rbac in a cluster is older than this release needs."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.jobs import rbac_version as rbac_versions
from ecr_public_pusher.jobs.rbac_version import RBAC_VERSION, rbac_version
from ecr_public_pusher.jobs.required_permissions import required_permissions
from ecr_public_pusher.kubernetes_api.access_reviews import Right
from ecr_public_pusher.results import Check, Finding
from tests.support.world import ACCOUNT, RBAC, World

KUBECTL = f"kubectl --context arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod"
EVERYTHING = "{namespaces: ['?'], prune: true, serviceAccounts: ['*']}"
FILES = ("cluster.yaml", "prune.yaml", "service-accounts.yaml")


def finding(world: World) -> dict[str, Any] | None:
    report = world.run({"action": "check"})
    return next(
        (dict(one) for one in report["clusters"][0]["findings"] if one["check"] == "rbac"), None
    )


def apply(world: World, file: str, *, marks: Sequence[str] | None = None) -> None:
    """Apply a file of infra/rbac; `marks`: with these in place of its own."""
    objects = list(yaml.safe_load_all((RBAC / file).read_text()))
    for role in (one for one in objects if marks is not None and one["kind"] == "ClusterRole"):
        rules = [rule for rule in role["rules"] if rule["apiGroups"] != ["ecr-public-pusher"]]
        own = [
            {
                "apiGroups": ["ecr-public-pusher"],
                "resources": ["rbac"],
                "resourceNames": list(marks or ()),
                "verbs": ["get"],
            }
        ]
        role["rules"] = rules + (own if marks else [])
    world.clusters["prod"].apply(*objects)


def test_rbac_as_this_release_has_it_is_fine(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), rbac=None, document=EVERYTHING)
    for file in FILES:
        apply(world, file)
    assert finding(world) == {
        "check": "rbac",
        "ok": True,
        "message": f"infra/rbac is applied in version {RBAC_VERSION}, as this release needs",
    }


def test_rbac_granted_namespace_by_namespace_is_found_too(world: World) -> None:
    world.add_cluster("prod", rbac="namespaced.yaml", document="namespaces: [default]")
    found = finding(world)
    assert found
    assert (found["ok"], found["message"]) == (
        True,
        f"infra/rbac is applied in version {RBAC_VERSION}, as this release needs",
    )


def test_rbac_without_a_version_is_reported_with_the_files_to_apply_and_fails_nothing(
    world: World,
) -> None:
    world.add_cluster("prod", namespaces=("a",), rbac=None, document=EVERYTHING)
    apply(world, "cluster.yaml", marks=())
    apply(world, "prune.yaml")
    apply(world, "service-accounts.yaml", marks=())
    found = finding(world)
    assert found
    assert found["ok"]
    assert found["message"].startswith(
        "rights without a version: cluster.yaml, service-accounts.yaml from before release 1.0.0,"
        " or roles of your own"
    )
    assert (
        found["remedy"]
        == f"{KUBECTL} apply -f infra/rbac/cluster.yaml -f infra/rbac/service-accounts.yaml"
    )


def test_where_nothing_is_granted_only_the_permissions_report_it(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), rbac=None, document="namespaces: [a]")
    assert finding(world) is None


def test_a_mark_permits_nothing(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    report = world.run({"action": "check"})
    assert [one["ok"] for one in report["clusters"][0]["findings"] if one["check"] == "excess"] == [
        True
    ]


# --- by a release that wants a later version


def said(
    held: Sequence[tuple[str, str]], granted_in: Mapping[str, Sequence[str]], *, wanted: int
) -> Finding | None:
    """Return the message of that release where these marks are held, each in a namespace."""

    async def ask(right: Right, namespace: str) -> bool:
        return (right.name, namespace) in held

    config = ClusterConfig(
        "prod", "prod", "us-east-1", Selection(("a",)), function_account=ACCOUNT, prune=True
    )
    return asyncio.run(
        rbac_version(
            ask,
            required_permissions(config, needs_list=False),
            granted_in,
            document="prod",
            wanted=wanted,
        )
    )


@pytest.mark.parametrize(
    ("marks", "wanted", "ok", "message"),
    [
        (
            ["push-1"],
            2,
            False,
            "infra/rbac/cluster.yaml is applied in version 1, and this release needs version 2",
        ),
        (
            ["push-1", "push-2"],
            3,
            False,
            "infra/rbac/cluster.yaml is applied in version 2, and this release needs version 3",
        ),
        (
            ["push-1", "push-2"],
            1,
            True,
            "infra/rbac is applied in version 1, as this release needs",
        ),
    ],
)
def test_older_rbac_fails_the_check_and_newer_does_not(
    marks: list[str], wanted: int, ok: bool, message: str
) -> None:
    found = said([(name, "") for name in marks], {"cluster.yaml": [""]}, wanted=wanted)
    assert found == Finding(
        Check.RBAC, ok, message, "" if ok else f"{KUBECTL} apply -f infra/rbac/cluster.yaml"
    )


def test_each_file_that_is_older_is_named() -> None:
    found = said(
        [("push-1", ""), ("prune-1", "")], {"cluster.yaml": [""], "prune.yaml": [""]}, wanted=2
    )
    assert found
    assert found.remedy == f"{KUBECTL} apply -f infra/rbac/cluster.yaml -f infra/rbac/prune.yaml"


def test_of_an_older_role_bound_in_single_namespaces_only_the_role_is_applied() -> None:
    found = said(
        [("push-1", "a"), ("prune-2", "")], {"cluster.yaml": ["a"], "prune.yaml": [""]}, wanted=2
    )
    assert found
    assert (
        found.message
        == "infra/rbac/namespaced.yaml is applied in version 1, and this release needs version 2"
    )
    assert found.remedy.startswith(
        "Apply the ClusterRole of infra/rbac/namespaced.yaml without its binding"
    )


def test_a_file_is_never_applied_as_a_whole_where_its_role_is_bound_in_single_namespaces() -> None:
    found = said(
        [("push-1", ""), ("prune-1", "a")], {"cluster.yaml": [""], "prune.yaml": ["a"]}, wanted=2
    )
    assert found
    assert found.remedy.startswith(
        f"`{KUBECTL} apply -f infra/rbac/cluster.yaml`, then apply the ClusterRole of"
        " infra/rbac/prune.yaml without its binding"
    )


def test_a_role_of_ones_own_beside_ours_does_not_hide_the_version() -> None:
    assert said([("push-2", "a")], {"cluster.yaml": ["", "a"]}, wanted=2) == Finding(
        Check.RBAC, True, "infra/rbac is applied in version 2, as this release needs"
    )


@pytest.mark.parametrize(
    ("document", "command"),
    [("prod", "clusters add prod"), ("fleet/us-east-1/one", "discover add fleet")],
)
def test_argo_cds_rights_are_printed_by_the_command_of_the_document(
    document: str, command: str
) -> None:
    commands = rbac_versions._Commands("kubectl", document)
    applied = rbac_versions._Applied("argocd.yaml", 1, everywhere=False)
    assert f"`ecr-public-pusher {command} --print-rbac`" in commands.apply([applied])
