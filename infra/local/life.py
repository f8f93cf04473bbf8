"""The second scenario: a namespace's whole life, step by step, on one cluster.

What people and other tools do in between is done here.

Each step says what happened, sends the event that AWS or a person would send, shows the namespaces,
and knows what ought to be so.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from .aws import DEFAULT_ACCOUNT
from .runtime import BuiltFunction, Invocation
from .show import Paint
from .stack import (
    CONFIG_PATH,
    EXECUTION_ROLE,
    FOREIGN_MANAGER,
    REGION,
    SECRET_NAME,
    SECRET_TYPE,
    LocalStack,
)

CLUSTER = "prod"
# In the order in which a person would grant them.
RBAC_FILES = ("cluster.yaml", "service-accounts.yaml", "prune.yaml")
THEIRS = "regcred"  # an entry of somebody else's in the accounts' imagePullSecrets
FOREIGN_DATA = {".dockerconfigjson": "eyJhdXRocyI6e319"}  # {"auths":{}}

DOCUMENT: Mapping[str, Any] = {
    "namespaces": ["payments", "team-*"],
    "serviceAccounts": ["default"],
    "prune": True,
}


class LifeStack(LocalStack):
    """One cluster, without RBAC and without a document yet.

    `root`: the project's folder, for the RBAC files.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        try:
            self.cluster = self.add_cluster(
                CLUSTER, region=REGION, account=DEFAULT_ACCOUNT, role=EXECUTION_ROLE
            )
            for name in ("payments", "team-a"):
                self.add_namespace(name)
        except BaseException:
            self.close()
            raise

    def grant(self, file: str) -> None:
        """kubectl apply -f infra/rbac/FILE"""
        self.cluster.apply(*yaml.safe_load_all((self._root / "infra" / "rbac" / file).read_text()))

    def configure(self, **changed: Any) -> dict[str, Any]:
        """Writes the document; the change event that EventBridge would send."""
        document = {**DOCUMENT, **changed}
        name = f"{CONFIG_PATH}/clusters/{CLUSTER}"
        self.write(f"clusters/{CLUSTER}", document)
        detail = {"operation": "Update", "name": name, "type": "String", "description": ""}
        return {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}

    def add_namespace(self, name: str) -> None:
        """A namespace with its default account, as the controllers leave it, which pulls from
        somewhere else too.
        """
        self._ask(
            "POST",
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        )
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default"},
            "imagePullSecrets": [{"name": THEIRS}],
        }
        self._ask("POST", f"/api/v1/namespaces/{name}/serviceaccounts", account)

    def write_foreign_secret(self, namespace: str) -> None:
        """Another tool writes its own credential into the Secret of that name, whatever
        is there.
        """
        path = f"/api/v1/namespaces/{namespace}/secrets"
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET_NAME},
            "type": SECRET_TYPE,
            "data": FOREIGN_DATA,
        }
        status, _ = self.cluster.admin("GET", f"{path}/{SECRET_NAME}")
        if status == 200:
            self._ask("PUT", f"{path}/{SECRET_NAME}?fieldManager={FOREIGN_MANAGER}", body)
        else:
            self._ask("POST", f"{path}?fieldManager={FOREIGN_MANAGER}", body)

    def delete_secret(self, namespace: str) -> None:
        """kubectl delete secret ecr-public-token"""
        self._ask("DELETE", _secret(namespace), None)

    def reset_account(self, namespace: str) -> None:
        """A deployment tool applies its own list of imagePullSecrets to the default account."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        _, account = self.cluster.admin("GET", path)
        self._ask("PUT", path, {**account, "imagePullSecrets": [{"name": THEIRS}]})

    def pass_time(self, namespace: str, *, hours_left: int) -> None:
        """The Secret becomes one that no push has renewed, by an apply as the function's, hours
        ago.
        """
        _, secret = self.cluster.admin("GET", _secret(namespace))
        metadata, data = secret["metadata"], secret["data"]
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours_left)
        moments = {"expires-at": ends, "pushed-at": ends - timedelta(hours=12)}
        stamps = {f"ecr-public-pusher/{name}": at.isoformat() for name, at in moments.items()}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": SECRET_NAME,
                "labels": metadata["labels"],
                "annotations": metadata["annotations"] | stamps,
            },
            "type": secret["type"],
            "data": data,
            "stringData": {key: base64.b64decode(value).decode() for key, value in data.items()},
        }
        manager = next(
            entry["manager"] for entry in metadata["managedFields"] if "f:data" in entry["fieldsV1"]
        )
        asked = urlencode({"fieldManager": manager, "force": "true"})
        self._ask("PATCH", f"{_secret(namespace)}?{asked}", body, "application/apply-patch+yaml")

    def namespaces(self) -> dict[str, str]:
        """Each namespace, with whose the Secret is and what its default account pulls with."""
        _, listed = self.cluster.admin("GET", "/api/v1/namespaces")
        names = [item["metadata"]["name"] for item in listed["items"]]
        return {
            name: self._state(name)
            for name in names
            if name == "payments" or name.startswith(("team-", "legacy"))
        }

    def _state(self, namespace: str) -> str:
        status, secret = self.cluster.admin("GET", _secret(namespace))
        whose = (
            "none" if status == 404 else "theirs" if secret.get("data") == FOREIGN_DATA else "ours"
        )
        _, account = self.cluster.admin(
            "GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        )
        return (
            f"{whose}, default pulls with"
            f" {' '.join(entry['name'] for entry in account.get('imagePullSecrets', [])) or 'nothing'}"
        )

    def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        content_type: str = "application/json",
    ) -> None:
        status, answer = self.cluster.admin(method, path, body, content_type=content_type)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer.get('message')}")


def _secret(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{SECRET_NAME}"


@dataclass(frozen=True)
class Step:
    """One thing that happens, what is sent for it, and what ought to come of it: the report's
    counts, and each namespace's state.
    """

    title: str
    event: Any
    counts: Mapping[str, int]
    state: Mapping[str, str]
    ok: bool = True


OURS, NONE, THEIR_SECRET = (
    f"ours, default pulls with {THEIRS} {SECRET_NAME}",
    f"none, default pulls with {THEIRS}",
    f"theirs, default pulls with {THEIRS}",
)


def steps(stack: LifeStack) -> Iterator[Step]:
    """The story. What precedes a step is done when the step is asked for."""
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
    new = "A namespace team-new is made: the next sweep finds it"
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
    yield Step("prune: true takes their Secrets away", pruned, {"updated": 2, "pruned": 2}, left)
    gone = {"action": "plan", "remove": True, "clusters": ["*"]}
    yield Step("The plan of an uninstall changes nothing", gone, {"removed": 2}, left)
    yield Step(
        "The uninstall",
        {"action": "remove", "clusters": ["*"]},
        {"removed": 2},
        dict.fromkeys(left, NONE),
    )


def live(stack: LifeStack, function: BuiltFunction, paint: Paint) -> list[str]:
    """Goes through the story and shows it; returns what is not as it should be."""
    wrong: list[str] = []
    for number, step in enumerate(steps(stack), 1):
        invocation = function.invoke(step.event)
        state = stack.namespaces()
        print("\n".join(_shown(number, step, invocation, state, paint)) + "\n")
        wrong += [f"step {number}: {one}" for one in _surprises(step, invocation, state)]
    return wrong


def _shown(
    number: int, step: Step, invocation: Invocation, state: Mapping[str, str], paint: Paint
) -> Iterator[str]:
    report = invocation.report or {}
    sent = step.event.get("detail-type") or json.dumps(step.event)
    yield f"{paint('bold', f'{number}. {step.title}')} ({sent}, {invocation.seconds:.2f} s)"
    for cluster in report.get("clusters", []):
        if cluster.get("error"):
            yield f"  {paint('bad', cluster['error']['message'])}\n    {cluster['error']['remedy']}"
        for finding in cluster.get("findings", []):
            yield (
                f"  {paint('good' if finding['ok'] else 'bad', 'ok ' if finding['ok'] else 'BAD')}"
                f" {finding['check']}: {finding['message']}"
            )
            if not finding["ok"]:
                yield f"      {finding['remedy']}"
        for problem in cluster["problems"]:
            yield (
                f"  {paint('bad', problem['namespace'])}: {problem['outcome']}:"
                f" {problem['message']}\n    {problem['remedy']}"
            )
        for adopted in cluster.get("adopted", []):
            yield f"  {adopted['namespace']}: adopted from {', '.join(adopted['from'])}"
        yield f"  {', '.join(_numbers(cluster)) or 'nothing done'}"
    width = max(map(len, state))
    yield from (f"  {paint('faint', name.ljust(width))}  {what}" for name, what in state.items())


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
