"""The proposed documents: what an import would do for each cluster, and what it has done."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.rbac_subject import Subject, rbac_subject
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import PusherError

from ..aws_errors import explain
from ..choices import Grant
from ..documents.compose import compose
from ..documents.deployed import Deployed
from ..documents.document import DocumentName
from ..documents.pending import is_pending
from ..errors import CliError
from ..follow_up import FollowUp
from ..follow_up import print_rbac as print_rbac_again
from ..function import Report
from ..onboarding.access_entry import Admission
from ..onboarding.document_step import NewCluster, new_cluster
from ..onboarding.fields import Given
from ..onboarding.kubeconfig import Entries
from ..onboarding.onboarding import Onboarding, Wanted
from ..onboarding.rbac_manifests import Manifest, bound_to_users, manifests
from ..onboarding.rbac_step import Choice
from ..onboarding.step import Step, StepName, StepOutcome
from ..session import Session
from .candidates import Candidate, Kind, refused_by_its_server
from .eks_clusters import Profiles
from .files import DocumentFolder
from .sources import Named, Sources


@dataclass(frozen=True)
class Proposal:
    """A cluster of the import.

    `there`: the document that names it already. `cluster` and `onboarding` are None if it cannot be
    imported, or is there. `steps` are planned or done, `reports` the function's, by step.
    """

    candidate: Candidate
    there: str = ""
    cluster: NewCluster | None = None
    onboarding: Onboarding | None = None
    steps: Sequence[Step] = ()
    reports: Mapping[str, Report] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.candidate.id

    @property
    def state(self) -> str:
        """Return `there`, `add` or `impossible`: stable names, which `-o json` shows."""
        return "there" if self.there else "add" if self.onboarding else "impossible"

    @property
    def failed(self) -> bool:
        return self.state == "impossible" or any(step.failed for step in self.steps)

    @property
    def changes(self) -> bool:
        return any(step.changes for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        one = self.candidate
        said: dict[str, Any] = {
            "id": one.id,
            "state": self.state,
            "signIn": one.kind.value,
            "cluster": one.cluster,
            "region": one.region,
            "account": one.account,
            "contexts": list(one.contexts),
        }
        if self.there:
            said["document"] = self.there
        if one.problem:
            said |= {"problem": one.problem, "remedy": one.remedy}
        return said | {"steps": [step.as_json() for step in self.steps], **self.reports}

    def planned(self, folder: DocumentFolder | None) -> "Proposal":
        """Return it with the steps that would be done; change nothing."""
        if self.onboarding is None or self.cluster is None:
            return self
        steps = self.onboarding.plan()
        if folder is not None:
            steps = [*steps[:2], _to_file(steps[:2], folder.plan(self.cluster))]
        return replace(self, steps=steps)

    def written(self, folder: DocumentFolder) -> "Proposal":
        """Make the access, and write the document to the folder."""
        if self.onboarding is None or self.cluster is None:
            return self
        access = self.onboarding.prepare()
        step = _to_file(access, folder.plan(self.cluster))
        done = folder.write(self.cluster) if step.changes else step
        return replace(self, steps=[*access, done])


def _to_file(access: Sequence[Step], document: Step) -> Step:
    """Return the step of the document; it waits for access that certainly is not there."""
    if document.changes and any(step.prevents for step in access):
        said = "not written before the function has access"
        return Step(StepName.DOCUMENT, StepOutcome.NOT_ATTEMPTED, said)
    return document


def _sign_in_of(text: str | None) -> str:
    """Return a document's kind of sign-in; that of EKS if it names none."""
    try:
        chosen = read_mapping(text or "", parameter="document").get("signIn")
    except PusherError:
        return ""
    return str(chosen.get("type")) if isinstance(chosen, dict) else Kind.EKS.value


