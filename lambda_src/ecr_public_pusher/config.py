"""The configuration documents: their model, their defaults, how they merge, and what is said when one is bad."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from ecr_public_pusher import selectors
from ecr_public_pusher.documents import Plain, read_mapping
from ecr_public_pusher.errors import BadDocument, ConfigurationError, PusherError
from ecr_public_pusher.namespaces import Selection
from ecr_public_pusher.patterns import check_namespace, check_service_account

DEFAULT_SECRET_NAME = "ecr-public-token"  # the archived CronJob's, so that Pods keep their imagePullSecrets

# Ours, whatever a document says: what tells our Secrets from other people's.
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
ANNOTATION_PREFIX = "ecr-public-pusher/"

_REFERENCE = "See the README's configuration reference; `aws ssm put-parameter --overwrite` writes the mended document."
_ID = re.compile(r"[A-Za-z0-9_.-]+")


def _pattern_list(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _selection_mapping(value: Any) -> Any:
    """A list, or a space-delimited string (as the CronJob's TARGET_NAMESPACES), is short for `include`."""
    return value if isinstance(value, dict) else {"include": _pattern_list(value)}


def _label_selector(text: str) -> str:
    selectors.parse(text)
    return text


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if key == MANAGED_BY_LABEL:
            raise ValueError(f"'{key}' is set by ecr-public-pusher itself")
        if not selectors.LABEL_KEY.fullmatch(key):
            raise ValueError(f"'{key[:80]}' is no label key")
        if not selectors.LABEL_VALUE.fullmatch(value):
            raise ValueError(f"the value of '{key}' is no label value (at most 63 letters, digits, '-', '_', '.')")
    return labels


def _annotations(annotations: dict[str, str]) -> dict[str, str]:
    for key in annotations:
        if key.startswith(ANNOTATION_PREFIX):
            raise ValueError(f"'{key[:80]}': the prefix {ANNOTATION_PREFIX} is ecr-public-pusher's own")
        if not selectors.LABEL_KEY.fullmatch(key):
            raise ValueError(f"'{key[:80]}' is no annotation key")
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
    labels: Annotated[dict[str, str], AfterValidator(_labels)] = {}
    annotations: Annotated[dict[str, str], AfterValidator(_annotations)] = {}


class ClusterDocument(DefaultsDocument):
    """`<root>/clusters/<id>`: one cluster."""

    # Source: EKS CreateCluster, `name`
    cluster: Annotated[str, Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", description="EKS cluster name")] | None = None
    enabled: bool = True


@dataclass(frozen=True)
class ClusterConfig:
    """One cluster's settings, defaults merged in."""

    id: str
    cluster: str
    region: str
    selection: Selection
    role_arn: str | None = None
    external_id: str | None = None
    enabled: bool = True
    secret_name: str = DEFAULT_SECRET_NAME
    service_accounts: tuple[str, ...] = ()
    take_ownership: bool = False
    prune: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    function_account: str = ""

    @property
    def target(self) -> tuple[str, str, str]:
        """What makes two documents mean the same EKS cluster: account (the role's, or the function's), region, name."""
        return (self.role_arn.split(":")[4] if self.role_arn else self.function_account, self.region, self.cluster)


@dataclass(frozen=True)
class Parameter:
    """One parameter: its full name, and its text or why it could not be read."""

    name: str
    text: str = field(repr=False, default="")
    error: PusherError | None = None


@dataclass(frozen=True)
class Configuration:
    """All documents: good ones as settings, bad ones as errors by id, and parameters nobody knows."""

    clusters: tuple[ClusterConfig, ...] = ()
    bad: Mapping[str, PusherError] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def unconfigured(self) -> bool:
        return not (self.clusters or self.bad or self.unknown)


def build(parameters: Iterable[Parameter], *, root: str, region: str, account: str = "") -> Configuration:
    """The configuration that the parameters under `root` make. `region`, `account`: the function's, for documents that name none.

    Raises ConfigurationError for a bad `<root>/defaults`: then nothing can be trusted.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    shared = by_name.pop(f"{root}/defaults", None)
    defaults = _defaults(shared) if shared else {}
    clusters: list[ClusterConfig] = []
    bad: dict[str, PusherError] = {}
    unknown: list[str] = []
    for name in sorted(by_name):
        identity = cluster_id(name, root=root)
        if identity is None:
            unknown.append(name)
            continue
        try:
            clusters.append(_cluster(by_name[name], identity, defaults, region, account))
        except PusherError as error:
            bad[identity] = error
    return Configuration(tuple(clusters), bad, tuple(unknown))


def cluster_id(parameter: str, *, root: str) -> str | None:
    """The `<id>` of a parameter named `<root>/clusters/<id>`; None for any other name."""
    prefix = f"{root}/clusters/"
    identity = parameter.removeprefix(prefix)
    return identity if parameter.startswith(prefix) and _ID.fullmatch(identity) else None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a cluster document, for editors."""
    return ClusterDocument.model_json_schema(by_alias=True)


def _defaults(parameter: Parameter) -> dict[str, Any]:
    try:
        return _fields(DefaultsDocument, parameter)
    except PusherError as error:
        raise ConfigurationError(f"{error.message} (nothing was written: every cluster builds on the defaults)", remedy=error.remedy) from None


def _cluster(parameter: Parameter, identity: str, defaults: Mapping[str, Any], region: str, account: str) -> ClusterConfig:
    own = _fields(ClusterDocument, parameter)
    merged = {**defaults, **own}
    for name in ("labels", "annotations"):
        merged[name] = {**defaults.get(name, {}), **own.get(name, {})}
    document = _validated(ClusterDocument, {"cluster": identity, "region": region, **merged}, parameter.name)
    if document.namespaces is None:
        raise _bad(parameter.name, "namespaces", "required here or in the defaults: names, globs, or {include, exclude, selector}")
    if document.external_id and not document.role_arn:
        raise _bad(parameter.name, "externalId", "means nothing without roleArn")
    chosen = document.namespaces
    return ClusterConfig(
        id=identity,
        cluster=document.cluster or identity,
        region=document.region or region,
        selection=Selection(chosen.include, chosen.exclude, chosen.selector),
        role_arn=document.role_arn,
        external_id=document.external_id,
        enabled=document.enabled,
        secret_name=document.secret_name,
        service_accounts=document.service_accounts,
        take_ownership=document.take_ownership,
        prune=document.prune,
        labels=document.labels,
        annotations=document.annotations,
        function_account=account,
    )


def _fields(model: type[DefaultsDocument], parameter: Parameter) -> dict[str, Any]:
    """The fields a document sets, as written, after the model has found them good."""
    if parameter.error is not None:
        raise parameter.error
    plain: dict[str, Plain] = read_mapping(parameter.text, parameter=parameter.name)
    _validated(model, plain, parameter.name)
    return dict(plain)


def _validated[M: DefaultsDocument](model: type[M], plain: Mapping[str, Any], parameter: str) -> M:
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        said = [
            _complaint(model, found["loc"], found["type"], found["msg"], found.get("ctx", {}))
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise BadDocument(f"{parameter}: {'; '.join(said[:5])}"[:1000], remedy=_REFERENCE) from None


def _complaint(model: type[DefaultsDocument], loc: tuple[Any, ...], kind: str, message: str, context: Mapping[str, Any]) -> str:
    name = ".".join(str(part)[:60] for part in loc) or "document"
    if kind == "extra_forbidden":
        known = [to_camel(known_name) for known_name in (NamespacesField if len(loc) > 1 else model).model_fields]
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"{name}: unknown field" + (f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})")
    return f"{name}: {message.removeprefix('Value error, ')}"


def _bad(parameter: str, name: str, what: str) -> BadDocument:
    return BadDocument(f"{parameter}: {name}: {what}", remedy=_REFERENCE)
