"""The model of the configuration documents: their fields, and the errors of invalid ones. Pure."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from ecr_public_pusher.configuration.endpoint_form import path_of
from ecr_public_pusher.configuration.field_types import (
    MOST_REGIONS,
    Account,
    Annotations,
    Boolean,
    CertificateAuthority,
    ClusterId,
    ClusterName,
    Endpoint,
    ExternalId,
    GoogleProvider,
    GoogleServiceAccount,
    Labels,
    NamespaceName,
    Namespaces,
    Region,
    Regions,
    RepositoryUrl,
    RoleArn,
    SecretArn,
    SecretName,
    Selector,
    ServiceAccounts,
    SomeNamespaces,
    SomeServiceAccounts,
    Tags,
)
from ecr_public_pusher.configuration.names import delimiter_hint
from ecr_public_pusher.errors import DocumentProblem, InvalidDocument

# The archived CronJob's, so that Pods keep their imagePullSecrets.
DEFAULT_SECRET_NAME = "ecr-public-token"

# The beginning of the remedy for an invalid document.
REFERENCE = "See docs/configuration.md, and write the corrected document"


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_not_given(cls, given: Any) -> Any:
        """Drop nulls of known fields; a null of an unknown one stays, to be refused."""
        known = {field.alias for field in cls.model_fields.values()}
        return (
            {name: value for name, value in given.items() if value is not None or name not in known}
            if isinstance(given, dict)
            else given
        )


_INCLUDE = "Names and globs (a list, or one string separated by spaces)."
_EXCLUDE = "Names and globs that are never selected."


class _SelectionField(_Model):
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    selector: Selector | None = Field(None, description="Label selector, as for kubectl's `-l`.")

    @model_validator(mode="after")
    def _selects_something(self) -> "_SelectionField":
        if not self.include and self.selector is None:
            raise ValueError("selects nothing: give names or globs ('*' for all), or a selector")
        return self


class NamespacesField(_SelectionField):
    """The namespaces that get the Secret.

    They are those in `include` (all, where only `selector` is given) that match `selector`, without
    those in `exclude`.
    """

    include: SomeNamespaces = Field((), description=_INCLUDE)
    exclude: Namespaces = Field((), description=_EXCLUDE)


class ServiceAccountsField(_SelectionField):
    """The ServiceAccounts whose imagePullSecrets get the Secret's name.

    They are those in `include` (all, where only `selector` is given) that match `selector`, without
    those in `exclude`.
    """

    include: SomeServiceAccounts = Field((), description=_INCLUDE)
    exclude: ServiceAccounts = Field((), description=_EXCLUDE)


def _selection(value: Any) -> Any:
    """Return a mapping; a list or a space-delimited string is short for `include`.

    The CronJob's TARGET_NAMESPACES is such a string.
    """
    return value if isinstance(value, dict) else {"include": value}


def _selection_or_none(value: Any) -> Any:
    """Return as `_selection` does, but None for an empty list or string, which selects nothing."""
    names = value.split() if isinstance(value, str) else value
    return None if names == [] else _selection(value)


Selected = Annotated[NamespacesField, BeforeValidator(_selection)]
SelectedAccounts = Annotated[ServiceAccountsField | None, BeforeValidator(_selection_or_none)]


class RegistryField(_Model):
    """A private ECR registry: its account and region, and the role that requests its token."""

    account: Account = Field(description="AWS account of the registry.")
    region: Region = Field(description="AWS region of the registry.")
    role_arn: RoleArn = Field(
        description=(
            "Role that may pull from the registry, and whose permissions the token has. Never the"
            " execution role."
        )
    )
    external_id: ExternalId | None = Field(
        None, description="External id with which `roleArn` is assumed."
    )


PUBLIC: Literal["public"] = "public"
MOST_REGISTRIES = 20


def _registries(value: Any) -> Any:
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list) or not value:
        raise ValueError(
            "expected a list of registries: public, and {account, region, roleArn} for private ones"
        )
    if len(value) > MOST_REGISTRIES:
        raise ValueError(
            f"at most {MOST_REGISTRIES} registries fit into one Secret, found {len(value)}"
        )
    if bad := next((item for item in value if item != PUBLIC and not isinstance(item, dict)), None):
        hint = delimiter_hint(bad, "registries") if isinstance(bad, str) else ""
        raise ValueError(
            f"{hint}expected public or a mapping {{account, region, roleArn}}, found"
            f" '{str(bad)[:80]}'"
        )
    return value


def _each_once(
    registries: tuple[RegistryField | Literal["public"], ...],
) -> tuple[RegistryField | Literal["public"], ...]:
    names = [
        PUBLIC if isinstance(one, str) else f"{one.account} in {one.region}" for one in registries
    ]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"the registry {twice} is given twice")
    return registries


# Distinguished by their form, so that an error is about that form only.
_Registry = Annotated[
    Annotated[RegistryField, Tag("private")] | Annotated[Literal["public"], Tag(PUBLIC)],
    Discriminator(lambda value: PUBLIC if isinstance(value, str) else "private"),
]
Registries = Annotated[
    tuple[_Registry, ...], BeforeValidator(_registries), AfterValidator(_each_once)
]


class RepositoryField(_Model):
    """A chart repository in ECR whose Secret Argo CD reads."""

    name: SecretName = Field(
        description="Name of the Secret, and (but for a template) of Argo CD's repository."
    )
    url: RepositoryUrl = Field(
        description=(
            "URL as in Applications: without a scheme for Helm charts, with `oci://` for Argo CD's"
            " OCI repositories. Its registry must be one of `registries`."
        )
    )
    template: Boolean = Field(
        False, description="true: credentials for all repositories whose URL starts with `url`."
    )

    @model_validator(mode="after")
    def _is_an_applications_url(self) -> "RepositoryField":
        """Refuse a URL that Argo CD would compare with an Application's, and never find."""
        if self.url.endswith("/") and not self.template:
            raise ValueError("url: only a template's may end with '/'")
        return self


