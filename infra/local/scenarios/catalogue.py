"""The scenarios by name: the stack that each plays on, and the play, which returns what is not as
it should be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..aws.template import FunctionSpec
from ..runtime import BuiltFunction
from ..stack import LocalStack
from ..terminal import Stdout, terminal
from .life import LifeStack, live
from .push import PushStack, demonstrate
from .reach import ReachStack, reach


@dataclass(frozen=True)
class Playing:
    """What a scenario plays with."""

    stack: Any
    function: BuiltFunction
    spec: FunctionSpec
    verbose: bool


@dataclass(frozen=True)
class Scenario:
    """`ending`: what is said when all went as it should."""

    make: Callable[[Path], LocalStack]
    play: Callable[[Playing], list[str]]
    ending: str = ""


# By the names that the command line takes.
SCENARIOS: Mapping[str, Scenario] = {
    "push": Scenario(
        PushStack,
        lambda playing: demonstrate(
            playing.stack, playing.function, playing.spec, verbose=playing.verbose
        ),
        " The report is not ok because of the one conflict above, which only its owner can settle.",
    ),
    "life": Scenario(LifeStack, lambda playing: live(playing.stack, playing.function, terminal())),
    "reach": Scenario(
        ReachStack,
        lambda playing: reach(playing.stack, playing.function, Stdout()),
        " Reports 5 and 6 are not ok on purpose: nothing was sent to a host that is not allowed,"
        " and no good credential was dropped.",
    ),
}
