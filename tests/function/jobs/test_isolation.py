"""Isolation of clusters and invocations.

A failure stays within its cluster, the deadline holds whatever hangs, and nothing left hanging
writes in a later invocation.
"""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ecr_public_pusher.kubernetes_api.connection_budget import CONNECTIONS_IN_ALL
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from infra.local.aws import Answer
from infra.local.kube import Response, SeenRequest
from infra.local.kube.certificates import issue
from tests.support.bad_server import BadServer, Exchange, drip, hanging_at_connect, serving
from tests.support.described import Described
from tests.support.recorded_answers import recorded, secret_applied
from tests.support.world import ACCOUNT, Context, World

GOOD = [f"good-{number:02}" for number in range(48)]
HANG_SECONDS = 20.0


def describe(world: World, name: str, server: BadServer) -> None:
    world.aws.put_cluster(
        ACCOUNT, "us-east-1", Described(name, server.url, server.certificate.ca_pem)
    )
    world.document(name, "namespaces: [a, b]")


def test_of_fifty_one_hangs_one_refuses_and_the_others_are_not_affected(
    world: World,
) -> None:
    for name in GOOD:
        world.add_cluster(name, namespaces=("a",), document="namespaces: [a]", embedded=True)
    finished_first: list[bool] = []

    def hang_until_the_others_are_done(exchange: Exchange) -> None:
        exchange.request()
        give_up = time.monotonic() + HANG_SECONDS
        while time.monotonic() < give_up and not all(world.applies(name) for name in GOOD):
            time.sleep(0.02)
        finished_first.append(time.monotonic() < give_up)

    with (
        serving(hang_until_the_others_are_done) as hanging,
        serving(lambda exchange: None) as refusing,
    ):
        refusing.close()
        describe(world, "hangs", hanging)
        describe(world, "refuses", refusing)
        report = world.run(
            retry_policy=RetryPolicy(request_seconds=HANG_SECONDS, attempts=1, connect_attempts=1)
        )
    results = {cluster["id"]: cluster for cluster in report["clusters"]}
    assert [name for name in GOOD if not results[name]["ok"]] == []
    assert set(finished_first) == {True}
    assert (results["hangs"]["error"]["type"], results["refuses"]["error"]["type"]) == (
        "NoAnswerError",
        "UnreachableError",
    )
    assert results["hangs"]["counts"] == results["refuses"]["counts"] == {"failed": 2}
    assert report["totals"]["created"] == len(GOOD)
    assert all(len(world.applies(name)) == 1 for name in GOOD)


def stuck(exchange: Exchange) -> None:
    exchange.request()
    time.sleep(HANG_SECONDS)


@contextlib.contextmanager
def hanging(kind: str) -> Iterator[Described]:
    """Return an endpoint, named by its kind, that hangs in one of the possible ways."""
    if kind == "connect":
        with hanging_at_connect() as url:
            yield Described(kind, url, issue("x").ca_pem)
    else:
        script: Callable[[Exchange], None] = drip if kind == "drip" else stuck
        with serving(
            script, before_handshake=lambda: time.sleep(HANG_SECONDS) if kind == "tls" else None
        ) as server:
            yield Described(kind, server.url, server.certificate.ca_pem)


@pytest.mark.alone
def test_the_report_comes_before_the_time_is_up_whatever_hangs(world: World) -> None:
    """The retry policy is the function's own, which is longer than this invocation."""
    kinds = ("connect", "tls", "drip", "answer")
    world.add_cluster("good", namespaces=("a",), document="namespaces: [a]")
    with contextlib.ExitStack() as stack:
        for kind in kinds:
            world.aws.put_cluster(ACCOUNT, "us-east-1", stack.enter_context(hanging(kind)))
            world.document(kind, "namespaces: [a, b, c]")
        began = time.monotonic()
        report = world.invoke(seconds=2.5)
        assert time.monotonic() - began < 2.5
    clusters = {cluster["id"]: cluster for cluster in report["clusters"]}
    assert clusters.keys() == {"good", *kinds}
    assert clusters.pop("good")["ok"]
    for hangs in clusters.values():
        assert not hangs["ok"]
        assert sum(hangs["counts"].values()) == 3
        assert hangs["error"]["type"] == "DeadlineReached"


