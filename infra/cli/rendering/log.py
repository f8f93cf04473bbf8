"""A line of the log as people read it: a run in one line, with its problems below."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ecr_public_pusher.configuration.names import matches
from ecr_public_pusher.timestamps import rfc3339

from ..run_log import LogLine
from .problems import empty_globs, grouped
from .report import headline
from .text import BAD, FAINT, indented, state


def is_about(line: LogLine, ids: Collection[str]) -> bool:
    """Return whether the line names one of the clusters (ids or globs; empty: all).

    A run that failed as a whole is about every cluster.
    """
    if not ids:
        return True
    if (report := line.report) is None:
        return False
    named = [entry["id"] for entry in report.get("clusters", ())]
    return bool(report.get("error")) or any(
        matches(pattern, name) for pattern in ids for name in named
    )


def render_line(line: LogLine, ids: Collection[str] = ()) -> list[RenderableType]:
    """Render a line. `ids` limits the problems to these clusters'."""
    time = f"{rfc3339(line.at)} "
    if (report := line.report) is not None:
        title = Text.assemble((time, FAINT), headline(report))
        if narrowed := report.get("narrowedTo"):
            title.append(
                " · only " + ", ".join(name for names in narrowed.values() for name in names),
                style=FAINT,
            )
        return [title, *_problems(report, ids)]
    if line.said.get("type") == "platform.report":
        record = line.said.get("record", {})
        kind = f" ({record['errorType']})" if record.get("errorType") else ""
        return [
            Text.assemble(
                (time, FAINT), (f"a run without a report: {record.get('status')}{kind}", BAD)
            )
        ]
    said = line.said.get("error") or line.said.get("errorMessage") or ""
    return [
        Text.assemble(
            (time, FAINT),
            (
                f"{line.said.get('level', '')} {line.said.get('message', '')}: {said}".strip(": "),
                BAD,
            ),
        )
    ]


def _problems(report: Mapping[str, Any], ids: Collection[str]) -> Iterator[RenderableType]:
    if error := report.get("error"):
        yield indented(f"{error['type']}: {error['message']}")
    for cluster in report.get("clusters", ()):
        if ids and not any(matches(pattern, cluster["id"]) for pattern in ids):
            continue
        if error := cluster.get("error"):
            yield indented(f"{cluster['id']}: {error['type']}: {error['message']}")
        for namespaces, problem in grouped(
            one for one in cluster.get("problems", ()) if not (error and one["outcome"] == "failed")
        ):
            yield _line(
                f"{cluster['id']}/{','.join(namespaces)}", problem["outcome"], problem["message"]
            )
        if left := cluster.get("problemsLeft"):
            yield indented(f"{cluster['id']}: ... and {left} more")
        if globs := empty_globs(cluster.get("emptyGlobs", ())):
            yield indented(f"{cluster['id']}: {globs}")
        for finding in cluster.get("findings", ()):
            if not finding["ok"]:
                yield _line(cluster["id"], finding["check"], finding["message"])


def _line(where: str, what: str, message: str) -> Text:
    return Text.assemble(f"  {where}: ", state(what), f": {message}")
