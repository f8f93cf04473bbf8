"""What CloudFormation gets to see of template.yaml: aws-sam-translator's output, and a stack's view of it with parameters filled in."""

import re
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = Path(__file__).resolve().parents[2]

REGION, ACCOUNT, STACK = "eu-west-1", "123456789012", "two-of-a-kind"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
_ABSENT = object()


class _Intrinsics(yaml.SafeLoader):
    """YAML with CloudFormation's short forms. A loader of its own: samtranslator's helper would teach them to every other one too."""


def _long_form(loader: _Intrinsics, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Intrinsics.add_multi_constructor("!", _long_form)


def source() -> dict[str, Any]:
    """template.yaml as written, intrinsic functions in their long form."""
    template: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Intrinsics)
    return template


def translated(**parameters: Any) -> dict[str, Any]:
    """Plain CloudFormation. The transform sees a stack's parameters, and puts some of them in place itself."""
    written = source()
    written["Resources"]["PusherFunction"]["Properties"]["CodeUri"] = "s3://bucket/key"  # as `sam package` leaves it
    session = boto3.Session(region_name=REGION)  # the transform decides by region; no call is made: the template names no managed policies
    output: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(written, parameters)
    return output


def deployed(**parameters: Any) -> dict[str, dict[str, Any]]:
    """The resources of a stack with these parameters: references resolved, conditions decided. GetAtt stays `<logical id>.<attribute>`."""
    template = translated(**parameters)
    values = {name: str(parameters.get(name, body.get("Default"))) for name, body in template["Parameters"].items()} | PSEUDO
    conditions = {name: _value(body, values, {}) for name, body in template.get("Conditions", {}).items()}
    return {name: _value(body, values, conditions) for name, body in template["Resources"].items()}


def statements(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The statements of a role's inline policies, by Sid."""
    found = [statement for policy in role["Properties"]["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
    by_sid = {statement.pop("Sid"): statement for statement in found}
    assert len(by_sid) == len(found)
    return by_sid


def documents(path: str) -> list[dict[str, Any]]:
    """The documents of a YAML file of the project."""
    return list(yaml.safe_load_all((ROOT / path).read_text()))


def _value(node: Any, values: dict[str, str], conditions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [found for item in node if (found := _value(item, values, conditions)) is not _ABSENT]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (function, argument), *_ = node.items()
        match function:
            case "Ref" if argument == "AWS::NoValue":
                return _ABSENT
            case "Ref":
                return values.get(argument, argument)
            case "Fn::GetAtt":
                return ".".join(argument)
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], argument)
            case "Fn::If":
                return _value(argument[1 if conditions[argument[0]] else 2], values, conditions)
            case "Fn::Equals":
                left, right = _value(argument, values, conditions)
                return left == right
            case "Fn::Not":
                return not _value(argument[0], values, conditions)
    return {key: found for key, item in node.items() if (found := _value(item, values, conditions)) is not _ABSENT}
