"""`python -m tests.mutation`: prints how many mutants the tests kill, and each that survives."""

import argparse
import json
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.mutation import operators, reach
from tests.mutation.mutant import PACKAGES, Mutant, changed_by
from tests.mutation.trial import ALL_TESTS, MOST_TESTS, TEST_SECONDS, Tree, Verdict, judge

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".venv-mutation"
EXPLAINED = Path(__file__).with_name("equivalent.toml")
SAMPLE = 300
SEED = 1
NICENESS = 5


class Run:
    """The mutants of one sample with the fate of each, written to a file during the run."""

    def __init__(self, path: Path, seed: int, population: int) -> None:
        self.path = path
        self.seed = seed
        self.population = population
        self.results: dict[str, dict[str, Any]] = {}

    @classmethod
    def read(cls, path: Path) -> "Run":
        kept = json.loads(path.read_text())
        run = cls(path, kept["seed"], kept["population"])
        run.results = kept["results"]
        return run

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        self.results[mutant.key] = {
            "module": mutant.module,
            "line": mutant.lines.start,
            "diff": mutant.diff,
            **asdict(verdict),
        }
        self.save()

    def save(self) -> None:
        kept = {"seed": self.seed, "population": self.population, "results": self.results}
        self.path.write_text(json.dumps(kept, indent=1))

    def of(self, *kinds: str) -> list[str]:
        return [key for key, result in self.results.items() if result["kind"] in kinds]


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    os.nice(NICENESS)
    found = operators.places(ROOT, given.packages)
    if given.again:
        run = Run.read(given.again)
        wanted = {key: run.results[key] for key in run.of("survived", "timeout", "pending")}
        possible = made_of([place for place in found if place.key in wanted])
        made = [one for one in possible if one.changed == changed_by(wanted[one.key]["diff"])]
        for key in wanted.keys() - {mutant.key for mutant in made}:
            wanted[key]["kind"] = "gone"
    else:
        run = Run(given.save, given.seed, len(found))
        possible = made_of(operators.shuffled(found, given.seed))
        made = list(islice(possible, given.sample or None))
    explained = explanations()
    for mutant in made:
        known = (mutant.module, *mutant.changed) in explained
        run.add(mutant, Verdict("explained" if known else "pending"))
    trees = [Tree(ROOT) for _ in range(given.jobs)]
    try:
        reached = reach.cached(
            KEPT / "reach.json", trees[0].path, trees[0].python, given.jobs, stale=given.stale
        )
        todo = [mutant for mutant in made if run.results[mutant.key]["kind"] == "pending"]
        judge_all(run, todo, reached, trees)
        # Alone, and with more time: so no busy machine counts as a kill.
        hung = [mutant for mutant in made if run.results[mutant.key]["kind"] == "timeout"]
        judge_all(run, hung, reached, trees[:1], seconds=2 * TEST_SECONDS)
        # With all tests that run the line: so none survives for a test that was left out.
        left = [mutant for mutant in made if run.results[mutant.key]["kind"] == "survived"]
        judge_all(run, left, reached, trees, most=ALL_TESTS)
    finally:
        for tree in trees:
            tree.remove()
    print("\n".join(report(run)))
    return 1 if run.of("survived") else 0


def made_of(places: Iterable[operators.Place]) -> Iterator[Mutant]:
    """Yield the mutants of those places that have one."""
    return (one for place in places if (one := operators.mutant(ROOT, place)))


def judge_all(
    run: Run,
    todo: Sequence[Mutant],
    reached: reach.Reach,
    trees: Sequence[Tree],
    *,
    seconds: float = TEST_SECONDS,
    most: Sequence[int | None] = MOST_TESTS,
) -> None:
    """Try each mutant, as many side by side as there are trees, and print its fate."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def judged(mutant: Mutant) -> Verdict:
        tree = free.get()
        try:
            return judge(tree, mutant, reached.of(mutant), seconds=seconds, most=most)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        tasks = {pool.submit(judged, mutant): mutant for mutant in todo}
        try:
            for number, task in enumerate(as_completed(tasks), 1):
                mutant = tasks[task]
                verdict = task.result()
                run.add(mutant, verdict)
                print(
                    f"{number}/{len(todo)} {verdict.kind} {mutant.module}:{mutant.lines.start}"
                    f" {verdict.seconds:.0f} s {verdict.killer}",
                    file=sys.stderr,
                    flush=True,
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def explanations() -> dict[tuple[str, str, str], str]:
    """Return why mutants are equivalent, by module, what was there and what is there instead."""
    listed = tomllib.loads(EXPLAINED.read_text())["mutant"]
    return {(one["module"], one["before"], one["after"]): one["reason"] for one in listed}


def report(run: Run) -> list[str]:
    """Return the lines that say what survived, and how many of each package were killed."""
    lines = [
        f"\n{key} {one['kind']} {one['module']}:{one['line']}\n{_body(one['diff'])}"
        for key, one in run.results.items()
        if one["kind"] in ("survived", "timeout")
    ]
    kinds = ("killed", "timeout", "gone", "explained", "survived", "pending")
    counts = {
        package: Counter(
            one["kind"]
            for one in run.results.values()
            if package == "all" or one["module"].startswith(f"{package}/")
        )
        for package in (*PACKAGES, "all")
    }
    lines.append(f"\n{'package':<16}" + "".join(f"{kind:>10}" for kind in kinds))
    lines += [
        f"{package:<16}" + "".join(f"{count[kind]:>10}" for kind in kinds)
        for package, count in counts.items()
        if count
    ]
    killed = len(run.of("killed", "timeout", "gone"))
    total = len(run.results)
    lines.append(
        f"{killed} of {total} mutants killed ({killed / max(total, 1):.1%}), of {run.population};"
        f" seed {run.seed}; {run.path}"
    )
    return lines


def _body(diff: str) -> str:
    return "\n".join(line for line in diff.splitlines()[2:] if not line.startswith("@@"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make mutation",
        description="Small faults put into copies of the function: do the tests notice each?",
    )
    add = parser.add_argument
    add("--sample", type=int, default=SAMPLE, help="how many mutants; 0: all (default %(default)s)")
    add("--seed", type=int, default=SEED, help="which of them (default %(default)s)")
    add("--jobs", type=int, default=2, help="trials side by side (default %(default)s)")
    add("--packages", nargs="+", choices=PACKAGES, default=PACKAGES)
    add("--save", type=Path, default=KEPT / "mutants.json", help="the results as JSON")
    add("--again", type=Path, help="results of before: try again what was not killed there")
    add(
        "--stale",
        action="store_true",
        help="take the lines that tests reached before, though tests or sources have changed",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
