"""How a fleet's size uses time, quotas and money: a model, with measured costs as its input.

python -m tests.bench.scale            prints the tables
python -m tests.bench.scale --write    writes them into docs/scale.md
python -m tests.bench.scale --measure  measures the input and the check (about 20 minutes)
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecr_public_pusher.blocking_calls import THREADS_OF_ONE
from ecr_public_pusher.deadline import REPORT_SECONDS
from ecr_public_pusher.events.queue_message import FULL_PUSH_COUNTS_FOR
from ecr_public_pusher.invocation.retry_queue import deal
from ecr_public_pusher.invocation.settings import Workers
from ecr_public_pusher.jobs.cluster_runner import CLUSTERS_AT_ONCE
from ecr_public_pusher.kubernetes_api.connection_budget import CONNECTIONS_IN_ALL
from ecr_public_pusher.reporting.report import MAX_CLUSTER_BYTES
from ecr_public_pusher.sources.parameter_store import Pace
from tests.bench import bill, quotas
from tests.bench.work import HERE

SIZES = (10, 100, 300, 1_000, 3_000, 10_000)
NAMESPACES = 20
SWEEP_PERIOD = 300.0  # the template's SweepSchedule
# The template's ByTimeout: seconds between two tries of a failed cluster.
RETRY_PERIOD = {300: 1_800, 600: 3_600, 900: 5_400}
FULL_PUSH_SECONDS = FULL_PUSH_COUNTS_FOR.total_seconds()
# Invocations besides the workers': a push, a sweep, a changed parameter.
OTHER_INVOCATIONS = 3
# Answers that a new TLS connection waits for before its first request.
HANDSHAKES = 2
LISTS = 2
# The report leaves out clusters that are ok beyond this, with the rest of its line.
LARGEST_REPORT = MAX_CLUSTER_BYTES + 2_000
# https://aws.amazon.com/cloudwatch/pricing/: the price of bill.Prices is for the first 10,000.
FIRST_METRICS = 10_000
NEXT_METRIC = 0.10


@dataclass(frozen=True)
class Run:
    """One measured warm invocation: seconds of processor time, MiB, requests, bytes, metrics."""

    clusters: int
    namespaces: int
    push_cpu: float
    sweep_cpu: float
    peak: float
    push_log: int
    sweep_log: int
    report: int


# Measured by this command with the built function and embedded clusters, on two cores of an Intel
# Xeon that other work shared, Python 3.13.0, Linux.
SMALL, WIDE, FLEET = INPUT = (
    Run(100, 5, 0.73, 0.36, 112.7, 64_238, 12_484, 13_693),
    Run(100, 20, 1.34, 0.40, 121.5, 64_436, 12_592, 13_790),
    Run(300, 20, 4.14, 1.24, 142.5, 191_012, 36_561, 40_766),
)
# Seconds of processor time to read this many documents.
DOCUMENTS = 1_000
READING_CPU = 0.315
# What the model is held to.
CHECK = Run(1_000, 20, 17.73, 5.28, 176.9, 580_230, 66_683, 74_651)


@dataclass(frozen=True)
class FannedCheck:
    """One measured push with FanOut: its messages, workers and requests to Parameter Store.

    `worker_cpu`: the least processor time of a worker, which other work has disturbed least.
    """

    clusters: int
    namespaces: int
    messages: int
    workers: int
    reads: int
    worker_cpu: float


FANNED = (FannedCheck(300, 20, 50, 5, 186, 1.11), FannedCheck(1_000, 20, 50, 5, 606, 3.64))


@dataclass(frozen=True)
class Answers:
    """Seconds that a client in Lambda waits for one answer. Assumed, and not measured.

    `aws`: of Parameter Store, EKS and SQS. `api`: of an API server.
    """

    aws: float = 0.040
    api: float = 0.050

    @property
    def doubled(self) -> "Answers":
        """Return answers that take twice as long."""
        return Answers(self.aws * 2, self.api * 2)


@dataclass(frozen=True)
class Costs:
    """Costs of an invocation in seconds of a whole processor, and in MiB.

    `base` of each; `document` of each document read; `push`, `sweep` of each cluster; `namespace`
    of each of its namespaces in a push; `memory` of each cluster.
    """

    base: float
    document: float
    push: float
    sweep: float
    namespace: float
    memory_base: float
    memory: float
    push_log: float

    @classmethod
    def of(cls, small: Run, wide: Run, fleet: Run, reading: float) -> "Costs":
        """Return the costs that the runs imply.

        `small` and `wide` differ by their namespaces, `wide` and `fleet` by their clusters.
        """
        more = fleet.clusters - wide.clusters
        document = reading / DOCUMENTS
        namespace = (wide.push_cpu - small.push_cpu) / (
            wide.clusters * (wide.namespaces - small.namespaces)
        )
        push = (fleet.push_cpu - wide.push_cpu) / more - document - namespace * wide.namespaces
        sweep = (fleet.sweep_cpu - wide.sweep_cpu) / more - document
        memory = (fleet.peak - wide.peak) / more
        return cls(
            base=max(0.0, wide.sweep_cpu - wide.clusters * (sweep + document)),
            document=document,
            push=push,
            sweep=sweep,
            namespace=namespace,
            memory_base=wide.peak - wide.clusters * memory,
            memory=memory,
            push_log=fleet.push_log / fleet.clusters,
        )

    def push_cpu(self, clusters: int, namespaces: int, documents: int) -> float:
        """Return the processor time of a push to so many of the documents' clusters."""
        return (
            self.base
            + documents * self.document
            + clusters * (self.push + namespaces * self.namespace)
        )

    def sweep_cpu(self, clusters: int) -> float:
        """Return the processor time of a sweep of all clusters."""
        return self.base + clusters * (self.document + self.sweep)

    def peak(self, clusters: int) -> float:
        """Return the peak memory in MiB."""
        return self.memory_base + clusters * self.memory


