"""The faults of the AWS services that the function calls."""

import contextlib
import hashlib
import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.aws import Answer, LocalAws
from infra.local.aws.queues import LocalQueue
from infra.local.aws.wire import AwsRequest, Scripted
from tests.chaos.cluster_faults import (
    HUNDRED_MB,
    Setting,
    Unreachable,
    closes,
    hangs_at_connect,
    refused,
    resets,
    silent,
)
from tests.support.bad_server import drip, serving

JSON = {"Content-Type": "application/x-amz-json-1.1"}
# Each call, and the name of its service in AWS_ENDPOINT_URL_<service>.
STAGES = {
    ("ssm", "GetParametersByPath"): "SSM",
    ("ssm", "GetParameters"): "SSM",
    ("ecr-public", "GetAuthorizationToken"): "ECR_PUBLIC",
    ("ecr", "GetAuthorizationToken"): "ECR",
    ("sts", "AssumeRole"): "STS",
    ("sts", "GetWebIdentityToken"): "STS",
    ("eks", "ListClusters"): "EKS",
    ("eks", "DescribeCluster"): "EKS",
    ("secretsmanager", "GetSecretValue"): "SECRETS_MANAGER",
    ("sqs", "SendMessageBatch"): "SQS",
}
# Leaves a token that dies before the next push.
LIFE_BUT_MINUTES = timedelta(hours=11, minutes=50)
# The calls without which no cluster can be pushed to.
FOR_ALL = ("ssm", "ecr-public")

type Maker = Callable[[Setting, AwsRequest], Answer | None]


@dataclass(frozen=True)
class AwsFault:
    """A fault of one call.

    `times`: None for always. `after`: the calls that succeed before. `cluster`: the one that
    DescribeCluster fails for.
    """

    stage: tuple[str, str]
    name: str
    times: int | None = None
    after: int = 0
    cluster: str | None = None

    def __str__(self) -> str:
        often = "always" if self.times is None else f"{self.times} times"
        later = f" after {self.after}" if self.after else ""
        return f"{self.target}: {self.name} ({often}{later})"

    @property
    def target(self) -> str:
        """The call as the table counts it."""
        return " ".join(self.stage)

    @property
    def at_endpoint(self) -> bool:
        return self.name in ENDPOINTS


@dataclass(frozen=True)
class Failing:
    """`environ`: what has to be in the function's environment. `connections`: as of a place."""

    environ: dict[str, str] = field(default_factory=dict)
    connections: Callable[[], int] | None = None


@contextlib.contextmanager
def broken(
    aws: LocalAws, fault: AwsFault, setting: Setting, queue: LocalQueue
) -> Iterator[Failing]:
    """Have AWS fail."""
    if fault.at_endpoint:
        with ENDPOINTS[fault.name]() as (url, _, connections):
            service = STAGES[fault.stage]
            yield Failing({f"AWS_ENDPOINT_URL_{service}": url}, connections)
        return
    spared = threading.Semaphore(fault.after)
    left = threading.Semaphore(1_000_000 if fault.times is None else fault.times)

    def answer(request: AwsRequest) -> Answer | None:
        if fault.cluster is not None and not request.path.endswith(f"/clusters/{fault.cluster}"):
            return None
        if spared.acquire(blocking=False) or not left.acquire(blocking=False):
            return None
        setting.met.add((fault.target, fault.name))
        if fault.name == IN_PART:
            return _in_part(setting, request, queue)
        return ANSWERS[fault.name](setting, request)

    scripted: Scripted = answer
    aws.script(*fault.stage, scripted)
    try:
        yield Failing()
    finally:
        aws.script(*fault.stage, None)


def _closed(setting: Setting, request: AwsRequest) -> Answer:
    return Answer(0, b"")


def _hang(setting: Setting, request: AwsRequest) -> Answer:
    setting.release.wait()
    return Answer(0, b"")


def _slow(setting: Setting, request: AwsRequest) -> Answer | None:
    setting.release.wait(0.4)
    return None


def _half(setting: Setting, request: AwsRequest) -> Answer:
    return Answer(200, b'{"authorizationData": {"auth', {**JSON, "Content-Length": "4000"})


def _hundred_megabytes(setting: Setting, request: AwsRequest) -> Answer:
    return Answer(200, b" " * HUNDRED_MB, JSON)


def _refused(code: str, status: int = 400) -> Maker:
    return lambda setting, request: Answer.refusal(request, code, "refused", status=status)


def _status(code: int) -> Maker:
    return lambda setting, request: Answer(code, b"<html></html>", {"Content-Type": "text/html"})


def _retry_after(setting: Setting, request: AwsRequest) -> Answer:
    return Answer(429, b"{}", {**JSON, "Retry-After": "3600"})


def _redirect(code: int) -> Maker:
    return lambda setting, request: Answer(code, b"", {"Location": setting.trap + request.path})


