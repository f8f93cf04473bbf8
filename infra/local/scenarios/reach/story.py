"""The story, step by step: the event to send, its report, and the expectations."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from infra.cli.follow_up import NOTHING_GIVEN
from infra.cli.rendering.report import render_report
from infra.cli.rendering.text import heading

from ...runtime import Invocation
from ...terminal import Show
from .stack import (
    EDGE,
    GKE,
    HOSTS,
    LEGACY,
    MEMBERS,
    NAMESPACES,
    PRIVATE_HOST,
    PUBLIC_HOST,
    PULL_ROLE,
    REGISTRY_REGION,
    ReachStack,
    Written,
)
from .table import side_by_side

type Report = Mapping[str, Any]
type Secrets = Mapping[str, Mapping[str, Written]]

CHECK = {"action": "check", "raise": False}
PUSH = {"action": "push", "raise": False}
_CONFIGURATION = re.compile(
    r"^apiVersion: apiserver\.config\.k8s\.io/v1\n(?:(?:[ -]|kind:|jwt:).*\n?)+", re.MULTILINE
)
_PROVIDER = re.compile(r"`(gcloud [^`]* create-oidc [^`]*)`")


class Invocable(Protocol):
    """The function, wherever it runs."""

    def invoke(self, event: Any) -> Invocation: ...


@dataclass(frozen=True)
class Step:
    """One event; `surprises` yields what is not as expected afterwards."""

    title: str
    event: Mapping[str, Any]
    surprises: Callable[[Report], Iterator[str]]


def reach(stack: ReachStack, function: Invocable, show: Show) -> list[str]:
    """Go through the story and show it; return what is not as expected."""
    wrong: list[str] = []
    story = _Story(stack)
    before: Secrets = {}
    for number, step in enumerate(story.steps(), 1):
        invocation = function.invoke(step.event)
        show(
            heading(f"{number}. {step.title} ({step.event['action']}, {invocation.seconds:.2f} s)")
        )
        if invocation.report is None:
            return [*wrong, f"step {number}: the function raised {invocation.error}"]
        story.last = invocation.report
        brief = _brief(invocation.report)
        for part in render_report(brief, now=datetime.now(UTC), follow_up=NOTHING_GIVEN):
            show(part)
        after = {member.id: stack.written(member) for member in MEMBERS}
        if step.event["action"] == "push":
            show(
                heading("The clusters now: the user that each saw, and fingerprints of the tokens")
            )
            show(side_by_side(stack, after, before, now=datetime.now(UTC)))
        wrong += [f"step {number}: {one}" for one in step.surprises(invocation.report)]
        before = after
    return wrong


class _Story:
    """The steps, and the changes between them.

    The changes that precede a step are made when it is requested.
    """

    def __init__(self, stack: ReachStack) -> None:
        self._stack = stack
        self.last: Report = {}

    def steps(self) -> Iterator[Step]:
        yield Step(
            "Before anything is set up: web identity tokens are not enabled for the account",
            CHECK,
            self._switch_is_off,
        )
        self._stack.turn_web_identity_on()
        yield Step(
            "aws iam enable-outbound-web-identity-federation; neither the API server nor Google"
            " trusts the issuer yet",
            CHECK,
            self._not_admitted,
        )
        self._stack.paste(_printed(self.last))
        self._stack.run_gcloud(_printed_for_google(self.last))
        yield Step(
            "The printed configuration is pasted into the API server's --authentication-config,"
            " and the printed command of gcloud creates the workload identity provider",
            CHECK,
            self._all_fine,
        )
        yield Step("Five ways to sign in, one Secret with both registries", PUSH, self._pushed)
        held = self._secrets()
        self._stack.write_document_of_a_stranger()
        yield Step(
            "Somebody writes a document whose endpoint is not in AllowedEndpoints",
            PUSH,
            lambda report: self._stranger(report, held),
        )
        held = self._secrets()
        self._stack.forbid_pull_role()
        yield Step(
            "The private registry's role no longer trusts the function",
            PUSH,
            lambda report: self._kept(report, held),
        )
        self._stack.put_right()
        yield Step(
            "The role is trusted again, and the document is deleted", PUSH, self._right_again
        )

    def _switch_is_off(self, report: Report) -> Iterator[str]:
        for member in (EDGE, GKE):
            finding = _finding(report, member.id, "token")
            if finding["ok"] or "enable-outbound-web-identity-federation" not in finding.get(
                "remedy", ""
            ):
                yield f"{member.id}'s token: {finding}"
        yield from self._only_bad(report, EDGE.id, GKE.id)

    def _not_admitted(self, report: Report) -> Iterator[str]:
        if _finding(report, EDGE.id, "sign-in")["ok"] or not _printed(report):
            yield f"edge's sign-in: {_finding(report, EDGE.id, 'sign-in')}"
        if _finding(report, GKE.id, "token")["ok"] or not _printed_for_google(report):
            yield f"gke's token: {_finding(report, GKE.id, 'token')}"
        yield from self._only_bad(report, EDGE.id, GKE.id)

    def _all_fine(self, report: Report) -> Iterator[str]:
        yield from self._only_bad(report)
        if "stored" not in _finding(report, LEGACY.id, "token")["message"]:
            yield "the check does not report legacy's credential as a stored one"

    def _pushed(self, report: Report) -> Iterator[str]:
        yield from self._only_bad(report)
        yield from self._written(report, "created")
        if (asked := self._tokens_of_last_run()) != (1, 1):
            yield (
                f"tokens requested: {asked} (public, private), expected one of each for all Secrets"
            )
        ends = [one["id"] for one in report["clusters"] if "credentialExpiresAt" in one]
        if ends != [LEGACY.id]:
            yield f"an end of the credential is reported for {ends}, expected for {LEGACY.id} alone"
        for member in MEMBERS:
            users = self._stack.users(member)
            if len(users) != 1 or not next(iter(users)).startswith(member.user):
                yield f"{member.id}: the cluster saw {sorted(users)}, expected {member.user}"

    def _stranger(self, report: Report, held: Secrets) -> Iterator[str]:
        yield from self._only_bad(report, "stranger")
        yield from self._written(report, "updated")
        if "AllowedEndpoints" not in str(_cluster(report, "stranger").get("error")):
            yield f"the document that is not allowed: {_cluster(report, 'stranger')}"
        for member, secrets in self._secrets().items():
            yield from (
                f"{member}/{name}: the token did not change"
                for name, new in secrets.items()
                if new.auths == held[member][name].auths
            )

    def _kept(self, report: Report, held: Secrets) -> Iterator[str]:
        yield from self._only_bad(report, *(member.id for member in MEMBERS), "stranger")
        if self._secrets() != held:
            yield "a Secret was changed, though one of its tokens was refused"

    def _right_again(self, report: Report) -> Iterator[str]:
        yield from self._only_bad(report)
        yield from self._written(report, "updated")

    def _written(self, report: Report, outcome: str) -> Iterator[str]:
        if (
            counts := {
                name: count
                for name, count in report["totals"].items()
                if not name.startswith("clusters")
            }
        ) != {outcome: len(MEMBERS) * len(NAMESPACES)}:
            yield f"counts {counts}"
        public = self._stack.aws.ecr_public.issued[-1]
        private = self._stack.aws.ecr_private.issued[PULL_ROLE, REGISTRY_REGION][-1]
        for member, secrets in self._secrets().items():
            if tuple(secrets) != NAMESPACES:
                yield f"{member}: Secrets in {', '.join(secrets)}, expected {', '.join(NAMESPACES)}"
            for name, secret in secrets.items():
                if secret.auths.keys() != HOSTS or (
                    secret.auths[PUBLIC_HOST],
                    secret.auths[PRIVATE_HOST],
                ) != (public, private):
                    yield (
                        f"{member}/{name}: hosts {', '.join(secret.auths)}, or not the tokens of"
                        " this run"
                    )

    def _only_bad(self, report: Report, *ids: str) -> Iterator[str]:
        bad = {cluster["id"] for cluster in report["clusters"] if not cluster["ok"]}
        known = {cluster["id"] for cluster in report["clusters"]}
        if (
            bad != set(ids)
            or not {member.id for member in MEMBERS} <= known
            or report["ok"] is bool(ids)
        ):
            yield (
                f"not ok: {', '.join(sorted(bad)) or 'none'}, expected {', '.join(ids) or 'none'};"
                f" ok is {report['ok']}"
            )

    def _secrets(self) -> dict[str, dict[str, Written]]:
        return {member.id: self._stack.written(member) for member in MEMBERS}

    def _tokens_of_last_run(self) -> tuple[int, int]:
        """Return the number of (public, private) registry tokens issued since the checks.

        Each check asks for one of either kind.
        """
        checks = 3
        private = self._stack.aws.ecr_private.issued[PULL_ROLE, REGISTRY_REGION]
        return len(self._stack.aws.ecr_public.issued) - checks, len(private) - checks


def _brief(report: Report) -> Report:
    """Return a shortened report: a line for each cluster, and details of those that are not ok."""
    clusters = [
        {
            name: value
            for name, value in cluster.items()
            if name != "changes"
            and not (name == "findings" and cluster["ok"])
            and not (name == "problems" and cluster["error"])
        }
        for cluster in report["clusters"]
    ]
    return {
        name: value for name, value in report.items() if name not in ("tokens", "requestId")
    } | {"clusters": clusters}


def _cluster(report: Report, cluster: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((one for one in report["clusters"] if one["id"] == cluster), {})
    return found


def _finding(report: Report, cluster: str, check: str) -> Mapping[str, Any]:
    nothing: Mapping[str, Any] = {"ok": None, "message": "nothing"}
    found: Mapping[str, Any] = next(
        (one for one in _cluster(report, cluster).get("findings", ()) if one["check"] == check),
        nothing,
    )
    return found


def _printed(report: Report) -> str:
    """Return the AuthenticationConfiguration in a check of edge; empty when it prints none."""
    found = _CONFIGURATION.search(_finding(report, EDGE.id, "sign-in").get("remedy", ""))
    return found[0] if found else ""


def _printed_for_google(report: Report) -> str:
    """Return the command that creates gke's provider; empty when the check prints none."""
    found = _PROVIDER.search(_finding(report, GKE.id, "token").get("remedy", ""))
    return found[1] if found else ""