# Each costs a push two requests.
MOST_REPOSITORIES = 20


def _repositories(value: Any) -> Any:
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(one, dict | RepositoryField) for one in value)
    ):
        raise ValueError("expected a list of repositories, each a mapping {name, url}")
    if len(value) > MOST_REPOSITORIES:
        raise ValueError(f"expected at most {MOST_REPOSITORIES} repositories, found {len(value)}")
    return value


def _other_names(repositories: tuple[RepositoryField, ...]) -> tuple[RepositoryField, ...]:
    names = [one.name for one in repositories]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"the name {twice} is given twice")
    return repositories


class ArgoCdField(_Model):
    """The repositories of an Argo CD that runs in the cluster."""

    namespace: NamespaceName = Field("argocd", description="Namespace in which Argo CD runs.")
    repositories: Annotated[
        tuple[RepositoryField, ...],
        BeforeValidator(_repositories),
        AfterValidator(_other_names),
    ] = Field(description="Repositories and templates whose Secrets are kept.")


type SignInType = Literal["eks", "iamAuthenticator", "webIdentity", "google", "kubeconfig"]

# The field that a kind requires beside its type, and that no other kind may have.
OWN_FIELDS: Mapping[SignInType, str | None] = {
    "eks": None,
    "iamAuthenticator": "clusterId",
    "webIdentity": None,
    "google": "provider",
    "kubeconfig": "secretArn",
}
# The field that only one kind may have, and does not require.
OPTIONAL_FIELDS: Mapping[str, SignInType] = {"serviceAccount": "google"}
# The kinds whose document gives the cluster's address.
NAMING_THE_SERVER: tuple[SignInType, ...] = ("iamAuthenticator", "webIdentity", "google")
# Those of them whose address has no path.
WITHOUT_PATH: tuple[SignInType, ...] = ("iamAuthenticator", "google")


class SignInField(_Model):
    """The way to sign in.

    One of `eks`, `iamAuthenticator` (with `clusterId`), `webIdentity`, `google` (with `provider`),
    and `kubeconfig` (with `secretArn`).
    """

    type: SignInType = Field(description="Kind of sign-in.")
    cluster_id: ClusterId | None = Field(
        None,
        description="With `iamAuthenticator`: the clusterID that aws-iam-authenticator runs with.",
    )
    secret_arn: SecretArn | None = Field(
        None,
        description="With `kubeconfig`: complete ARN of its secret in Secrets Manager.",
    )
    provider: GoogleProvider | None = Field(
        None,
        description="With `google`: full name of the workload identity provider.",
    )
    service_account: GoogleServiceAccount | None = Field(
        None,
        description="With `google`: email of the service account to sign in as; the federated"
        " identity itself if absent.",
    )

    @model_validator(mode="after")
    def _has_its_own_fields(self) -> "SignInField":
        given = {
            "clusterId": self.cluster_id,
            "secretArn": self.secret_arn,
            "provider": self.provider,
            "serviceAccount": self.service_account,
        }
        for kind, name in OWN_FIELDS.items():
            if name and (given[name] is not None) is not (self.type == kind):
                raise ValueError(
                    f"{name}: required with type {kind}, and not allowed with any other"
                )
        for name, only in OPTIONAL_FIELDS.items():
            if given[name] is not None and self.type != only:
                raise ValueError(f"{name}: allowed with type {only} only")
        return self


