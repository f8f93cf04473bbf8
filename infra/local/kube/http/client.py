"""The administrator's HTTPS client, verified against the cluster's CA; no retries or redirects."""

import json
import ssl
from typing import Any

import urllib3

from ..kinds import Object

USER_AGENT = "local-admin/1"
TIMEOUT = urllib3.Timeout(connect=5, read=30)


def context(ca_pem: str) -> ssl.SSLContext:
    """Return a TLS context that verifies chain and host name.

    Only the strict flag is off, since old EKS CAs lack key identifiers.
    """
    made = ssl.create_default_context(cadata=ca_pem)
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return made


class AdminClient:
    """A client with one bearer token."""

    def __init__(self, endpoint: str, ca_pem: str, token: str) -> None:
        never = urllib3.Retry(total=0, redirect=False)
        self._endpoint = endpoint
        self._token = token
        self._pool = urllib3.PoolManager(
            ssl_context=context(ca_pem), retries=never, timeout=TIMEOUT, maxsize=8
        )

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[int, Object]:
        """Send a request; return its status and decoded answer.

        `body` is sent as JSON unless it is bytes. An answer that is not JSON is returned as its
        `message`.
        """
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": USER_AGENT}
        if body is not None:
            headers["Content-Type"] = content_type
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self._pool.request(
            method, self._endpoint + path, body=body, headers=headers, redirect=False
        )
        try:
            decoded = json.loads(answer.data)
        except ValueError:
            decoded = None
        return answer.status, (
            decoded
            if isinstance(decoded, dict)
            else {"message": answer.data.decode("utf-8", "replace")}
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.clear()
