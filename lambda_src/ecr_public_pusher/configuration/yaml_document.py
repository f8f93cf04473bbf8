"""The reader of YAML documents: plain strings, lists and mappings.

`on`, `012` and `no` stay the names they are; the model assigns types later.

A plain `null`, `~` or nothing is a field that is not given, at every depth: Terraform's optional()
attributes and editors write it.

The value is built from the parser's events, so that its depth is known before anything is nested in
it: libyaml's composer recurses in C, where 32,000 brackets end the process, and its scanner takes
half a minute for 64,000.
"""

from collections.abc import Callable
from typing import Any

import yaml
from yaml.composer import ComposerError

from ecr_public_pusher.configuration.json_text import read_json
from ecr_public_pusher.errors import DocumentProblem, InvalidDocument

# libyaml's parser if available: hundreds of documents are read on a fraction of a CPU.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

type Plain = str | list[Plain] | dict[str, Plain | None]

# Levels of nested lists and mappings; no field needs more than three.
MAX_DEPTH = 10
# The plain scalars that are null (YAML 1.2, core schema).
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_STYLES = (None, "")
# The prefix of YAML's own tags, which the model ignores.
_TAGS = "tag:yaml.org,2002:"

_REMEDY = (
    "Write one YAML (or JSON) mapping, without anchors, aliases or duplicate keys; see"
    " docs/configuration.md."
)
_QUOTE = "text that begins with *, &, !, %, @ or ` must be quoted, as in namespaces: ['*']"
_TAB = "a tab cannot indent: YAML allows only spaces"
# Constructs for which libyaml mistakes unquoted text.
_UNQUOTED = ("alias", "anchor", "tag", "directive")


def read_mapping(text: str, *, parameter: str) -> dict[str, Plain | None]:
    """Return the one mapping in `text`, with scalars as strings.

    A null in a mapping is None; in a list it is left out. Raise InvalidDocument naming `parameter`
    for anything else.
    """
    if (found := read_json(text, max_depth=MAX_DEPTH)) is not None:
        return found
    try:
        return _Reader(text, parameter).mapping()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid(parameter, f"is not YAML: {_problem(error, text)}", line) from None
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:
        raise _unreadable(parameter, text, error) from None


def without_nulls(mapping: dict[str, Plain | None]) -> dict[str, Plain]:
    """Return the mapping without nulls, at every depth."""
    return {
        name: without_nulls(value) if isinstance(value, dict) else value  # type: ignore[misc]
        for name, value in mapping.items()
        if value is not None
    }


def _invalid(parameter: str, said: str, line: int, *, mark: str = "") -> InvalidDocument:
    return InvalidDocument(
        f"{parameter}: line {line}{mark} {said}",
        remedy=_REMEDY,
        problems=(DocumentProblem(said, line=line),),
    )


def _unreadable(
    parameter: str, text: str, error: yaml.reader.ReaderError | UnicodeEncodeError
) -> InvalidDocument:
    """Return the error that names the control character, or the half of a surrogate pair."""
    bad = text[error.start] if isinstance(error, UnicodeEncodeError) else chr(error.character)
    line = text.count("\n", 0, max(text.find(bad), 0)) + 1
    return _invalid(
        parameter, f"is not YAML: it must not contain the character U+{ord(bad):04X}", line
    )


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    said = (error.problem or "unreadable")[:120]
    found = _character(text, error.problem_mark)
    if found != "\t" and (
        "cannot start any token" in said
        or any(word in f"{error.context} {said}" for word in _UNQUOTED)
    ):
        return f"{_QUOTE} ({said})"
    if found == "\t" or (
        "not allowed in this context" in said and "\t" in _indentation(text, error.problem_mark)
    ):
        return f"{_TAB} ({said})"
    return said


def _character(text: str, mark: yaml.Mark | None) -> str:
    return text[mark.index : mark.index + 1] if mark else ""


def _indentation(text: str, mark: yaml.Mark | None) -> str:
    """Return the blanks at the beginning of the mark's line."""
    line = text[text.rfind("\n", 0, mark.index) + 1 :] if mark else ""
    return line[: len(line) - len(line.lstrip(" \t"))]


class _Reader:
    """One text's events, in their order. Its methods raise InvalidDocument and YAML's errors."""

    def __init__(self, text: str, parameter: str) -> None:
        self._next: Callable[[], Any] = _LOADER(text).get_event
        self._parameter = parameter
        self._anchors: dict[str, int] = {}  # by name, its line

    def mapping(self) -> dict[str, Plain | None]:
        """Return the one mapping in the text."""
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise self._no_mapping("nothing")
        value = self._value(self._next(), 1)
        self._next()  # the end of the document
        if not isinstance(event := self._next(), yaml.StreamEndEvent):
            begun = "expected a single document in the stream"
            raise ComposerError(begun, None, "but found another document", event.start_mark)
        if not isinstance(value, dict):
            raise self._no_mapping("a list" if isinstance(value, list) else "a single value")
        return value

    def _value(self, event: Any, depth: int) -> Plain | None:
        if event.anchor is not None:
            self._check_anchor(event)
        if event.tag is not None and not event.tag.startswith(_TAGS):
            # `!gone` is a tag without a text: the value would be null.
            said = f"has the tag {event.tag[:60]}: {_QUOTE}"
            raise _invalid(self._parameter, said, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            is_null = event.style in _PLAIN_STYLES and event.value in _NULLS
            return None if is_null else str(event.value)
        if depth > MAX_DEPTH:
            raise self._invalid(f"lists and mappings are nested more than {MAX_DEPTH} deep", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(depth + 1)
        return self._fields(depth + 1)

    def _items(self, depth: int) -> list[Plain]:
        items = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            if (item := self._value(event, depth)) is not None:
                items.append(item)
        return items

    def _fields(self, depth: int) -> dict[str, Plain | None]:
        fields: dict[str, Plain | None] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            if key.anchor is not None:
                self._check_anchor(key)
            if not isinstance(key, yaml.ScalarEvent):
                raise self._invalid("a field's name must be a plain word", key)
            if key.value in fields:
                raise self._invalid(f"'{key.value[:60]}' is given twice", key)
            fields[key.value] = self._value(self._next(), depth)
        return fields

    def _check_anchor(self, event: Any) -> None:
        """Raise InvalidDocument or yaml.YAMLError for an alias, and for an anchor defined twice."""
        line = self._anchors.get(event.anchor)
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            if line is None:
                raise ComposerError(None, None, "found undefined alias", mark)
            raise _invalid(self._parameter, "is used by an alias", line)
        if line is not None:
            raise ComposerError("found duplicate anchor", None, "second occurrence", mark)
        self._anchors[event.anchor] = _line(event)

    def _invalid(self, said: str, event: Any) -> InvalidDocument:
        return _invalid(self._parameter, said, _line(event), mark=":")

    def _no_mapping(self, found: str) -> InvalidDocument:
        said = f"{self._parameter}: expected a mapping of fields, found {found}"
        return InvalidDocument(said, remedy=_REMEDY)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
