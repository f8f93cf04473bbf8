"""Every regular expression of a package, found in its sources.

Nobody needs to list one that is added.
"""

import ast
import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_AT_BEGIN = ("match", "fullmatch")
_ANYWHERE = ("search", "split", "findall", "finditer", "sub", "subn")

# The patterns that an expression stands for which has a value only while it runs: by module and
# expression, as `ast.unparse` writes it.
type Meanings = Mapping[tuple[str, str], Sequence[str]]


@dataclass(frozen=True)
class Use:
    """A pattern, and how it is used: `searched` for in a text, or matched from the text's begin."""

    where: str
    pattern: str
    flags: int = 0
    searched: bool = True


def modules_in(folder: Path, package: str) -> dict[str, Path]:
    """Return a package's modules: the source of each by its name."""
    return {
        ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in sorted(folder.rglob("*.py"))
    }


def uses_in_module(name: str, path: Path, meanings: Meanings) -> Iterator[Use]:
    """Yield the uses in a module. Raise LookupError where no pattern is found out."""
    module = _Module(name, vars(importlib.import_module(name)), meanings)
    yield from module.uses(ast.parse(path.read_text()))


def uses_in_schema(path: Path) -> Iterator[Use]:
    """Yield the patterns of a JSON Schema, which editors search for."""
    waiting: list[Any] = [json.loads(path.read_text())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            assert "patternProperties" not in value, "its keys are patterns: not looked for here"
            if isinstance(found := value.get("pattern"), str):
                yield Use(path.name, found)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


@dataclass(frozen=True)
class _Module:
    name: str
    namespace: dict[str, Any]
    meanings: Meanings

    def uses(self, tree: ast.Module) -> Iterator[Use]:
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module="re"):
                    raise LookupError(f"{self.name}: import re as a whole, to be seen here")
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=method)):
                    yield from self._called(node, method)
                case ast.Attribute(value=ast.Name(id="re")):
                    pass
                case ast.Attribute(attr=method) if method in (*_AT_BEGIN, *_ANYWHERE):
                    yield from self._compiled(node)

    def _called(self, call: ast.Call, method: str) -> Iterator[Use]:
        """Yield the use in `re.search(pattern, text)`.

        Nothing for `re.compile`, whose result is used by itself.
        """
        if method not in (*_AT_BEGIN, *_ANYWHERE):
            return
        named = [word.value for word in call.keywords if word.arg == "flags"]
        given = named or ([] if method in ("sub", "subn", "split") else call.args[2:])
        flags = int(self._value(given[0])) if given else 0
        for pattern in self._patterns(call.args[0]):
            yield Use(self.name, pattern, flags, method in _ANYWHERE)

    def _compiled(self, node: ast.Attribute) -> Iterator[Use]:
        """Yield the use in `PATTERN.search`; a plain string has a `split`, too."""
        if (self.name, ast.unparse(node.value)) in self.meanings:
            return
        try:
            found = self._value(node.value)
        except NameError:
            if node.attr == "split":
                return
            raise LookupError(f"{self.name}: whose is `{ast.unparse(node)}`?") from None
        if isinstance(found, re.Pattern):
            flags = found.flags & ~re.UNICODE
            yield Use(self.name, found.pattern, flags, node.attr in _ANYWHERE)

    def _patterns(self, expression: ast.expr) -> Sequence[str]:
        if meaning := self.meanings.get((self.name, ast.unparse(expression))):
            return meaning
        try:
            return [str(self._value(expression))]
        except NameError:
            said = f"{self.name}: which patterns does `{ast.unparse(expression)}` stand for?"
            raise LookupError(said) from None

    def _value(self, expression: ast.expr) -> Any:
        return eval(compile(ast.Expression(expression), self.name, "eval"), self.namespace)
