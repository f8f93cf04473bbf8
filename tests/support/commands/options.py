"""Options and their values, as argparse, Go's pflag and click take them apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.commands.shell import Word


@dataclass(frozen=True)
class Option:
    """The form of an option.

    `values`: the most that follow it (None: as many as there are). `attached`: a value only by `=`.
    """

    values: int | None = 1
    attached: bool = False
    check: Callable[[str], str | None] = field(default=lambda _: None)


@dataclass(frozen=True)
class Parsed:
    """A command's options, its other words, and what is wrong with it."""

    given: Mapping[str, tuple[Word, ...]]
    positional: tuple[Word, ...]
    problems: tuple[str, ...]


def take_apart(words: Sequence[Word], options: Mapping[str, Option]) -> Parsed:
    """Parse a command by a table of options, `-n` and `--namespace` under their own names."""
    given: dict[str, tuple[Word, ...]] = {}
    positional: list[Word] = []
    found: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, attached = word.text.partition("=")
        if word.text == "--":
            positional += waiting
            break
        if not name.startswith("-") or name == "-":
            positional.append(word)
            continue
        option = options.get(name)
        if option is None:
            found.append(f"no option {name}")
            continue
        values = [Word(attached, word.known)] if equals else _following(waiting, option)
        if not values and option.values != 0 and not option.attached:
            found.append(f"{name} lacks its value")
        found += [
            f"{name} {problem}"
            for value in values
            if not value.open and (problem := option.check(value.text))
        ]
        given[name] = given.get(name, ()) + tuple(values)
    return Parsed(given, tuple(positional), tuple(found))


def _following(waiting: list[Word], option: Option) -> list[Word]:
    """Remove the option's values from the remaining words, and return them."""
    values: list[Word] = []
    while (
        waiting and not option.attached and (option.values is None or len(values) < option.values)
    ):
        if waiting[0].text.startswith("--") or (
            waiting[0].text.startswith("-")
            and not waiting[0].text[1:2].isdigit()
            and waiting[0].text != "-"
        ):
            break
        values.append(waiting.pop(0))
    return values


def one_of(values: Sequence[str]) -> Callable[[str], str | None]:
    return lambda value: None if value in values else f"takes one of {', '.join(values)}"


def whole_number(value: str) -> str | None:
    return None if value.lstrip("-").isdigit() else "takes a whole number"
