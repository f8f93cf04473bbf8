"""Deletion of documents, after the function has removed their Secrets; and renames.

Each write of a document is an event that has the function push. So a document is disabled before
its Secrets are removed or handed over: nothing writes them back until it is deleted.
"""

from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from ..command import Cli
from ..documents.deployed import Deployed
from ..documents.document import CLUSTERS, DISCOVER, DocumentName
from ..documents.editing import disabled
from ..documents.store import Stored
from ..errors import CliError, ExitCode
from ..function import Report
from .run import note_missing_rights, run, show_aside


def remove_before_deletion(
    cli: Cli, deployed: Deployed, documents: Sequence[Stored], *, keep_secrets: bool
) -> list[DocumentName]:
    """Disable documents that are deleted next, and remove what the function wrote for them.

    Return those whose Secrets could not all be removed: they are as they were before. When
    interrupted, leave all of them disabled, since the function continues.
    """
    if keep_secrets or not documents:
        return []
    switched: list[tuple[Stored, Stored]] = []
    kept = [stored.name for stored in documents]
    try:
        for stored in documents:
            switched.append((stored, disable(deployed, stored)))
        kept = remove_secrets(cli, kept)
    except KeyboardInterrupt:
        names = ", ".join(str(stored.name) for stored, _ in switched)
        cli.output.note(f"Disabled, and not deleted yet: {names}. To continue, run this again.")
        kept = []
        raise
    finally:
        for stored, now in switched:
            if stored.name in kept:
                enable_again(deployed, stored, now)
    return kept


def disable(deployed: Deployed, stored: Stored) -> Stored:
    """Disable a document, so that no push writes for it; return it as it is stored then.

    Discoveries and the defaults cannot be disabled, and invalid documents need not be.
    """
    is_cluster = stored.name.folder == CLUSTERS
    text = disabled(stored.text, limit=stored.limit) if is_cluster else None
    if text is None or text == stored.text:
        return stored
    return deployed.store.rewrite(stored, text)


def enable_again(deployed: Deployed, stored: Stored, now: Stored) -> None:
    """Write a document as it was before `disable`, which left it as `now`."""
    if now.text != stored.text:
        deployed.store.put(stored.name, stored.text, before=now)


def rename(
    cli: Cli,
    deployed: Deployed,
    old: Stored,
    new: DocumentName,
    text: str,
    *,
    remove_rest: bool = False,
) -> None:
    """Write a document under another id, and delete the old one.

    The push that the new one causes adopts the Secrets where they are. `remove_rest`: those in
    namespaces that no enabled document selects any more are removed. Raise CliError when that
    fails: the old document stays then, disabled, so that it can be repeated.
    """
    settings = deployed.store.settings(old)
    if not settings.has_tags:
        cli.output.note(
            f"The tags of {old.name} cannot be read (ssm:ListTagsForResource): if it has any, give"
            f" them to {new.parameter(deployed.store.root)}."
        )
    if old.name.folder == DISCOVER:  # two discoveries that find one cluster exclude each other
        deployed.store.delete(old)
        try:
            deployed.store.create(new, text, settings)
        except BaseException:
            deployed.store.create(old.name, old.text, settings)
            raise
        return
    now = disable(deployed, old)
    try:
        deployed.store.create(new, text, settings)
    except BaseException:
        enable_again(deployed, old, now)
        raise
    if remove_rest and remove_secrets(cli, [old.name]):
        raise not_deleted([old.name])
    try:
        deployed.store.delete(old)
    except BaseException:
        delete = cli.follow_up.command("clusters", "delete", old.name.id)
        cli.output.note(f"{new} is written. {old.name} is left, disabled. To delete it: {delete}")
        raise


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


def forget_gone(cli: Cli, cluster_id: str) -> None:
    """Have the function note that the cluster of a deleted document is gone for good.

    Print the command that does it where the function cannot be asked.
    """
    try:
        is_noted = run(cli, {"action": "forget", "clusters": [cluster_id]})["ok"]
    except (CliError, ClientError, BotoCoreError):
        is_noted = False
    if not is_noted:
        cli.output.note(how_to_forget(cli, [cluster_id]))


def how_to_forget(cli: Cli, clusters: Sequence[str]) -> str:
    """Return the remark on the Secrets that are left of deleted documents."""
    return (
        "If the clusters are gone for good, so that `status` does not count them:"
        f" {cli.follow_up.command('clusters', 'forget', *clusters)}"
    )


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
