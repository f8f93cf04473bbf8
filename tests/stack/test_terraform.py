"""The modules in infra/terraform, compared with the templates that they deploy or mirror.

By reading their files, and by terraform itself where it is installed.
"""

import base64
import functools
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hcl2.utils import SerializationOptions

from ecr_public_pusher.configuration import loader as config
from tests.stack.template import ACCOUNT, ROOT, TEMPLATE, as_list, deployed, source, transformed
from tests.support.terraform import (
    ALONE,
    Terraform,
    kept_provider,
    needs_provider,
    needs_terraform,
)

MODULE = ROOT / "infra/terraform"
ACCESS = MODULE / "modules/access"
SPOKE = MODULE / "modules/spoke-role"
PULL = MODULE / "modules/pull-role"
MODULES = [MODULE, ACCESS, SPOKE, PULL]
MIRRORS = [
    (ACCESS, "infra/access-entry.yaml"),
    (SPOKE, "infra/spoke-role.yaml"),
    (PULL, "infra/pull-role.yaml"),
]
FILES = sorted(MODULE.rglob("*.tf"))
PLAIN = SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)

OWN_VARIABLES = {
    "stack_name",
    "package",
    "bucket",
    "prefix",
    "tags",
    "defaults",
    "clusters",
    "discover",
}
PACKAGE = b"a zip"
BUCKET = "artifacts"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/two-of-a-kind-PusherRole-0A1B"
CLUSTER = "arn:aws:eks:us-west-2:444455556666:cluster/analytics"
KUBECONFIG_KEY = "arn:aws:kms:us-west-2:444455556666:key/0a1b"


@functools.cache
def parsed(text: str) -> dict[str, Any]:
    """Return a file's content. Kept: the parser takes longer than terraform itself."""
    found: dict[str, Any] = hcl2.loads(text, serialization_options=PLAIN)
    return found


def blocks(folder: Path, kind: str) -> dict[str, Any]:
    """Return the blocks of one kind in a module, by name; resources by type and name."""
    found: dict[str, Any] = {}
    for file in sorted(folder.glob("*.tf")):
        for block in parsed(file.read_text()).get(kind, []):
            for name, body in block.items():
                found |= (
                    {f"{name}.{inner}": value for inner, value in body.items()}
                    if kind in ("resource", "data")
                    else {name: body}
                )
    return found


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def as_parameter(value: Any) -> str:
    """Return a variable's value as CloudFormation gets it."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def conditions(variable: Mapping[str, Any]) -> str:
    return " ".join(validation["condition"] for validation in variable.get("validation", []))


PARAMETERS = source()["Parameters"]
VARIABLES = blocks(MODULE, "variable")


# --- the module and the template: variables, outputs, what is deployed


def test_there_is_one_variable_for_each_parameter_and_the_modules_own() -> None:
    assert VARIABLES.keys() == {snake(name) for name in PARAMETERS} | OWN_VARIABLES


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_variable_has_its_parameters_default(name: str) -> None:
    assert as_parameter(VARIABLES[snake(name)]["default"]) == str(PARAMETERS[name]["Default"])


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_variable_has_its_parameters_type(name: str) -> None:
    types = {"Number": "number", "CommaDelimitedList": "${list(string)}", "String": "string"}
    boolean = PARAMETERS[name].get("AllowedValues") == ["false", "true"]
    assert VARIABLES[snake(name)]["type"] == (
        "bool" if boolean else types[PARAMETERS[name]["Type"]]
    )


@pytest.mark.parametrize(
    "name",
    [name for name, body in PARAMETERS.items() if "AllowedValues" in body or "MinValue" in body],
)
def test_a_variable_takes_what_its_parameter_takes(name: str) -> None:
    variable = snake(name)
    body = PARAMETERS[name]
    if VARIABLES[variable]["type"] == "bool":
        assert conditions(VARIABLES[variable]) == ""
    elif "AllowedValues" in body:
        assert (
            conditions(VARIABLES[variable])
            == f"${{contains({json.dumps(body['AllowedValues'])}, var.{variable})}}"
        )
    else:
        assert (
            conditions(VARIABLES[variable])
            == f"${{var.{variable} >= {body['MinValue']} && var.{variable} <= {body['MaxValue']}}}"
        )


@pytest.mark.parametrize("folder", MODULES, ids=lambda folder: folder.name)
def test_every_variable_and_output_is_described(folder: Path) -> None:
    described = {**blocks(folder, "variable"), **blocks(folder, "output")}
    assert [
        name for name, body in described.items() if not body.get("description", "").endswith(".")
    ] == []


def module_locals(folder: Path) -> dict[str, Any]:
    (found,) = (
        block
        for file in sorted(folder.glob("*.tf"))
        for block in parsed(file.read_text()).get("locals", [])
    )
    return dict(found)


def test_every_parameter_is_passed_on_from_its_variable() -> None:
    passed = module_locals(MODULE)["parameters"]
    assert {
        name: set(re.findall(r"var\.(\w+)", expression)) for name, expression in passed.items()
    } == {name: {snake(name)} for name in PARAMETERS}
    assert (
        "local.parameters"
        in blocks(MODULE, "resource")["aws_cloudformation_stack.this"]["parameters"]
    )


@pytest.mark.parametrize("folder", MODULES, ids=lambda folder: folder.name)
def test_null_is_what_a_variable_has_by_default(folder: Path) -> None:
    defaults = {
        name: body for name, body in blocks(folder, "variable").items() if "default" in body
    }
    nullable = {name for name, body in defaults.items() if body.get("nullable") is not False}
    assert nullable == ({"defaults"} if folder == MODULE else set())


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, body in PARAMETERS.items()
        if body["Default"] != "" and "AllowedPattern" in body
    ],
)
def test_what_has_a_default_and_may_be_empty_may_be_none_and_all_else_is_refused_empty(
    name: str,
) -> None:
    """An empty value is not sent, so that the template's default would come instead of it."""
    pattern = PARAMETERS[name]["AllowedPattern"]
    if re.search(pattern, ""):
        assert re.search(pattern, "none")
        assert (
            module_locals(MODULE)["parameters"][name]
            == f'${{var.{snake(name)} == "" ? "none" : var.{snake(name)}}}'
        )
    else:
        assert f'var.{snake(name)} != ""' in conditions(VARIABLES[snake(name)])


