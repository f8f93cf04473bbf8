"""The AWS CLI (version 2) by botocore's service models, from which it makes its commands.

Also the commands that it adds by hand.
"""

import functools
from collections.abc import Callable, Iterable, Mapping

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from tests.support.commands.options import Option, one_of, take_apart, whole_number
from tests.support.commands.shell import Command, Word

# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
GLOBAL = {
    **dict.fromkeys(
        (
            "--debug",
            "--no-verify-ssl",
            "--no-paginate",
            "--no-sign-request",
            "--no-cli-pager",
            "--no-cli-auto-prompt",
            "--cli-auto-prompt",
        ),
        Option(values=0),
    ),
    **dict.fromkeys(
        ("--endpoint-url", "--query", "--profile", "--region", "--ca-bundle"), Option()
    ),
    "--output": Option(check=one_of(("json", "text", "table", "yaml", "yaml-stream", "off"))),
    "--color": Option(check=one_of(("on", "off", "auto"))),
    "--cli-read-timeout": Option(check=whole_number),
    "--cli-connect-timeout": Option(check=whole_number),
    "--cli-binary-format": Option(check=one_of(("base64", "raw-in-base64-out"))),
}
OF_OPERATIONS = {
    "--cli-input-json": Option(),
    "--cli-input-yaml": Option(),
    "--generate-cli-skeleton": Option(),
}
PAGING = {
    "--max-items": Option(check=whole_number),
    "--page-size": Option(check=whole_number),
    "--starting-token": Option(),
}
# Services without a region, or the same in each.
GLOBAL_SERVICES = frozenset({"configure", "iam", "sts", "s3", "s3api", "sso"})


def _options(names: str, *, flags: str = "", many: str = "") -> dict[str, Option]:
    return {
        **{f"--{name}": Option() for name in names.split()},
        **{f"--{name}": Option(values=0) for name in flags.split()},
        **{f"--{name}": Option(values=None) for name in many.split()},
    }


# Commands that no service model has: https://docs.aws.amazon.com/cli/latest/reference/, the page of
# each.
_CUSTOM: Mapping[tuple[str, str], tuple[dict[str, Option], tuple[str, ...], int]] = {
    # (options, those required, how many words besides)
    ("eks", "update-kubeconfig"): (
        _options(
            "name kubeconfig role-arn alias user-alias assume-role-arn proxy-url",
            flags="dry-run verbose",
        ),
        ("--name",),
        0,
    ),
    ("eks", "get-token"): (_options("cluster-name role-arn cluster-id"), (), 0),
    ("cloudformation", "deploy"): (
        _options(
            "template-file stack-name s3-bucket s3-prefix kms-key-id role-arn",
            flags=(
                "force-upload no-execute-changeset no-fail-on-empty-changeset"
                " fail-on-empty-changeset disable-rollback no-disable-rollback"
            ),
            many="parameter-overrides capabilities notification-arns tags",
        ),
        ("--template-file", "--stack-name"),
        0,
    ),
    ("logs", "tail"): (
        _options(
            "since format filter-pattern log-stream-name-prefix",
            flags="follow",
            many="log-stream-names",
        ),
        (),
        1,
    ),
    ("s3", "mb"): ({}, (), 1),
    ("s3", "rb"): (_options("", flags="force"), (), 1),
    ("s3", "ls"): (_options("", flags="recursive human-readable summarize"), (), 1),
    ("s3", "cp"): (_options("", flags="recursive quiet dryrun"), (), 2),
    ("s3", "rm"): (_options("", flags="recursive quiet dryrun"), (), 1),
    ("sso", "login"): (_options("sso-session", flags="no-browser use-device-code"), (), 0),
    ("configure", "list"): ({}, (), 0),
    ("configure", "get"): ({}, (), 1),
    ("configure", "set"): ({}, (), 2),
}
# Options that the CLI adds to an operation of a model.
_ADDED: Mapping[tuple[str, str], dict[str, Option]] = {
    ("ec2", "authorize-security-group-ingress"): _options(
        "protocol port cidr source-group group-owner"
    ),
    ("ec2", "revoke-security-group-ingress"): _options(
        "protocol port cidr source-group group-owner"
    ),
}


