"""The command `aws SERVICE COMMAND ...`, run by botocore for documents whose commands are run.

It sends what the AWS CLI would send, and prints what that would print.

`python -m tests.support.commands.aws_runner ssm put-parameter --name ...`. It knows operations of
the service models, --query and --output text|json. Of what the CLI has besides, it does nothing:
`eks update-kubeconfig`, `cloudformation deploy`, `logs tail`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import OperationModel, Shape

_OF_THE_CLI = {("eks", "update-kubeconfig"), ("cloudformation", "deploy"), ("logs", "tail")}
_GLOBAL = (
    "--region",
    "--query",
    "--output",
    "--profile",
    "--cli-read-timeout",
    "--cli-binary-format",
)
_REFUSED = 254  # https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html


def main(arguments: Sequence[str]) -> int:
    """Print the answer and return the exit code."""
    service, command, *rest = arguments
    if (service, command) in _OF_THE_CLI:
        return 0
    options, words = _options(rest)
    given = {name: options.pop(name, [""])[0] for name in _GLOBAL}
    session = botocore.session.get_session()
    client = session.create_client(
        service,
        region_name=given["--region"] or None,
        config=Config(retries={"total_max_attempts": 1}),
    )
    operation = next(
        name
        for name in client.meta.service_model.operation_names
        if xform_name(name, "-") == command
    )
    model = client.meta.service_model.operation_model(operation)
    try:
        answer = getattr(client, xform_name(operation))(**_parameters(model, options))
    except ClientError as error:
        sys.stderr.write(f"\n{error}\n")
        return _REFUSED
    answer.pop("ResponseMetadata", None)
    if words:
        Path(words[0]).write_bytes(answer.pop("Payload").read())
    shown = jmespath.search(given["--query"], answer) if given["--query"] else answer
    sys.stdout.write(
        _text(shown) if given["--output"] == "text" else json.dumps(shown, indent=4, default=str)
    )
    sys.stdout.write("\n")
    return 0


def _options(words: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return options with their values, and the words before the first one or after a flag's.

    A file for the answer comes last.
    """
    options: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
            options[name] = []
        elif word == "/dev/stdout":
            return options, [word]
        else:
            options[name].append(word)
    return options, []


def _parameters(model: OperationModel, options: dict[str, list[str]]) -> dict[str, Any]:
    members = dict(model.input_shape.members) if model.input_shape else {}
    by_option = {f"--{xform_name(name, '-')}": (name, shape) for name, shape in members.items()}
    return {
        by_option[option][0]: _value(by_option[option][1], values)
        for option, values in options.items()
    }


def _value(shape: Shape, values: list[str]) -> Any:
    match shape.type_name:
        case "boolean":
            return True
        case "integer" | "long":
            return int(values[0])
        case "list" if not values[0].startswith("["):
            return values
        case "list" | "structure" | "map":
            return json.loads(values[0])
        case "blob":
            return values[0].encode()
        case _:
            return values[0]


def _text(value: Any) -> str:
    if isinstance(value, list):
        nested = any(isinstance(item, list) for item in value)
        return ("\n" if nested else "\t").join(_text(item) for item in value)
    return str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
