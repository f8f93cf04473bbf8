"""The tests that run each line of the function, from one run with coverage."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from tests.mutation.mutant import SOURCE, Mutant

# The tests that reach the function itself, rather than what surrounds it.
FOLDERS = ("tests/function", "tests/security", "tests/contract")


@dataclass(frozen=True)
class Reach:
    """Node ids of tests, and for each module and line the numbers of those that run it."""

    tests: list[str]
    lines: dict[str, dict[int, list[int]]]

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the mutant's lines.

        A line that no test was seen to run is run by those that run any of its function, and what
        runs on import by those that run anything of the module.
        """
        lines = self.lines.get(mutant.module, {})
        numbers: set[int] = set()
        for wanted in (mutant.lines, mutant.function) if mutant.function else ():
            numbers = numbers or {n for line in wanted or () for n in lines.get(line, ())}
        numbers = numbers or {number for of_line in lines.values() for number in of_line}
        return [self.tests[number] for number in sorted(numbers)]


def measure(tree: Path, python: Path, jobs: int) -> Reach:
    """Run all tests in a copy of the tree and return what they reach.

    Raise RuntimeError when they fail as they are.
    """
    command = [
        *(str(python), "-m", "pytest", "-n", str(jobs), "--dist", "loadscope"),
        *("-m", "not alone", "-p", "no:cacheprovider"),
        *(
            "--cov=ecr_public_pusher",
            "--cov-context=test",
            "--cov-report=",
            "--cov-fail-under=0",
            *FOLDERS,
        ),
    ]
    done = subprocess.run(command, cwd=tree, env=environment(tree), stdout=sys.stderr, check=False)
    if done.returncode:
        raise RuntimeError("the tests fail without a mutant: see above")
    return read(tree)


def read(tree: Path) -> Reach:
    """Return what the run in this tree wrote down."""
    data = CoverageData(str(tree / ".coverage"))
    data.read()
    by_module: dict[str, dict[int, list[str]]] = {}
    for name in data.measured_files():
        path = Path(name)
        if not path.is_relative_to(tree / SOURCE):
            continue
        by_module[path.relative_to(tree / SOURCE).as_posix()] = {
            line: sorted({context.rsplit("|", 1)[0] for context in contexts if context})
            for line, contexts in data.contexts_by_lineno(name).items()
        }
    tests = sorted({test for lines in by_module.values() for of in lines.values() for test in of})
    numbers = {test: number for number, test in enumerate(tests)}
    return Reach(
        tests,
        {
            module: {line: [numbers[test] for test in of] for line, of in lines.items()}
            for module, lines in by_module.items()
        },
    )


def cached(path: Path, tree: Path, python: Path, jobs: int, *, stale: bool) -> Reach:
    """Return what was measured of the same sources and tests before, else measure.

    `stale`: of others, too.
    """
    fingerprint = _fingerprint(tree)
    if path.exists():
        kept = json.loads(path.read_text())
        if stale or kept["fingerprint"] == fingerprint:
            lines = {
                module: {int(line): of for line, of in lines.items()}
                for module, lines in kept["lines"].items()
            }
            return Reach(kept["tests"], lines)
    found = measure(tree, python, jobs)
    path.write_text(
        json.dumps({"fingerprint": fingerprint, "tests": found.tests, "lines": found.lines})
    )
    return found


def environment(tree: Path) -> dict[str, str]:
    """Return the environment of tests in a copy of the tree."""
    return os.environ | {
        "PYTHONPATH": f"{tree}{os.pathsep}{tree / SOURCE.parent}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def _fingerprint(tree: Path) -> str:
    digest = hashlib.sha256()
    for folder in (SOURCE, *FOLDERS, "tests/support"):
        for path in sorted((tree / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(tree)}\0{path.read_text()}\0".encode())
    return digest.hexdigest()
