"""The configuration, made of the documents under one path. Pure.

Here documents are told from unknown parameters, defaults are merged, and invalid documents are
found.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ecr_public_pusher.configuration.account_selector import NO_ACCOUNTS, AccountSelection
from ecr_public_pusher.configuration.allowed_roles import AllowedRoles
from ecr_public_pusher.configuration.claims import Claim, claim_of
from ecr_public_pusher.configuration.cluster_config import (
    ClusterConfig,
    Eks,
    Google,
    IamAuthenticator,
    PrivateRegistry,
    Repository,
    Server,
    SignInChoice,
    StoredKubeconfig,
    WebIdentity,
)
from ecr_public_pusher.configuration.endpoints import (
    allowing,
    ask_the_owner,
    is_allowed,
    not_allowed,
)
from ecr_public_pusher.configuration.field_types import CLUSTER_NAME
from ecr_public_pusher.configuration.names import matches
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.parameter_names import EVERY, pushed_by
from ecr_public_pusher.configuration.repository_url import location_of
from ecr_public_pusher.configuration.schema import (
    NAMING_THE_SERVER,
    PUBLIC,
    ArgoCdField,
    ClusterDocument,
    CompleteDocument,
    DefaultsDocument,
    DiscoverDocument,
    correction,
    validated,
)
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import (
    CannotBeJudged,
    ConfigurationError,
    DocumentProblem,
    InternalError,
    InvalidDocument,
    PusherError,
)

_CLUSTER_ID = ("signIn", "clusterId")
# Fields of a document that its cluster's settings have under the same name, as they are written.
_AS_WRITTEN = tuple(
    one.name
    for one in fields(ClusterConfig)
    if one.name in DefaultsDocument.model_fields
    and one.name not in ("region", "sign_in", "service_accounts")
)


@dataclass(frozen=True)
class Parameter:
    """One parameter: its full name, and its text or the reason why it could not be read."""

    name: str
    text: str = field(repr=False, default="")
    error: PusherError | None = None


@dataclass(frozen=True)
class Discovery:
    """A document for many EKS clusters: the regions to look in, the role to look as, and the tags.

    `settings`: the settings of each cluster that is found.
    """

    id: str
    regions: tuple[str, ...]
    tags: Mapping[str, str]
    settings: ClusterConfig

    @property
    def every(self) -> str:
        """The glob of all clusters that it finds; also the id of its failure as a whole."""
        return f"{self.id}/*"

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Return whether a cluster with these tags matches."""
        return all(
            key in tags and matches(pattern, tags[key]) for key, pattern in self.tags.items()
        )

    def cluster(self, region: str, name: str) -> ClusterConfig:
        """Return the settings of a cluster that was found."""
        return replace(self.settings, id=f"{self.id}/{region}/{name}", cluster=name, region=region)


@dataclass(frozen=True)
class Configuration:
    """All documents: valid ones as settings, invalid ones as errors by id, and unknown parameters.

    `claimed`: the readable claims of invalid documents, and of those whose region is unknown; no
    discovery takes over their clusters.
    `left_to_documents`: the ids of clusters that a discovery found and that a document of their own
    names.
    """

    clusters: tuple[ClusterConfig, ...] = ()
    invalid: Mapping[str, PusherError] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    discoveries: tuple[Discovery, ...] = ()
    claimed: tuple[Claim, ...] = ()
    left_to_documents: tuple[str, ...] = ()

    @property
    def unconfigured(self) -> bool:
        """Return whether there is nothing at all under the path."""
        return not (self.clusters or self.invalid or self.unknown or self.discoveries)


