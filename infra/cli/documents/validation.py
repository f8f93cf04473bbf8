"""Validation of documents as the function does it, offline too. Pure.

By its own model, with the defaults merged in, and all documents together.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

from ecr_public_pusher.configuration.allowed_roles import ACCOUNTS, AllowedRoles
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint
from ecr_public_pusher.configuration.endpoints import allowing
from ecr_public_pusher.configuration.loader import Configuration, Parameter, load
from ecr_public_pusher.configuration.schema import (
    ClusterDocument,
    DefaultsDocument,
    DiscoverDocument,
    validated,
)
from ecr_public_pusher.configuration.yaml_document import read_mapping
from ecr_public_pusher.errors import ConfigurationError, PusherError
from ecr_public_pusher.results import Namespace

from .document import DISCOVER, DocumentName
from .limits import STANDARD_BYTES, refusal
from .problem import Problem, line_of, problems_of
from .regions import known_regions

OFFLINE_REGION = "us-east-1"


@dataclass(frozen=True)
class TargetStack:
    """The stack that documents are validated for.

    None stands for unknown: with `allowed_endpoints` None every endpoint passes, with a note, and
    `allowed_roles` likewise; with `region` None a discovery may name regions of every partition.
    """

    root: str = "/ecr-public-pusher"
    region: str | None = None
    account: str = ""
    allowed_endpoints: Sequence[str] | None = None
    allowed_roles: AllowedRoles | None = None

    def load(self, texts: Mapping[DocumentName, str]) -> Configuration:
        """Return the configuration that the documents make.

        Raise ConfigurationError for invalid defaults.
        """
        parameters = [Parameter(name.parameter(self.root), text) for name, text in texts.items()]
        allowed = self.allowed_endpoints if self.allowed_endpoints is not None else _entries(texts)
        return load(
            parameters,
            root=self.root,
            region=self.region or OFFLINE_REGION,
            account=self.account,
            allowed_endpoints=allowed,
            allowed_roles=self.allowed_roles,
            regions=(
                known_regions(self.region) if any(name.folder == DISCOVER for name in texts) else ()
            ),
        )


@dataclass(frozen=True)
class Document:
    """A document to validate. `where` names its place, `limit` is its parameter's, in bytes."""

    text: str = field(repr=False)
    where: str
    limit: int = STANDARD_BYTES


@dataclass(frozen=True)
class Validation:
    """The outcome: `problems`, which the function would refuse, and `notes` on likely mistakes."""

    configuration: Configuration
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def validate_documents(
    documents: Mapping[DocumentName, Document], target: TargetStack
) -> Validation:
    """Validate the documents together, as one stack's configuration."""
    texts = {name: document.text for name, document in documents.items()}
    problems = [problem for name in sorted(documents) if (problem := _unstorable(documents[name]))]
    try:
        configuration = target.load(texts)
    except ConfigurationError as error:
        return Validation(
            Configuration(), (*problems, *_without_defaults(documents, error, target))
        )
    for cluster, refused in configuration.invalid.items():
        name = DocumentName.of_clusters(cluster)
        problems += _problems(name, documents[name], refused, target)
    no_regions, doubtful = _unknown_regions(documents, configuration, target)
    return Validation(
        configuration,
        (*problems, *no_regions),
        (*_notes(documents, configuration, target), *doubtful),
    )


def _unstorable(document: Document) -> Problem | None:
    refused = refusal(document.text, limit=document.limit)
    return Problem(document.where, refused[0], refused[2], remedy=refused[1]) if refused else None


def _problems(
    name: DocumentName, document: Document, error: PusherError, target: TargetStack
) -> list[Problem]:
    if not document.text.strip():
        return []  # reported already
    found = problems_of(
        error, where=document.where, parameter=name.parameter(target.root), text=document.text
    )
    return [
        replace(problem, message=problem.message.removeprefix(f"{name.id}: ")) for problem in found
    ]


def _without_defaults(
    documents: Mapping[DocumentName, Document], error: PusherError, target: TargetStack
) -> list[Problem]:
    """Return the defaults' problems, and those that other documents have without them."""
    found = _problems(DocumentName.defaults(), documents[DocumentName.defaults()], error, target)
    for name in sorted(documents.keys() - {DocumentName.defaults()}):
        parameter = name.parameter(target.root)
        text = documents[name].text
        model: type[DefaultsDocument] = (
            DiscoverDocument if name.folder == DISCOVER else ClusterDocument
        )
        try:
            validated(model, read_mapping(text, parameter=parameter), parameter)
        except PusherError as own:
            found += _problems(name, documents[name], own, target)
    return found


