"""The policy evaluation by which the stack's permissions are judged.

It is held to AWS's own documented examples, whose page each block names.

At the end: what a captured call asks of it.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.local.aws.wire import AwsCall
from tests.stack.template import ACCOUNT, REGION, properties
from tests.support.aws_calls import asked_of_iam
from tests.support.iam import Decision, Request, Values, evaluate, evaluate_resource_policy

ALLOWED = Decision.ALLOWED
IMPLICIT = Decision.IMPLICITLY_DENIED
EXPLICIT = Decision.EXPLICITLY_DENIED
DELEGATED = Decision.DELEGATED


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def deny(action: Any = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return allow(action, resource, **condition) | {"Sid": "D", "Effect": "Deny"}


def decided(
    *statements: Mapping[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::b/k",
    **context: Values,
) -> Decision:
    return evaluate(
        [policy(*statements)],
        Request(
            action, resource, {key.replace("__", ":"): value for key, value in context.items()}
        ),
    ).decision


def met(condition: dict[str, Any], context: dict[str, Values]) -> bool:
    """Return whether a statement with this condition matches a request with this context."""
    return (
        evaluate(
            [policy(allow(**condition))], Request("s3:GetObject", "arn:aws:s3:::b/k", context)
        ).decision
        is ALLOWED
    )


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
# Denied by default, allowed by an allow, an explicit deny overrides every allow.
@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([], IMPLICIT),
        ([allow("s3:*")], ALLOWED),
        ([allow("s3:PutObject")], IMPLICIT),
        ([allow("s3:*"), deny("s3:GetObject")], EXPLICIT),
        ([deny("s3:*"), allow("s3:GetObject")], EXPLICIT),
        ([deny("s3:PutObject"), allow("s3:GetObject")], ALLOWED),
    ],
)
def test_denied_by_default_and_a_deny_overrides(
    statements: list[dict[str, Any]], decision: Decision
) -> None:
    assert decided(*statements) is decision


def test_statements_of_several_policies_count_together() -> None:
    verdict = evaluate(
        [policy(allow("s3:*")), policy(deny("s3:GetObject"))],
        Request("s3:GetObject", "arn:aws:s3:::b/k"),
    )
    assert (verdict.decision, verdict.by) == (EXPLICIT, ("D",))


# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html, "Multiple statements and
# multiple policies"
THREE_STATEMENTS = policy(
    {"Sid": "FirstStatement", "Effect": "Allow", "Action": ["iam:ChangePassword"], "Resource": "*"},
    {"Sid": "SecondStatement", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
    {
        "Sid": "ThirdStatement",
        "Effect": "Allow",
        "Action": ["s3:List*", "s3:Get*"],
        "Resource": ["arn:aws:s3:::confidential-data", "arn:aws:s3:::confidential-data/*"],
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    },
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, the
# policy of Carlos
CARLOS = policy(
    {
        "Sid": "AllowS3ListRead",
        "Effect": "Allow",
        "Action": [
            "s3:GetBucketLocation",
            "s3:GetAccountPublicAccessBlock",
            "s3:ListAccessPoints",
            "s3:ListAllMyBuckets",
        ],
        "Resource": "arn:aws:s3:::*",
    },
    {
        "Sid": "AllowS3Self",
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"],
    },
    {"Sid": "DenyS3Logs", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*log*"},
)
# The same page, "The difference between explicit and implicit denies"
READ_NO_REPORTS = policy(
    {
        "Sid": "AllowGetList",
        "Effect": "Allow",
        "Action": ["iam:Get*", "iam:List*"],
        "Resource": "*",
    },
    {"Sid": "DenyReports", "Effect": "Deny", "Action": "iam:*Report", "Resource": "*"},
)
MFA = {"aws:MultiFactorAuthPresent": "true"}
NO_MFA = {"aws:MultiFactorAuthPresent": "false"}


@pytest.mark.parametrize(
    ("document", "request_", "decision", "by"),
    [
        (
            THREE_STATEMENTS,
            Request("iam:ChangePassword", "arn:aws:iam::111122223333:user/a"),
            ALLOWED,
            ("FirstStatement",),
        ),
        (THREE_STATEMENTS, Request("s3:ListAllMyBuckets"), ALLOWED, ("SecondStatement",)),
        (
            THREE_STATEMENTS,
            Request("s3:GetObject", "arn:aws:s3:::confidential-data/a", MFA),
            ALLOWED,
            ("ThirdStatement",),
        ),
        (
            THREE_STATEMENTS,
            Request("s3:GetObject", "arn:aws:s3:::confidential-data/a", NO_MFA),
            IMPLICIT,
            (),
        ),
        (THREE_STATEMENTS, Request("s3:GetObject", "arn:aws:s3:::other-data/a", MFA), IMPLICIT, ()),
        (
            THREE_STATEMENTS,
            Request("s3:PutObject", "arn:aws:s3:::confidential-data/a", MFA),
            IMPLICIT,
            (),
        ),
        (
            CARLOS,
            Request("s3:PutObject", "arn:aws:s3:::carlossalazar-logs/file"),
            EXPLICIT,
            ("DenyS3Logs",),
        ),
        (
            CARLOS,
            Request("s3:PutObject", "arn:aws:s3:::carlossalazar/file"),
            ALLOWED,
            ("AllowS3Self",),
        ),
        (CARLOS, Request("s3:PutObject", "arn:aws:s3:::somebody-elses/file"), IMPLICIT, ()),
        (READ_NO_REPORTS, Request("iam:ListUsers"), ALLOWED, ("AllowGetList",)),
        (READ_NO_REPORTS, Request("iam:CreatePolicy"), IMPLICIT, ()),
        (READ_NO_REPORTS, Request("iam:GetOrganizationsAccessReport"), EXPLICIT, ("DenyReports",)),
    ],
)
def test_whole_policies(
    document: dict[str, Any], request_: Request, decision: Decision, by: tuple[str, ...]
) -> None:
    verdict = evaluate([document], request_)
    assert (verdict.decision, verdict.by) == (decision, by)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
# Prefix and name are not case-sensitive; "iam:*AccessKey*" covers four actions; * and ?.
@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("iam:ListAccessKeys", "IAM:listaccesskeys", True),
        ("iam:*AccessKey*", "iam:CreateAccessKey", True),
        ("iam:*AccessKey*", "iam:DeleteAccessKey", True),
        ("iam:*AccessKey*", "iam:ListAccessKeys", True),
        ("iam:*AccessKey*", "iam:UpdateAccessKey", True),
        ("iam:*AccessKey*", "iam:CreateUser", False),
        ("sqs:*", "sqs:SendMessage", True),
        ("sqs:*", "sns:Publish", False),
        ("sqs:Send?essage", "sqs:SendMessage", True),
        (["sqs:SendMessage", "sqs:ReceiveMessage"], "sqs:ReceiveMessage", True),
    ],
)
def test_actions(pattern: Any, action: str, matches: bool) -> None:
    assert (decided(allow(pattern), action=action) is ALLOWED) is matches


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html:
# everything but.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html Paths
# and wildcards; "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*" and the objects it names.
@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        (
            "arn:aws:sqs:us-east-2:111122223333:queue1",
            "arn:aws:sqs:us-east-2:111122223333:queue1",
            True,
        ),
        (
            "arn:aws:sqs:us-east-2:111122223333:queue1",
            "arn:aws:sqs:us-east-2:111122223333:Queue1",
            False,
        ),
        (
            "arn:aws:iam::111122223333:user/accounting/*",
            "arn:aws:iam::111122223333:user/accounting/Bob",
            True,
        ),
        (
            "arn:aws:iam::111122223333:user/accounting/*",
            "arn:aws:iam::111122223333:user/Bob",
            False,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/test/object.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test/object.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test/3/object.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/2/3/test/4/object.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1///test///object.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/test/.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket//test/object.jpg",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/test/",
            True,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1-test/object.jpg",
            False,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/test/object.jpg",
            False,
        ),
        (
            "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*",
            "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test.jpg",
            False,
        ),
        # within a part; only a * at its end may reach beyond the colon
        (
            "arn:aws:eks:*:111122223333:cluster/*",
            "arn:aws:eks:eu-west-1:111122223333:cluster/a",
            True,
        ),
        (
            "arn:aws:eks:*:111122223333:cluster/*",
            "arn:aws:eks:eu-west-1:999999999999:cluster/a",
            False,
        ),
        (
            "arn:aws:dynamodb:*:table/prod-*",
            "arn:aws:dynamodb:us-east-1:111122223333:table/prod-a",
            True,
        ),
        ("arn:aws:sqs:us-*-1:queue", "arn:aws:sqs:us-east-1:queue", True),
        ("arn:aws:sqs:us-*t:queue", "arn:aws:sqs:us-east-1:111122223333-t:queue", False),
        (
            "arn:aws:sqs:us-east-1?111122223333:queue",
            "arn:aws:sqs:us-east-1:111122223333:queue",
            False,
        ),
        # the last part may hold colons
        (
            "arn:aws:logs:us-east-1:111122223333:log-group:/a/*:log-stream:?",
            "arn:aws:logs:us-east-1:111122223333:log-group:/a/b:log-stream:c",
            True,
        ),
        ("arn:aws:s3:::b/*.jpg", "arn:aws:s3:::b/10:30.jpg", True),
        ("arn:aws:s3:::*", "*", False),
        ("*", "*", True),
        ("arn:aws:s3:::my-corporate-bucket-????", "arn:aws:s3:::my-corporate-bucket-2026", True),
        ("arn:aws:s3:::my-corporate-bucket-????", "arn:aws:s3:::my-corporate-bucket-26", False),
    ],
)
def test_resources(pattern: str, resource: str, matches: bool) -> None:
    assert (decided(allow(resource=pattern), resource=resource) is ALLOWED) is matches


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
# Operators and keys are ANDed, values ORed.
DEPARTMENTS = {
    "aws:PrincipalTag/department": ["finance", "hr", "legal"],
    "aws:PrincipalTag/role": ["audit", "security"],
}
USERS = {
    "aws:PrincipalArn": [
        "arn:aws:iam::222222222222:user/Ana",
        "arn:aws:iam::222222222222:user/Mary",
    ]
}
MARY, NIKKI = (
    {"aws:PrincipalArn": f"arn:aws:iam::222222222222:user/{name}"} for name in ("Mary", "Nikki")
)


@pytest.mark.parametrize(
    ("operator", "context", "matches"),
    [
        (
            "ArnLike",
            {"aws:PrincipalTag/department": "legal", "aws:PrincipalTag/role": "audit"} | MARY,
            True,
        ),
        (
            "ArnLike",
            {"aws:PrincipalTag/department": "hr", "aws:PrincipalTag/role": "audit"} | NIKKI,
            False,
        ),
        (
            "ArnLike",
            {"aws:PrincipalTag/department": "hr", "aws:PrincipalTag/role": "payroll"} | MARY,
            False,
        ),
        ("ArnLike", {"aws:PrincipalTag/department": "hr"} | MARY, False),
        ("ArnLike", MARY, False),
    ],
)
def test_operators_and_keys_are_anded_and_values_ored(
    operator: str, context: dict[str, Values], matches: bool
) -> None:
    assert met({"StringEquals": DEPARTMENTS, operator: USERS}, context) is matches


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html:
# "Context key names are not case-sensitive."
@pytest.mark.parametrize(
    ("key", "value", "matches"), [("AWS:UserName", "john", True), ("aws:username", "John", False)]
)
def test_keys_are_distinguished_without_regard_to_case_and_values_with(
    key: str, value: str, matches: bool
) -> None:
    assert met({"StringEquals": {"aws:username": "john"}}, {key: value}) is matches


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html:
# without the key "the values do not match", and an operator that requires just that is true.
@pytest.mark.parametrize(
    ("operator", "wanted", "matches"),
    [
        ("StringEquals", "a", False),
        ("StringLike", "*", False),
        ("ArnEquals", "arn:aws:s3:::b", False),
        ("ArnLike", "arn:aws:s3:::*", False),
        ("Bool", "false", False),
    ],
)
@pytest.mark.parametrize("context", [{}, {"a:b": []}], ids=["no key", "no value"])
def test_what_a_missing_key_means_to_an_operator(
    operator: str, wanted: str, matches: bool, context: dict[str, Values]
) -> None:
    assert met({operator: {"a:b": wanted}}, context) is matches


FINANCE = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
# one block for each family of operators.
@pytest.mark.parametrize(
    ("condition", "context", "matches"),
    [
        # String: exact and case-sensitive; StringLike with wildcards
        (
            {"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}},
            {"aws:PrincipalTag/job-category": "iamuser-admin"},
            True,
        ),
        (
            {"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}},
            {"aws:PrincipalTag/job-category": "IamUser-Admin"},
            False,
        ),
        ({"StringEquals": {"aws:UserAgent": "Ex*le*"}}, {"aws:UserAgent": "Examples"}, False),
        ({"StringEquals": {"aws:UserAgent": "Ex*le*"}}, {"aws:UserAgent": "Ex*le*"}, True),
        ({"StringEquals": {"aws:UserAgent": "Ex*le"}}, {"aws:UserAgent": "Example"}, False),
        ({"StringEquals": {"ssm:Overwrite": True}}, {"ssm:Overwrite": "true"}, True),
        ({"StringLike": {"a:b": "t?.*"}}, {"a:b": "t2.micro"}, True),
        ({"StringLike": {"a:b": "t?.*"}}, {"a:b": "T2.micro"}, False),
        (
            {"StringLike": {"a:b": "arn:aws:someservice:*:111122223333:finance/*"}},
            {"a:b": FINANCE},
            True,
        ),
        # Boolean
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "False"}, True),
        # ARN: both forms take wildcards, and each of the six parts is compared by itself
        (
            {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:T*"}},
            {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:Topic"},
            True,
        ),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:T"}},
            {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:T"},
            True,
        ),
        (
            {"ArnLike": {"a:b": "arn:aws:someservice:*:111122223333:finance/*"}},
            {"a:b": FINANCE},
            False,
        ),
        (
            {"ArnLike": {"a:b": "arn:aws:someservice:*:111122223333:finance/*"}},
            {"a:b": "no ARN"},
            False,
        ),
        (
            {"ArnLike": {"a:b": "arn:aws:someservice:*:111122223333:finance/*"}},
            {"a:b": "arn:aws:someservice:us-east-2"},
            False,
        ),
        ({"StringLike": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}, {}, False),
        # Numeric
        (
            {"NumericLessThanEquals": {"sts:DurationSeconds": 300}},
            {"sts:DurationSeconds": "300"},
            True,
        ),
        (
            {"NumericLessThanEquals": {"sts:DurationSeconds": 300}},
            {"sts:DurationSeconds": "1000"},
            False,
        ),
        ({"NumericLessThanEquals": {"sts:DurationSeconds": 300}}, {}, False),
        # Null: "true" where the key does not exist, "false" where it exists and has a value
        ({"Null": {"a:b": "true"}}, {}, True),
        ({"Null": {"a:b": "true"}}, {"a:b": "c"}, False),
        ({"Null": {"a:b": "false"}}, {"a:b": "c"}, True),
        ({"Null": {"a:b": False}}, {}, False),
        ({"Null": {"a:b": "false"}}, {"a:b": []}, False),
        # ForAllValues: every value of the request is one of those wanted, which holds without any
        ({"ForAllValues:StringLike": {"a:b": ["x*", "y"]}}, {"a:b": ["x1", "y"]}, True),
        ({"ForAllValues:StringLike": {"a:b": ["x*", "y"]}}, {"a:b": ["x1", "z"]}, False),
        ({"ForAllValues:StringLike": {"a:b": "x*"}}, {"a:b": []}, True),
        ({"ForAllValues:StringLike": {"a:b": "x*"}}, {}, True),
    ],
)
def test_condition_operators(
    condition: dict[str, Any], context: dict[str, Values], matches: bool
) -> None:
    assert met(condition, context) is matches


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
ROLE = "arn:aws:iam::111122223333:role/service/b"
SESSION = "arn:aws:sts::111122223333:assumed-role/b/a-session"
USER = "arn:aws:iam::123456789012:user/carlossalazar"


@pytest.mark.parametrize(
    ("wanted", "caller", "decision"),
    [
        ({"Service": "events.amazonaws.com"}, {"Service": "events.amazonaws.com"}, ALLOWED),
        (
            {"Service": ["ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"]},
            {"Service": "elasticloadbalancing.amazonaws.com"},
            ALLOWED,
        ),
        ({"Service": "events.amazonaws.com"}, {"Service": "scheduler.amazonaws.com"}, IMPLICIT),
        ({"Service": "events.amazonaws.com"}, {"AWS": ROLE}, IMPLICIT),
        ({"AWS": ["arn:aws:iam::111122223333:role/a", ROLE]}, {"AWS": ROLE}, ALLOWED),
        ({"AWS": USER}, {"AWS": USER}, ALLOWED),
        ({"AWS": USER}, {"AWS": USER.lower().replace("carlos", "Carlos")}, IMPLICIT),
        # a role stands for its sessions, a session for itself alone
        ({"AWS": ROLE}, {"AWS": SESSION}, ALLOWED),
        ({"AWS": SESSION}, {"AWS": SESSION}, ALLOWED),
        ({"AWS": SESSION}, {"AWS": SESSION.replace("a-session", "another")}, IMPLICIT),
        ({"AWS": ROLE}, {"AWS": SESSION.replace("111122223333", "999999999999")}, IMPLICIT),
        # an account "delegates authority to the account", in either form
        ({"AWS": "arn:aws:iam::123456789012:root"}, {"AWS": USER}, DELEGATED),
        ({"AWS": "123456789012"}, {"AWS": USER}, DELEGATED),
        ({"AWS": ["123456789012", "555555555555"]}, {"AWS": ROLE}, IMPLICIT),
        ({"AWS": ["123456789012", USER]}, {"AWS": USER}, ALLOWED),
        ("*", {"AWS": ROLE}, ALLOWED),
        ("*", {"Service": "events.amazonaws.com"}, ALLOWED),
        ({"AWS": "*"}, {"AWS": ROLE}, ALLOWED),
        ({"AWS": "*"}, {"Service": "events.amazonaws.com"}, IMPLICIT),
    ],
)
def test_principals(wanted: Any, caller: dict[str, str], decision: Decision) -> None:
    trust = policy({"Sid": "A", "Effect": "Allow", "Principal": wanted, "Action": "sts:AssumeRole"})
    assert (
        evaluate_resource_policy(trust, Request("sts:AssumeRole", principal=caller)).decision
        is decision
    )


def test_a_denial_for_an_account_is_for_all_of_it() -> None:
    document = policy(
        allow() | {"Principal": {"AWS": USER}}, deny() | {"Principal": {"AWS": "123456789012"}}
    )
    assert (
        evaluate_resource_policy(
            document, Request("s3:GetObject", "arn:aws:s3:::b/k", principal={"AWS": USER})
        ).decision
        is EXPLICIT
    )


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN:
# a topic's messages to a queue
@pytest.mark.parametrize(
    ("source", "decision"),
    [
        ({"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:TOPIC-ID"}, DELEGATED),
        ({"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:ANOTHER"}, IMPLICIT),
        ({}, IMPLICIT),
    ],
)
def test_a_queues_policy(source: dict[str, Values], decision: Decision) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:QUEUE-ID"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "123456789012"},
        "Action": "SQS:SendMessage",
        "Resource": queue,
    }
    condition = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:TOPIC-ID"}}
    request = Request("sqs:SendMessage", queue, source, principal={"AWS": USER})
    assert (
        evaluate_resource_policy(policy(statement | {"Condition": condition}), request).decision
        is decision
    )


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html: a
# third party's role, with its external id
@pytest.mark.parametrize(
    ("context", "decision"),
    [
        ({"sts:ExternalId": "12345"}, DELEGATED),
        ({"sts:ExternalId": "54321"}, IMPLICIT),
        ({}, IMPLICIT),
    ],
)
def test_a_trust_policy_with_an_external_id(context: dict[str, Values], decision: Decision) -> None:
    trust = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "123456789012"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "12345"}},
        }
    )
    assert (
        evaluate_resource_policy(
            trust, Request("sts:AssumeRole", context=context, principal={"AWS": USER})
        ).decision
        is decision
    )


# --- elements that are not simulated


@pytest.mark.parametrize(
    "statement",
    [
        allow(StringNotEquals={"a:b": "c"}),
        allow(StringEqualsIfExists={"a:b": "c"}),
        allow(NumericLessThan={"a:b": "1"}),
        allow(Null={"a:b": "absent"}),
        allow(**{"ForAllValues:Null": {"a:b": "true"}}),
        allow() | {"NotAction": "s3:GetObject"},
        allow(StringMatches={"a:b": "c"}),
        allow(DateGreaterThan={"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}),
        allow(BinaryEquals={"a:b": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}),
        allow(**{"ForSomeValues:StringEquals": {"a:b": "c"}}),
        allow(StringEquals={}),
        allow(StringEquals={"a:b": []}),
        allow(
            action="sqs:SendMessage", StringMatches={"a:b": "c"}
        ),  # of a statement that the request does not concern, too
        allow() | {"Effect": "Maybe"},
        allow() | {"Effect": "allow"},
        allow() | {"Resources": "*"},
        allow() | {"Principal": "*"},
        allow() | {"NotPrincipal": "*"},
        allow(action=[]),
        allow(resource=[]),
        {"Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Resource": "*"},
        {"Effect": "Allow", "Action": "*"},
    ],
)
def test_what_is_not_known_is_never_passed_over(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        decided(statement)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ({"Bool": {"a:b": "yes"}}, "true"),
        ({"ArnLike": {"a:b": "arn:aws:sns:*:T"}}, "arn:aws:sns:eu-west-1:111122223333:T"),
        ({"ArnLike": {"a:b": "AlarmTopic"}}, "arn:aws:sns:eu-west-1:111122223333:T"),
        (
            {"StringEquals": {"a:b": ["c", "d"]}},
            ["c", "d"],
        ),  # "Multivalued context keys require a condition set operator"
    ],
)
def test_a_comparison_that_means_nothing_raises(condition: dict[str, Any], values: Values) -> None:
    with pytest.raises(ValueError, match=r"."):
        met(condition, {"a:b": values, "a:list": ["c", "d"]})


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("Action", "GetObject"),
        ("Action", "s3:Get Object"),
        ("Resource", "RetryQueue.Arn"),  # an unresolved reference
        ("Resource", "urn:aws:s3:::b"),
        ("Resource", "arn:aws:s*:::b"),  # "You can't use a wildcard in the service segment"
        ("Resource", ["*", "b/k"]),
        (
            "Resource",
            "arn:aws:sqs:us-east-2:111122223333:${aws:username}-q",
        ),  # a variable: no template of ours has one
    ],
)
def test_an_action_or_resource_of_no_known_form_raises(element: str, value: Any) -> None:
    statement = {name: given for name, given in allow().items() if name != element} | {
        element: value
    }
    with pytest.raises(ValueError, match="unknown form"):
        decided(statement)


@pytest.mark.parametrize("more", [{"Version": "2008-10-17"}, {"Version": None}, {"Statment": []}])
def test_a_policy_of_another_language_or_form_raises(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        evaluate([policy(allow()) | more], Request("s3:GetObject", "arn:aws:s3:::b/k"))


@pytest.mark.parametrize(
    ("principal", "caller"),
    [
        ({"Federated": "accounts.google.com"}, {"AWS": ROLE}),
        ({"CanonicalUser": "79a59df900b949e5"}, {"AWS": ROLE}),
        (
            {"AWS": "arn:aws:iam::111122223333:role/*"},
            {"AWS": ROLE},
        ),  # "You cannot use a wildcard to match part of a principal name or ARN"
        ({"Service": "*"}, {"Service": "events.amazonaws.com"}),
        ({}, {"AWS": ROLE}),
        ("everybody", {"AWS": ROLE}),
        ({"AWS": ROLE}, {"Federated": "accounts.google.com"}),
        ({"AWS": ROLE}, {}),
        (None, {"AWS": ROLE}),
    ],
)
def test_a_principal_of_no_known_form_raises(principal: Any, caller: dict[str, str]) -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"} | (
        {} if principal is None else {"Principal": principal}
    )
    with pytest.raises(ValueError, match="unknown"):
        evaluate_resource_policy(policy(statement), Request("sts:AssumeRole", principal=caller))


# --- the stack's own resource policies


def judged(
    logical_id: str, path: str, document: str, request: Request, **parameters: Any
) -> Decision:
    return evaluate_resource_policy(
        properties(logical_id, path, **parameters)[document], request
    ).decision


SIGNS_IN = {"sts:RoleSessionName": "ecr-public-pusher-sign-in"}
PULLS = {"sts:RoleSessionName": "ecr-public-pusher-pull"}


@pytest.mark.parametrize(
    ("service", "decision"),
    [("lambda.amazonaws.com", ALLOWED), ("scheduler.amazonaws.com", IMPLICIT)],
)
def test_only_lambda_takes_the_execution_role(service: str, decision: Decision) -> None:
    request = Request("sts:AssumeRole", principal={"Service": service})
    assert judged("PusherRole", "template.yaml", "AssumeRolePolicyDocument", request) is decision


@pytest.mark.parametrize(
    ("caller", "context", "decision"),
    [
        (SESSION, {"sts:ExternalId": "an-id-of-ours", **SIGNS_IN}, ALLOWED),
        (SESSION, {"sts:ExternalId": "another-id", **SIGNS_IN}, IMPLICIT),
        (SESSION, {"sts:ExternalId": "an-id-of-ours", **PULLS}, IMPLICIT),
        (SESSION, {"sts:ExternalId": "an-id-of-ours"}, IMPLICIT),
        (SESSION, SIGNS_IN, IMPLICIT),
        (
            SESSION.replace("/b/", "/another/"),
            {"sts:ExternalId": "an-id-of-ours", **SIGNS_IN},
            IMPLICIT,
        ),
    ],
)
def test_the_spoke_role_is_taken_by_the_function_with_the_external_id(
    caller: str, context: dict[str, Values], decision: Decision
) -> None:
    request = Request("sts:AssumeRole", context=context, principal={"AWS": caller})
    chosen = {
        "PusherRoleArn": ROLE,
        "ExternalId": "an-id-of-ours",
        "ClusterArns": "arn:aws:eks:us-west-2:444455556666:cluster/a",
    }
    assert (
        judged("SpokeRole", "infra/spoke-role.yaml", "AssumeRolePolicyDocument", request, **chosen)
        is decision
    )


@pytest.mark.parametrize(
    ("caller", "action", "source", "decision"),
    [
        (
            "logs.eu-west-1.amazonaws.com",
            "kms:GenerateDataKey",
            {"kms:EncryptionContext:aws:logs:arn": "log-group:/aws/lambda/ecr-public-pusher"},
            ALLOWED,
        ),
        (
            "logs.eu-west-1.amazonaws.com",
            "kms:GenerateDataKey",
            {"kms:EncryptionContext:aws:logs:arn": "log-group:/aws/lambda/another"},
            IMPLICIT,
        ),
        ("events.amazonaws.com", "kms:GenerateDataKey", {}, ALLOWED),
        ("events.amazonaws.com", "kms:Encrypt", {}, IMPLICIT),
        ("scheduler.amazonaws.com", "kms:GenerateDataKey", {}, IMPLICIT),
    ],
)
def test_the_key_serves_who_writes_to_the_stack(
    caller: str, action: str, source: dict[str, str], decision: Decision
) -> None:
    context = {key: f"arn:aws:logs:{REGION}:{ACCOUNT}:{name}" for key, name in source.items()}
    request = Request(action, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a", context, {"Service": caller})
    assert judged("Key", "infra/kms-key.yaml", "KeyPolicy", request) is decision


# --- what a captured call asks of IAM

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/retry"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:retry"
PARAMETERS = "arn:aws:ssm:eu-west-1:111122223333:parameter"
SPOKE = "arn:aws:iam::444455556666:role/spoke"
VIA_SSM, VIA_SQS = (
    {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"} for service in ("ssm", "sqs")
)
BEARER = Request("sts:GetServiceBearerToken")


def captured(service: str, action: str, parameters: dict[str, str]) -> AwsCall:
    return AwsCall(
        service,
        action,
        REGION,
        account="111122223333",
        principal=SESSION,
        access_key_id="ASIA",
        user_agent="",
        path="/",
        parameters=parameters,
    )


@pytest.mark.parametrize(
    ("service", "action", "parameters", "asked"),
    [
        (
            "ssm",
            "GetParametersByPath",
            {"Path": "/a", "Recursive": "True", "WithDecryption": "False"},
            [Request("ssm:GetParametersByPath", f"{PARAMETERS}/a", {"ssm:Recursive": "true"})],
        ),
        (
            "ssm",
            "GetParametersByPath",
            {"Path": "/a"},
            [Request("ssm:GetParametersByPath", f"{PARAMETERS}/a", {"ssm:Recursive": "false"})],
        ),
        (
            "ssm",
            "GetParameter",
            {"Name": "/a/b", "WithDecryption": "True"},
            [Request("ssm:GetParameter", f"{PARAMETERS}/a/b")],
        ),
        ("ssm", "GetParameter", {"Name": "b"}, [Request("ssm:GetParameter", f"{PARAMETERS}/b")]),
        (
            "ssm",
            "GetParameter",
            {"Name": "/a/b:3"},
            [Request("ssm:GetParameter", f"{PARAMETERS}/a/b")],
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": "/c,/d"},
            [Request("ssm:GetParameters", f"{PARAMETERS}/{name}") for name in "cd"],
        ),
        (
            "ecr-public",
            "GetAuthorizationToken",
            {},
            [Request("ecr-public:GetAuthorizationToken"), BEARER],
        ),
        (
            "eks",
            "DescribeCluster",
            {"name": "prod"},
            [Request("eks:DescribeCluster", "arn:aws:eks:eu-west-1:111122223333:cluster/prod")],
        ),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": SPOKE, "RoleSessionName": "s"},
            [
                Request(
                    "sts:AssumeRole",
                    SPOKE,
                    {"sts:RoleSessionName": "s", "aws:ResourceAccount": "444455556666"},
                )
            ],
        ),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": SPOKE, "RoleSessionName": "s", "ExternalId": "e"},
            [
                Request(
                    "sts:AssumeRole",
                    SPOKE,
                    {
                        "sts:RoleSessionName": "s",
                        "sts:ExternalId": "e",
                        "aws:ResourceAccount": "444455556666",
                    },
                )
            ],
        ),
        ("sts", "GetCallerIdentity", {}, []),
        ("sqs", "SendMessage", {"QueueUrl": QUEUE_URL}, [Request("sqs:SendMessage", QUEUE)]),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": QUEUE_URL, "Entries": "2"},
            [Request("sqs:SendMessage", QUEUE)],
        ),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE_URL}, [Request("sqs:ReceiveMessage", QUEUE)]),
        (
            "sqs",
            "DeleteMessageBatch",
            {"QueueUrl": QUEUE_URL},
            [Request("sqs:DeleteMessage", QUEUE)],
        ),
        (
            "sqs",
            "ChangeMessageVisibility",
            {"QueueUrl": QUEUE_URL},
            [Request("sqs:ChangeMessageVisibility", QUEUE)],
        ),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": QUEUE_URL.replace("111122223333", "999999999999")},
            [Request("sqs:SendMessage", QUEUE.replace("111122223333", "999999999999"))],
        ),
    ],
)
def test_what_a_call_asks_of_iam(
    service: str, action: str, parameters: dict[str, str], asked: list[Request]
) -> None:
    assert asked_of_iam(captured(service, action, parameters), account="111122223333") == asked


@pytest.mark.parametrize(
    ("service", "action", "parameters", "with_key"),
    [
        (
            "ssm",
            "GetParameter",
            {"Name": "/a/b", "WithDecryption": "True"},
            [
                Request(
                    "kms:Decrypt",
                    KEY,
                    VIA_SSM | {"kms:EncryptionContext:PARAMETER_ARN": f"{PARAMETERS}/a/b"},
                )
            ],
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": "/c,/d", "WithDecryption": "True"},
            [
                Request(
                    "kms:Decrypt",
                    KEY,
                    VIA_SSM | {"kms:EncryptionContext:PARAMETER_ARN": f"{PARAMETERS}/{name}"},
                )
                for name in "cd"
            ],
        ),
        ("ssm", "GetParameter", {"Name": "/a/b", "WithDecryption": "False"}, []),
        ("ssm", "GetParameter", {"Name": "/a/b"}, []),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": QUEUE_URL},
            [Request("kms:GenerateDataKey", KEY, VIA_SQS), Request("kms:Decrypt", KEY, VIA_SQS)],
        ),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE_URL}, [Request("kms:Decrypt", KEY, VIA_SQS)]),
        ("sqs", "DeleteMessage", {"QueueUrl": QUEUE_URL}, []),
    ],
)
def test_what_a_call_asks_of_kms_under_a_customer_key(
    service: str, action: str, parameters: dict[str, str], with_key: list[Request]
) -> None:
    call = captured(service, action, parameters)
    without = asked_of_iam(call, account="111122223333")
    assert (
        asked_of_iam(call, account="111122223333", config_key=KEY, queue_key=KEY)
        == without + with_key
    )


def test_a_call_of_another_partition_has_its_arns() -> None:
    (asked,) = asked_of_iam(
        captured("eks", "DescribeCluster", {"name": "prod"}),
        account="111122223333",
        partition="aws-us-gov",
    )
    assert asked.resource == "arn:aws-us-gov:eks:eu-west-1:111122223333:cluster/prod"


@pytest.mark.parametrize(
    ("service", "action", "parameters"),
    [
        ("s3", "GetObject", {}),
        ("kms", "Decrypt", {"KeyId": KEY}),
        ("ssm", "PutParameter", {"Name": "/a/b"}),
        ("ssm", "GetParameter", {"Name": f"{PARAMETERS}/a/b"}),
        ("ssm", "GetParametersByPath", {"Path": "/a", "WithDecryption": "True"}),
        ("ecr-public", "DescribeRepositories", {}),
        ("eks", "ListNodegroups", {}),
        ("sts", "AssumeRoleWithWebIdentity", {"RoleArn": SPOKE}),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": SPOKE, "RoleSessionName": "s", "Tags": "1"},
        ),  # asks for sts:TagSession besides
        (
            "sts",
            "AssumeRole",
            {"RoleArn": SPOKE, "RoleSessionName": "s", "SourceIdentity": "i"},
        ),  # asks for sts:SetSourceIdentity besides
        ("sqs", "PurgeQueue", {"QueueUrl": QUEUE_URL}),
    ],
)
def test_a_call_that_nobody_judged_raises(
    service: str, action: str, parameters: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"nobody said|cannot be read"):
        asked_of_iam(
            captured(service, action, parameters),
            account="111122223333",
            config_key=KEY,
            queue_key=KEY,
        )


def test_a_call_of_another_account_than_said_raises() -> None:
    with pytest.raises(ValueError, match="a call of 111122223333, not of 444455556666"):
        asked_of_iam(captured("eks", "DescribeCluster", {"name": "prod"}), account="444455556666")


def test_no_key_of_another_partition_is_guessed_at() -> None:
    call = captured("sqs", "SendMessage", {"QueueUrl": QUEUE_URL})
    with pytest.raises(ValueError, match="nobody said how services are named to KMS in aws-cn"):
        asked_of_iam(call, account="111122223333", partition="aws-cn", queue_key=KEY)
