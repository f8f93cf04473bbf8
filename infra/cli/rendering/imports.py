"""The clusters of an import for people: proposed, or with what was done. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.text import Text

from ..follow_up import FollowUp
from ..imports.eks_clusters import Unseen
from ..imports.proposals import Proposal
from ..onboarding.step import StepName
from .onboarding import outcome_word
from .report import render_report
from .text import BAD, FAINT, counted, heading, indented, pasteable, remedy, table

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"


def render_import(
    proposals: Sequence[Proposal],
    unseen: Sequence[Unseen],
    *,
    dry_run: bool,
    follow_up: FollowUp,
    again: str = "",
) -> list[RenderableType]:
    """Render a line for each cluster, then what is left to do, and how to go on.

    `again` is the command that goes on afterwards.
    """
    parts: list[RenderableType] = []
    if proposals:
        rows = [_row(one, dry_run=dry_run) for one in proposals]
        columns = ("ID", "SIGN-IN", "CLUSTER", "REGION", "ACCOUNT")
        parts.append(table(*columns, "WOULD" if dry_run else "OUTCOME", rows=rows))
    for proposal in proposals if dry_run else ():
        parts += _document(proposal)
    for proposal in proposals:
        parts += _problems(proposal)
    for name in (StepName.CHECK, StepName.PUSH):
        parts += _failures(name, proposals, follow_up)
    for one in unseen:
        parts += [heading(f"Not seen: {one.what}"), indented(one.message), *remedy(one.remedy)]
    parts.append(Text(f"\n{_summary(proposals, dry_run=dry_run)}", style="bold"))
    if again:
        parts.append(
            Text(
                "The remedies name options of `clusters add`, which goes on with a single cluster."
                " To go on with all of them:"
            )
        )
        parts.append(pasteable(again))
    return parts


def _row(one: Proposal, *, dry_run: bool) -> tuple[str | Text, ...]:
    place = one.candidate
    told = _told(one, dry_run=dry_run)
    return one.id, place.kind.value, place.cluster, place.region, place.account, told


def _told(one: Proposal, *, dry_run: bool) -> Text:
    if one.there:
        return Text(f"nothing: {one.there} names it", style=FAINT)
    if one.onboarding is None:
        return Text("not possible", style=BAD)
    words = [
        Text.assemble(f"{step.name} ", outcome_word(step, dry_run=dry_run)) for step in one.steps
    ]
    return Text(", ").join(words)


def _document(one: Proposal) -> Iterator[RenderableType]:
    """Render the proposed document, without the text of certificates."""
    step = next((step for step in one.steps if step.name is StepName.DOCUMENT), None)
    if step is None or not step.details:
        return
    yield heading(f"{step.message} ({outcome_word(step, dry_run=True).plain})")
    inside = False
    for line in step.details:
        if not inside:
            yield Text(f"  {line.replace(_BEGIN, '(a certificate)')}")
        inside = _BEGIN in line or (inside and _END not in line)


def _problems(one: Proposal) -> Iterator[RenderableType]:
    left = [step for step in one.steps if step.failed and step.name not in one.reports]
    if not (left or one.candidate.problem):
        return
    yield heading(one.id)
    if one.candidate.problem:
        yield indented(one.candidate.problem)
        yield from remedy(one.candidate.remedy)
    for step in left:
        yield indented(f"{step.name}: {step.message}")
        yield from (indented(line, by=4) for line in step.details)
        yield pasteable(step.remedy)


def _failures(
    name: StepName, proposals: Sequence[Proposal], follow_up: FollowUp
) -> Iterator[RenderableType]:
    """Render what the function reported on the clusters where a step failed, as one report."""
    reports = [one.reports[name] for one in proposals if name in one.reports]
    failed = [report for report in reports if not report["ok"]]
    if not failed:
        return
    totals = Counter[str]()
    for report in failed:
        totals.update(report["totals"])
    clusters = [cluster for report in failed for cluster in report["clusters"]]
    yield heading(f"The function's {name}")
    whole = {**failed[0], "totals": dict(totals), "clusters": clusters}
    yield from render_report(whole, now=datetime.now(UTC), follow_up=follow_up)


def _summary(proposals: Sequence[Proposal], *, dry_run: bool) -> str:
    there = sum(bool(one.there) for one in proposals)
    impossible = sum(one.state == "impossible" for one in proposals)
    new = [one for one in proposals if one.state == "add"]
    done = [one for one in new if not one.failed]
    said = (
        f"{counted(len(new), 'cluster')} to import"
        if dry_run
        else f"{len(done)} of {counted(len(new), 'cluster')} imported"
    )
    more = [f"{there} there already"] if there else []
    more += [f"{impossible} not possible"] if impossible else []
    return ", ".join([said, *more])
