"""The mutation run counts as killed what a test fails for, and nothing else."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.mutation.mutant import SOURCE, Mutant
from tests.mutation.reach import Reach
from tests.mutation.trial import ALL_TESTS, MOST_TESTS, Failure, Tree, imports, judge

OWN = "tests/function/jobs/test_push.py::test_{}"
NEAR = "tests/function/jobs/test_other.py::test_{}"
FAR = "tests/security/test_documents.py::test_{}"
FAILS = "AssertionError"
HANGS = "Failed: Timeout (>60.0s) from pytest-timeout."


def mutant(lines: range = range(5, 6), function: range | None = range(3, 9)) -> Mutant:
    return Mutant("key", "jobs/push.py", lines, function, "", "--- a\n+++ b\n-  x\n+  y")


class Scripted(Tree):
    """A tree whose tests fail as the script demands, one entry for each run."""

    def __init__(self, **script: list[str | None]) -> None:
        self._script = {OWN.format(name): errors for name, errors in script.items()}
        self.ran: list[str] = []

    @contextmanager
    def with_module(self, module: str, text: str) -> Iterator[None]:
        yield

    def first_failure(self, tests: Sequence[str], module: str, seconds: float) -> Failure | None:
        for test in tests:
            self.ran.append(test)
            if (errors := self._script.get(test)) and (error := errors.pop(0)):
                return Failure(test, error)
        return None


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([FAILS, FAILS], "killed"),
        ([FAILS, None], "survived"),
        ([HANGS], "timeout"),
        ([FAILS, HANGS], "timeout"),
        ([None], "survived"),
    ],
)
def test_a_test_kills_when_it_fails_twice(errors: list[str | None], kind: str) -> None:
    verdict = judge(Scripted(a=errors), mutant(), [OWN.format("a"), OWN.format("b")])
    assert verdict.kind == kind
    assert verdict.killer == ("" if kind == "survived" else OWN.format("a"))


def test_after_one_that_failed_once_the_next_may_kill() -> None:
    tree = Scripted(a=[FAILS, None], b=[FAILS, FAILS])
    tests = [OWN.format(name) for name in "abc"]
    assert judge(tree, mutant(), tests).killer == OWN.format("b")
    assert OWN.format("c") not in tree.ran


@pytest.mark.parametrize(("keys", "possible"), [("('a', 'b')", True), ("None", False)])
def test_a_module_must_let_those_that_import_it_be_imported(
    tmp_path: Path, keys: str, possible: bool
) -> None:
    package = tmp_path / SOURCE
    (package / "jobs").mkdir(parents=True)
    (package / "jobs/keys.py").write_text(f"KEYS = {keys}")
    (package / "handler.py").write_text(
        f"from {SOURCE.name}.jobs.keys import KEYS\n_KNOWN = frozenset(KEYS)"
    )
    assert imports(tmp_path, Path(sys.executable), "jobs/keys.py") is possible


def test_the_nearest_run_first_and_of_very_many_the_others_in_part() -> None:
    most = MOST_TESTS[-1]
    cases = [FAR.format(f"cases[{n}]") for n in range(2 * most)]
    tests = [*cases, FAR.format("last"), NEAR.format(1), OWN.format(1)]
    tree = Scripted()
    assert judge(tree, mutant(), tests).kind == "survived"
    assert tree.ran[:2] == [OWN.format(1), NEAR.format(1)]
    assert tree.ran[2:] == [*cases[: most - 1], FAR.format("last")]
    tree = Scripted()
    judge(tree, mutant(), tests, most=ALL_TESTS)
    assert sorted(tree.ran) == sorted(tests)


@pytest.mark.parametrize(
    ("lines", "function", "tests"),
    [
        (range(5, 6), range(3, 9), ["b"]),
        (range(6, 8), range(3, 9), ["a", "b"]),
        (range(8, 9), range(3, 9), ["a", "b"]),  # of its function: its own lines were not seen
        (range(1, 2), None, ["a", "b", "c"]),  # run on import
        (range(20, 21), range(20, 22), ["a", "b", "c"]),  # which only runs on import
    ],
)
def test_which_tests_run_a_line(lines: range, function: range | None, tests: list[str]) -> None:
    reach = Reach(["a", "b", "c"], {"jobs/push.py": {5: [1], 7: [0, 1], 12: [2]}})
    assert reach.of(mutant(lines, function)) == tests


def test_an_equivalent_mutant_is_known_by_its_line_as_it_was_and_is() -> None:
    assert mutant().changed == ("x", "y")
