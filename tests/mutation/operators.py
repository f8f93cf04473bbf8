"""Mutants of the function's modules, made by mutmut's operators, without those that say nothing.

Left out by rule, since they change no behaviour or only wording:

- type annotations, `type` statements, decorators, imports, `__all__` and docstrings;
- texts for people: string literals of several words, or of one between blanks, whose wording the
  tests of messages hold where it matters, and all of `__repr__` and `__str__`;
- `assert`, which narrows types here, the arguments of `isinstance` and `len`, and `repr` and
  `description` of a field;
- texts that do not compile, or compile to what was there.
"""

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

from tests.mutation.mutant import PACKAGES, SOURCE, Mutant

_LEFT_OUT = (
    libcst.Annotation, libcst.Assert, libcst.Decorator, libcst.Import, libcst.ImportFrom,
    libcst.TypeAlias,
)  # fmt: skip
_TEXT_METHODS = {"__repr__", "__str__"}
_UNCHANGED_CALLS = {"isinstance", "len"}
_TEXTS = {"repr", "description"}  # arguments of `field` and pydantic's `Field`
_WORDS = re.compile(r"\w\W* \W*\w|^ \w+ $")


@dataclass(frozen=True)
class Place:
    """A node of a module, and one that an operator puts in its stead."""

    key: str
    module: str
    tree: Any
    node: Any
    mutated: Any
    lines: range
    function: range | None


def places(root: Path, packages: Iterable[str] = PACKAGES) -> list[Place]:
    """Return all that may be mutated in these packages of the tree at `root`, in order."""
    return [
        place
        for package in packages
        for path in sorted((root / SOURCE / package).glob("*.py"))
        for place in _Module(path, path.relative_to(root / SOURCE).as_posix()).places()
    ]


def shuffled(found: Iterable[Place], seed: int) -> list[Place]:
    """Return them in random order, the same for the same seed.

    Each place draws its own number, so that a change of the code changes little of a sample.
    """

    def drawn(place: Place) -> str:
        return hashlib.sha256(f"{seed} {place.key}".encode()).hexdigest()

    return sorted(found, key=drawn)


def mutant(root: Path, place: Place) -> Mutant | None:
    """Return the mutant of a place; None if it does not compile, or to the same code."""
    path = root / SOURCE / place.module
    before = path.read_text()
    after = place.tree.deep_replace(place.node, place.mutated).code
    try:
        same = ast.dump(ast.parse(after)) == ast.dump(ast.parse(before))
        compile(after, place.module, "exec")
    except (SyntaxError, ValueError):
        return None
    if same:
        return None
    diff = unified_diff(
        before.splitlines(), after.splitlines(), place.module, place.module, n=0, lineterm=""
    )
    return Mutant(place.key, place.module, place.lines, place.function, after, "\n".join(diff))


class _Module:
    def __init__(self, path: Path, name: str) -> None:
        text = path.read_text()
        self._name = name
        self._lines = text.splitlines()
        wrapper = MetadataWrapper(libcst.parse_module(text))
        self._module = wrapper.module
        self._positions = wrapper.resolve(PositionProvider)
        self._seen: Counter[str] = Counter()

    def places(self) -> Iterator[Place]:
        yield from self._walk(self._module, range(1, 1), None)

    def _walk(self, node: Any, statement: range, function: range | None) -> Iterator[Place]:
        if _is_left_out(node):
            return
        here = self._range(node)
        if isinstance(node, libcst.SimpleStatementLine):
            statement = here
        elif isinstance(node, libcst.BaseCompoundStatement):
            statement = range(0)
        if isinstance(node, libcst.FunctionDef):
            function = here
        lines = statement or here or function or range(0)
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and not (operator is operator_string and _is_prose(node)):
                for mutated in operator(node):
                    if _keeps_texts(node, mutated):
                        yield self._place(node, mutated, lines, function)
        for child in node.children:
            yield from self._walk(child, statement, function)

    def _place(self, node: Any, mutated: Any, lines: range, function: range | None) -> Place:
        """Name it by its module, the text of its line and a number among equal ones."""
        text = self._lines[(self._range(node) or lines).start - 1].strip()
        self._seen[text] += 1
        named = f"{self._name}\n{text}\n{self._seen[text]}"
        key = hashlib.sha256(named.encode()).hexdigest()[:12]
        return Place(key, self._name, self._module, node, mutated, lines, function)

    def _range(self, node: Any) -> range:
        position = self._positions.get(node)
        return range(position.start.line, position.end.line + 1) if position else range(0)


def _is_left_out(node: Any) -> bool:
    match node:
        case _ if isinstance(node, _LEFT_OUT):
            return True
        case libcst.FunctionDef(name=libcst.Name(value=name)):
            return name in _TEXT_METHODS
        case libcst.Call(func=libcst.Name(value=name)):
            return name in _UNCHANGED_CALLS
        case libcst.Arg(keyword=libcst.Name(value=name)):
            return name in _TEXTS
        case libcst.Expr(value=libcst.SimpleString() | libcst.ConcatenatedString()):
            return True
        case libcst.Assign(targets=[libcst.AssignTarget(target=libcst.Name(value="__all__"))]):
            return True
    return False


def _keeps_texts(node: Any, mutated: Any) -> bool:
    """Return whether a call keeps the arguments that are for people to read."""
    if not isinstance(node, libcst.Call) or not isinstance(mutated, libcst.Call):
        return True
    kept = {id(argument) for argument in mutated.args}
    return all(id(one) in kept for one in node.args if one.keyword and one.keyword.value in _TEXTS)


def _is_prose(node: Any) -> bool:
    return isinstance(node, libcst.SimpleString) and bool(_WORDS.search(node.value))