@dataclass(frozen=True)
class Settings:
    """The template's parameters that a fleet's size concerns."""

    memory: int = 256
    timeout: int = 300
    fan_out: bool = False
    batch_size: int = Workers.batch_size
    concurrency: int = Workers.concurrency
    cluster_metrics: bool = True
    rate: int = quotas.PARAMETER_STORE_RATE

    def __str__(self) -> str:
        default = Settings()
        changed = {
            "MemorySize": (self.memory, default.memory),
            "Timeout": (self.timeout, default.timeout),
            "FanOut": (str(self.fan_out).lower(), "false"),
            "MaximumConcurrency": (self.concurrency, default.concurrency),
            "BatchSize": (self.batch_size, default.batch_size),
            "ClusterMetrics": (str(self.cluster_metrics).lower(), "true"),
        }
        named = [f"`{name}={value}`" for name, (value, usual) in changed.items() if value != usual]
        return " ".join(named) or "defaults"


@dataclass(frozen=True)
class Use:
    """The times, requests and costs of a fleet of one size with some settings.

    Times are in seconds: `push` until every cluster is pushed, `longest` of one invocation of it,
    `sweep` of a sweep, `retry` from the first to the last try of one round after all clusters
    failed. `reads` are requests to Parameter Store of a push, `most_reads` if every message comes
    in a batch of its own, `retry_reads` of that round. `reading_rate` is the most that are sent a
    second, for `reading_seconds` of a push. Costs are in USD a month.
    """

    clusters: int
    settings: Settings
    push: float
    longest: float
    sweep: float
    retry: float
    reads: int
    most_reads: int
    retry_reads: int
    reading_rate: float
    reading_seconds: float
    sign_ins: float
    messages: int
    workers: int
    peak: float
    cost: float
    metrics_cost: float

    def limits(self) -> list[tuple[float, str]]:
        """Return the share of each limit that is used, the largest first."""
        limit = self.settings.timeout - REPORT_SECONDS
        found = [
            (self.longest / limit, "`Timeout`, in the push"),
            (self.sweep / min(limit, SWEEP_PERIOD), "the sweep's period"),
            (self.peak / self.settings.memory, "`MemorySize`"),
            (self.push / FULL_PUSH_SECONDS, "the push's hour"),
            (self.reading_rate / self.settings.rate, "Parameter Store's rate"),
            (self.sign_ins / quotas.STS_RATE, "STS's rate"),
            (
                (self.settings.concurrency + OTHER_INVOCATIONS) / quotas.LAMBDA_CONCURRENCY,
                "Lambda's concurrency",
            ),
            ((self.clusters + 1) / quotas.PARAMETERS, "a region's standard parameters"),
            (
                self.clusters / quotas.INSIGHTS_METRICS * self.settings.cluster_metrics,
                "metrics of one query",
            ),
        ]
        return sorted(found, reverse=True)

    def breaks(self) -> list[str]:
        """Return the limits that are exceeded, the most exceeded first."""
        return [what for share, what in self.limits() if share > 1]

    def has_room(self) -> bool:
        """Return whether half of the time and a quarter of the memory are free.

        A round of retries must end in a quarter of the time until the next begins: it takes the
        account's requests to Parameter Store.
        """
        limit = self.settings.timeout - REPORT_SECONDS
        return (
            max(self.longest, self.sweep) < limit / 2
            and self.sweep < SWEEP_PERIOD / 2
            and self.peak < self.settings.memory * 0.75
            and self.retry < RETRY_PERIOD[self.settings.timeout] / 4
        )


