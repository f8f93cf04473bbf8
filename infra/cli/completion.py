"""Ids of documents for the shell's completion, from Parameter Store: two calls, and nothing at all
where they are not answered at once.
"""

from collections.abc import Iterator

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.configuration.loader import pushed_by

from .errors import CliError
from .options import Options
from .session import Session


def complete_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """What could stand where `incomplete` does: ids as events name them.

    Never an error: whoever completes is still typing.
    """
    return [name for name in _found(ctx) if name.startswith(incomplete)]


def complete_documents(ctx: typer.Context, incomplete: str) -> list[str]:
    """The same, as documents are called: a discovery's is `discover/<id>`."""
    names = (
        f"discover/{name.removesuffix('/*')}" if name.endswith("/*") else name
        for name in _found(ctx)
    )
    return [name for name in names if name.startswith(incomplete)]


def _found(ctx: typer.Context) -> list[str]:
    options = _options(ctx)
    try:
        return sorted(
            _ids(
                Session(
                    profile=options.profile,
                    region=options.region,
                    stack_name=options.stack_name(),
                    patient=False,
                )
            )
        )
    except (CliError, BotoCoreError, ClientError):
        return []


def _options(ctx: typer.Context) -> Options:
    """Those of the line so far, the innermost first."""
    given, place = Options(), ctx
    while place is not None:
        given = given.or_else(
            Options(*(place.params.get(name) for name in ("stack", "region", "profile")))
        )
        place = place.parent  # type: ignore[assignment]  # Typer's own class is its base's by another name
    return given


def _ids(session: Session) -> Iterator[str]:
    root = session.stack.config_path
    for page in (
        session.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=root, Recursive=True, WithDecryption=False)
    ):
        for parameter in page["Parameters"]:
            if (document_id := pushed_by(parameter["Name"], root=root)) is not None:
                yield document_id