# The fields that are mappings with fields of their own, or lists of such mappings.
NESTED: Mapping[str, type[BaseModel]] = {
    "argocd": ArgoCdField,
    "namespaces": NamespacesField,
    "serviceAccounts": ServiceAccountsField,
    "registries": RegistryField,
    "repositories": RepositoryField,  # of argocd
    "signIn": SignInField,
}


def _sign_in_field(value: Any) -> Any:
    if isinstance(value, dict | SignInField) or value is None:
        return value
    raise ValueError(
        "expected a mapping with a type, like {type: webIdentity}, found"
        f" {'a list' if isinstance(value, list) else 'a single value'}"
    )


def _argo_cd(value: Any) -> Any:
    if isinstance(value, dict | ArgoCdField) or value is None:
        return value
    raise ValueError("expected a mapping {namespace, repositories}")


class DefaultsDocument(_Model):
    """Settings for all clusters, in the parameter `<root>/defaults`.

    It takes every field of a cluster's document but `cluster` and `enabled`.
    """

    region: Region | None = Field(
        None,
        description=(
            "AWS region of the EKS cluster; the function's own if absent. With `iamAuthenticator`:"
            " the region of the STS endpoint in the token. Ignored otherwise."
        ),
    )
    role_arn: RoleArn | None = Field(
        None,
        description=(
            "Role to assume for EKS and for signing in (or for reading the kubeconfig's secret),"
            " usually in another account."
        ),
    )
    external_id: ExternalId | None = Field(
        None, description="External id with which `roleArn` is assumed."
    )
    namespaces: Selected | None = Field(
        None,
        description=(
            "Namespaces that get the Secret: names and globs, or {include, exclude, selector}."
        ),
    )
    registries: Registries = Field(
        (PUBLIC,), description="Registries that the Secret signs in to: public, and private ones."
    )
    secret_name: SecretName = Field(DEFAULT_SECRET_NAME, description="Name of the Secret.")
    service_accounts: SelectedAccounts = Field(
        None,
        description=(
            "ServiceAccounts whose imagePullSecrets get the Secret's name: names and globs, or"
            " {include, exclude, selector}."
        ),
    )
    take_ownership: Boolean = Field(
        False, description="Take over a Secret of that name that somebody else manages."
    )
    prune: Boolean = Field(
        False, description="Delete our Secret from namespaces that are no longer selected."
    )
    allow_empty: Boolean = Field(
        False,
        description="Accept that globs and selectors select no namespace at all, instead of failing"
        " the cluster.",
    )
    labels: Labels = Field({}, description="Labels of the Secret.")
    annotations: Annotations = Field({}, description="Annotations of the Secret.")
    argocd: Annotated[ArgoCdField | None, BeforeValidator(_argo_cd)] = Field(
        None, description="Repository Secrets of Argo CD to keep: {namespace, repositories}."
    )
    endpoint: Endpoint | None = Field(
        None,
        description=(
            "For a cluster that is not EKS: its API server's https address. With `webIdentity` it"
            " may have a path."
        ),
    )
    certificate_authority: CertificateAuthority | None = Field(
        None, description="The endpoint's certificate authority in PEM; the public ones if absent."
    )
    sign_in: Annotated[SignInField | None, BeforeValidator(_sign_in_field)] = Field(
        None, description="How to sign in to the cluster; as to EKS if absent."
    )


class ClusterDocument(DefaultsDocument):
    """One cluster's settings, in a parameter `<root>/clusters/<id>`.

    Absent fields come from the defaults.
    """

    cluster: ClusterName | None = Field(
        None, description="EKS cluster name; the document's id if absent."
    )
    enabled: Boolean = Field(True, description="false: the cluster is reported as skipped.")

    @model_validator(mode="after")
    def _own_sign_in_takes_the_fields(self) -> "ClusterDocument":
        """Check the document's own fields only: absent ones may come from the defaults."""
        if self.sign_in is not None:
            _check_taken(self, self.sign_in.type)
        return self

    @model_validator(mode="after")
    def _external_id_has_its_role(self) -> "ClusterDocument":
        _check_external_id(self)
        return self


