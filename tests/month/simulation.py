"""AWS around the function, event by event in simulated time; each invocation is a real one."""

import contextlib
import fnmatch
import functools
import heapq
import io
import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from ecr_public_pusher import handler
from ecr_public_pusher.errors import PushFailed
from ecr_public_pusher.invocation import service
from ecr_public_pusher.invocation.runner import Runner
from ecr_public_pusher.invocation.sandbox import Sandbox
from infra.local.aws.queues import LocalQueue
from infra.local.kube.kinds import NAMESPACES, SECRETS, SERVICE_ACCOUNTS
from tests.month.clock import MovedClock
from tests.month.estate import MEMBERS, PATIENCE_SECONDS, Estate, change_event
from tests.month.judge import Judge
from tests.month.settings import DAY, HOUR, MINUTE, Delivery, Settings
from tests.month.weather import WHOLE, Incident, Kind, Weather, forecast, incidents
from tests.stack.template import STACK
from tests.support.cloudwatch import Metrics
from tests.support.world import ACCOUNT, IMPATIENT, ROOT, SECRET, Context, World, world_of_process

FUNCTION = {"FunctionName": "PusherFunction"}
DEAD_LETTERS = {"QueueName": "DeadLetterQueue.QueueName"}
POLICY = functools.partial(
    Runner,
    retry_policy=type(IMPATIENT)(
        **vars(IMPATIENT)
        | {
            "connect_seconds": PATIENCE_SECONDS,
            "request_seconds": PATIENCE_SECONDS,
            "write_seconds": PATIENCE_SECONDS,
            "first_try_seconds": PATIENCE_SECONDS,
        }
    ),
)
# At-least-once delivery: the share of events that come twice, and of change events that are lost.
DOUBLES = 0.05
LOSSES = 0.05
# Of the events that come twice: the share that two sandboxes serve at once.
AT_ONCE = 0.5
# The clusters and services are on loopback: those of AWS take about so many times as long.
SLOWER = 10
CRASH_SECONDS = 2.0
# A run of this share of the timeout is to be noticed.
LONG_SHARE = 0.8
# A sandbox ends some time, and the next one begins cold.
SANDBOX_SECONDS = DAY
# A person empties the dead-letter queue.
PURGE_SECONDS = 20 * HOUR

type Handler = Callable[[World, Any, Sandbox], Any]
type Work = Callable[[], None]


@dataclass
class Record:
    """The course of a simulation: what CloudWatch was sent, and what the world really did.

    `completed`: the times of full pushes that nothing kept from being done. `failed`: times and
    names of clusters that surely failed. `broken`: the times of invocations that surely failed as
    a whole. `long`: of those that came near the timeout. `deletions`: the times at which the
    function learned of a deleted document. `letters`: from when to when the dead-letter queue held
    something. `longest`: the seconds of the longest invocation that did not time out. `at_once`:
    the number of events that two invocations served at the same time.
    """

    metrics: Metrics = field(default_factory=Metrics)
    invocations: Counter[str] = field(default_factory=Counter)
    completed: list[float] = field(default_factory=list)
    failed: list[tuple[float, str]] = field(default_factory=list)
    broken: list[float] = field(default_factory=list)
    long: list[float] = field(default_factory=list)
    deletions: list[float] = field(default_factory=list)
    letters: list[tuple[float, float]] = field(default_factory=list)
    longest: float = 0
    at_once: int = 0


@dataclass
class Month:
    """A finished simulation."""

    settings: Settings
    weather: Weather
    days: float
    record: Record
    judge: Judge


