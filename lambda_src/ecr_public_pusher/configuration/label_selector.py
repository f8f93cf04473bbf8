"""Kubernetes label selectors: parsed as the API server does, so that a bad one is found before any cluster is asked, and matched.

Source of the grammar: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors, and apimachinery's
labels.Parse. The patterns hold in Python and in a JSON Schema (ECMA-262) alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
KEY_PATTERN = rf"(?:(?=[^/]{{1,253}}/){_PREFIX}/)?{_NAME}"
VALUE_PATTERN = rf"(?:{_NAME})?"
LABEL_KEY, LABEL_VALUE = re.compile(KEY_PATTERN), re.compile(VALUE_PATTERN)

_MAX_INT = 2**63 - 1  # a Go int64; a bound is a label's value too, which has no sign and at most 63 characters


def _numbers_up_to(limit: str) -> str:
    """A pattern of the decimal numbers from 0 to `limit`."""
    smaller = [rf"{limit[:place]}[0-{int(digit) - 1}][0-9]{{{len(limit) - place - 1}}}" for place, digit in enumerate(limit) if digit != "0"]
    return rf"(?:[0-9]{{1,{len(limit) - 1}}}|{'|'.join(smaller)}|{limit})"


_BOUND = rf"0{{0,44}}{_numbers_up_to(str(_MAX_INT))}"
_INT = re.compile(rf"-?{_BOUND}")
_SPACE = r"[ \t\r\n]"
_VALUES = rf"{_SPACE}*{VALUE_PATTERN}{_SPACE}*(?:,{_SPACE}*{VALUE_PATTERN}{_SPACE}*)*"
_REQUIREMENT = (
    rf"(?:!{_SPACE}*(?P<absent>{KEY_PATTERN})|(?P<key>{KEY_PATTERN})(?:"
    rf"{_SPACE}*(?P<equality>==?|!=){_SPACE}*(?P<value>{VALUE_PATTERN})"
    rf"|{_SPACE}+(?P<membership>in|notin){_SPACE}*\((?P<values>{_VALUES})\)"
    rf"|{_SPACE}*(?P<order>[<>]){_SPACE}*(?P<bound>{_BOUND}))?)"
)
_FORM = re.compile(_REQUIREMENT)
_UNNAMED = re.sub(r"\?P<\w+>", "?:", _REQUIREMENT)
# A selector as a whole.
SELECTOR_PATTERN = rf"{_SPACE}*{_UNNAMED}{_SPACE}*(?:,{_SPACE}*{_UNNAMED}{_SPACE}*)*"

_OPERATORS = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}

_SPLIT = re.compile(r",(?![^()]*\))")
_SPACES = " \t\r\n"


@dataclass(frozen=True)
class Requirement:
    """One comma-separated part of a selector."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case "in":
                return value in self.values
            case "notin":  # as the API server: an absent label is not in any set
                return value not in self.values
            case _:  # as the API server: what is no int64 is neither more nor less
                if value is None or not _INT.fullmatch(value):
                    return False
                (bound,) = self.values
                return int(value) > int(bound) if self.operator == "gt" else int(value) < int(bound)


def parse(text: str) -> tuple[Requirement, ...]:
    """The requirements of a label selector; all must hold. Raises ValueError naming the part that is invalid, and which it is."""
    parts = [part.strip(_SPACES) for part in _SPLIT.split(text)]
    return tuple(_requirement(part, f", part {place} of {len(parts)}," if len(parts) > 1 else "") for place, part in enumerate(parts, 1))


def _requirement(part: str, place: str) -> Requirement:
    if found := _FORM.fullmatch(part):
        given = found.groupdict()
        if given["absent"]:
            return Requirement(given["absent"], "absent")
        if given["values"] is not None:
            return Requirement(given["key"], given["membership"], frozenset(value.strip(_SPACES) for value in given["values"].split(",")))
        if operator := given["equality"] or given["order"]:
            return Requirement(given["key"], _OPERATORS[operator], frozenset({given["value"] if given["equality"] else given["bound"]}))
        return Requirement(given["key"], "exists")
    if re.search(r"[<>]", part):
        hint = "> and < compare with a whole number from 0 to 9223372036854775807"
    else:
        hint = "like: team, !team, team=web, team!=web, team in (web, db)"
    raise ValueError(f"'{part[:80]}'{place} is not a label selector requirement ({hint})")
