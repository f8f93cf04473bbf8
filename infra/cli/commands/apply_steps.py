"""The writes of `apply`, in an order in which no push undoes a removal or finds a conflict."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from ..aws_errors import explain
from ..command import Cli
from ..documents.changes import Change, Kind
from ..documents.comparison import Comparison, in_order
from ..documents.deployed import Deployed
from ..documents.document import DocumentName
from ..documents.store import Stored
from ..errors import CliError
from ..rendering.documents import render_change
from .removal import disable, remove_before_deletion, remove_secrets, rename


@dataclass
class ApplySteps:
    """The writes that a comparison asks for.

    `written`: the documents written and deleted so far. `kept`: those that are not deleted, since
    their Secrets could not all be removed.
    """

    cli: Cli
    deployed: Deployed
    comparison: Comparison
    keep_secrets: bool
    written: list[DocumentName] = field(default_factory=list)
    kept: list[DocumentName] = field(default_factory=list)
    _planned: list[DocumentName] = field(default_factory=list)

    def run(self) -> None:
        """Write everything. Raise CliError, which names what is left, at the first that fails.

        First, documents whose clusters no other document serves are disabled, their Secrets
        removed, and deleted at once. Then the others are written, renames included. Documents
        whose Secrets one of those adopts, where it selects their namespaces, are deleted last.
        """
        work = in_order(self.comparison, self.deployed)
        deleted = [change for change in self.comparison.deleted if change not in work]
        shared = [change for change in deleted if self.comparison.goes_over(change)]
        alone = [change for change in deleted if change not in shared]
        self._planned = [change.name for change in (*alone, *work, *shared)]
        self.kept += remove_before_deletion(
            self.cli, self.deployed, _stored(alone), keep_secrets=self.keep_secrets
        )
        self._each(alone)
        for stored in _stored(shared):
            disable(self.deployed, stored)
        self._each(work)
        if not self.keep_secrets:
            self.kept += remove_secrets(self.cli, [change.name for change in shared])
        self._each(shared)

    def _each(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.name in self.kept:
                continue
            try:
                self._write(change)
            except (ClientError, BotoCoreError, CliError) as error:
                raise self._stopped(change, error) from None
            self.written.append(change.name)
            self.cli.output.done(render_change(change))

    def _write(self, change: Change) -> None:
        before = change.before
        after = change.after
        if after is None:
            assert before is not None
            self.deployed.store.delete(before)
        elif before is not None and change.kind is Kind.RENAMED:
            remove_rest = not self.keep_secrets and self.comparison.may_leave_secrets(change)
            rename(
                self.cli, self.deployed, before, change.name, after.text, remove_rest=remove_rest
            )
        else:
            self.deployed.store.put(change.name, after.text, before=before)

    def _stopped(self, change: Change, error: ClientError | BotoCoreError | CliError) -> CliError:
        said = (
            error
            if isinstance(error, CliError)
            else explain(error, profile=self.cli.options.profile)
        )
        left = [str(name) for name in self._planned if name not in (*self.written, *self.kept)]
        done = (
            f"{len(self.written)} of {len(self._planned)} documents are written; not yet:"
            f" {', '.join(left[:20])}. Run this again to continue from there."
        )
        return CliError(
            f"{change.name}: {said.message}",
            remedy=f"{said.remedy}\n{done}".strip(),
            exit_code=said.exit_code,
        )


def _stored(changes: Sequence[Change]) -> list[Stored]:
    return [change.before for change in changes if change.before is not None]