def load(
    parameters: Iterable[Parameter],
    *,
    root: str,
    region: str,
    account: str = "",
    allowed_endpoints: Sequence[str] = (),
    allowed_roles: AllowedRoles | None = None,
    regions: Collection[str] = (),
) -> Configuration:
    """Return the configuration that the parameters under `root` make.

    `region`, `account`: the function's, for documents that name none.
    `allowed_endpoints`: the hosts outside EKS, by name or glob, and their paths, that documents may
    name.
    `allowed_roles`: the roles that documents may name; None: not known, and so any.
    `regions`: the regions of the function's partition; empty where they are not known.

    Raise ConfigurationError for an invalid `<root>/defaults`: then nothing can be trusted.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    shared = by_name.pop(f"{root}/defaults", None)
    defaults = _defaults(shared) if shared else {}
    clusters: list[ClusterConfig] = []
    invalid: dict[str, PusherError] = {}
    unknown: list[str] = []
    discoveries: list[Discovery] = []
    claimed: list[Claim] = []
    for name in sorted(by_name):
        document_id = pushed_by(name, root=root)
        if document_id is None:
            unknown.append(name)
            claimed.append(
                _claim_of_unknown(by_name[name], root, defaults, region, account, regions)
            )
            continue
        try:
            if document_id.endswith(EVERY):
                discoveries.append(
                    _discovery(
                        by_name[name], document_id.removesuffix(EVERY), defaults, account, regions
                    )
                )
            else:
                clusters.append(_cluster(by_name[name], document_id, defaults, region, account))
        except PusherError as error:
            invalid[document_id] = error
        except Exception as error:  # noqa: BLE001 - a bug must fail its own document only
            invalid[document_id] = InternalError.from_exception(error)
        if document_id in invalid and not document_id.endswith(EVERY):
            claimed.append(_claim(by_name[name], document_id, defaults, region, account, regions))
    # The names that invalid documents claim count too: otherwise a token could sign in to such a
    # cluster while its document is being corrected.
    eks_names = {config.cluster for config in clusters if config.sign_in == Eks()}.union(
        *(claim.names for claim in claimed)
    )
    unread = tuple(claimed)
    # Discoveries first: an invalid one leaves it unknown whether it would find a clusterId's name.
    for discovery in discoveries:
        if allowed_roles and (refused_role := allowed_roles.refused(discovery.settings)):
            invalid[discovery.every] = refused_role
    for config in clusters:
        refused_role = allowed_roles.refused(config) if allowed_roles else None
        refusal = (
            refused_role
            or _refused(config, eks_names, allowed_endpoints)
            or _unjudged(config, unread, invalid)
        )
        if refusal:
            invalid[config.id] = refusal
            claim = Claim.of(config)
            # The role's account may be the mistake.
            claimed.append(replace(claim, account=None) if refused_role else claim)
        elif regions and config.sign_in == Eks() and config.region not in regions:
            claimed.append(replace(Claim.of(config), region=None))  # it may be a typo
    return Configuration(
        tuple(config for config in clusters if config.id not in invalid),
        invalid,
        tuple(unknown),
        tuple(discovery for discovery in discoveries if discovery.every not in invalid),
        tuple(claimed),
    )


def _defaults(parameter: Parameter) -> dict[str, Any]:
    try:
        return _fields(DefaultsDocument, parameter)
    except PusherError as error:
        raise ConfigurationError(
            f"{error.message} (nothing was written, because every cluster uses the defaults)",
            remedy=error.remedy,
            problems=error.problems,
        ) from None


def _cluster(
    parameter: Parameter, document_id: str, defaults: Mapping[str, Any], region: str, account: str
) -> ClusterConfig:
    own = _fields(ClusterDocument, parameter)
    merged = merge_defaults(own, defaults)
    named = {"cluster": document_id} if sign_in_type(merged) == "eks" else {}
    document = validated(CompleteDocument, {**named, **merged}, parameter.name)
    settings = _settings(
        parameter,
        document,
        document_id,
        document.cluster or document_id,
        document.region or region,
        account,
    )
    return replace(settings, enabled=document.enabled, sign_in=_sign_in(document))


def _sign_in(document: CompleteDocument) -> SignInChoice:
    own = document.sign_in
    if own and own.secret_arn:
        return StoredKubeconfig(own.secret_arn)
    if document.endpoint is None:
        return Eks()
    server = Server(document.endpoint, document.certificate_authority or "")
    if own and own.cluster_id:
        return IamAuthenticator(server, own.cluster_id)
    if own and own.provider:
        return Google(server, own.provider, own.service_account)
    return WebIdentity(server)


def _refused(
    config: ClusterConfig, eks_names: Collection[str], allowed_endpoints: Sequence[str]
) -> InvalidDocument | None:
    """Return the error of a document that is valid, but not allowed; else None.

    Its endpoint is not allowed, or its token would sign in to another cluster too.
    """
    if config.server is not None and not is_allowed(config.server.endpoint, allowed_endpoints):
        entry = allowing(config.server.endpoint)
        problem = DocumentProblem(
            f"endpoint: the stack's AllowedEndpoints does not name {entry}", ("endpoint",)
        )
        return InvalidDocument(
            f"{config.id}: endpoint: {not_allowed(config.server.endpoint)}",
            remedy=ask_the_owner(entry),
            problems=(problem,),
        )
    match config.sign_in:
        case IamAuthenticator(cluster_id=cluster_id) if cluster_id in eks_names:
            return names_an_eks_cluster(config.id, cluster_id)
    return None


def names_an_eks_cluster(document_id: str, cluster_id: str) -> InvalidDocument:
    """Return the error of a document whose clusterId is the name of a configured EKS cluster."""
    problem = DocumentProblem(
        f"signIn.clusterId: {cluster_id} is the name of an EKS cluster of another document",
        _CLUSTER_ID,
    )
    return InvalidDocument(
        f"{document_id}: {problem.message}, which the token would sign in to",
        remedy=(
            "Run aws-iam-authenticator with a clusterID that is not an EKS cluster's name: one with"
            " a dot never is."
        ),
        problems=(problem,),
    )


def is_eks_name(cluster_id: str) -> bool:
    """Return whether an EKS cluster can have that name: one with a dot cannot."""
    return re.fullmatch(CLUSTER_NAME.pattern, cluster_id) is not None


def _unjudged(
    config: ClusterConfig, claimed: Sequence[Claim], invalid: Mapping[str, PusherError]
) -> CannotBeJudged | None:
    """Return the error where it is unknown whether a token would sign in to another cluster too.

    That is where another document cannot be read.
    """
    if not isinstance(config.sign_in, IamAuthenticator) or not is_eks_name(
        cluster_id := config.sign_in.cluster_id
    ):
        return None
    claims = (claim for claim in claimed if claim.possible is None or cluster_id in claim.possible)
    discoveries = (Claim(one) for one in invalid if one.endswith(EVERY))
    claim = next(claims, None) or next(discoveries, None)
    if claim is None:
        return None
    why = f"{claim.source} {claim.fault}, and may refer to that cluster"
    return cannot_judge_cluster_id(config.id, cluster_id, why, remedy=first_correct(claim, invalid))


def first_correct(claim: Claim, invalid: Mapping[str, PusherError]) -> str:
    """Return the remedy for the text whose claim keeps something else from being done."""
    if not claim.intended:
        return f"First correct {claim.source}: {invalid[claim.document].remedy}"
    delete = f"aws ssm delete-parameter --region REGION --name {claim.document}"
    return f"First move {claim.source}: write it as {claim.intended}, and delete it: `{delete}`."


def cannot_judge_cluster_id(
    document_id: str, cluster_id: str, why: str, *, remedy: str
) -> CannotBeJudged:
    """Return the error of a document whose clusterId may be the name of an EKS cluster."""
    problem = DocumentProblem(
        f"signIn.clusterId: whether {cluster_id} is the name of an EKS cluster cannot be"
        f" determined now: {why}",
        _CLUSTER_ID,
    )
    return CannotBeJudged(
        f"{document_id}: {problem.message}; no token was sent",
        remedy=(f"{remedy} A clusterID with a dot avoids this: it is never an EKS cluster's name."),
        problems=(problem,),
    )


_SERVER_FIELDS = ("endpoint", "certificateAuthority")
# Defaults that do not apply to discovered clusters: these have a region, and EKS provides the rest.
NOT_DISCOVERED = ("region", "signIn", *_SERVER_FIELDS)


def _discovery(
    parameter: Parameter,
    document_id: str,
    defaults: Mapping[str, Any],
    account: str,
    regions: Collection[str],
) -> Discovery:
    merged = merge_defaults(
        _fields(DiscoverDocument, parameter),
        {name: value for name, value in defaults.items() if name not in NOT_DISCOVERED},
    )
    document = validated(DiscoverDocument, merged, parameter.name)
    if regions and (unknown := [region for region in document.regions if region not in regions]):
        raise _no_region(parameter.name, unknown, regions)
    settings = _settings(parameter, document, document_id, "", "", account)
    return Discovery(document_id, document.regions, document.tags, settings)


def _no_region(parameter: str, unknown: list[str], regions: Collection[str]) -> InvalidDocument:
    close = difflib.get_close_matches(unknown[0], sorted(regions), n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    said = f"the function's partition has no region {', '.join(unknown[:5])}{hint}"
    return InvalidDocument(
        f"{parameter}: regions: {said}",
        remedy=(
            f"{correction(parameter)} Is the region newer than this release? Until you upgrade,"
            " give its clusters documents of their own."
        ),
        problems=(DocumentProblem(f"regions: {said}", ("regions",)),),
    )


def _claim(
    parameter: Parameter,
    document_id: str,
    defaults: Mapping[str, Any],
    region: str,
    account: str,
    regions: Collection[str],
) -> Claim:
    text = parameter.text if parameter.error is None else None
    try:
        return claim_of(
            document_id, text, defaults=defaults, region=region, account=account, regions=regions
        )
    except Exception:  # noqa: BLE001 - a bug: nothing of the document is known
        return Claim.unreadable(document_id)


def _claim_of_unknown(
    parameter: Parameter,
    root: str,
    defaults: Mapping[str, Any],
    region: str,
    account: str,
    regions: Collection[str],
) -> Claim:
    """Return the claim of a parameter that is no document, but probably a cluster's, misnamed."""
    document_id = parameter.name.rpartition("/")[2]
    claim = _claim(parameter, document_id, defaults, region, account, regions)
    return claim.misplaced(parameter.name, intended=f"{root}/clusters/{document_id}")


