"""A namespace's whole life, step by step.

Each step names what happened, sends the event that AWS or a person would send, shows the
namespaces, and checks them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from infra.cli.rendering.text import BAD, FAINT, GOOD, HEAD

from ...runtime import BuiltFunction, Invocation
from ...stack import SECRET_NAME
from ...terminal import Show
from .stack import ARGO_CD, CHARTS, RBAC_FILES, THEIRS, LifeStack


@dataclass(frozen=True)
class Step:
    """One step: the event to send, the expected counts of the report and states of namespaces."""

    title: str
    event: Any
    counts: Mapping[str, int]
    state: Mapping[str, str]
    ok: bool = True


OURS = f"ours, default pulls with {THEIRS} {SECRET_NAME}"
NONE = f"none, default pulls with {THEIRS}"
THEIR_SECRET = f"theirs, default pulls with {THEIRS}"
REPOSITORY = {"name": CHARTS, "url": "public.ecr.aws/karpenter"}


def steps(stack: LifeStack) -> Iterator[Step]:
    """Yield the steps; the changes that precede a step are made when it is requested."""
    stack.configure()
    check = {"action": "check"}
    yield Step(
        "A check before anything is granted",
        check,
        {},
        {"payments": NONE, "team-a": NONE},
        ok=False,
    )
    for file in RBAC_FILES:
        stack.grant(file)
    yield Step(
        "kubectl apply -k infra/rbac and the two options, and another check",
        check,
        {"created": 2},
        {"payments": NONE, "team-a": NONE},
    )
    yield Step(
        "The document is written: its change event pushes",
        stack.configure(),
        {"created": 2},
        {"payments": OURS, "team-a": OURS},
    )
    stack.add_namespace("team-new")
    sweep = {"action": "sweep", "windowMinutes": 20}
    everywhere = {"payments": OURS, "team-a": OURS, "team-new": OURS}
    new = "A namespace team-new is created: the next sweep finds it"
    yield Step(new, sweep, {"created": 1, "current": 2}, everywhere)
    stack.delete_secret("payments")
    stack.reset_account("team-a")
    stack.pass_time("team-new", hours_left=1)
    healed = (
        "A Secret is deleted, a deployment tool resets an account, another Secret's token ends in"
        " an hour: the next sweep heals all three"
    )
    yield Step(healed, sweep, {"created": 1, "updated": 1, "current": 1}, everywhere)
    yield Step("All is well: a sweep looks, and writes nothing", sweep, {"current": 3}, everywhere)
    stack.add_namespace(ARGO_CD)
    stack.grant("argocd.yaml")
    yield Step(
        "argocd: {repositories: ...} and infra/rbac/argocd.yaml: Argo CD's Secret is kept too",
        stack.configure(argocd={"repositories": [REPOSITORY]}),
        {"created": 1, "updated": 3},
        {**everywhere, ARGO_CD: f"repository {CHARTS}: helm, public.ecr.aws/karpenter, AWS"},
    )
    yield Step(
        "The repository is dropped: prune deletes its Secret",
        stack.configure(),
        {"updated": 3, "pruned": 1},
        {**everywhere, ARGO_CD: "no repository"},
    )
    stack.add_namespace("legacy")
    stack.write_foreign_secret("legacy")
    with_legacy = stack.configure(namespaces=["payments", "team-*", "legacy"])
    refused = {**everywhere, "legacy": THEIR_SECRET}
    yield Step(
        "legacy is added, whose Secret is another tool's",
        with_legacy,
        {"updated": 3, "conflict": 1},
        refused,
        ok=False,
    )
    taken = stack.configure(namespaces=["payments", "team-*", "legacy"], takeOwnership=True)
    yield Step(
        "takeOwnership: true", taken, {"updated": 3, "adopted": 1}, {**everywhere, "legacy": OURS}
    )
    stack.write_foreign_secret("legacy")
    push = {"action": "push"}
    yield Step(
        "The other tool writes again: each takeover shows",
        push,
        {"updated": 3, "adopted": 1},
        {**everywhere, "legacy": OURS},
    )
    fewer = {"include": ["payments", "team-*"], "exclude": ["team-a"]}
    dropped = stack.configure(namespaces=fewer, prune=False)
    still = {**everywhere, "legacy": OURS}
    kept = "team-a and legacy are dropped, without prune: what is left there is named"
    yield Step(kept, dropped, {"updated": 2, "left": 2}, still, ok=False)
    pruned = stack.configure(namespaces=fewer)
    left = {"payments": OURS, "team-a": NONE, "team-new": OURS, "legacy": NONE}
    yield Step("prune: true deletes their Secrets", pruned, {"updated": 2, "pruned": 2}, left)
    gone = {"action": "plan", "remove": True, "clusters": ["*"]}
    yield Step("The plan of an uninstall changes nothing", gone, {"removed": 2}, left)
    yield Step(
        "The uninstall",
        {"action": "remove", "clusters": ["*"]},
        {"removed": 2},
        dict.fromkeys(left, NONE),
    )


def live(stack: LifeStack, function: BuiltFunction, show: Show) -> list[str]:
    """Go through the story and show it; return what is not as expected."""
    wrong: list[str] = []
    for number, step in enumerate(steps(stack), 1):
        invocation = function.invoke(step.event)
        state = stack.namespaces()
        for part in _render(number, step, invocation, state):
            show(part)
        wrong += [f"step {number}: {one}" for one in _surprises(step, invocation, state)]
    return wrong


def _render(
    number: int, step: Step, invocation: Invocation, state: Mapping[str, str]
) -> Iterator[Text]:
    sent = step.event.get("detail-type") or json.dumps(step.event)
    title = f"{number}. {step.title}"
    yield Text.assemble((title, HEAD), f" ({sent}, {invocation.seconds:.2f} s)")
    for cluster in (invocation.report or {}).get("clusters", []):
        yield from _render_cluster(cluster)
    width = max(map(len, state))
    for name, what in state.items():
        yield Text.assemble("  ", (name.ljust(width), FAINT), f"  {what}")
    yield Text("")


def _render_cluster(cluster: Mapping[str, Any]) -> Iterator[Text]:
    if error := cluster.get("error"):
        yield Text.assemble("  ", (error["message"], BAD), f"\n    {error['remedy']}")
    for finding in cluster.get("findings", []):
        mark = ("ok ", GOOD) if finding["ok"] else ("BAD", BAD)
        yield Text.assemble("  ", mark, f" {finding['check']}: {finding['message']}")
        if not finding["ok"]:
            yield Text(f"      {finding['remedy']}")
    for problem in cluster["problems"]:
        said = f": {problem['outcome']}: {problem['message']}\n    {problem['remedy']}"
        yield Text.assemble("  ", (problem["namespace"], BAD), said)
    for adopted in cluster.get("adopted", []):
        yield Text(f"  {adopted['namespace']}: adopted from {', '.join(adopted['from'])}")
    yield Text(f"  {', '.join(_numbers(cluster)) or 'nothing done'}")


def _numbers(cluster: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{count} {kind}" for kind, count in cluster["counts"].items())
    if changed := cluster.get("serviceAccountsChanged"):
        yield f"ServiceAccounts changed: {changed}"
    if "secondsLeft" in cluster:
        yield f"least life left: {cluster['secondsLeft'] / 3600:.1f} hours"


def _surprises(step: Step, invocation: Invocation, state: Mapping[str, str]) -> Iterator[str]:
    if invocation.error is not None or invocation.report is None:
        yield f"the function raised {invocation.error}"
        return
    report = invocation.report
    counts = {
        kind: count for kind, count in report["totals"].items() if not kind.startswith("clusters")
    }
    if report["ok"] is not step.ok:
        yield f"ok is {report['ok']}: {json.dumps(report)[:2000]}"
    if step.counts and counts != dict(step.counts):
        yield f"counts {counts}, expected {dict(step.counts)}"
    if {name: state.get(name) for name in step.state} != dict(step.state):
        yield f"namespaces {dict(state)}, expected {dict(step.state)}"