def use(
    clusters: int,
    settings: Settings,
    costs: Costs,
    namespaces: int = NAMESPACES,
    answers: Answers = Answers(),
) -> Use:
    """Return what a fleet takes: times, requests and money."""
    share = min(1.0, settings.memory / quotas.LAMBDA_PROCESSOR_MB)
    pages = max(1, math.ceil((clusters + 1) / quotas.PARAMETERS_A_PAGE))

    def rate(readers: int) -> float:
        """Return the requests a second that so many concurrent readers send together."""
        return readers / (answers.aws + _pause(settings.concurrency if readers > 1 else 1))

    def reading(readers: int) -> float:
        """Return the seconds in which each of so many concurrent readers reads every page."""
        return pages * readers / min(settings.rate, rate(readers))

    def working(part: int) -> float:
        """Return the seconds of a push to `part` of the clusters, after its reading."""
        cpu = costs.push_cpu(part, namespaces, clusters) / share
        waiting = _waiting(part, namespaces, answers)
        return max(cpu, waiting, part * answers.aws / THREADS_OF_ONE)

    def workers(messages: int) -> tuple[int, float, float]:
        """Return how many workers the messages take, the seconds of one, and of all of them."""
        count = math.ceil(messages / settings.batch_size)
        readers = min(settings.concurrency, count)
        one = reading(readers) + working(math.ceil(clusters / count))
        return count, one, math.ceil(count / settings.concurrency) * one

    sweep = reading(1) + max(
        costs.sweep_cpu(clusters) / share,
        _waiting(clusters, 0, answers),
        clusters * answers.aws / THREADS_OF_ONE,
    )
    retries, _, retry = workers(clusters)
    if settings.fan_out:
        most = Workers(settings.concurrency, settings.batch_size).messages_at_once
        messages = len(deal([""] * clusters, most=most))
        dealing = reading(1) + (
            (costs.base + clusters * costs.document) / share
            + math.ceil(messages / quotas.SQS_ENTRIES) * answers.aws
        )
        count, one, seconds = workers(messages)
        push = dealing + seconds
        longest = max(dealing, one)
        billed = dealing + count * one
        at_once = min(count, settings.concurrency)
        part = math.ceil(clusters / count)
    else:
        messages = count = 0
        one, at_once, part = reading(1) + working(clusters), 1, clusters
        push = longest = billed = one
    cost, metrics_cost = _bill(clusters, settings, costs, billed, sweep, count)
    return Use(
        clusters,
        settings,
        push,
        longest,
        sweep,
        retry,
        reads=pages * (1 + count),
        most_reads=pages * (1 + messages),
        retry_reads=pages * retries,
        reading_rate=max(rate(1), rate(at_once)),
        reading_seconds=pages / min(settings.rate, rate(1)) + count * reading(at_once) / at_once,
        sign_ins=at_once * part / working(part),
        messages=messages,
        workers=count,
        peak=costs.peak(clusters),
        cost=cost,
        metrics_cost=metrics_cost,
    )


