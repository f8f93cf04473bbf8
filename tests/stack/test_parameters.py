"""The values that the templates accept.

Patterns, ranges, and rules over several parameters; the console explains each.
"""

import re
from typing import Any

import pytest

from tests.stack.template import refusals, source
from tests.support.hosts import ALLOWING, ALLOWING_NOTHING

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ours"
TEMPLATES = [
    "template.yaml",
    "infra/access-entry.yaml",
    "infra/spoke-role.yaml",
    "infra/pull-role.yaml",
    "infra/kms-key.yaml",
]
# Values that both schedules accept and refuse; the sweep's may be empty too.
EXPRESSIONS = [
    ("rate(8 hours)", True),
    ("rate(1 hour)", True),
    ("rate(9 hours)", True),
    ("rate(1 minute)", True),
    ("rate(2 minutes)", True),
    ("rate(89 minutes)", True),
    ("rate(90 minutes)", True),
    ("rate(91 minutes)", False),
    ("cron(0 0/8 * * ? *)", True),
    ("cron(15 4,12,20 ? * MON-SUN *)", True),
    ("rate(10 hours)", False),
    ("rate(120 minutes)", False),
    ("rate(480 minutes)", False),
    ("rate(12 hours)", False),
    ("rate(1 day)", False),
    ("rate(0 hours)", False),
    ("rate(1 hours)", False),
    ("rate(1 minutes)", False),
    ("rate(8 hour)", False),
    ("cron(0 0/8 * * *)", False),
    ("at(2030-01-01T00:00:00)", False),
    (" rate(8 hours)", False),
]


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("ConfigPath", "/ecr-public-pusher", True),
        ("ConfigPath", "/team/a_b.c-d/ecr", True),
        ("ConfigPath", "ecr-public-pusher", False),
        ("ConfigPath", "/ecr-public-pusher/", False),
        ("ConfigPath", "/", False),
        ("ConfigPath", "/a//b", False),
        ("ConfigPath", "/ecr/*", False),
        ("ConfigPath", "/aws/ecr", False),
        ("ConfigPath", "/SSM-ecr", False),
        ("ConfigPath", "/l" * 13, True),
        ("ConfigPath", "/l" * 14, False),
        *(("Schedule", text, fits) for text, fits in EXPRESSIONS),
        ("Schedule", "", False),
        *(("SweepSchedule", text, fits) for text, fits in EXPRESSIONS),
        ("SweepSchedule", "", True),
        ("SweepSchedule", "none", True),
        ("SweepSchedule", "never", False),
        ("Schedule", "none", False),
        ("AllowedAccounts", "", True),
        ("AllowedAccounts", "111122223333", True),
        ("AllowedAccounts", "11112222333", False),
        ("AllowedAccounts", "*", True),
        ("AllowedAccounts", "1111*", False),
        ("PermissionsBoundaryArn", "", True),
        ("PermissionsBoundaryArn", "arn:aws:iam::111122223333:policy/teams/bound", True),
        ("PermissionsBoundaryArn", "arn:aws-us-gov:iam::aws:policy/PowerUserAccess", True),
        ("PermissionsBoundaryArn", "bound", False),
        ("PermissionsBoundaryArn", "arn:aws:iam::111122223333:role/bound", False),
        ("RolePath", "", True),
        ("RolePath", "/", True),
        ("RolePath", "/teams/platform/", True),
        ("RolePath", "/teams", False),
        ("RolePath", "teams/", False),
        ("RolePath", "/teams//", False),
        ("RolePath", "/*/", False),
        *(("AllowedEndpoints", host, True) for host in ALLOWING),
        *(("AllowedEndpoints", host, False) for host in ALLOWING_NOTHING if host),
        ("AllowedEndpoints", "", True),
        ("AssumableRoleName", "ecr-public-pusher-spoke", True),
        ("AssumableRoleName", "teams/platform/reader", True),
        ("AssumableRoleName", "*", False),
        ("AssumableRoleName", "ecr-*", False),
        ("AssumableRoleName", "", False),
        ("PullRoleName", "ecr-public-pusher-pull", True),
        ("PullRoleName", "*", False),
        *(
            (name, value, fits)
            for name in ("ConfigKmsKeyArn", "KmsKeyArn")
            for value, fits in [("", True), (KEY, True), ("alias/aws/ssm", False)]
        ),
        ("ConfigKmsKeyArn", "*", False),
        ("KmsKeyArn", "alias/aws/sns", False),
        ("KmsKeyArn", KEY.replace(":key/", ":alias/"), False),
        ("AlarmEmail", "", True),
        ("AlarmEmail", "ops+ecr@mail.example.com", True),
        ("AlarmEmail", "ops", False),
        ("AlarmEmail", "ops@example.com, dev@example.com", False),
        ("AlarmTopicArn", "", True),
        ("AlarmTopicArn", TOPIC, True),
        ("AlarmTopicArn", "ours", False),
        ("AlarmTopicArn", f"{TOPIC}:0a1b-a-subscription", False),
        ("RunbookUrl", "https://git.example.com/ops/runbook.md", True),
        ("RunbookUrl", "docs/runbook.md", True),
        ("RunbookUrl", "docs/other.md", False),
        ("RunbookUrl", "http://git.example.com/runbook.md", False),
        ("RunbookUrl", "https://git.example.com/runbook.md#there", False),
        ("RunbookUrl", 'https://git.example.com/"', False),
        # Each member of a list is matched by itself; the empty default is one empty member or none.
        ("SubnetIds", "", True),
        ("SubnetIds", "subnet-0123456789abcdef0", True),
        ("SubnetIds", "sg-0123456789abcdef0", False),
        ("SecurityGroupIds", "", True),
        ("SecurityGroupIds", "sg-01234567", True),
        ("SecurityGroupIds", "default", False),
    ],
)
def test_parameters_refuse_nonsense(parameter: str, value: str, fits: bool) -> None:
    assert bool(re.search(source()["Parameters"][parameter]["AllowedPattern"], value)) is fits


