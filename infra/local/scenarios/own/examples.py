"""Example namespaces and ServiceAccounts for a selection. Pure.

They are the names it lists, two examples for each glob, and labels that match its selector.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.label_selector import Requirement
from ecr_public_pusher.configuration.names import is_glob
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.results import Namespace

WORDS = ("example", "sample", "other")
EXAMPLES = 2
_CLASS = re.compile(r"\[(!?)([^\]]+)\]")


@dataclass(frozen=True)
class Example:
    """An object to create; `why` is the part of the selection that it stands for."""

    name: str
    why: str
    labels: Mapping[str, str] = field(default_factory=dict)


def namespaces(selection: Selection) -> list[Example]:
    """Return the examples for a selection.

    A glob gets none when no candidate matches the whole selection.
    """
    labels = _labels(selection.requirements)
    found = {name: Example(name, "named", labels) for name in selection.names}
    globs = [pattern for pattern in selection.include if is_glob(pattern)] or (
        [] if selection.include else ["*"]
    )
    for pattern in globs:
        for name in _fitting(pattern, selection, labels):
            found.setdefault(
                name,
                Example(
                    name, pattern if selection.include else f"selector {selection.selector}", labels
                ),
            )
    for name in selection.exclude:
        if not is_glob(name):
            found.setdefault(name, Example(name, "excluded", labels))
    return list(found.values())


def service_accounts(selection: AccountSelection) -> list[Example]:
    """Return `default` and the accounts that the selection names, with labels that it matches.

    Return none for a selection without accounts.
    """
    if not selection:
        return []
    labels = _labels(selection.requirements)
    return [Example(name, "named", labels) for name in sorted({"default", *selection.names})]


def example_of(glob: str) -> str:
    """Return a text that matches the glob in most cases."""
    return next(_candidates(glob))


def _fitting(pattern: str, selection: Selection, labels: Mapping[str, str]) -> list[str]:
    fitting = [name for name in _candidates(pattern) if selection.selects(Namespace(name, labels))]
    return list(dict.fromkeys(fitting))[:EXAMPLES]


def _candidates(pattern: str) -> Iterator[str]:
    for word in WORDS:
        chosen = _CLASS.sub(
            lambda found: _other_than(found[2]) if found[1] else found[2][0], pattern
        )
        yield chosen.replace("?", word[0]).replace("*", word)


def _other_than(characters: str) -> str:
    """Return a character that a negated class does not contain."""
    return next(
        letter
        for letter in "abcdefghijklmnopqrstuvwxyz0123456789"
        if not re.match(f"[{characters}]", letter)
    )


def _labels(requirements: tuple[Requirement, ...]) -> dict[str, str]:
    labels = {}
    for requirement in requirements:
        match requirement.operator:
            case "in":
                labels[requirement.key] = min(requirement.values)
            case "exists":
                labels.setdefault(requirement.key, "example")
            case "gt" | "lt":
                (bound,) = requirement.values
                labels[requirement.key] = str(
                    int(bound) + (1 if requirement.operator == "gt" else -1)
                )
    return labels
