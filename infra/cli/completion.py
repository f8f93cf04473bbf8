"""Ids of documents for the shell's completion, from Parameter Store: two calls, and nothing at all where they are not answered at once."""

from collections.abc import Iterator

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.configuration.loader import pushed_by

from .errors import CliError
from .options import Options
from .session import Session


def complete_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """What could stand where `incomplete` does. Never an error: whoever completes is still typing."""
    options = _options(ctx)
    try:
        session = Session(profile=options.profile, region=options.region, stack_name=options.stack_name(), patient=False)
        return sorted(name for name in _ids(session) if name.startswith(incomplete))
    except (CliError, BotoCoreError, ClientError):
        return []


def _options(ctx: typer.Context) -> Options:
    given = {name: ctx.params.get(name) for name in ("stack", "region", "profile")}
    parent = ctx.parent.params if ctx.parent else {}
    return Options(*(given[name] or parent.get(name) for name in given))


def _ids(session: Session) -> Iterator[str]:
    root = session.stack.config_path
    for page in session.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=root, Recursive=True, WithDecryption=False):
        for parameter in page["Parameters"]:
            if (document_id := pushed_by(parameter["Name"], root=root)) is not None:
                yield document_id
