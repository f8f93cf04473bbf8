"""`python -m tests.bench`: prints the table.

Each figure is from a fresh process, after import; rounds take turns.
"""

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
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import aws, sink, table
from tests.bench.sink import Sink
from tests.bench.table import LABELS, Cost, Round, Row
from tests.bench.work import HERE, Feature, Scenario, environment, work

SCENARIOS = "1x1 1x1000 12x30 100x10 100x200 1x20@200 50x20@200 1x1000@50 100x10@50"
# Clusters over which the cost of private registries, web identity and discovery is measured.
FEATURES_SCENARIO = "100x10"
PARTS = ["import", "push", "sweep", "features", "hung"]
# Clusters over which a sweep with nothing to do is measured.
SWEEP_SCENARIO = Scenario(100, 200)
# Clusters whose writes hang, beside those that are well; the namespaces in each.
HUNG = 100
WELL = 20
HUNG_NAMESPACES = (50, 3)
# Long enough for two requests to a cluster to time out one after the other.
HUNG_SECONDS = 60.0
ROUNDS = 3
WAYS = ["function", "aiohttp", "urllib3", "get_put", "kubectl"]
# One namespace after the other: they are measured on one cluster, in one round, and scaled.
SERIAL = ("get_put", "kubectl")


class Bench:
    """Starts the measured processes, one at a time.

    `before`: another checkout of this project, measured in the same way.
    """

    def __init__(self, fake: aws.FakeAws, folder: Path, *, before: Path | None = None) -> None:
        self._fake = fake
        self._folder = folder
        self.before = before

    def measure(
        self,
        way: str,
        scenario: Scenario,
        server: Sink | None = None,
        *,
        connections: int = 1,
        seconds: float = HUNG_SECONDS,
    ) -> Round:
        if server is not None:
            self._fake.endpoints = server.endpoints
            self._fake.ca_pem = server.ca_pem
        with tempfile.TemporaryDirectory(dir=self._folder) as home:
            given = Path(home) / "work.json"
            answer = Path(home) / "answer.json"
            given.touch(mode=0o600)
            of_server = (
                work(scenario, server.endpoints, server.ca_pem, connections=connections)
                if server
                else {}
            )
            given.write_text(json.dumps(of_server | {"seconds": seconds}))
            checkout = self.before if self.before and way.endswith("before") else HERE
            what = "function" if way == "before" else way.removesuffix("_before")
            command = [sys.executable, "-m", "tests.bench.measured", what, str(given), str(answer)]
            env = environment(self._fake.url, Path(home), checkout=checkout)
            process = subprocess.run(
                command,
                cwd=HERE,
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            if process.returncode:
                raise SystemExit(f"{way} over {scenario}: {process.stderr.strip()[-2000:]}")
            found: Round = json.loads(answer.read_text())
            return found

    def compare(
        self, scenario: Scenario, server: Sink, ways: Sequence[str], rounds: int
    ) -> dict[str, Row]:
        """Measure the ways in turn, so that a busy moment of the machine affects all of them.

        The function comes first, since the floor follows it.
        """
        found: dict[str, list[Round]] = {}
        seen: dict[str, sink.Seen] = {}
        # Eight threads over many clusters whose answers come late would take minutes, and say
        # nothing new.
        skipped = (*SERIAL, "urllib3") if scenario.clusters > 1 and scenario.delay_ms else SERIAL
        turns = [way for _ in range(rounds) for way in ways if way not in skipped]
        turns += [
            way
            for way in ways
            if way in SERIAL
            and scenario.clusters == 1
            and not (scenario.delay_ms and way == "kubectl")
        ]
        for number, way in enumerate(turns, start=1):
            progress(f"{scenario}: measurement {number} of {len(turns)}, {LABELS[way]}")
            server.forget()
            connections = (
                max(1, round(seen["function"].connections / scenario.clusters))
                if "function" in seen
                else 1
            )
            found.setdefault(way, []).append(
                self.measure(way, scenario, server, connections=connections)
            )
            invocations = 3 if way in ("function", "before") else 1
            raw = server.seen()
            seen[way] = sink.Seen(
                raw.requests // invocations,
                raw.bytes // invocations,
                raw.connections // invocations,
            )
        return {
            way: Row(way, tuple(rows), seen[way].requests, seen[way].connections)
            for way, rows in found.items()
        }

    def features(self, scenario: Scenario, server: Sink, rounds: int) -> list[Cost]:
        """Measure each feature of documents in turn.

        The other checkout knows none of them.
        """
        turns = [("function", feature) for feature in Feature] + (
            [("before", Feature.NONE)] if self.before else []
        )
        found: dict[tuple[str, Feature], list[Round]] = {}
        calls: dict[tuple[str, Feature], dict[str, int]] = {}
        for number in range(rounds):
            for turn in turns:
                way, feature = turn
                progress(f"{scenario}: round {number + 1} of {rounds}, {feature}")
                self._fake.feature = feature
                found.setdefault(turn, []).append(self.measure(way, scenario, server))
                calls[turn] = dict(self._fake.calls)
        self._fake.feature = Feature.NONE
        return [
            Cost(feature, Row(way, tuple(rows)), calls[way, feature])
            for (way, feature), rows in found.items()
        ]

    def beside_hung(self, hung: int, well: int, namespaces: int, seconds: float) -> dict[str, Row]:
        """Measure healthy clusters beside ones whose writes hang, once.

        It takes all of the `seconds`.
        """
        scenario = Scenario(hung + well, namespaces)
        found: dict[str, Row] = {}
        for way in ["hung", *(["hung_before"] if self.before else [])]:
            progress(f"{hung} hung and {well} well, {namespaces} namespaces each")
            home = Path(tempfile.mkdtemp(dir=self._folder))
            with sink.running(home, scenario, hung=hung) as server:
                row = self.measure(way, scenario, server, seconds=seconds)
                found[way] = Row(way, (row,))
        return found


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def show(scenario: Scenario, rows: dict[str, Row]) -> None:
    progress("")
    print(f"\n {scenario} ({scenario.secrets} Secret{'s' if scenario.secrets > 1 else ''})")
    print(table.HEAD)
    floor = rows.get("aiohttp") or next(iter(rows.values()))
    for way, row in rows.items():
        print(table.line(row, floor, scenario.secrets, scaled=way in SERIAL))
        if way == "function":
            print(table.line(table.cold(row), floor, scenario.secrets))
    if "function" in rows and scenario.delay_ms:
        least = table.bound(scenario, rows["function"].connections)
        print(
            f"    least possible over its connections: {least:.2f} s, a delay for the list and for"
            " each namespace on a connection"
        )
    for reached in table.aims(scenario, rows):
        print(f"    {reached}")


def show_imports(bench: Bench) -> None:
    ways = ["imported", *(["imported_before"] if bench.before else [])]
    rounds: dict[str, list[Round]] = {way: [] for way in ways}
    for _ in range(5):
        for way in ways:
            rounds[way].append(bench.measure(way, Scenario(0, 0)))
    imported = {way: Row(way, tuple(found)) for way, found in rounds.items()}
    print("\n" + table.imports(imported["imported"], imported.get("imported_before")))


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {system}"


def scenario(text: str) -> Scenario:
    """Read `CLUSTERSxNAMESPACES`, or `CLUSTERSxNAMESPACES@MILLISECONDS` with late responses."""
    size, _, delay = text.partition("@")
    clusters, _, namespaces = size.partition("x")
    return Scenario(int(clusters), int(namespaces), int(delay or 0))


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="The push beside a bare loop and beside other ways. Takes some 15 minutes.",
    )
    parser.add_argument(
        "--scenarios",
        type=scenario,
        nargs="+",
        default=[scenario(one) for one in SCENARIOS.split()],
        metavar="NxM[@MS]",
        help=f"clusters x namespaces @ milliseconds that each answer takes (default: {SCENARIOS})",
    )
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, default=WAYS, help="what is measured (default: all)"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="which tables (default: all)"
    )
    parser.add_argument(
        "--features",
        type=scenario,
        default=scenario(FEATURES_SCENARIO),
        metavar="NxM",
        help=(
            "over which clusters private registries, web identity and discovery are measured"
            f" (default: {FEATURES_SCENARIO})"
        ),
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"rounds of each way (default {ROUNDS})"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="another checkout of this project, measured beside this one",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write the results there, for tests.bench.plots"
    )
    chosen = parser.parse_args()
    if sink.binary() is None:
        raise SystemExit(sink.MISSING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nginx ends too
    ways = [way for way in chosen.ways if way != "kubectl" or shutil.which("kubectl")]
    if "kubectl" in chosen.ways and "kubectl" not in ways:
        print("kubectl is not here, so the original's way is left out")
    if chosen.against and "function" in ways:
        ways.insert(1, "before")
    print(machine())
    print(
        "each in fresh processes, after import, against nginx with TLS; CPU is user + system;"
        " medians; peak is the highest; x: over the floor"
    )
    print("* one namespace after the other, measured on a few and scaled")
    results: dict[Scenario, dict[str, Row]] = {}
    with temporary() as folder, aws.serving() as fake:
        bench = Bench(fake, folder, before=chosen.against)
        if "import" in chosen.parts:
            show_imports(bench)
        for number, one in enumerate(chosen.scenarios if "push" in chosen.parts else []):
            home = folder / str(number)
            home.mkdir()
            with sink.running(home, one) as server:
                results[one] = bench.compare(one, server, ways, chosen.rounds)
            show(one, results[one])
        if "sweep" in chosen.parts:
            home = folder / "sweep"
            home.mkdir()
            with sink.running(home, SWEEP_SCENARIO) as server:
                rounds = tuple(
                    bench.measure("sweep", SWEEP_SCENARIO, server) for _ in range(chosen.rounds)
                )
            progress("")
            print("\n" + "\n".join(table.sweeps(SWEEP_SCENARIO, Row("sweep", rounds))))
        if "features" in chosen.parts:
            home = folder / "features"
            home.mkdir()
            with sink.running(home, chosen.features) as server:
                costs = bench.features(chosen.features, server, chosen.rounds)
            progress("")
            print("\n" + "\n".join(table.costs(chosen.features, costs)))
        if "hung" in chosen.parts:
            beside = {
                count: bench.beside_hung(HUNG, WELL, count, HUNG_SECONDS)
                for count in HUNG_NAMESPACES
            }
            progress("")
            print("\n" + "\n".join(table.beside_hung(beside, hung=HUNG, well=WELL)))
    if chosen.save:
        rows = [
            {
                "clusters": one.clusters,
                "namespaces": one.namespaces,
                "delay_ms": one.delay_ms,
                "way": way,
                "wall": row.median("wall"),
                "cpu": row.median("cpu"),
                "peak": row.peak,
                "connections": row.connections,
            }
            for one, found in results.items()
            for way, row in found.items()
        ]
        chosen.save.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
