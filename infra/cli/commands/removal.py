"""Removal of the Secrets of documents to delete, by the function, before they are deleted."""

from collections.abc import Sequence

from ..command import Cli
from ..documents.document import DocumentName
from ..errors import CliError, ExitCode
from ..function import Report
from .run import note_missing_rights, run, show_aside


def remove_secrets(cli: Cli, names: Sequence[DocumentName]) -> list[DocumentName]:
    """Remove what the function wrote for these documents.

    Return the documents whose Secrets could not all be removed.
    """
    patterns = {name.clusters: name for name in names if name.clusters}
    if not patterns:
        return []
    report = run(cli, {"action": "remove", "clusters": list(patterns)})
    show_aside(cli, report)
    note_missing_rights(cli, report)
    return _left(report, list(patterns.values()))


def _left(report: Report, names: Sequence[DocumentName]) -> list[DocumentName]:
    if report.get("error") or report.get("clustersLeft"):
        return list(names)
    failed = {
        DocumentName.of_clusters(cluster["id"])
        for cluster in report["clusters"]
        if not cluster["ok"]
    }
    return [name for name in names if name in failed]


def not_deleted(kept: Sequence[DocumentName]) -> CliError:
    """Return the error for documents that `remove_secrets` returned."""
    return CliError(
        f"Not deleted, since the Secrets could not all be removed: {', '.join(map(str, kept))}",
        remedy="Correct the errors above and run this again, or give --keep-secrets.",
        exit_code=ExitCode.NOT_OK,
    )


def show_removal(cli: Cli, names: Sequence[DocumentName]) -> None:
    """Show on stderr what `remove_secrets` would remove."""
    if patterns := [name.clusters for name in names if name.clusters]:
        show_aside(cli, run(cli, {"action": "plan", "remove": True, "clusters": patterns}))
