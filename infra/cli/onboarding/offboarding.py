"""An offboarding, planned, then carried out: the reverse of an onboarding.

The Secrets are removed first, while the function still has access: an expired token blocks pulls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Google
from ecr_public_pusher.configuration.kubectl_commands import RBAC_LABEL, UNKNOWN_CONTEXT
from ecr_public_pusher.configuration.loader import Discovery

from ..aws_errors import explain
from ..documents.store import Store
from ..follow_up import kubectl
from ..function import Report
from ..places import place
from .access_entry import Admission, EksCluster, describe
from .access_removal import AccessRemoval
from .document_step import NewCluster
from .rbac_manifests import bound_to_users, removal_rights
from .rbac_step import Choice, RbacStep
from .step import Step, StepName, StepOutcome

# The command of an administrator who deletes all RBAC of the function.
DELETE_RBAC = kubectl(
    *("delete", "clusterrolebindings,rolebindings,clusterroles,roles", "-A", "-l", RBAC_LABEL),
    context=UNKNOWN_CONTEXT,
)


@dataclass(frozen=True)
class Leaving:
    """The request of the command line.

    `gone`: the cluster does not exist any more. `choice` is the way to the cluster.
    """

    gone: bool = False
    keep_secrets: bool = False
    choice: Choice = field(default_factory=Choice)


class Offboarding:
    """The offboarding of one cluster.

    `cluster.before` is None when its document is deleted already. `discoveries` may find the
    cluster once its document is gone. `own_role` is the function's. `eks` is a client with the
    person's credentials for the cluster's account and region, None for other kinds of sign-in;
    `caller` returns their account.
    """

    def __init__(
        self,
        cluster: NewCluster,
        store: Store,
        wanted: Leaving,
        eks: Any,
        caller: Callable[[], str],
        *,
        own_role: str,
        discoveries: Sequence[Discovery] = (),
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._wanted = wanted
        self._eks = eks
        self._caller = caller
        self._own_role = own_role
        self._discoveries = discoveries
        self._admission = Admission(cluster.config, self._principal(cluster.config))

    @property
    def is_gone(self) -> bool:
        """Return whether the cluster certainly does not exist any more."""
        seen = self._seen
        return self._wanted.gone or (isinstance(seen, Step) and seen.prevents)

    def plan(self, look: Callable[[], Report]) -> list[Step]:
        """Return the planned steps; change nothing.

        `look` returns the report of a planned removal.
        """
        rights = [self._granted(dry_run=True)] if self._removes else []
        secrets = self._skipped_secrets or self._to_remove(look())
        return [
            *rights,
            secrets,
            self._document,
            self._rbac(dry_run=True),
            self._access(dry_run=True),
        ]

    def do(self, remove: Callable[[], bool]) -> list[Step]:
        """Carry out the steps, and return them.

        `remove` disables the document, has the function remove the Secrets, and returns whether all
        are removed; if not, the document is as it was before.
        """
        rights = [self._granted(dry_run=False)] if self._removes else []
        secrets = self._skipped_secrets or self._removed(remove)
        if secrets.failed:
            later = (StepName.DOCUMENT, StepName.RBAC, StepName.ACCESS_ENTRY)
            why = "the function needs it to remove the Secrets"
            waiting = [Step(name, StepOutcome.NOT_ATTEMPTED, why) for name in later]
            return [*rights, secrets, *waiting]
        document = self._document
        if self._cluster.before is not None:
            self._store.delete(self._cluster.before)
        rbac = self._rbac(dry_run=False)
        if rbac.outcome is StepOutcome.SKIPPED and rights and rights[0].created:
            self._rights.withdraw()
        return [*rights, secrets, document, rbac, self._access(dry_run=False)]

    @property
    def _id(self) -> str:
        return self._cluster.name.id

    @property
    def _document(self) -> Step:
        parameter = self._cluster.name.parameter(self._store.root)
        is_there = self._cluster.before is not None
        outcome = StepOutcome.DELETED if is_there else StepOutcome.UNCHANGED
        return Step(StepName.DOCUMENT, outcome, parameter if is_there else "there is none")

    @property
    def _skipped_secrets(self) -> Step | None:
        """Return the step on the Secrets where the function has nothing to do."""
        if self._cluster.before is None:
            return Step(StepName.SECRETS, StepOutcome.UNCHANGED, "there is no document")
        if self.is_gone:
            return Step(StepName.SECRETS, StepOutcome.UNCHANGED, "gone with the cluster")
        if self._wanted.keep_secrets:
            said = "--keep-secrets: they expire within 12 hours, and then block pulls"
            return Step(StepName.SECRETS, StepOutcome.SKIPPED, said)
        return None

    def _to_remove(self, report: Report) -> Step:
        """Return the step with the namespaces of a planned removal, refused ones included."""
        errors = [one["error"] for one in (report, *report["clusters"]) if one.get("error")]
        said = f"; at present: {errors[0]['message']}" if errors else ""
        listed = (
            (*cluster.get("changes", ()), *cluster.get("problems", ()))
            for cluster in report["clusters"]
        )
        names = sorted({place(one) for some in listed for one in some})
        return Step(
            StepName.SECRETS,
            StepOutcome.DELETED,
            f"the function removes those of {self._id}{said}",
            details=tuple(names),
        )

    def _removed(self, remove: Callable[[], bool]) -> Step:
        if remove():
            return Step(StepName.SECRETS, StepOutcome.DELETED, f"those of {self._id}")
        return Step(
            StepName.SECRETS,
            StepOutcome.FAILED,
            "not all could be removed: see above",
            "Or leave them: --keep-secrets. If the cluster does not exist any more:"
            " --cluster-gone.",
        )

    @property
    def _removes(self) -> bool:
        return self._skipped_secrets is None

    @cached_property
    def _rights(self) -> RbacStep:
        configs = self._cluster.configs
        objects = bound_to_users(removal_rights(configs), configs, self._own_role)
        return RbacStep(self._cluster, objects, self._wanted.choice, self._seen)

    def _granted(self, *, dry_run: bool) -> Step:
        """Grant what a removal needs, if this person may. The function decides on a refusal."""
        step = self._rights.plan() if dry_run else self._rights.do()
        if step.failed:
            said = f"not granted; the function may have them already ({step.message})"
            step = Step(StepName.RBAC, StepOutcome.SKIPPED, said)
        return replace(step, name=StepName.REMOVAL_RIGHTS)

    def _rbac(self, *, dry_run: bool) -> Step:
        if self.is_gone:
            return Step(StepName.RBAC, StepOutcome.UNCHANGED, "gone with the cluster")
        try:
            others = [*self._shared, *(self._removal.others() if self._removal else ())]
        except (ClientError, BotoCoreError) as error:
            said = f"unknown whether another stack uses it: {explain(error).message}"
            remedy = f"If none does, an administrator of the cluster runs:\n{DELETE_RBAC}"
            return Step(StepName.RBAC, StepOutcome.FAILED, said, remedy)
        if others:
            return _kept(StepName.RBAC, others)
        choice = replace(self._wanted.choice, by_hand=DELETE_RBAC)
        step = RbacStep(self._cluster, (), choice, self._seen).delete(RBAC_LABEL, dry_run=dry_run)
        return replace(step, undecided=False)

    def _access(self, *, dry_run: bool) -> Step:
        if self.is_gone:
            return Step(StepName.ACCESS_ENTRY, StepOutcome.UNCHANGED, "gone with the cluster")
        principal = self._admission.principal
        if others := [name for name, role in self._shared.items() if role == principal]:
            return _kept(StepName.ACCESS_ENTRY, others)
        if self._removal is not None:
            return self._removal.run(dry_run=dry_run)
        assert isinstance(self._seen, Step)
        if self._eks is None:
            return self._seen
        remedy = (
            "Credentials of another account: --cluster-profile NAME. Or the cluster's owner runs:\n"
            f"{self._admission.commands.delete}"
        )
        return Step(StepName.ACCESS_ENTRY, StepOutcome.FAILED, self._seen.message, remedy)

    @cached_property
    def _shared(self) -> dict[str, str]:
        """Return the documents that use the cluster too, each with the role that signs in."""
        own = self._cluster.config
        tags = {} if isinstance(self._seen, Step) else self._seen.tags
        found = [
            found
            for discovery in self._discoveries
            if own.region in discovery.regions and discovery.holds(tags)
            for found in [discovery.cluster(own.region, own.cluster)]
            if found.target == own.target
        ]
        return {one.id: self._principal(one) for one in [*self._cluster.configs[1:], *found]}

    def _principal(self, config: ClusterConfig) -> str:
        return config.role_arn or self._own_role

    @cached_property
    def _removal(self) -> AccessRemoval | None:
        if isinstance(self._seen, Step):
            return None
        follow_up = self._wanted.choice.follow_up
        return AccessRemoval(self._eks, self._admission, self._seen, follow_up)

    @cached_property
    def _seen(self) -> EksCluster | Step:
        if self._eks is None:
            sign_in = self._cluster.config.sign_in
            said = (
                "by google: delete the workload identity pool yourself (docs/gke.md)"
                if isinstance(sign_in, Google)
                else f"by {sign_in.type}: remove the API server's trust in"
                f" {self._admission.principal} yourself"
            )
            return Step(StepName.ACCESS_ENTRY, StepOutcome.SKIPPED, said)
        return describe(self._eks, self._admission, self._caller)


def _kept(name: StepName, others: Sequence[str]) -> Step:
    return Step(name, StepOutcome.SKIPPED, f"kept, since these need it: {', '.join(others)}")