def test_the_outputs_are_the_templates() -> None:
    outputs = blocks(MODULE, "output")
    outputs.pop("before_destroy")
    remembered = blocks(MODULE, "resource")["terraform_data.function_role_arn"]["input"]
    read = {
        name: re.findall(
            r'outputs\["(\w+)"\]',
            remembered if "terraform_data" in body["value"] else body["value"],
        )
        for name, body in outputs.items()
    }
    assert read == {snake(name): [name] for name in source()["Outputs"]}
    assert all("Condition" not in body for body in source()["Outputs"].values())


def test_the_code_is_named_once_in_the_template_where_the_packages_address_takes_its_place() -> (
    None
):
    code_uri = module_locals(MODULE)["code_uri"]
    assert (ROOT / TEMPLATE).read_text().count(code_uri) == 1
    assert (
        code_uri == f"CodeUri: {source()['Resources']['PusherFunction']['Properties']['CodeUri']}"
    )


def test_the_stack_is_deployed_from_the_uploaded_template_with_the_capabilities_it_needs() -> None:
    stack = blocks(MODULE, "resource")["aws_cloudformation_stack.this"]
    assert stack["template_url"].endswith("/${local.template_key}")
    assert "template_body" not in stack
    assert set(stack["capabilities"]) == {"CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"}
    assert not any(
        "RoleName" in body["Properties"]
        for body in deployed().values()
        if body["Type"] == "AWS::IAM::Role"
    )  # else: CAPABILITY_NAMED_IAM
    assert set(stack["depends_on"]) == {"${aws_s3_object.package}", "${aws_s3_object.template}"}


