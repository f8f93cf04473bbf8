"""The policy evaluation that the stack's permissions are judged by, held to the examples of AWS's own guide.

Each block names the page of https://docs.aws.amazon.com/IAM/latest/UserGuide/ that its examples stand on.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.iam import Decision, Request, Values, evaluate

ALLOWED, IMPLICIT, EXPLICIT = Decision.ALLOWED, Decision.IMPLICITLY_DENIED, Decision.EXPLICITLY_DENIED


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def deny(action: Any = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return allow(action, resource, **condition) | {"Sid": "D", "Effect": "Deny"}


def decided(*statements: Mapping[str, Any], action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k", **context: Values) -> Decision:
    return evaluate([policy(*statements)], Request(action, resource, {key.replace("__", ":"): value for key, value in context.items()})).decision


def met(condition: dict[str, Any], context: dict[str, Values]) -> bool:
    """Whether a statement with this condition matches a request with this context."""
    return evaluate([policy(allow(**condition))], Request("s3:GetObject", "arn:aws:s3:::b/k", context)).decision is ALLOWED


# reference_policies_evaluation-logic_policy-eval-basics.html: denied by default, allowed by an allow, an explicit deny overrides every allow.
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
def test_denied_by_default_and_a_deny_overrides(statements: list[dict[str, Any]], decision: Decision) -> None:
    assert decided(*statements) is decision


def test_statements_of_several_policies_count_together() -> None:
    verdict = evaluate([policy(allow("s3:*")), policy(deny("s3:GetObject"))], Request("s3:GetObject", "arn:aws:s3:::b/k"))
    assert (verdict.decision, verdict.by) == (EXPLICIT, ("D",))


# reference_policies_elements_action.html: prefix and name are not case-sensitive; "iam:*AccessKey*" covers four actions; * and ?.
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


# reference_policies_elements_notaction.html: everything but.
@pytest.mark.parametrize(("action", "decision"), [("s3:DeleteBucket", IMPLICIT), ("s3:GetObject", ALLOWED)])
def test_not_action(action: str, decision: Decision) -> None:
    statement = {"Sid": "A", "Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}
    assert decided(statement, action=action) is decision


# reference_policies_elements_resource.html: paths and wildcards; "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*" and the objects it names.
@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("arn:aws:sqs:us-east-2:111122223333:queue1", "arn:aws:sqs:us-east-2:111122223333:queue1", True),
        ("arn:aws:sqs:us-east-2:111122223333:queue1", "arn:aws:sqs:us-east-2:111122223333:Queue1", False),
        ("arn:aws:iam::111122223333:user/accounting/*", "arn:aws:iam::111122223333:user/accounting/Bob", True),
        ("arn:aws:iam::111122223333:user/accounting/*", "arn:aws:iam::111122223333:user/Bob", False),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1/test/object.jpg", True),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test/object.jpg", True),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test/3/object.jpg", True),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1-test/object.jpg", False),
        ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1/test.jpg", False),
        ("arn:aws:s3:::my-corporate-bucket-????", "arn:aws:s3:::my-corporate-bucket-2026", True),
        ("arn:aws:s3:::my-corporate-bucket-????", "arn:aws:s3:::my-corporate-bucket-26", False),
    ],
)
def test_resources(pattern: str, resource: str, matches: bool) -> None:
    assert (decided(allow(resource=pattern), resource=resource) is ALLOWED) is matches


# reference_policies_elements_notresource.html
@pytest.mark.parametrize(("resource", "decision"), [("arn:aws:s3:::HRBucket/Payroll/a", IMPLICIT), ("arn:aws:s3:::HRBucket/Memo", ALLOWED)])
def test_not_resource(resource: str, decision: Decision) -> None:
    statement = {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::HRBucket/Payroll/*"}
    assert decided(statement, resource=resource) is decision


# reference_policies_condition-logic-multiple-context-keys-or-values.html: operators and keys are ANDed, values ORed.
BOTH = {
    "StringEquals": {"aws:PrincipalTag/department": ["finance", "hr", "legal"], "aws:PrincipalTag/role": ["audit", "security"]},
    "ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::222222222222:user/Ana", "arn:aws:iam::222222222222:user/Mary"]},
}
MARY = "arn:aws:iam::222222222222:user/Mary"


@pytest.mark.parametrize(
    ("context", "matches"),
    [
        ({"aws:PrincipalTag/department": "finance", "aws:PrincipalTag/role": "audit", "aws:PrincipalArn": MARY}, True),
        ({"aws:PrincipalTag/department": "hr", "aws:PrincipalTag/role": "audit", "aws:PrincipalArn": "arn:aws:iam::222222222222:user/Nikki"}, False),
        ({"aws:PrincipalTag/department": "hr", "aws:PrincipalTag/role": "payroll", "aws:PrincipalArn": MARY}, False),
        ({"aws:PrincipalTag/department": "sales", "aws:PrincipalTag/role": "audit", "aws:PrincipalArn": MARY}, False),
        ({"aws:PrincipalTag/department": "hr", "aws:PrincipalArn": MARY}, False),
        ({"AWS:PrincipalTag/Department": "finance", "aws:principaltag/role": "security", "aws:principalarn": MARY}, True),
    ],
)
def test_operators_and_keys_are_anded_and_values_ored(context: dict[str, Values], matches: bool) -> None:
    assert met(BOTH, context) is matches


# The same page: several values of a negated operator are NORed, and hold where the key is missing.
@pytest.mark.parametrize(
    ("context", "matches"),
    [
        ({"aws:SourceVpc": "vpc-111bbccc"}, False),
        ({"aws:SourceVpc": "vpc-111bbddd"}, False),
        ({"aws:SourceVpc": "vpc-999999"}, True),
        ({}, True),
    ],
)
def test_values_of_a_negated_operator_are_nored(context: dict[str, Values], matches: bool) -> None:
    assert met({"StringNotEquals": {"aws:SourceVpc": ["vpc-111bbccc", "vpc-111bbddd"]}}, context) is matches


# reference_policies_condition-single-vs-multi-valued-context-keys.html and reference_policies_condition_examples-multi-valued-context-keys.html
@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("ForAllValues:StringLike", ["key1-a", "key1-b"], True),
        ("ForAllValues:StringLike", ["key1-a", "key2"], False),
        ("ForAllValues:StringLike", [], True),
        ("ForAllValues:StringLike", None, True),
        ("ForAnyValue:StringLike", ["key1-a", "key2"], True),
        ("ForAnyValue:StringLike", ["key2", "key3"], False),
        ("ForAnyValue:StringLike", [], False),
        ("ForAnyValue:StringLike", None, False),
        ("ForAllValues:StringNotLike", ["key2", "key3"], True),
        ("ForAllValues:StringNotLike", ["key1-a", "key3"], False),
        ("ForAnyValue:StringNotLike", ["key1-a", "key3"], True),
    ],
)
def test_sets_of_values(operator: str, values: list[str] | None, matches: bool) -> None:
    assert met({operator: {"aws:TagKeys": ["key1*"]}}, {} if values is None else {"aws:TagKeys": values}) is matches


# reference_policies_elements_condition_operators.html, one block for each family of operators.
@pytest.mark.parametrize(
    ("condition", "context", "matches"),
    [
        # String: exact and case-sensitive; StringLike with wildcards
        ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, {"aws:PrincipalTag/job-category": "iamuser-admin"}, True),
        ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, {"aws:PrincipalTag/job-category": "IamUser-Admin"}, False),
        ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, {}, False),
        ({"StringEqualsIgnoreCase": {"aws:UserAgent": "Example"}}, {"aws:UserAgent": "eXAMPLE"}, True),
        ({"StringLike": {"s3:prefix": ["", "home/", "home/ana/*"]}}, {"s3:prefix": "home/ana/photos"}, True),
        ({"StringLike": {"s3:prefix": ["", "home/", "home/ana/*"]}}, {"s3:prefix": "home/bob/"}, False),
        # Numeric
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "9"}, True),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "100"}, False),
        ({"NumericGreaterThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "9"}, False),
        # Boolean
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {}, True),
        # ARN: both forms take wildcards, and each of the six parts is compared by itself
        (
            {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:T*"}},
            {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:Topic"},
            True,
        ),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:T"}}, {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:T"}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:T"}}, {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:T"}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:T"}}, {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:T"}, False),
        # IfExists: as if it were not there, where the key is not
        ({"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}, {"ec2:InstanceType": "t2.micro"}, True),
        ({"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}, {"ec2:InstanceType": "c5.large"}, False),
        ({"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}, {}, True),
        # Null: "true": the key is not there
        ({"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}, False),
        ({"Null": {"aws:TokenIssueTime": "false"}}, {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}, True),
    ],
)
def test_condition_operators(condition: dict[str, Any], context: dict[str, Values], matches: bool) -> None:
    assert met(condition, context) is matches


# reference_policies_elements_principal.html
@pytest.mark.parametrize(
    ("wanted", "asking", "matches"),
    [
        ({"Service": "events.amazonaws.com"}, {"Service": "events.amazonaws.com"}, True),
        ({"Service": "events.amazonaws.com"}, {"Service": "scheduler.amazonaws.com"}, False),
        ({"Service": "events.amazonaws.com"}, {"AWS": "events.amazonaws.com"}, False),
        ({"AWS": ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b"]}, {"AWS": "arn:aws:iam::111122223333:role/b"}, True),
        ("*", {"AWS": "arn:aws:iam::111122223333:role/b"}, True),
    ],
)
def test_principals_of_resource_policies(wanted: Any, asking: dict[str, str], matches: bool) -> None:
    statement = {"Sid": "A", "Effect": "Allow", "Principal": wanted, "Action": "sts:AssumeRole"}
    assert (evaluate([policy(statement)], Request("sts:AssumeRole", principal=asking)).decision is ALLOWED) is matches


@pytest.mark.parametrize(
    "statement",
    [
        allow(StringMatches={"a:b": "c"}),
        allow(**{"ForSomeValues:StringEquals": {"a:b": "c"}}),
        allow() | {"Effect": "Maybe"},
        allow() | {"Resources": "*"},
        {"Effect": "Allow", "Resource": "*"},
        {"Effect": "Allow", "Action": "*"},
    ],
)
def test_what_is_not_known_is_never_passed_over(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown|neither"):
        decided(statement)
