"""A document's settings with the defaults merged in, each with its origin. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.configuration.loader import NOT_DISCOVERED, merge_defaults, sign_in_type
from ecr_public_pusher.configuration.schema import (
    CompleteDocument,
    DefaultsDocument,
    DiscoverDocument,
    validated,
)
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls

from .document import CLUSTERS, DISCOVER, DocumentName

DOCUMENT = "document"
DEFAULTS = "defaults"
BOTH = "document and defaults"
BUILT_IN = "built in"
_KEY_BY_KEY = ("labels", "annotations")
_MODELS: Mapping[str, type[DefaultsDocument]] = {
    "": DefaultsDocument,
    CLUSTERS: CompleteDocument,
    DISCOVER: DiscoverDocument,
}
# These come first, then the fields in the model's order.
_FIRST = ("cluster", "endpoint", "regions", "tags")


@dataclass(frozen=True)
class Setting:
    """A field with its value and origin: the document, the defaults, both (by key), or built in."""

    field: str
    value: Any
    origin: str


def settings(name: DocumentName, text: str, defaults: str | None, *, region: str) -> list[Setting]:
    """Return every field that has a value, in the order of the reference.

    Raise PusherError for an invalid document.
    """
    own = _fields(text, str(name))
    shared = _fields(defaults, "defaults") if defaults is not None and name.folder else {}
    if name.folder == DISCOVER:
        shared = {field: value for field, value in shared.items() if field not in NOT_DISCOVERED}
    merged = merge_defaults(own, shared)
    document = validated(
        _MODELS[name.folder], {**_built_in(name, merged, region), **merged}, str(name)
    )
    shown = {
        field: _shown(field, value)
        for field, value in document.model_dump(
            by_alias=True, mode="json", exclude_none=True
        ).items()
    }
    order = [
        *(field for field in _FIRST if field in shown),
        *(field for field in shown if field not in _FIRST),
    ]
    return [
        Setting(field, shown[field], _origin(field, own, shared))
        for field in order
        if shown[field] not in ([], {})
    ]


def _built_in(name: DocumentName, merged: Mapping[str, Any], region: str) -> dict[str, Any]:
    """Return the values of a cluster's document for fields that are left out."""
    if name.folder != CLUSTERS:
        return {}
    return {"region": region, **({"cluster": name.id} if sign_in_type(merged) == "eks" else {})}


def _shown(field: str, value: Any) -> Any:
    """Return the value without the empty parts of a mapping.

    ServiceAccounts are a list, as they are usually written, where there are only names and globs.
    """
    if not isinstance(value, dict):
        return value
    shown = {key: item for key, item in value.items() if item not in ([], None)}
    return shown["include"] if field == "serviceAccounts" and [*shown] == ["include"] else shown


def _fields(text: str, parameter: str) -> dict[str, Any]:
    return dict(without_nulls(read_mapping(text, parameter=parameter)))


def _origin(field: str, own: dict[str, Any], shared: dict[str, Any]) -> str:
    if field in own and field in shared and field in _KEY_BY_KEY:
        return BOTH
    return DOCUMENT if field in own else DEFAULTS if field in shared else BUILT_IN
