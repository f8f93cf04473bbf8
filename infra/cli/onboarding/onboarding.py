"""An onboarding, planned, then carried out.

Access entry and RBAC come first. A new document is enabled once the function's check is good, so
that its first push finds them in place, no matter who created them.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from ..documents.limits import STANDARD_BYTES
from ..documents.pending import pending
from ..documents.store import Store, Stored
from ..errors import CliError
from ..follow_up import FollowUp
from ..function import Report
from .access_entry import AccessEntryStep, Admission, EksCluster, describe, not_asked_for
from .document_step import NewCluster
from .rbac_manifests import Manifest
from .rbac_step import Choice, RbacStep
from .step import Step, StepName, StepOutcome

# A new access entry takes effect after a few seconds.
PROPAGATION_TRIES = 8
PROPAGATION_SECONDS = 5.0
_SIGN_IN = "sign-in"
# Findings about single namespaces, about more rights than needed, or about a stored credential that
# is still valid, do not prevent a push.
_NO_OBSTACLE = frozenset({"namespaces", "excess", "credential"})

type Event = Mapping[str, Any]
type Run = Callable[[Event], Report]
# The steps, and the function's reports by the name of the step.
type Done = tuple[list[Step], dict[str, Report]]
type Work[T] = Generator[Event, Report, T]


@dataclass(frozen=True)
class Wanted:
    """The request of the command line. Empty `objects`: RBAC is left to others.

    `removal`: the objects grant the rights of a removal too.
    """

    follow_up: FollowUp
    admit: bool = False
    objects: Sequence[Manifest] = ()
    removal: bool = False
    choice: Choice = field(default_factory=Choice)
    push: bool = True


class Onboarding:
    """The onboarding of one cluster.

    `eks` is a client with the person's credentials for the cluster's account and region, None for
    other kinds of sign-in. `caller` returns the account of these credentials. `waits`: a new
    document is stored, disabled until the function has access.
    """

    def __init__(
        self,
        cluster: NewCluster,
        store: Store,
        wanted: Wanted,
        admission: Admission,
        eks: Any,
        caller: Callable[[], str],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._wanted = wanted
        self._admission = admission
        self._eks = eks
        self._caller = caller
        self.waits = False

    def plan(self) -> list[Step]:
        """Return the planned steps; change nothing."""
        access = (
            self._access_entry.plan()
            if isinstance(self._access_entry, AccessEntryStep)
            else self._access_entry
        )
        rbac = self._rbac.plan() if isinstance(self._rbac, RbacStep) else self._rbac
        if access.prevents or rbac.prevents:
            return [access, rbac, *self._held_back()]
        if not self._cluster.config.enabled:
            return [access, rbac, self._document, *self._disabled()]
        push = (
            Step(StepName.PUSH, StepOutcome.PLANNED, f"to {self._id}")
            if self._wanted.push
            else Step(StepName.PUSH, StepOutcome.SKIPPED, "--no-push")
        )
        return [
            access,
            rbac,
            self._document,
            Step(StepName.CHECK, StepOutcome.PLANNED, "tests what the function can do there"),
            push,
        ]

    def do(self, run: Run, *, sleep: Callable[[float], None] = time.sleep) -> Done:
        """Carry out the steps, with `run` for the function's part of them."""
        work = self.work(sleep)
        try:
            event = next(work)
            while True:
                try:
                    report = run(event)
                except BaseException as error:  # noqa: BLE001 - raised again by the work
                    event = work.throw(error)
                else:
                    event = work.send(report)
        except StopIteration as end:
            done: Done = end.value
            return done

    def work(self, sleep: Callable[[float], None] = time.sleep) -> Work[Done]:
        """Carry out the steps. Yield each event for the function, and take its report."""
        access, rbac = self.prepare()
        if access.prevents or rbac.prevents:
            return [access, rbac, *self._held_back()], {}
        if not self._cluster.config.enabled:
            document = self._document
            if document.changes:
                self._write(self._cluster.text, self._cluster.before)
            return [access, rbac, document, *self._disabled()], {}
        undecided = access.failed or rbac.failed
        check = partial(self._checked, sleep, fresh=access.changes)
        document, report = yield from self._try_document(check, undecided=undecided)
        if not _obstacles(report):
            access = access.in_place() if access.undecided else access
            # A check does not ask about the rights of a removal.
            rbac = rbac.in_place() if rbac.undecided and not self._wanted.removal else rbac
        done = [access, rbac, document, self._check_step(report)]
        reports = {StepName.CHECK.value: report}
        if not self._wanted.push:
            return [*done, Step(StepName.PUSH, StepOutcome.SKIPPED, "--no-push")], reports
        if _obstacles(report):
            why = "the check failed"
            return [*done, Step(StepName.PUSH, StepOutcome.NOT_ATTEMPTED, why)], reports
        pushed = yield {"action": "push", "clusters": [self._id]}
        return [*done, _push_step(pushed)], reports | {StepName.PUSH.value: pushed}

    def prepare(self) -> tuple[Step, Step]:
        """Make the access entry and the RBAC; return their steps."""
        access = (
            self._access_entry.do()
            if isinstance(self._access_entry, AccessEntryStep)
            else self._access_entry
        )
        return access, self._rbac.do() if isinstance(self._rbac, RbacStep) else self._rbac

    def _try_document(
        self, check: Callable[..., Work[Report]], *, undecided: bool
    ) -> Work[tuple[Step, Report]]:
        """Write the document and check it; return the step and the check's report.

        It is stored disabled for the check, and enabled if that is good, so that no push fails for
        want of access: if it is new, or the access is undecided. Otherwise a new document waits,
        and one that was there before is restored, as it is when the check raises.
        """
        cluster = self._cluster
        document = self._document
        if not document.changes:
            return document, (yield from check())
        if not (cluster.waits or undecided):
            self._write(cluster.text, cluster.before)
            return document, (yield from check())
        limit = cluster.before.limit if cluster.before else STANDARD_BYTES
        waiting = pending(cluster.text, limit=limit)
        if waiting is None:
            raise CliError(
                f"{cluster.name} is too large to be stored disabled while it is checked.",
                remedy="Shorten it, for example its comments.",
            )
        now = self._write(waiting, cluster.before)
        self.waits = cluster.waits
        try:
            report = yield from check(waiting=True)
        except BaseException:
            if not cluster.waits:
                self._restore(now)
            raise
        if not _obstacles(report):
            self._write(cluster.text, now)
            self.waits = False
            return document, report
        if cluster.waits:
            changed = cluster.before is None or cluster.before.text != waiting
            outcome = document.outcome if changed else StepOutcome.UNCHANGED
            said = f"{document.message}, disabled until the function has access"
            return Step(StepName.DOCUMENT, outcome, said), report
        self._restore(now)
        return self._not_written(), report

    def _restore(self, now: Stored) -> None:
        """Write the document as it was before; `now` is what is stored instead."""
        assert self._cluster.before is not None
        self._write(self._cluster.before.text, now)

    def _write(self, text: str, before: Stored | None) -> Stored:
        """Write the document over `before`; return it as it is stored then."""
        name = self._cluster.name
        if before is not None and before.text == text:
            return before
        if before is not None:
            return self._store.rewrite(before, text)
        self._store.put(name, text, before=None)
        return Stored(name, name.parameter(self._store.root), text, "String", 1)

    @property
    def _id(self) -> str:
        return self._cluster.name.id

    @property
    def _document(self) -> Step:
        return self._cluster.plan(self._cluster.name.parameter(self._store.root))

    def _held_back(self) -> list[Step]:
        """Return the steps that wait: without access for the function, its runs would only fail."""
        return [
            self._not_written() if self._document.changes else self._document,
            Step(StepName.CHECK, StepOutcome.NOT_ATTEMPTED, ""),
            Step(StepName.PUSH, StepOutcome.NOT_ATTEMPTED, ""),
        ]

    def _not_written(self) -> Step:
        return Step(
            StepName.DOCUMENT,
            StepOutcome.NOT_ATTEMPTED,
            "not written before the function has access",
            "Then run the same command again.",
        )

    def _disabled(self) -> list[Step]:
        enable = self._wanted.follow_up.command("clusters", "enable", self._id)
        said = f"its document is disabled; to enable it: {enable}"
        return [
            Step(StepName.CHECK, StepOutcome.SKIPPED, said),
            Step(StepName.PUSH, StepOutcome.SKIPPED, said),
        ]

    @cached_property
    def _seen(self) -> EksCluster | Step:
        if self._eks is None:
            return Step(
                StepName.ACCESS_ENTRY,
                StepOutcome.SKIPPED,
                f"by {self._cluster.config.sign_in.type}: the check shows what the API server must"
                " trust",
            )
        return describe(self._eks, self._admission, self._caller)

    @cached_property
    def _access_entry(self) -> AccessEntryStep | Step:
        if isinstance(self._seen, Step) and self._eks is None:
            return self._seen
        if isinstance(self._seen, Step):
            shown = self._wanted.admit or self._seen.prevents
            return self._seen if shown else not_asked_for(self._admission)
        entry = AccessEntryStep(self._eks, self._admission, self._seen)
        return entry if self._wanted.admit else entry.look()

    @cached_property
    def _rbac(self) -> RbacStep | Step:
        if not self._wanted.objects:
            return Step(StepName.RBAC, StepOutcome.SKIPPED, "--rbac none")
        return RbacStep(self._cluster, self._wanted.objects, self._wanted.choice, self._seen)

    def _check_step(self, report: Report) -> Step:
        if report["ok"]:
            return Step(StepName.CHECK, StepOutcome.DONE, "ok")
        return Step(
            StepName.CHECK,
            StepOutcome.FAILED,
            f"not ok: {', '.join(sorted(_failed(report))) or 'see below'}",
            f"See below, or: {self._wanted.follow_up.command('check', self._id)}",
        )

    def _checked(
        self, sleep: Callable[[float], None], *, fresh: bool, waiting: bool = False
    ) -> Work[Report]:
        """Return the check's report, repeated while a fresh access entry may still propagate.

        `waiting`: the document is stored disabled.
        """
        event: Event = {"action": "check", "clusters": [self._id]}
        event = {**event, "includeDisabled": True} if waiting else event
        for left in reversed(range(PROPAGATION_TRIES if fresh else 1)):
            report = yield event
            if not left or _SIGN_IN not in _obstacles(report):
                break
            sleep(PROPAGATION_SECONDS)
        return report


def _obstacles(report: Report) -> set[str]:
    """Return what prevents a push: names of failed checks, and `error` for an error."""
    errors = {"error" for one in (report, *report["clusters"]) if one.get("error")}
    return (_failed(report) - _NO_OBSTACLE) | errors


def _failed(report: Report) -> set[str]:
    return {
        finding["check"]
        for cluster in report["clusters"]
        for finding in cluster.get("findings", ())
        if not finding["ok"]
    }


def _push_step(report: Report) -> Step:
    counts = {
        name: number
        for name, number in report.get("totals", {}).items()
        if name not in ("clusters", "clustersFailed")
    }
    said = ", ".join(f"{number} {name}" for name, number in counts.items()) or "no namespace"
    return Step(
        StepName.PUSH,
        StepOutcome.DONE if report["ok"] else StepOutcome.FAILED,
        said,
        "" if report["ok"] else "See below.",
    )
