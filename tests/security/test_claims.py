"""Each numbered sentence of SECURITY.md's threat model is held by a test that exists.

There is no sentence without a number.
"""

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.security.holders import HOLDERS

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "SECURITY.md").read_text().partition("## Threat model\n")[2]
# A row of a table, or an entry of a list, that begins with its number.
_CLAIM = re.compile(r"^(?:\| \*\*|- \*\*)([A-Z]\d+)\*\*", re.MULTILINE)


@functools.cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of a file's tests."""
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def exists(node_id: str) -> bool:
    path, _, name = node_id.partition("::")
    return (ROOT / "tests" / path).is_file() and name in names_in(ROOT / "tests" / path)


def test_no_number_is_there_twice() -> None:
    numbers = _CLAIM.findall(MODEL)
    assert len(numbers) > 50
    assert [number for number in numbers if numbers.count(number) > 1] == []


def test_every_sentence_is_held_by_a_test_and_every_holder_holds_a_sentence() -> None:
    assert set(HOLDERS) == set(_CLAIM.findall(MODEL))


@pytest.mark.parametrize("number", HOLDERS)
def test_the_tests_that_hold_it_exist(number: str) -> None:
    assert HOLDERS[number]
    assert [node_id for node_id in HOLDERS[number] if not exists(node_id)] == []


def test_every_test_of_this_folder_holds_a_sentence() -> None:
    held = {node_id for node_ids in HOLDERS.values() for node_id in node_ids}
    here = {
        f"security/{path.name}::{name}"
        for path in Path(__file__).parent.glob("test_*.py")
        if path.name != Path(__file__).name
        for name in names_in(path)
        if name.startswith("test_")
    }
    assert here - held == set()


def test_nothing_stands_below_the_introduction_without_a_number() -> None:
    introduction, _, sections = MODEL.partition("\n### ")
    assert "\n\n" not in introduction.strip()
    said = [
        line
        for line in f"### {sections}".splitlines()
        if line and not re.match(r"### |  \S|\| \| what |\| --- ", line)
    ]
    assert [line for line in said if not _CLAIM.match(line)] == []
