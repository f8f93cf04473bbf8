"""CloudFormation's stacks as Terraform's provider requests them, before the local AWS.

Every request is kept.

moto runs no transform, and so cannot deploy this template. What counts here is what AWS does with a
request: a parameter that an update leaves out has its template's default again, an update that
fails goes back to the code and the parameters before it, and both updates need the zip that the
template names.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as Xml

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from infra.local.aws.local import LocalAws
from infra.local.aws.template import read_template
from infra.local.aws.wire import Answer, AwsRequest

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_CODE = re.compile(r"CodeUri: \{Bucket: (?P<bucket>[^,]+), Key: !Ref (?P<parameter>\w+)\}")


@dataclass
class Stack:
    """A stack, and the template and parameter values that it has now."""

    name: str
    id: str
    text: str
    parameters: dict[str, str]
    tags: dict[str, str]
    status: str = "CREATE_COMPLETE"
    events: list[dict[str, str]] = field(default_factory=list)

    @property
    def code(self) -> tuple[str, str]:
        """Return bucket and key of the function's zip."""
        return _code(self.text, self.parameters)


@dataclass
class Stacks:
    """CloudFormation of one account, by `answers` in front of the local AWS.

    `requests`: each creation and update.
    """

    account: str
    role_name: str = "ecr-public-pusher-PusherRole-0A1B"
    stacks: dict[str, Stack] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @classmethod
    def before(cls, aws: LocalAws) -> "Stacks":
        """Put it before an AWS, and return it."""
        one = cls(aws.account_id)
        answers: dict[str, Callable[[AwsRequest], Answer]] = {
            "CreateStack": one._create,
            "UpdateStack": one._update,
            "DeleteStack": one._delete,
            "DescribeStacks": one._describe,
            "DescribeStackEvents": one._events,
            "GetTemplate": one._template,
        }
        for action, answer in answers.items():
            aws.script("cloudformation", action, answer)
        return one

    def fail_next_update(self, reason: str) -> None:
        """Roll back the next update for this reason."""
        self.failures.append(reason)

    def object(self, region: str, bucket: str, key: str) -> bytes | None:
        """Return an object's content; None where there is none."""
        found = s3_backends[self.account][get_partition(region)].buckets[bucket].keys.get(key)
        return None if found is None else bytes(found.value)

    def _create(self, request: AwsRequest) -> Answer:
        name = request.form["StackName"]
        asked = self._asked(request)
        if isinstance(asked, Answer):
            return asked
        text, parameters = asked
        partition = get_partition(request.region)
        stacks = f"arn:{partition}:cloudformation:{request.region}:{self.account}:stack"
        arn = f"{stacks}/{name}/{uuid.uuid4()}"
        self.stacks[arn] = Stack(name, arn, text, parameters, _tags(request.form))
        return _xml(request, {"StackId": arn})

    def _update(self, request: AwsRequest) -> Answer:
        stack = self._find(request)
        asked = self._asked(request)
        if stack is None or isinstance(asked, Answer):
            return asked if isinstance(asked, Answer) else _unknown(request)
        text, parameters = asked
        tags = _tags(request.form)
        if (text, parameters, tags) == (stack.text, stack.parameters, stack.tags):
            return Answer.refusal(request, "ValidationError", "No updates are to be performed.")
        if self.failures:
            reason = self.failures.pop()
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
            token = request.form["ClientRequestToken"]
            stack.events.insert(0, _event(stack, "UPDATE_FAILED", reason, token))
        else:
            stack.text = text
            stack.parameters = parameters
            stack.tags = tags
            stack.status = "UPDATE_COMPLETE"
        return _xml(request, {"StackId": stack.id})

    def _delete(self, request: AwsRequest) -> Answer:
        stack = self._find(request)
        if stack is not None:
            stack.status = "DELETE_COMPLETE"
        return _xml(request, {})

    def _describe(self, request: AwsRequest) -> Answer:
        stack = self._find(request)
        if stack is None:
            return _unknown(request)
        return _xml(request, {"Stacks": [self._shown(stack, request.region)]})

    def _events(self, request: AwsRequest) -> Answer:
        stack = self._find(request)
        return _unknown(request) if stack is None else _xml(request, {"StackEvents": stack.events})

    def _template(self, request: AwsRequest) -> Answer:
        stack = self._find(request)
        return _unknown(request) if stack is None else _xml(request, {"TemplateBody": stack.text})

    def _find(self, request: AwsRequest) -> Stack | None:
        asked = request.form["StackName"]
        there = (one for one in self.stacks.values() if one.status != "DELETE_COMPLETE")
        return self.stacks.get(asked) or next((one for one in there if one.name == asked), None)

    def _asked(self, request: AwsRequest) -> tuple[str, dict[str, str]] | Answer:
        """Return the template's text and the parameters' values, or the refusal of them."""
        given = _given(request.form)
        self.requests.append((request.action, given))
        _, bucket, key = request.form["TemplateURL"].removeprefix("https://").split("/", 2)
        content = self.object(request.region, bucket, key)
        if content is None:
            return Answer.refusal(
                request, "ValidationError", f"S3 error: The specified key does not exist. {key}"
            )
        text = content.decode()
        declared = read_template(text)["Parameters"]
        values = {
            name: given.get(name, str(body.get("Default"))) for name, body in declared.items()
        }
        refused = [
            *(given.keys() - declared.keys()),
            *(name for name in values if not _fits(declared[name], values[name])),
        ]
        if refused:
            return Answer.refusal(
                request, "ValidationError", f"Parameters: [{', '.join(refused)}] do not fit"
            )
        bucket, key = _code(text, values)
        if self.object(request.region, bucket, key) is None:
            return Answer.refusal(request, "ValidationError", f"S3 Error Code: NoSuchKey. {key}")
        return text, values

    def _shown(self, stack: Stack, region: str) -> dict[str, Any]:
        names = read_template(stack.text)["Outputs"]
        partition = get_partition(region)
        known = {
            "FunctionRoleArn": f"arn:{partition}:iam::{self.account}:role/{self.role_name}",
            "FunctionName": f"{stack.name}-PusherFunction-0A1B",
        }
        outputs = {name: known.get(name, f"{name} of {stack.name}") for name in names}
        return {
            "StackName": stack.name,
            "StackId": stack.id,
            "CreationTime": datetime.now(UTC).isoformat(),
            "StackStatus": stack.status,
            "DisableRollback": "false",
            "Capabilities": ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"],
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in stack.parameters.items()
            ],
            "Outputs": [
                {"OutputKey": name, "OutputValue": value} for name, value in outputs.items()
            ],
            "Tags": [{"Key": name, "Value": value} for name, value in stack.tags.items()],
        }


