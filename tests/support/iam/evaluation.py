"""The evaluation of policies and a request to a verdict.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import conditions, principals
from .decision import Decision, Request, Verdict, listed, strings
from .patterns import action_like, resource_like
from .principals import Named

type Statement = Mapping[str, Any]

_LANGUAGE = "2012-10-17"
_POLICY = {"Version", "Id", "Statement"}
_STATEMENT = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def evaluate(policies: Iterable[Mapping[str, Any]], request: Request) -> Verdict:
    """Evaluate identity policies.

    A deny that matches wins, then an allow; without either the request is denied implicitly.
    """
    statements = [statement for policy in policies for statement in _statements(policy)]
    if any("Principal" in statement for statement in statements):
        raise ValueError("unknown in an identity policy: Principal")
    return _verdict([statement for statement in statements if _matches(statement, request)])


def evaluate_resource_policy(policy: Mapping[str, Any], request: Request) -> Verdict:
    """Evaluate one resource policy alone.

    A queue's, a topic's, a key's, or a role's trust policy, whose statements have no Resource.

    An allow for the account that the caller belongs to delegates the decision to the caller's own
    policies.
    """
    statements = _statements(policy)
    if len(request.principal) != 1 or not all("Principal" in statement for statement in statements):
        raise ValueError("unknown principal: a resource policy is judged by one")
    how = [
        (statement, principals.named(statement["Principal"], request.principal))
        for statement in statements
    ]
    matching = [
        (statement, named) for statement, named in how if named and _matches(statement, request)
    ]
    direct = [
        statement
        for statement, named in matching
        if named is Named.DIRECTLY or statement["Effect"] == "Deny"
    ]
    verdict = _verdict(direct)
    if verdict.decision is Decision.IMPLICITLY_DENIED and matching:
        return Verdict(Decision.DELEGATED, _sids(statement for statement, _ in matching))
    return verdict


def _verdict(matching: list[Statement]) -> Verdict:
    for effect, decision in (("Deny", Decision.EXPLICITLY_DENIED), ("Allow", Decision.ALLOWED)):
        if by := _sids(statement for statement in matching if statement["Effect"] == effect):
            return Verdict(decision, by)
    return Verdict(Decision.IMPLICITLY_DENIED)


def _sids(statements: Iterable[Statement]) -> tuple[str, ...]:
    return tuple(statement.get("Sid", "?") for statement in statements)


def _statements(policy: Mapping[str, Any]) -> list[Statement]:
    """Return the policy's statements, each checked whether the request concerns it or not."""
    if unknown := set(policy) - _POLICY:
        raise ValueError(f"unknown elements {sorted(unknown)}")
    if policy.get("Version") != _LANGUAGE:
        raise ValueError(f"unknown policy language {policy.get('Version')}")
    statements = listed(policy["Statement"])
    for statement in statements:
        _check(statement)
    return statements


def _check(statement: Statement) -> None:
    if unknown := set(statement) - _STATEMENT:
        raise ValueError(f"unknown elements {sorted(unknown)}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise ValueError(f"unknown effect {statement.get('Effect')}")
    for element in ("Action", "Resource"):
        # A trust policy has no Resource.
        if element not in statement and not (element == "Resource" and "Principal" in statement):
            raise ValueError(f"unknown: no {element}")
        if element in statement and not strings(statement[element]):
            raise ValueError(f"unknown meaning of {element} without a value")
    if "Principal" in statement:
        principals.check(statement["Principal"])
    conditions.check(statement.get("Condition", {}))


def _matches(statement: Statement, request: Request) -> bool:
    return (
        _any(statement, "Action", lambda pattern: action_like(pattern, request.action))
        and _any(statement, "Resource", lambda pattern: resource_like(pattern, request.resource))
        and conditions.hold(statement.get("Condition", {}), request)
    )


def _any(statement: Statement, element: str, matches: Callable[[str], bool]) -> bool:
    """Return whether one of the element's patterns matches.

    Each is tried, so that a malformed one raises.
    """
    return element not in statement or True in {
        matches(pattern) for pattern in strings(statement[element])
    }
