"""The modules in infra/terraform, applied to the local AWS by Terraform and the real provider.

The calls to AWS, and their order.
"""

import re
from collections.abc import Iterator

import pytest

from tests.stack.template import source
from tests.stack.terraform_account import Account, Step, account
from tests.support.terraform import needs_provider

# The first test waits for the fixture's eight applies.
pytestmark = [needs_provider, pytest.mark.timeout(400)]

MAIN = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

module "this" {
  source  = "./ecr-public-pusher/infra/terraform"
  bucket  = "artifacts"
  package = "%(package)s"
%(arguments)s
}
"""
TOPIC = "arn:aws:sns:us-east-1:111122223333:ours"
FULL = """
  allowed_endpoints  = ["k8s.example.com"]
  allowed_accounts   = ["444455556666"]
  sweep_schedule     = "rate(10 minutes)"
  alarm_email        = "platform@example.com"
  kms_key_arn        = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
  config_kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
  subnet_ids         = ["subnet-01234567"]
  security_group_ids = ["sg-01234567"]

  defaults = { namespaces = ["default"] }
  clusters = { one = {}, two = {} }
  discover = { fleet = { regions = ["us-east-1"], tags = { team = "web" } } }
"""
EMPTIED = f"""
  allowed_endpoints  = []
  allowed_accounts   = []
  sweep_schedule     = ""
  alarm_email        = ""
  alarm_topic_arn    = "{TOPIC}"
  kms_key_arn        = null
  subnet_ids         = []
  security_group_ids = null
  schedule           = null
  memory_size        = null

  clusters = {{ one = {{ namespaces = ["default"] }} }}
"""
FAILED = "Resource handler returned message: not authorized"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Play one deployment's life.

    It is set up, emptied, updated in vain, rolled back, updated again, and destroyed.
    """
    with account(tmp_path_factory.mktemp("terraform")) as one:
        for name in ("old", "new"):
            one.write(f"{name}.zip", name.encode())
        one.write("main.tf", MAIN % {"package": "old.zip", "arguments": FULL})
        one.terraform.init()
        one.apply("create")
        one.write("main.tf", MAIN % {"package": "old.zip", "arguments": EMPTIED})
        one.apply("empty")
        one.write("main.tf", MAIN % {"package": "new.zip", "arguments": EMPTIED})
        one.stacks.fail_next_update(FAILED)
        one.apply("fail")
        one.write("again.txt", one.terraform.run("plan", "-input=false", "-no-color").out)
        one.write("main.tf", MAIN % {"package": "old.zip", "arguments": EMPTIED})
        one.apply("back")
        one.write("main.tf", MAIN % {"package": "new.zip", "arguments": EMPTIED})
        one.apply("upgrade")
        one.write("idle.txt", one.terraform.run("plan", "-input=false", "-no-color").out)
        one.apply("destroy")
        yield one


def positions(step: Step, *calls: str) -> list[int]:
    """Return where these calls stand in the order of a step's."""
    return [step.calls.index(call) for call in calls]


def test_every_apply_succeeds_but_the_one_whose_update_fails(story: Account) -> None:
    assert {name: step.ran.code for name, step in story.steps.items()} == {
        **dict.fromkeys(story.steps, 0),
        "fail": 1,
    }
    assert FAILED in story.steps["fail"].ran.err


def test_a_stack_is_asked_for_with_what_is_set_and_nothing_empty(story: Account) -> None:
    given = story.steps["create"].given
    assert (given["AllowedEndpoints"], given["AlarmEmail"]) == (
        "k8s.example.com",
        "platform@example.com",
    )
    assert "" not in given.values()


@pytest.mark.parametrize(
    "name",
    [
        "AllowedEndpoints",
        "AllowedAccounts",
        "AlarmEmail",
        "KmsKeyArn",
        "ConfigKmsKeyArn",
        "SubnetIds",
        "SecurityGroupIds",
    ],
)
def test_a_parameter_that_was_set_is_emptied_in_the_stack(story: Account, name: str) -> None:
    assert story.steps["create"].parameters[name] != ""
    assert name not in story.steps["empty"].given
    assert story.steps["empty"].parameters[name] == source()["Parameters"][name]["Default"] == ""


def test_the_sweep_is_ended_by_a_value_that_can_be_sent(story: Account) -> None:
    assert story.steps["create"].given["SweepSchedule"] == "rate(10 minutes)"
    assert story.steps["empty"].given["SweepSchedule"] == "none"


