"""The templates as CloudFormation sees them.

aws-sam-translator's output, and a stack's view of it with parameters filled in.
"""

import copy
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.local.aws.template import read_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "template.yaml"

REGION = "eu-west-1"
ACCOUNT = "123456789012"
STACK = "two-of-a-kind"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
_ABSENT = object()
# The transform takes twenty times as long as a copy of its output.
_translations: dict[tuple[str, str], dict[str, Any]] = {}


def source(path: str = TEMPLATE) -> dict[str, Any]:
    """Return a template as written, with intrinsic functions in their long form."""
    return copy.deepcopy(_read(path))


@functools.cache
def _read(path: str) -> dict[str, Any]:
    return read_template((ROOT / path).read_text())


def translated(path: str = TEMPLATE, /, **parameters: Any) -> dict[str, Any]:
    """Return the template as plain CloudFormation.

    The transform sees a stack's parameters, and puts some of them in place itself.
    """
    key = (path, repr(sorted(parameters.items())))
    if key not in _translations:
        _translations[key] = _translated(path, parameters)
    return copy.deepcopy(_translations[key])


def _translated(path: str, parameters: dict[str, Any]) -> dict[str, Any]:
    written = source(path)
    if "Transform" not in written:
        return written
    written["Resources"]["PusherFunction"]["Properties"]["CodeUri"] = (
        "s3://bucket/key"  # as `sam package` leaves it
    )
    session = boto3.Session(
        region_name=REGION
    )  # the transform decides by region; no call is made: the template names no managed policies
    translator = Translator({}, Parser(), boto_session=session)
    output: dict[str, Any] = translator.translate(written, parameters)
    translator.metrics.publish()  # to nobody: otherwise it complains at the process's end
    return output


def transformed(text: str) -> dict[str, Any]:
    """Return the transformed template, whose code is at an address in S3 already."""
    session = boto3.Session(region_name=REGION)
    output: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(
        read_template(text), {}
    )
    return output


def deployed(path: str = TEMPLATE, /, **parameters: Any) -> dict[str, dict[str, Any]]:
    """Return the resources of a stack with these parameters.

    References are resolved and conditions decided; resources whose condition is false are left out.

    Ref to a resource stays its logical id, GetAtt `<logical id>.<attribute>`. Numbers are numbers,
    lists are lists.
    """
    template = translated(path, **parameters)
    stack = _Stack.of(template, parameters)
    return {
        name: stack.value(body)
        for name, body in template["Resources"].items()
        if stack.holds(body.get("Condition"))
    }


def deployed_in(
    partition: str,
    path: str = TEMPLATE,
    /,
    **pseudo: str,
) -> dict[str, dict[str, Any]]:
    """Return the resources in another partition, with the default parameters.

    `pseudo`: additional parameters.
    """
    template = translated(path)
    stack = _Stack.of(template, {}, {"AWS::Partition": partition, **pseudo})
    return {
        name: stack.value(body)
        for name, body in template["Resources"].items()
        if stack.holds(body.get("Condition"))
    }


def properties(logical_id: str, path: str = TEMPLATE, /, **parameters: Any) -> dict[str, Any]:
    """Return the properties of one resource of `deployed`."""
    found: dict[str, Any] = deployed(path, **parameters)[logical_id]["Properties"]
    return found


def outputs(
    path: str = TEMPLATE,
    /,
    *,
    partition: str = "aws",
    **parameters: Any,
) -> dict[str, Any]:
    """Return the values of the outputs, resolved in the same way."""
    template = translated(path, **parameters)
    stack = _Stack.of(template, parameters, {"AWS::Partition": partition})
    return {
        name: stack.value(body["Value"])
        for name, body in template["Outputs"].items()
        if stack.holds(body.get("Condition"))
    }


def refusals(path: str = TEMPLATE, /, *, partition: str = "aws", **parameters: Any) -> list[str]:
    """Return CloudFormation's refusals of these parameters.

    The descriptions of the assertions in Rules that do not hold.
    """
    template = translated(path, **parameters)
    stack = _Stack.of(template, parameters, {"AWS::Partition": partition})
    applying = [
        rule
        for rule in template.get("Rules", {}).values()
        if stack.value(rule.get("RuleCondition", True))
    ]
    return [
        asserted["AssertDescription"]
        for rule in applying
        for asserted in rule["Assertions"]
        if not stack.value(asserted["Assert"])
    ]


