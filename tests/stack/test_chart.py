"""The Helm chart grants what infra/rbac and `clusters add` grant."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Repository
from ecr_public_pusher.configuration.namespace_selector import Selection
from infra.cli.choices import Grant
from infra.cli.onboarding.rbac_manifests import manifests
from infra.tools.chart import CHART, RBAC, chart, value_of
from tests.stack.template import documents
from tests.support.helm import Failed, render

HELM = shutil.which("helm")
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
CASES: list[dict[str, Any]] = [
    {},
    {"prune": True},
    {"serviceAccounts": True},
    {"serviceAccounts": True, "serviceAccountNames": ["build", "default"]},
    {"secretNames": ["a.b", "pull"], "prune": True, "serviceAccounts": True},
    {"namespaces": ["a", "b"]},
    {"namespaces": ["a", "b"], "prune": True, "secretNames": ["pull"]},
    {"namespaces": ["b"], "serviceAccounts": True, "serviceAccountNames": ["default"]},
    {"argocdSecretNames": ["apps", "charts"]},
    {"argocdSecretNames": ["charts"], "argocdNamespace": "cd", "prune": True},
    {"argocdSecretNames": ["charts"], "namespaces": ["a"], "prune": True},
]


def rendered(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the chart's objects with these values beside the default ones."""
    values = DEFAULTS | given
    files = sorted((CHART / "templates").iterdir())
    text = "\n---\n".join(render(file.read_text(), values) for file in files)
    return [one for one in yaml.safe_load_all(text) if one]


def by_name(objects: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one
        for one in objects
    }
    assert len(found) == len(objects)
    return found


def documents_with(values: dict[str, Any]) -> list[ClusterConfig]:
    """Return documents that need what these values grant: one for each Secret's name."""
    namespaces = tuple(values["namespaces"]) or ("*",)
    names = tuple(values["serviceAccountNames"]) or ("*",)
    accounts = AccountSelection(names if values["serviceAccounts"] else ())
    return [
        ClusterConfig(
            "prod",
            "prod",
            "us-east-1",
            Selection(namespaces),
            secret_name=name,
            service_accounts=accounts,
            repositories=tuple(
                Repository(values["argocdNamespace"], repository, "public.ecr.aws")
                for repository in values["argocdSecretNames"]
            ),
        )
        for name in values["secretNames"]
    ]


def test_the_chart_is_what_make_chart_writes() -> None:
    made = chart()
    written = [CHART / "Chart.yaml", *sorted((CHART / "templates").iterdir())]
    assert {path: path.read_text() for path in written} == made, "make chart writes it anew"


@pytest.mark.parametrize("given", CASES, ids=str)
def test_it_grants_what_the_command_line_would_apply(given: dict[str, Any]) -> None:
    values = DEFAULTS | given
    grant = Grant.NAMESPACED if values["namespaces"] else Grant.CLUSTER
    applied = manifests(documents_with(values), grant, removal=values["prune"])
    assert by_name(rendered(given)) == by_name(applied)


@pytest.mark.parametrize("kind", ["Group", "User"])
@pytest.mark.parametrize("given", CASES, ids=str)
def test_every_binding_is_for_the_subjects_given(given: dict[str, Any], kind: str) -> None:
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "aks:jwt:a"}]
    values = {**given, "subjects": subjects}
    jsonschema.validate(DEFAULTS | values, SCHEMA)
    bindings = [one for one in rendered(values) if "roleRef" in one]
    assert [one["subjects"] for one in bindings] == [subjects] * len(bindings)
    assert bindings


def test_without_values_it_grants_what_the_kustomization_does() -> None:
    (kustomization,) = documents("infra/rbac/kustomization.yaml")
    applied = [
        one for file in kustomization["resources"] for one in documents(f"infra/rbac/{file}")
    ]
    assert by_name(rendered({})) == by_name(applied)


@pytest.mark.parametrize(
    "file",
    sorted(
        path.name
        for path in RBAC.glob("*.yaml")
        if path.name not in ("cluster.yaml", "namespaced.yaml", "kustomization.yaml", "argocd.yaml")
    ),
)
def test_each_file_that_is_applied_in_addition_has_a_value_that_is_off(file: str) -> None:
    value = value_of(file)
    assert (DEFAULTS[value], SCHEMA["properties"][value]) == (False, {"type": "boolean"})
    added = by_name(rendered({value: True})).keys() - by_name(rendered({})).keys()
    assert added == by_name(documents(f"infra/rbac/{file}")).keys()


def test_no_secret_name_at_all_is_refused_because_rbac_would_take_it_for_every_name() -> None:
    given: list[dict[str, Any]] = [{}, {"namespaces": ["a"]}, {"prune": True}]
    for one in given:
        values = {**one, "secretNames": []}
        with pytest.raises(Failed, match="secretNames must not be empty"):
            rendered(values)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(DEFAULTS | values, SCHEMA)


@pytest.mark.parametrize("given", CASES, ids=str)
def test_the_schema_accepts_these_values(given: dict[str, Any]) -> None:
    jsonschema.validate(DEFAULTS | given, SCHEMA)


@pytest.mark.parametrize(
    "given",
    [
        {"secretNames": "ecr-public-token"},
        {"secretNames": [None]},
        {"secretName": "x"},
        {"namespaces": ["team-*"]},
        {"prune": "yes"},
        {"serviceAccounts": ["default"]},
        {"serviceAccountNames": ["build-*"]},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_chart_does_not_take(given: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(DEFAULTS | given, SCHEMA)


def test_the_schema_knows_the_values_and_those_of_a_parent_chart() -> None:
    assert SCHEMA["properties"].keys() == {*DEFAULTS, "global"}


@pytest.mark.skipif(HELM is None, reason="there is no helm on the path")
@pytest.mark.parametrize("given", CASES, ids=str)
def test_helm_renders_the_same(given: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text(json.dumps(given))
    printed = subprocess.run(
        [str(HELM), "template", "one", str(CHART), "--values", str(file)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    objects = [one for one in yaml.safe_load_all(printed) if one]
    assert by_name(objects) == by_name(rendered(given))