def _in_part(setting: Setting, request: AwsRequest, queue: LocalQueue) -> Answer:
    """Accept some messages of a batch, and refuse the others."""
    entries = json.loads(request.body)["Entries"]
    taken = setting.rng.sample(entries, len(entries) // 2)
    for entry in taken:
        queue.put(entry["MessageBody"])
    failed = [
        {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False}
        for entry in entries
        if entry not in taken
    ]
    done = [
        {
            "Id": entry["Id"],
            "MessageId": entry["Id"],
            "MD5OfMessageBody": hashlib.md5(
                entry["MessageBody"].encode(), usedforsecurity=False
            ).hexdigest(),
        }
        for entry in taken
    ]
    return Answer(200, json.dumps({"Successful": done, "Failed": failed}).encode(), JSON)


def _lie(setting: Setting, request: AwsRequest) -> Answer:
    """Answer 200 with JSON, or XML, that is no answer, and with tokens that are none."""
    soon = datetime.now(UTC) + timedelta(hours=12)
    tokens: list[Any] = [
        None,
        [],
        {},
        {"authorizationToken": "this is no token!", "expiresAt": soon.timestamp()},
        {"authorizationToken": "QVdTOng=", "expiresAt": (soon - timedelta(days=1)).timestamp()},
        {"authorizationToken": "QVdTOng=", "expiresAt": "tomorrow"},
        {"authorizationToken": "QVdTOng="},
        {"authorizationToken": "QVdTOng=", "expiresAt": (soon - LIFE_BUT_MINUTES).timestamp()},
        {"authorizationToken": ["QVdTOng="], "expiresAt": soon.timestamp()},
    ]
    given = setting.rng.choice(tokens)
    private = request.service == "ecr"
    lies: list[Any] = [
        {"authorizationData": [given] if private else given},
        {"Parameters": [{"Name": "/elsewhere/clusters/x", "Value": "{}"}], "NextToken": None},
        {"Parameters": [], "clusters": [], "NextToken": "again", "nextToken": "again"},
        {"Parameters": {}, "cluster": [], "clusters": "cluster-0"},
        {"clusters": ["../cluster-0", 1, None], "SecretBinary": "!"},
        {"SecretString": "{kind: Config, clusters: [], users: [token]}"},
        {"SecretString": {}},
        {"cluster": {"endpoint": "http://169.254.169.254", "certificateAuthority": {}}},
        {"Successful": [{"Id": "99"}], "Failed": []},
        {"Successful": 1},
    ]
    bodies = [b"", b"{}", b"[]", b"null", b"{", b"[" * 5_000, b"<AssumeRoleResponse/>"]
    bodies += [json.dumps(one).encode() for one in lies]
    return Answer(200, setting.rng.choice(bodies), JSON)


def _plain(
    made: Callable[[], contextlib.AbstractContextManager[Unreachable]],
) -> Callable[[], contextlib.AbstractContextManager[Unreachable]]:
    """Return the same for an endpoint without TLS."""

    @contextlib.contextmanager
    def plain() -> Iterator[Unreachable]:
        with made() as (url, ca_pem, connections):
            yield url.replace("https:", "http:"), ca_pem, connections

    return plain


@contextlib.contextmanager
def _dripping() -> Iterator[Unreachable]:
    with serving(drip, plain=True) as server:
        yield server.url, "", lambda: server.connections


@contextlib.contextmanager
def _another_authority() -> Iterator[Unreachable]:
    with serving(lambda exchange: exchange.answer("200 OK", b"{}")) as server:
        yield server.url, "", lambda: server.connections


ENDPOINTS: dict[str, Callable[[], contextlib.AbstractContextManager[Unreachable]]] = {
    "refused": _plain(refused),
    "hang at connect": _plain(hangs_at_connect),
    "hang at TLS": silent,
    "closed at TLS": closes,
    "reset": _plain(resets),
    "another authority": _another_authority,
    "drip": _plain(_dripping),
}
# Of the queue alone: it takes some messages of a batch.
IN_PART = "a batch taken in part"
ANSWERS: dict[str, Maker] = {
    "closed": _closed,
    "hang": _hang,
    "slow": _slow,
    "half an answer": _half,
    "100 MB": _hundred_megabytes,
    "throttled": _refused("ThrottlingException"),
    "denied": _refused("AccessDeniedException"),
    "unknown key": _refused("UnrecognizedClientException"),
    "401": _status(401),
    "429": _status(429),
    "429, Retry-After 3600": _retry_after,
    **{str(code): _status(code) for code in range(500, 505)},
    **{f"redirect {code}": _redirect(code) for code in (301, 302, 307, 308)},
    "JSON that lies": _lie,
}


def draw(
    rng: random.Random, stages: Sequence[tuple[str, str]], clusters: Sequence[str]
) -> AwsFault:
    """Return a random fault of one of `stages`. `clusters`: those that EKS describes."""
    stage = rng.choice(stages)
    own = (IN_PART,) * 6 if stage[0] == "sqs" else ()
    return AwsFault(
        stage,
        rng.choice((*ENDPOINTS, *ANSWERS, *own)),
        rng.choice((None, None, 1, 2)),
        rng.choice((0, 0, 1)),
        rng.choice(clusters) if stage == ("eks", "DescribeCluster") else None,
    )