def simulate(
    days: float,
    seed: int,
    profile: str = "default",
    *,
    weather: Weather | None = None,
    deeds: list[Incident] | None = None,
    invoke: Handler | None = None,
    retries: bool = True,
    progress: Callable[[float], None] = lambda _: None,
) -> Month:
    """Simulate so many days of a stack with a profile's parameters, and return their course.

    `weather`, `deeds`: instead of those drawn from the seed. `invoke`: instead of the function.
    `retries`: False for a queue that loses every message, to prove the judge.
    """
    dice = random.Random(f"{seed} {profile}")
    names = [one.name for one in MEMBERS]
    weather = weather or forecast(dice, days, names)
    deeds = incidents(dice, days, names) if deeds is None else deeds
    settings = Settings.of(profile)
    clock = MovedClock()
    with pytest.MonkeyPatch.context() as patch, world_of_process(patch) as world:
        clock.install(patch)
        patch.setattr(service, "Runner", POLICY)
        estate = Estate(world, clock, weather)
        estate.fill()
        judge = Judge(estate, weather, settings)
        platform = _Platform(
            settings, clock, estate, judge, dice, invoke or _handle, retries, progress
        )
        platform.equip(patch)
        platform.run(days * DAY, deeds)
        return Month(settings, weather, days, platform.record, judge)


def _handle(world: World, event: Any, sandbox: Sandbox) -> Any:
    return handler.invoke(event, Context(60), sandbox=sandbox, environ=os.environ)


class _Output(io.TextIOBase):
    """The standard output of invocations, of which each thread serves one."""

    def __init__(self) -> None:
        self._held = threading.local()

    def write(self, text: str) -> int:
        self._held.text = getattr(self._held, "text", "") + text
        return len(text)

    def take(self) -> list[str]:
        """Return the lines that this thread wrote since it last asked."""
        text, self._held.text = getattr(self._held, "text", ""), ""
        return text.splitlines()


