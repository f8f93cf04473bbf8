"""Roles of documents, held against the template's parameters: their accounts and their names."""

import pytest

from ecr_public_pusher.configuration.allowed_roles import AllowedRoles
from ecr_public_pusher.configuration.loader import Configuration, Parameter, load
from ecr_public_pusher.errors import ConfigurationError
from ecr_public_pusher.invocation.settings import Settings

OWN = "111122223333"
AWAY = "444455556666"
THIRD = "777788889999"
FUNCTION = f"arn:aws:lambda:us-east-1:{OWN}:function:pusher"
NAMES = {"sign_in": "teams/spoke", "pull": "teams/pull"}


def role(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def loaded(document: str, allowed: AllowedRoles | None) -> Configuration:
    parameters = [Parameter("/r/clusters/x", f"{{namespaces: [a], {document}}}")]
    return load(parameters, root="/r", region="us-east-1", account=OWN, allowed_roles=allowed)


def fields(document: str, allowed: AllowedRoles) -> list[tuple[str, ...]]:
    """Return the fields of a document that are refused."""
    refused = loaded(document, allowed).invalid.get("x")
    return [problem.path for problem in refused.problems] if refused else []


@pytest.mark.parametrize(
    ("accounts", "allowed"),
    [
        ((), {OWN}),
        (("*",), {OWN, AWAY, THIRD}),
        ((AWAY,), {AWAY}),
        ((OWN, AWAY), {OWN, AWAY}),
        # A value that IAM accepts, for the case that the template's own rule was bypassed.
        (("*", AWAY), {AWAY}),
    ],
)
def test_only_roles_of_allowed_accounts_pass(accounts: tuple[str, ...], allowed: set[str]) -> None:
    roles = AllowedRoles(OWN, accounts)
    assert {one for one in (OWN, AWAY, THIRD) if roles.allows(one)} == allowed
    found = {one for one in (OWN, AWAY, THIRD) if not fields(f"roleArn: '{role(one, 'r')}'", roles)}
    assert found == allowed


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("teams/spoke", True),
        ("spoke", False),
        ("other/teams/spoke", False),
        ("teams/Spoke", False),
        ("teams/pull", False),
    ],
)
def test_a_name_is_compared_with_its_path(name: str, fits: bool) -> None:
    roles = AllowedRoles(OWN, **NAMES)
    assert (fields(f"roleArn: '{role(OWN, name)}'", roles) == []) is fits


def test_names_that_are_not_known_refuse_none() -> None:
    assert fields(f"roleArn: '{role(OWN, 'any')}'", AllowedRoles(OWN)) == []
    assert loaded(f"roleArn: '{role(AWAY, 'any')}'", None).invalid == {}


def test_everything_that_is_wrong_is_reported_at_once_and_each_remedy_once() -> None:
    registries = ", ".join(
        f"{{account: '{THIRD}', region: {region}, roleArn: '{role(AWAY, 'teams/spoke')}'}}"
        for region in ("eu-west-1", "us-east-1")
    )
    document = f"roleArn: '{role(AWAY, 'teams/pull')}', registries: [{registries}]"
    roles = AllowedRoles(OWN, **NAMES)
    refused = loaded(document, roles).invalid["x"]
    found = [problem.path for problem in refused.problems]
    assert found == [("roleArn",)] * 2 + [("registries",)] * 4
    assert refused.remedy.count(f"to {OWN},{AWAY}.") == 1
    assert refused.remedy.count("infra/spoke-role.yaml") == 1
    assert refused.remedy.count("infra/pull-role.yaml") == 1


def test_a_registry_may_be_of_any_account_since_nobody_there_sees_the_token() -> None:
    registry = f"{{account: '{THIRD}', region: eu-west-1, roleArn: '{role(OWN, 'pull')}'}}"
    assert fields(f"registries: [{registry}]", AllowedRoles(OWN)) == []


@pytest.mark.parametrize(("account", "fits"), [(AWAY, True), (OWN, False), (THIRD, False)])
def test_a_role_reads_the_kubeconfigs_of_accounts_that_are_allowed(
    account: str,
    fits: bool,
) -> None:
    secret = f"arn:aws:secretsmanager:us-east-1:{account}:secret:/r/x-AbCdEf"
    sign_in = f"signIn: {{type: kubeconfig, secretArn: '{secret}'}}"
    document = f"roleArn: '{role(AWAY, 'r')}', {sign_in}"
    expected = [] if fits else [("signIn", "secretArn")]
    assert fields(document, AllowedRoles(OWN, (AWAY,))) == expected


def settings(**environ: str) -> Settings:
    return Settings.from_env({"AWS_REGION": "us-east-1", **environ}, function_arn=FUNCTION)


def test_the_environment_names_accounts_and_roles() -> None:
    found = settings(
        ALLOWED_ACCOUNTS=f"{AWAY},{THIRD}",
        ASSUMABLE_ROLE_NAME="teams/spoke",
        PULL_ROLE_NAME="teams/pull",
    )
    assert found.allowed_roles == AllowedRoles(OWN, (AWAY, THIRD), **NAMES)


@pytest.mark.parametrize("environ", [{}, {"ALLOWED_ACCOUNTS": ""}])
def test_an_environment_that_says_nothing_allows_the_functions_own_account(
    environ: dict[str, str],
) -> None:
    found = settings(**environ).allowed_roles
    assert found is not None
    assert [found.allows(one) for one in (OWN, AWAY)] == [True, False]


def test_one_name_for_both_uses_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="are both teams/spoke"):
        settings(ASSUMABLE_ROLE_NAME="teams/spoke", PULL_ROLE_NAME="teams/spoke")
