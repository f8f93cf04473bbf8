"""The example of infra/terraform's README, applied to two accounts; and refusals of a plan."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws.wire import Answer
from infra.local.identity import AccessEntries
from tests.stack.template import ROOT
from tests.stack.terraform_account import REGION, Account, account
from tests.support.commands import problems
from tests.support.terraform import Ran, needs_provider

pytestmark = [needs_provider, pytest.mark.timeout(400)]

OTHER_ACCOUNT = "444455556666"
BUCKET = "my-artifacts-us-east-1"
# S3's addresses have the bucket in front of the host otherwise, which no loopback address takes.
OVERRIDE = 'provider "aws" {\n  s3_use_path_style = true\n}\n'


@dataclass(frozen=True)
class Cluster:
    """A cluster as EKS describes it."""

    name: str
    access_entries: AccessEntries
    endpoint: str = "https://127.0.0.1:1"
    ca_pem: str = "none"


def example() -> str:
    (found,) = re.findall(
        r"```hcl\n(.*?)```", (ROOT / "infra/terraform/README.md").read_text(), re.DOTALL
    )
    return str(found)


@dataclass
class Applied:
    """The example, applied."""

    account: Account
    prod: Cluster
    analytics: Cluster
    plan: str
    before_destroy: str


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """Apply the example, plan once more, and show the output to run before a destroy."""
    with account(tmp_path_factory.mktemp("example"), bucket=BUCKET, one_provider=False) as one:
        prod = Cluster("prod", AccessEntries())
        analytics = Cluster("analytics", AccessEntries())
        one.aws.put_cluster(one.aws.account_id, "eu-west-1", prod)
        one.aws.put_cluster(OTHER_ACCOUNT, "us-west-2", analytics)
        one.aws.put_role(
            f"arn:aws:iam::{OTHER_ACCOUNT}:role/terraform",
            trusted=f"arn:aws:iam::{one.aws.account_id}:role/admin",
        )
        (one.folder / "ecr-public-pusher/.aws-sam/package").mkdir(parents=True)
        one.write("ecr-public-pusher/.aws-sam/package/ecr-public-pusher.zip", b"a zip")
        one.write("main.tf", example())
        one.write("main_override.tf", OVERRIDE)
        one.terraform.init()
        one.apply("create")
        plan = one.terraform.run("plan", "-input=false", "-no-color", check=False).out
        command = one.terraform.run("output", "-raw", "before_destroy").out
        yield Applied(one, prod, analytics, plan, command)


def test_the_example_applies_and_a_second_plan_is_empty(applied: Applied) -> None:
    assert applied.account.steps["create"].ran.err == ""
    assert "No changes." in applied.plan


def test_each_cluster_admits_who_signs_in(applied: Applied) -> None:
    function = (
        f"arn:aws:iam::{applied.account.aws.account_id}:role/{applied.account.stacks.role_name}"
    )
    assert [entry.principal_arn for entry in applied.prod.access_entries] == [function]
    assert [entry.principal_arn for entry in applied.analytics.access_entries] == [
        f"arn:aws:iam::{OTHER_ACCOUNT}:role/ecr-public-pusher-spoke"
    ]


def test_the_documents_come_after_the_access_that_they_need(applied: Applied) -> None:
    calls = applied.account.steps["create"].calls
    order = [
        "cloudformation CreateStack",
        "eks CreateAccessEntry",
        "ssm PutParameter /ecr-public-pusher/clusters/prod",
    ]
    assert [calls.index(call) for call in order] == sorted(calls.index(call) for call in order)
    documents = applied.account.client("ssm").get_parameters_by_path(
        Path="/ecr-public-pusher", Recursive=True
    )["Parameters"]
    assert {
        one["Name"].removeprefix("/ecr-public-pusher/"): json.loads(one["Value"])
        for one in documents
    } == {
        "defaults": {"namespaces": ["default", "team-*"]},
        "clusters/prod": {"cluster": "prod", "region": "eu-west-1"},
        "clusters/analytics": {
            "cluster": "analytics",
            "region": "us-west-2",
            "roleArn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/ecr-public-pusher-spoke",
            "externalId": "some-id-of-yours",
            "namespaces": {"selector": "ecr-public=enabled"},
        },
    }


# --- before it is destroyed


def before_destroy(applied: Applied, answer: Answer) -> tuple[Ran, list[dict[str, Any]]]:
    """Run the commands of the output before a function that answers so.

    Return also what the function was asked.
    """
    assert problems(applied.before_destroy) == []
    asked: list[dict[str, Any]] = []

    def function(request: Any) -> Answer:
        asked.append(
            {
                "name": request.parameters["name"],
                "region": request.region,
                **json.loads(request.body),
            }
        )
        return answer

    applied.account.aws.script("lambda", "Invoke", function)
    programs = applied.account.folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "aws").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m tests.support.aws_program "$@"\n'
    )
    (programs / "aws").chmod(0o755)
    environment = {**applied.account.terraform.environment, "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    done = subprocess.run(
        ["sh"],
        input=applied.before_destroy,
        cwd=applied.account.folder,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr), asked


def test_what_to_run_before_a_destroy_removes_everything_and_shows_the_report(
    applied: Applied,
) -> None:
    ran, asked = before_destroy(applied, Answer(200, b'{"action": "remove", "ok": true}'))
    assert asked == [
        {
            "name": "ecr-public-pusher-PusherFunction-0A1B",
            "region": REGION,
            "action": "remove",
            "clusters": ["*"],
        }
    ]
    assert (ran.code, ran.err, json.loads(ran.out)) == (0, "", {"action": "remove", "ok": True})


@pytest.mark.parametrize(
    "answer",
    [
        Answer(
            200,
            b'{"errorMessage": "1 of 2 clusters failed"}',
            {"X-Amz-Function-Error": "Unhandled"},
        ),
        Answer(
            403,
            b'{"message": "not authorized to perform: lambda:InvokeFunction"}',
            {"x-amzn-ErrorType": "AccessDeniedException"},
        ),
    ],
    ids=["clusters failed", "not allowed"],
)
def test_it_fails_where_secrets_are_left(applied: Applied, answer: Answer) -> None:
    (applied.account.folder / "removed.json").unlink(missing_ok=True)
    ran, _ = before_destroy(applied, answer)
    assert ran.code != 0
    assert "Secrets are left: do not destroy yet." in ran.err
    if answer.status == 200:
        assert json.loads(ran.out) == json.loads(answer.body)


# --- what a plan refuses or says, by the resources themselves


def planned(one: Account, *modules: str, region: str = "us-east-1") -> Ran:
    """Plan modules, each with its `source` below infra/terraform, beside the clone."""
    provider = f'provider "aws" {{\n  region = "{region}"\n  s3_use_path_style = true\n}}\n'
    one.write("main.tf", provider + "".join(modules))
    one.terraform.init()
    return one.terraform.run("plan", "-input=false", "-no-color", "-out=planned", check=False)


def module(name: str, arguments: str) -> str:
    """Return the call of a module of infra/terraform: `/modules/...`, or nothing for its own."""
    source = f"./ecr-public-pusher/infra/terraform{name}"
    return f'module "{Path(source).name}" {{\n  source = "{source}"\n{arguments}\n}}\n'


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Open an account to which nothing is deployed: a plan changes nothing."""
    with account(tmp_path_factory.mktemp("plans")) as one:
        yield one


