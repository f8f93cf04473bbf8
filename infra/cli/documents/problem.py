"""Problems of a document: `file:line: message` for people, field by field for scripts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from ecr_public_pusher.configuration.schema import REFERENCE
from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.visible_text import visible

from ..follow_up import local

# Replaces the function's own remedy, which names put-parameter.
_SCHEMA = f"Every field is in the configuration reference, and in: {local('schema')}"


@dataclass(frozen=True)
class Problem:
    """A problem of a document. `where` is its file or parameter.

    `line` counts from 1, None when no line is to blame. `field` is a path with dots, empty for the
    whole document.
    """

    where: str
    message: str
    line: int | None = None
    field: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", visible(self.message))

    def __str__(self) -> str:
        return f"{self.where}{f':{self.line}' if self.line else ''}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        return {
            "where": self.where,
            "line": self.line,
            "field": self.field,
            "message": self.message,
            "remedy": self.remedy,
        }


def problems_of(error: PusherError, *, where: str, parameter: str, text: str) -> list[Problem]:
    """Return an invalid document's problems, each with its line in `text`.

    `parameter` is what the error's message begins with.
    """
    remedy = _SCHEMA if error.remedy.startswith(REFERENCE) else error.remedy
    if not error.problems:
        return [Problem(where, error.message.removeprefix(f"{parameter}: "), remedy=remedy)]
    return [
        Problem(where, one.message, one.line or line_of(text, one.path), ".".join(one.path), remedy)
        for one in error.problems
    ]


def line_of(text: str, path: Iterable[str]) -> int | None:
    """Return the line of a field, or of the innermost part of its path that exists.

    Return None when no part exists, or the text is not YAML.
    """
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    line = None
    for part in path:
        if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode) and (
            found := [(key, value) for key, value in node.value if key.value == part]
        ):
            line = found[0][0].start_mark.line + 1
            node = found[0][1]
        else:
            break
    return line
