"""One push and one sweep of the built function over embedded clusters, as the model's input.

`measure` counts what the model multiplies: processor time, requests to each service, lines and
bytes of the log, and memory. Waiting is not part of it: everything here is on one machine.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import Any

import yaml

from infra.local.aws import DEFAULT_ACCOUNT, LocalAws
from infra.local.aws.queues import LocalQueue
from infra.local.aws.sam import build, emulator, sam_command
from infra.local.aws.template import read_function
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster
from infra.local.runtime import BuiltFunction, Invocation
from infra.local.stack import CONFIG_PATH, EXECUTION_ROLE, RBAC_GROUP, REGION, STACK_NAME
from tests.bench.work import HERE

# Long enough for a thousand clusters that share the machine with the function.
TIMEOUT_SECONDS = 900
# A thousand idle servers that look fifty times a second would take a processor.
POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Run:
    """One warm invocation.

    `cpu` and `wall` are in seconds, `wall` beside the clusters on the same processors; `peak` is in
    MiB, of the process so far. `calls` are requests to AWS by operation, `requests` those to the
    API servers. `log_bytes` holds the report and the metrics, `series` counts the metrics.
    """

    cpu: float
    wall: float
    peak: float
    calls: Mapping[str, int]
    requests: int
    log_bytes: int
    report_bytes: int
    series: int


@dataclass(frozen=True)
class Measured:
    """The runs over `clusters` of `namespaces` each.

    `cold_calls`: requests to AWS of the first push, which knows no endpoint yet. `cold_cpu`: its
    processor time.
    """

    clusters: int
    namespaces: int
    cold_cpu: float
    cold_calls: Mapping[str, int]
    push: Run
    sweep: Run


@dataclass(frozen=True)
class FannedOut:
    """The runs of one push with FanOut over `clusters` of `namespaces` each."""

    clusters: int
    namespaces: int
    messages: int
    dispatcher: Run
    workers: tuple[Run, ...]

    @property
    def cpu(self) -> float:
        """Return the processor time of all invocations in seconds."""
        return round(self.dispatcher.cpu + sum(worker.cpu for worker in self.workers), 2)

    @property
    def reads(self) -> int:
        """Return the requests to Parameter Store."""
        runs = (self.dispatcher, *self.workers)
        return sum(run.calls["GetParametersByPath"] for run in runs)


def measure(clusters: int, namespaces: int) -> Measured:
    """Measure a push that renews every Secret, and a sweep that finds nothing to do."""
    with _running(clusters, namespaces) as run:
        cold = run({})
        return Measured(
            clusters, namespaces, cold.cpu, cold.calls, run({}), run({"action": "sweep"})
        )


def measure_fan_out(clusters: int, namespaces: int) -> FannedOut:
    """Measure a warm push with FanOut, whose workers here follow each other in one sandbox."""
    with LocalAws() as aws:
        queue = aws.put_queue(f"{STACK_NAME}-retry", delay_seconds=0)
        with _running(clusters, namespaces, aws=aws, queue=queue) as run:
            # Few at a time: a busy machine, which is all of AWS too, would be asked for the
            # endpoints of all of them at once.
            for part in batched(map(_name, range(clusters)), 20, strict=False):
                run({"clusters": list(part)})
            dispatcher = run({})
            messages = len(queue.waiting)
            workers = []
            while (batch := queue.batch())["Records"]:
                workers.append(run(batch))
                queue.settle(batch, {"batchItemFailures": []})
            return FannedOut(clusters, namespaces, messages, dispatcher, tuple(workers))


def measure_reading(documents: int, rounds: int = 10) -> float:
    """Return the processor time in seconds of reading so many documents, to sweep one cluster."""
    with _running(1, 1, documents=documents) as run:
        narrowed = {"action": "sweep", "clusters": [_name(0)]}
        run(narrowed)
        return round(sum(run(narrowed).cpu for _ in range(rounds)) / rounds, 3)


@contextlib.contextmanager
def _running(
    clusters: int,
    namespaces: int,
    *,
    documents: int = 0,
    aws: LocalAws | None = None,
    queue: LocalQueue | None = None,
) -> Iterator[Callable[[Mapping[str, object]], Run]]:
    """Yield a function that invokes the built function once, beside the clusters.

    `documents`: as many documents in all, with clusters that do not exist. `queue`, of `aws`: the
    retry queue of a function with FanOut.
    """
    sam = sam_command(HERE, {})
    built = build(HERE, sam)
    spec = read_function(
        built.template,
        stack_name=STACK_NAME,
        region=REGION,
        account_id=DEFAULT_ACCOUNT,
        parameters={
            **built.parameters,
            "Timeout": str(TIMEOUT_SECONDS),
            "FanOut": "true" if queue else "false",
        },
        resources={"RetryQueue": queue.url} if queue else {},
    )
    with contextlib.ExitStack() as stack:
        aws = aws or stack.enter_context(LocalAws())
        aws.put_role(EXECUTION_ROLE)
        fleet: list[EmbeddedCluster] = []
        stack.callback(_close, fleet)
        fleet += _fleet(aws, clusters, namespaces)
        for number in range(clusters, documents):
            _document(aws, _name(number))
        function = stack.enter_context(
            BuiltFunction(
                spec,
                emulator(sam),
                credential=aws.credentials_for(EXECUTION_ROLE, STACK_NAME),
                region=REGION,
                aws_endpoint_url=aws.endpoint_url,
            )
        )

        def run(event: Mapping[str, object]) -> Run:
            for one in fleet:
                one.requests.clear()
            seen = len(aws.calls)
            before = function.cpu_seconds()
            invocation = function.invoke(event)
            cpu = function.cpu_seconds() - before
            (report,) = _reports(invocation)
            assert report["ok"], report
            logged = [line for line in invocation.logs if line.startswith("{")]
            return Run(
                round(cpu, 2),
                round(invocation.seconds, 1),
                _peak_mib(function),
                dict(Counter(call.action for call in aws.calls[seen:])),
                sum(len(one.requests) for one in fleet),
                sum(len(line) + 1 for line in logged),
                len(json.dumps(report)),
                _series(invocation),
            )

        yield run


def _fleet(aws: LocalAws, clusters: int, namespaces: int) -> Iterator[EmbeddedCluster]:
    """Yield the clusters, with a document for each and namespaces that a glob selects."""
    rbac = list(yaml.safe_load_all((HERE / "infra" / "rbac" / "cluster.yaml").read_text()))
    for number in range(clusters):
        name = _name(number)
        cluster = EmbeddedCluster(
            name,
            credentials=aws.find_credential,
            access_entries=[AccessEntry(EXECUTION_ROLE, (RBAC_GROUP,))],
            region=REGION,
            poll_seconds=POLL_SECONDS,
        )
        cluster.apply(*rbac)
        cluster.apply(*(_namespace(f"team-{place}") for place in range(namespaces)))
        aws.put_cluster(DEFAULT_ACCOUNT, REGION, cluster)
        _document(aws, name)
        yield cluster


def _close(fleet: list[EmbeddedCluster]) -> None:
    """Close the clusters side by side: each one waits for its next look."""
    with ThreadPoolExecutor(max(1, len(fleet))) as threads:
        list(threads.map(EmbeddedCluster.close, fleet))


def _name(number: int) -> str:
    return f"cluster-{number:05}"


def _document(aws: LocalAws, cluster: str) -> None:
    aws.put_parameter(f"{CONFIG_PATH}/clusters/{cluster}", '{"namespaces": ["team-*"]}')


def _namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _peak_mib(function: BuiltFunction) -> float:
    status = (function.process() / "status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def _reports(invocation: Invocation) -> list[dict[str, Any]]:
    """Return the reports in the invocation's log."""
    assert invocation.error is None, invocation
    return [json.loads(line)["report"] for line in invocation.logs if '"report":' in line]


def _series(invocation: Invocation) -> int:
    """Return how many metrics the invocation's log holds."""
    lines = (json.loads(line) for line in invocation.logs if '"_aws"' in line)
    return sum(
        len(group["Metrics"]) for line in lines for group in line["_aws"]["CloudWatchMetrics"]
    )
