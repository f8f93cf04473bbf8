"""A change of one field in a document's text that keeps comments, order and quotes. Pure."""

import json

import yaml

from ecr_public_pusher.configuration.schema import ClusterDocument, validated
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import PusherError

_ENABLED = "enabled"
_CLUSTER = "cluster"


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
    changed = _replaced(text, _ENABLED, "true" if enabled else "false")
    if (
        _without(_ENABLED, changed) != _without(_ENABLED, text)
        or _is_enabled(changed) is not enabled
    ):
        raise NotEditable
    return changed


def disabled(text: str, *, limit: int) -> str | None:
    """Return a document with `enabled: false`, within `limit` bytes.

    Where that cannot be done in place, or leaves no room, comments go. Return None for a document
    that is not pushed anyway, since it is invalid, and where there is no room even so.
    """
    try:
        changed = with_enabled(text, False)
    except PusherError:
        return None
    except NotEditable:
        changed = ""
    if not changed or len(changed.encode()) > limit:
        fields = without_nulls(read_mapping(text, parameter="document"))
        changed = json.dumps(fields | {_ENABLED: False}, ensure_ascii=False)
    return changed if len(changed.encode()) <= limit else None


def with_cluster(text: str, cluster: str) -> str:
    """Return the document with that value of `cluster`; the same text if it names one already.

    Raise NotEditable when the change cannot be made in place.
    """
    if _CLUSTER in without_nulls(read_mapping(text, parameter="document")):
        return text
    changed = _replaced(text, _CLUSTER, json.dumps(cluster))
    if _without(_CLUSTER, changed) != _without(_CLUSTER, text):
        raise NotEditable
    return changed


def _replaced(text: str, field: str, word: str) -> str:
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:  # JSON that is not valid YAML, such as with tabs
        raise NotEditable from None
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        if key.value == field:
            gap = (
                ""
                if value.start_mark.index > key.end_mark.index + 1 or value.style is not None
                else " "
            )
            return f"{text[: value.start_mark.index]}{gap}{word}{text[value.end_mark.index :]}"
    if node.flow_style:
        name = json.dumps(field) if text.lstrip().startswith('{"') else field
        start = node.start_mark.index + 1
        return f"{text[:start]}{name}: {word}{', ' if node.value else ''}{text[start:]}"
    indent = " " * node.start_mark.column
    return f"{text}{'' if text.endswith('\n') else '\n'}{indent}{field}: {word}\n"


def _is_enabled(text: str) -> bool:
    return validated(ClusterDocument, read_mapping(text, parameter="document"), "document").enabled


def _without(field: str, text: str) -> dict[str, object]:
    return {
        name: value
        for name, value in read_mapping(text, parameter="document").items()
        if name != field
    }
