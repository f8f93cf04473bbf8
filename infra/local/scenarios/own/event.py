"""One event, sent once, with its report."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.cli.follow_up import NOTHING_GIVEN
from infra.cli.rendering.report import render_report

from ...runtime import BuiltFunction, Invocation
from ...terminal import Printer, Surprise, progress


def send(function: BuiltFunction, event: Any, *, output: str, verbose: bool) -> Mapping[str, Any]:
    """Send the event, show the report and return it.

    Raise Surprise when there is none, or when the invocation ended in an error.
    """
    progress(f"invoking it with {json.dumps(event)[:200]}")
    invocation = function.invoke(event)
    if verbose:
        print("\n".join(f"  | {line}" for line in invocation.logs), file=sys.stderr)
    report = invocation.report
    if report is None:
        if output == "json" and invocation.error is None:
            print(json.dumps(invocation.payload, indent=2))
        raise Surprise(_without_report(invocation))
    _show(report, output, verbose=verbose)
    if invocation.error:
        raise Surprise(
            f"the invocation ended in {invocation.error['errorType']}:"
            f" {invocation.error['errorMessage']}"
        )
    return report


def _show(report: Mapping[str, Any], output: str, *, verbose: bool) -> None:
    # The answer to a batch of the queue has SQS's shape, for which there is no table.
    if output == "json" or not {"action", "ok"} <= report.keys():
        print(json.dumps(report, indent=2))
        return
    show = Printer(sys.stdout)
    for part in render_report(
        report, now=datetime.now(UTC), follow_up=NOTHING_GIVEN, verbose=verbose
    ):
        show(part)
    if verbose:
        print("\n" + json.dumps(report, indent=2))


def _without_report(invocation: Invocation) -> str:
    said = "\n  ".join(invocation.logs[-20:])
    return (
        f"no report, but {json.dumps(invocation.error or invocation.payload)}; the function"
        f" printed:\n  {said}"
    )