def statements(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the statements of a policy, by Sid.

    Of a role's inline policies, or of the policy of a queue, a topic or a key.
    """
    body = resource["Properties"]
    documents = (
        [policy["PolicyDocument"] for policy in body["Policies"]]
        if "Policies" in body
        else [body.get("PolicyDocument") or body["KeyPolicy"]]
    )
    found = [dict(statement) for document in documents for statement in document["Statement"]]
    by_sid = {statement.pop("Sid"): statement for statement in found}
    assert len(by_sid) == len(found)
    return by_sid


def allow(*actions: str, on: str | list[str], **condition: Any) -> dict[str, Any]:
    """Return a statement as `statements` returns it."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": actions[0] if len(actions) == 1 else list(actions),
        "Resource": on,
    }
    return statement | ({"Condition": condition} if condition else {})


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def documents(path: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML file of the project."""
    return list(yaml.safe_load_all((ROOT / path).read_text()))


@dataclass(frozen=True)
class _Stack:
    """Resolves intrinsic functions. `values`: of parameters and pseudo parameters."""

    values: Mapping[str, Any]
    mappings: Mapping[str, Any]
    written_conditions: Mapping[str, Any]
    conditions: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        template: dict[str, Any],
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, str] | None = None,
    ) -> "_Stack":
        declared = template.get("Parameters", {})
        assert not parameters.keys() - declared.keys(), (
            f"no such parameters: {sorted(parameters.keys() - declared.keys())}"
        )
        values = {
            name: _typed(body["Type"], parameters.get(name, body.get("Default")))
            for name, body in declared.items()
        }
        return cls(
            {**values, **PSEUDO, **(pseudo or {})},
            template.get("Mappings", {}),
            template.get("Conditions", {}),
        )

    def holds(self, condition: str | None) -> bool:
        """Return whether a condition, by its name, is true; a resource without one exists."""
        if condition is None:
            return True
        if condition not in self.conditions:
            self.conditions[condition] = bool(self.value(self.written_conditions[condition]))
        return self.conditions[condition]

    def value(self, node: Any) -> Any:
        """Return a node without its intrinsic functions and without AWS::NoValue."""
        if isinstance(node, list):
            return [found for item in node if (found := self.value(item)) is not _ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (function, argument), *_ = node.items()
            if function in ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If", "Condition"):
                return self._reference(function, argument)
            if function in _FUNCTIONS:
                return _FUNCTIONS[function](self, *self.value(argument))
            assert not function.startswith("Fn::"), f"{function} is not understood here"
        return {
            key: found for key, item in node.items() if (found := self.value(item)) is not _ABSENT
        }

    def _reference(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref" if argument == "AWS::NoValue":
                return _ABSENT
            case "Ref":
                return self.values.get(argument, argument)
            case "Fn::GetAtt":
                return ".".join(argument)
            case "Fn::Sub":
                text, own = argument if isinstance(argument, list) else (argument, {})
                values = {**self.values, **{name: self.value(value) for name, value in own.items()}}
                return re.sub(
                    r"\$\{([^!}][^}]*)\}", lambda found: str(values.get(found[1], found[1])), text
                )
            case "Fn::If":
                return self.value(argument[1 if self.holds(argument[0]) else 2])
        # `Condition` is a function within Conditions; elsewhere it is a resource's attribute or a
        # statement's key.
        return (
            self.holds(argument) if isinstance(argument, str) else {function: self.value(argument)}
        )

    def find_in_map(self, name: str, *keys: Any) -> Any:
        found = self.mappings[name]
        for key in keys:
            found = found[str(key)]
        return found


def _typed(kind: str, value: Any) -> Any:
    match kind:
        case "Number":
            return int(value)
        case "CommaDelimitedList":
            return str(value).split(",") if value else []
    return value if value is None else str(value)


def _same(left: Any, right: Any) -> bool:
    """Compare as CloudFormation does, which compares strings."""
    return str(left) == str(right)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "Fn::Equals": lambda _, left, right: _same(left, right),
    "Fn::Not": lambda _, operand: not operand,
    "Fn::And": lambda _, *operands: all(operands),
    "Fn::Or": lambda _, *operands: any(operands),
    "Fn::Join": lambda _, delimiter, parts: delimiter.join(map(str, parts)),
    "Fn::Split": lambda _, delimiter, text: text.split(delimiter),
    "Fn::Select": lambda _, index, items: items[int(index)],
    "Fn::FindInMap": lambda stack, *path: stack.find_in_map(*path),
    # Rules only.
    "Fn::Contains": lambda _, items, wanted: any(_same(item, wanted) for item in items),
    "Fn::EachMemberEquals": lambda _, items, wanted: all(_same(item, wanted) for item in items),
    "Fn::EachMemberIn": lambda _, items, others: all(
        any(_same(item, other) for other in others) for item in items
    ),
}
