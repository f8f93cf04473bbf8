"""The event of `--event`: JSON, a file that contains it, stdin, or only an action's name."""

import json
import os
import sys
from pathlib import Path
from typing import Any

ACTIONS = ("push", "plan", "check", "sweep")
SHOWN = 100

QUOTING = """
Quotes must pass make and the shell. These ways all work:
  make run ARGS="--event '{\\"action\\": \\"plan\\"}'"
  make run ARGS="--event @event.json"
  echo '{"action": "plan"}' | make run ARGS="--event -"
  make run ARGS="--event plan\""""


class EventError(ValueError):
    """An argument that is no event, with the reason and the ways to give one."""


def read_event(text: str) -> Any:
    """Return the event that an argument stands for. Raise EventError."""
    if text in ACTIONS:
        return {"action": text}
    if text == "-":
        return _json(sys.stdin.read(), "stdin")
    if text.startswith("@"):
        return _json(_file(text[1:]), text[1:])
    if not _looks_like_json(text) and os.path.isfile(text):
        return _json(_file(text), text)
    return _json(text, "the event")


def _looks_like_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "[", '"'))


def _file(name: str) -> str:
    try:
        return Path(name).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise EventError(
            f"{name[:SHOWN]} cannot be read: {getattr(error, 'strerror', None) or 'not text'}"
        ) from None


def _json(text: str, where: str) -> Any:
    if not text.strip():
        raise EventError(f"{where} is empty{QUOTING}")
    try:
        return json.loads(text)
    except ValueError as error:
        raise EventError(f"{where} is not JSON: {error}: {text.strip()[:SHOWN]}{QUOTING}") from None