@pytest.mark.parametrize(
    ("architecture", "machine", "fits"),
    [("arm64", "x86_64", False), ("arm64", "aarch64", True)],
)
def test_a_package_of_the_other_architecture_is_refused_by_the_plan(
    fresh: Account, architecture: str, machine: str, fits: bool
) -> None:
    fresh.write("a.zip", f"PK\x03\x04yaml/_yaml.cpython-313-{machine}-linux-gnu.so".encode())
    ran = planned(
        fresh,
        module(
            "",
            f'  bucket = "artifacts"\n  package = "a.zip"\n  architecture = "{architecture}"',
        ),
    )
    assert (ran.code == 0) is fits
    if not fits:
        assert f"make package ARCH={architecture}" in " ".join(ran.err.split())


def test_in_china_addresses_and_arns_are_chinas(tmp_path: Path) -> None:
    with account(tmp_path, arn="arn:aws-cn:iam::111122223333:role/admin") as one:
        one.write("a.zip", b"a zip")
        stack = '  bucket = "artifacts"\n  package = "a.zip"'
        role = (
            '  pusher_role_arn = "arn:aws-cn:iam::111122223333:role/pusher"\n  external_id ='
            ' "some-id-of-yours"\n  kubeconfig_path = "/ecr"\n  cluster_arns ='
            ' ["arn:aws-cn:eks:cn-north-1:444455556666:cluster/a"]'
        )
        ran = planned(
            one, module("", stack), module("/modules/spoke-role", role), region="cn-north-1"
        )
        assert ran.code == 0, ran.err
        after = changes(one)
    assert after["aws_cloudformation_stack"]["template_url"].startswith(
        "https://s3.cn-north-1.amazonaws.com.cn/artifacts/"
    )
    policy = json.loads(after["aws_iam_role_policy"]["policy"])
    statements = {one["Sid"]: one for one in policy["Statement"]}
    assert statements["ReadKubeconfigs"]["Resource"] == [
        "arn:aws-cn:secretsmanager:*:*:secret:/ecr/*"
    ]


def changes(one: Account) -> dict[str, Any]:
    """Return the planned state of each resource whose kind has no other, by kind."""
    plan = json.loads(one.terraform.run("show", "-json", "planned").out)
    kinds = Counter(resource["type"] for resource in plan["resource_changes"])
    return {
        resource["type"]: resource["change"]["after"]
        for resource in plan["resource_changes"]
        if kinds[resource["type"]] == 1
    }
