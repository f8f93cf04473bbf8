"""The EKS access entry that admits the function's role, with a person's credentials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.configuration.access_entries import AccessEntryCommands, mapped_role
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.ownership import RBAC_GROUP

from ..aws_errors import explain
from ..follow_up import kubectl
from .step import Step, StepName, StepOutcome

CONFIG_MAP = "CONFIG_MAP"
API = "API"


@dataclass(frozen=True)
class EksCluster:
    """A cluster as EKS describes it."""

    arn: str
    endpoint: str
    ca_base64: str
    authentication_mode: str
    local: bool = False  # on an Outpost
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Admission:
    """The role to admit, `principal`, and the cluster, by its settings."""

    config: ClusterConfig
    principal: str

    @property
    def account(self) -> str:
        return self.config.target[0]

    @property
    def commands(self) -> AccessEntryCommands:
        """Return the commands with which the cluster's owner admits the role."""
        return AccessEntryCommands(self.config.region, self.config.cluster, self.principal)


def describe(eks: Any, admission: Admission, caller: Callable[[], str]) -> EksCluster | Step:
    """Return the cluster; or a failed step when it cannot be seen, with the owner's command.

    `caller` returns the account of the credentials. Only in that account is it certain that a
    cluster does not exist.
    """
    name = admission.config.cluster
    region = admission.config.region
    try:
        found = eks.describe_cluster(name=name)["cluster"]
    except eks.exceptions.ResourceNotFoundException:
        said = (
            f"EKS in {region} has no cluster {name} for your credentials; the document is for"
            f" account {admission.account}"
        )
        return _unseen(admission, said, undecided=not _is_own(admission, caller))
    except (ClientError, BotoCoreError) as error:
        return _unseen(admission, explain(error).message)
    account = found["arn"].split(":")[4]
    if admission.account and account != admission.account:
        said = (
            f"your credentials see {found['arn']}, and the document is for account"
            f" {admission.account}"
        )
        return _unseen(admission, said)
    mode = found.get("accessConfig", {}).get("authenticationMode", CONFIG_MAP)
    ca_base64 = found.get("certificateAuthority", {}).get("data", "")
    local = found.get("outpostConfig") is not None
    endpoint = found.get("endpoint", "")
    return EksCluster(found["arn"], endpoint, ca_base64, mode, local, found.get("tags", {}))


def _is_own(admission: Admission, caller: Callable[[], str]) -> bool:
    """Return whether the credentials are certainly of the cluster's account."""
    try:
        return caller() == admission.account
    except (ClientError, BotoCoreError):
        return False


def _unseen(admission: Admission, said: str, *, undecided: bool = True) -> Step:
    remedy = (
        "Is it the right name, region and account? Credentials of another account:"
        " --cluster-profile NAME."
    )
    return Step(
        StepName.ACCESS_ENTRY,
        StepOutcome.FAILED,
        said,
        f"{remedy}\n{_owner(admission, admission.commands.create)}",
        undecided=undecided,
    )


def _owner(admission: Admission, command: str) -> str:
    return f"Or the cluster's owner runs, in the account {admission.account}:\n{command}"


def not_asked_for(admission: Admission) -> Step:
    """Return the skipped step without --admit; the check tells whether the role is admitted."""
    return Step(
        StepName.ACCESS_ENTRY,
        StepOutcome.SKIPPED,
        f"not requested (--admit admits {admission.principal})",
    )


@dataclass(frozen=True)
class Entry:
    """An existing access entry."""

    type: str
    groups: tuple[str, ...]


