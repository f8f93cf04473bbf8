"""The model of the configuration documents: their fields, types and limits, and what is said of one that is invalid."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from ecr_public_pusher.configuration import label_selector
from ecr_public_pusher.configuration.names import check_namespace, check_service_account
from ecr_public_pusher.errors import InvalidDocument
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, MANAGED_BY_LABEL

DEFAULT_SECRET_NAME = "ecr-public-token"  # the archived CronJob's, so that Pods keep their imagePullSecrets

REFERENCE = "See the README's configuration reference; `aws ssm put-parameter --overwrite` writes the corrected document."


def _pattern_list(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _selection_mapping(value: Any) -> Any:
    """A list, or a space-delimited string (as the CronJob's TARGET_NAMESPACES), is short for `include`."""
    return value if isinstance(value, dict) else {"include": _pattern_list(value)}


def _label_selector(text: str) -> str:
    label_selector.parse(text)
    return text


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if key == MANAGED_BY_LABEL:
            raise ValueError(f"'{key}' is set by ecr-public-pusher itself")
        if not label_selector.LABEL_KEY.fullmatch(key):
            raise ValueError(f"'{key[:80]}' is not a label key")
        if not label_selector.LABEL_VALUE.fullmatch(value):
            raise ValueError(f"the value of '{key}' is not a label value (at most 63 letters, digits, '-', '_', '.')")
    return labels


def _annotations(annotations: dict[str, str]) -> dict[str, str]:
    for key in annotations:
        if key.startswith(ANNOTATION_PREFIX):
            raise ValueError(f"'{key[:80]}': the prefix {ANNOTATION_PREFIX} is ecr-public-pusher's own")
        if not label_selector.LABEL_KEY.fullmatch(key):
            raise ValueError(f"'{key[:80]}' is not an annotation key")
    return annotations


Patterns = Annotated[
    tuple[Annotated[str, AfterValidator(check_namespace)], ...], BeforeValidator(_pattern_list, json_schema_input_type=list[str] | str)
]
ServiceAccountPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(check_service_account)], ...], BeforeValidator(_pattern_list, json_schema_input_type=list[str] | str)
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True, validate_by_name=False)


class NamespacesField(_Model):
    """Which namespaces get the Secret: `include` (names and globs) ∩ `selector` − `exclude`."""

    include: Patterns = ()
    exclude: Patterns = ()
    selector: Annotated[str, Field(min_length=1), AfterValidator(_label_selector)] | None = None

    @model_validator(mode="after")
    def _selects_something(self) -> "NamespacesField":
        if not self.include and self.selector is None:
            raise ValueError("selects nothing: give names or globs ('*' for all), or a selector")
        return self


class DefaultsDocument(_Model):
    """`<root>/defaults`: every field but `cluster` and `enabled`, for all clusters."""

    region: Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$", description="AWS region of the cluster")] | None = None
    role_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$")] | None = None
    external_id: Annotated[str, Field(min_length=2, max_length=1224, pattern=r"^[A-Za-z0-9_+=,.@:/-]+$")] | None = None
    namespaces: Annotated[NamespacesField, BeforeValidator(_selection_mapping, json_schema_input_type=NamespacesField | list[str] | str)] | None = (
        None
    )
    secret_name: Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")] = (
        DEFAULT_SECRET_NAME
    )
    service_accounts: ServiceAccountPatterns = ()
    take_ownership: bool = False
    prune: bool = False
    allow_empty: bool = False
    labels: Annotated[dict[str, str], AfterValidator(_labels)] = {}
    annotations: Annotated[dict[str, str], AfterValidator(_annotations)] = {}


class ClusterDocument(DefaultsDocument):
    """`<root>/clusters/<id>`: one cluster."""

    # Source: EKS CreateCluster, `name`
    cluster: Annotated[str, Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", description="EKS cluster name")] | None = None
    enabled: bool = True


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a cluster document, for editors."""
    return ClusterDocument.model_json_schema(by_alias=True)


def validated[M: DefaultsDocument](model: type[M], plain: Mapping[str, Any], parameter: str) -> M:
    """The document that the plain fields make. Raises InvalidDocument naming `parameter`, the fields and what is expected."""
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        said = [
            _complaint(model, found["loc"], found["type"], found["msg"], found.get("ctx", {}))
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidDocument(f"{parameter}: {'; '.join(said[:5])}"[:1000], remedy=REFERENCE) from None


def _complaint(model: type[DefaultsDocument], loc: tuple[Any, ...], kind: str, message: str, context: Mapping[str, Any]) -> str:
    name = ".".join(str(part)[:60] for part in loc) or "document"
    if kind == "extra_forbidden":
        known = [to_camel(known_name) for known_name in (NamespacesField if len(loc) > 1 else model).model_fields]
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"{name}: unknown field" + (f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})")
    return f"{name}: {message.removeprefix('Value error, ')}"
