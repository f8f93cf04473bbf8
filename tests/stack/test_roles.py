"""Every role of the templates, those that SAM adds included: permissions boundary and path."""

import re
from typing import Any

import pytest

from tests.stack.template import ACCOUNT, deployed, properties, source, statements, translated

ROLES = {
    "template.yaml": {"PusherRole", "SchedulerRole"},
    "infra/spoke-role.yaml": {"SpokeRole"},
    "infra/pull-role.yaml": {"PullRole"},
    "infra/access-entry.yaml": set[str](),
    "infra/kms-key.yaml": set[str](),
}
WITH_ROLES = [path for path, names in ROLES.items() if names]
PLACED = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/teams/boundary"
CHOSEN = {"PermissionsBoundaryArn": BOUNDARY, "RolePath": "/teams/platform/"}
REQUIRED = {
    "PusherRoleArn": f"arn:aws:iam::{ACCOUNT}:role/teams/platform/two-of-a-kind-PusherRole-0A1B",
    "ExternalId": "some-id-of-yours",
    "ClusterArns": "arn:aws:eks:us-west-2:444455556666:cluster/analytics",
    "RepositoryArns": "arn:aws:ecr:eu-west-1:444455556666:repository/x",
}


def made(path: str, **parameters: str) -> dict[str, dict[str, Any]]:
    """Return the properties of everything that IAM puts under a path, by logical id."""
    required = {
        name: value for name, value in REQUIRED.items() if name in source(path)["Parameters"]
    }
    found = deployed(path, **required, **parameters)
    return {name: body["Properties"] for name, body in found.items() if body["Type"] in PLACED}


@pytest.mark.parametrize("path", ROLES)
def test_these_are_the_roles(path: str) -> None:
    kinds = {name: body["Type"] for name, body in translated(path)["Resources"].items()}
    roles = {name for name, kind in kinds.items() if kind == "AWS::IAM::Role"}
    assert roles == ROLES[path]
    # Nothing else of IAM's takes a boundary or a path.
    assert {kind for kind in kinds.values() if kind.startswith("AWS::IAM::")} <= {
        "AWS::IAM::Policy",
        *PLACED,
    }


@pytest.mark.parametrize("path", WITH_ROLES)
def test_every_role_has_the_boundary_and_the_path_that_are_given(path: str) -> None:
    found = made(path, **CHOSEN)
    assert found.keys() == ROLES[path]
    for name, body in found.items():
        assert (body.get("PermissionsBoundary"), body.get("Path")) == tuple(CHOSEN.values()), name


@pytest.mark.parametrize("path", WITH_ROLES)
def test_without_them_no_role_has_either_so_that_no_stacks_roles_are_replaced(path: str) -> None:
    for body in made(path).values():
        assert not body.keys() & {"PermissionsBoundary", "Path"}


@pytest.mark.parametrize("path", WITH_ROLES)
def test_all_templates_take_the_same_boundaries_and_paths(path: str) -> None:
    for name in CHOSEN:
        body = source(path)["Parameters"][name]
        functions = source()["Parameters"][name]
        assert {**body, "Description": ""} == {**functions, "Description": ""}


@pytest.mark.parametrize(
    ("path", "role", "parameter"),
    [
        ("infra/spoke-role.yaml", "SpokeRole", "AssumableRoleName"),
        ("infra/pull-role.yaml", "PullRole", "PullRoleName"),
    ],
)
def test_a_role_under_a_path_is_assumed_by_path_and_name(
    path: str,
    role: str,
    parameter: str,
) -> None:
    body = made(path, **CHOSEN)[role]
    name = f"{body['Path']}{body['RoleName']}".removeprefix("/")
    found = statements(deployed(**{parameter: name})["PusherRole"])["ReachOtherAccounts"]
    assert f"arn:aws:iam::*:role/teams/platform/{body['RoleName']}" in found["Resource"]


def test_the_execution_roles_arn_is_iams_own_word_wherever_it_is_named() -> None:
    environment = properties("PusherFunction", **CHOSEN)["Environment"]["Variables"]
    assert environment["EXECUTION_ROLE_ARN"] == "PusherRole.Arn"
    for path, parameter in (
        ("infra/spoke-role.yaml", "PusherRoleArn"),
        ("infra/pull-role.yaml", "PusherRoleArn"),
        ("infra/access-entry.yaml", "PrincipalArn"),
    ):
        pattern = source(path)["Parameters"][parameter]["AllowedPattern"]
        assert re.search(pattern, REQUIRED["PusherRoleArn"])