def judge(command: Command) -> list[str]:
    """Return the problems of `aws SERVICE COMMAND ...`."""
    words = [word for word in command.words if word.text not in GLOBAL or GLOBAL[word.text].values]
    names = _names(words)
    if len(names) < 2:
        return ["no service and command"]
    service = names[0]
    action = names[1]
    rest = [word for word in words if word.text not in (service, action)]
    if (service, action) in _CUSTOM:
        options, required, more = _CUSTOM[service, action]
        return _judged(rest, options, required, more)
    try:
        model = _model(service)
    except UnknownServiceError:
        return [f"no service {service}"]
    if action == "wait":
        return _judge_waiter(
            service,
            [word for word in rest if word.text != "wait"],
            names[2] if len(names) > 2 else "",
        )
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if action not in operations:
        return [f"{service} has no command {action}"]
    return _judge_operation(service, action, model.operation_model(operations[action]), rest)


def lacks_region(command: Command) -> bool:
    """Return whether the region is left to the person who pastes it."""
    names = _names(command.words)
    return bool(names) and names[0] not in GLOBAL_SERVICES and command.option("--region") is None


def _names(words: Iterable[Word]) -> list[str]:
    """Return the words before the first option of the command's own: service, command."""
    names: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.text.startswith("--"):
            if word.text.partition("=")[0] not in GLOBAL or len(names) >= 2:
                break
            skip = "=" not in word.text and GLOBAL[word.text].values != 0
        else:
            names.append(word.text)
    return names


def _judge_operation(
    service: str, action: str, operation: OperationModel, words: list[Word]
) -> list[str]:
    members = dict(operation.input_shape.members) if operation.input_shape else {}
    options = {**OF_OPERATIONS, **_ADDED.get((service, action), {})}
    if _pages(service, operation.name):
        options |= PAGING
    for name, shape in members.items():
        options |= _member(name, shape)
    given_whole = any(word.text.startswith("--cli-input") for word in words)
    wanted = (
        [] if given_whole or not operation.input_shape else operation.input_shape.required_members
    )
    required = tuple(
        f"--{xform_name(name, '-')}"
        for name in wanted
        if not members[name].metadata.get("idempotencyToken")
    )
    return _judged(words, options, required, 1 if operation.has_streaming_output else 0)


def _judge_waiter(service: str, words: list[Word], name: str) -> list[str]:
    waiters = _session().get_waiter_model(service)
    known = {xform_name(waiter, "-"): waiter for waiter in waiters.waiter_names}
    if name not in known:
        return [f"{service} has no waiter {name}"]
    operation = _model(service).operation_model(waiters.get_waiter(known[name]).operation)
    return _judge_operation(
        service, "wait", operation, [word for word in words if word.text != name]
    )


def _judged(
    words: list[Word], options: Mapping[str, Option], required: Iterable[str], positional: int
) -> list[str]:
    parsed = take_apart(words, {**GLOBAL, **options})
    found = list(parsed.problems)
    if len(parsed.positional) != positional and not any(word.open for word in parsed.positional):
        extra = " ".join(word.text for word in parsed.positional)
        found.append(
            f"takes {positional} words that belong to no option, not {len(parsed.positional)}:"
            f" {extra}"
        )
    left_open = any(word.open for word in parsed.positional)
    return found + [
        f"lacks {name}" for name in required if name not in parsed.given and not left_open
    ]


def _member(name: str, shape: Shape) -> dict[str, Option]:
    option = f"--{xform_name(name, '-')}"
    if shape.type_name == "boolean":
        return {option: Option(values=0), f"--no-{option.removeprefix('--')}": Option(values=0)}
    if isinstance(shape, (ListShape, MapShape, StructureShape)):
        return {option: Option(values=None)}
    return {option: Option(check=_check(shape))}


def _check(shape: Shape) -> Callable[[str], str | None]:
    if shape.type_name in ("integer", "long"):
        return whole_number
    if values := shape.metadata.get("enum"):
        return one_of(values)
    return lambda _: None


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@functools.cache
def _model(service: str) -> ServiceModel:
    return _session().get_service_model(service)


@functools.cache
def _pages(service: str, operation: str) -> bool:
    try:
        _session().get_paginator_model(service).get_paginator(operation)
    except (ValueError, UnknownServiceError):
        return False
    return True
