"""Commands and texts to paste that admit a role to a cluster: access entries, mapRoles. Pure.

https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP


@dataclass(frozen=True)
class AccessEntryCommands:
    """Commands of the AWS CLI for one role, `principal`, in one cluster."""

    region: str
    cluster: str
    principal: str

    @property
    def create(self) -> str:
        """Return the command that creates an entry with our group."""
        return (
            f"aws eks create-access-entry {self._entry} --type STANDARD --kubernetes-groups"
            f" {RBAC_GROUP}"
        )

    def add_group(self, groups: Sequence[str]) -> str:
        """Return the command that adds our group to an entry's `groups`."""
        return (
            f"aws eks update-access-entry {self._entry} --kubernetes-groups"
            f" {shlex.join([*groups, RBAC_GROUP])}"
        )

    @property
    def delete(self) -> str:
        """Return the command that deletes the role's entry."""
        return f"aws eks delete-access-entry {self._entry}"

    @property
    def allow_and_create(self) -> str:
        """Return the command for a cluster that uses only the ConfigMap aws-auth.

        The change of the authentication mode cannot be undone.
        """
        cluster = f"--region {self.region} --name {self.cluster}"
        return " && ".join(
            (
                f"aws eks update-cluster-config {cluster} --access-config"
                " authenticationMode=API_AND_CONFIG_MAP",
                f"aws eks wait cluster-active {cluster}",
                self.create,
            )
        )

    @property
    def _entry(self) -> str:
        return (
            f"--region {self.region} --cluster-name {self.cluster} --principal-arn {self.principal}"
        )


def mapped_role(arn: str) -> str:
    """Return the entry that has the authenticator admit this role as a member of our group.

    It knows a role by the ARN in STS's response, which leaves the path out:
    https://github.com/kubernetes-sigs/aws-iam-authenticator#full-configuration-format
    """
    head, _, path = arn.partition("/")
    role = f"{head}/{path.rpartition('/')[2]}" if path else arn
    return f"- rolearn: {role}\n  username: {PRODUCT}\n  groups:\n  - {RBAC_GROUP}"
