"""GetAuthorizationToken of private ECR.

It replaces moto's, whose token expired in 2015 and is the same for everybody.
"""

import base64
import json
import secrets
import threading
from datetime import UTC, datetime, timedelta

from ..identity import CredentialLookup
from .ecr_public import PASSWORD_BYTES, TOKEN_LIFE
from .wire import Answer, AwsRequest

SERVICE = "ecr"
ACTION = "GetAuthorizationToken"


class EcrPrivate:
    """Private ECR's tokens.

    `issued` holds every token handed out, by the role's ARN and the region that it is for; `life`
    is how long tokens live.
    """

    def __init__(self, find_credential: CredentialLookup) -> None:
        self.issued: dict[tuple[str, str], list[str]] = {}
        self.life: timedelta = TOKEN_LIFE
        self._find = find_credential
        self._lock = threading.Lock()

    def answer(self, request: AwsRequest) -> Answer | None:
        """Answer a GetAuthorizationToken; return None for any other call."""
        credential = self._find(request.access_key_id) if request.access_key_id else None
        if credential is None or (request.service, request.action) != (SERVICE, ACTION):
            return None
        _, partition, _, _, account, session = credential.arn.split(":", 5)
        role = f"arn:{partition}:iam::{account}:role/{session.split('/')[1]}"
        token = base64.b64encode(f"AWS:{secrets.token_urlsafe(PASSWORD_BYTES)}".encode()).decode()
        with self._lock:
            self.issued.setdefault((role, request.region), []).append(token)
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        data = {
            "authorizationToken": token,
            "expiresAt": (datetime.now(UTC).replace(microsecond=0) + self.life).timestamp(),
            "proxyEndpoint": f"https://{account}.dkr.ecr.{request.region}.{suffix}",
        }
        return Answer(
            200,
            json.dumps({"authorizationData": [data]}).encode(),
            {"Content-Type": "application/x-amz-json-1.1"},
        )
