"""The claims that invalid documents keep on their clusters and Secrets until corrected. Pure.

A mistake in a document must not hand its cluster to another. So a part that cannot be read may mean
anything.
"""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Eks
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint
from ecr_public_pusher.configuration.field_types import (
    REGION,
    ROLE_ARN,
    SECRET_ARN,
    SECRET_NAME,
    Text,
)
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.schema import (
    DEFAULT_SECRET_NAME,
    NESTED,
    OWN_FIELDS,
    ClusterDocument,
    NamespacesField,
)
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import PusherError

# Characters that no EKS cluster's name has.
_BETWEEN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
# In a text that is not YAML: anything that looks like the field `cluster`, wherever it stands, and
# a field `region` at the beginning of a line.
_CLUSTER = re.compile(
    r"(?:^|[{,\s])[\"']?cluster[\"']?[ \t]*:[ \t]*[\"']?([0-9A-Za-z][A-Za-z0-9_-]*)", re.MULTILINE
)
# Escapes by which YAML and JSON may write a letter, or break a word: the words of the text are then
# not those of the document.
_ESCAPE = re.compile(r"\\[uUx\r\n]")
_REGION = re.compile(r"^[\"']?region[\"']?[ \t]*:[ \t]*[\"']?([a-z0-9-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Claim:
    """The cluster and the Secrets that a document may mean.

    A part that is None may be anything: it cannot be read, or may be misspelt.

    `document`: its id.
    `names`: names of EKS clusters.
    `possible`: words of the document that may be such a name; None: any name.
    `server`: where the cluster is not EKS's, its endpoint or the ARN of its kubeconfig's secret, as
    in ClusterConfig.target.
    `secret_name`, `selection`: which Secrets.
    `intended`: for a parameter that is no document, the name under which it would be one;
    `document` is then its full name.
    """

    document: str
    names: frozenset[str] = frozenset()
    possible: frozenset[str] | None = frozenset()
    account: str | None = None
    region: str | None = None
    server: str | None = None
    secret_name: str | None = None
    selection: Selection | None = None
    intended: str = ""

    @classmethod
    def unreadable(cls, document_id: str) -> Self:
        """Return the claim of a document of which only the id is known.

        The id is its cluster's name unless it names another.
        """
        return cls(document_id, frozenset({document_id}), possible=None)

    @classmethod
    def of(cls, config: ClusterConfig) -> Self:
        """Return the claim of a document that can be read."""
        account, region, place = config.target
        claim = cls(config.id, secret_name=config.secret_name, selection=config.selection)
        if config.sign_in == Eks():
            return replace(claim, names=frozenset({place}), account=account, region=region)
        return replace(claim, server=place)

    def misplaced(self, parameter: str, *, intended: str) -> Self:
        """Return the claim of a parameter that is no document: its names are only possible ones."""
        possible = None if self.possible is None else self.possible | self.names
        return replace(
            self, document=parameter, names=frozenset(), possible=possible, intended=intended
        )

    @property
    def source(self) -> str:
        """The words by which a message refers to the text that claims."""
        return f"the {'parameter' if self.intended else 'document'} {self.document}"

    @property
    def fault(self) -> str:
        """The words for its fault, for messages."""
        return "is not a document" if self.intended else "is invalid"

    def names_cluster(self, config: ClusterConfig) -> bool:
        """Return whether the document names that EKS cluster."""
        return config.cluster in self.names and self._is_there(config)

    def may_name(self, config: ClusterConfig) -> bool:
        """Return whether the document may mean that EKS cluster, in a part that cannot be read."""
        return (self.possible is None or config.cluster in self.possible) and self._is_there(config)

    def _is_there(self, config: ClusterConfig) -> bool:
        account, region, _ = config.target
        return self.account in (None, account) and self.region in (None, region)


def claim_of(
    document_id: str,
    text: str | None,
    *,
    defaults: Mapping[str, Any],
    region: str,
    account: str,
    regions: Collection[str] = (),
) -> Claim:
    """Return the claim of an invalid document.

    `text`: None where it cannot be read. The other arguments are those of loader.load.
    """
    if text is None:
        return Claim.unreadable(document_id)
    try:
        said = without_nulls(read_mapping(text, parameter=document_id))
    except PusherError:
        return _of_scraps(document_id, text, regions)
    fields = {**defaults, **said}
    misspelt = list(_misspelt(said))

    def part(name: str, form: Text, otherwise: str) -> str | None:
        """Return the field's value, or `otherwise` where it is neither given nor maybe misspelt."""
        if name in fields:
            return _given(form, fields, name)
        return None if misspelt else otherwise

    kind = _kind(fields.get("signIn"))
    names = _words(said.get("cluster", ""))
    if not names and (kind in ("eks", None) or misspelt):
        names = frozenset({document_id})
    role = part("roleArn", ROLE_ARN, "")
    return Claim(
        document_id,
        names,
        _words(misspelt),
        account=role and role.split(":")[4] if role != "" else account,
        region=_known(part("region", REGION, region), regions),
        server=_server(fields),
        secret_name=part("secretName", SECRET_NAME, DEFAULT_SECRET_NAME),
        selection=_selection(fields.get("namespaces")),
    )


def _of_scraps(document_id: str, text: str, regions: Collection[str]) -> Claim:
    """Return the claim of a text that is not YAML: every word of it may be its cluster's name.

    Words after `cluster:` are taken as names. Since these may be a label or a comment, they exclude
    no other word.
    """
    names = frozenset(_CLUSTER.findall(text))
    where = _REGION.findall(text)
    # Within braces a line may begin with a registry's region.
    region = _known(where[0], regions) if len(where) == 1 and "{" not in text else None
    possible = None if _ESCAPE.search(text) else _words(text)
    return Claim(document_id, names | {document_id}, possible, region=region)


def _misspelt(
    fields: Mapping[str, Any], model: type[BaseModel] = ClusterDocument
) -> Iterator[object]:
    """Yield the values of unknown fields and of fields at a wrong level (a misindented one)."""
    known = {field.alias for field in model.model_fields.values()}
    for name, value in fields.items():
        if name not in known:
            yield value
        elif name in NESTED:
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, Mapping):
                    yield from _misspelt(inner, NESTED[name])