@pytest.mark.parametrize("name", ["package", "template"])
def test_what_a_stack_may_roll_back_to_is_deleted_last(name: str) -> None:
    found = blocks(MODULE, "resource")[f"aws_s3_object.{name}"]
    (lifecycle,) = found["lifecycle"]
    assert lifecycle["create_before_destroy"] is True
    assert found["for_each"] == "${toset([local.release])}"


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_a_zip_for_an_architecture_is_known_by_the_names_of_native_modules_wherever_they_begin(
    architecture: str, machine: str
) -> None:
    endings = module_locals(MODULE)["native_modules"][architecture]
    for offset in range(3):
        text = base64.b64encode(
            b"." * offset + f"_yaml.cpython-313-{machine}-linux-gnu.so".encode()
        ).decode()
        assert any(ending in text for ending in endings)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("defaults", "defaults"),
        ("clusters", "clusters/${each.key}"),
        ("discover", "discover/${each.key}"),
    ],
)
def test_the_configuration_is_written_below_its_path_after_the_stack(name: str, path: str) -> None:
    parameter = blocks(MODULE, "resource")[f"aws_ssm_parameter.{name}"]
    assert (parameter["name"], parameter["type"]) == (f"${{var.config_path}}/{path}", "String")
    assert "${aws_cloudformation_stack.this}" in parameter["depends_on"]


@pytest.mark.parametrize("folder", MODULES, ids=lambda folder: folder.name)
def test_each_module_pins_the_provider(folder: Path) -> None:
    (settings,) = parsed((folder / "versions.tf").read_text())["terraform"]
    assert settings == {
        "required_version": ">= 1.5.0",
        "required_providers": [{"aws": {"source": "hashicorp/aws", "version": ">= 5.100, < 7.0"}}],
    }


# --- access entry and spoke role: the templates' content


@pytest.mark.parametrize(("folder", "path"), MIRRORS, ids=["access", "spoke-role", "pull-role"])
def test_a_modules_variables_are_its_templates_parameters(folder: Path, path: str) -> None:
    variables = blocks(folder, "variable")
    parameters = source(path)["Parameters"]
    assert variables.keys() - {"tags"} == {snake(name) for name in parameters}
    defaults = {name: variables[snake(name)].get("default") for name in parameters}
    given = {name: None if one is None else as_parameter(one) for name, one in defaults.items()}
    assert given == {name: body.get("Default") for name, body in parameters.items()}


@pytest.mark.parametrize(("folder", "path"), MIRRORS, ids=["access", "spoke-role", "pull-role"])
def test_a_modules_variables_refuse_what_its_templates_parameters_refuse(
    folder: Path, path: str
) -> None:
    for name, body in source(path)["Parameters"].items():
        if "AllowedPattern" not in body:
            continue  # one of a few values, which a boolean is by itself
        # Terraform has no lookahead: a prefix that is not allowed is a second condition.
        pattern = re.sub(r"^\^\(\?!(.*?)\)(?=\[)", "^", body["AllowedPattern"])
        logged = conditions(blocks(folder, "variable")[snake(name)])
        assert f'regex("{pattern}", ' in logged
        assert all(
            f"{limit}" in logged for key in ("MinLength", "MaxLength") if (limit := body.get(key))
        )


def test_the_entry_is_the_templates() -> None:
    (written,) = source("infra/access-entry.yaml")["Resources"].values()
    entry = blocks(ACCESS, "resource")["aws_eks_access_entry.this"]
    assert written["Type"] == "AWS::EKS::AccessEntry"
    assert blocks(ACCESS, "resource").keys() == {"aws_eks_access_entry.this"}
    assert {key: entry[snake(key)] for key in written["Properties"]} == referring_to_variables(
        written["Properties"]
    )


def test_the_spoke_role_is_the_templates() -> None:
    resources = blocks(SPOKE, "resource")
    found = module_locals(SPOKE)
    written = source("infra/spoke-role.yaml")["Resources"]["SpokeRole"]["Properties"]
    (policy,) = written["Policies"]
    assert resources.keys() == {"aws_iam_role.this", "aws_iam_role_policy.find_clusters"}
    role = resources["aws_iam_role.this"]
    attached = resources["aws_iam_role_policy.find_clusters"]
    assert (role["name"], role["description"]) == ("${var.role_name}", written["Description"])
    assert (role["assume_role_policy"], found["trust"]) == (
        "${jsonencode(local.trust)}",
        referring_to_variables(written["AssumeRolePolicyDocument"]),
    )
    assert (attached["name"], attached["role"]) == (
        policy["PolicyName"],
        "${aws_iam_role.this.name}",
    )
    assert attached["policy"] == "${jsonencode(local.permissions)}"


