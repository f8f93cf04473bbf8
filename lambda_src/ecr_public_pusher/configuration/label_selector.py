"""Kubernetes label selectors, parsed and matched as the API server does.

So an invalid one is found before any cluster is called.

Source of the grammar:
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors, and
apimachinery's labels.Parse. The patterns are valid in Python and in a JSON Schema (ECMA-262), and
match in linear time: no repeated part of one begins with what the part before it may end with.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
KEY_PATTERN = rf"(?:(?=[a-z0-9.-]{{1,253}}/){_PREFIX}/)?{_NAME}"
VALUE_PATTERN = rf"(?:{_NAME})?"
LABEL_KEY = re.compile(KEY_PATTERN)
LABEL_VALUE = re.compile(VALUE_PATTERN)

# A Go int64. A bound is a label's value too, which has no sign and at most 63 characters.
_MAX_INT = 2**63 - 1
_BOUND = re.compile(r"[0-9]{1,63}")
_INT = re.compile(r"-?[0-9]{1,63}")


def _more_than(limit: str) -> str:
    """Return a pattern of how decimal numbers larger than `limit` begin."""
    as_long = ""
    for rest, digit in enumerate(reversed(limit)):
        larger = rf"[{int(digit) + 1}-9][0-9]{{{rest}}}" if digit != "9" else ""
        as_long = "|".join(filter(None, (larger, as_long and f"{digit}(?:{as_long})")))
    return rf"0*(?:[1-9][0-9]{{{len(limit)}}}|{as_long})"


_SPACE = r"[ \t\r\n]"
# Each includes the spaces that follow it.
_KEY = rf"{KEY_PATTERN}{_SPACE}*"
_VALUE = rf"(?:{_NAME}{_SPACE}*)?"
_IN_VALUES = rf"(?:in|notin){_SPACE}*\({_SPACE}*{_VALUE}(?:,{_SPACE}*{_VALUE})*\){_SPACE}*"
_EQUALS = rf"(?:==?|!=){_SPACE}*{_VALUE}"
_COMPARES = rf"[<>]{_SPACE}*(?![0-9]{{64}}|{_more_than(str(_MAX_INT))})[0-9]+{_SPACE}*"
_RESTRICTION = rf"(?:{_SPACE}+{_IN_VALUES}|{_SPACE}*(?:{_EQUALS}|{_COMPARES})?)"
_REQUIREMENT = rf"(?:!{_SPACE}*{_KEY}|{KEY_PATTERN}{_RESTRICTION})"
SELECTOR_PATTERN = rf"{_SPACE}*{_REQUIREMENT}(?:,{_SPACE}*{_REQUIREMENT})*"

_OPERATORS = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}

_SPACES = " \t\r\n"
_OUTSIDE_OR_IN = re.compile(r"[(),]")
_TOKEN = re.compile(r"(==|!=|[=!<>(),])|[ \t\r\n]")


@dataclass(frozen=True)
class Requirement:
    """One comma-separated part of a selector."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with these labels meets the requirement."""
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case "in":
                return value in self.values
            case "notin":  # as in the API server: an absent label is in no set
                return value not in self.values
            case _:  # as in the API server: only an int64 can be more or less
                if value is None or not _INT.fullmatch(value) or abs(int(value)) > _MAX_INT:
                    return False
                (bound,) = self.values
                return int(value) > int(bound) if self.operator == "gt" else int(value) < int(bound)


def parse(text: str) -> tuple[Requirement, ...]:
    """Return the requirements of a label selector; all must hold.

    Raise ValueError naming the invalid part and its position.
    """
    parts = [part.strip(_SPACES) for part in _parts(text)]
    return tuple(
        _requirement(part, f", part {place} of {len(parts)}," if len(parts) > 1 else "")
        for place, part in enumerate(parts, 1)
    )


def _parts(text: str) -> list[str]:
    """Return the parts between the commas that are outside parentheses."""
    parts = []
    begin = 0
    inside = False
    for found in _OUTSIDE_OR_IN.finditer(text):
        if found[0] != ",":
            inside = found[0] == "("
        elif not inside:
            parts.append(text[begin : found.start()])
            begin = found.end()
    return [*parts, text[begin:]]


def _requirement(part: str, place: str) -> Requirement:
    if made := _made([token for token in _TOKEN.split(part) if token]):
        return made
    hint = "like: team, !team, team=web, team!=web, team in (web, db)"
    if re.search(r"[<>]", part):
        hint = "> and < compare with a whole number from 0 to 9223372036854775807"
    raise ValueError(f"'{part[:80]}'{place} is not a label selector requirement ({hint})")


def _made(tokens: Sequence[str]) -> Requirement | None:
    """Return the requirement that the tokens make; None where they make none."""
    match tokens:
        case [key]:
            made = Requirement(key, "exists")
        case ["!", key]:
            made = Requirement(key, "absent")
        case [key, "<" | ">" as operator, bound] if _is_bound(bound):
            made = Requirement(key, _OPERATORS[operator], frozenset({bound}))
        case [key, "=" | "==" | "!=" as operator, *words] if len(words) <= 1:
            made = Requirement(key, _OPERATORS[operator], _values(words))
        case [key, "in" | "notin" as operator, "(", *words, ")"]:
            made = Requirement(key, operator, _values(words))
        case _:
            return None
    valid = LABEL_KEY.fullmatch(made.key) and all(map(LABEL_VALUE.fullmatch, made.values))
    return made if valid else None


def _is_bound(word: str) -> bool:
    return bool(_BOUND.fullmatch(word)) and int(word) <= _MAX_INT


def _values(words: Sequence[str]) -> frozenset[str]:
    """Return the comma-separated values, of which each may be empty."""
    return frozenset(value.strip(" ") for value in " ".join(words).split(","))