@dataclass
class _Platform:
    """Scheduler, EventBridge, Lambda's asynchronous queue and the retry queue's poller."""

    settings: Settings
    clock: MovedClock
    estate: Estate
    judge: Judge
    dice: random.Random
    invoke: Handler
    retries: bool
    progress: Callable[[float], None]
    record: Record = field(default_factory=Record)
    _agenda: list[tuple[float, int, Work]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _output: _Output = field(default_factory=_Output)
    _sandbox: Sandbox = field(default_factory=Sandbox)
    _sandbox_ends: float = 0.0
    _letters_since: float | None = None

    @property
    def weather(self) -> Weather:
        return self.estate.weather

    def equip(self, patch: pytest.MonkeyPatch) -> None:
        """Give the function its queues and the template's environment."""
        aws = self.estate.world.aws
        self.queue = aws.put_queue("month-retry", delay_seconds=round(self.settings.delay))
        self.queue.max_receives = self.settings.receives
        self.dead_letters = LocalQueue(
            "month-dead", ACCOUNT, "us-east-1", aws.endpoint_url, delay_seconds=0
        )
        given = {
            "RETRY_QUEUE_URL": self.queue.url,
            "DLQ_URL": self.dead_letters.url,
            "STACK_NAME": STACK,
            **self.settings.environment,
        }
        for name, value in given.items():
            patch.setenv(name, value)

    def run(self, end: float, deeds: list[Incident]) -> None:
        """Do everything until `end`. What fails begins and ends before what happens then."""
        for outage in self.weather.outages:
            if outage.kind in ("invalid", "deleted", "defaults"):
                name = outage.target
                path = self.estate.members[name].parameter if name else f"{ROOT}/defaults"
                gone = outage.kind == "deleted"
                for at, operation in (
                    (outage.start, "Delete" if gone else "Update"),
                    (outage.end, "Create" if gone else "Update"),
                ):
                    self._at(at, functools.partial(self._rewrite, path, operation, name))
        for deed in deeds:
            self._at(deed.at, functools.partial(self._do, deed))
        self._every(self.settings.push, MINUTE)
        if self.settings.sweep is not None:
            self._every(self.settings.sweep, 3 * MINUTE)
        while self._agenda and self._agenda[0][0] <= end:
            at, _, work = heapq.heappop(self._agenda)
            self.clock.now = max(at, self.clock.now)
            self.progress(self.clock.now)
            self.judge.look(self.clock.now)
            work()
            self.judge.look(self.clock.now)
            self._plan_poll()
            self._empty_records()
        self.clock.now = end
        self.judge.look(end)
        self.judge.finish(end)
        if self._letters_since is not None:
            self.record.letters.append((self._letters_since, end))

    # --- the agenda

    def _at(self, time: float, work: Work) -> None:
        heapq.heappush(self._agenda, (time, next(self._numbers), work))

    def _later(self, seconds: float, work: Work) -> None:
        self._at(self.clock.now + seconds, work)

    def _every(self, schedule: Delivery, first: float) -> None:
        def due() -> None:
            self._later(schedule.every, due)
            if not self.weather.active(self.clock.now, "stopped"):
                event = json.loads(schedule.event)
                luck = self.dice.random()
                self._send(schedule, event, self.clock.now, 0, 2 if luck < DOUBLES * AT_ONCE else 1)
                if DOUBLES * AT_ONCE <= luck < DOUBLES:
                    self._later(7, lambda: self._send(schedule, event, self.clock.now, 0))

        self._at(first, due)

    # --- senders, and Lambda's queue of asynchronous events

    def _send(self, policy: Delivery, event: Any, since: float, tries: int, times: int = 1) -> None:
        """Hand an event to Lambda; where that refuses, again with growing pauses, or give it up.

        `times`: 2 for an event that two sandboxes serve at once.
        """
        if not self.weather.active(self.clock.now, "refused"):
            self._attempt(event, self.clock.now, 0, times)
            return
        pause = min(MINUTE * 2**tries, 10 * MINUTE)
        if tries < policy.attempts and self.clock.now + pause - since <= policy.age:
            self._later(pause, lambda: self._send(policy, event, since, tries + 1, times))
        else:
            self._bury(event)

    def _attempt(self, event: Any, since: float, tries: int, times: int = 1) -> None:
        """Invoke asynchronously: after a failure again, then to the destination on failure."""
        for answer, seconds in self._invoke(event, times):
            if answer is None:
                self._attempt_again(event, since, tries, seconds)

    def _attempt_again(self, event: Any, since: float, tries: int, seconds: float) -> None:
        """Plan the next try of an event whose last one took so many seconds, or give it up."""
        pause = seconds + MINUTE * (tries + 1)
        if tries < self.settings.attempts and self.clock.now + pause - since <= self.settings.age:
            self._later(pause, lambda: self._attempt(event, since, tries + 1))
        elif not self.weather.active(self.clock.now, "sqs"):
            self.queue.put(
                {
                    "version": "1.0",
                    "requestContext": {
                        "condition": "RetriesExhausted",
                        "approximateInvokeCount": tries + 1,
                    },
                    "requestPayload": event,
                    "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                    "responsePayload": {"errorType": "PushFailed", "errorMessage": "failed"},
                }
            )

    def _rewrite(self, path: str, operation: str, cluster: str) -> None:
        """Change a parameter; EventBridge tells of it, or not, or twice."""
        self.estate.write_documents()
        for name in [cluster] if cluster else []:
            for namespace in self.estate.namespaces(name):
                self.judge.note_change(name, namespace, self.clock.now)
        event = change_event(self.clock, path, operation)
        luck = self.dice.random()
        if luck >= LOSSES:
            self._later(5, lambda: self._send(self.settings.change, event, self.clock.now, 0))
        if luck > 1 - DOUBLES:
            self._later(9, lambda: self._send(self.settings.change, event, self.clock.now, 0))

    # --- the retry queue's poller, and the dead letters

    def _plan_poll(self) -> None:
        """Poll when the next message can be received."""
        held = sqs_backends[ACCOUNT]["us-east-1"].queues[self.queue.name]._messages
        due = [max(one.delayed_until, one.visible_at) / 1000 for one in held]
        if due:
            moment = max(self.clock.now, min(due) - self.clock.epoch() + self.clock.now) + 1
            if not any(at <= moment and work == self._poll for at, _, work in self._agenda):
                self._at(moment, self._poll)

    def _poll(self) -> None:
        event = self.queue.due_batch(hide_seconds=round(self.settings.visibility))
        if not event["Records"]:
            return
        if not self.retries:
            self.queue.settle(event, {"batchItemFailures": []})
            return
        ((answer, _),) = self._invoke(event)
        self.queue.settle(event, answer)
        while self.queue.dead:
            self._bury(self.queue.dead.pop(0))

    def _bury(self, body: Any) -> None:
        """Put a message on the dead-letter queue; a person empties it the next day."""
        self.dead_letters.put(body)
        if self._letters_since is None:
            self._letters_since = self.clock.now
            self._later(PURGE_SECONDS, self._purge)
            self._measure_letters()

    def _purge(self) -> None:
        assert self._letters_since is not None
        self.record.letters.append((self._letters_since, self.clock.now))
        self._letters_since = None

    def _measure_letters(self) -> None:
        """Have SQS report its queue every five minutes."""
        if self._letters_since is not None:
            self._put("AWS/SQS", "ApproximateNumberOfMessagesVisible", DEAD_LETTERS, 1)
            self._later(5 * MINUTE, self._measure_letters)

    # --- the function

    def _invoke(self, event: Any, times: int = 1) -> list[tuple[Any, float]]:
        """Invoke the function; return its answer, and the seconds that it would take in AWS.

        The answer is None where Lambda counts an error. `times`: so many sandboxes serve the event
        at once.
        """
        now = self.clock.now
        kind = _kind(event)
        self.record.invocations[kind] += times
        if now >= self._sandbox_ends:
            self._sandbox = Sandbox()
            self._sandbox_ends = now + SANDBOX_SECONDS
        with contextlib.redirect_stdout(self._output):
            if times == 1:
                served = [self._answer(event, self._sandbox)]
            else:
                self.record.at_once += 1
                sandboxes = [self._sandbox, *(Sandbox() for _ in range(times - 1))]
                with ThreadPoolExecutor(times) as pool:
                    served = list(pool.map(functools.partial(self._answer, event), sandboxes))
        for answer, seconds, lines in served:
            for line in lines:
                self._take(line)
            if answer is None:
                self._put("AWS/Lambda", "Errors", FUNCTION, 1)
            self._put("AWS/Lambda", "Duration", FUNCTION, seconds * 1000)
            if seconds >= LONG_SHARE * self.settings.timeout:
                self.record.long.append(now)
            if seconds < self.settings.timeout:
                self.record.longest = max(self.record.longest, seconds)
            self._note(event, kind)
        return [(answer, seconds) for answer, seconds, _ in served]

    def _answer(self, event: Any, sandbox: Sandbox) -> tuple[Any, float, list[str]]:
        """Return an invocation's answer, its seconds, and its output."""
        now = self.clock.now
        if self.weather.active(now, "crash"):
            return None, CRASH_SECONDS, []
        if self.weather.active(now, "timeout"):
            return None, self.settings.timeout, []
        began = time.monotonic()
        try:
            answer = self.invoke(self.estate.world, event, sandbox)
        except PushFailed:
            answer = None
        seconds = min(SLOWER * (time.monotonic() - began), self.settings.timeout)
        lines = self._output.take()
        return None if self.weather.active(now, "late") else answer, seconds, lines

    def _take(self, line: str) -> None:
        """Take a line of the embedded metric format, as CloudWatch does."""
        logged = json.loads(line) if line.startswith('{"_aws"') or '"_aws"' in line else {}
        for group in logged.get("_aws", {}).get("CloudWatchMetrics", []):
            for names in group["Dimensions"]:
                dimensions = {name: logged[name] for name in names}
                for metric in group["Metrics"]:
                    for value in _values(logged[metric["Name"]]):
                        self._put(group["Namespace"], metric["Name"], dimensions, value)

    def _put(self, namespace: str, name: str, dimensions: dict[str, str], value: float) -> None:
        self.record.metrics.put(namespace, name, dimensions, self.clock.now, value)

    # --- what the judges hear of an invocation

    def _note(self, event: Any, kind: str) -> None:
        now = self.clock.now
        if any(self.weather.active(now, one) for one in ("crash", "timeout", "late")):
            self.record.broken.append(now)
        whole = self.weather.active(now, *WHOLE)
        if kind == "queue":
            asked = [json.loads(one["body"]) for one in event["Records"]]
        else:
            asked = [event]
        for one in asked:
            self._note_one(one.get("requestPayload", one), whole, raises=kind != "queue")

    def _note_one(self, event: Any, whole: bool, *, raises: bool) -> None:
        now = self.clock.now
        members = self.estate.members
        names = list(members)
        if event.get("action") == "sweep":
            if not whole:
                seen = [name for name in names if not self._is_hidden(name)]
                self._note_failures(seen, "down", "cut")
            self.judge.swept(now)
            return
        detail = event.get("detail")
        if detail is not None:
            if detail["operation"] == "Delete":
                if not whole:
                    self.record.deletions.append(now)
                return
            of_one = [name for name in names if members[name].parameter == detail["name"]]
            # A change of the defaults is a push of everything.
            clusters, listed, everything = of_one or names, True, not of_one
        else:
            asked = event.get("clusters") or ["*"]
            clusters = [name for name in names if _matches(members[name].id, asked)]
            listed = any(one.endswith("*") for one in asked)
            everything = "clusters" not in event
        full = everything or "dispatchedAt" in event
        tokens = self.weather.active(now, "tokens")
        split = full and self.settings.environment["FAN_OUT"] == "true"
        if split and "dispatchedAt" not in event:
            return  # its messages are pushes
        if (whole or tokens) and raises:
            self.record.broken.append(now)
        if not whole and not tokens:
            if full:
                self.record.completed.append(now)
            kinds: tuple[Kind, ...] = ("down", "cut", "forbidden", "invalid", "registry")
            self._note_failures(clusters, *kinds, *(("listing",) if listed else ()))
        self.judge.pushed(clusters, now)

    def _note_failures(self, clusters: Iterable[str], *kinds: Kind) -> None:
        """Note the clusters that surely failed, as they do for these kinds of outages.

        A sweep that may list nothing has nothing to do, and needs no registry unless a Secret is
        about to end. EKS's answers are kept for an hour. A cluster that is asked for by its id
        needs no list of EKS.
        """
        now = self.clock.now
        for name in clusters:
            if self.weather.active(now, "deleted", target=name):
                continue
            if self.weather.active(now, *kinds, target=name):
                self.record.failed.append((now, name))

    def _is_hidden(self, name: str) -> bool:
        """Return whether a sweep does not see the cluster: what fails so is left to the pushes."""
        now = self.clock.now
        kinds: tuple[Kind, ...] = ("eks",) if self.estate.members[name].found else ()
        return self.weather.active(now, "invalid", "listing", *kinds, target=name)

    # --- people

    def _do(self, deed: Incident) -> None:
        name, now = deed.cluster, self.clock.now
        cluster = self.estate.cluster(name)
        selected = self.estate.namespaces(name)
        match deed.deed:
            case "secret deleted":
                namespace = self.dice.choice(selected)
                cluster.admin("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{SECRET}")
                self.judge.note_change(name, namespace, now)
            case "namespace created":
                self._add_namespace(name, f"team-b-{round(now)}")
            case "namespace made anew":
                # The embedded cluster has no controller that empties a namespace.
                for kind in (SECRETS, SERVICE_ACCOUNTS):
                    for one in cluster.store.values(kind):
                        if one["metadata"]["namespace"] == "team-a":
                            cluster.store.delete(kind, "team-a", one["metadata"]["name"])
                cluster.store.delete(NAMESPACES, "", "team-a")
                self._add_namespace(name, "team-a")
            case "account created":
                namespace = self.dice.choice(selected)
                self.estate.add_account(name, namespace, f"builder-{round(now)}")
                self.judge.note_change(name, namespace, now)
            case "document changed":
                member = self.estate.members[name]
                member.wide = not member.wide
                self._rewrite(member.parameter, "Update", name)

    def _add_namespace(self, name: str, namespace: str) -> None:
        self.estate.world.add_namespace(name, namespace)
        self.estate.add_account(name, namespace, "default")
        self.judge.note_change(name, namespace, self.clock.now)

    def _empty_records(self) -> None:
        """Forget the servers' own records, which would grow."""
        self.estate.world.aws.calls.clear()
        for name in self.estate.members:
            self.estate.cluster(name).requests.clear()


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, one) for one in patterns)


def _kind(event: Any) -> str:
    if "Records" in event:
        return "queue"
    return "change" if "detail" in event else str(event["action"])


def _values(value: Any) -> list[float]:
    return [float(one) for one in value] if isinstance(value, list) else [float(value)]