@dataclass(frozen=True)
class Proposer:
    """The maker of proposals, with the options that they have in common.

    `fields` are those of every document; `google` those of `signIn` beside its type in GKE, where
    `{id}` stands for the document's id. `entries` is the kubeconfig, None if there is none.
    """

    session: Session
    deployed: Deployed
    profiles: Profiles
    sources: Sources
    entries: Entries | None
    fields: Mapping[str, Any]
    google: Mapping[str, str]
    admit: bool
    grant: Grant
    removal: bool
    force: bool
    push: bool

    def example(self) -> NewCluster:
        """Return a cluster with the fields. Raise CliError when the function would refuse them."""
        ids = {name.id for name in self.deployed.snapshot.documents}
        free = next(one for n in range(len(ids) + 1) if (one := f"any{n or ''}") not in ids)
        any_one = Candidate(free, Kind.EKS, free, self.deployed.region, id=free)
        return self._cluster(any_one, role_arn="")

    def printed(self, chosen: Sequence[Named]) -> list[Manifest]:
        """Return the RBAC of these clusters, for somebody else to apply in each of them.

        Raise CliError when it is not the same, or when none of them can be imported.
        """
        own = self.session.stack.role_arn
        clusters: dict[Subject, list[ClusterConfig]] = {}
        problems: list[CliError] = []
        for one in chosen:
            try:
                config = self._settings(one)
            except CliError as error:
                problems.append(error)
            else:
                clusters.setdefault(rbac_subject(config, own), []).append(config)
        if problems and not clusters:
            raise problems[0]
        if len(clusters) > 1:
            said = "; ".join(
                f"{subject} in {', '.join(config.id for config in configs)}"
                for subject, configs in clusters.items()
            )
            raise CliError(
                f"The clusters bind different subjects: {said}.",
                remedy="Print the RBAC of one of them: --only ID.",
            )
        configs = self.example().configs
        for like, *_ in clusters.values():
            configs = [
                replace(one, sign_in=like.sign_in, role_arn=like.role_arn) for one in configs
            ]
        return self._objects(configs)

    def _settings(self, named: Named) -> ClusterConfig:
        """Return the settings of a cluster's document, which is stored or proposed.

        Raise CliError when the cluster cannot be imported.
        """
        candidate, there = named
        if candidate.kind is Kind.EKS:
            return self.example().config
        if there:
            return new_cluster(self.deployed, candidate.id, Given(), None, replace=False).config
        proposal = self.propose(named)
        if proposal.cluster is None:
            raise CliError(proposal.candidate.problem, remedy=proposal.candidate.remedy)
        return proposal.cluster.config

    def _objects(self, configs: Sequence[ClusterConfig]) -> list[Manifest]:
        granted = manifests(configs, self.grant, removal=self.removal)
        return bound_to_users(granted, configs, self.session.stack.role_arn)

    def propose(self, named: Named, *, apart: bool = False) -> Proposal:
        """Return the proposal for a cluster.

        `apart`: not all clusters of the import need the same RBAC.
        """
        candidate, there = named
        if there:
            return Proposal(candidate, there)
        if not candidate.problem and candidate.kind is not Kind.EKS:
            candidate = self._with_secret(candidate)
        if not candidate.problem:
            candidate = refused_by_its_server(self._with_google(candidate))
        if candidate.problem:
            return Proposal(candidate)
        try:
            cluster = self._cluster(candidate, role_arn=self._role(candidate))
            if candidate.kind is Kind.EKS and cluster.config.target != candidate.target:
                raise CliError(
                    "With the stack's defaults, the document would mean the cluster"
                    f" {cluster.config.cluster} in {cluster.config.region} of the account"
                    f" {cluster.config.target[0]}.",
                    remedy="The defaults' roleArn applies to every document. Move it out of them.",
                )
            onboarding = self._onboarding(candidate, cluster, apart=apart)
            return Proposal(candidate, "", cluster, onboarding)
        except CliError as error:
            return Proposal(replace(candidate, problem=error.message, remedy=error.remedy))

    def _cluster(self, one: Candidate, *, role_arn: str) -> NewCluster:
        """Return the cluster to add. Raise CliError when the function would refuse it."""
        text: str | None = compose(
            one.fields(
                self.fields,
                role_arn=role_arn,
                region=self.deployed.region,
                defaults=self._fields_of_defaults,
            )
        )
        # Somebody chose another sign-in for the document that waits: it goes on as it is.
        waiting = self._waiting_sign_in(one)
        known = one.kind is not Kind.GOOGLE or one.google
        if (
            waiting is not None
            and one.kind is not Kind.KUBECONFIG
            and (waiting != _sign_in_of(text) or not known)
        ):
            text = None
        return new_cluster(self.deployed, one.id, Given(), text, replace=False)

    @property
    def _fields_of_defaults(self) -> Collection[str]:
        text = self.deployed.defaults()
        try:
            return without_nulls(read_mapping(text, parameter="defaults")).keys() if text else ()
        except PusherError:
            return ()  # which validation reports

    def _waiting_sign_in(self, one: Candidate) -> str | None:
        """Return the sign-in of its document that waits for access; None if none waits."""
        stored = self.deployed.snapshot.documents.get(DocumentName.cluster(one.id))
        if stored is None or not is_pending(stored.text):
            return None
        return _sign_in_of(stored.text)

    def _role(self, one: Candidate) -> str:
        """Return the role to assume; empty without one. Raise CliError when it is not known."""
        if one.kind is not Kind.EKS:
            return ""
        given = str(self.fields.get("roleArn") or "")
        if given and given.split(":")[4:5] == [one.account]:
            return given
        stack = self.session.stack
        if one.account == stack.account:
            return ""
        if not (name := stack.allowed_roles.sign_in):
            raise CliError(
                f"The cluster is in the account {one.account}, and it is not known which role"
                " there to assume.",
                remedy="Name one of that account: --role-arn.",
            )
        return f"arn:{one.partition}:iam::{one.account}:role/{name}"

    def _onboarding(self, one: Candidate, cluster: NewCluster, *, apart: bool) -> Onboarding:
        stack = self.session.stack
        mine = self.session.follow_up
        theirs = replace(mine, profile=one.profile or mine.profile)
        choice = Choice(
            self.sources.kubeconfig,
            one.contexts[0] if one.contexts else None,
            trust=bool(one.contexts),  # the cluster is what the context leads to
            force=self.force,
            by_hand=print_rbac_again(sys.argv[1:], only=one.id if apart else None),
            follow_up=theirs,
            read=self.entries.kubeconfig if self.entries else None,
        )
        wanted = Wanted(
            mine,
            admit=self.admit,
            objects=self._objects(cluster.configs),
            removal=self.removal,
            choice=choice,
            push=self.push,
        )
        admission = Admission(cluster.config, cluster.config.role_arn or stack.role_arn)
        eks = self.profiles.eks(one.profile, one.region) if one.kind is Kind.EKS else None
        session = self.profiles.session(one.profile)
        return Onboarding(
            cluster, self.deployed.store, wanted, admission, eks, lambda: session.account
        )

    def _with_google(self, one: Candidate) -> Candidate:
        """Return the cluster with Google's sign-in, if it is GKE and the provider is known.

        A document that waits may name it.
        """
        if not one.gke or one.kind is not Kind.WEB_IDENTITY:
            return one
        if not self.google:
            waits = self._waiting_sign_in(one) == Kind.GOOGLE.value
            return replace(one, kind=Kind.GOOGLE) if waits else one
        google = {name: value.replace("{id}", one.id) for name, value in self.google.items()}
        return replace(one, kind=Kind.GOOGLE, google=google)

    def _with_secret(self, one: Candidate) -> Candidate:
        """Return the cluster with its stored kubeconfig, if there is one, or is to be one.

        The secret has the id of the document, below the configuration path.
        """
        asked = any(one.matches(glob) for glob in self.sources.stored)
        name = f"{self.deployed.store.root}/{one.id}"
        region = self.deployed.region
        client = self.session.client("secretsmanager", region=region)
        try:
            arn = str(client.describe_secret(SecretId=name)["ARN"])
            return replace(one, kind=Kind.KUBECONFIG, secret_arn=arn)
        except client.exceptions.ResourceNotFoundException:
            problem = f"its kubeconfig is not stored: there is no secret {name} in {region}"
        except (ClientError, BotoCoreError) as error:
            problem = f"the secret {name} cannot be seen: {explain(error).message}"
        if not asked:
            return one
        if one.not_storable:
            remedy = (
                f"{one.not_storable[0].upper()}{one.not_storable[1:]}. Store a kubeconfig with a"
                f" token or a client certificate as {name}."
            )
        else:
            store = self._follow_up.store_kubeconfig(
                name,
                region=region,
                context=one.contexts[0],
                kubeconfig=self.sources.kubeconfig,
            )
            remedy = f"Store it, and run the same command again:\n{store}"
        return replace(one, kind=Kind.KUBECONFIG, problem=problem, remedy=remedy)

    @property
    def _follow_up(self) -> FollowUp:
        return self.session.follow_up
