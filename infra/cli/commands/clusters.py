"""`clusters list` and `clusters show`: the stack's documents with their defaults merged in."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ecr_public_pusher.errors import PusherError

from ..command import Cli, command, group
from ..completion import complete_documents
from ..documents.deployed import Deployed
from ..documents.document import DISCOVER, DocumentName
from ..documents.settings import Setting, settings
from ..documents.store import Stored
from ..errors import CliError, ExitCode
from ..rendering.clusters import cluster_row, render_list, render_settings
from ..rendering.documents import render_problems
from . import (
    cluster_add,
    cluster_changes,
    cluster_export,
    cluster_offboard,
    cluster_rename,
    discover,
)
from .run import run

Called = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A document: ID of a cluster, discover/ID, or defaults.",
        autocompletion=complete_documents,
    ),
]
Discovered = Annotated[
    bool,
    typer.Option(
        "--discovered",
        help="Also list the clusters that discoveries find now, by a plan of the function.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    clusters = group("clusters", "Clusters' documents: add, show, change, rename, delete.")
    for function, name in ((cluster_add.add, "add"), (list_clusters, "list"), (show, "show")):
        clusters.command(name)(command(function))
    cluster_changes.register(clusters)
    clusters.command("rename")(command(cluster_rename.rename))
    clusters.command("offboard")(command(cluster_offboard.offboard))
    clusters.command("export")(command(cluster_export.export))
    app.add_typer(clusters, rich_help_panel="Configuration")
    discover.register(app)


def list_clusters(cli: Cli, discovered: Discovered = False) -> int:
    """List every document's cluster, region and namespaces, with the defaults merged in.

    Exit code 1: some are invalid.

    [bold]Examples[/bold]

      ecr-public-pusher clusters list
      ecr-public-pusher clusters list --discovered
      ecr-public-pusher clusters list -o json | jq -r '.clusters[] | select(.enabled | not) | .id'
    """
    deployed = Deployed.of(cli.session)
    rows = [
        cluster_row(deployed, name) for name in sorted(deployed.snapshot.documents) if name.folder
    ]
    found = _found(cli, deployed) if discovered else None
    said: dict[str, Any] = {"clusters": rows, "unknownParameters": list(deployed.snapshot.unknown)}
    defaults = [
        problem
        for problem in deployed.validation.problems
        if problem.where == str(DocumentName.defaults())
    ]
    said["defaultsProblems"] = [problem.as_json() for problem in defaults]
    if found is not None:
        said["discovered"] = found
    cli.output.result(
        said,
        lambda: [
            *render_problems(defaults),
            *render_list(rows, found, deployed.snapshot.unknown, cli.follow_up),
        ],
    )
    failed = (
        any(row["problem"] for row in rows)
        or bool(defaults)
        or any(one["error"] for one in found or ())
    )
    return ExitCode.NOT_OK if failed else ExitCode.OK


def show(cli: Cli, called: Called) -> int:
    """Show a document's settings, each with its origin: the document, the defaults, or built in.

    [bold]Examples[/bold]

      ecr-public-pusher clusters show prod
      ecr-public-pusher clusters show discover/platform -o yaml
      ecr-public-pusher clusters show defaults
    """
    deployed = Deployed.of(cli.session)
    stored = deployed.find(called)
    problems = [
        problem for problem in deployed.validation.problems if problem.where == str(stored.name)
    ]
    merged = _settings(deployed, stored)
    said = {
        "id": stored.name.id,
        "document": str(stored.name),
        "parameter": stored.parameter,
        "type": stored.type,
        "version": stored.version,
        "settings": {
            setting.field: {"value": setting.value, "from": setting.origin} for setting in merged
        },
        "problems": [problem.as_json() for problem in problems],
        "text": stored.text,
    }
    cli.output.result(said, lambda: _shown(stored, merged, list(render_problems(problems))))
    return ExitCode.NOT_OK if problems else ExitCode.OK


def _settings(deployed: Deployed, stored: Stored) -> list[Setting]:
    """Return the merged settings; none when the document or the defaults are invalid.

    The defaults themselves are shown as they are.
    """
    try:
        return settings(stored.name, stored.text, deployed.defaults(), region=deployed.region)
    except PusherError:
        return []


def _shown(stored: Stored, merged: list[Setting], problems: list[Text]) -> list[RenderableType]:
    head = Text.assemble(
        (str(stored.name), "bold"), f"  {stored.parameter}, {stored.type}, version {stored.version}"
    )
    return [
        head,
        *problems,
        *([Text(""), render_settings(merged)] if merged else [Text(""), Text(stored.text)]),
    ]


def _found(cli: Cli, deployed: Deployed) -> list[dict[str, Any]]:
    """Return the clusters that discoveries find, with the function's own permissions."""
    patterns = [
        name.clusters
        for name in sorted(deployed.snapshot.documents)
        if name.folder == DISCOVER and name.clusters
    ]
    if not patterns:
        return []
    report = run(cli, {"action": "plan", "clusters": patterns})
    if error := report.get("error"):
        raise CliError(
            f"{error['type']}: {error['message']}",
            remedy=error["remedy"],
            exit_code=ExitCode.NOT_OK,
        )
    found = [
        {
            "id": one["id"],
            "error": (one["error"] or {}).get("message") if not _is_cluster(one["id"]) else None,
            "leftToDocument": False,
        }
        for one in report["clusters"]
    ]
    left = [
        {"id": cluster_id, "error": None, "leftToDocument": True}
        for cluster_id in report.get("leftToDocuments", ())
    ]
    return sorted([*found, *left], key=lambda one: str(one["id"]))


def _is_cluster(found: str) -> bool:
    """Return whether a report's id is a cluster's: a failed discovery's ends in `/*`."""
    return not found.endswith("/*")
