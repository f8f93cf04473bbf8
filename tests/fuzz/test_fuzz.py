"""Parsers of others' bytes take any input: the short form of `make fuzz`, the same in each run."""

import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.__main__ import Run, fuzz, summary
from tests.fuzz.mutations import mutated
from tests.fuzz.target import CANARY, Target, Violation, check_secrecy
from tests.fuzz.targets import TARGETS

MUTATIONS = 250  # for each target: half a second at most
LONG = 65_536
LONG_SECONDS = 1.0  # of CPU, where the slowest takes a tenth

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@every_target
def test_any_input_is_read_or_refused_by_an_error_of_the_contract(target: Target) -> None:
    random = Random(target.name)
    changed = (
        mutated(random.choice(target.seeds), random, other=random.choice(target.seeds))
        for _ in range(MUTATIONS)
    )
    for data in (b"", *target.seeds, *changed):
        try:
            target.run(data)
        except Exception as error:
            error.add_note(f"{target.name}: {data!r}")
            raise


@every_target
def test_a_long_input_takes_no_time_to_speak_of(target: Target) -> None:
    for seed in target.seeds:
        middle = len(seed) // 2
        for data in (
            seed * (LONG // len(seed)),
            seed[:middle] + seed[middle : middle + 2] * (LONG // 2) + seed[middle:],
        ):
            begun = time.process_time()
            target.run(data)
            assert time.process_time() - begun < LONG_SECONDS


def test_mutations_are_the_same_in_each_run() -> None:
    seed = TARGETS["event"].seeds[1]
    first, second = ([mutated(seed, Random(number)) for number in range(50)] for _ in range(2))
    assert first == second
    assert len({*first, seed}) > 45


@pytest.mark.parametrize("said", [f"found {CANARY}", Violation(CANARY), ("x", CANARY)])
def test_a_repeated_credential_is_a_finding(said: object) -> None:
    with pytest.raises(Violation):
        check_secrecy("nothing", said)


@pytest.mark.parametrize(
    ("code", "output", "run"),
    [
        (
            0,
            "#9\tREDUCE cov: 7 ft: 9 corp: 5\n#90\tDONE   cov: 8 ft: 12 corp: 6/9b\n"
            "stat::number_of_executed_units: 90\nstat::peak_rss_mb: 44\n",
            Run("event", 90, 8, 12, None),
        ),
        (
            77,
            "#9\tNEW cov: 7 ft: 9\n === Uncaught Python exception: ===\nKeyError: 'x'\nTraceback\n"
            "==1== ERROR: libFuzzer: fuzz target exited\nSUMMARY: libFuzzer: fuzz target exited\n"
            "stat::number_of_executed_units: 12\n",
            Run("event", 12, 7, 9, "KeyError: 'x'"),
        ),
        (
            70,
            "SUMMARY: libFuzzer: timeout\n",
            Run("event", 0, 0, 0, "libFuzzer: timeout"),
        ),
        (1, "No module named atheris", Run("event", 0, 0, 0, "exit code 1")),
        (None, "#9\tNEW cov: 7 ft: 9\n", Run("event", 0, 7, 9, "did not end")),
    ],
)
def test_a_run_is_summarized_with_its_finding(code: int | None, output: str, run: Run) -> None:
    assert summary("event", code, output) == run


LIBFUZZER = """#!/bin/sh
# As `-m tests.fuzz.child TARGET -timeout=N` with options and folders, or with one input.
case "$5" in
-max_total_time=*)
    echo "stat::number_of_executed_units: 40"
    [ -e {done} ] && exit 0
    touch {done} "${{7#-artifact_prefix=}}timeout-abc"
    echo "SUMMARY: libFuzzer: timeout"
    exit 70 ;;
*)  exit {alone} ;;
esac
"""


@pytest.mark.parametrize(
    ("alone", "run"),
    [
        (0, Run("event", 80, 0, 0, None)),
        (70, Run("event", 40, 0, 0, "libFuzzer: timeout")),
    ],
)
def test_an_input_that_is_slow_only_once_is_no_finding(
    alone: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(LIBFUZZER.format(done=tmp_path / "done", alone=alone))
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    assert fuzz("event", 5, tmp_path) == run
    assert (tmp_path / "findings" / "event-timeout-abc").exists() == (alone != 0)
