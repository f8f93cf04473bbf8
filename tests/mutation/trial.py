"""The trial of a mutant: whether any of its tests fails, in a copy of the project's tree."""

import importlib.util
import json
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.mutation.mutant import SOURCE, Mutant
from tests.mutation.plugin import FILE
from tests.mutation.reach import environment

# A test that takes longer has hung: on an idle machine none takes a third of it.
TEST_SECONDS = 60.0
# All tests of a mutant together, whatever they do.
RUN_SECONDS = 1800.0
NONE_COLLECTED = 5
# Of a line that most tests run: of its own file, of its package and of all others.
MOST_TESTS = (200, 200, 100)
ALL_TESTS = (None, None, None)

type Kind = Literal["killed", "timeout", "survived", "explained", "gone", "pending"]


@dataclass(frozen=True)
class Verdict:
    """The fate of a mutant; `killer` is the test that failed, `error` the end of its message."""

    kind: Kind
    killer: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    test: str
    error: str

    @property
    def hung(self) -> bool:
        return "Timeout (>" in self.error


class Tree:
    """A copy of the project in a temporary folder, the only place where mutants exist."""

    def __init__(self, root: Path) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mutation-"))
        self._root = root
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (root / name).is_file():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, self.path / name, follow_symlinks=False)
        for name in (".venv", ".venv-sam"):
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to((root / name).resolve())
        self._server = subprocess.Popen(
            [str(self.python), "-m", "tests.mutation.server"],
            cwd=self.path,
            env=environment(self.path) | {FILE: str(self.path / "trial.json")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def remove(self) -> None:
        self._server.kill()
        self._server.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def python(self) -> Path:
        return self.path / ".venv/bin/python"

    @contextmanager
    def with_module(self, module: str, text: str) -> Iterator[None]:
        """Have a module read so, and as before afterwards."""
        path = self.path / SOURCE / module
        before = path.read_text()
        try:
            _write(path, text)
            yield
        finally:
            _write(path, before)

    def first_failure(self, tests: Sequence[str], module: str, seconds: float) -> Failure | None:
        """Run tests until one fails and return it.

        `seconds`: of each test, after which it has hung. Raise RuntimeError when pytest fails
        though the module can be imported.
        """
        if not tests:
            return None
        trial = self.path / "trial.json"
        output = self.path / "pytest.txt"
        trial.write_text(json.dumps({"tests": tests}))
        files = dict.fromkeys(test.split("::")[0] for test in tests)
        options = ["-x", "-p", "no:cacheprovider", "-p", "tests.mutation.plugin"]
        asked = {
            "arguments": [*options, f"--timeout={seconds:.0f}", *files],
            "seconds": RUN_SECONDS,
            "output": str(output),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        code = json.loads(self._server.stdout.readline())
        if code is None:
            return Failure("", f"Timeout (>{RUN_SECONDS:.0f}s) of all tests")
        if code in (0, NONE_COLLECTED):
            return None
        found = json.loads(trial.read_text())
        if "failed" in found:
            return Failure(found["failed"], found["error"])
        said = output.read_text()
        if imports(self.path, self.python, module):
            raise RuntimeError(f"pytest ({code}):\n{said[-2000:]}")
        return Failure("import", said[-400:])


def imports(root: Path, python: Path, module: str) -> bool:
    """Return whether a module can be imported, and so can all that the function imports.

    Another module may fail by what it takes from this one.
    """
    name = f"{SOURCE.name}.{module.removesuffix('.py').replace('/', '.')}"
    command = [str(python), "-c", f"import {name}, {SOURCE.name}.handler"]
    done = subprocess.run(
        command, cwd=root, env=environment(root), capture_output=True, check=False
    )
    return not done.returncode


def judge(
    tree: Tree,
    mutant: Mutant,
    tests: Sequence[str],
    *,
    seconds: float = TEST_SECONDS,
    most: Sequence[int | None] = MOST_TESTS,
) -> Verdict:
    """Return the verdict of these tests, in order.

    A test kills when it fails twice: one that fails once, on a busy machine, is passed over.
    `most`: how many tests of the module's own file, of its package and of all others may run.
    """
    began = time.monotonic()
    with tree.with_module(mutant.module, mutant.text):
        for some in _stages(mutant.module, tests, most):
            left = list(some)
            while failure := tree.first_failure(left, mutant.module, seconds):
                kind: Kind = "timeout" if failure.hung else "killed"
                if kind == "timeout" or failure.test not in left:
                    return _verdict(kind, failure, began)
                if again := tree.first_failure([failure.test], mutant.module, seconds):
                    return _verdict("timeout" if again.hung else "killed", again, began)
                left = left[left.index(failure.test) + 1 :]
    return Verdict("survived", seconds=time.monotonic() - began)


def _verdict(kind: Kind, failure: Failure, began: float) -> Verdict:
    return Verdict(kind, failure.test, failure.error, round(time.monotonic() - began, 1))


def _stages(module: str, tests: Sequence[str], most: Sequence[int | None]) -> list[list[str]]:
    """Return the tests of the module's own file, those of its package, and all others.

    Most mutants die early, and then the other files are never imported. Of more tests than `most`
    some are left out: a survivor may be one that only those would kill.
    """
    package, name = module.split("/")
    own = f"tests/function/{package}/test_{name}::"
    near = f"tests/function/{package}/"
    stages: list[list[str]] = [[], [], []]
    for test in tests:
        stages[0 if test.startswith(own) else 1 if test.startswith(near) else 2].append(test)
    return [_some(stage, number) for stage, number in zip(stages, most, strict=True)]


def _some(tests: Sequence[str], most: int | None) -> list[str]:
    """Return at most so many tests, in order: of each function one case before another's second."""
    if most is None:
        return list(tests)
    cases: Counter[str] = Counter()
    ranked = []
    for number, test in enumerate(tests):
        function = test.split("[")[0]
        ranked.append((cases[function], number))
        cases[function] += 1
    return [tests[number] for number in sorted(number for _, number in sorted(ranked)[:most])]


def _write(path: Path, text: str) -> None:
    """Write a module, and remove what was compiled of it: time and size may be the same."""
    path.write_text(text)
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
