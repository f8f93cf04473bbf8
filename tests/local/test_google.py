"""The embedded token services of Google refuse what Google's refuse."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from infra.local.aws.issuer import WebIdentityIssuer
from infra.local.google import (
    ACCESS_TOKEN,
    EMAIL,
    FORM,
    GRANT_TYPE,
    IAM,
    PLATFORM,
    SUBJECT_TYPES,
    TOKEN_PATH,
    LocalGoogle,
    Provider,
)
from infra.local.kube.auth.jwts import NotTrusted
from infra.local.kube.http.client import context

NAME = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/aws"
ROLE = "arn:aws:iam::111122223333:role/pusher"
MEMBER = f"principal:{NAME.partition('/providers/')[0]}/subject/{ROLE}"
SERVICE_ACCOUNT = "pusher@project.iam.gserviceaccount.com"
ISSUER = WebIdentityIssuer("111122223333")


@pytest.fixture
def google() -> Iterator[LocalGoogle]:
    made = LocalGoogle()
    made.trust(Provider(NAME, ISSUER.url, ISSUER.keys, ("a",), ROLE))
    made.let_become(SERVICE_ACCOUNT, [MEMBER])
    yield made
    made.close()


def post(google: LocalGoogle, path: str, body: str, **headers: str) -> tuple[int, dict[str, Any]]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib3.PoolManager(ssl_context=context(google.ca_pem)) as pool:
        answer = pool.request("POST", google.url + path, body=body, headers=names)
    return answer.status, json.loads(answer.data or "{}")


def token(**claims: Any) -> str:
    return ISSUER.sign({"sub": ROLE, "aud": "a", "exp": int(time.time()) + 3600} | claims)


def exchange(google: LocalGoogle, **fields: str | None) -> tuple[int, dict[str, Any]]:
    form = {
        "grant_type": GRANT_TYPE,
        "audience": NAME,
        "scope": f"{PLATFORM} {EMAIL}",
        "requested_token_type": ACCESS_TOKEN,
        "subject_token": token(),
        "subject_token_type": SUBJECT_TYPES[0],
    } | fields
    given = {name: value for name, value in form.items() if value is not None}
    return post(google, TOKEN_PATH, urlencode(given), Content_Type=FORM)


def impersonate(
    google: LocalGoogle, bearer: str, account: str = SERVICE_ACCOUNT, **body: Any
) -> tuple[int, dict[str, Any]]:
    path = f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    fields = {"scope": [PLATFORM, EMAIL], "lifetime": "600s"} | body
    return post(google, path, json.dumps(fields), Authorization=f"Bearer {bearer}")


def test_a_trusted_token_becomes_its_subjects(google: LocalGoogle) -> None:
    status, answer = exchange(google)
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    user, expires = google.verify(answer["access_token"])
    assert (user.username, expires > time.time() + 3500) == (MEMBER, True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"requested_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"audience": NAME.replace("aws", "other")}, "invalid_target"),
        ({"resource": "x"}, "invalid_request"),
        ({"subject_token": "a.b.c"}, "invalid_grant"),
        ({"subject_token": token(aud="b")}, "invalid_grant"),
        ({"subject_token": token(exp=int(time.time()) - 1)}, "invalid_grant"),
        ({"subject_token": token(exp=None)}, "invalid_grant"),
        ({"subject_token": token(sub=f"{ROLE}2")}, "unauthorized_client"),
        (
            {"subject_token": WebIdentityIssuer("111122223333").sign({"sub": ROLE, "aud": "a"})},
            "invalid_grant",
        ),
        (
            {"subject_token": WebIdentityIssuer("999988887777").sign({"sub": ROLE, "aud": "a"})},
            "invalid_grant",
        ),
    ],
)
def test_a_refused_exchange(google: LocalGoogle, fields: dict[str, Any], code: str) -> None:
    status, answer = exchange(google, **fields)
    assert (status, answer["error"]) == (400, code)


def test_a_subject_that_is_too_long_for_google(google: LocalGoogle) -> None:
    google.trust(Provider(NAME, ISSUER.url, ISSUER.keys, ("a",)))
    assert exchange(google, subject_token=token(sub="a" * 127))[0] == 200
    status, answer = exchange(google, subject_token=token(sub="a" * 128))
    assert (status, answer["error"]) == (400, "invalid_grant")


def test_the_exchange_takes_a_form_and_no_authorization(google: LocalGoogle) -> None:
    assert post(google, TOKEN_PATH, "{}", Content_Type="application/json")[1]["error"] == (
        "invalid_request"
    )
    status, answer = post(google, TOKEN_PATH, "", Content_Type=FORM, Authorization="Bearer x")
    assert (status, answer["error"]) == (400, "invalid_client")


def test_a_member_becomes_the_service_account(google: LocalGoogle) -> None:
    bearer = exchange(google, scope=IAM)[1]["access_token"]
    status, answer = impersonate(google, bearer)
    assert status == 200
    assert google.verify(answer["accessToken"])[0].username == SERVICE_ACCOUNT
    with pytest.raises(NotTrusted, match="scope"):
        google.verify(bearer)


def test_without_the_scope_of_its_email_a_service_account_is_a_number(google: LocalGoogle) -> None:
    bearer = exchange(google)[1]["access_token"]
    answer = impersonate(google, bearer, scope=[PLATFORM])[1]
    assert google.verify(answer["accessToken"])[0].username.isdecimal()


@pytest.mark.parametrize(
    ("scope", "account", "body", "code"),
    [
        (EMAIL, SERVICE_ACCOUNT, {}, "PERMISSION_DENIED"),
        (IAM, "another@project.iam.gserviceaccount.com", {}, "PERMISSION_DENIED"),
        (IAM, SERVICE_ACCOUNT, {"lifetime": "3601s"}, "INVALID_ARGUMENT"),
        (IAM, SERVICE_ACCOUNT, {"lifetime": "600"}, "INVALID_ARGUMENT"),
        (IAM, SERVICE_ACCOUNT, {"scope": []}, "INVALID_ARGUMENT"),
        (IAM, SERVICE_ACCOUNT, {"more": 1}, "INVALID_ARGUMENT"),
    ],
)
def test_a_refused_service_account(
    google: LocalGoogle, scope: str, account: str, body: dict[str, Any], code: str
) -> None:
    bearer = exchange(google, scope=scope)[1]["access_token"]
    assert impersonate(google, bearer, account, **body)[1]["error"]["status"] == code


def test_nobody_becomes_a_service_account_with_another_token(google: LocalGoogle) -> None:
    assert impersonate(google, token())[0] == 401
    bearer = exchange(google)[1]["access_token"]
    google.clock = lambda: time.time() + 3601
    assert impersonate(google, bearer)[0] == 401
    with pytest.raises(NotTrusted, match="expired"):
        google.verify(bearer)


def test_a_token_that_google_did_not_issue(google: LocalGoogle) -> None:
    with pytest.raises(NotTrusted, match="did not issue"):
        google.verify("ya29.made-up")
