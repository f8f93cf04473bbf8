"""A change of one field in a document's text that keeps comments, order and quotes. Pure."""

import json

import yaml

from ecr_public_pusher.configuration.schema import ClusterDocument, validated
from ecr_public_pusher.configuration.yaml_document import read_mapping

_ENABLED = "enabled"


class NotEditable(Exception):
    """A text in a form that only a person can change."""


def with_enabled(text: str, enabled: bool) -> str:
    """Return the document with that value of `enabled`; the same text if it has it already.

    Raise PusherError for an invalid document, NotEditable when the change cannot be made in place.
    """
    if (
        validated(ClusterDocument, read_mapping(text, parameter="document"), "document").enabled
        is enabled
    ):
        return text
    changed = _replaced(text, "true" if enabled else "false")
    if _without_enabled(changed) != _without_enabled(text) or _is_enabled(changed) is not enabled:
        raise NotEditable
    return changed


def _replaced(text: str, word: str) -> str:
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:  # JSON that is not valid YAML, such as with tabs
        raise NotEditable from None
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        if key.value == _ENABLED:
            gap = (
                ""
                if value.start_mark.index > key.end_mark.index + 1 or value.style is not None
                else " "
            )
            return f"{text[: value.start_mark.index]}{gap}{word}{text[value.end_mark.index :]}"
    if node.flow_style:
        name = json.dumps(_ENABLED) if text.lstrip().startswith('{"') else _ENABLED
        start = node.start_mark.index + 1
        return f"{text[:start]}{name}: {word}{', ' if node.value else ''}{text[start:]}"
    indent = " " * node.start_mark.column
    return f"{text}{'' if text.endswith('\n') else '\n'}{indent}{_ENABLED}: {word}\n"


def _is_enabled(text: str) -> bool:
    return validated(ClusterDocument, read_mapping(text, parameter="document"), "document").enabled


def _without_enabled(text: str) -> dict[str, object]:
    return {
        name: value
        for name, value in read_mapping(text, parameter="document").items()
        if name != _ENABLED
    }
