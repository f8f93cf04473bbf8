"""`logs`: the function's runs, one a line."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ecr_public_pusher.configuration.names import matches

from ..command import Cli
from ..documents.document import DocumentName
from ..documents.store import list_parameters
from ..errors import CliError
from ..rendering.log import is_about, render_line
from ..run_log import RUNS, LogLine, read_log

POLL_SECONDS = 5
# A line may appear after younger ones.
OVERLAP = timedelta(minutes=2)


def logs(cli: Cli, wanted: Sequence[str], since: timedelta, *, follow: bool) -> None:
    """Show a line for each run that names one of the clusters `wanted`, or any if empty."""
    shown = 0
    for line in _lines(cli, since, follow=follow):
        if is_about(line, wanted):
            cli.output.line(line.said, *render_line(line, wanted))
            shown += 1
    if not shown:
        unknown = [one for one in wanted if not _is_known(cli, one)]
        if unknown:
            raise CliError(
                f"There is no document or run of {', '.join(unknown)}.",
                remedy=f"To see the documents: {cli.follow_up.command('clusters', 'list')}",
            )
        further = cli.follow_up.command("logs", *wanted, "--since", "2d")
        back = f" Look further back: {further}" if since < timedelta(days=2) else ""
        cli.output.note(f"Nothing was logged in that time.{back}")


def _is_known(cli: Cli, wanted: str) -> bool:
    """Return whether an id or glob names a document's clusters."""
    root = cli.session.stack.config_path
    parameters = list_parameters(cli.session.client("ssm"), root)
    names = (DocumentName.of_parameter(one["Name"], root=root) for one in parameters)
    pushed = [name.clusters for name in names if name and name.clusters]
    return any(matches(wanted, one) or matches(one, wanted) for one in pushed)


def _lines(cli: Cli, since: timedelta, *, follow: bool) -> Iterator[LogLine]:
    """Yield each line once; with `follow`, wait for new ones without end."""
    start = datetime.now(UTC) - since
    seen = dict[str, datetime]()
    while True:
        for line in read_log(cli.session, RUNS, since=start):
            if line.id not in seen:
                seen[line.id] = line.at
                yield line
        if not follow:
            return
        start = max([start, *(at - OVERLAP for at in seen.values())])
        seen = {line_id: at for line_id, at in seen.items() if at >= start}
        time.sleep(POLL_SECONDS)
