"""The EKS access entry taken back: deleted, or without our group where it has other groups."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.ownership import RBAC_GROUP

from ..aws_errors import explain
from ..follow_up import FollowUp
from .access_entry import CONFIG_MAP, Admission, EksCluster
from .step import Step, StepName, StepOutcome

# CloudFormation's own tag (CloudFormation User Guide, "Resource tag").
_STACK_TAG = "aws:cloudformation:stack-name"


class AccessRemoval:
    """The removal of the role's access entry. `follow_up` makes commands for its account."""

    def __init__(
        self, eks: Any, admission: Admission, cluster: EksCluster, follow_up: FollowUp
    ) -> None:
        self._eks = eks
        self._admission = admission
        self._cluster = cluster
        self._follow_up = follow_up

    def run(self, *, dry_run: bool) -> Step:
        """Take the entry back; with `dry_run`, show how. A second run changes nothing."""
        if self._cluster.authentication_mode == CONFIG_MAP:
            who = self._admission.principal
            said = (
                f"{self._cluster.arn} has no access entries; its ConfigMap aws-auth may map {who}"
            )
            return Step(StepName.ACCESS_ENTRY, StepOutcome.SKIPPED, said)
        try:
            return self._run(dry_run=dry_run)
        except (ClientError, BotoCoreError) as error:
            remedy = f"Or the cluster's owner runs:\n{self._admission.commands.delete}"
            return Step(StepName.ACCESS_ENTRY, StepOutcome.FAILED, explain(error).message, remedy)

    def others(self) -> list[str]:
        """Return the other principals with our group, such as another stack's.

        Raise ClientError or BotoCoreError when they cannot be seen.
        """
        if self._cluster.authentication_mode == CONFIG_MAP:
            return []
        name = self._admission.config.cluster
        pages = self._eks.get_paginator("list_access_entries").paginate(clusterName=name)
        principals = [one for page in pages for one in page["accessEntries"]]
        return [
            principal
            for principal in principals
            if principal != self._admission.principal and RBAC_GROUP in self._groups(principal)
        ]

    def _run(self, *, dry_run: bool) -> Step:
        who = f"{self._admission.principal} in {self._cluster.arn}"
        entry = self._entry(self._admission.principal)
        groups = (entry or {}).get("kubernetesGroups", [])
        if entry is None or RBAC_GROUP not in groups:
            return Step(StepName.ACCESS_ENTRY, StepOutcome.UNCHANGED, f"{who} has no such entry")
        if stack := entry.get("tags", {}).get(_STACK_TAG):
            words = ("cloudformation", "delete-stack", "--stack-name", stack)
            delete = self._follow_up.aws(*words, region=self._admission.config.region)
            said = f"{who} belongs to the CloudFormation stack {stack}"
            remedy = f"If it serves nothing else, delete it:\n{delete}"
            return Step(StepName.ACCESS_ENTRY, StepOutcome.FAILED, said, remedy)
        key = {
            "clusterName": self._admission.config.cluster,
            "principalArn": self._admission.principal,
        }
        kept = [group for group in groups if group != RBAC_GROUP]
        if kept:
            if not dry_run:
                self._eks.update_access_entry(**key, kubernetesGroups=kept)
            said = f"{who}: group {RBAC_GROUP} removed, {', '.join(kept)} kept"
            return Step(StepName.ACCESS_ENTRY, StepOutcome.UPDATED, said)
        if not dry_run:
            self._eks.delete_access_entry(**key)
        return Step(StepName.ACCESS_ENTRY, StepOutcome.DELETED, who)

    def _groups(self, principal: str) -> list[str]:
        return list((self._entry(principal) or {}).get("kubernetesGroups", ()))

    def _entry(self, principal: str) -> dict[str, Any] | None:
        try:
            found = self._eks.describe_access_entry(
                clusterName=self._admission.config.cluster, principalArn=principal
            )
        except self._eks.exceptions.ResourceNotFoundException:
            return None
        return dict(found["accessEntry"])