@pytest.mark.parametrize(
    ("parameter", "least", "most"),
    [
        ("SweepWindowMinutes", 5, 1440),
        ("MaximumConcurrency", 2, 1000),
        ("BatchSize", 10, 1000),
        ("MemorySize", 128, 10240),
        ("ReservedConcurrency", 0, 1000),
    ],
)
def test_numbers_have_their_range(parameter: str, least: int, most: int) -> None:
    body = source()["Parameters"][parameter]
    assert (body["MinValue"], body["MaxValue"]) == (least, most)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("Timeout", [60, 120, 300, 600, 900]),
        ("AlarmAfterHours", list(range(2, 11))),
        ("FanOut", ["false", "true"]),
    ],
)
def test_some_are_chosen_from_a_list(parameter: str, values: list[Any]) -> None:
    assert source()["Parameters"][parameter]["AllowedValues"] == values


@pytest.mark.parametrize("path", TEMPLATES)
def test_each_default_is_one_that_its_own_constraints_allow(path: str) -> None:
    for name, body in source(path)["Parameters"].items():
        if "Default" in body:
            default = body["Default"]
            assert re.search(body.get("AllowedPattern", ""), str(default)), name
            assert default in body.get("AllowedValues", [default]), name
            assert body["Type"] != "Number" or body.get("MinValue", default) <= default <= body.get(
                "MaxValue", default
            ), name


@pytest.mark.parametrize("path", TEMPLATES)
def test_every_parameter_and_output_is_described_and_every_parameter_has_its_place_in_the_console(
    path: str,
) -> None:
    template = source(path)
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    described = [template, *template["Parameters"].values(), *template["Outputs"].values()]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert all(body["Description"].strip() for body in described)
    assert sorted(grouped) == sorted(interface["ParameterLabels"]) == sorted(template["Parameters"])


@pytest.mark.parametrize("path", TEMPLATES)
def test_each_pattern_says_in_words_what_it_takes(path: str) -> None:
    patterned = {
        name: body for name, body in source(path)["Parameters"].items() if "AllowedPattern" in body
    }
    assert [
        name
        for name, body in patterned.items()
        if not body["ConstraintDescription"].startswith("must be ")
    ] == []


# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
@pytest.mark.parametrize("path", TEMPLATES)
def test_no_description_is_longer_than_cloudformation_takes(path: str) -> None:
    template = source(path)
    assert len(template["Description"]) <= 1024
    assert (
        max(
            len(body["Description"])
            for body in [*template["Parameters"].values(), *template["Outputs"].values()]
        )
        <= 1024
    )


# --- rules over several parameters


def test_the_defaults_are_accepted() -> None:
    assert refusals() == []


@pytest.mark.parametrize(
    ("email", "topic", "accepted"),
    [
        ("", "", True),
        ("a@example.com", "", True),
        ("", TOPIC, True),
        ("a@example.com", TOPIC, False),
    ],
)
def test_alarms_have_one_way_to_be_heard(email: str, topic: str, accepted: bool) -> None:
    assert (refusals(AlarmEmail=email, AlarmTopicArn=topic) == []) is accepted


@pytest.mark.parametrize(
    ("subnets", "groups", "accepted"),
    [
        ("", "", True),
        ("subnet-01234567,subnet-89abcdef", "sg-01234567", True),
        ("subnet-01234567", "", False),
        ("", "sg-01234567", False),
    ],
)
def test_a_vpc_needs_subnets_and_security_groups(subnets: str, groups: str, accepted: bool) -> None:
    assert (refusals(SubnetIds=subnets, SecurityGroupIds=groups) == []) is accepted


def test_the_roles_that_sign_in_and_those_that_ask_for_registry_tokens_are_two() -> None:
    assert refusals(AssumableRoleName="one", PullRoleName="one") != []
    assert refusals(AssumableRoleName="one", PullRoleName="two") == []


@pytest.mark.parametrize(
    ("accounts", "accepted"),
    [
        ("", True),
        ("111122223333,444455556666", True),
        ("*", True),
        ("*,111122223333", False),
        ("111122223333,*", False),
    ],
)
def test_the_wildcard_for_any_account_is_the_only_entry(accounts: str, accepted: bool) -> None:
    assert (refusals(AllowedAccounts=accounts) == []) is accepted


@pytest.mark.parametrize("rate", range(1, 10))
@pytest.mark.parametrize("after", range(2, 11))
def test_the_alarm_comes_later_than_the_next_push(rate: int, after: int) -> None:
    schedule = "rate(1 hour)" if rate == 1 else f"rate({rate} hours)"
    assert (refusals(Schedule=schedule, AlarmAfterHours=after) == []) is (after > rate)


@pytest.mark.parametrize("schedule", ["rate(90 minutes)", "cron(0 0/8 * * ? *)"])
def test_other_schedules_take_any_hours(schedule: str) -> None:
    assert refusals(Schedule=schedule, AlarmAfterHours=2) == []


def test_each_refusal_names_the_parameters_or_the_way_out() -> None:
    asserted = [one for rule in source()["Rules"].values() for one in rule["Assertions"]]
    assert all(
        re.search(
            r"Deploy to|Leave one|Give both|Give the accounts|must be", one["AssertDescription"]
        )
        for one in asserted
    )