def _pause(readers: int) -> float:
    """Return the seconds that a run waits between two requests to Parameter Store."""
    slept: list[float] = [0.0]
    Pace(readers, slept.append).keep()
    return slept[-1]


def _waiting(clusters: int, namespaces: int, answers: Answers) -> float:
    """Return the seconds that pass with waiting for the API servers."""
    at_once = min(CLUSTERS_AT_ONCE, clusters)
    connections = max(1, CONNECTIONS_IN_ALL // at_once)
    each = HANDSHAKES + LISTS + math.ceil(namespaces / connections)
    return math.ceil(clusters / at_once) * each * answers.api


def _bill(
    clusters: int, settings: Settings, costs: Costs, pushing: float, sweep: float, workers: int
) -> tuple[float, float]:
    """Return the stack's monthly cost, and what of it is for metrics and the alarm on them.

    `pushing`: seconds of all invocations of a push.
    """
    prices = bill.Prices()
    seconds = bill.PUSHES * pushing + bill.SWEEPS * sweep
    computing = seconds * settings.memory / 1024 * prices.gb_second
    watched = clusters if settings.cluster_metrics else 0
    series = bill.METRICS_OF_RUN + bill.METRICS_OF_CLUSTER * watched
    metrics = _metrics(series * bill.PUSHES / bill.DAYS / 24 + bill.METRICS_OF_SWEEP, prices)
    alarms = (bill.ALARM_METRICS + watched) * prices.alarm_metric
    logged = bill.PUSHES * clusters * costs.push_log + bill.SWEEPS * min(
        clusters * FLEET.sweep_log / FLEET.clusters, LARGEST_REPORT
    )
    requests = bill.POLLS + bill.PUSHES * workers * 4
    invocations = bill.PUSHES * (1 + workers) + bill.SWEEPS
    return (
        computing
        + invocations * prices.request
        + metrics
        + alarms
        + prices.dashboard
        + logged / 1e9 * prices.log_gb
        + requests * prices.sqs_request
        + (bill.PUSHES + bill.SWEEPS) * prices.scheduled,
        metrics + alarms,
    )


def _metrics(series: float, prices: bill.Prices) -> float:
    """Return the cost of metrics a month, by CloudWatch's tiers."""
    first = min(series, FIRST_METRICS)
    return first * prices.metric + (series - first) * NEXT_METRIC


# --- the tables


def tables() -> dict[str, str]:
    """Return the tables of docs/scale.md, by name."""
    costs = Costs.of(SMALL, WIDE, FLEET, READING_CPU)
    return {
        "check": _check(costs),
        "fanned": _fanned(costs),
        "one": _uses(use(size, Settings(), costs) for size in SIZES),
        "fanout": _uses(use(size, Settings(fan_out=True), costs) for size in SIZES),
        "workers": _workers(costs),
        "answers": _answers(costs),
        "retry": _retries(costs),
        "settings": _chosen(costs),
    }


def _check(costs: Costs) -> str:
    """Return the model beside the measurement that is no part of its input."""
    size, each = CHECK.clusters, CHECK.namespaces
    rows = [
        ("push, processor time", costs.push_cpu(size, each, size), CHECK.push_cpu, "s"),
        ("sweep, processor time", costs.sweep_cpu(size), CHECK.sweep_cpu, "s"),
        ("peak memory", costs.peak(size), CHECK.peak, "MiB"),
        ("log of a push", costs.push_log * size / 1000, CHECK.push_log / 1000, "kB"),
    ]
    return _table(
        f"{size:,} clusters of {each} namespaces",
        "model",
        "measured",
        "model / measured",
        rows=(
            (name, f"{model:.3g} {unit}", f"{measured:.3g} {unit}", f"{model / measured:.2f}")
            for name, model, measured, unit in rows
        ),
    )


def _fanned(costs: Costs) -> str:
    """Return the model's pushes with FanOut beside the measured ones."""
    rows = []
    for found in FANNED:
        model = use(found.clusters, Settings(fan_out=True), costs, found.namespaces)
        cpu = costs.push_cpu(found.clusters // model.workers, found.namespaces, found.clusters)
        rows.append(
            (
                f"{found.clusters:,} clusters of {found.namespaces} namespaces",
                f"{model.messages}, {found.messages}",
                f"{model.workers}, {found.workers}",
                f"{model.reads}, {found.reads}",
                f"{cpu:.3g} s, {found.worker_cpu:.3g} s",
                f"{cpu / found.worker_cpu:.2f}",
            )
        )
    return _table(
        "with `FanOut`: model, measured",
        "messages",
        "workers",
        "requests to Parameter Store",
        "a worker, processor time",
        "model / measured",
        rows=rows,
    )


def _uses(uses: Iterable[Use]) -> str:
    return _table(
        "clusters",
        "push",
        "longest invocation",
        "sweep",
        "memory",
        "Parameter Store: peak, of 40/s",
        "STS, of 600/s",
        "USD a month",
        "first limit",
        rows=(
            (
                f"{one.clusters:,}",
                _time(one.push),
                _time(one.longest),
                _time(one.sweep),
                f"{one.peak:.0f} MiB",
                f"{one.reading_rate / one.settings.rate:.0%} for {_time(one.reading_seconds)}",
                f"{one.sign_ins / quotas.STS_RATE:.0%}",
                f"{one.cost:,.0f}",
                next(iter(one.breaks()), "-"),
            )
            for one in uses
        ),
    )


# Fleets by clusters and the namespaces of each.
FLEETS = ((10, 5_000), (100, 1_000), (1_000, NAMESPACES), (10_000, NAMESPACES))
CONCURRENCIES = (2, 5, 10, 20)


def _workers(costs: Costs) -> str:
    """Return the time of a push by the number of its workers, each with one processor."""
    large = Settings(memory=quotas.LAMBDA_PROCESSOR_MB)
    fanned = [replace(large, fan_out=True, concurrency=count) for count in CONCURRENCIES]
    return _table(
        "fleet",
        "requests to Parameter Store",
        "at most",
        "push in one run",
        *(f"`MaximumConcurrency={count}`" for count in CONCURRENCIES),
        rows=(
            (
                f"{clusters:,} clusters of {each:,} namespaces",
                f"{usual.reads:,}",
                f"{usual.most_reads:,}",
                *(_time(use(clusters, one, costs, each).push) for one in (large, *fanned)),
            )
            for clusters, each in FLEETS
            for usual in (use(clusters, replace(large, fan_out=True), costs, each),)
        ),
    )


def _answers(costs: Costs) -> str:
    """Return how the chosen settings' times change when every answer takes twice as long."""
    rows = []
    for size in SIZES:
        chosen = choose(size, costs)
        fanned = replace(chosen.settings, fan_out=True)
        both = [
            (
                use(size, chosen.settings, costs, answers=answers),
                use(size, fanned, costs, answers=answers),
            )
            for answers in (Answers(), Answers().doubled)
        ]
        rows.append(
            (
                f"{size:,}",
                *(
                    f"{_time(assumed)}, {_time(doubled)}"
                    for assumed, doubled in zip(
                        *((one.push, fan.push, one.sweep, one.retry) for one, fan in both),
                        strict=True,
                    )
                ),
            )
        )
    return _table(
        "clusters",
        "push",
        "push with `FanOut`",
        "sweep",
        "retry of all",
        rows=rows,
    )


def _retries(costs: Costs) -> str:
    """Return what one round of retries takes after every cluster failed."""
    sizes = (10, 100, 1_000)
    return _table(
        "clusters",
        *(f"`BatchSize={size}`" for size in sizes),
        rows=(
            (
                f"{clusters:,}",
                *(
                    f"{one.retry_reads:,} requests, {_time(one.retry)}"
                    for one in (use(clusters, Settings(batch_size=size), costs) for size in sizes)
                ),
            )
            for clusters in SIZES
        ),
    )


def _chosen(costs: Costs) -> str:
    return _table(
        "clusters",
        "settings",
        "push",
        "sweep",
        "retry of all",
        "USD a month",
        "with `ClusterMetrics=false`",
        "exceeded all the same",
        rows=(
            (
                f"{size:,}",
                str(one.settings),
                _time(one.push),
                _time(one.sweep),
                _time(one.retry),
                f"{one.cost:,.0f}",
                f"{use(size, replace(one.settings, cluster_metrics=False), costs).cost:,.0f}",
                ", ".join(one.breaks()) or "-",
            )
            for size in SIZES
            for one in (choose(size, costs),)
        ),
    )


def choose(clusters: int, costs: Costs) -> Use:
    """Return the use with the least settings that keep half of each limit free.

    Where none do, those with the most.
    """
    tried = [
        use(clusters, Settings(memory, timeout, batch_size=batch), costs)
        for timeout in (300, 600, 900)
        for batch in (10, 100, 1_000)
        for memory in (256, 512, 1_024, quotas.LAMBDA_PROCESSOR_MB)
    ]
    return next((one for one in tried if one.has_room()), tried[-1])


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def _table(*head: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


_PLACE = re.compile(r"(?<=<!-- scale: )(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)


def curves() -> list[dict[str, object]]:
    """Return the picture's panels: a title, a unit, curves by name, limits by name."""
    costs = Costs.of(SMALL, WIDE, FLEET, READING_CPU)

    def of(settings: Settings) -> list[Use]:
        return [use(size, settings, costs) for size in SIZES]

    one, large = of(Settings()), of(Settings(memory=quotas.LAMBDA_PROCESSOR_MB))
    fanned = of(Settings(fan_out=True))
    fanned_large = of(Settings(memory=quotas.LAMBDA_PROCESSOR_MB, fan_out=True))
    batched = of(Settings(batch_size=100))
    return [
        {
            "title": "Time of a push",
            "unit": "seconds",
            "clusters": SIZES,
            "curves": {
                "one run, 256 MB": [it.push for it in one],
                "one run, 1,769 MB": [it.push for it in large],
                "FanOut, 256 MB": [it.push for it in fanned],
                "FanOut, 1,769 MB": [it.push for it in fanned_large],
            },
            "limits": {"Timeout=300": 300, "Timeout=900": 900},
        },
        {
            "title": "Requests to Parameter Store",
            "unit": "requests",
            "clusters": SIZES,
            "curves": {
                "push in one run, or a sweep": [it.reads for it in one],
                "push, FanOut": [it.reads for it in fanned],
                "retry of all, BatchSize=100": [it.retry_reads for it in batched],
                "retry of all, BatchSize=10": [it.retry_reads for it in one],
            },
            "limits": {"40/s for a sweep's period": quotas.PARAMETER_STORE_RATE * SWEEP_PERIOD},
        },
        {
            "title": "Cost",
            "unit": "USD a month",
            "clusters": SIZES,
            "curves": {
                "all but metrics": [it.cost - it.metrics_cost for it in large],
                "all": [it.cost for it in large],
            },
            "limits": {},
        },
    ]


def page(text: str) -> str:
    """Return docs/scale.md with the model's tables."""
    made = tables()
    return _PLACE.sub(lambda place: f"{place[1]}{place[2]}\n{made[place[1]]}\n\n", text)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make scale",
        description="What 10 to 10,000 clusters take: time, quotas and money, by a model.",
    )
    parser.add_argument(
        "--measure", action="store_true", help="measure the model's input and its check instead"
    )
    parser.add_argument(
        "--write", action="store_true", help="write the tables into docs/scale.md as well"
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="write the curves there, for tests.bench.scale_plot",
    )
    chosen = parser.parse_args()
    if chosen.measure:
        # Imported here: it needs the local stack, and the pictures' environment has none.
        from tests.bench import fleet

        for run in (*INPUT, CHECK):
            print(fleet.measure(run.clusters, run.namespaces), flush=True)
        for fanned in FANNED:
            print(fleet.measure_fan_out(fanned.clusters, fanned.namespaces), flush=True)
        print(f"{DOCUMENTS} documents: {fleet.measure_reading(DOCUMENTS)} s", flush=True)
        return 0
    if chosen.save:
        chosen.save.write_text(json.dumps(curves()) + "\n")
        return 0
    for name, table in tables().items():
        print(f"{name}\n\n{table}\n")
    if chosen.write:
        document = HERE / "docs" / "scale.md"
        document.write_text(page(document.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
