"""Targets: the answers of an API server, which may be hostile.

An input is a script of answers, which NUL bytes separate. The first byte of each chooses its
status; what follows is the body. After the last one the connection breaks.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import ClassVar

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Clock, Deadline
from ecr_public_pusher.errors import ApiStatusError, PusherError
from ecr_public_pusher.jobs.seen_account import SeenAccount, seen_account
from ecr_public_pusher.jobs.seen_secret import seen_secret
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.access_reviews import Right, can_i, who_am_i
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.server_version import server_version
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.results import Namespace
from tests.fuzz.target import CANARY, Target, check_secrecy

STATUSES = (200, 201, 302, 401, 403, 404, 409, 410, 422, 429, 503)
RETRY_AFTER = {429: "Retry-After: 0\r\n", 503: "Retry-After: x\r\n"}
NEVER_WAITS = RetryPolicy(
    attempts=2, connect_attempts=2, backoff_seconds=0, sign_in_seconds=0, lost_race_seconds=0
)
SECONDS = 0.5  # left until the deadline, on a clock that stands still
_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]+)")


class Server(asyncio.Protocol):
    """A connection of an API server that gives the script's next answer to each request."""

    script: ClassVar[Iterator[bytes]] = iter(())

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not ended or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        if (answer := next(self.script, None)) is None:
            self._transport.abort()
        else:
            self._transport.write(answer)


@cache
def _server() -> tuple[asyncio.Runner, str]:
    """Return an event loop, and the address at which a server listens on it."""
    runner = asyncio.Runner()
    listen = runner.get_loop().create_server(Server, "127.0.0.1", 0)
    host, port = runner.run(listen).sockets[0].getsockname()
    return runner, f"http://{host}:{port}"


def _client(address: str, blocking: BlockingCalls, sockets: Sockets) -> KubernetesApi:
    async def credential() -> Credential:
        return Credential(CANARY)

    clock = Clock(wall=lambda: 0.0, monotonic=lambda: 0.0)
    return KubernetesApi(
        ClusterAccess(address, "", credential, "remedy"),
        field_manager="ecr-public-pusher/fuzz",
        deadline=Deadline(SECONDS, clock),
        blocking=blocking,
        sockets=sockets,
        retry_policy=NEVER_WAITS,
    )


_SECRET = b'{"data": {".dockerconfigjson": ""}}'
type Ask = Callable[[KubernetesApi], Awaitable[object]]
LISTS: tuple[Ask, ...] = (
    lambda api: api.namespaces("team=web"),
    lambda api: api.secrets_named("pull", seen_secret),
    lambda api: api.accounts_named(None, seen_account),
)
OBJECTS: tuple[Ask, ...] = (
    lambda api: api.secret_metadata("a", "pull", seen_secret),
    lambda api: api.service_account("a", "default", seen_account),
    lambda api: api.apply_secret("a", "pull", _SECRET),
    lambda api: api.delete_secret("a", "pull", uid="u", version="1"),
    lambda api: api.patch_service_account("a", "default", []),
)
REVIEWS: tuple[Ask, ...] = (
    who_am_i,
    lambda api: can_i(api, Right("patch", "secrets", "pull")),
    server_version,
)


def asking(asks: tuple[Ask, ...]) -> Callable[[bytes], None]:
    """Return a target that sends each of these requests, answered by the input."""

    def run(data: bytes) -> None:
        runner, address = _server()
        answers = [_answer(part) for part in data.split(b"\0")]
        for ask in asks:
            Server.script = iter(answers)
            runner.run(_sent(ask, address))

    return run


async def _sent(ask: Ask, address: str) -> None:
    async with BlockingCalls() as blocking:
        with Sockets() as sockets:
            async with _client(address, blocking, sockets) as api:
                try:
                    found = await ask(api)
                except PusherError as error:
                    _check_error(error)
                else:
                    _check_found(found)


def _check_error(error: PusherError) -> None:
    check_secrecy(error.message, error.remedy)
    if isinstance(error, ApiStatusError):
        check_secrecy(error.conflict and error.conflict.managers, error.webhook, error.causes)
        error.stale, error.retryable, error.lacks_rights  # noqa: B018 - none may raise


def _check_found(found: object) -> None:
    for one in found if isinstance(found, list) else [found]:
        match one:
            case Namespace():
                check_secrecy(one._replace(labels={}))  # compared, never shown
            case SeenAccount():
                check_secrecy(one.namespace, one.name, one.version)
            case _:
                check_secrecy(one)


