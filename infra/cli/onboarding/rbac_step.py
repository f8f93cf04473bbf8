"""A cluster's RBAC, applied and deleted with the person's own kubeconfig.

Only a context that certainly leads to that cluster is used.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CliError
from ..follow_up import NOTHING_GIVEN, FollowUp
from .access_entry import EksCluster
from .cluster_admin import ClusterAdmin, apply_all, delete_all
from .document_step import NewCluster
from .kubeconfig import Context, Kubeconfig, kubeconfig_files, read_kubeconfig
from .rbac_manifests import Manifest
from .step import Step, StepName, StepOutcome

FIELD_MANAGER = "ecr-public-pusher-cli"


@dataclass(frozen=True)
class Choice:
    """The person's choice of the way to the cluster.

    `trust` means that its context leads there although nothing shows it; `by_hand` is the command
    with which somebody else does the same. `follow_up` makes commands with the
    credentials of the cluster's account. `read` is the kubeconfig's content, None to read it.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    trust: bool = False
    force: bool = False
    by_hand: str = ""
    follow_up: FollowUp = NOTHING_GIVEN
    read: Kubeconfig | None = None


class RbacStep:
    """The step that applies `objects`, or deletes what has a label.

    `seen` is the cluster as EKS describes it, or the failed step of describing it.
    """

    def __init__(
        self,
        cluster: NewCluster,
        objects: Sequence[Manifest],
        choice: Choice,
        seen: EksCluster | Step,
    ) -> None:
        self._cluster = cluster
        self._objects = objects
        self._choice = choice
        self._seen = seen
        self._admin: ClusterAdmin | None = None
        self._where = ""

    def plan(self) -> Step:
        """Return what `do` would do, by a dry run on the cluster's own API server."""
        return self._run(dry_run=True)

    def do(self) -> Step:
        """Apply the objects. A second run changes nothing."""
        return self._run(dry_run=False)

    def delete(self, label: str, *, dry_run: bool) -> Step:
        """Delete the function's RBAC; with `dry_run`, show what that would be."""
        return self._by_admin(lambda admin: delete_all(admin, label, self._where, dry_run=dry_run))

    def withdraw(self) -> None:
        """Delete the objects again, those that this person may delete."""

        def work(admin: ClusterAdmin) -> Step:
            for one in reversed(self._objects):
                admin.delete(one)
            return Step(StepName.RBAC, StepOutcome.DELETED, "")

        self._by_admin(work)

    def _run(self, *, dry_run: bool) -> Step:
        force = self._choice.force
        return self._by_admin(
            lambda admin: apply_all(admin, self._objects, self._where, dry_run=dry_run, force=force)
        )

    def _by_admin(self, work: Callable[[ClusterAdmin], Step]) -> Step:
        try:
            if self._admin is None:
                context, files = self._choose()
                self._where = f"context {context.name} ({context.server})"
                self._admin = ClusterAdmin(
                    files,
                    context.name,
                    field_manager=FIELD_MANAGER,
                    kubeconfig=self._choice.kubeconfig,
                )
            step = work(self._admin)
        except CliError as error:
            return self._failed(error.message, error.remedy)
        if not step.failed:
            return step
        whose = f"Whose credentials are in that context? {self._admin.whoami}"
        return replace(self._failed(step.message, whose), details=step.details)

    def _failed(self, message: str, remedy: str) -> Step:
        """Return the failed step. Somebody else may have applied the objects."""
        return Step(
            StepName.RBAC,
            StepOutcome.FAILED,
            message,
            f"{remedy}\n{self._by_hand}",
            undecided=True,
        )

    def _choose(self) -> tuple[Context, str]:
        files = kubeconfig_files(self._choice.kubeconfig)
        found = self._choice.read or read_kubeconfig(files)
        if found is None or not found.contexts:
            raise CliError(f"There is no kubeconfig ({files}).", remedy=self._get_one)
        return self._certain(found), files

    def _certain(self, found: Kubeconfig) -> Context:
        """Return the context that was asked for, or the one that leads to the cluster.

        Raise CliError for one that leads elsewhere, or may.
        """
        named = found.find(self._choice.context) if self._choice.context else None
        endpoint, authority = self._place()
        if named is None and endpoint and (context := found.leading_to(endpoint, authority)):
            return context
        context = named or (found.find(found.current) if found.current else None)
        if context is None:
            raise CliError(
                "Your kubeconfig has no current context.",
                remedy=f"Name one: --context. {self._get_one}",
            )
        if self._choice.trust or (endpoint and context.leads_to(endpoint, authority)):
            return context
        if endpoint:
            said = (
                f"The context {context.name} leads to {context.server or 'no server'}, and the"
                f" cluster is {endpoint}."
            )
            raise CliError(
                said,
                remedy=(
                    "Name the cluster's context: --context. Through a tunnel: --trust-context."
                    f" {self._get_one}"
                ),
            )
        said = (
            f"Nothing shows that the context {context.name} ({context.server}) is the cluster:"
            f" {self._unseen}."
        )
        raise CliError(said, remedy="If you know that it is: --context NAME --trust-context.")

    def _place(self) -> tuple[str, bytes]:
        server = self._cluster.config.server
        if server is not None:
            return server.endpoint, server.ca_pem.encode()
        if isinstance(self._seen, Step):
            return "", b""
        try:
            return self._seen.endpoint, base64.b64decode(self._seen.ca_base64)
        except binascii.Error:
            return self._seen.endpoint, b""

    @property
    def _unseen(self) -> str:
        return (
            self._seen.message.rstrip(".")
            if isinstance(self._seen, Step)
            else "the cluster has no endpoint yet"
        )

    @property
    def _get_one(self) -> str:
        config = self._cluster.config
        if not self._cluster.is_eks:
            return "Get a kubeconfig of the cluster's administrator."
        words = ("eks", "update-kubeconfig", "--name", config.cluster)
        return f"To get one: {self._choice.follow_up.aws(*words, region=config.region)}"

    @property
    def _by_hand(self) -> str:
        return f"Or an administrator of the cluster runs:\n{self._choice.by_hand}"
