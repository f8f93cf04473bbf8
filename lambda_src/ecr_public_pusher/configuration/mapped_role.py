"""The mapRoles entry that admits a role with aws-iam-authenticator, as a text to paste. Pure."""

from ecr_public_pusher.ownership import PRODUCT, RBAC_GROUP


def mapped_role(arn: str) -> str:
    """Return the entry that has the authenticator admit this role as a member of our group.

    It knows a role by the ARN in STS's response, which leaves the path out:
    https://github.com/kubernetes-sigs/aws-iam-authenticator#full-configuration-format
    """
    head, _, path = arn.partition("/")
    role = f"{head}/{path.rpartition('/')[2]}" if path else arn
    return f"- rolearn: {role}\n  username: {PRODUCT}\n  groups:\n  - {RBAC_GROUP}"