def test_an_address_gives_way_to_a_topic(story: Account) -> None:
    after = story.steps["empty"].parameters
    assert (after["AlarmEmail"], after["AlarmTopicArn"]) == ("", TOPIC)


def test_a_variable_that_is_null_has_its_default(story: Account) -> None:
    given = story.steps["empty"].given
    assert (given["Schedule"], given["MemorySize"]) == ("rate(8 hours)", "256")


def test_when_all_is_applied_a_plan_has_nothing_to_do(story: Account) -> None:
    assert "No changes." in (story.folder / "idle.txt").read_text()


def test_a_document_is_gone_before_the_defaults_that_it_relied_on(story: Account) -> None:
    clusters = "ssm PutParameter /ecr-public-pusher/clusters/one"
    defaults = "ssm DeleteParameter /ecr-public-pusher/defaults"
    emptied = positions(
        story.steps["empty"],
        "ssm DeleteParameter /ecr-public-pusher/clusters/two",
        "cloudformation UpdateStack",
        clusters,
        defaults,
    )
    assert emptied == sorted(emptied)
    assert (
        story.steps["empty"].calls.index("ssm DeleteParameter /ecr-public-pusher/discover/fleet")
        < emptied[-1]
    )


def test_the_plan_says_what_becomes_of_the_secrets_of_a_cluster_that_is_taken_out(
    story: Account,
) -> None:
    shown = story.steps["empty"].ran.out
    assert re.search(r'- description +=.*leaves its Secrets.*ecr-public-pusher remove two"', shown)
    assert re.search(
        r"- description +=.*leaves its Secrets.*ecr-public-pusher remove 'fleet/\*'\"", shown
    )


def test_an_update_that_failed_leaves_the_code_for_the_rollback(story: Account) -> None:
    assert story.steps["fail"].parameters == story.steps["empty"].parameters
    assert story.steps["fail"].code_there


def test_an_update_that_failed_is_planned_again(story: Account) -> None:
    again = (story.folder / "again.txt").read_text()
    assert re.search(r'~ "PackageKey" +=', again)


def test_back_at_the_old_package_its_objects_stay_and_the_others_go(story: Account) -> None:
    back = story.steps["back"]
    assert back.code_there
    assert back.objects == story.steps["empty"].objects
    assert back.parameters == story.steps["empty"].parameters


def test_an_upgrade_lays_the_new_objects_first_and_deletes_the_old_ones_last(
    story: Account,
) -> None:
    order = [
        re.sub(r" (package\.zip|template\.yaml)$", "", call)
        for call in story.steps["upgrade"].calls
    ]
    assert order == ["s3 PUT", "s3 PUT", "cloudformation UpdateStack", "s3 DELETE", "s3 DELETE"]
    assert story.steps["upgrade"].code_there


def test_an_upgrade_shows_how_the_release_differs_and_none_of_the_templates_text(
    story: Account,
) -> None:
    shown = story.steps["upgrade"].ran.out
    assert re.search(r'~ "PackageKey" += "[^"]+/package.zip" -> "[^"]+/package.zip"', shown)
    assert "AWSTemplateFormatVersion" not in shown
    assert len(shown.splitlines()) < 200


@pytest.mark.parametrize("name", ["create", "empty", "fail", "back", "upgrade"])
def test_no_apply_warns_of_what_is_not_known_yet(story: Account, name: str) -> None:
    assert "Warning" not in story.steps[name].ran.out


def test_a_destroy_takes_the_documents_first_then_the_stack_then_its_objects(
    story: Account,
) -> None:
    order = [
        re.sub(r" (package\.zip|template\.yaml)$", "", call)
        for call in story.steps["destroy"].calls
    ]
    assert order == [
        "ssm DeleteParameter /ecr-public-pusher/clusters/one",
        "cloudformation DeleteStack",
        "s3 DELETE",
        "s3 DELETE",
    ]
    assert story.objects() == []


def test_what_it_deployed_is_in_a_folder_of_the_stacks_own(story: Account) -> None:
    version = source()["Outputs"]["Version"]["Value"]
    folder = rf"ecr-public-pusher/ecr-public-pusher/{re.escape(version)}-[0-9a-f]{{16}}"
    assert all(
        re.fullmatch(rf"{folder}/(package\.zip|template\.yaml)", key)
        for key in story.steps["create"].objects
    )
    assert len(story.steps["create"].objects) == 2
