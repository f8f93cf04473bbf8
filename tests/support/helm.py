"""Helm's templates, as far as infra/chart uses them: conditions, ranges, toJson and fail.

A construct that is not known here is an error. Where there is a helm on the path, its own output is
compared with this.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_ACTION = re.compile(r"(\s*)\{\{(-?)\s*(/\*.*?\*/|.*?)\s*(-?)\}\}(\s*)", re.DOTALL)


class Failed(Exception):
    """The template's own `fail`."""


@dataclass
class _Block:
    """A block, or the whole template: texts, expressions and blocks; `other`: after its else."""

    action: str
    then: list["str | _Block"] = field(default_factory=list)
    other: list["str | _Block"] | None = None

    @property
    def open_part(self) -> list["str | _Block"]:
        return self.then if self.other is None else self.other


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return the template with these values. Raise Failed, or ValueError for what is not known."""
    root = {"Values": values}
    return _all(_parsed(template).then, root, root)


def _parsed(template: str) -> _Block:
    stack = [_Block("")]
    end = 0
    for found in _ACTION.finditer(template):
        before, trims, action, also_after, after = found.groups()
        text = template[end : found.start()] + ("" if trims else before)
        stack[-1].open_part.append(text)
        end = found.end() if also_after else found.end() - len(after)
        word = action.split(" ", 1)[0]
        if action.startswith("/*"):
            continue
        if word in ("if", "range", "with"):
            block = _Block(action)
            stack[-1].open_part.append(block)
            stack.append(block)
        elif action == "else":
            stack[-1].other = []
        elif action == "end":
            stack.pop()
        else:
            stack[-1].open_part.append(_Block(f"put {action}"))
    (whole,) = stack
    whole.then.append(template[end:])
    return whole


def _all(parts: list[str | _Block], dot: Any, root: Any) -> str:
    return "".join(part if isinstance(part, str) else _block(part, dot, root) for part in parts)


def _block(block: _Block, dot: Any, root: Any) -> str:
    word, expression = block.action.split(" ", 1)
    return "".join(_pieces(word, _value(expression, dot, root), block, dot, root))


def _pieces(word: str, value: Any, block: _Block, dot: Any, root: Any) -> Iterator[str]:
    if word == "put":
        yield str(value)
    elif not value:
        yield _all(block.other or [], dot, root)
    elif word == "range":
        for item in value:
            yield _all(block.then, item, root)
    else:
        yield _all(block.then, value if word == "with" else dot, root)


def _value(expression: str, dot: Any, root: Any) -> Any:
    if found := re.fullmatch(r"not (\S+)", expression):
        return not _value(found[1], dot, root)
    if found := re.fullmatch(r"toJson (\S+)", expression):
        return json.dumps(_value(found[1], dot, root), separators=(",", ":"))
    if found := re.fullmatch(r'fail "([^"]*)"', expression):
        raise Failed(found[1])
    if expression == ".":
        return dot
    if expression.startswith("$."):
        return _value(expression[1:], root, root)
    if not re.fullmatch(r"(\.[A-Za-z]+)+", expression):
        raise ValueError(f"not known to this renderer: {expression}")
    for name in expression[1:].split("."):
        dot = dot.get(name)
    return dot
