"""Monthly cost of the stack.

List prices, times the work of the default schedules, as measured on the built function.

python -m tests.bench.bill            measures (minutes), and prints the table of docs/runbook.md
python -m tests.bench.bill --figures  the same from the figures measured last, which are kept below
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from infra.local.aws import DEFAULT_ACCOUNT, LocalAws
from infra.local.aws.sam import build, emulator, sam_command
from infra.local.aws.template import read_function
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster
from infra.local.kube.kinds import NAMESPACES
from infra.local.runtime import BuiltFunction

ROOT = Path(__file__).resolve().parents[2]
SIZES = (1, 10, 100)
NAMESPACES_EACH = 10
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/ecr-public-pusher-PusherRole"

# The template's defaults.
MEMORY_GB = 256 / 1024
PROCESSORS = 256 / 1769  # Lambda gives one at 1,769 MB
HOURS = 730
DAYS = 730 / 24
PUSHES = DAYS * 3
SWEEPS = DAYS * 24 * 12
# Alarms by what they are billed for: metrics watched. The alarm on failed clusters analyses one
# metric for each cluster.
ALARM_METRICS = 13
METRICS_OF_RUN = 7
METRICS_OF_CLUSTER = 5
# SecondsLeft of all clusters, which every sweep sends.
METRICS_OF_SWEEP = 1
LOG_LINE_KB = 0.6
METRIC_LINE_KB = 0.5
REPORT_KB_PER_CLUSTER = 0.2
# Idle, Lambda's five pollers wait 20 seconds each.
POLLS = 5 * 3 * 60 * HOURS


@dataclass(frozen=True)
class Prices:
    """List prices in us-east-1, USD, without the free tier.

    Source: aws.amazon.com, the pricing pages of Lambda, CloudWatch, SQS and EventBridge.
    """

    gb_second: float = 0.0000133334  # arm64
    request: float = 0.20 / 1e6
    metric: float = 0.30  # a month, by the hours in which it is sent
    alarm_metric: float = 0.10
    dashboard: float = 3.00  # the first three of an account are free
    log_gb: float = 0.50
    sqs_request: float = 0.40 / 1e6
    scheduled: float = 1.00 / 1e6


@dataclass(frozen=True)
class Figures:
    """Seconds of one warm invocation: `cpu` of processor time, `wall` of waiting and working."""

    clusters: int
    push_cpu: float
    push_wall: float
    sweep_cpu: float
    sweep_wall: float

    def billed(self, cpu: float, wall: float) -> float:
        """Return the seconds that Lambda would bill.

        The waiting is as here, the work at the function's share of a processor.
        """
        return max(wall, cpu / PROCESSORS)


def bill(figures: Figures, prices: Prices) -> dict[str, float]:
    """Return the cost in USD a month, by purpose."""
    clusters = figures.clusters
    push = figures.billed(figures.push_cpu, figures.push_wall)
    sweep = figures.billed(figures.sweep_cpu, figures.sweep_wall)
    logged_kb = PUSHES * (
        LOG_LINE_KB + (METRIC_LINE_KB + REPORT_KB_PER_CLUSTER) * (clusters + 1)
    ) + SWEEPS * (LOG_LINE_KB + METRIC_LINE_KB + REPORT_KB_PER_CLUSTER * (clusters + 1))
    sent_share = 3 / 24  # what pushes alone send is sent in three hours of a day
    return {
        "Lambda": (
            (PUSHES * push + SWEEPS * sweep) * MEMORY_GB * prices.gb_second
            + (PUSHES + SWEEPS) * prices.request
        ),
        "metrics": (
            ((METRICS_OF_RUN + METRICS_OF_CLUSTER * clusters) * sent_share + METRICS_OF_SWEEP)
            * prices.metric
        ),
        "alarms": (ALARM_METRICS + clusters) * prices.alarm_metric,
        "dashboard": prices.dashboard,
        "logs": logged_kb / 1e6 * prices.log_gb,
        "queue, scheduler": POLLS * prices.sqs_request + (PUSHES + SWEEPS) * prices.scheduled,
    }


def table(measured: Sequence[Figures], prices: Prices) -> str:
    """Return the table of docs/runbook.md."""
    bills = [bill(figures, prices) for figures in measured]
    lines = [
        "| a month, in USD | "
        + " | ".join(
            f"{figures.clusters} cluster{'s' * (figures.clusters > 1)}" for figures in measured
        )
        + " |"
    ]
    lines.append("| --- " * (len(bills) + 1) + "|")
    lines += [
        f"| {name} | " + " | ".join(f"{one[name]:.2f}" for one in bills) + " |" for name in bills[0]
    ]
    lines.append(
        "| **all** | " + " | ".join(f"**{sum(one.values()):.2f}**" for one in bills) + " |"
    )
    return "\n".join(lines)


# Measured by this command on two cores of an Intel Xeon, Python 3.13.0, Linux: medians of five warm
# invocations, ten namespaces in each cluster.
MEASURED = (
    Figures(1, push_cpu=0.01, push_wall=0.02, sweep_cpu=0.01, sweep_wall=0.01),
    Figures(10, push_cpu=0.06, push_wall=0.087, sweep_cpu=0.02, sweep_wall=0.027),
    Figures(100, push_cpu=0.58, push_wall=0.854, sweep_cpu=0.18, sweep_wall=0.229),
)


def measure(size: int, rounds: int = 5) -> Figures:
    """Measure pushes to, and sweeps of, `size` embedded clusters with the built function."""
    sam = sam_command(ROOT, {})
    built = build(ROOT, sam)
    spec = read_function(
        built.template,
        stack_name="bill",
        region="us-east-1",
        account_id=DEFAULT_ACCOUNT,
        parameters=built.parameters,
    )
    with LocalAws() as aws, contextlib.ExitStack() as stack:
        aws.put_role(ROLE)
        rbac = list(yaml.safe_load_all((ROOT / "infra" / "rbac" / "cluster.yaml").read_text()))
        for number in range(size):
            name = f"cluster-{number:03}"
            cluster = stack.enter_context(
                EmbeddedCluster(
                    name,
                    credentials=aws.find_credential,
                    access_entries=[AccessEntry(ROLE, ("ecr-public-pushers",))],
                    region="us-east-1",
                )
            )
            cluster.apply(*rbac)
            _fill(cluster)
            aws.put_cluster(DEFAULT_ACCOUNT, "us-east-1", cluster)
            aws.put_parameter(f"/ecr-public-pusher/clusters/{name}", '{"namespaces": ["team-*"]}')
        credential = aws.credentials_for(ROLE, "bill")
        function = stack.enter_context(
            BuiltFunction(
                spec,
                emulator(sam),
                credential=credential,
                region="us-east-1",
                aws_endpoint_url=aws.endpoint_url,
            )
        )
        function.invoke({})  # cold
        push = _timed(function, {}, rounds)
        sweep = _timed(function, {"action": "sweep"}, rounds)
    return Figures(size, *(round(seconds, 3) for seconds in (*push, *sweep)))


def _fill(cluster: EmbeddedCluster) -> None:
    """Add namespaces that are a day old, so that a sweep finds nothing new."""
    created = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for number in range(NAMESPACES_EACH):
        name = f"team-{number}"
        cluster.admin(
            "POST",
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        )
        found = cluster.store.get(NAMESPACES, "", name)
        assert found is not None
        cluster.store.put(
            NAMESPACES, {**found, "metadata": {**found["metadata"], "creationTimestamp": created}}
        )


def _timed(function: BuiltFunction, event: dict[str, str], rounds: int) -> tuple[float, float]:
    """Return the median processor and wall seconds of an invocation."""
    taken = []
    for _ in range(rounds):
        before = function.cpu_seconds()
        began = time.monotonic()
        invocation = function.invoke(event)
        assert invocation.report is not None, invocation
        assert invocation.report["ok"], invocation.report
        taken.append((function.cpu_seconds() - before, time.monotonic() - began))
    return (
        sorted(cpu for cpu, _ in taken)[rounds // 2],
        sorted(wall for _, wall in taken)[rounds // 2],
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bill", description="What the stack costs a month.")
    parser.add_argument(
        "--figures", action="store_true", help="use the figures measured last instead of measuring"
    )
    measured: Sequence[Figures] = MEASURED
    if not parser.parse_args().figures:
        found = []
        for size in SIZES:
            print(f"· measuring {size} clusters", file=sys.stderr, flush=True)
            found.append(measure(size))
        measured = found
        print("\n".join(f"    {figures}," for figures in measured) + "\n")
    print(table(measured, Prices()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
