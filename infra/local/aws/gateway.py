"""The gateway before moto: records each call, and refuses where AWS refuses and moto does not."""

import functools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3

from ..identity import CredentialLookup
from .roles import Role
from .wire import Answer, AwsCall, AwsRequest, Scripted

log = logging.getLogger(__name__)

type WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

NO_SUCH_KEY = "The security token included in the request is invalid."


class Gateway:
    """A WSGI application around moto's.

    Answers are tried in this order: scripted; refusals for identity, region and trust; `own`; moto.
    `after` gets each request that moto accepted, with the body of its answer, before the caller
    does.
    """

    def __init__(
        self,
        moto: WsgiApp,
        find_credential: CredentialLookup,
        own: Callable[[AwsRequest], Answer | None],
        after: Callable[[AwsRequest, bytes], None],
    ) -> None:
        self.calls: list[AwsCall] = []
        self.roles: dict[str, Role] = {}
        self._moto = moto
        self._find = find_credential
        self._own = own
        self._after = after
        self._scripts: dict[tuple[str, str], tuple[Scripted, int | None]] = {}
        self._lock = threading.Lock()
        self._regions = _all_regions()

    def script(
        self, service: str, action: str, answer: Scripted | None, times: int | None = None
    ) -> None:
        """Answer the next `times` such calls (None: all) with `answer`; None ends that."""
        with self._lock:
            self._scripts.pop((service, action), None)
            if answer is not None:
                self._scripts[service, action] = answer, times

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = AwsRequest.read(environ)
        call = self._record(request)
        answer = (
            self._scripted(request) or self._refusal(request, call.principal) or self._own(request)
        )
        if answer is None:
            try:
                body = b"".join(self._moto(environ, _noting(call, start_response)))
                if call.status == 200:
                    self._after(request, body)
                return [body]
            except Exception:  # a bug in moto must look like a failure of AWS to the caller
                log.exception("moto failed at %s:%s", request.service, request.action)
                answer = Answer.refusal(
                    request, "InternalFailure", "The request processing has failed.", status=500
                )
        time.sleep(answer.delay)
        _noting(call, start_response)(f"{answer.status} -", list(answer.headers.items()))
        if answer.status == 0:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return [answer.body]

    def _record(self, request: AwsRequest) -> AwsCall:
        credential = self._find(request.access_key_id) if request.access_key_id else None
        arn = credential.arn if credential else None
        call = AwsCall(
            request.service,
            request.action,
            request.region,
            account=arn.split(":")[4] if arn else None,
            principal=arn,
            access_key_id=request.access_key_id,
            user_agent=request.user_agent,
            path=request.path,
            parameters=request.parameters,
        )
        with self._lock:
            self.calls.append(call)
        return call

    def _scripted(self, request: AwsRequest) -> Answer | None:
        key = request.service, request.action
        with self._lock:
            scripted, left = self._scripts.get(key, (None, None))
            if scripted is not None and left is not None:
                if left > 1:
                    self._scripts[key] = scripted, left - 1
                else:
                    del self._scripts[key]
        return scripted(request) if callable(scripted) else scripted

    def _refusal(self, request: AwsRequest, principal: str | None) -> Answer | None:
        if request.access_key_id is None:
            return Answer.refusal(
                request,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
                status=403,
            )
        if principal is None:
            code = (
                "InvalidClientTokenId"
                if request.protocol == "query"
                else "UnrecognizedClientException"
            )
            return Answer.refusal(
                request, code, NO_SUCH_KEY, status=403 if request.protocol == "query" else 400
            )
        if request.region not in self._regions:
            message = f"Credential should be scoped to a valid region, not '{request.region}'."
            return Answer.refusal(request, "InvalidSignatureException", message, status=403)
        if (request.service, request.action) == ("sts", "AssumeRole"):
            return self._trust(request, principal)
        return None

    def _trust(self, request: AwsRequest, principal: str) -> Answer | None:
        arn = request.form.get("RoleArn", "")
        role = self.roles.get(arn)
        form = request.form
        shown = form.get("ExternalId"), form.get("RoleSessionName")
        if role and role.admits(principal, *shown):
            return None
        message = (
            f"User: {principal} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        )
        return Answer.refusal(request, "AccessDenied", message, status=403)


def _noting(call: AwsCall, start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `start_response` that records the status in the call."""

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        call.status = int(status.split()[0])
        return start_response(status, headers, *rest)

    return start


@functools.cache
def _all_regions() -> frozenset[str]:
    """Return every region that botocore knows, in every partition.

    botocore is asked for EKS's regions, since EKS runs wherever a cluster can be.
    """
    session = boto3.Session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("eks", partition_name=partition)
    )
