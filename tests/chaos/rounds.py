"""One round: what is furnished, what fails, what is asked for, and what came of it."""

import contextlib
import json
import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qs

from moto.sts.models import sts_backends

from ecr_public_pusher.invocation.settings import GOOGLE_ENDPOINTS
from infra.local.closable import Closable
from tests.chaos import aws_faults, cluster_faults
from tests.chaos.aws_faults import FOR_ALL, STAGES, AwsFault, Failing, broken
from tests.chaos.cluster_faults import (
    CONNECTION_FAULTS,
    GOOGLE,
    REPLACED,
    ClusterFault,
    Place,
    Setting,
    accepted,
    place,
    position_of,
)
from tests.chaos.estate import (
    BY_EKS,
    KINDS,
    SELECTED,
    USES,
    Content,
    Estate,
    Furnished,
    name_of,
)
from tests.chaos.invariants import Broken, Invocation, Judged, bodies_of, violations
from tests.chaos.leaks import of_bearer, of_registry
from tests.chaos.observed import Seen, State
from tests.chaos.sandbox import Result, SandboxProcess, starved
from tests.support.described import Described

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

type Shape = Literal["one", "two at once", "killed", "killed beside another", "fan out"]
# How an outcome shows that the function could not connect, or got no answer.
NO_CONNECTION = ("EndpointConnectionError", "ConnectTimeoutError", "DeadlineReached")
# What the table counts of processes, beside faults.
PROCESSES = "processes"


@dataclass(frozen=True)
class Asked:
    """An event of a round, and what it asks for."""

    action: str
    event: Any
    targets: frozenset[str]
    namespaces: frozenset[str] = frozenset(SELECTED)
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that a seed decides.

    `faults`: by the id of a cluster, or of GOOGLE. `idle`: there are disabled documents.
    """

    seed: int
    shape: Shape
    furnished: dict[str, Furnished]
    faults: dict[str, ClusterFault]
    aws_faults: tuple[AwsFault, ...]
    asked: tuple[Asked, ...]
    kill_after: float
    warm_recovery: bool
    idle: bool = False

    @classmethod
    def draw(cls, seed: int, clusters: tuple[str, ...]) -> Self:
        rng = random.Random(seed)
        kinds = rng.sample((*KINDS, "plain", "found"), len(clusters))
        drawn = [Furnished.draw(*one, rng) for one in zip(clusters, kinds, strict=True)]
        furnished = {one.cluster: one for one in drawn}
        ids = tuple(furnished)
        shape: Shape = rng.choices(
            ("one", "two at once", "killed", "killed beside another", "fan out"),
            (45, 20, 12, 10, 13),
        )[0]
        events = 2 if "beside" in shape or "two" in shape else 1
        asked = (
            (Asked("push", {}, frozenset(ids)),)
            if shape == "fan out"
            else tuple(_event(rng, furnished, number) for number in range(events))
        )
        # Most faults lie on the way of what is asked for.
        used = sorted({name for one in asked for name in one.targets})
        met = used if rng.random() < 0.8 else list(ids)
        idle = rng.random() < 0.3
        some = [furnished[name] for name in met]
        described = [name_of(one.cluster) for one in some if one.kind in BY_EKS]
        stages = [stage for stage in STAGES if _is_called(stage, some, asked, furnished)]
        # What depends on one service sees nothing of the next where the first one fails for good.
        aws = tuple(
            aws_faults.draw(rng, stages, described)
            for _ in range(rng.choices((0, 1, 2), (45, 40, 15))[0])
        )
        if len({fault.stage[0] for fault in aws}) < len(aws):
            aws = aws[:1]  # one fault of a service at a time
        services = {fault.stage[0] for fault in aws}
        idle = idle or any(fault.stage[0] == "ssm" and fault.after for fault in aws)
        # Often some clusters fail, sometimes all, never none unless AWS fails.
        count = rng.randrange(0 if services - {"sqs"} else 1, len(met) + 1)
        if "sqs" in services:
            count = len(met)  # only what failed is put on the queue
        # Of two runs, the later one may rightly write what it finds meanwhile.
        alone = len(asked) == 1
        faults = {name: cluster_faults.draw(rng, meddlers=alone) for name in rng.sample(met, count)}
        if any(furnished[name].kind == "google" for name in met) and rng.random() < 0.5:
            faults[GOOGLE] = cluster_faults.draw(rng, meddlers=False)
        if alone and asked[0].action == "remove" and rng.random() < 0.6:
            # Few rounds remove anything: somebody else should be there in time in most of them.
            faults |= {name: ClusterFault(REPLACED, "writes") for name in asked[0].targets}
        for name, fault in faults.items():
            if fault.which == "page 2" and name != GOOGLE:
                furnished[name] = replace(furnished[name], page=2)
        return cls(
            seed,
            shape,
            furnished,
            faults,
            aws,
            asked,
            rng.uniform(0.02, LATEST_KILL_SECONDS),
            rng.random() < 0.5,
            idle,
        )

    @property
    def environ(self) -> dict[str, str]:
        """Return what the function's environment has in addition."""
        return {"FAN_OUT": "true"} if self.shape == "fan out" else {}

    @property
    def touched(self) -> frozenset[str]:
        """The clusters that a fault can reach."""
        reached = set(self.faults) - {GOOGLE}
        for name, furnished in self.furnished.items():
            if GOOGLE in self.faults and furnished.kind == "google":
                reached.add(name)
            if any(self._reaches(fault, furnished) for fault in self.aws_faults):
                reached.add(name)
        return frozenset(reached)

    def _reaches(self, fault: AwsFault, furnished: Furnished) -> bool:
        service, _ = fault.stage
        if service in FOR_ALL or (service == "sqs" and self.shape == "fan out"):
            return True
        used = USES[furnished.kind]
        if fault.at_endpoint:
            return service in {one for one, _ in used}
        of_it = fault.cluster in (None, name_of(furnished.cluster))
        return fault.stage in used and of_it

    @property
    def processes(self) -> set[tuple[str, str]]:
        """The treatment of the function's processes, as the table counts it."""
        done = set()
        if "killed" in self.shape:
            done.add((PROCESSES, "process killed"))
        if len(self.asked) > 1:
            done.add((PROCESSES, "two runs at once"))
        if self.shape == "fan out":
            done.add((PROCESSES, "dispatcher and workers"))
        return done

    def __str__(self) -> str:
        kinds = {name: f"{name} ({one.kind})" for name, one in self.furnished.items()}
        faults = [f"{kinds.get(name, name)}: {fault}" for name, fault in self.faults.items()]
        faults += map(str, self.aws_faults)
        events = "; ".join(
            f"{one.action} of {', '.join(sorted(one.targets))}" for one in self.asked
        )
        return f"{self.shape}: {events}; faults: {'; '.join(faults)}"


