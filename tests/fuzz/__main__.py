"""`python -m tests.fuzz`: runs the targets one after another, and prints what each has found."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.fuzz.targets import TARGETS

KEPT = Path(__file__).resolve().parents[2] / ".venv-fuzz"
SECONDS = 180  # for a target: an hour for all
LONGEST_INPUT_SECONDS = 5
LONGEST_INPUT = 16_384
NICENESS = 10
GRACE_SECONDS = 300  # to import, to read the corpus, and to end, on a busy computer
FINDINGS = "findings"
TIMED_OUT = "libFuzzer: timeout"
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

    @property
    def timed_out(self) -> bool:
        """Return whether it ended because an input took too long."""
        return self.finding == TIMED_OUT


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
    """Run one target for that long, from its seeds and what earlier runs have kept.

    An input that took too long counts only if it does so again, alone: on a busy computer, any
    input may. Otherwise the rest of the time is for others.
    """
    ends = time.monotonic() + seconds
    done = 0
    while True:
        found = _fuzz(name, max(1, round(ends - time.monotonic())), kept)
        done += found.executions
        slow = _latest(kept / FINDINGS, f"{name}-timeout-*") if found.timed_out else None
        if slow is None or _is_slow(name, slow):
            return replace(found, executions=done)
        slow.unlink()
        if time.monotonic() >= ends:
            return replace(found, executions=done, finding=None)


def _fuzz(name: str, seconds: int, kept: Path) -> Run:
    corpus = kept / "corpus" / name
    findings = kept / FINDINGS
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for place, seed in enumerate(TARGETS[name].seeds):
            Path(seeds, str(place)).write_bytes(seed)
        code, output = _atheris(
            name,
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST_INPUT}",
            f"-artifact_prefix={findings}/{name}-",
            "-print_final_stats=1",
            str(corpus),
            seeds,
            seconds=seconds,
        )
        return summary(name, code, output)


def _is_slow(name: str, data: Path) -> bool:
    """Return whether this one input takes too long, or fails."""
    return _atheris(name, str(data), seconds=LONGEST_INPUT_SECONDS)[0] != 0


def _atheris(name: str, *options: str, seconds: int) -> tuple[int | None, str]:
    """Return the exit code, None if it did not end long after `seconds`, and the output."""
    command = [sys.executable, "-m", "tests.fuzz.child", name, f"-timeout={LONGEST_INPUT_SECONDS}"]
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            code: int | None = subprocess.run(
                [*command, *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds + GRACE_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        output.seek(0)
        return code, output.read()


def _latest(folder: Path, pattern: str) -> Path | None:
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime, default=None)


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
