"""`make reference`: the tables of docs/ from the model, the template and the command line.

A document marks their place: `<!-- generated: NAME -->` above, `<!-- end -->` below.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ecr_public_pusher.configuration.json_schema import json_schemas
from ecr_public_pusher.configuration.schema import (
    ArgoCdField,
    ClusterDocument,
    DefaultsDocument,
    DiscoverDocument,
    RegistryField,
    RepositoryField,
)
from infra.local.aws.template import read_template
from infra.tools import command_reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_PLACE = re.compile(r"(?<=<!-- generated: )(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
_KINDS = {"string": "text", "array": "list", "object": "mapping"}


def pages() -> dict[Path, str]:
    """Return the text of each document that has a generated part."""
    made = _parts()
    documents = {path: path.read_text() for path in sorted(DOCS.glob("*.md"))}
    return {path: _filled(text, made) for path, text in documents.items() if _PLACE.search(text)}


def _filled(text: str, made: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: f"{place[1]}{place[2]}\n{made[place[1]]}\n", text)


def _parts() -> dict[str, str]:
    schemas = json_schemas()
    cluster = schemas["cluster.schema.json"]["properties"]
    discover = schemas["discover.schema.json"]["properties"]
    common = set(DefaultsDocument.model_fields)
    argo_cd = cluster["argocd"]["anyOf"][0]["properties"]
    repository = argo_cd["repositories"]["anyOf"][0]["items"]["anyOf"][0]["properties"]
    template = read_template((ROOT / "template.yaml").read_text())
    return {
        "defaults": _fields(DefaultsDocument, cluster),
        "cluster": _fields(ClusterDocument, cluster, without=common),
        "discover": _fields(DiscoverDocument, discover, without=common),
        "registry": _fields(RegistryField, _private_registry(cluster["registries"])),
        "argocd": _fields(ArgoCdField, argo_cd),
        "repository": _fields(RepositoryField, repository),
        "commands": command_reference.commands(),
        "shared": command_reference.shared_options(),
        "codes": command_reference.exit_codes(),
        "parameters": _parameters(template),
        "outputs": _table(
            "output",
            "what it is",
            rows=((f"`{name}`", body["Description"]) for name, body in template["Outputs"].items()),
        ),
    }


# --- the model's fields


def _fields(
    model: type[BaseModel], properties: Mapping[str, Any], without: Iterable[str] = ()
) -> str:
    left = {name: field for name, field in model.model_fields.items() if name not in set(without)}
    return _table(
        "field",
        "kind",
        "default",
        "meaning",
        rows=(
            (
                f"`{field.alias}`",
                _kind(properties[str(field.alias)]),
                _default(field.is_required(), field.default),
                field.description or "",
            )
            for field in left.values()
        ),
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the kind of value that a person writes.

    Values that an editor may accept besides (a number, null) are left out.
    """
    given = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    if any("enum" in one for one in given):
        return "`true` or `false`"
    return " or ".join(
        dict.fromkeys(_KINDS[one["type"]] for one in given if one.get("type") in _KINDS)
    )


def _default(required: bool, value: Any) -> str:
    if required:
        return "required"
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _private_registry(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = next(one for one in schema["anyOf"] if one.get("type") == "array")
    fields: Mapping[str, Any] = next(
        one for one in listed["items"]["anyOf"] if one.get("type") == "object"
    )["properties"]
    return fields


# --- the template's parameters


def _parameters(template: Mapping[str, Any]) -> str:
    parts = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        rows = [
            (f"`{name}`", *_parameter(template["Parameters"][name])) for name in group["Parameters"]
        ]
        title = group["Label"]["default"]
        parts.append(f"### {title}\n\n{_table('parameter', 'default', 'meaning', rows=rows)}")
    return "\n".join(parts)


def _parameter(body: Mapping[str, Any]) -> tuple[str, str]:
    default = str(body.get("Default", ""))
    allowed = body.get("AllowedValues", ())
    values = f" One of {', '.join(f'`{value}`' for value in allowed)}." if allowed else ""
    return (f"`{default}`" if default else "empty"), body["Description"].strip() + values


def _table(*head: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(_cell(text) for text in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def _cell(text: str) -> str:
    """Return a cell's text, with HTML tags and the table's bar escaped outside of code."""
    parts = text.strip().split("`")
    return "`".join(
        part if number % 2 else part.replace("<", "&lt;").replace("|", "\\|")
        for number, part in enumerate(parts)
    )


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
