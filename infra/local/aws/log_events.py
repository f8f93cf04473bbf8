"""CloudWatch Logs' FilterLogEvents with JSON patterns, which moto does not filter by.

Only the patterns used here are supported (CloudWatch Logs user guide, "Using filter patterns to
match terms in JSON log events"): `$.a.b = "text"`, `$.a.b IS TRUE`, `&&`, `||` and parentheses.
Any other is refused, so that none is ignored by mistake.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .wire import Answer, AwsRequest

PAGE = 10_000  # FilterLogEvents' own limit
_TOKENS = re.compile(
    r'\s*(?:(\()|(\))|(&&)|(\|\|)|(\$(?:\.\w+)+)\s*(?:=\s*"([^"]*)"|IS\s+(TRUE|FALSE)))'
)

type Matcher = Callable[[Any], bool]


@dataclass(frozen=True)
class LogEvent:
    """A log event; `timestamp` is in milliseconds since the epoch."""

    id: str
    timestamp: int
    message: str


class UnknownPattern(ValueError):
    """A filter pattern that is not supported here."""


class LogEvents:
    """Log events by log group. `page` is the most events that a page scans."""

    def __init__(self, page: int = PAGE) -> None:
        self.page = page
        self._groups: dict[str, list[LogEvent]] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def put_group(self, group: str) -> None:
        """Add an empty log group."""
        self._groups.setdefault(group, [])

    def put(self, group: str, message: str, *, at: float | None = None) -> None:
        """Log a line at `at`, in seconds since the epoch; now by default."""
        with self._lock:
            event = LogEvent(
                f"{next(self._numbers):056}",
                int((time.time() if at is None else at) * 1000),
                message,
            )
            self._groups.setdefault(group, []).append(event)

    def answer(self, request: AwsRequest) -> Answer | None:
        """Answer a FilterLogEvents; return None for any other call."""
        if (request.service, request.action) != ("logs", "FilterLogEvents"):
            return None
        asked = json.loads(request.body)
        group = asked.get("logGroupName") or asked.get("logGroupIdentifier", "").rpartition(":")[2]
        if group not in self._groups:
            return Answer.refusal(
                request, "ResourceNotFoundException", "The specified log group does not exist."
            )
        try:
            matches = compile_pattern(asked.get("filterPattern", ""))
        except UnknownPattern as error:
            return Answer.refusal(request, "InvalidParameterException", str(error))
        return _page(
            self._within(group, asked),
            matches,
            int(asked.get("nextToken", 0)),
            min(asked.get("limit", PAGE), self.page),
        )

    def _within(self, group: str, asked: dict[str, Any]) -> list[LogEvent]:
        start = asked.get("startTime", 0)
        end = asked.get("endTime", time.time() * 1000 + 1)
        with self._lock:
            return sorted(
                (event for event in self._groups[group] if start <= event.timestamp <= end),
                key=lambda event: (event.timestamp, event.id),
            )


def _page(events: list[LogEvent], matches: Matcher, first: int, size: int) -> Answer:
    """Return one page as the service does.

    A page scans a number of events, so it may be empty and still be followed by another.
    """
    shown = [
        {
            "eventId": event.id,
            "timestamp": event.timestamp,
            "ingestionTime": event.timestamp,
            "message": event.message,
            "logStreamName": "local",
        }
        for event in events[first : first + size]
        if matches(_json(event.message))
    ]
    body: dict[str, Any] = {"events": shown, "searchedLogStreams": []}
    if first + size < len(events):
        body["nextToken"] = str(first + size)
    return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def compile_pattern(pattern: str) -> Matcher:
    """Return a predicate for events read as JSON. Raise UnknownPattern."""
    text = pattern.strip()
    if not text:
        return lambda event: True
    if not (text.startswith("{") and text.endswith("}")):
        raise UnknownPattern(f"no JSON pattern: {pattern[:100]}")
    tokens = _tokens(text[1:-1])
    matcher, rest = _any_of(list(tokens))
    if rest:
        raise UnknownPattern(f"more than one pattern: {pattern[:200]}")
    return matcher


def _tokens(text: str) -> Iterator[Any]:
    place = 0
    while text[place:].strip():
        found = _TOKENS.match(text, place)
        if found is None:
            raise UnknownPattern(f"not known here: {text[place : place + 60]}")
        opened, closed, both, either, selector, word, truth = found.groups()
        yield (
            opened
            or closed
            or both
            or either
            or _comparison(selector, word if truth is None else truth == "TRUE")
        )
        place = found.end()


def _comparison(selector: str, wanted: str | bool) -> Matcher:
    path = selector.split(".")[1:]

    def matches(event: Any) -> bool:
        for name in path:
            event = event.get(name) if isinstance(event, dict) else None
        return type(event) is type(wanted) and event == wanted

    return matches


def _any_of(tokens: list[Any]) -> tuple[Matcher, list[Any]]:
    parts, rest = _separated(tokens, "||", _all_of)
    return (lambda event: any(part(event) for part in parts)), rest


def _all_of(tokens: list[Any]) -> tuple[Matcher, list[Any]]:
    parts, rest = _separated(tokens, "&&", _one)
    return (lambda event: all(part(event) for part in parts)), rest


def _separated(
    tokens: list[Any], by: str, read: Callable[[list[Any]], tuple[Matcher, list[Any]]]
) -> tuple[list[Matcher], list[Any]]:
    first, rest = read(tokens)
    parts = [first]
    while rest and rest[0] == by:
        part, rest = read(rest[1:])
        parts.append(part)
    return parts, rest


def _one(tokens: list[Any]) -> tuple[Matcher, list[Any]]:
    if not tokens or tokens[0] in (")", "&&", "||"):
        raise UnknownPattern("something is missing from the pattern")
    if tokens[0] != "(":
        return tokens[0], tokens[1:]
    matcher, rest = _any_of(tokens[1:])
    if not rest or rest[0] != ")":
        raise UnknownPattern("a parenthesis is not closed")
    return matcher, rest[1:]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
