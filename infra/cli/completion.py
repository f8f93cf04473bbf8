"""Document ids for the shell's completion, from Parameter Store.

Two calls to AWS, tried once with short timeouts: a shell that completes does not wait.
"""

import typer
from botocore.exceptions import BotoCoreError, ClientError

from .documents.document import DISCOVER, DocumentName
from .documents.store import list_parameters
from .errors import CliError
from .options import Options
from .session import Session


def complete_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids that begin with `incomplete`, as events name them.

    Return nothing on any error: the command line is still being typed.
    """
    ids = sorted(name.clusters for name in _documents(ctx) if name.clusters is not None)
    return [name for name in ids if name.startswith(incomplete)]


def complete_clusters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of clusters' documents that begin with `incomplete`."""
    ids = sorted(name.id for name in _documents(ctx) if name.clusters == name.id)
    return [name for name in ids if name.startswith(incomplete)]


def complete_discoveries(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of discoveries that begin with `incomplete`."""
    ids = sorted(name.id for name in _documents(ctx) if name.folder == DISCOVER)
    return [name for name in ids if name.startswith(incomplete)]


def complete_documents(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the documents that begin with `incomplete`: `<id>`, `discover/<id>`, `defaults`."""
    names = sorted(name.id if name.clusters == name.id else str(name) for name in _documents(ctx))
    return [name for name in names if name.startswith(incomplete)]


def _documents(ctx: typer.Context) -> list[DocumentName]:
    options = _options(ctx)
    try:
        session = Session(
            profile=options.profile,
            region=options.region,
            stack_name=options.stack_name(),
            patient=False,
        )
        root = session.stack.config_path
        listed = [one["Name"] for one in list_parameters(session.client("ssm"), root)]
    except (CliError, BotoCoreError, ClientError):
        return []
    names = (DocumentName.of_parameter(parameter, root=root) for parameter in listed)
    return [name for name in names if name is not None]


def _options(ctx: typer.Context) -> Options:
    """Return the shared options on the line so far; those of inner commands win."""
    given = Options()
    place: typer.Context | None = ctx
    while place is not None:
        given = given.or_else(
            Options(*(place.params.get(name) for name in ("stack", "region", "profile")))
        )
        place = place.parent  # type: ignore[assignment]  # typed as its base class
    return given
