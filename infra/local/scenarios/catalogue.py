"""The scenarios by name, with the stack and the story of each."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..aws.template import FunctionSpec
from ..runtime import BuiltFunction
from ..stack import LocalStack
from ..terminal import Printer
from .life import LifeStack, live
from .push import PushStack, demonstrate
from .reach import ReachStack, reach


@dataclass(frozen=True)
class Playing:
    """The stack and the function that a story is played on."""

    stack: Any
    function: BuiltFunction
    spec: FunctionSpec
    verbose: bool


@dataclass(frozen=True)
class Scenario:
    """A stack, and the story that is played on it.

    `play` returns what is not as expected; `ending` is printed when everything is.
    """

    make: Callable[[Path], LocalStack]
    play: Callable[[Playing], list[str]]
    ending: str = ""


def _push(playing: Playing) -> list[str]:
    show = Printer(sys.stdout, wide=True)
    return demonstrate(playing.stack, playing.function, playing.spec, show, verbose=playing.verbose)


def _life(playing: Playing) -> list[str]:
    return live(playing.stack, playing.function, Printer(sys.stdout))


def _reach(playing: Playing) -> list[str]:
    return reach(playing.stack, playing.function, Printer(sys.stdout))


# By the names that the command line takes.
SCENARIOS: Mapping[str, Scenario] = {
    "push": Scenario(
        PushStack,
        _push,
        " The report is not ok because of the one conflict above, which only its owner can"
        " resolve.",
    ),
    "life": Scenario(LifeStack, _life),
    "reach": Scenario(
        ReachStack,
        _reach,
        " Reports 5 and 6 are not ok on purpose: nothing was sent to a host that is not allowed,"
        " and no good credential was dropped.",
    ),
}
