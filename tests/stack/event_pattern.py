"""The part of EventBridge's pattern matching that the template uses.

Exact values, `prefix`, nested fields.
"""

from typing import Any


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Return whether every field of the pattern has one of the listed values in the event."""
    return all(_field(wanted, event.get(name)) for name, wanted in pattern.items())


def _field(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and matches(wanted, found)
    return any(_value(one, found) for one in wanted)


def _value(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        assert wanted.keys() == {"prefix"}, f"{wanted} is not understood here"
        return isinstance(found, str) and found.startswith(wanted["prefix"])
    return bool(wanted == found)