def _entries(texts: Mapping[DocumentName, str]) -> list[str]:
    """Return the entries of AllowedEndpoints that admit every endpoint in the documents."""
    return [allowing(endpoint) for text in texts.values() if (endpoint := _endpoint(text))]


def _endpoint(text: str) -> str:
    try:
        endpoint = read_mapping(text, parameter="").get("endpoint")
        return normal_endpoint(endpoint) if isinstance(endpoint, str) else ""
    except (PusherError, ValueError):
        return ""


def _notes(
    documents: Mapping[DocumentName, Document], configuration: Configuration, target: TargetStack
) -> list[Problem]:
    where = {
        name.id: document.where for name, document in documents.items() if name.clusters == name.id
    }
    enabled = sorted(
        (config for config in configuration.clusters if config.enabled),
        key=lambda config: config.id,
    )
    notes = []
    for first, second in combinations(enabled, 2):
        if first.target == second.target:
            for one, other in product(_secrets(first), _secrets(second)):
                if one.secret_name == other.secret_name:
                    notes += _overlap(one, other, where[second.id])
    if target.allowed_endpoints is None:
        notes += [
            Problem(
                where[config.id],
                f"unknown whether AllowedEndpoints names {allowing(config.server.endpoint)}",
                remedy="Give --allowed-endpoints or --stack.",
            )
            for config in configuration.clusters
            if config.server is not None
        ]
    if target.allowed_roles is None:
        for config in configuration.clusters:
            notes += _accounts(config, documents[DocumentName.cluster(config.id)].where)
        for discovery in configuration.discoveries:
            name = DocumentName(DISCOVER, discovery.id)
            notes += _accounts(discovery.settings, documents[name].where)
    return notes


def _unknown_regions(
    documents: Mapping[DocumentName, Document], configuration: Configuration, target: TargetStack
) -> tuple[list[Problem], list[Problem]]:
    """Return problems and notes on regions that this release does not know.

    A new region has another number, or begins with another area. One whose direction no region has
    (`eu-centrall-1`) cannot be.
    """
    given = [
        (config, region)
        for config in configuration.clusters
        for region in (config.region, *(one.region for one in config.private_registries))
        if region != (target.region or OFFLINE_REGION)
    ]
    known = known_regions(None) if given else frozenset()
    directions = {_direction(region) for region in known}
    problems = list[Problem]()
    notes = list[Problem]()
    for config, region in given:
        if region in known:
            continue
        document = documents[DocumentName.cluster(config.id)]
        close = difflib.get_close_matches(region, sorted(known), n=1)
        problem = Problem(
            document.where,
            f"AWS has no region {region}{f' (did you mean {close[0]}?)' if close else ''}",
            line_of(document.text, ("region",)) if region == config.region else None,
            "region" if region == config.region else "registries",
            "Correct it, unless the region is newer than this release.",
        )
        (notes if _direction(region) in directions else problems).append(problem)
    return problems, notes


def _direction(region: str) -> str:
    """Return the word before the number."""
    return region.rsplit("-", 2)[-2]


def _accounts(config: ClusterConfig, where: str) -> list[Problem]:
    """Return a note on the accounts of a document's roles, which may not be allowed."""
    arns = [config.role_arn, *(registry.role_arn for registry in config.private_registries)]
    accounts = sorted({arn.split(":")[4] for arn in arns if arn})
    said = f"unknown whether {ACCOUNTS} allows {', '.join(accounts)}"
    remedy = "Give --allowed-accounts or --stack."
    return [Problem(where, said, remedy=remedy)] if accounts else []


def _secrets(config: ClusterConfig) -> tuple[ClusterConfig, ...]:
    """Return the settings of every Secret of a document."""
    return (config, *config.of_repositories)


def _overlap(first: ClusterConfig, second: ClusterConfig, where: str) -> list[Problem]:
    """Return a note on namespaces that both documents select for one cluster and Secret.

    The second document's are conflicts.
    """
    shared = [
        name
        for name in second.selection.names
        if first.selection.selector is None and first.selection.selects(Namespace(name))
    ]
    if not shared:
        return []
    what = f"{second.secret_name} in " if second.repository else ""
    said = (
        f"{what}{', '.join(shared[:5])}{', ...' if len(shared) > 5 else ''} of {second.cluster}:"
        f" the document {first.id} selects that too, and keeps it"
    )
    return [
        Problem(
            where,
            said,
            field="argocd" if second.repository else "namespaces",
            remedy=(
                f"Remove the repository {second.secret_name} from one of the two, or give its"
                " Secrets different names."
                if second.repository
                else "Exclude it from one of the two, or give them different secretNames."
            ),
        )
    ]
