"""YAML text -> plain strings, lists and mappings. `on`, `012` and `no` stay the names they are; the model gives types later.

A plain `null`, `~` or nothing is a field that is not given, at every depth: so write Terraform's optional() attributes and editors.
"""

from typing import Any

import yaml

from ecr_public_pusher.configuration.json_text import read_json
from ecr_public_pusher.errors import DocumentProblem, InvalidDocument

# libyaml's parser where the wheel has it: documents are read by the hundred on a fraction of a CPU.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

type Plain = str | list[Plain] | dict[str, Plain | None]

# Of lists and mappings in each other; no field needs more than three.
MAX_DEPTH = 10
# YAML 1.2, core schema: what a plain scalar must be to be null.
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_STYLES = (None, "")
# YAML's own tags, which the model has no use of.
_TAGS = "tag:yaml.org,2002:"

_REMEDY = "Write one YAML (or JSON) mapping, without anchors, aliases or duplicate keys; see docs/configuration.md."
_QUOTE = "a text that begins with *, &, !, %, @ or ` must be quoted, as in namespaces: ['*']"
_TAB = "a tab cannot indent: YAML takes spaces alone"
# Of what libyaml was reading when such a text was taken for something else.
_UNQUOTED = ("alias", "anchor", "tag", "directive")


def read_mapping(text: str, *, parameter: str) -> dict[str, Plain | None]:
    """The one mapping that `text` holds, scalars as strings. A null in a mapping is None, in a list it is left out.

    Raises InvalidDocument naming `parameter` for anything else.
    """
    if (found := read_json(text, max_depth=MAX_DEPTH)) is not None:
        return found
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _invalid(parameter, f"is not YAML: {_problem(error, text)}", line) from None
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:
        raise _unreadable(parameter, text, error) from None
    except (yaml.YAMLError, RecursionError):
        raise InvalidDocument(f"{parameter}: not YAML (a control character, or nesting too deep)", remedy=_REMEDY) from None
    if not isinstance(node, yaml.MappingNode):
        raise InvalidDocument(f"{parameter}: expected a mapping of fields, found {_kind(node)}", remedy=_REMEDY)
    value = _plain(node, parameter, set(), 1)
    assert isinstance(value, dict)
    return value


def without_nulls(mapping: dict[str, Plain | None]) -> dict[str, Plain]:
    """What is given of it, at every depth."""
    return {name: without_nulls(value) if isinstance(value, dict) else value for name, value in mapping.items() if value is not None}  # type: ignore[misc]


def _invalid(parameter: str, said: str, line: int, *, mark: str = "") -> InvalidDocument:
    return InvalidDocument(f"{parameter}: line {line}{mark} {said}", remedy=_REMEDY, problems=(DocumentProblem(said, line=line),))


def _unreadable(parameter: str, text: str, error: yaml.reader.ReaderError | UnicodeEncodeError) -> InvalidDocument:
    """Name the control character, or the half of a surrogate pair."""
    bad = text[error.start] if isinstance(error, UnicodeEncodeError) else chr(error.character)
    line = text.count("\n", 0, max(text.find(bad), 0)) + 1
    return _invalid(parameter, f"is not YAML: the character U+{ord(bad):04X} may not stand in it", line)


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    said = (error.problem or "unreadable")[:120]
    found = _character(text, error.problem_mark)
    if found != "\t" and ("cannot start any token" in said or any(word in f"{error.context} {said}" for word in _UNQUOTED)):
        return f"{_QUOTE} ({said})"
    if found == "\t" or ("not allowed in this context" in said and "\t" in _indentation(text, error.problem_mark)):
        return f"{_TAB} ({said})"
    return said


def _character(text: str, mark: yaml.Mark | None) -> str:
    return text[mark.index : mark.index + 1] if mark else ""


def _indentation(text: str, mark: yaml.Mark | None) -> str:
    """Return the blanks that the mark's line begins with."""
    line = text[text.rfind("\n", 0, mark.index) + 1 :] if mark else ""
    return line[: len(line) - len(line.lstrip(" \t"))]


def _kind(node: yaml.Node | None) -> str:
    if node is None:
        return "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _plain(node: yaml.Node, parameter: str, seen: set[int], depth: int) -> Plain | None:
    line = node.start_mark.line + 1
    if id(node) in seen:  # an alias composes to the very node it points to
        raise _invalid(parameter, "is used by an alias", line)
    seen.add(id(node))
    if not node.tag.startswith(_TAGS):  # `!gone` is a tag without a text, which would be as if it were not given
        raise _invalid(parameter, f"has the tag {node.tag[:60] or '!'}: {_QUOTE}", line)
    if isinstance(node, yaml.ScalarNode):
        return None if node.style in _PLAIN_STYLES and node.value in _NULLS else str(node.value)
    if depth > MAX_DEPTH:
        raise _invalid(parameter, f"lists and mappings are nested more than {MAX_DEPTH} deep", line, mark=":")
    if isinstance(node, yaml.SequenceNode):
        items = [_plain(item, parameter, seen, depth + 1) for item in node.value]
        return [item for item in items if item is not None]
    mapping: dict[str, Plain | None] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _invalid(parameter, "a field's name must be a plain word", key.start_mark.line + 1, mark=":")
        if key.value in mapping:
            raise _invalid(parameter, f"'{key.value[:60]}' is there twice", key.start_mark.line + 1, mark=":")
        mapping[key.value] = _plain(value, parameter, seen, depth + 1)
    return mapping
