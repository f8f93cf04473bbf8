"""Recorded answers of kube-apiserver 1.36.2, by the name of the request.

The recordings are those that tests/contract holds the embedded API server to. A fake that stands in
for an API server answers by these; one that stands in for something else (a proxy, a load balancer,
a hostile server) makes its answers itself and says so.
"""

import functools
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ecr_public_pusher.errors import ApiStatusError
from ecr_public_pusher.kubernetes_api.names import Names
from ecr_public_pusher.kubernetes_api.status import status_error
from infra.local.kube import Response, SeenRequest
from tests.support.bad_server import Exchange

FOLDER = Path(__file__).parents[1] / "contract"
RECORDINGS = ("kube-api-contract", "kube-api-ownership", "kube-api-lists", "kube-api-refusals")
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class RecordedAnswer:
    """A recorded answer. `answer`: the JSON object, or the text of an answer in another form."""

    name: str
    method: str
    path: str
    status: int
    answer: Any = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        text = self.answer if isinstance(self.answer, str) else json.dumps(self.answer)
        return text.encode()

    @property
    def response(self) -> Response:
        """The answer as an embedded cluster's `intercept` gives it."""
        return Response(self.status, self.body, self.headers)

    def send(self, exchange: Exchange) -> None:
        """Answer a request to a BadServer."""
        headers = [f"{name}: {value}" for name, value in self.headers.items()]
        exchange.answer(self.status_line, self.body, *headers)

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    def renamed(self, names: Mapping[str, str]) -> "RecordedAnswer":
        """Put other names in place of the recorded ones, wherever they stand in the answer."""
        text = json.dumps(self.answer)
        for recorded_name, name in names.items():
            assert recorded_name in text, f"{self.name} has no {recorded_name}"
            text = text.replace(recorded_name, name)
        return replace(self, answer=json.loads(text))


@functools.cache
def requests_recorded(recording: str, part: str) -> tuple[dict[str, Any], ...]:
    """Return a recording's `cases`, to which the embedded API server is held, or its `words`.

    The latter need what the embedded server does not have: webhooks, policies, quotas, etcd.
    """
    return tuple(json.loads((FOLDER / f"{recording}.json").read_text()).get(part, ()))


@functools.cache
def _by_name() -> dict[str, RecordedAnswer]:
    """Return every answer by its request's name, without those that several recordings name."""
    found: dict[str, RecordedAnswer] = {}
    several = set[str]()
    for recording in RECORDINGS:
        for case in (
            *requests_recorded(recording, "cases"),
            *requests_recorded(recording, "words"),
        ):
            if case["method"] == "COMPACT":
                continue
            if case["name"] in found:
                several.add(case["name"])
            found[case["name"]] = RecordedAnswer(
                case["name"],
                case["method"],
                case["path"],
                case["status"],
                case["answer"],
                case.get("headers", {}),
            )
    return {name: one for name, one in found.items() if name not in several}


def recorded(name: str) -> RecordedAnswer:
    """Return the answer to the request of that name."""
    return _by_name()[name]


def refused(name: str) -> ApiStatusError:
    """Return the recorded refusal as the function's client reads it."""
    one = recorded(name)
    return status_error(one.status, one.answer, Names(lambda text: False))


def refusals_recorded() -> tuple[RecordedAnswer, ...]:
    """Return the refusals among the `words` of all recordings."""
    return tuple(
        recorded(case["name"])
        for recording in RECORDINGS
        for case in requests_recorded(recording, "words")
        if case["status"] >= HTTPStatus.BAD_REQUEST
    )


def namespaces_listed(*names: str) -> RecordedAnswer:
    """Return a list of namespaces, metadata only, with the recorded one's object for each name."""
    one = recorded("namespaces-by-label")
    first = one.answer["items"][0]
    text = json.dumps(first)
    its = first["metadata"]["name"]
    metadata = {"resourceVersion": one.answer["metadata"]["resourceVersion"]}
    items = [json.loads(text.replace(its, name)) for name in names]
    return replace(one, answer={**deepcopy(one.answer), "metadata": metadata, "items": items})


def nothing_listed() -> RecordedAnswer:
    """Return an empty list, metadata only: its `items` are null."""
    return recorded("namespaces-by-label-none")


def secret_applied(namespace: str, *, created: bool = False) -> RecordedAnswer:
    """Return the answer to an apply of a Secret `ecr-public-token`, metadata only."""
    one = recorded("apply-metadata-only-answer" if created else "apply-with-what-was-seen")
    answer = deepcopy(one.answer)
    answer["metadata"]["namespace"] = namespace
    return replace(one, answer=answer)


def refuse_first(cluster: Any, count: int) -> None:
    """Have an embedded cluster answer the next writes by 401, as for a bad token."""
    left = [count]

    def answer(request: SeenRequest) -> Response | None:
        if left[0] and request.method == "PATCH":
            left[0] -= 1
            return recorded("bad-token").response
        return None

    cluster.intercept = answer