@pytest.mark.alone
@pytest.mark.parametrize(
    ("service", "action"), [("ssm", "GetParametersByPath"), ("ecr-public", "GetAuthorizationToken")]
)
def test_aws_that_hangs_fails_the_run_in_time(world: World, service: str, action: str) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script(service, action, Answer(200, b"{}", delay=HANG_SECONDS), times=1)
    began = time.monotonic()
    report = world.invoke(seconds=1.5)
    assert time.monotonic() - began < 1.5
    assert report["error"]["type"] == "DeadlineReached"
    assert world.asked("prod") == []


@pytest.mark.parametrize("document", ["namespaces: [a, b, c]", "namespaces: ['?']"])
def test_one_namespace_that_hangs_does_not_fail_another(world: World, document: str) -> None:
    """A webhook may answer too late for one namespace only."""
    cluster = world.add_cluster(
        "prod", namespaces=("a", "b", "c"), document=document, embedded=True
    )

    def hang(request: SeenRequest) -> Response | None:
        if "/namespaces/a/" in request.path and request.method == "PATCH":
            time.sleep(2)
        return None

    cluster.intercept = hang
    (entry,) = world.run()["clusters"]
    asked = [path.split("/")[4] for path in world.applies("prod")]
    assert {"b", "c"} <= set(asked[:3])  # not after `a` was given up
    assert entry["error"] is None
    assert entry["counts"] == {"created": 2, "failed": 1}
    assert entry["problems"][0]["namespace"] == "a"
    assert "did not complete its response in time" in entry["problems"][0]["message"]


def test_a_cluster_that_answers_nothing_is_given_up_before_its_last_namespace(world: World) -> None:
    names = " ".join(f"n{number:02}" for number in range(40))
    with serving(stuck) as server:
        describe(world, "hangs", server)
        world.document("hangs", f"namespaces: {names}")
        hurried = RetryPolicy(
            connect_seconds=0.2, request_seconds=0.3, attempts=1, stalled_seconds=0.05
        )
        (entry,) = world.run(retry_policy=hurried)["clusters"]
    assert entry["error"]["type"] == "NoAnswerError"
    assert entry["counts"] == {"failed": 40}
    assert len({request.split(b" ")[1] for request in server.requests}) < 40


def test_what_was_not_begun_in_time_is_not_attempted(world: World) -> None:
    # All the connections there are can begin two writes each in the time.
    names = tuple(f"n{number:03}" for number in range(2 * CONNECTIONS_IN_ALL + 1))
    cluster = world.add_cluster(
        "prod", namespaces=names, document="namespaces: ['n*']", embedded=True
    )

    def slowly(request: SeenRequest) -> Response | None:
        if request.method == "PATCH":
            time.sleep(2)
        return None

    cluster.intercept = slowly
    report = world.invoke(seconds=4)
    asked = world.applies("prod")
    counts = report["clusters"][0]["counts"]
    assert counts["not-attempted"] > 0
    assert counts["created"] > 0
    assert sum(counts.values()) == len(names)
    time.sleep(2.1)
    assert world.applies("prod") == asked
    written = sum(world.secret("prod", name) is not None for name in names)
    assert counts["created"] <= written <= len(set(asked)) < len(names)


def test_a_full_push_that_ran_out_of_time_is_not_claimed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.aws.script("ssm", "GetParametersByPath", Answer(200, b"{}", delay=HANG_SECONDS), times=1)
    world.invoke(seconds=1)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["FullPushCompleted"] for line in lines if "FullPushCompleted" in line] == [[0.0]]


def test_a_list_that_makes_no_sense_fails_its_own_cluster(world: World) -> None:
    """A hostile server's labels are no mapping: read carelessly, they would break the selection."""
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: {selector: x}", embedded=True
    )
    world.add_cluster("other", namespaces=("a",), document="namespaces: [a]")
    answer = {
        "kind": "PartialObjectMetadataList",
        "metadata": {},
        "items": [{"metadata": {"name": "a", "labels": ["x"]}}],
    }
    cluster.intercept = lambda request: Response(200, answer) if request.method == "GET" else None
    report = world.invoke()
    results = {entry["id"]: entry for entry in report["clusters"]}
    assert results["other"]["ok"]
    assert results["prod"]["error"]["type"] == "ApiError"