def _code(text: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    (found,) = _CODE.finditer(text)
    return found["bucket"], parameters[found["parameter"]]


def _given(form: Mapping[str, str]) -> dict[str, str]:
    """Return a request's parameters: a list of keys and values, flat."""
    keys = {
        key: value
        for key, value in form.items()
        if re.fullmatch(r"Parameters\.member\.\d+\.ParameterKey", key)
    }
    return {
        value: form[key.replace("ParameterKey", "ParameterValue")] for key, value in keys.items()
    }


def _tags(form: Mapping[str, str]) -> dict[str, str]:
    keys = {
        key: value for key, value in form.items() if re.fullmatch(r"Tags\.member\.\d+\.Key", key)
    }
    return {value: form[key.replace(".Key", ".Value")] for key, value in keys.items()}


def _fits(declared: Mapping[str, Any], value: str) -> bool:
    """Say whether CloudFormation takes a value: of a list each of its members."""
    values = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    pattern = declared.get("AllowedPattern")
    allowed = [str(one) for one in declared.get("AllowedValues", [])]
    return all(
        (not pattern or re.search(pattern, one)) and (not allowed or one in allowed)
        for one in values
    )


def _event(stack: Stack, status: str, reason: str, token: str) -> dict[str, str]:
    return {
        "StackId": stack.id,
        "EventId": str(uuid.uuid4()),
        "StackName": stack.name,
        "LogicalResourceId": "PusherFunction",
        "ResourceType": "AWS::Lambda::Function",
        "Timestamp": datetime.now(UTC).isoformat(),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "ClientRequestToken": token,
    }


def _unknown(request: AwsRequest) -> Answer:
    return Answer.refusal(
        request, "ValidationError", f"Stack with id {request.form['StackName']} does not exist"
    )


def _xml(request: AwsRequest, result: Mapping[str, Any]) -> Answer:
    answer = Xml.Element(f"{request.action}Response", xmlns=_NAMESPACE)
    _fill(Xml.SubElement(answer, f"{request.action}Result"), result)
    return Answer(200, Xml.tostring(answer), {"Content-Type": "text/xml"})


def _fill(parent: Xml.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        element = Xml.SubElement(parent, name)
        for member in value if isinstance(value, list) else []:
            one = Xml.SubElement(element, "member")
            if isinstance(member, Mapping):
                _fill(one, member)
            else:
                one.text = member
        if isinstance(value, str):
            element.text = value