def _is_called(
    stage: tuple[str, str],
    clusters: list[Furnished],
    asked: tuple[Asked, ...],
    every: Mapping[str, Furnished],
) -> bool:
    """Return whether events about these clusters may need that call."""
    match stage:
        case ("ssm", "GetParametersByPath"):
            return True
        case ("ssm", "GetParameters"):
            return any(one.secure for one in every.values())
        case ("ecr-public", _):
            return any(one.action in ("push", "sweep", "check") for one in asked)
        case ("sqs", _):
            return any(one.action == "push" for one in asked)
        case ("eks", "DescribeCluster"):
            return any(one.kind in BY_EKS for one in clusters)
        case ("eks", "ListClusters"):
            return any(one.kind == "found" for one in clusters)
        case _:
            return any(stage in USES[one.kind] for one in clusters)


def _event(rng: random.Random, furnished: Mapping[str, Furnished], number: int) -> Asked:
    clusters = tuple(furnished)
    every = frozenset(clusters)
    one = rng.choice(clusters)
    two = rng.sample(clusters, 2)
    kind = rng.choice(
        [
            *("push", "push", "push", "one", "narrowed", "sweep", "sweep"),
            *("remove", "remove", "remove", "check", "plan", "batch", "batch", "change"),
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
            messages = {message: (name,) for message, name in ids.items()}
            return Asked("push", {"Records": records}, frozenset(two), messages=messages)
        case "change":
            detail = {"name": furnished[one].parameter, "operation": "Update"}
            event = {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
            return Asked("push", event, frozenset({one}))
        case _:
            return Asked(kind, {"action": kind, **quiet}, every)


@dataclass(frozen=True)
class Played:
    """A round that was played.

    `met`: targets, and the faults that something ran into there. `starved`: the processor was busy
    with others. `repeated`: so it was played again.
    """

    plan: Plan
    seconds: float
    broken: tuple[Broken, ...]
    met: frozenset[tuple[str, str]]
    starved: bool = False
    repeated: bool = False

    @property
    def excused(self) -> bool:
        """Return whether it broke rules of time, and no other, for want of a processor."""
        return bool(self.broken) and self.starved and all(one.timed for one in self.broken)


class _Meddler:
    """Somebody else, who changes each Secret once. `made`: what they wrote, by id and namespace."""

    def __init__(self, estate: Estate, ids: tuple[str, ...]) -> None:
        self.made: dict[tuple[str, str], Seen] = {}
        self._estate = estate
        self._ids = {name_of(one): one for one in ids}
        self._done: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def meddle(self, cluster: str, namespace: str, what: str) -> None:
        """Change the Secret in a namespace of a cluster, the first time."""
        where = self._ids[cluster], namespace
        with self._lock:
            if where in self._done:
                return
            self._done.add(where)
            if seen := self._estate.meddle(*where, what):
                self.made[where] = seen


def once_more(carry_out: Callable[[float], Played], seconds: float) -> Played:
    """Return a round that was given these seconds, or more of them where that excuses it.

    The second time, nothing is excused.
    """
    played = carry_out(seconds)
    if not played.excused:
        return played
    again = carry_out(seconds * PATIENCE)
    return replace(again, repeated=True, seconds=played.seconds + again.seconds)


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
        """Play the round of that seed, once more if it lacked nothing but time."""
        plan = Plan.draw(seed, tuple(self.estate.clusters))
        return once_more(lambda given: self.carry_out(plan, seconds=given), seconds)

    def carry_out(self, plan: Plan, *, seconds: float = SECONDS, recovers: bool = True) -> Played:
        """Play a round, and (`recovers`) the push without faults after it."""
        began = time.monotonic()
        self._starved = 0.0
        self.estate.begin(plan.furnished.values(), idle=plan.idle)
        for furnished in plan.furnished.values():
            self.estate.furnish(furnished)
        met = plan.processes
        broken = self._with_faults(plan, seconds, met)
        if recovers:
            broken += self._recovery(plan)
        return Played(
            plan,
            time.monotonic() - began,
            tuple(broken),
            frozenset(met),
            starved=self._starved > STARVED_SHARE * seconds,
        )

    def _with_faults(self, plan: Plan, seconds: float, met: set[tuple[str, str]]) -> list[Broken]:
        with contextlib.ExitStack() as stack:
            trap = stack.enter_context(_trap())
            url = f"https://127.0.0.1:{trap.getsockname()[1]}"
            release = threading.Event()
            # A second source: the plan stays the same whatever a fault draws meanwhile.
            meddler = _Meddler(self.estate, tuple(plan.furnished))
            rng = random.Random(plan.seed)
            setting = Setting(rng, release, url, met, meddle=meddler.meddle)
            stack.callback(release.set)
            places = self._places(stack, plan, setting, plan.faults)
            failing = {
                fault: stack.enter_context(
                    broken(self._world.aws, fault, setting, self._world.queue)
                )
                for fault in plan.aws_faults
            }
            environ = dict(plan.environ)
            for its in failing.values():
                environ |= its.environ
            if google := places.get(GOOGLE):
                environ |= dict.fromkeys(GOOGLE_ENDPOINTS.values(), google.described.endpoint)
            judged = self._run(plan, plan.asked, places, plan.touched, release, environ, seconds)
            judged = judged.meddled_with(meddler.made)
            self._count_connections(plan, places, failing, judged, met)
            for name, one in places.items():
                if one.proxy is None or name == GOOGLE:
                    continue
                arrivals = one.proxy.arrivals
                met |= {
                    (position_of(index, len(arrivals)), plan.faults[name].name)
                    for index, arrival in enumerate(arrivals)
                    if id(arrival.request) in setting.hits
                }
            caught = Broken("something was sent to where a redirect led")
            return [*violations(judged), *([caught] if accepted(trap) else [])]

    def _count_connections(
        self,
        plan: Plan,
        places: Mapping[str, Place],
        failing: Mapping[AwsFault, Failing],
        judged: Judged,
        met: set[tuple[str, str]],
    ) -> None:
        """Count the faults of connections: as their servers saw them, or as they were reported."""
        for name, fault in plan.faults.items():
            if fault.name not in CONNECTION_FAULTS:
                continue
            seen = places[name].connections
            users = [
                one.cluster
                for one in plan.furnished.values()
                if name in (one.cluster, GOOGLE if one.kind == "google" else "")
            ]
            failed = any(
                (entry := one.entries.get(user)) and entry["error"] is not None
                for one in judged.invocations
                for user in users
            )
            if seen() if seen else failed:
                met.add((GOOGLE if name == GOOGLE else "connect", fault.name))
        outputs = "".join(one.result.output for one in judged.invocations)
        for aws, its in failing.items():
            seen = its.connections
            failed = any(code in outputs for code in NO_CONNECTION)
            if aws.at_endpoint and (seen() if seen else failed):
                met.add((aws.target, aws.name))

    def _recovery(self, plan: Plan) -> list[Broken]:
        """Push once more without any fault: everything is then as it should be."""
        contents = {name: self._left(name, furnished) for name, furnished in plan.furnished.items()}
        calm = Plan(
            plan.seed,
            "one",
            contents,
            {},
            (),
            (Asked("push", {"raise": False}, frozenset(plan.furnished)),),
            0.0,
            # A warm sandbox would keep the environment that it began with.
            plan.warm_recovery
            and not plan.environ
            and GOOGLE not in plan.faults
            and not any(fault.at_endpoint for fault in plan.aws_faults),
            plan.idle,
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
        state = State.of(self.estate.cluster(name))
        found: dict[str, Content] = {
            namespace: "nothing" if seen is None else "fresh" if seen.ours else "foreign"
            for namespace in furnished.contents
            for seen in (state.ours_in(namespace),)
        }
        return replace(furnished, contents=found)

    def _places(
        self,
        stack: contextlib.ExitStack,
        plan: Plan,
        setting: Setting,
        faults: Mapping[str, ClusterFault],
    ) -> dict[str, Place]:
        places = {}
        for name, furnished in plan.furnished.items():
            cluster = self.estate.cluster(name)
            named = Described(cluster.name, cluster.endpoint, cluster.ca_pem)
            places[name] = stack.enter_context(
                place(named, faults.get(name), setting, page=furnished.page)
            )
            self.estate.describe(furnished, places[name])
        if fault := faults.get(GOOGLE):
            google = self.estate.google
            places[GOOGLE] = stack.enter_context(
                place(
                    Described(GOOGLE, google.url, google.ca_pem),
                    fault,
                    setting,
                    certificate=self.estate.google_certificate,
                )
            )
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
        before = self._states(plan)
        issued_before = len(estate.issued()), set(estate.issued())
        results = self._invoked(plan, asked, seconds, environ, fresh=fresh)
        # What hung is let go while the sandbox is frozen; what was on its way arrives.
        release.set()
        proxies = {name: one.proxy for name, one in places.items() if one.proxy is not None}
        for proxy in proxies.values():
            proxy.drained(10.0)
        after = self._states(plan)
        sends = len(self._world.aws.called("sqs"))
        thawed = time.monotonic()
        for sandbox in self._sandboxes.values():
            sandbox.thaw()
        time.sleep(THAW_SECONDS)
        later = self._states(plan)
        issued = frozenset(estate.issued()) - issued_before[1]
        strays = [
            f"{name}: {len(late)} requests arrived after the thaw"
            for name, proxy in proxies.items()
            if (late := [one for one in proxy.arrivals if one.at > thawed])
        ]
        strays += [
            f"{name}: {proxy.unaborted} Secrets were on their way after the end"
            for name, proxy in proxies.items()
            if proxy.unaborted
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
        done = [
            Invocation(
                one.action,
                one.targets,
                one.namespaces,
                seconds,
                results[number],
                one.messages,
                self._sent(),
                dispatches=plan.shape == "fan out",
            )
            for number, one in enumerate(asked)
        ]
        if plan.shape == "fan out":
            done += self._worked(seconds)
        self._starved = max(self._starved, self._waited() - starved_before)
        return done

    def _worked(self, seconds: float) -> list[Invocation]:
        """Have a worker do what the dispatcher put on the queue, and settle it."""
        batch = self._world.queue.batch()
        messages = {
            record["messageId"]: tuple(json.loads(record["body"])["clusters"])
            for record in batch["Records"]
        }
        if not messages:
            return []
        sandbox = self._sandbox(0)
        sandbox.begin(batch, seconds, fresh=False)
        result = sandbox.end()
        # A batch that failed as a whole has no answer, and stays.
        answer = result.answer if isinstance(result.answer, dict) else None
        self._world.queue.settle(batch, answer)
        targets = frozenset(name for names in messages.values() for name in names)
        sent = self._sent()
        return [
            Invocation(
                "push",
                targets,
                frozenset(SELECTED),
                seconds,
                result,
                messages,
                sent,
                dispatched=True,
            )
        ]

    def _sent(self) -> frozenset[str]:
        """Return the clusters that wait on the queue."""
        return bodies_of([json.dumps(one.body) for one in self._world.queue.waiting])

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

    def _states(self, plan: Plan) -> dict[str, State]:
        return {name: State.of(self.estate.cluster(name)) for name in plan.furnished}

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
        found += [("a stored token", value) for value in self.estate.stored.values()]
        found += [("Google's token", value) for value in list(self.estate.google.issued)[-8:]]
        environ = self._world.environ
        found += [
            ("the function's own secret access key", environ["AWS_SECRET_ACCESS_KEY"]),
            ("the function's own session token", environ["AWS_SESSION_TOKEN"]),
        ]
        for exchanged in self.estate.google.requests[-8:]:
            given = parse_qs(exchanged.body.decode()).get("subject_token", ())
            found += [("a web identity token", value) for one in given for value in of_bearer(one)]
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
