"""Clusters' documents as tables. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..documents.deployed import Deployed
from ..documents.document import DISCOVER, DocumentName
from ..documents.settings import Setting
from ..follow_up import ADD_A_CLUSTER, FollowUp
from .text import BAD, FAINT, GOOD, NEUTRAL, heading, table


def cluster_row(deployed: Deployed, name: DocumentName) -> dict[str, Any]:
    """Return a document's row, in the form of `-o json`."""
    stored = deployed.snapshot.documents[name]
    configuration = deployed.validation.configuration
    row: dict[str, Any] = {"id": name.id, "document": str(name), "version": stored.version}
    row |= dict.fromkeys(
        ("cluster", "region", "account", "endpoint", "signIn", "namespaces", "secretName")
    )
    found = next(
        (one for one in configuration.discoveries if name.folder == DISCOVER and one.id == name.id),
        None,
    )
    config = (
        found.settings
        if found
        else next(
            (
                one
                for one in configuration.clusters
                if str(DocumentName.cluster(one.id)) == str(name)
            ),
            None,
        )
    )
    if config is not None:
        chosen = {
            "include": list(config.selection.include),
            "exclude": list(config.selection.exclude),
            "selector": config.selection.selector,
        }
        row |= {
            "namespaces": chosen,
            "secretName": config.secret_name,
            "signIn": config.sign_in.type,
        }
        row |= {
            "account": config.role_arn.split(":")[4] if config.role_arn else config.function_account
        }
        endpoint = config.server.endpoint if config.server else None
        row |= (
            {"region": " ".join(found.regions)}
            if found
            else {"cluster": config.cluster, "region": config.region, "endpoint": endpoint}
        )
    problems = [
        problem.message for problem in deployed.validation.problems if problem.where == str(name)
    ]
    if stored.error:
        problems.append(
            f"the SecureString cannot be decrypted with your credentials: {stored.error}"
        )
    return row | {
        "enabled": config.enabled if config else None,
        "problem": "; ".join(problems) or None,
    }


def render_list(
    rows: Sequence[dict[str, Any]],
    found: Sequence[dict[str, Any]] | None,
    unknown: Sequence[str],
    follow_up: FollowUp,
) -> list[RenderableType]:
    """Render documents, clusters found by discoveries, and unknown parameters."""
    if not rows:
        add = follow_up.command(*ADD_A_CLUSTER)
        return [Text(f"There are no documents yet. Add a cluster: {add}")]
    parts: list[RenderableType] = [
        table(
            *("ID", "STATE", "CLUSTER", "ACCOUNT", "REGION", "NAMESPACES"),
            rows=[_cells(row) for row in rows],
        )
    ]
    parts += [
        Text.assemble((f"{row['id']}: ", "bold"), (str(row["problem"]), BAD))
        for row in rows
        if row["problem"]
    ]
    if found is not None:
        parts += [
            heading("Found by discovery"),
            *(
                [table("CLUSTER", "", rows=[_found(one) for one in found])]
                if found
                else [Text("none")]
            ),
        ]
    if unknown:
        parts += [
            heading("Unknown parameters, which the function reports and ignores"),
            *(Text(name) for name in unknown),
        ]
    return parts


def render_settings(merged: Sequence[Setting]) -> Table:
    """Render each setting with its origin."""
    return table(
        "SETTING",
        "VALUE",
        "FROM",
        rows=[(one.field, _value(one), Text(one.origin, style=FAINT)) for one in merged],
    )


def selection_text(chosen: dict[str, Any]) -> str:
    """Return a namespace selection in a few words."""
    parts = [
        " ".join(chosen.get("include") or ()),
        f"selector {chosen['selector']}" if chosen.get("selector") else "",
    ]
    return ", ".join(
        filter(
            None, [*parts, f"not {' '.join(chosen['exclude'])}" if chosen.get("exclude") else ""]
        )
    )


def _cells(row: dict[str, Any]) -> tuple[str | Text, ...]:
    word, style = (
        ("invalid", BAD)
        if row["problem"]
        else ("enabled", GOOD)
        if row["enabled"]
        else ("disabled", NEUTRAL)
    )
    is_discovery = row["document"].startswith(f"{DISCOVER}/")
    where = "(by tag)" if is_discovery else row["endpoint"] or row["cluster"] or ""
    chosen = selection_text(row["namespaces"]) if row["namespaces"] else ""
    return (
        f"{row['id']}/*" if is_discovery else row["id"],
        Text(word, style=style),
        where,
        row["account"] or "",
        row["region"] or "",
        chosen,
    )


def _found(one: dict[str, Any]) -> tuple[str, Text]:
    if one["error"]:
        return one["id"], Text(one["error"], style=BAD)
    if one["leftToDocument"]:
        return one["id"], Text("left to a document of its own", style=NEUTRAL)
    return one["id"], Text("found", style=GOOD)


def _value(setting: Setting) -> str:
    value = setting.value
    if isinstance(value, dict) and setting.field in ("namespaces", "serviceAccounts"):
        return selection_text(value)
    if isinstance(value, str):
        return (
            value.strip().splitlines()[0] + (" ..." if "\n" in value.strip() else "")
            if value.strip()
            else value
        )
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return json.dumps(value)
