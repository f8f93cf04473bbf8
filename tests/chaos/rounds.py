"""One round: what is furnished, what fails, what is asked for, and what came of it."""

import contextlib
import json
import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from moto.sts.models import sts_backends

from infra.local.closable import Closable
from tests.chaos import aws_faults, cluster_faults
from tests.chaos.aws_faults import FOR_ALL, STAGES, AwsFault, broken
from tests.chaos.cluster_faults import CONNECTION_FAULTS, ClusterFault, Place, Setting, place
from tests.chaos.estate import BY_EKS, SELECTED, USES, Estate, Furnished
from tests.chaos.invariants import Broken, Invocation, Judged, bodies_of, violations
from tests.chaos.leaks import of_bearer, of_registry
from tests.chaos.observed import State
from tests.chaos.sandbox import Result, SandboxProcess, starved
from tests.support.world import ROOT

# Of an invocation with faults; what hangs takes four fifths of it.
SECONDS = 6.0
# Of the push afterwards, when nothing fails.
RECOVERY_SECONDS = 60.0
# A busy machine gets this many times as much.
PATIENCE = 6
# Above this share of an invocation's time spent waiting for a processor, the machine is too busy.
STARVED_SHARE = 0.25
# How long a thawed sandbox is watched.
THAW_SECONDS = 0.2
LATEST_KILL_SECONDS = 1.2

type Shape = Literal["one", "two at once", "killed", "killed beside another"]


