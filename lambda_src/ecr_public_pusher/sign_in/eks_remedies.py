"""Remedies for an EKS cluster that cannot be reached, or does not admit the function. Pure.

They are commands to paste.
"""

from dataclasses import dataclass

from ecr_public_pusher.configuration.access_entries import AccessEntryCommands, mapped_role
from ecr_public_pusher.configuration.kubectl_commands import UNKNOWN_CONTEXT
from ecr_public_pusher.kubernetes_api.server_version import Version
from ecr_public_pusher.sign_in.kind import Endpoint

_IN_VPC = (
    "Run the function in the cluster's VPC, or one that is connected with it (template parameters"
    " SubnetIds and SecurityGroupIds)."
)


@dataclass(frozen=True)
class EksRemedies:
    """Remedies for one cluster, by what EKS says of its endpoint. A sign_in.kind.Remedies."""

    endpoint: Endpoint
    cluster: str
    region: str
    context: str = UNKNOWN_CONTEXT

    @property
    def _of_cluster(self) -> str:
        return f"--region {self.region} --name {self.cluster}"

    @property
    def _goes_by_aws_auth(self) -> bool:
        """Return whether only aws-auth counts, as in a local cluster on an Outpost.

        Its authentication mode cannot be changed.
        """
        return bool(self.endpoint.local_id) and not self.endpoint.has_access_entries

    def name_not_resolved(self) -> str:
        if not self.endpoint.public:
            return (
                f"The endpoint is private only, so its name may resolve in its VPC only. {_IN_VPC}"
            )
        return (
            f"Is this still its name? `aws eks describe-cluster {self._of_cluster} --query"
            " cluster.endpoint` (In a VPC: check its DNS settings.)"
        )

    def not_connected(self, *, private: bool) -> str:
        if private or not self.endpoint.public:
            group = self.endpoint.security_group or "CLUSTER_SECURITY_GROUP"
            return (
                "The endpoint"
                f" {'has private addresses here' if self.endpoint.public else 'is private only'}."
                f" {_IN_VPC} Then admit it: `aws ec2 authorize-security-group-ingress --region"
                f" {self.region} --group-id {group} --protocol tcp --port 443 --source-group"
                " FUNCTION_SECURITY_GROUP`"
            )
        cidrs = self.endpoint.public_cidrs
        if cidrs and "0.0.0.0/0" not in cidrs:
            return (
                f"The endpoint admits {', '.join(cidrs[:10])} only. Add the function's own address"
                " (of the NAT gateway of its VPC): `aws eks update-cluster-config"
                f" {self._of_cluster} --resources-vpc-config"
                f" publicAccessCidrs={','.join([*cidrs, 'ADDRESS/32'])}`"
            )
        return (
            "A function in a VPC (SubnetIds) needs a route to the internet: a NAT gateway, and"
            " a security group that allows outbound traffic to port 443."
        )

    def not_the_cluster(self) -> str:
        return (
            f"aws eks describe-cluster {self._of_cluster} --query"
            " 'cluster.[endpoint,certificateAuthority.data]'"
        )

    def not_admitted(
        self, principal: str, groups: tuple[str, ...], version: Version | None = None
    ) -> str:
        """Return what makes the cluster admit the signing role as our group.

        `groups`: those that an access entry gives it already.
        """
        commands = AccessEntryCommands(self.region, self.cluster, principal)
        others = [group for group in groups if not group.startswith("system:") and " " not in group]
        if self._goes_by_aws_auth:
            return (
                "A local cluster reads the ConfigMap aws-auth only. Add to its mapRoles"
                f" (`kubectl --context {self.context} edit configmap aws-auth -n"
                f" kube-system`):\n{mapped_role(principal)}"
            )
        if not self.endpoint.has_access_entries:
            return commands.allow_and_create
        return commands.add_group(others) if groups else commands.create

    def granted_by_policy(self, principal: str) -> str:
        """Return the command that shows the access policies EKS grants the role."""
        if self._goes_by_aws_auth:
            return f"kubectl --context {self.context} get configmap aws-auth -n kube-system -o yaml"
        return (
            f"aws eks list-associated-access-policies --region {self.region} --cluster-name"
            f" {self.cluster} --principal-arn {principal}"
        )
