"""Two pushes, and what they leave in the clusters."""

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from infra.cli.rendering.text import HEAD

from ...aws.template import FunctionSpec
from ...runtime import BuiltFunction, Invocation
from ...terminal import Show, Surprise, progress
from .outcomes import Row, SeenSecret, find_surprises, read_secrets, rotation_failures, rows_of
from .stack import CLUSTERS, PushStack
from .table import render_cluster, render_problems

# A Secret's times have whole seconds: without a pause both pushes could have the same.
PAUSE_SECONDS = 1.1

type Rows = Mapping[str, list[Row]]
type Secrets = Mapping[str, Mapping[str, SeenSecret]]


def demonstrate(
    stack: PushStack, function: BuiltFunction, spec: FunctionSpec, show: Show, *, verbose: bool
) -> list[str]:
    """Push twice and show both; return what is not as expected."""
    first, invocation = _push(stack, function, spec, verbose=verbose)
    wrong = _show_push("First push", stack, invocation, first, {}, show)
    time.sleep(PAUSE_SECONDS)
    second, invocation = _push(stack, function, spec, verbose=verbose)
    title = "Second push: the same Secrets (UID), another token"
    wrong += _show_push(title, stack, invocation, second, first, show)
    for name in first:
        wrong += rotation_failures(first[name], second[name])
    show(Text.assemble(("The report", HEAD), ", as the function returns and logs it:"))
    show(Text(json.dumps(_report(invocation), indent=2) + "\n"))
    return wrong


def _push(
    stack: PushStack, function: BuiltFunction, spec: FunctionSpec, *, verbose: bool
) -> tuple[Rows, Invocation]:
    progress(f"invoking it with the schedule's event, {json.dumps(spec.scheduled_event)}")
    before = _secrets(stack)
    invocation = function.invoke(spec.scheduled_event)
    if verbose:
        print("\n".join(f"  | {line}" for line in invocation.logs), file=sys.stderr)
    after = _secrets(stack)
    reported = _by_id(_report(invocation))
    rows = {
        one.name: rows_of(one, before[one.name], after[one.name], reported.get(one.name))
        for one in CLUSTERS
    }
    return rows, invocation


def _show_push(
    title: str, stack: PushStack, invocation: Invocation, rows: Rows, previous: Rows, show: Show
) -> list[str]:
    """Show a push; return what is not as expected. `previous`: the rows of the push before."""
    now = datetime.now(UTC)
    report = _report(invocation)
    show(Text.assemble((title, HEAD), f" ({invocation.seconds:.2f} s)\n"))
    wrong: list[str] = []
    for one in CLUSTERS:
        for part in render_cluster(one, rows[one.name], previous.get(one.name, ()), now):
            show(part)
        reported = _by_id(report).get(one.name)
        wrong += find_surprises(rows[one.name], reported, again=bool(previous))
    for problem in render_problems(report):
        show(problem)
    show(Text(_consequence(invocation, report) + "\n"))
    waiting = [message.body["clusters"] for message in stack.queue.waiting]
    if not waiting or any(clusters != report.get("queued") for clusters in waiting):
        wrong.append(f"on the retry queue: {waiting}, and the report says {report.get('queued')}")
    for cluster in stack.clusters.values():
        wrong += [f"a sign-in failed: {reason}" for reason in cluster.sign_in_failures]
    return wrong


def _consequence(invocation: Invocation, report: Mapping[str, Any]) -> str:
    """Return what follows from the problems of a run; empty when nothing does."""
    if invocation.error:
        kind = invocation.error["errorType"]
        return f"  So the invocation ends in {kind}: Lambda counts an error."
    if queued := report.get("queued"):
        return (
            "  The failed cluster is measured, for alarms to see, and waits on the retry queue:"
            f" {', '.join(queued)}."
        )
    return ""


def _secrets(stack: PushStack) -> Secrets:
    return {one.name: read_secrets(stack.clusters[one.name], one) for one in CLUSTERS}


def _report(invocation: Invocation) -> Mapping[str, Any]:
    if invocation.report is None:
        said = invocation.error or "nothing"
        raise Surprise(
            f"the function gave no report, but {said}; it printed:\n  "
            + "\n  ".join(invocation.logs[-20:])
        )
    return invocation.report


def _by_id(report: Mapping[str, Any]) -> dict[str, Any]:
    return {cluster["id"]: cluster for cluster in report.get("clusters", [])}
