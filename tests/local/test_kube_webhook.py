"""The token webhook answers a real API server's TokenReviews by the same rules."""

import json
from typing import Any

import pytest
import urllib3

from infra.local.kube.auth.authn import Authenticator
from infra.local.kube.auth.authz import UserInfo
from infra.local.kube.auth.webhook import Webhook
from infra.local.kube.http.client import context


def asked(path: str, body: bytes) -> tuple[int, bytes]:
    tokens = {"good": UserInfo("someone", "5", ("g",))}
    knowing = Authenticator(
        "prod",
        credentials=lambda _: None,
        access_entries=(),
        region="us-east-1",
        static_tokens=tokens,
    )
    webhook = Webhook(knowing)
    try:
        with urllib3.PoolManager(ssl_context=context(webhook.ca_pem), retries=False) as pool:
            answer = pool.request("POST", webhook.url + path, body=body)
            return answer.status, answer.data
    finally:
        webhook.close()


def review(token: str) -> dict[str, Any]:
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token},
    }
    status, answer = asked("?timeout=30s", json.dumps(body).encode())
    assert status == 200
    return dict(json.loads(answer))


def test_an_accepted_token_names_its_user() -> None:
    answer = review("good")
    assert (answer["apiVersion"], answer["kind"]) == ("authentication.k8s.io/v1", "TokenReview")
    user = {"username": "someone", "uid": "5", "groups": ["g", "system:authenticated"]}
    assert answer["status"] == {"authenticated": True, "user": user}


def test_a_refused_token_names_nobody() -> None:
    assert review("bad")["status"] == {"authenticated": False, "error": "the token is not accepted"}


@pytest.mark.parametrize(
    ("path", "body", "status"), [("/other", b"{}", 404), ("", b"{", 400), ("", b"[]", 400)]
)
def test_anything_else_is_refused(path: str, body: bytes, status: int) -> None:
    assert asked(path, body)[0] == status
