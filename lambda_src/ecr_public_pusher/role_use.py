"""The two uses of roles, and the names by which IAM distinguishes them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RoleUse:
    """One use of roles.

    `parameter`: the template parameter that names the only roles for it.
    `session_name`: the name by which a role's trust policy recognizes the use (the condition key
    sts:RoleSessionName), and which CloudTrail shows in the role's account.
    """

    parameter: str
    session_name: str


SIGN_IN = RoleUse("AssumableRoleName", "ecr-public-pusher-sign-in")
PULL = RoleUse("PullRoleName", "ecr-public-pusher-pull")
