"""`python -m tests.bench`: prints the table. Each figure is from a fresh process, after import; rounds take turns."""

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import aws, local, sink, table
from tests.bench.measured import KUBECTL_COUNT
from tests.bench.table import LABELS, Round, Row
from tests.bench.work import Target, environment, work

SIZES = [1, 100, 1000]
ROUNDS = 7
# Over the larger numbers kubectl takes half a minute a round, and varies little.
KUBECTL_ROUNDS = 2
ROOT = Path(__file__).resolve().parents[2]


class Bench:
    """Starts the measured processes, one at a time."""

    def __init__(self, fake: aws.FakeAws, folder: Path) -> None:
        self._fake, self._folder = fake, folder

    def measure(self, way: str, target: Target | None = None) -> Round:
        self._fake.target = target
        with tempfile.TemporaryDirectory(dir=self._folder) as home:
            given, answer = Path(home) / "work.json", Path(home) / "answer.json"
            given.touch(mode=0o600)
            given.write_text(json.dumps(work(target) if target else {}))
            command = [sys.executable, "-m", "tests.bench.measured", way, str(given), str(answer)]
            process = subprocess.run(
                command, cwd=ROOT, env=environment(self._fake.url, Path(home)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            if process.returncode:
                raise SystemExit(f"{way} over {target.count if target else 0} namespaces: {process.stderr.strip()[-2000:]}")
            found: Round = json.loads(answer.read_text())
            return found

    def compare(self, target: Target, ways: list[str], rounds: int, between: Callable[[], None] = lambda: None) -> dict[str, Row]:
        """Rounds of the ways in turn, so that a busy moment of the machine meets them all; kubectl last, since its Secrets are another manager's."""
        found: dict[str, list[Round]] = defaultdict(list)
        turns = [way for _ in range(rounds) for way in ways if way != "kubectl"] + [way for way in ways if way == "kubectl"] * KUBECTL_ROUNDS
        for number, way in enumerate(turns, start=1):
            progress(f"{target.count} namespaces, measurement {number} of {len(turns)}: {LABELS[way]}")
            found[way].append(self.measure(way, target))
            between()
        return {way: Row(way, tuple(rows)) for way, rows in found.items()}


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def show(rows: dict[str, Row], count: int) -> None:
    progress("")
    print(f"\n {count} namespace{'s' if count > 1 else ''}")
    print(table.HEAD)
    for way, row in rows.items():
        print(table.line(row, rows["floor"], scaled=way == "kubectl" and count > KUBECTL_COUNT))
    for way in ("push", "invocation"):
        print(table.aims(rows[way], rows["floor"]))


def show_growth(sized: dict[int, dict[str, Row]]) -> None:
    fewest, most = min(sized), max(sized)
    if fewest < most:
        print(f"\n each further namespace, from {fewest} to {most}")
        for way in sized[most]:
            print(table.growth_line(sized[fewest], sized[most], way, most - fewest))


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {system}"


def bench_sink(bench: Bench, ways: list[str], sizes: list[int], rounds: int) -> None:
    if sink.binary() is None:
        print(f"\n{sink.MISSING}")
        return
    print("\nagainst nginx as a TLS sink, which is no bottleneck")
    sized: dict[int, dict[str, Row]] = {}
    with temporary() as folder, sink.running(folder, sizes) as server:
        for target in server.targets:
            sized[target.count] = bench.compare(target, ways, rounds)
            show(sized[target.count], target.count)
            for way in ("floor", "push"):
                server.forget()
                bench.measure(way, target)
                seen = server.seen("PATCH")
                print(f"    {LABELS[way]}: {seen.requests} PATCH requests of {seen.bytes / seen.requests:.0f} bytes each, as nginx counted")
    show_growth(sized)


def bench_local(bench: Bench, ways: list[str], sizes: list[int], rounds: int) -> None:
    print("\nagainst the local stack's embedded Kubernetes (Python: it is the slower side)")
    sized: dict[int, dict[str, Row]] = {}
    for count in sizes:
        with local.running(count, (ROOT / "infra/rbac/cluster.yaml").read_text()) as (target, cluster):
            sized[count] = bench.compare(target, ways, rounds, between=cluster.requests.clear)
            show(sized[count], count)
    show_growth(sized)


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description="The push beside a bare loop and beside kubectl.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each way (default {ROUNDS})")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of namespaces (default 1 100 1000)")
    parser.add_argument("--server", choices=["nginx", "local", "both"], default="both", help="the API server (default both)")
    parser.add_argument("--no-kubectl", action="store_true", help="leave the original's way out")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nginx goes too
    ways = ["floor", "push", "invocation"]
    print(machine())
    print(f"each in a fresh process, after import; CPU is user + system; peak is the highest of {chosen.rounds} rounds; x: median over the floor's")
    if chosen.no_kubectl:
        pass
    elif shutil.which("kubectl"):
        ways.append("kubectl")
        print(f"* kubectl: as the archived CronJob's loop, {KUBECTL_ROUNDS} rounds, measured on {KUBECTL_COUNT} namespaces and scaled")
    else:
        print("kubectl is not here, so the original's way is left out")
    with temporary() as folder, aws.serving() as fake:
        bench = Bench(fake, folder)
        print("\n" + table.import_line(Row("import", tuple(bench.measure("imported") for _ in range(chosen.rounds)))))
        if chosen.server != "local":
            bench_sink(bench, ways, chosen.sizes, chosen.rounds)
        if chosen.server != "nginx":
            bench_local(bench, ways, chosen.sizes, chosen.rounds)


if __name__ == "__main__":
    main()
