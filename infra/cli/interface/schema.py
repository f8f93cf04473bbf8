"""`schema`: the documents' JSON Schemas, and the editor settings that use them."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from ..choices import Format
from ..command import Cli, command
from ..follow_up import local


class Which(StrEnum):
    """The kinds of documents."""

    CLUSTER = "cluster"
    DEFAULTS = "defaults"
    DISCOVER = "discover"


_HOW = """\
For VS Code's and other editors' YAML language server, above a document:
  # yaml-language-server: $schema={id}
or, for a whole folder, in .vscode/settings.json:
  "yaml.schemas": {{"{id}": "{glob}"}}
Without a network, write it to a file and name that:
  {command} > {which}.schema.json"""
_GLOBS = {
    Which.CLUSTER: "clusters/*.yaml",
    Which.DEFAULTS: "defaults.yaml",
    Which.DISCOVER: "discover/*.yaml",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Configuration")(command(schema))


def schema(
    cli: Cli,
    which: Annotated[
        Which, typer.Argument(metavar="[cluster|defaults|discover]", help="Kind of document.")
    ] = Which.CLUSTER,
) -> int:
    """Print the JSON Schema of a document, as editors and other tools read it.

    The editor settings that use it go to stderr.

    [bold]Examples[/bold]

      ecr-public-pusher schema
      ecr-public-pusher schema discover > discover.schema.json
    """
    from ecr_public_pusher.configuration.json_schema import json_schemas

    found = json_schemas()[f"{which}.schema.json"]
    if cli.output.format is Format.TABLE:
        cli.output.format = Format.JSON
    cli.output.result(found, lambda: [json.dumps(found)])
    cli.output.note(
        _HOW.format(
            id=found["$id"],
            glob=_GLOBS[which],
            command=local("schema", which.value),
            which=which.value,
        )
    )
    return 0
