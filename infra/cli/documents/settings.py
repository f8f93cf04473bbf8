"""A document's settings with the defaults merged in, and where each comes from. Pure."""

from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.configuration.loader import NOT_DISCOVERED, merge_defaults, sign_in_type
from ecr_public_pusher.configuration.schema import CompleteDocument, DefaultsDocument, DiscoverDocument, validated
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls

from .document import DISCOVER, DocumentName

DOCUMENT, DEFAULTS, BOTH, BUILT_IN = "document", "defaults", "document and defaults", "built in"
_KEY_BY_KEY = ("labels", "annotations")


@dataclass(frozen=True)
class Setting:
    """One field. `origin`: the document, the defaults, both (labels and annotations), or built in."""

    field: str
    value: Any
    origin: str


def settings(name: DocumentName, text: str, defaults: str | None, *, region: str) -> list[Setting]:
    """Every field that has a value, in the order of the reference. Raises PusherError for an invalid document."""
    own, shared = _fields(text, str(name)), _fields(defaults, "defaults") if defaults is not None else {}
    model: type[DefaultsDocument] = DiscoverDocument if name.folder == DISCOVER else CompleteDocument
    if model is DiscoverDocument:
        shared = {field: value for field, value in shared.items() if field not in NOT_DISCOVERED}
    merged = merge_defaults(own, shared)
    cluster = {"cluster": name.id} if sign_in_type(merged) == "eks" else {}
    built_in: dict[str, Any] = {} if model is DiscoverDocument else {**cluster, "region": region}
    document = validated(model, {**built_in, **merged}, str(name))
    shown = document.model_dump(by_alias=True, mode="json", exclude_none=True)
    ordered = sorted(shown, key=lambda field: (field not in ("cluster", "regions", "tags", "endpoint"), list(shown).index(field)))
    return [Setting(field, shown[field], _origin(field, own, shared)) for field in ordered if shown[field] not in ([], {})]


def _fields(text: str, parameter: str) -> dict[str, Any]:
    return dict(without_nulls(read_mapping(text, parameter=parameter)))


def _origin(field: str, own: dict[str, Any], shared: dict[str, Any]) -> str:
    if field in own and field in shared and field in _KEY_BY_KEY:
        return BOTH
    return DOCUMENT if field in own else DEFAULTS if field in shared else BUILT_IN
