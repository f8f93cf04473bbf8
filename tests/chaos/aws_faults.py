"""The faults of the AWS services that the function calls."""

import contextlib
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.aws import Answer, LocalAws
from infra.local.aws.wire import AwsRequest, Scripted
from tests.chaos.cluster_faults import HUNDRED_MB, Setting
from tests.support.bad_server import drip, hanging_at_connect, serving

JSON = {"Content-Type": "application/x-amz-json-1.1"}
# Each call, and the name of its service in AWS_ENDPOINT_URL_<service>.
STAGES = {
    ("ssm", "GetParametersByPath"): "SSM",
    ("ecr-public", "GetAuthorizationToken"): "ECR_PUBLIC",
    ("ecr", "GetAuthorizationToken"): "ECR",
    ("sts", "AssumeRole"): "STS",
    ("sts", "GetWebIdentityToken"): "STS",
    ("eks", "DescribeCluster"): "EKS",
    ("sqs", "SendMessageBatch"): "SQS",
}
# Leaves a token that dies before the next push.
LIFE_BUT_MINUTES = timedelta(hours=11, minutes=50)
# The calls without which no cluster can be pushed to.
FOR_ALL = ("ssm", "ecr-public")

type Maker = Callable[[Setting, AwsRequest], Answer | None]


@dataclass(frozen=True)
class AwsFault:
    """A fault of one call. `times`: None for always. `cluster`: the one that EKS fails for."""

    stage: tuple[str, str]
    name: str
    times: int | None = None
    cluster: str | None = None

    def __str__(self) -> str:
        service, action = self.stage
        often = "always" if self.times is None else f"{self.times} times"
        return f"{service} {action}: {self.name} ({often})"

    @property
    def label(self) -> str:
        """The fault as the table counts it."""
        return f"AWS: {self.stage[0]}: {self.name}"

    @property
    def at_endpoint(self) -> bool:
        return self.name in ENDPOINTS


@contextlib.contextmanager
def broken(aws: LocalAws, fault: AwsFault, setting: Setting) -> Iterator[dict[str, str]]:
    """Have AWS fail; yield what has to be in the function's environment for that."""
    if fault.at_endpoint:
        with ENDPOINTS[fault.name]() as url:
            yield {f"AWS_ENDPOINT_URL_{STAGES[fault.stage]}": url}
        return
    left = threading.Semaphore(1_000_000 if fault.times is None else fault.times)

    def answer(request: AwsRequest) -> Answer | None:
        if fault.cluster is not None and not request.path.endswith(f"/clusters/{fault.cluster}"):
            return None
        if not left.acquire(blocking=False):
            return None
        setting.met.add(fault.label)
        return ANSWERS[fault.name](setting, request)

    scripted: Scripted = answer
    aws.script(*fault.stage, scripted)
    try:
        yield {}
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


def _redirect(setting: Setting, request: AwsRequest) -> Answer:
    return Answer(307, b"", {"Location": setting.trap + request.path})


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
        {"Parameters": {}, "cluster": []},
        {"cluster": {"endpoint": "http://169.254.169.254", "certificateAuthority": {}}},
        {"Successful": [{"Id": "99"}], "Failed": []},
        {"Successful": 1},
    ]
    bodies = [b"", b"{}", b"[]", b"null", b"{", b"[" * 5_000, b"<AssumeRoleResponse/>"]
    bodies += [json.dumps(one).encode() for one in lies]
    return Answer(200, setting.rng.choice(bodies), JSON)


@contextlib.contextmanager
def _refusing() -> Iterator[str]:
    with contextlib.closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextlib.contextmanager
def _hanging_at_connect() -> Iterator[str]:
    with hanging_at_connect() as url:
        yield url.replace("https:", "http:")


@contextlib.contextmanager
def _dripping() -> Iterator[str]:
    with serving(drip, plain=True) as server:
        yield server.url.replace("https:", "http:")


ENDPOINTS: dict[str, Callable[[], contextlib.AbstractContextManager[str]]] = {
    "refused": _refusing,
    "hang at connect": _hanging_at_connect,
    "drip": _dripping,
}
ANSWERS: dict[str, Maker] = {
    "closed": _closed,
    "hang": _hang,
    "slow": _slow,
    "half an answer": _half,
    "100 MB": _hundred_megabytes,
    "throttled": _refused("ThrottlingException"),
    "denied": _refused("AccessDeniedException"),
    "unknown key": _refused("UnrecognizedClientException"),
    "429, Retry-After 3600": _retry_after,
    **{str(code): _status(code) for code in range(500, 505)},
    "redirect 307": _redirect,
    "JSON that lies": _lie,
}


def draw(
    rng: random.Random, stages: Sequence[tuple[str, str]], clusters: Sequence[str]
) -> AwsFault:
    """Return a random fault of one of `stages`. `clusters`: those that EKS describes."""
    stage = rng.choice(stages)
    return AwsFault(
        stage,
        rng.choice((*ENDPOINTS, *ANSWERS)),
        rng.choice((None, None, 1, 2)),
        rng.choice(clusters) if stage[0] == "eks" else None,
    )