def _words(value: object) -> frozenset[str]:
    """Return every word of the value that has the form of an EKS cluster's name."""
    words = (
        word.lstrip("_-")
        for word in _BETWEEN_NAMES.split(value if isinstance(value, str) else str(value))
    )
    return frozenset(word for word in words if word)


def _kind(sign_in: Any) -> str | None:
    """Return the kind of sign-in; None where it cannot be read."""
    if sign_in is None:
        return "eks"
    kind = sign_in.get("type") if isinstance(sign_in, Mapping) else None
    return kind if isinstance(kind, str) and kind in OWN_FIELDS else None


def _given(form: Text, fields: Mapping[str, Any], name: str) -> str | None:
    """Return the field's value; None unless it has the form that it must have."""
    try:
        return form.check(fields.get(name))
    except ValueError:
        return None


def _known(region: str | None, regions: Collection[str]) -> str | None:
    """Return the region; None for one that does not exist."""
    if region is None or not re.fullmatch(REGION.pattern, region):
        return None
    return region if region in regions or not regions else None


def _server(fields: Mapping[str, Any]) -> str | None:
    endpoint = fields.get("endpoint")
    if isinstance(endpoint, str):
        with contextlib.suppress(ValueError):
            return normal_endpoint(endpoint)
    sign_in = fields.get("signIn")
    return _given(SECRET_ARN, sign_in, "secretArn") if isinstance(sign_in, Mapping) else None


def _selection(namespaces: Any) -> Selection | None:
    given = namespaces if isinstance(namespaces, Mapping) else {"include": namespaces}
    try:
        chosen = NamespacesField.model_validate(given)
    except ValidationError:
        return None
    return Selection(chosen.include, chosen.exclude, chosen.selector)
