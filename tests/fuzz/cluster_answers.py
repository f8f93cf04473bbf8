"""Targets: the answers of an API server, which may be hostile.

An input is a script of answers, which NUL bytes separate. The first byte of each chooses its
status; what follows is the body. After the last one the connection breaks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from yarl import URL

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Clock, Deadline
from ecr_public_pusher.errors import ApiStatusError, NoAnswerError, PusherError
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
RETRY_AFTER = {429: "0", 503: "x"}
NEVER_WAITS = RetryPolicy(
    attempts=2, connect_attempts=2, backoff_seconds=0, sign_in_seconds=0, lost_race_seconds=0
)
SECONDS = 0.5  # left until the deadline, on a clock that stands still

type Answer = tuple[int, bytes, str | None]


class Scripted(KubernetesApi):
    """The client of one cluster, with a script in place of its connections."""

    def __init__(self, answers: list[Answer], blocking: BlockingCalls, sockets: Sockets) -> None:
        async def credential() -> Credential:
            return Credential(CANARY)

        clock = Clock(wall=lambda: 0.0, monotonic=lambda: 0.0)
        super().__init__(
            ClusterAccess("https://k8s.example.com", "", credential, "remedy"),
            field_manager="ecr-public-pusher/fuzz",
            deadline=Deadline(SECONDS, clock),
            blocking=blocking,
            sockets=sockets,
            retry_policy=NEVER_WAITS,
        )
        self._answers = iter(answers)

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        signed_in: Any,
        seconds: float,
    ) -> Answer:
        if (answer := next(self._answers, None)) is None:
            raise NoAnswerError("the connection broke", remedy="Try again.")
        return answer


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
        answers = [_answer(part) for part in data.split(b"\0")]
        for ask in asks:
            asyncio.run(_sent(ask, answers))

    return run


async def _sent(ask: Ask, answers: list[Answer]) -> None:
    async with BlockingCalls() as blocking:
        with Sockets() as sockets:
            async with Scripted(answers, blocking, sockets) as api:
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


def _answer(part: bytes) -> Answer:
    status = STATUSES[part[0] % len(STATUSES)] if part else 200
    return status, part[1:], RETRY_AFTER.get(status)


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
