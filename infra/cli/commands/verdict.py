"""The outcome of the push after a change of documents, shown where the change is made.

The function pushes on each change event too, but how its run went is only in the log, later. So
this sends a push of its own, and waits for it: a push repeats nothing that another has just done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import RenderableType

from ..command import Cli
from ..documents.document import DocumentName
from ..errors import CliError, ExitCode
from ..function import Report
from .run import rendered, run

IDS_SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """The report of a push, or the error that kept it from being seen; neither without a push."""

    cli: Cli
    report: Report | None = None
    error: CliError | ClientError | BotoCoreError | None = None

    @classmethod
    def of(cls, cli: Cli, names: Sequence[DocumentName], *, wait: bool) -> "Verdict":
        """Push to the clusters of documents that were written, and wait for it.

        Without `wait`, print how to see the outcome.
        """
        patterns = [name.clusters for name in names]
        if not patterns:
            return cls(cli)
        if not wait:
            ids = [one for one in patterns if one]
            shown = [] if None in patterns or len(ids) > IDS_SHOWN else ids
            cli.output.note(
                "The function pushes the changes automatically. To test access:"
                f" {cli.follow_up.command('check', *shown)}"
            )
            return cls(cli)
        event: dict[str, Any] = {"action": "push"}
        if None not in patterns:  # the defaults concern all clusters
            event["clusters"] = patterns
        try:
            return cls(cli, run(cli, event))
        except (CliError, ClientError, BotoCoreError) as error:
            return cls(cli, error=error)

    @property
    def ok(self) -> bool:
        """Return whether the push is ok, as far as there was one to wait for."""
        return self.error is None and (self.report is None or bool(self.report["ok"]))

    def as_json(self) -> dict[str, Any]:
        """Return the part of a command's result."""
        return {} if self.report is None else {"push": self.report}

    def render(self) -> list[RenderableType]:
        return [] if self.report is None else rendered(self.cli, self.report)

    def exit_code(self) -> int:
        """Return the command's exit code. Raise the error, once the result is shown."""
        if self.error is not None:
            raise self.error
        return ExitCode.OK if self.ok else ExitCode.NOT_OK