def tokens_arrived(server: BadServer) -> list[str]:
    """Return the registry credentials that reached the server, in order."""
    bodies = [
        json.loads(request.partition(b"\r\n\r\n")[2])
        for request in server.requests
        if request.startswith(b"PATCH")
    ]
    configs = [json.loads(base64.b64decode(body["data"][".dockerconfigjson"])) for body in bodies]
    return [config["auths"]["public.ecr.aws"]["auth"] for config in configs]


def applied(exchange: Exchange, request: bytes) -> None:
    secret_applied(request.split(b"/namespaces/")[1].split(b"/")[0].decode()).send(exchange)


@pytest.mark.parametrize("where", ["handshake", "answer"])
def test_no_old_token_arrives_after_a_newer_when_lambda_freezes_around_a_write(
    world: World, where: str
) -> None:
    release = threading.Event()
    connections: list[int] = []

    def before_handshake() -> None:
        connections.append(1)
        if where == "handshake" and len(connections) == 2:  # the first one asks what is there
            release.wait(HANG_SECONDS)

    def script(exchange: Exchange) -> None:
        first = len(connections) == 1
        while request := exchange.request():
            if request.startswith(b"GET"):
                recorded("blind-lists-by-name").send(exchange)
                continue
            if where == "answer" and first:
                release.wait(HANG_SECONDS)
                return  # broken off: a client that still may would try again
            if where == "handshake" and first:
                time.sleep(1.5)  # so that another connection is made beside this one
            applied(exchange, request)

    with serving(script, before_handshake=before_handshake) as server:
        describe(world, "prod", server)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.two_invocations"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            release.set()
            time.sleep(0.5)
            process.send_signal(signal.SIGCONT)
            assert process.wait(60) == 0
        finally:
            process.kill()
        arrived = tokens_arrived(server)
    older, newer = world.aws.ecr_public.issued
    assert arrived.count(newer) == 2
    assert older not in arrived[arrived.index(newer) :]
    if where == "handshake":
        assert (
            arrived.count(older) == 1
        )  # the other namespace's, in time; the one that hung is never sent


def test_two_invocations_of_one_sandbox_do_not_share_a_token(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    first = world.invoke(seconds=Context().seconds)
    second = world.invoke()
    assert first["tokens"] != second["tokens"] or len(set(world.aws.ecr_public.issued)) == 2
    assert world.token("prod", "a") == world.aws.ecr_public.issued[1]


def test_what_did_not_come_to_an_end_is_reported_in_full_with_its_reason(world: World) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a", "b"), document="namespaces: [a, b]", embedded=True
    )

    over = threading.Event()

    def hang(request: SeenRequest) -> Response | None:
        if request.method == "PATCH":
            over.wait(HANG_SECONDS)
        return None

    cluster.intercept = hang
    (entry,) = world.invoke(seconds=4)["clusters"]
    over.set()
    problems = {problem["namespace"]: problem for problem in entry["problems"]}
    remedy = "Raise the function's timeout, or find out which cluster is slow to respond."
    said = {
        "failed": "no response before the function ran out of time",
        "not-attempted": "the function ran out of time before this was started",
    }
    assert problems.keys() == {"a", "b"}
    assert "failed" in {problem["outcome"] for problem in problems.values()}
    for name, problem in problems.items():
        assert problem == {
            "namespace": name,
            "outcome": problem["outcome"],
            "message": said[problem["outcome"]],
            "remedy": remedy,
        }


def test_the_namespaces_of_a_cluster_that_failed_as_a_whole_point_to_its_error(
    world: World,
) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    cluster.intercept = lambda request: (
        recorded("bad-token").response if request.method == "PATCH" else None
    )
    (entry,) = world.invoke()["clusters"]
    assert entry["error"]["type"] == "SignInError"
    assert entry["problems"] == [
        {
            "namespace": "a",
            "outcome": "failed",
            "message": "the cluster failed as a whole",
            "remedy": "See the cluster's error.",
        }
    ]