class AccessEntryStep:
    """The step that creates the access entry, or adds the group to an existing one."""

    def __init__(self, eks: Any, admission: Admission, cluster: EksCluster) -> None:
        self._eks = eks
        self._admission = admission
        self._cluster = cluster

    def plan(self) -> Step:
        """Return what `do` would do."""
        if self._cluster.authentication_mode == CONFIG_MAP:
            said = (
                f"{self._admission.config.cluster} has no access entries: its authentication mode"
                f" is {CONFIG_MAP}"
            )
            if self._cluster.local:
                return self._of_aws_auth(said)
            remedy = (
                "The cluster's owner changes the mode, which cannot be undone, and admits the role:"
            )
            return Step(
                StepName.ACCESS_ENTRY,
                StepOutcome.FAILED,
                said,
                f"{remedy}\n{self._admission.commands.allow_and_create}",
                undecided=True,
            )
        try:
            entry = self._entry()
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, self._admission.commands.create, undecided=True)
        return self._planned(entry)

    def _of_aws_auth(self, said: str) -> Step:
        """Return the failed step of a local cluster, whose mode cannot be changed."""
        words = ("edit", "configmap", "aws-auth", "-n", "kube-system")
        edit = kubectl(*words, context=self._cluster.arn)
        who = "The cluster's owner adds this to mapRoles of its ConfigMap aws-auth"
        remedy = (
            f"{who}; then run the same without"
            f" --admit:\n{edit}\n{mapped_role(self._admission.principal)}"
        )
        return Step(
            StepName.ACCESS_ENTRY,
            StepOutcome.FAILED,
            f"{said}, as a local cluster's is",
            remedy,
            undecided=True,
        )

    def look(self) -> Step:
        """Return the step without --admit: failed when the role is certainly not admitted.

        That is known only when the entry can be read and only access entries decide; otherwise the
        step is skipped, and left to the check.
        """
        if self._cluster.authentication_mode != API:
            return not_asked_for(self._admission)
        try:
            entry = self._entry()
        except (ClientError, BotoCoreError):
            return not_asked_for(self._admission)
        planned = self._planned(entry)
        if not planned.changes:
            return planned
        command = (
            self._admission.commands.add_group(entry.groups)
            if entry
            else self._admission.commands.create
        )
        said = f"{self._cluster.arn} does not admit {self._admission.principal}"
        return Step(
            StepName.ACCESS_ENTRY,
            StepOutcome.FAILED,
            said,
            f"Give --admit.\n{_owner(self._admission, command)}",
        )

    def do(self) -> Step:
        """Create or update the entry. A second run changes nothing."""
        planned = self.plan()
        if not planned.changes:
            return planned
        try:
            return self._written(planned)
        except (ClientError, BotoCoreError) as error:
            # Unless only access entries decide, aws-auth may admit the role.
            may_be_admitted = self._cluster.authentication_mode != API
            return self._refused(error, self._admission.commands.create, undecided=may_be_admitted)

    def _written(self, planned: Step) -> Step:
        name = self._admission.config.cluster
        principal = self._admission.principal
        if planned.outcome is StepOutcome.CREATED:
            try:
                self._eks.create_access_entry(
                    clusterName=name,
                    principalArn=principal,
                    type="STANDARD",
                    kubernetesGroups=[RBAC_GROUP],
                )
                return planned
            except self._eks.exceptions.ResourceInUseException:
                pass  # created by somebody else meanwhile
        entry = self._entry()
        assert entry is not None
        if RBAC_GROUP not in entry.groups:
            self._eks.update_access_entry(
                clusterName=name,
                principalArn=principal,
                kubernetesGroups=[*entry.groups, RBAC_GROUP],
            )
        return self._planned(entry)

    def _entry(self) -> Entry | None:
        try:
            found = self._eks.describe_access_entry(
                clusterName=self._admission.config.cluster, principalArn=self._admission.principal
            )
        except self._eks.exceptions.ResourceNotFoundException:
            return None
        entry = found["accessEntry"]
        return Entry(entry.get("type", "STANDARD"), tuple(entry.get("kubernetesGroups", ())))

    def _planned(self, entry: Entry | None) -> Step:
        who = f"{self._admission.principal} in {self._cluster.arn}"
        if entry is None:
            return Step(StepName.ACCESS_ENTRY, StepOutcome.CREATED, f"{who}, group {RBAC_GROUP}")
        if entry.type != "STANDARD":
            said = f"{who} has an access entry of type {entry.type}, which takes no groups"
            return Step(
                StepName.ACCESS_ENTRY,
                StepOutcome.FAILED,
                said,
                "Let the function sign in as a role of its own (roleArn).",
            )
        if RBAC_GROUP in entry.groups:
            return Step(StepName.ACCESS_ENTRY, StepOutcome.UNCHANGED, f"{who}, group {RBAC_GROUP}")
        kept = f", beside {', '.join(entry.groups)}" if entry.groups else ""
        return Step(StepName.ACCESS_ENTRY, StepOutcome.UPDATED, f"{who}: group {RBAC_GROUP}{kept}")

    def _refused(
        self, error: ClientError | BotoCoreError, command: str, *, undecided: bool
    ) -> Step:
        return Step(
            StepName.ACCESS_ENTRY,
            StepOutcome.FAILED,
            explain(error).message,
            _owner(self._admission, command),
            undecided=undecided,
        )
