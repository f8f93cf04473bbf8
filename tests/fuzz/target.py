"""A fuzz target, and what holds for all of them."""

from collections.abc import Callable
from dataclasses import dataclass

# In the first inputs: a part of a credential, which no message may repeat.
CANARY = "canary-of-a-fuzz-target-0123456789"


class Violation(AssertionError):
    """An input for which a parser breaks its contract."""


@dataclass(frozen=True)
class Target:
    """A parser under test.

    `run` returns for each input that the parser reads, or refuses by an error of its contract.
    Every other exception is a finding. `seeds`: the first inputs.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def text(data: bytes) -> str:
    """Return the input as text; bytes that are not UTF-8 become halves of surrogate pairs.

    JSON can hold such halves, so AWS's answers and events can, too.
    """
    return data.decode("utf-8", "surrogateescape")


def parts(data: bytes, count: int) -> list[str]:
    """Return exactly `count` texts, which NUL bytes separate in the input."""
    found = [text(part) for part in data.split(b"\0", count - 1)]
    return found + [""] * (count - len(found))


def check(condition: object, what: str) -> None:
    """Raise Violation unless the condition holds."""
    if not condition:
        raise Violation(what)


def check_secrecy(*said: object) -> None:
    """Raise Violation if a message repeats the canary."""
    check(all(CANARY not in str(one) for one in said), "a message repeats a credential")
