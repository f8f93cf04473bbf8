"""The function, the alarms and the scheduler's event in template.yaml, as CloudFormation sees them.

Only what they need is resolved: parameters, pseudo parameters, mappings, resources that the caller
gives a value for, !Ref, !Sub, !Join and !FindInMap. Other intrinsics stay as they are, and an
environment variable with such a value is left out.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FUNCTION = "AWS::Serverless::Function"
ALARM = "AWS::CloudWatch::Alarm"
SCHEDULE_TYPE = "AWS::Scheduler::Schedule"
# The schedule whose event is read.
SCHEDULE = "PushSchedule"
# SAM's defaults: seconds, and MB.
DEFAULT_TIMEOUT = 3
DEFAULT_MEMORY = 128


@dataclass(frozen=True)
class FunctionSpec:
    """The function's settings in Lambda.

    `folder` holds the deployed code; `timeout` is in seconds, `memory` in MB.
    """

    folder: Path
    handler: str
    environment: Mapping[str, str]
    timeout: int
    memory: int
    logging: Mapping[str, str]
    scheduled_event: Any


def read_template(text: str) -> dict[str, Any]:
    """Return a template as written, with intrinsic functions in their long form."""
    found: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return found


def read_function(
    template: Path,
    *,
    stack_name: str,
    region: str,
    account_id: str,
    parameters: Mapping[str, str] | None = None,
    resources: Mapping[str, str] | None = None,
) -> FunctionSpec:
    """Return the only function of a (built) template.

    `parameters` replace the template's defaults; `resources` are the values of !Ref to resources,
    by logical id (a queue's URL).
    """
    given = {**(parameters or {}), **(resources or {})}
    resolved = _resources(template, stack_name, region, account_id, given)
    function = next(found for found in resolved.values() if found["Type"] == FUNCTION)["Properties"]
    variables = function.get("Environment", {}).get("Variables", {})
    return FunctionSpec(
        folder=(template.parent / function["CodeUri"]).resolve(),
        handler=function["Handler"],
        environment={
            name: str(value) for name, value in variables.items() if not isinstance(value, dict)
        },
        timeout=int(function.get("Timeout", DEFAULT_TIMEOUT)),
        memory=int(function.get("MemorySize", DEFAULT_MEMORY)),
        logging={
            name: value
            for name, value in function.get("LoggingConfig", {}).items()
            if isinstance(value, str)
        },
        scheduled_event=_scheduled(resolved),
    )


@functools.cache
def read_alarms(
    template: Path, *, stack_name: str, region: str, account_id: str
) -> Mapping[str, str]:
    """Return the alarms' descriptions by name, with the template's default parameters."""
    resolved = _resources(template, stack_name, region, account_id, {})
    alarms = [resource["Properties"] for resource in resolved.values() if resource["Type"] == ALARM]
    return {alarm["AlarmName"]: alarm["AlarmDescription"] for alarm in alarms}


@functools.cache
def read_version(template: Path) -> str:
    """Return the release in the template's outputs."""
    return str(read_template(template.read_text())["Outputs"]["Version"]["Value"])


@functools.cache
def read_schedules(
    template: Path, *, stack_name: str, region: str, account_id: str
) -> Mapping[str, Mapping[str, Any]]:
    """Return the properties of the schedules by name, with the template's default parameters."""
    resolved = _resources(template, stack_name, region, account_id, {})
    found = [one["Properties"] for one in resolved.values() if one["Type"] == SCHEDULE_TYPE]
    return {schedule["Name"]: schedule for schedule in found}


def parameter_names(template: Path) -> frozenset[str]:
    """Return the names of the template's parameters."""
    return frozenset(read_template(template.read_text()).get("Parameters", {}))


def _resources(
    template: Path, stack_name: str, region: str, account_id: str, given: Mapping[str, str]
) -> dict[str, Any]:
    """Return the template's resources, resolved.

    `given`: values of parameters and resources, which replace the parameters' defaults.
    """
    document = read_template(template.read_text())
    defaults = {
        name: entry.get("Default") for name, entry in document.get("Parameters", {}).items()
    }
    pseudo = {
        "AWS::StackName": stack_name,
        "AWS::Region": region,
        "AWS::AccountId": account_id,
        "AWS::Partition": "aws",
        "AWS::NoValue": None,
    }
    values = {**defaults, **given, **pseudo}
    resolved: dict[str, Any] = _resolve(document["Resources"], values, document.get("Mappings", {}))
    return resolved


def _scheduled(resources: Mapping[str, Any]) -> Any:
    schedule = resources.get(SCHEDULE)
    return json.loads(schedule["Properties"]["Target"].get("Input", "{}")) if schedule else {}


def _resolve(value: Any, values: Mapping[str, Any], mappings: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolve(item, values, mappings) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return values.get(value["Ref"], value)
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return re.sub(
            r"\$\{([\w:]+)\}", lambda found: str(values.get(found[1], found[0])), value["Fn::Sub"]
        )
    if set(value) == {"Fn::Join"}:
        separator, parts = _resolve(value["Fn::Join"], values, mappings)
        # The value of a list parameter is its items, joined by commas.
        return (
            separator.join(parts if isinstance(parts, list) else parts.split(","))
            if isinstance(parts, list | str)
            else value
        )
    if set(value) == {"Fn::FindInMap"}:
        name, first, second = _resolve(value["Fn::FindInMap"], values, mappings)
        return mappings[name][str(first)][second]
    return {key: _resolve(item, values, mappings) for key, item in value.items()}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with CloudFormation's short forms (!Ref x) read as their long ones ({Ref: x}).

    A loader of its own: samtranslator's helper would teach them to every other one too.
    """


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)