@pytest.mark.parametrize("folder", [SPOKE, PULL], ids=lambda folder: folder.name)
def test_a_role_has_the_boundary_and_the_path_that_are_given(folder: Path) -> None:
    role = blocks(folder, "resource")["aws_iam_role.this"]
    for argument, variable in (
        ("permissions_boundary", "permissions_boundary_arn"),
        ("path", "role_path"),
    ):
        # null, because to the provider an empty one is another than none.
        assert role[argument] == f'${{var.{variable} == "" ? null : var.{variable}}}'


def referring_to_variables(node: Any) -> Any:
    """Return a template's part with its references as Terraform writes them."""
    if isinstance(node, list):
        return [referring_to_variables(item) for item in node]
    if not isinstance(node, dict):
        return node
    return (
        f"${{var.{snake(node['Ref'])}}}"
        if node.keys() == {"Ref"}
        else {key: referring_to_variables(item) for key, item in node.items()}
    )


# --- the README's example


def example() -> str:
    (found,) = re.findall(r"```hcl\n(.*?)```", (MODULE / "README.md").read_text(), re.DOTALL)
    return str(found)


@pytest.mark.parametrize(
    "call", list(parsed(example())["module"]), ids=lambda call: next(iter(call))
)
def test_the_example_gives_each_module_what_it_takes(call: dict[str, dict[str, Any]]) -> None:
    ((_, arguments),) = call.items()
    folder = ROOT / arguments["source"].removeprefix("./ecr-public-pusher/")
    variables = blocks(folder, "variable")
    given = arguments.keys() - {"source", "providers"}
    assert folder in MODULES
    assert given <= variables.keys()
    assert {name for name, body in variables.items() if "default" not in body} <= given


def test_the_examples_references_to_outputs_exist() -> None:
    folders = {
        name: ROOT / body["source"].removeprefix("./ecr-public-pusher/")
        for call in parsed(example())["module"]
        for name, body in call.items()
    }
    asked = re.findall(r"module\.(\w+)\.(\w+)", example())
    assert asked
    assert [
        (name, output) for name, output in asked if output not in blocks(folders[name], "output")
    ] == []


# --- by terraform itself


def terraform(folder: Path, *arguments: str, standard_input: str = "") -> str:
    """Run terraform and return what it printed. Raise CalledProcessError."""
    return Terraform(folder, ALONE).run(*arguments, standard_input=standard_input).out