def _answer(part: bytes) -> bytes:
    status = STATUSES[part[0] % len(STATUSES)] if part else 200
    body = part[1:]
    head = f"HTTP/1.1 {status} \r\nContent-Length: {len(body)}\r\n{RETRY_AFTER.get(status, '')}\r\n"
    return head.encode() + body


def _seed(*answers: tuple[int, str]) -> bytes:
    return b"\0".join(
        bytes([ord("B") // len(STATUSES) * len(STATUSES) + STATUSES.index(status)]) + body.encode()
        for status, body in answers
    )


def _page(kind: str, *items: str, token: str = "") -> tuple[int, str]:
    metadata = f'{{"continue": "{token}", "resourceVersion": "7"}}'
    return 200, f'{{"kind": "{kind}", "metadata": {metadata}, "items": [{", ".join(items)}]}}'


_METADATA = (
    '{"metadata": {"namespace": "a", "name": "%s", "uid": "5f1c", "resourceVersion": "12",'
    ' "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app.kubernetes.io/managed-by":'
    ' "ecr-public-pusher"}, "annotations": {"ecr-public-pusher/owner": "1/us-east-1/s/prod",'
    ' "ecr-public-pusher/expires-at": "2026-01-01T12:00:00Z", "ecr-public-pusher/pushed-at":'
    ' "2026-01-01T00:00:00.5Z"}, "managedFields": [{"manager": "ecr-public-pusher/1", "operation":'
    ' "Apply", "fieldsV1": {"f:data": {"f:.dockerconfigjson": {}}}}], "ownerReferences":'
    ' [{"kind": "X", "name": "y"}], "finalizers": ["example.com/held"]}%s}'
)
_ITEM = _METADATA % ("pull", "")
_OF_SECRET = _METADATA % ("pull", ', "kind": "PartialObjectMetadata"')
_ACCOUNT = _METADATA % (
    "default",
    ', "kind": "ServiceAccount", "imagePullSecrets": [{"name": "x"}]',
)
_LIST = "PartialObjectMetadataList"
_CONFLICT = (
    '{"kind": "Status", "message": "x", "details": {"kind": "secrets", "causes": [{"reason":'
    ' "FieldManagerConflict", "message": "conflict with \\"%s\\" using v1", "field":'
    ' ".data..dockerconfigjson"}, {"reason": "FieldValueInvalid", "field": "metadata.uid"}]}}'
)
_DENIED = (
    '{"kind": "Status", "message": "admission webhook \\"%s.example.com\\" denied the request"}'
)
_WHO = (
    '{"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "%s", "groups":'
    ' ["system:authenticated", "%s"]}}}'
)
_MAY = (
    '{"kind": "SelfSubjectAccessReview", "status": {"allowed": true, "reason":'
    ' "RBAC: allowed by RoleBinding \\"%s/a\\" of Role \\"x\\""}}'
)
TARGETS = (
    Target(
        "lists",
        asking(LISTS),
        (
            _seed(_page(_LIST, _ITEM, _ITEM, token="abc"), _page(_LIST, _ITEM)),
            _seed(_page("ServiceAccountList", _ACCOUNT, token=CANARY), _page("ServiceAccountList")),
            _seed(_page("ServiceAccountList", _ACCOUNT, _ACCOUNT)),
            _seed(_page(_LIST, _ITEM, token="abc"), (410, "{}"), _page(_LIST)),
            _seed(_page(_LIST, _ITEM.replace("1/us-east-1/s/prod", CANARY))),
            _seed((401, ""), (429, "{}"), (403, '{"kind": "Status", "details": {"kind": "x"}}')),
        ),
    ),
    Target(
        "objects",
        asking(OBJECTS),
        (
            _seed((200, _OF_SECRET)),
            _seed((200, _ACCOUNT)),
            _seed((409, _CONFLICT % CANARY)),
            _seed((422, _CONFLICT % "helm")),
            _seed((403, _DENIED % CANARY)),
            _seed((404, '{"kind": "Status", "details": {"kind": "secrets", "name": "pull"}}')),
            _seed((200, '{"kind": "Status", "status": "Success"}')),
        ),
    ),
    Target(
        "reviews",
        asking(REVIEWS),
        (
            _seed((201, _WHO % (CANARY, CANARY))),
            _seed((201, _MAY % CANARY)),
            _seed((200, '{"major": "1", "minor": "33+"}')),
        ),
    ),
)
