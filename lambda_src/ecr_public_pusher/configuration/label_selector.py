"""Kubernetes label selectors: parsed as the API server does, so that a bad one is found before any cluster is asked, and matched.

Source of the grammar: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
LABEL_KEY = re.compile(rf"(?:(?=[^/]{{1,253}}/){_PREFIX}/)?{_NAME}")
LABEL_VALUE = re.compile(rf"(?:{_NAME})?")

_SPLIT = re.compile(r",(?![^()]*\))")
_FORMS = (
    ("absent", re.compile(r"!\s*(?P<key>[^\s!=<>(),]+)")),
    ("exists", re.compile(r"(?P<key>[^\s!=<>(),]+)")),
    ("notin", re.compile(r"(?P<key>[^\s!=<>(),]+)\s*!=\s*(?P<values>[^\s!=<>(),]*)")),
    ("in", re.compile(r"(?P<key>[^\s!=<>(),]+)\s*==?\s*(?P<values>[^\s!=<>(),]*)")),
    ("in", re.compile(r"(?P<key>[^\s!=<>(),]+)\s+in\s*\((?P<values>[^()]*)\)")),
    ("notin", re.compile(r"(?P<key>[^\s!=<>(),]+)\s+notin\s*\((?P<values>[^()]*)\)")),
    ("gt", re.compile(r"(?P<key>[^\s!=<>(),]+)\s*>\s*(?P<values>-?\d+)")),
    ("lt", re.compile(r"(?P<key>[^\s!=<>(),]+)\s*<\s*(?P<values>-?\d+)")),
)


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
            case _:
                if value is None or not re.fullmatch(r"-?\d+", value):
                    return False
                (bound,) = self.values
                return int(value) > int(bound) if self.operator == "gt" else int(value) < int(bound)


def parse(text: str) -> tuple[Requirement, ...]:
    """The requirements of a label selector; all must hold. Raises ValueError naming the part that is invalid."""
    parts = [part.strip() for part in _SPLIT.split(text)]
    return tuple(_requirement(part) for part in parts)


def _requirement(part: str) -> Requirement:
    for operator, form in _FORMS:
        if found := form.fullmatch(part):
            key, listed = found["key"], found.groupdict().get("values")
            values = frozenset(value.strip() for value in listed.split(",")) if listed is not None else frozenset()
            if LABEL_KEY.fullmatch(key) and all(LABEL_VALUE.fullmatch(value) or operator in ("gt", "lt") for value in values):
                return Requirement(key, operator, values)
    raise ValueError(f"'{part[:80]}' is not a label selector requirement (like: team, !team, team=web, team!=web, team in (web, db))")
