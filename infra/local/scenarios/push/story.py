"""The first scenario: two pushes, and what they leave in the clusters."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from ...aws.template import FunctionSpec
from ...runtime import BuiltFunction, Invocation
from ...terminal import Surprise, progress, terminal
from . import outcomes
from .outcomes import Row, SeenSecret
from .stack import CLUSTERS, PushStack
from .table import table, verdict

# A Secret's times are in seconds: without a pause both pushes could bear the same.
PAUSE_SECONDS = 1.1


def demonstrate(
    stack: PushStack, function: BuiltFunction, spec: FunctionSpec, *, verbose: bool
) -> list[str]:
    """Pushes twice and shows both; returns what is not as it should be."""
    paint = terminal()
    began = _secrets(stack)
    first, invocation = _push(stack, function, spec, began, verbose=verbose)
    wrong = _show_push("First push", stack, invocation, first, None)
    middle = _secrets(stack)
    time.sleep(PAUSE_SECONDS)
    second, invocation = _push(stack, function, spec, middle, verbose=verbose)
    wrong += _show_push(
        "Second push: the same Secrets (UID), another token", stack, invocation, second, first
    )
    for name in first:
        wrong += outcomes.rotation(first[name], second[name])
    print(f"{paint('bold', 'The report')}, as the function returns and logs it:")
    print(json.dumps(_report(invocation), indent=2))
    print()
    return wrong


def _push(
    stack: PushStack,
    function: BuiltFunction,
    spec: FunctionSpec,
    before: dict[str, dict[str, SeenSecret]],
    *,
    verbose: bool,
) -> tuple[dict[str, list[Row]], Invocation]:
    progress(f"invoking it with the schedule's event, {json.dumps(spec.scheduled_event)}")
    invocation = function.invoke(spec.scheduled_event)
    if verbose:
        print("\n".join(f"  | {line}" for line in invocation.logs), file=sys.stderr)
    after, reported = _secrets(stack), _by_id(_report(invocation))
    found = {
        expected.name: outcomes.rows(
            expected, before[expected.name], after[expected.name], reported.get(expected.name)
        )
        for expected in CLUSTERS
    }
    return found, invocation


def _show_push(
    title: str,
    stack: PushStack,
    invocation: Invocation,
    found: dict[str, list[Row]],
    previous: dict[str, list[Row]] | None,
) -> list[str]:
    """Prints a push; returns what is not as expected."""
    paint, now, report = terminal(), datetime.now(UTC), _report(invocation)
    print(f"{paint('bold', title)} ({invocation.seconds:.2f} s)\n")
    wrong: list[str] = []
    for expected in CLUSTERS:
        print(
            "\n".join(
                table(
                    expected,
                    found[expected.name],
                    previous[expected.name] if previous else None,
                    now,
                    paint,
                )
            )
            + "\n"
        )
        wrong += outcomes.surprises(
            found[expected.name], _by_id(report).get(expected.name), again=previous is not None
        )
    print("\n".join(verdict(report, paint)))
    if invocation.error:
        print(
            f"  So the invocation ends in {invocation.error['errorType']}: Lambda counts an error."
        )
    elif queued := report.get("queued"):
        print(
            "  The failed cluster is measured, for alarms to see, and waits on the retry queue:"
            f" {', '.join(queued)}."
        )
    print()
    failures = [
        reason for cluster in stack.clusters.values() for reason in cluster.sign_in_failures
    ]
    if (waiting := [message.body["clusters"] for message in stack.queue.waiting]) != [
        report.get("queued")
    ] * len(waiting) or not waiting:
        wrong.append(f"on the retry queue: {waiting}, and the report says {report.get('queued')}")
    return wrong + [f"a sign-in failed: {reason}" for reason in failures]


def _secrets(stack: PushStack) -> dict[str, dict[str, SeenSecret]]:
    return {
        expected.name: outcomes.see(stack.clusters[expected.name], expected)
        for expected in CLUSTERS
    }


def _report(invocation: Invocation) -> dict[str, Any]:
    if invocation.report is None:
        said = invocation.error or "nothing"
        raise Surprise(
            f"the function gave no report, but {said}; it printed:\n  "
            + "\n  ".join(invocation.logs[-20:])
        )
    return invocation.report


def _by_id(report: dict[str, Any]) -> dict[str, Any]:
    return {cluster["id"]: cluster for cluster in report.get("clusters", [])}