@dataclass(frozen=True)
class Asked:
    """An event of a round, and what it asks for."""

    action: str
    event: Any
    targets: frozenset[str]
    namespaces: frozenset[str] = frozenset(SELECTED)
    messages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that a seed decides."""

    seed: int
    shape: Shape
    furnished: dict[str, Furnished]
    faults: dict[str, ClusterFault]
    aws_fault: AwsFault | None
    asked: tuple[Asked, ...]
    kill_after: float
    warm_recovery: bool

    @classmethod
    def draw(cls, seed: int, clusters: tuple[str, ...]) -> Self:
        rng = random.Random(seed)
        furnished = {name: Furnished.draw(name, rng) for name in clusters}
        shape: Shape = rng.choices(
            ("one", "two at once", "killed", "killed beside another"), (55, 20, 15, 10)
        )[0]
        events = 2 if "beside" in shape or "two" in shape else 1
        asked = tuple(_event(rng, clusters, number) for number in range(events))
        # Most faults lie on the way of what is asked for.
        used = sorted({name for one in asked for name in one.targets})
        met = used if rng.random() < 0.8 else list(clusters)
        aws_fault = None
        if rng.random() < 0.45:
            stages = [stage for stage in STAGES if _is_called(stage, met, asked)]
            aws_fault = aws_faults.draw(rng, stages, [name for name in met if name in BY_EKS])
        # Often some clusters fail, sometimes all, never none unless AWS fails.
        count = rng.randrange(0 if aws_fault else 1, len(met) + 1)
        faults = {name: cluster_faults.draw(rng) for name in rng.sample(met, count)}
        return cls(
            seed,
            shape,
            furnished,
            faults,
            aws_fault,
            asked,
            rng.uniform(0.02, LATEST_KILL_SECONDS),
            rng.random() < 0.5,
        )

    @property
    def touched(self) -> frozenset[str]:
        """The clusters that a fault can reach."""
        reached = set(self.faults)
        if fault := self.aws_fault:
            service, _ = fault.stage
            for name in self.furnished:
                if (
                    service in FOR_ALL
                    or fault.cluster == name
                    or (service == "eks" and fault.at_endpoint and name in BY_EKS)
                    or fault.stage in USES.get(name, ())
                    or (service == "sts" and fault.at_endpoint and name in USES)
                ):
                    reached.add(name)
        return frozenset(reached)

    @property
    def unavoidable(self) -> set[str]:
        """The faults that every invocation runs into, by label."""
        targets = {name for one in self.asked for name in one.targets}
        labels = {
            fault.label
            for name, fault in self.faults.items()
            if name in targets and fault.name in CONNECTION_FAULTS
        }
        if self.aws_fault and self.aws_fault.at_endpoint and self.touched & targets:
            labels.add(self.aws_fault.label)
        if "killed" in self.shape:
            labels.add("process killed")
        if len(self.asked) > 1:
            labels.add("two runs at once")
        return labels

    def __str__(self) -> str:
        faults = [f"{name}: {fault}" for name, fault in self.faults.items()]
        if self.aws_fault:
            faults.append(str(self.aws_fault))
        events = "; ".join(
            f"{one.action} of {', '.join(sorted(one.targets))}" for one in self.asked
        )
        return f"{self.shape}: {events}; faults: {'; '.join(faults)}"


def _is_called(stage: tuple[str, str], clusters: list[str], asked: tuple[Asked, ...]) -> bool:
    """Return whether events about these clusters may need that call."""
    match stage[0]:
        case "ssm":
            return True
        case "ecr-public":
            return any(one.action in ("push", "sweep", "check") for one in asked)
        case "sqs":
            return any(one.action == "push" for one in asked)
        case "eks":
            return any(name in BY_EKS for name in clusters)
        case _:
            return any(stage in USES.get(name, ()) for name in clusters)


def _event(rng: random.Random, clusters: tuple[str, ...], number: int) -> Asked:
    every = frozenset(clusters)
    one = rng.choice(clusters)
    two = rng.sample(clusters, 2)
    kind = rng.choice(
        [
            "push",
            "push",
            "push",
            "one",
            "narrowed",
            "sweep",
            "sweep",
            "remove",
            "check",
            "plan",
            "batch",
            "batch",
            "change",
        ]
    )
    quiet = {"raise": False} if rng.random() < 0.5 else {}
    match kind:
        case "one":
            return Asked("push", {"clusters": [one], **quiet}, frozenset({one}))
        case "narrowed":
            return Asked("push", {"namespaces": ["team-1"], **quiet}, every, frozenset({"team-1"}))
        case "remove":
            return Asked(
                "remove", {"action": "remove", "clusters": [one], **quiet}, frozenset({one})
            )
        case "batch":
            ids = {f"message-{number}-{place}": name for place, name in enumerate(two)}
            records = [
                {
                    "messageId": message,
                    "eventSource": "aws:sqs",
                    "body": json.dumps({"action": "push", "clusters": [name]}),
                    "attributes": {"ApproximateReceiveCount": "1"},
                }
                for message, name in ids.items()
            ]
            return Asked("push", {"Records": records}, frozenset(two), messages=ids)
        case "change":
            detail = {"name": f"{ROOT}/clusters/{one}", "operation": "Update"}
            event = {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
            return Asked("push", event, frozenset({one}))
        case _:
            return Asked(kind, {"action": kind, **quiet}, every)


@dataclass(frozen=True)
class Played:
    """A round that was played.

    `met`: the faults that something ran into. `starved`: the processor was busy with others.
    `repeated`: so it was played again.
    """

    plan: Plan
    seconds: float
    broken: tuple[Broken, ...]
    met: frozenset[str]
    starved: bool = False
    repeated: bool = False


class Player(Closable):
    """Plays rounds in one estate, whose two sandboxes stay warm as long as nobody kills them."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._world = estate.world
        self._folder = tempfile.TemporaryDirectory(prefix="chaos-")
        self._sandboxes: dict[int, SandboxProcess] = {}
        self._logs = 0
        self._starved = 0.0

    def close(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._folder.cleanup()

    def play(self, seed: int, *, seconds: float = SECONDS) -> Played:
        """Play the round of that seed.

        Play it once more, with more time, where nothing but time was missing and the machine was
        too busy to give it.
        """
        plan = Plan.draw(seed, tuple(self.estate.clusters))
        played = self.carry_out(plan, seconds=seconds)
        if not (played.broken and played.starved and all(one.timed for one in played.broken)):
            return played
        again = self.carry_out(plan, seconds=seconds * PATIENCE)
        return replace(again, repeated=True, seconds=played.seconds + again.seconds)

    def carry_out(self, plan: Plan, *, seconds: float = SECONDS) -> Played:
        """Play a round, and the push without faults after it."""
        began = time.monotonic()
        self._starved = 0.0
        for furnished in plan.furnished.values():
            self.estate.furnish(furnished)
        met = plan.unavoidable
        broken = [*self._with_faults(plan, seconds, met), *self._recovery(plan)]
        return Played(
            plan,
            time.monotonic() - began,
            tuple(broken),
            frozenset(met),
            starved=self._starved > STARVED_SHARE * seconds,
        )

    def _with_faults(self, plan: Plan, seconds: float, met: set[str]) -> list[Broken]:
        with contextlib.ExitStack() as stack:
            trap = stack.enter_context(_trap())
            url = f"https://127.0.0.1:{trap.getsockname()[1]}"
            release = threading.Event()
            # A second source: the plan stays the same whatever a fault draws meanwhile.
            setting = Setting(random.Random(plan.seed), release, url)
            stack.callback(release.set)
            places = self._places(stack, plan, setting, plan.faults)
            environ = (
                stack.enter_context(broken(self._world.aws, plan.aws_fault, setting))
                if plan.aws_fault
                else {}
            )
            judged = self._run(plan, plan.asked, places, plan.touched, release, environ, seconds)
            caught = Broken("something was sent to where a redirect led")
            return [*violations(judged), *([caught] if _caught(trap) else [])]

    def _recovery(self, plan: Plan) -> list[Broken]:
        """Push once more without any fault: everything is then as it should be."""
        contents = {name: self._left(name, furnished) for name, furnished in plan.furnished.items()}
        calm = Plan(
            plan.seed,
            "one",
            contents,
            {},
            None,
            (Asked("push", {"raise": False}, frozenset(plan.furnished)),),
            0.0,
            # A warm sandbox would keep the endpoint that it began with.
            plan.warm_recovery and not (plan.aws_fault and plan.aws_fault.at_endpoint),
        )
        with contextlib.ExitStack() as stack:
            release = threading.Event()
            stack.callback(release.set)
            setting = Setting(random.Random(plan.seed), release, "")
            places = self._places(stack, calm, setting, {})
            judged = self._run(
                calm,
                calm.asked,
                places,
                frozenset(),
                release,
                {},
                RECOVERY_SECONDS,
                fresh=not calm.warm_recovery,
            )
            return [
                replace(one, text=f"afterwards, without faults: {one.text}")
                for one in violations(judged)
            ]

    def _left(self, name: str, furnished: Furnished) -> Furnished:
        """Return what a round left in a cluster, as the next run finds it."""
        state = State.of(self.estate.clusters[name])
        found = {
            namespace: "nothing" if seen is None else "fresh" if seen.ours else "foreign"
            for namespace in furnished.contents
            for seen in (state.ours_in(namespace),)
        }
        return Furnished(name, furnished.prune, furnished.accounts, furnished.names, found)  # type: ignore[arg-type]  # these are Contents

    def _places(
        self,
        stack: contextlib.ExitStack,
        plan: Plan,
        setting: Setting,
        faults: Mapping[str, ClusterFault],
    ) -> dict[str, Place]:
        places = {}
        for name, furnished in plan.furnished.items():
            cluster = self.estate.clusters[name]
            places[name] = stack.enter_context(place(cluster, faults.get(name), setting))
            self.estate.describe(furnished, places[name])
        return places

    def _run(
        self,
        plan: Plan,
        asked: tuple[Asked, ...],
        places: Mapping[str, Place],
        touched: frozenset[str],
        release: threading.Event,
        environ: Mapping[str, str],
        seconds: float,
        *,
        fresh: bool = True,
    ) -> Judged:
        estate = self.estate
        self._world.aws.calls.clear()
        for waiting in iter(lambda: self._world.queue.batch(), {"Records": []}):
            self._world.queue.settle(waiting, {"batchItemFailures": []})
        before = self._states()
        issued_before = len(estate.issued()), set(estate.issued())
        results = self._invoked(plan, asked, seconds, environ, fresh=fresh)
        # What hung is let go while the sandbox is frozen; what was on its way arrives.
        release.set()
        proxies = {name: one.proxy for name, one in places.items() if one.proxy is not None}
        for proxy in proxies.values():
            proxy.drained(10.0)
        after = self._states()
        sends = len(self._world.aws.called("sqs"))
        thawed = time.monotonic()
        for sandbox in self._sandboxes.values():
            sandbox.thaw()
        time.sleep(THAW_SECONDS)
        later = self._states()
        issued = frozenset(estate.issued()) - issued_before[1]
        strays = [
            f"{name}: {len(late)} requests arrived after the thaw"
            for name, proxy in proxies.items()
            if (late := [one for one in proxy.arrivals if one.at > thawed])
        ]
        if len(self._world.aws.called("sqs")) > sends:
            strays.append("a message was sent after the thaw")
        bearers = {name: {one.bearer for one in proxy.arrivals} for name, proxy in proxies.items()}
        strays += [
            f"{first} and {second} got the same sign-in token"
            for first in bearers
            for second in bearers
            if first < second and (bearers[first] & bearers[second]) - {""}
        ]
        bodies = [json.dumps(one.body) for one in self._world.queue.waiting]
        return Judged(
            results,
            plan.furnished,
            before,
            after,
            later,
            touched,
            issued,
            issued | frozenset(estate.seeded),
            bodies_of(bodies),
            self._texts(results, proxies, bodies),
            self._secrets(issued, bearers),
            strays,
        )

    def _invoked(
        self,
        plan: Plan,
        asked: tuple[Asked, ...],
        seconds: float,
        environ: Mapping[str, str],
        *,
        fresh: bool,
    ) -> list[Invocation]:
        sandboxes = [self._sandbox(number) for number in range(len(asked))]
        starved_before = self._waited()
        for sandbox, one in zip(sandboxes, asked, strict=True):
            sandbox.begin(one.event, seconds, fresh=fresh, environ=environ)
        results = {}
        if "killed" in plan.shape:
            time.sleep(plan.kill_after)
            results[0] = sandboxes[0].killed()
        for number, sandbox in enumerate(sandboxes):
            if number not in results:
                results[number] = sandbox.end()
        self._starved = max(self._starved, self._waited() - starved_before)
        return [
            Invocation(
                one.action,
                one.targets,
                one.namespaces,
                seconds,
                results[number],
                one.messages,
            )
            for number, one in enumerate(asked)
        ]

    def _sandbox(self, number: int) -> SandboxProcess:
        found = self._sandboxes.get(number)
        if found is None or not found.alive:
            if found is not None:
                found.close()
            self._logs += 1
            log = Path(self._folder.name) / f"sandbox-{self._logs}.log"
            found = self._sandboxes[number] = SandboxProcess(self._world.environ, log)
        found.thaw()
        return found

    def _waited(self) -> float:
        """Return the seconds that everything here has waited for a processor."""
        return starved(os.getpid()) + sum(one.starved for one in self._sandboxes.values())

    def _states(self) -> dict[str, State]:
        return {name: State.of(cluster) for name, cluster in self.estate.clusters.items()}

    def _texts(
        self, results: list[Invocation], proxies: Mapping[str, Any], bodies: list[str]
    ) -> dict[str, str]:
        texts = {"the queue": "\n".join(bodies)}
        for number, one in enumerate(results):
            result: Result = one.result
            texts |= {
                f"the log of run {number}": result.output,
                f"the answer of run {number}": json.dumps(result.answer),
                f"the error of run {number}": result.error or "",
            }
        for number, sandbox in self._sandboxes.items():
            texts[f"the log of sandbox {number} after the end"] = sandbox.rest()
        for name, proxy in proxies.items():
            texts[f"a URL at {name}"] = "\n".join(one.target for one in proxy.arrivals)
        return texts

    def _secrets(
        self, issued: frozenset[str], bearers: Mapping[str, set[str]]
    ) -> list[tuple[str, str]]:
        found = [
            ("a registry's token", value)
            for token in (*issued, *self.estate.seeded[-64:])
            for value in of_registry(token)
        ]
        found += [
            ("a sign-in token", value)
            for tokens in bearers.values()
            for token in tokens
            for value in of_bearer(token)
        ]
        for account in list(sts_backends.values()):
            for role in account["aws"].assumed_roles[-8:]:
                found += [
                    ("a secret access key", role.secret_access_key),
                    ("a session token", role.session_token),
                ]
        return found


@contextlib.contextmanager
def _trap() -> Iterator[socket.socket]:
    with contextlib.closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        listening.setblocking(False)
        yield listening


def _caught(trap: socket.socket) -> bool:
    try:
        connection, _ = trap.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True
