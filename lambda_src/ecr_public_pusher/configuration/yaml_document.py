"""YAML text -> plain strings, lists and mappings. `on`, `012` and `no` stay the names they are; the model gives types later."""

from typing import Any

import yaml

from ecr_public_pusher.errors import InvalidDocument

# libyaml's parser where the wheel has it: documents are read by the hundred on a fraction of a CPU.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

type Plain = str | list[Plain] | dict[str, Plain]

_REMEDY = "Write one YAML (or JSON) mapping, without anchors, aliases or duplicate keys; see the README's configuration reference."


def read_mapping(text: str, *, parameter: str) -> dict[str, Plain]:
    """The one mapping that `text` holds, scalars as strings. Raises InvalidDocument naming `parameter` for anything else."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidDocument(f"{parameter}: line {line} is not YAML: {(error.problem or 'unreadable')[:120]}", remedy=_REMEDY) from None
    except (yaml.YAMLError, RecursionError):
        raise InvalidDocument(f"{parameter}: not YAML (a control character, or nesting too deep)", remedy=_REMEDY) from None
    if not isinstance(node, yaml.MappingNode):
        raise InvalidDocument(f"{parameter}: expected a mapping of fields, found {_kind(node)}", remedy=_REMEDY)
    value = _plain(node, parameter, set())
    assert isinstance(value, dict)
    return value


def _kind(node: yaml.Node | None) -> str:
    if node is None:
        return "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _plain(node: yaml.Node, parameter: str, seen: set[int]) -> Plain:
    if id(node) in seen:  # an alias composes to the very node it points to
        raise InvalidDocument(f"{parameter}: line {node.start_mark.line + 1} is used by an alias", remedy=_REMEDY)
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, parameter, seen) for item in node.value]
    mapping: dict[str, Plain] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise InvalidDocument(f"{parameter}: line {key.start_mark.line + 1}: a field's name must be a plain word", remedy=_REMEDY)
        if key.value in mapping:
            raise InvalidDocument(f"{parameter}: line {key.start_mark.line + 1}: '{key.value[:60]}' is there twice", remedy=_REMEDY)
        mapping[key.value] = _plain(value, parameter, seen)
    return mapping
