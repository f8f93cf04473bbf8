"""A token is believed only when a registry could take it."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from ecr_public_pusher.errors import TokenError
from ecr_public_pusher.registries.ecr_public import checked_token
from ecr_public_pusher.registries.registry import PUBLIC_HOSTS, docker_config

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAST_HOURS = timedelta(hours=2)
GOOD = base64.b64encode(b"AWS:pass:word").decode()


def answer(token: Any, expires_at: Any = NOW + timedelta(hours=12)) -> dict[str, Any]:
    return {"authorizationData": {"authorizationToken": token, "expiresAt": expires_at}}


def test_a_good_token_is_taken_as_it_is() -> None:
    token = checked_token(answer(GOOD), NOW)
    assert (token.authorization, token.expires_at) == (GOOD, NOW + timedelta(hours=12))


def test_an_hour_is_the_least_it_may_live() -> None:
    assert checked_token(answer(GOOD, NOW + timedelta(hours=1)), NOW).authorization == GOOD


def test_a_token_is_not_printed() -> None:
    assert GOOD not in repr(checked_token(answer(GOOD), NOW))


@pytest.mark.parametrize(
    ("nonsense", "said"),
    [
        (answer(""), "empty"),
        (answer(None), "empty"),
        (answer(7), "empty"),
        ({}, "empty"),
        ({"authorizationData": [{"authorizationToken": GOOD}]}, "empty"),
        (None, "empty"),
        (answer("***"), "not base64"),
        (answer("é"), "not base64"),
        (answer(base64.b64encode(b"nobody:x").decode()), "AWS:<password>"),
        (answer(base64.b64encode(b"AWS:").decode()), "AWS:<password>"),
        (answer(base64.b64encode(b"AWS").decode()), "AWS:<password>"),
        (answer(GOOD, None), "no expiry"),
        (answer(GOOD, datetime(2026, 1, 2)), "no expiry"),  # in which zone?
        (answer(GOOD, datetime(9999, 12, 31, 23, tzinfo=timezone(-LAST_HOURS))), "no expiry"),
        (answer(GOOD, parse_timestamp("2026-01-02T00:00:00+99:99")), "no expiry"),
        (answer(GOOD, NOW), "expired"),
        (answer(GOOD, NOW + timedelta(seconds=20)), "is valid for only 20 seconds"),
        (answer(GOOD, NOW + timedelta(minutes=59)), "is valid for only 3540 seconds"),
        (answer(GOOD, NOW - timedelta(hours=1)), "expired"),
    ],
)
def test_nonsense_is_refused_and_not_repeated(nonsense: Any, said: str) -> None:
    with pytest.raises(TokenError, match=said) as caught:
        checked_token(nonsense, NOW)
    assert GOOD not in str(caught.value)


def test_the_docker_config_holds_the_credential_under_both_names() -> None:
    assert json.loads(docker_config(dict.fromkeys(PUBLIC_HOSTS, GOOD))) == {
        "auths": {"public.ecr.aws": {"auth": GOOD}, "ecr-public.aws.com": {"auth": GOOD}}
    }