def merge_defaults(own: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's fields, as written, over those of the defaults.

    Fields are replaced one by one, labels and annotations key by key. The defaults' endpoint
    applies only to clusters whose kind of sign-in takes one.
    """
    merged = {**defaults, **own}
    if sign_in_type(merged) not in NAMING_THE_SERVER:
        merged = {
            name: value
            for name, value in merged.items()
            if name in own or name not in _SERVER_FIELDS
        }
    for name in ("labels", "annotations"):
        merged[name] = {**defaults.get(name, {}), **own.get(name, {})}
    if "roleArn" not in merged:
        merged.pop("externalId", None)  # of the defaults, for clusters that have a role
    return merged


def sign_in_type(fields: Mapping[str, Any]) -> str:
    """Return the kind of sign-in that a document's fields, as written, result in."""
    sign_in = fields.get("signIn")
    return str(sign_in.get("type")) if isinstance(sign_in, Mapping) else "eks"


def _settings(
    parameter: Parameter,
    document: DefaultsDocument,
    document_id: str,
    cluster: str,
    region: str,
    account: str,
) -> ClusterConfig:
    if document.namespaces is None:
        raise _invalid(
            parameter.name,
            "namespaces",
            "required here or in the defaults: names, globs, or {include, exclude, selector}",
        )
    chosen = document.namespaces
    accounts = document.service_accounts
    settings = ClusterConfig(
        id=document_id,
        cluster=cluster,
        region=region,
        selection=Selection(chosen.include, chosen.exclude, chosen.selector),
        service_accounts=(
            AccountSelection(accounts.include, accounts.exclude, accounts.selector)
            if accounts
            else NO_ACCOUNTS
        ),
        function_account=account,
        public_registry=PUBLIC in document.registries,
        private_registries=tuple(
            PrivateRegistry(one.account, one.region, one.role_arn, one.external_id)
            for one in document.registries
            if not isinstance(one, str)
        ),
        **{name: getattr(document, name) for name in _AS_WRITTEN},
    )
    if document.argocd is None:
        return settings
    return replace(settings, repositories=_repositories(parameter, document.argocd, settings))


def _repositories(
    parameter: Parameter, argo_cd: ArgoCdField, settings: ClusterConfig
) -> tuple[Repository, ...]:
    """Return Argo CD's repositories, each with its registry, which must be the document's."""
    registries = {(one.account, one.region): one for one in settings.private_registries}
    found = []
    for one in argo_cd.repositories:
        where = location_of(one.url)
        if one.name == settings.secret_name:
            raise _invalid(
                parameter.name,
                "argocd",
                f"the repository {one.name} has the name of the pull Secret: choose another name,"
                " or another secretName",
            )
        if where is None and not settings.public_registry:
            raise _invalid(
                parameter.name,
                "argocd",
                f"the repository {one.name} is in ECR Public: add public to registries",
            )
        if where is not None and where not in registries:
            raise _invalid(
                parameter.name,
                "argocd",
                f"the repository {one.name} is in the registry {where}: add {{account:"
                f" '{where.account}', region: {where.region}, roleArn: ...}} to registries",
            )
        registry = None if where is None else registries[where]
        found.append(Repository(argo_cd.namespace, one.name, one.url, one.template, registry))
    return tuple(found)


def _fields(model: type[DefaultsDocument], parameter: Parameter) -> dict[str, Any]:
    """Return the fields that a document sets, as written, after validation."""
    if parameter.error is not None:
        raise parameter.error
    plain = read_mapping(parameter.text, parameter=parameter.name)
    validated(model, plain, parameter.name)
    return dict(without_nulls(plain))


def _invalid(parameter: str, name: str, what: str) -> InvalidDocument:
    return InvalidDocument(
        f"{parameter}: {name}: {what}",
        remedy=correction(parameter),
        problems=(DocumentProblem(f"{name}: {what}", (name,)),),
    )
