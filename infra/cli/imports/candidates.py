"""The clusters to import, each once, from EKS's lists and a kubeconfig's contexts. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, StoredKubeconfig
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint
from ecr_public_pusher.configuration.loader import Configuration
from ecr_public_pusher.configuration.names import matches
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.configuration.rbac_subject import is_aks

from .contexts import ImportedContext
from .eks_clusters import FoundEks, Target, Unseen

MAX_ID = 100  # characters
RANCHER_PATH = "/k8s/clusters/"
_NO_ID = re.compile(r"[^A-Za-z0-9_.-]")


class Kind(StrEnum):
    """The kinds of sign-in that an import proposes."""

    EKS = "eks"
    IAM_AUTHENTICATOR = "iamAuthenticator"
    WEB_IDENTITY = "webIdentity"
    GOOGLE = "google"
    KUBECONFIG = "kubeconfig"


@dataclass(frozen=True)
class Candidate:
    """A cluster to import.

    `cluster`: the EKS cluster's name, else the server's address. `endpoint` and `ca_pem` are those
    of a server outside EKS. `contexts`: those that lead there, the best one first. `profile`: the
    AWS profile that sees it. `tags` are None if EKS has not described it. `not_storable`: why the
    context's user cannot be stored. `google`: the other fields of its `signIn`, if that is Google.
    `problem`: why it cannot be imported.
    """

    name: str
    kind: Kind
    cluster: str
    region: str = ""
    account: str = ""
    partition: str = "aws"
    tags: Mapping[str, str] | None = None
    endpoint: str = ""
    ca_pem: str = field(default="", repr=False)
    cluster_id: str = ""
    gke: bool = False
    google: Mapping[str, str] = field(default_factory=dict)
    contexts: tuple[str, ...] = ()
    profile: str | None = None
    not_storable: str = ""
    secret_arn: str = ""
    problem: str = ""
    remedy: str = ""
    id: str = ""

    @property
    def target(self) -> Target:
        """The key by which two of them are the same cluster, as in ClusterConfig.target."""
        if self.kind is Kind.EKS:
            return self.account, self.region, self.cluster
        return "", "", self.endpoint or f"context {self.name}"

    @property
    def subject_of_its_own(self) -> bool:
        """Return whether the cluster may know the function by another name than the group."""
        return self.gke or is_aks(self.endpoint)

    def matches(self, pattern: str) -> bool:
        """Return whether the glob matches its id, its cluster's name or one of its contexts."""
        return any(matches(pattern, one) for one in (self.id, self.cluster, *self.contexts))

    def fields(
        self,
        given: Mapping[str, Any],
        *,
        role_arn: str,
        region: str,
        defaults: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return its document's fields: `given`, for all clusters, with its own.

        `role_arn`: the role to assume, if there is one. `region`: the function's. `defaults`: the
        fields that the defaults set, which the document must not inherit.
        """
        own: dict[str, Any] = {**given, "roleArn": role_arn or None}
        if not role_arn:
            own["externalId"] = None
        if self.kind is Kind.EKS:
            own["cluster"] = self.cluster if self.cluster != self.id else None
            if self.region != region or "region" in defaults:
                own["region"] = self.region
            if "signIn" in defaults:
                own["signIn"] = {"type": self.kind.value}
        elif self.kind is Kind.KUBECONFIG:
            own["signIn"] = {"type": self.kind.value, "secretArn": self.secret_arn}
        else:
            more = dict(self.google)
            if self.kind is Kind.IAM_AUTHENTICATOR:
                more = {"clusterId": self.cluster_id}
            own["endpoint"] = self.endpoint
            own["certificateAuthority"] = self.ca_pem
            own["signIn"] = {"type": self.kind.value, **more}
        return own


def candidates(
    listed: Iterable[FoundEks],
    contexts: Iterable[ImportedContext],
    describe: Callable[[ImportedContext], FoundEks | Unseen],
) -> list[Candidate]:
    """Return every cluster once: those that EKS listed, then those that contexts lead to.

    `describe` asks EKS about a context that may be of a cluster that was not listed.
    """
    eks = {one.target: one for one in listed}
    found = {target: _of_eks(one) for target, one in eks.items()}
    for context in contexts:
        seen: FoundEks | Unseen | None = next(
            (one for one in eks.values() if context.place.leads_to(one.endpoint, one.ca)), None
        )
        if seen is None and context.eks is not None:
            seen = describe(context)
        if isinstance(seen, FoundEks):
            eks.setdefault(seen.target, seen)
            new = _of_eks(seen)
        elif isinstance(seen, Unseen) and context.certainly_eks:
            new = _of_name(context, seen)
        else:
            new = _of_server(context)
        before = found.get(new.target)
        others = before.contexts if before else ()
        if before is not None and (new.problem or not before.problem):
            found[new.target] = replace(before, contexts=(*others, context.name))
        else:
            found[new.target] = replace(new, contexts=(context.name, *others))
    return list(found.values())


def _of_eks(one: FoundEks) -> Candidate:
    return Candidate(
        one.name,
        Kind.EKS,
        one.name,
        one.region,
        one.account,
        one.partition,
        one.tags,
        profile=one.profile,
    )


def _of_name(context: ImportedContext, unseen: Unseen) -> Candidate:
    """Return the cluster as its context names it, which EKS does not describe to this person."""
    named = context.eks
    assert named is not None
    known = all((named.name, named.region, named.account)) and not unseen.certain
    return Candidate(
        named.name or context.name,
        Kind.EKS,
        named.name,
        named.region,
        named.account,
        profile=named.profile or None,
        problem="" if known else unseen.message,
        remedy="" if known else unseen.remedy,
    )


def _of_server(context: ImportedContext) -> Candidate:
    try:
        endpoint = normal_endpoint(context.place.server)
        problem = context.problem
    except ValueError:
        endpoint = ""
        problem = context.problem or "its server cannot be used"
    return Candidate(
        context.name,
        Kind.IAM_AUTHENTICATOR if context.authenticator_id else Kind.WEB_IDENTITY,
        endpoint.removeprefix("https://"),
        endpoint=endpoint,
        ca_pem=context.place.ca.decode("latin-1"),
        cluster_id=context.authenticator_id,
        gke=context.gke,
        not_storable=context.not_storable,
        problem=problem,
    )


def refused_by_its_server(one: Candidate) -> Candidate:
    """Return the cluster with its problem if its server certainly refuses AWS's own tokens."""
    if one.kind is not Kind.WEB_IDENTITY:
        return one
    if one.gke:
        return replace(
            one,
            problem="GKE accepts AWS's tokens only in exchange for Google's.",
            remedy=(
                "Name the workload identity provider that trusts AWS's issuer: --provider"
                " (docs/gke.md). Or name the cluster in --stored."
            ),
        )
    if RANCHER_PATH in one.endpoint:
        return replace(
            one,
            problem="Behind this path, Rancher accepts its own tokens only.",
            remedy="See docs/rancher-and-loft.md, or name it in --stored.",
        )
    return one


def with_ids(found: Sequence[Candidate], taken: Collection[str]) -> list[Candidate]:
    """Return the clusters with ids: their names, longer ones where that is not unique.

    `taken`: the ids of documents. Region and account are appended, for others a number.
    """
    forms = [list(_forms(one)) for one in found]
    chosen = [form[0] for form in forms]
    for level in range(1, max(map(len, forms), default=1)):
        count = Counter(chosen)
        chosen = [
            form[min(level, len(form) - 1)] if count[now] > 1 or now in taken else now
            for now, form in zip(chosen, forms, strict=True)
        ]
    used = set(taken)
    unique: list[Candidate] = []
    for one, now in zip(found, chosen, strict=True):
        numbered = (now if number == 1 else f"{now}-{number}" for number in range(1, 10_000))
        used.add(made := next(form for form in numbered if form not in used))
        unique.append(replace(one, id=made))
    return unique


def _forms(one: Candidate) -> list[str]:
    parts = filter(None, _NO_ID.split(one.name))
    name = "-".join(parts).strip("-.")[:MAX_ID] or "cluster"
    if one.kind is not Kind.EKS:
        return [name]
    return [name, f"{name}-{one.region}", f"{name}-{one.region}-{one.account}"]


def named_already(one: Candidate, configuration: Configuration) -> str:
    """Return the document or discovery that names the cluster already; empty if there is none."""
    for config in configuration.clusters:
        if config.target == one.target:
            return f"clusters/{config.id}"
        if (
            one.kind is not Kind.EKS
            and isinstance(config.sign_in, StoredKubeconfig)
            and config.id == _forms(one)[0]
        ):
            return f"clusters/{config.id}"  # whose secret alone tells the server
    if one.kind is not Kind.EKS:
        claims = [claim for claim in configuration.claimed if claim.server == one.endpoint]
        return f"clusters/{claims[0].document}" if claims and one.endpoint else ""
    config = _settings(one)
    for claim in configuration.claimed:
        if claim.names_cluster(config):
            return f"clusters/{claim.document}"
    for discovery in configuration.discoveries:
        same = discovery.cluster(one.region, one.cluster).target == one.target
        if same and one.region in discovery.regions and discovery.holds(one.tags or {}):
            return f"discover/{discovery.id}"
    return ""


def _settings(one: Candidate) -> ClusterConfig:
    return ClusterConfig(
        one.name, one.cluster, one.region, Selection((), (), None), function_account=one.account
    )
