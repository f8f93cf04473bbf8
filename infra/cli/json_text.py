"""JSON that others wrote: messages, lines of the log, answers."""

import json
from typing import Any

# Levels of lists and objects. Deeper JSON is not ours, and cannot be printed.
MAX_DEPTH = 50


def read_json(text: str | bytes) -> Any:
    """Return the value. Raise ValueError if it is not JSON, or nested deeper than MAX_DEPTH."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return value
    raise ValueError("nested too deep")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
