"""`python -m tests.fuzz`: runs the targets one after another, and prints what each has found."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS

KEPT = Path(__file__).resolve().parents[2] / ".venv-fuzz"
SECONDS = 180  # for a target: an hour for all
LONGEST_INPUT_SECONDS = 5
LONGEST_INPUT = 16_384
NICENESS = 10
GRACE_SECONDS = 300  # to import, to read the corpus, and to end, on a busy computer
_STATISTIC = re.compile(r"stat::(\w+): +(\d+)")
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+)")
_CAUSE = re.compile(r"=== Uncaught Python exception: ===\n(.*)|SUMMARY: (libFuzzer: .*)")


@dataclass(frozen=True)
class Run:
    """One target's run.

    `edges`, `features`: libFuzzer's measures of the coverage of the function's code.
    `finding`: the exception, or libFuzzer's own reason to end; None where there is none.
    """

    name: str
    executions: int
    edges: int
    features: int
    finding: str | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m tests.fuzz [OPTIONS]` and return the exit code: 1 if there is a finding."""
    given = _parser().parse_args(arguments)
    os.nice(NICENESS)
    print(f"{'target':<18}{'executions':>12}{'edges':>8}{'features':>10}  finding")
    runs = []
    for name in given.targets or TARGETS:
        runs.append(run := fuzz(name, given.seconds, given.keep))
        counts = f"{run.executions:>12}{run.edges:>8}{run.features:>10}"
        print(f"{name:<18}{counts}  {run.finding or '-'}", flush=True)
    found = [run for run in runs if run.finding]
    total = sum(run.executions for run in runs)
    seconds = given.seconds * len(runs)
    print(f"{total} executions in {seconds} seconds, {len(found)} findings; {given.keep}")
    return 1 if found else 0


def fuzz(name: str, seconds: int, kept: Path) -> Run:
    """Run one target for that long, from its seeds and what earlier runs have kept."""
    corpus = kept / "corpus" / name
    findings = kept / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for place, seed in enumerate(TARGETS[name].seeds):
            Path(seeds, str(place)).write_bytes(seed)
        options = [
            f"-max_total_time={seconds}",
            f"-timeout={LONGEST_INPUT_SECONDS}",
            f"-max_len={LONGEST_INPUT}",
            f"-artifact_prefix={findings}/{name}-",
            "-print_final_stats=1",
        ]
        command = [sys.executable, "-m", "tests.fuzz.child", name, *options, str(corpus), seeds]
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            try:
                code: int | None = subprocess.run(
                    command,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=seconds + GRACE_SECONDS,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                code = None
            output.seek(0)
            return summary(name, code, output.read())


def summary(name: str, code: int | None, output: str) -> Run:
    """Return the run that libFuzzer's output describes. `code`: None if it did not end."""
    statistics = {found[1]: int(found[2]) for found in _STATISTIC.finditer(output)}
    edges, features = (0, 0)
    for found in _COVERAGE.finditer(output):
        edges, features = int(found[1]), int(found[2])
    cause = _CAUSE.search(output)
    finding = None
    if cause:
        finding = cause[1] or cause[2]
    elif code != 0:
        finding = "did not end" if code is None else f"exit code {code}"
    return Run(name, statistics.get("number_of_executed_units", 0), edges, features, finding)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make fuzz",
        description="Arbitrary input for each parser of bytes that others write, under atheris.",
    )
    add = parser.add_argument
    add("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (default: all)")
    add(
        "--seconds",
        type=int,
        default=SECONDS,
        help="for each target (default %(default)s: an hour for all)",
    )
    add("--keep", type=Path, default=KEPT, help="folder of corpus and findings (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
