"""The administrator's HTTPS client, verified against the cluster's CA; no retries or redirects."""

import functools
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
        self._endpoint = endpoint
        self._ca_pem = ca_pem
        self._token = token

    @functools.cached_property
    def _pool(self) -> urllib3.PoolManager:
        """The connections, whose TLS context is made with the first request."""
        never = urllib3.Retry(total=0, redirect=False)
        return urllib3.PoolManager(
            ssl_context=context(self._ca_pem), retries=never, timeout=TIMEOUT, maxsize=8
        )

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[int, Object]:
        """Send a request; return its status and decoded answer.

        `body` is sent as JSON unless it is bytes. An answer that is not JSON is returned as its
        `message`.
        """
        headers, content = prepared(self._token, body, content_type)
        answer = self._pool.request(
            method, self._endpoint + path, body=content or None, headers=headers, redirect=False
        )
        return answer.status, decoded_answer(answer.data)

    def close(self) -> None:
        """Close the pooled connections."""
        if "_pool" in vars(self):
            self._pool.clear()


def prepared(token: str, body: Any, content_type: str) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of an administrator's request."""
    headers = {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}
    if body is None:
        return headers, b""
    headers["Content-Type"] = content_type
    return headers, body if isinstance(body, bytes) else json.dumps(body).encode()


def decoded_answer(data: bytes) -> Object:
    """Return an answer's JSON object; an answer that is none becomes the `message` of one."""
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"message": data.decode("utf-8", "replace")}
