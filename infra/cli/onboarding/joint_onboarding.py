"""Several onboardings, carried out side by side, which share the function's runs.

One run serves many clusters at the same time, and Lambda limits how many runs there are.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from ..aws_errors import explain
from ..errors import CliError, ExitCode
from ..function import Report
from .onboarding import Done, Event, Onboarding, Run, Work
from .side_by_side import side_by_side

# A report shows each cluster of a run, within its size limit, up to about this many.
CLUSTERS_OF_A_RUN = 50

type Outcome = Done | CliError
type _Key = tuple[tuple[str, str], ...]


@dataclass
class _Task:
    """An onboarding under way: the event that it waits for, or its outcome.

    `answer` is the function's answer to the event before. `pauses` holds the seconds for which it
    wants to wait before the next one.
    """

    id: str
    work: Work[Done]
    pauses: list[float]
    event: Event | None = None
    answer: Report | BaseException | None = None
    outcome: Outcome | None = None

    @classmethod
    def of(cls, cluster_id: str, onboarding: Onboarding) -> Self:
        pauses: list[float] = []
        return cls(cluster_id, onboarding.work(pauses.append), pauses)

    def advance(self) -> None:
        """Go on with the function's answer, up to the next event, or to the end."""
        self.event = None
        try:
            if isinstance(self.answer, BaseException):
                self.event = self.work.throw(self.answer)
            elif self.answer is None:
                self.event = next(self.work)
            else:
                self.event = self.work.send(self.answer)
        except StopIteration as end:
            self.outcome = end.value
        except CliError as error:
            self.outcome = error
        except (ClientError, BotoCoreError) as error:
            self.outcome = explain(error)


def onboard_all(
    onboardings: Mapping[str, Onboarding],
    run: Run,
    *,
    advanced: Callable[[str, Event | None], None],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Outcome]:
    """Carry out all onboardings; return the outcome of each by id.

    An error of one is its outcome, and stops no other. `advanced` is called with each cluster's id
    and the event that it waits for next, None when it has ended; in any thread.
    """

    def advance(task: _Task) -> None:
        task.advance()
        advanced(task.id, task.event)

    tasks = [_Task.of(one, onboarding) for one, onboarding in onboardings.items()]
    waiting = tasks
    while waiting:
        side_by_side(advance, waiting)
        waiting = [task for task in waiting if task.event is not None]
        if pauses := [seconds for task in waiting for seconds in task.pauses]:
            sleep(max(pauses))
        try:
            _ask(waiting, run)
        except BaseException:
            for task in waiting:
                task.work.close()  # which restores what it has changed for the time being
            raise
    return {task.id: task.outcome for task in tasks if task.outcome is not None}


def _ask(waiting: Sequence[_Task], run: Run) -> None:
    """Get the function's answer for each, by one run for all that want the same."""
    groups: dict[_Key, list[_Task]] = {}
    for task in waiting:
        task.pauses.clear()
        groups.setdefault(_key(task.event or {}), []).append(task)
    for group in groups.values():
        for part in batched(group, CLUSTERS_OF_A_RUN, strict=False):
            event = {**(part[0].event or {}), "clusters": [task.id for task in part]}
            try:
                report = run(event)
            except (CliError, ClientError, BotoCoreError) as error:
                for task in part:
                    task.answer = error
            else:
                for task in part:
                    task.answer = report_of(report, task.id)


def _key(event: Event) -> _Key:
    return tuple(sorted((name, str(value)) for name, value in event.items() if name != "clusters"))


def report_of(report: Report, cluster_id: str) -> Report | CliError:
    """Return the part of a run's report about one cluster, as a report of its own."""
    own = [one for one in report["clusters"] if one["id"] == cluster_id]
    if not own and not report.get("error"):
        return CliError(
            f"The function's report does not show {cluster_id}.",
            remedy="Run the same command again.",
            exit_code=ExitCode.NOT_OK,
        )
    failed = sum(not one["ok"] for one in own)
    counts = own[0].get("counts", {}) if own else {}
    return {
        **report,
        "ok": not failed and not report.get("error"),
        "totals": {"clusters": len(own), "clustersFailed": failed, **counts},
        "clusters": own,
    }
