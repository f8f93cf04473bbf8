"""Values as CloudFormation templates write them, and the refusal of unknown properties."""

from collections.abc import Mapping
from typing import Any


class AlarmError(ValueError):
    """Properties that CloudWatch would refuse, or that this simulation does not know."""


def boolean(value: object) -> bool:
    """Return a boolean as YAML, JSON or a parameter has it."""
    if str(value).lower() not in ("true", "false"):
        raise AlarmError(f"{value!r} is no boolean")
    return str(value).lower() == "true"


def only(given: Mapping[str, Any], known: set[str] | frozenset[str], where: str) -> None:
    """Refuse a property that is not simulated here."""
    if unknown := given.keys() - known:
        raise AlarmError(f"{where}: {', '.join(sorted(unknown))} is not simulated")