def evaluated(folder: Path, tmp_path: Path, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return a module's locals, as terraform evaluates them.

    Variables and locals without resources need no provider, and so no network.
    """
    place = tmp_path / folder.relative_to(ROOT)
    shutil.copytree(
        folder,
        place,
        ignore=shutil.ignore_patterns("versions.tf", "outputs.tf", "modules", "README.md"),
    )
    shutil.copy(ROOT / TEMPLATE, tmp_path)
    (found,) = re.findall(
        r"^locals \{\n.*?^\}\n", (folder / "main.tf").read_text(), re.MULTILINE | re.DOTALL
    )
    outputs = "".join(
        f'output "{name}" {{\n  value = local.{name}\n}}\n' for name in module_locals(folder)
    )
    (place / "main.tf").write_text(found + outputs)
    (place / "terraform.tfvars.json").write_text(json.dumps(variables))
    terraform(place, "init", "-backend=false", "-input=false")
    terraform(place, "apply", "-auto-approve", "-input=false")
    values: dict[str, dict[str, Any]] = json.loads(terraform(place, "output", "-json"))
    return {name: body["value"] for name, body in values.items()}


def stack(tmp_path: Path, **variables: Any) -> dict[str, Any]:
    package = tmp_path / "package.zip"
    package.write_bytes(PACKAGE)
    return evaluated(MODULE, tmp_path, {"package": str(package), "bucket": BUCKET, **variables})


def spoke(tmp_path: Path, **variables: Any) -> dict[str, Any]:
    return evaluated(
        SPOKE,
        tmp_path,
        {
            "pusher_role_arn": ROLE,
            "external_id": "some-id-of-yours",
            "cluster_arns": [CLUSTER],
            **variables,
        },
    )


@needs_terraform
def test_the_format_is_terraforms() -> None:
    terraform(MODULE, "fmt", "-check", "-recursive")
    assert terraform(MODULE, "fmt", "-", standard_input=example()) == example()


@needs_terraform
def test_terraform_passes_on_the_templates_own_defaults_for_null_too(tmp_path: Path) -> None:
    nothing = dict.fromkeys((snake(name) for name in PARAMETERS), None)
    assert stack(tmp_path, **nothing)["parameters"] == {
        name: str(body["Default"]) for name, body in PARAMETERS.items()
    }


@needs_terraform
def test_terraform_passes_lists_and_booleans_as_cloudformation_reads_them(tmp_path: Path) -> None:
    passed = stack(
        tmp_path, fan_out=True, subnet_ids=["subnet-0a1b2c3d", "subnet-4e5f6a7b"], memory_size=10240
    )["parameters"]
    assert (passed["FanOut"], passed["SubnetIds"], passed["MemorySize"]) == (
        "true",
        "subnet-0a1b2c3d,subnet-4e5f6a7b",
        "10240",
    )


@needs_terraform
def test_the_deployed_template_differs_only_in_the_parameter_with_the_packages_address(
    tmp_path: Path,
) -> None:
    text = stack(tmp_path)["template"]
    own = (ROOT / TEMPLATE).read_text()
    inserted = own.replace("\nParameters:\n", "\nParameters:\n  PackageKey:\n    Type: String\n")
    assert text == inserted.replace(
        "CodeUri: lambda_src", f"CodeUri: {{Bucket: {BUCKET}, Key: !Ref PackageKey}}"
    )
    code = transformed(text)["Resources"]["PusherFunction"]["Properties"]["Code"]
    assert code == {"S3Bucket": BUCKET, "S3Key": {"Ref": "PackageKey"}}


@needs_terraform
@pytest.mark.parametrize(
    "other",
    [
        {"stack_name": "another"},
        {"prefix": "another"},
        {"bucket": "another"},
        {"package": b"another zip"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_no_two_releases_stacks_or_places_share_an_instance_or_a_key(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    if isinstance(other.get("package"), bytes):
        (tmp_path / "another.zip").write_bytes(other["package"])
        other = {"package": str(tmp_path / "another.zip")}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = stack(tmp_path / "a")
    two = stack(tmp_path / "b", **other)
    assert one["release"] != two["release"]
    assert one["package_key"] != two["package_key"]
    assert one["template_key"] != two["template_key"]


@needs_terraform
def test_without_a_prefix_keys_begin_with_the_stacks_name(tmp_path: Path) -> None:
    assert stack(tmp_path, prefix="")["template_key"].startswith("ecr-public-pusher/1.")


@needs_terraform
def test_the_documents_are_ones_that_the_function_reads(tmp_path: Path) -> None:
    clusters = {
        "prod": {"region": "eu-west-1", "takeOwnership": True, "roleArn": None},
        "analytics": {
            "namespaces": {"selector": "a in (b,c),d!=e"},
            "annotations": {"owner": "<a&b> é"},
        },
    }
    found = stack(
        tmp_path, defaults={"namespaces": ["default", "team-*"], "labels": None}, clusters=clusters
    )
    written = {
        "defaults": found["defaults"],
        **{f"clusters/{name}": document for name, document in found["clusters"].items()},
    }
    built = config.load(
        [config.Parameter(f"/ecr/{name}", text) for name, text in written.items()],
        root="/ecr",
        region="us-east-1",
    )
    assert (dict(built.invalid), built.unknown, [cluster.id for cluster in built.clusters]) == (
        {},
        (),
        ["analytics", "prod"],
    )
    assert json.loads(found["clusters"]["analytics"]) == clusters["analytics"]
    assert json.loads(found["clusters"]["prod"]) == {"region": "eu-west-1", "takeOwnership": True}


@needs_terraform
def test_without_documents_none_are_written(tmp_path: Path) -> None:
    found = stack(tmp_path)
    assert (found.get("defaults"), found["clusters"]) == (None, {})


@needs_terraform
@pytest.mark.parametrize(
    ("folder", "variables"),
    [
        (MODULE, {"timeout": 30}),
        (MODULE, {"memory_size": 127}),
        (MODULE, {"log_level": "DEBUG"}),
        (MODULE, {"schedule": ""}),
        (MODULE, {"config_path": ""}),
        (MODULE, {"defaults": "namespaces: [default]"}),
        (MODULE, {"clusters": ["prod"]}),
        (MODULE, {"clusters": {"prod": "namespaces: [default]"}}),
        (MODULE, {"clusters": {"team/prod": {"namespaces": ["default"]}}}),
        (MODULE, {"allowed_endpoints": ["https://k8s.example.com"]}),
        (MODULE, {"allowed_endpoints": ["rancher.example.com/k8s/../*"]}),
        (SPOKE, {"pusher_role_arn": "*"}),
        (SPOKE, {"external_id": "short"}),
        (SPOKE, {"cluster_arns": [""]}),
        (SPOKE, {"role_path": "teams/"}),
        (SPOKE, {"permissions_boundary_arn": "bound"}),
        (SPOKE, {"cluster_arns": [CLUSTER, "arn:aws:eks:us-west-2:444455556666:cluster/*"]}),
        (SPOKE, {"role_name": "with/path"}),
    ],
    ids=str,
)
def test_nonsense_is_refused_by_the_plan(
    tmp_path: Path, folder: Path, variables: dict[str, Any]
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        stack(tmp_path, **variables) if folder == MODULE else spoke(tmp_path, **variables)
    assert "Invalid value for variable" in refused.value.stderr


@needs_terraform
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"discovery": True},
        {"web_identity": True, "kubeconfig_path": "/ecr"},
        {"kubeconfig_path": "/ecr", "kubeconfig_kms_key_arn": KUBECONFIG_KEY},
        {"web_identity": True, "cluster_arns": []},
    ],
    ids=str,
)
def test_the_spoke_roles_documents_are_the_templates_as_deployed(
    tmp_path: Path, variables: dict[str, Any]
) -> None:
    given = {
        name: as_parameter(variables[snake(name)])
        for name in source("infra/spoke-role.yaml")["Parameters"]
        if snake(name) in variables
    }
    parameters = {
        "PusherRoleArn": ROLE,
        "ExternalId": "some-id-of-yours",
        "ClusterArns": CLUSTER,
        **given,
    }
    same_documents(
        spoke(tmp_path, **variables),
        deployed("infra/spoke-role.yaml", **parameters)["SpokeRole"]["Properties"],
    )


def same_documents(found: dict[str, Any], role: dict[str, Any]) -> None:
    assert found["trust"] == role["AssumeRolePolicyDocument"]
    written = role["Policies"][0]["PolicyDocument"]["Statement"]
    in_lists = [
        [{name: as_list(value) for name, value in one.items()} for one in some]
        for some in (found["permissions"]["Statement"], written)
    ]
    assert in_lists[0] == in_lists[1]


@needs_terraform
@pytest.mark.parametrize("cache", [False, True])
def test_the_pull_roles_documents_are_the_templates_as_deployed(
    tmp_path: Path, cache: bool
) -> None:
    repository = "arn:aws:ecr:eu-west-1:444455556666:repository/x"
    variables = {
        "pusher_role_arn": ROLE,
        "external_id": "some-id-of-yours",
        "repository_arns": [repository],
        "pull_through_cache": cache,
    }
    found = evaluated(PULL, tmp_path, variables)
    parameters = {
        "PusherRoleArn": ROLE,
        "ExternalId": "some-id-of-yours",
        "RepositoryArns": repository,
        "PullThroughCache": str(cache).lower(),
    }
    same_documents(found, deployed("infra/pull-role.yaml", **parameters)["PullRole"]["Properties"])


@needs_provider
def test_validate_says_that_the_provider_takes_every_argument_of_every_module(
    tmp_path: Path,
) -> None:
    """One command for all modules: each one reads the provider's schema for a second."""
    shutil.copytree(MODULE, tmp_path / "infra/terraform")
    shutil.copy(ROOT / TEMPLATE, tmp_path)
    calls = "".join(
        f'module "{folder.name}" {{\n  source = "./{folder.relative_to(ROOT)}"\n'
        + "".join(f"  {name} = var.unknown\n" for name in blocks(folder, "variable"))
        + "}\n"
        for folder in MODULES
    )
    (tmp_path / "main.tf").write_text(f'variable "unknown" {{}}\n{calls}')
    with kept_provider(tmp_path, ALONE) as environment:
        place = Terraform(tmp_path, environment)
        place.init()
        assert "Success" in place.run("validate", "-no-color").out
