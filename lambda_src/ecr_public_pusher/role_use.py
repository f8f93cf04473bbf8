"""Name the two uses of roles, and what IAM tells them apart by. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RoleUse:
    """One use of roles. `parameter`: of the template, naming the only roles for it.

    `session_name`: what a role's trust policy knows the use by (the condition key
    sts:RoleSessionName), and CloudTrail shows in the role's account.
    """

    parameter: str
    session_name: str


SIGN_IN = RoleUse("AssumableRoleName", "ecr-public-pusher-sign-in")
PULL = RoleUse("PullRoleName", "ecr-public-pusher-pull")
