"""Roles and their sessions.

moto hands out credentials for any role to anybody; AWS evaluates the role's trust policy first.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.utils import ArnParser
from moto.sts.models import AssumedRole, sts_backends
from moto.utilities.utils import PARTITION_NAMES

from ..identity import Credential, principal_of, same_principal

# Lambda renews its function's credentials; here one session has to outlast the stack.
SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Role:
    """A role's trust policy.

    `trusted` is the one principal that may assume it; None: nobody, as with a role that only Lambda
    assumes. `session_name` is the only one allowed; None: any.
    """

    arn: str
    external_id: str | None = None
    trusted: str | None = None
    session_name: str | None = None

    def admits(self, caller: str, external_id: str | None, session_name: str | None) -> bool:
        """Return whether `caller` (an ARN from GetCallerIdentity) may assume the role so."""
        if self.session_name not in (None, session_name):
            return False
        if self.trusted is None or not same_principal(self.trusted, principal_of(caller)):
            return False
        return self.external_id is None or self.external_id == external_id


def open_session(role_arn: str, session_name: str, session_token: str | None = None) -> Credential:
    """Open a session without the trust policy, as Lambda does for its function."""
    arn = ArnParser().parse_arn(role_arn)
    backend = sts_backends[arn["account"]][arn["partition"]]
    region = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(
        arn["partition"], "us-east-1"
    )
    role = backend.assume_role(
        region, session_name, role_arn, policy="", duration=SESSION_SECONDS, external_id=""
    )
    if session_token is not None:
        role.session_token = session_token
    return _credential(role)


def find_session(access_key_id: str) -> Credential | None:
    """Return the session of an access key id while it is valid, else None."""
    role = _session(access_key_id)
    return _credential(role) if role else None


def role_of(access_key_id: str) -> str | None:
    """Return the ARN of the role behind a session's key, with its path.

    GetCallerIdentity leaves the path out.
    """
    role = _session(access_key_id)
    return str(role.role_arn) if role else None


def _session(access_key_id: str) -> AssumedRole | None:
    for account in list(sts_backends.values()):
        for partition in PARTITION_NAMES:
            role = account[partition].get_assumed_role_from_access_key(access_key_id)
            if role and role.expiration > datetime.now(UTC).replace(tzinfo=None):
                return role
    return None


def _credential(role: AssumedRole) -> Credential:
    return Credential(role.access_key_id, role.secret_access_key, role.session_token, role.arn)
