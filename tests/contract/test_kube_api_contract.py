"""The embedded cluster answers as kube-apiserver 1.36.2 was recorded to.

Request by request, in order, each recording from an empty server.

Run with KUBEBUILDER_ASSETS set, the same requests go to a real kube-apiserver. Only what differs
from run to run is levelled: identifiers, versions, times, ages, addresses. A request may name what
an earlier answer had, a version or a page's token: `${case:path.in.the.answer}`.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import urllib3

from infra.local.kube import Cluster, UserInfo, start_cluster
from infra.local.kube.http.client import context
from tests.support.recorded_answers import RECORDINGS, requests_recorded

CASES = [
    pytest.param(recording, case, id=f"{recording.rpartition('-')[2]}-{case['name']}")
    for recording in RECORDINGS
    for case in requests_recorded(recording, "cases")
]
REAL = bool(os.environ.get("KUBEBUILDER_ASSETS"))
WORDS = [
    pytest.param(recording, case, id=f"{recording.rpartition('-')[2]}-{case['name']}")
    for recording in ("kube-api-ownership", "kube-api-refusals")
    for case in requests_recorded(recording, "words")
    if "server" not in case
]
POLICY_SECONDS = 6
"""Time until a bound admission policy is in force."""
TOKENS = {
    "admin-token": UserInfo("admin", "1", ("system:masters",)),
    "pusher-token": UserInfo("pusher", "2", ("ecr-public-pushers",)),
    "blind-token": UserInfo("blind", "3", ("blind-pushers",)),
    "tenant-token": UserInfo("tenant", "4", ("tenant-pushers",)),
    "granter-token": UserInfo("granter", "5", ("granters",)),
}
COMPACT = "COMPACT"
"""No HTTP method: here the server was made to forget what is past, as every five minutes."""
SEEN = re.compile(r"\$\{([^:}]+):([^}]+)\}")
UUID = re.compile(r"(?!0{8})[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
QUOTED_CHARACTER = re.compile(
    r"\\(?:x|u00)(?=[0-9a-f]{2}')"
)  # Go's releases differ in how they quote one
RECORDED_VERSION = re.compile(r"ResourceVersion in (record|the precondition) \(\d+\)")
CURRENT_VERSION = re.compile(r"current: \d+")
LEVELLED = {
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "time",
    "continue",
    "serverAddress",
}
BUILD = {"gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "platform"}


@pytest.fixture(scope="module")
def clusters() -> Iterator[dict[str, Cluster]]:
    with ExitStack() as stack:
        yield {
            recording: stack.enter_context(
                start_cluster("contract", credentials=lambda _: None, static_tokens=TOKENS)
            )
            for recording in RECORDINGS
        }


@pytest.fixture(scope="module")
def pools(clusters: dict[str, Cluster]) -> Iterator[dict[str, urllib3.PoolManager]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                urllib3.PoolManager(
                    ssl_context=context(cluster.ca_pem),
                    retries=urllib3.Retry(total=0, redirect=False),
                )
            )
            for name, cluster in clusters.items()
        }


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """Return the answers so far, by recording and case."""
    return {recording: {} for recording in RECORDINGS}


@pytest.mark.parametrize(("recording", "case"), CASES)
def test_answers_as_recorded(
    recording: str,
    case: dict[str, Any],
    clusters: dict[str, Cluster],
    pools: dict[str, urllib3.PoolManager],
    answers: dict[str, dict[str, Any]],
) -> None:
    if case["method"] == COMPACT:
        clusters[recording].compact()
        return
    _replay(case, clusters[recording], pools[recording], answers[recording])


@pytest.mark.skipif(not REAL, reason="the embedded server has no quotas and no policies")
@pytest.mark.parametrize(("recording", "case"), WORDS)
def test_the_real_server_words_its_refusals_as_recorded(
    recording: str,
    case: dict[str, Any],
    clusters: dict[str, Cluster],
    pools: dict[str, urllib3.PoolManager],
    answers: dict[str, dict[str, Any]],
) -> None:
    """Those that need a webhook, or an etcd that hangs, have been recorded and are not repeated."""
    _replay(case, clusters[recording], pools[recording], answers[recording])
    if case["path"].endswith("validatingadmissionpolicybindings"):
        time.sleep(POLICY_SECONDS)


def _replay(
    case: dict[str, Any], cluster: Cluster, http: urllib3.PoolManager, seen: dict[str, Any]
) -> None:
    url = cluster.endpoint + _filled(case["path"], seen)
    body = _body(_filled(case["body"], seen), case.get("bodyBytes", 0))
    answer = http.request(case["method"], url, headers=_headers(case), body=body)
    got = json.loads(answer.data)
    wanted = case["answer"]
    seen[case["name"]] = got
    if wanted.get("kind") == "APIResourceList":
        got, wanted = _served_resources(got, wanted)
    if REAL:
        got = _without(got, BUILD)
        wanted = _without(wanted, BUILD)
    assert (answer.status, _levelled(got)) == (case["status"], _levelled(wanted))


def test_every_recording_is_replayed_whole() -> None:
    assert len(CASES) == 83 + 43 + 286 + 29


def _headers(case: dict[str, Any]) -> dict[str, str]:
    named = {"Accept": case["accept"], "Content-Type": case["contentType"]}
    headers = {name: value for name, value in named.items() if value}
    if case["as"]:
        headers["Authorization"] = f"Bearer {case['as']}-token"
    return headers


def _filled(value: Any, seen: dict[str, Any]) -> Any:
    """Return the request with names replaced by those that earlier answers gave."""
    if isinstance(value, str):
        return SEEN.sub(lambda named: _at(seen[named[1]], named[2]), value)
    if isinstance(value, list):
        return [_filled(item, seen) for item in value]
    if isinstance(value, dict):
        return {key: _filled(field, seen) for key, field in value.items()}
    return value


def _at(answer: Any, path: str) -> str:
    for name in path.split("."):
        answer = answer[name]
    return str(answer)


def _body(body: Any, blanks: int = 0) -> bytes | None:
    """Return the body as it is sent; without one, as many blanks as `blanks`."""
    if body is None:
        return b" " * blanks or None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _served_resources(
    got: dict[str, Any], wanted: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return discovery's resources that are served.

    Only these need to be shown, each as recorded.
    """
    served = {entry["name"] for entry in got["resources"]}
    assert {"namespaces", "secrets", "serviceaccounts"} <= served
    return got, {
        **wanted,
        "resources": [entry for entry in wanted["resources"] if entry["name"] in served],
    }


def _without(value: Any, names: set[str]) -> Any:
    return {key: field for key, field in value.items() if key not in names}


def _levelled(value: Any, name: str = "") -> Any:
    """Return the answer with a mark in place of what differs from run to run.

    The presence of such a field still counts.
    """
    if name in LEVELLED and isinstance(value, str):
        return "*"
    if name == "cells":
        return [
            "<age>" if isinstance(cell, str) and re.fullmatch(r"(\d+[smhdy])+", cell) else cell
            for cell in value
        ]
    if isinstance(value, dict):
        return {key: _levelled(field, key) for key, field in value.items()}
    if isinstance(value, list):
        # Managers of one second stand in the order of their names: which second a request falls
        # into is chance.
        items = (
            sorted(value, key=lambda entry: (entry["operation"], entry["manager"]))
            if name == "managedFields"
            else value
        )
        return [_levelled(item) for item in items]
    if isinstance(value, str):
        value = RECORDED_VERSION.sub(r"ResourceVersion in \1 (*)", UUID.sub("*", value))
        return QUOTED_CHARACTER.sub("%", CURRENT_VERSION.sub("current: *", value))
    return value