def _check_external_id(document: DefaultsDocument) -> None:
    if document.external_id and not document.role_arn:
        raise ValueError("externalId: belongs to a roleArn, which must be in the same document")


class CompleteDocument(ClusterDocument):
    """A cluster's document with the defaults merged in: now every required field must be there."""

    @property
    def sign_in_type(self) -> SignInType:
        """The kind of sign-in; `eks` where none is given."""
        return self.sign_in.type if self.sign_in else "eks"

    @model_validator(mode="after")
    def _sign_in_takes_and_has_its_fields(self) -> "CompleteDocument":
        _check_taken(self, self.sign_in_type)
        if self.sign_in_type in NAMING_THE_SERVER and self.endpoint is None:
            raise ValueError(f"endpoint: required where signIn is {self.sign_in_type}")
        return self


def _check_taken(document: ClusterDocument, kind: SignInType) -> None:
    """Raise ValueError for a field that the kind of sign-in does not take.

    Tokens for EKS clusters are sent only to the address that EKS gives.
    """
    if kind not in NAMING_THE_SERVER and (
        document.endpoint is not None or document.certificate_authority is not None
    ):
        source = (
            "EKS provides them for its clusters" if kind == "eks" else "the kubeconfig has them"
        )
        raise ValueError(
            f"endpoint and certificateAuthority: {source}; they belong to signIn"
            f" {', '.join(NAMING_THE_SERVER[:-1])} and {NAMING_THE_SERVER[-1]}"
        )
    if kind in WITHOUT_PATH and path_of(document.endpoint or ""):
        raise ValueError(
            "endpoint: only signIn webIdentity allows one with a path; a kubeconfig's server may"
            " have one, too"
        )
    if kind != "eks" and document.cluster is not None:
        raise ValueError(
            f"cluster: the name of an EKS cluster, to which signIn {kind} does not sign in"
        )


class DiscoverDocument(DefaultsDocument):
    """Many EKS clusters, found by their tags, in a parameter `<root>/discover/<id>`.

    It takes any field of the defaults but `region`.
    """

    regions: Regions = Field(
        description=(
            f"AWS regions of the function's partition to look in, {MOST_REGIONS} at most (a"
            " list, or one string separated by spaces)."
        )
    )
    tags: Tags = Field(description="Tags that a cluster must have, each with a value or a glob.")

    @model_validator(mode="after")
    def _finds_eks_clusters_in_regions(self) -> "DiscoverDocument":
        _check_external_id(self)
        if self.region is not None:
            raise ValueError("region: a discovery has `regions` instead")
        if (
            self.sign_in is not None
            or self.endpoint is not None
            or self.certificate_authority is not None
        ):
            raise ValueError(
                "signIn, endpoint and certificateAuthority: a discovery finds EKS clusters,"
                " and EKS provides them"
            )
        return self


def correction(parameter: str) -> str:
    """Return the remedy for an invalid document. `parameter`: its full name.

    REGION in it is the function's region.
    """
    return (
        f"{REFERENCE}: `aws ssm put-parameter --overwrite --region REGION --name {parameter}"
        " --value file://DOCUMENT`."
    )


def validated[M: DefaultsDocument](model: type[M], plain: Mapping[str, Any], parameter: str) -> M:
    """Return the document that the plain fields make.

    Raise InvalidDocument naming `parameter`, the fields and what is expected.
    """
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = tuple(
            DocumentProblem(
                _complaint(model, one["loc"], one["type"], one["msg"]), _path(one["loc"])
            )
            for one in found
        )
        said = "; ".join(problem.message for problem in problems[:5])
        raise InvalidDocument(
            f"{parameter}: {said}"[:1000], remedy=correction(parameter), problems=problems
        ) from None


def _path(loc: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the field's place in the document, without the tags that distinguish registries."""
    return tuple(str(part)[:60] for part in loc if part not in ("private", PUBLIC))


def _complaint(model: type[DefaultsDocument], loc: tuple[Any, ...], kind: str, message: str) -> str:
    name = ".".join(_path(loc))
    if kind == "extra_forbidden":
        inner = next((NESTED[part] for part in reversed(loc[:-1]) if part in NESTED), model)
        known = [to_camel(known_name) for known_name in inner.model_fields]
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"{name}: unknown field" + (
            f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})"
        )
    said = "required" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{name}: {said}".removeprefix(": ")
