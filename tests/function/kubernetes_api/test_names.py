"""Responses of a hostile API server.

Names that are invalid, and names that repeat what it was sent.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ecr_public_pusher.kubernetes_api.sent import Sent
from tests.support.bad_server import Exchange, serving
from tests.support.described import Described
from tests.support.recorded_answers import recorded, secret_applied
from tests.support.world import ACCOUNT, GROUP, SECRET, STACK, World

PIECE = 24
LISTED = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
OURS = {
    "labels": {"app.kubernetes.io/managed-by": "ecr-public-pusher"},
    "annotations": {
        "ecr-public-pusher/owner": STACK.owner("hostile"),
        "ecr-public-pusher/service-accounts": "default",
    },
}


LISTS_OF_ALL = ("/api/v1/secrets?", "/api/v1/serviceaccounts?")
MAY_NOT_LIST = {"secrets": "blind-lists-by-name", "serviceaccounts": "blind-lists-accounts"}
MAY_NOT_WRITE = recorded("apply-of-a-secret-by-who-may-not")


@dataclass
class Hostile:
    """An API server that answers each request by `answer`.

    `answer` gets what the server has been sent so far.
    """

    answer: "Callable[[Hostile, str, str], tuple[str, Any]]"
    looks: bool = (
        False  # the lists over all namespaces are answered by it too; otherwise they are refused
    )
    bearer: str = ""
    authorization: str = ""
    content_type: str = ""
    paths: list[str] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        while whole := exchange.request():
            head, _, body = whole.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            method, path, _ = lines[0].split(" ", 2)
            self.bearer = next(
                line.split()[-1] for line in lines if line.lower().startswith("authorization:")
            )
            self.content_type = next(
                (line.split()[-1] for line in lines if line.lower().startswith("content-type:")), ""
            )
            if method == "PATCH" and b"dockerconfigjson" in body:
                config = json.loads(base64.b64decode(json.loads(body)["data"][".dockerconfigjson"]))
                self.authorization = config["auths"]["public.ecr.aws"]["auth"]
            if path.startswith(LISTS_OF_ALL) and not self.looks:
                recorded(MAY_NOT_LIST[path.partition("?")[0].rpartition("/")[2]]).send(exchange)
                continue
            self.paths.append(path)
            status, answer = self.answer(self, method, path)
            exchange.answer(status, json.dumps(answer).encode())

    @property
    def password(self) -> str:
        return base64.b64decode(self.authorization).decode().removeprefix("AWS:")

    @property
    def signature(self) -> str:
        """Return the signature of the presigned URL in the sign-in token."""
        url = base64.urlsafe_b64decode(self.bearer.removeprefix("k8s-aws-v1.") + "==").decode()
        return url.partition("X-Amz-Signature=")[2][:64]

    @property
    def label(self) -> str:
        """Return a piece of the sign-in token that has the form of a name."""
        found = re.search("[A-Za-z][A-Za-z0-9]{30,60}", self.bearer)
        assert found is not None
        return found[0].lower()


def run(
    world: World,
    capsys: pytest.CaptureFixture[str],
    server: Hostile,
    event: dict[str, Any] | None = None,
    document: str = "namespaces: ['*']",
) -> dict[str, Any]:
    """Return the report of an invocation.

    Neither it nor the log nor the queue has a piece of what was sent.
    """
    with serving(server) as serves:
        its = Described("hostile", serves.url, serves.certificate.ca_pem)
        world.aws.put_cluster(ACCOUNT, "us-east-1", its)
        world.document("hostile", document)
        report = world.invoke(event or {})
    queued = [message.body for message in world.queue.waiting]
    printed = capsys.readouterr()
    said = json.dumps([report, queued]) + printed.out + printed.err
    assert server.bearer
    for credential in (
        server.bearer,
        server.authorization,
        server.authorization and server.password,
        server.signature,
    ):
        pieces = {credential[at : at + PIECE].lower() for at in range(len(credential) - PIECE + 1)}
        lowered = said.lower()
        assert not {lowered[at : at + PIECE] for at in range(len(lowered) - PIECE + 1)} & pieces
    return report


@pytest.fixture(autouse=True)
def queue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", world.queue.url)


def listing(*names: Callable[[Hostile], Any], **metadata: Callable[[Hostile], Any]) -> Hostile:
    """Return a list of namespaces with these names and metadata.

    Every write is refused, so that the report names them.
    """

    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        if method == "GET":
            more = {name: value(server) for name, value in metadata.items()}
            items = [{"metadata": {"name": name(server), **more}} for name in names]
            return "200 OK", {**LISTED, "metadata": {}, "items": items}
        return MAY_NOT_WRITE.status_line, MAY_NOT_WRITE.answer

    return Hostile(answer)


NAMES: dict[str, Callable[[Hostile], Any]] = {
    "the token": lambda server: server.bearer,
    "a piece of the token": lambda server: server.label,
    "the token's signature": lambda server: server.signature[:63],
    "with a path": lambda server: "../../../apis",
    "with a query": lambda server: "a?b=c",
    "with a line": lambda server: "a\nb",
    "in upper case": lambda server: "Default",
    "too long": lambda server: "a" * 64,
    "of other letters": lambda server: "ｄefault",
    "empty": lambda server: "",
    "not even text": lambda server: ["a"],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "event", [{}, {"action": "plan"}, {"action": "remove", "clusters": ["hostile"]}]
)
def test_a_namespace_that_is_no_name_or_was_sent_is_nonsense(
    world: World, capsys: pytest.CaptureFixture[str], name: str, event: dict[str, Any]
) -> None:
    server = listing(lambda server: "default", NAMES[name])
    report = run(world, capsys, server, event)
    (cluster,) = report["clusters"]
    assert (cluster["error"]["type"], cluster["problems"]) == ("ApiError", [])
    assert "did not respond as a Kubernetes API does" in cluster["error"]["message"]
    assert {path.partition("?")[0] for path in server.paths} <= {
        "/api/v1/namespaces",
        "/api/v1/secrets",
    }


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": lambda server: {"a b": "c"}},
        {"labels": lambda server: {"a": "c d"}},
        {"labels": lambda server: {"a": 7}},
        {"creationTimestamp": lambda server: "yesterday"},
    ],
)
def test_metadata_that_no_api_server_gives_are_nonsense(
    world: World, capsys: pytest.CaptureFixture[str], metadata: dict[str, Callable[[Hostile], Any]]
) -> None:
    report = run(world, capsys, listing(lambda server: "default", **metadata))
    assert report["clusters"][0]["error"]["type"] == "ApiError"


def test_names_as_kubernetes_has_them_are_taken(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    server = listing(
        lambda server: "default",
        lambda server: "a-very-long-name-of-a-namespace-that-is-nobodys-credential-0",
        labels=lambda server: {"app.kubernetes.io/name": "A_b.c-1", "x": ""},
        annotations=lambda server: {
            "Example.COM/Upper": "any text\n at all",
            "kubectl.kubernetes.io/x": "{}",
        },
        finalizers=lambda server: ["kubernetes.io/pvc-protection", "foregroundDeletion"],
        uid=lambda server: "0b6b1c1e-8d7c-4d3e-9a55-0f8f3a6a2f11",
        creationTimestamp=lambda server: "2026-01-01T00:00:00Z",
        managedFields=lambda server: [
            {"manager": "Mozilla/5.0 (X11; Linux)", "operation": "Update"}
        ],
    )
    report = run(world, capsys, server)
    assert report["clusters"][0]["counts"] == {"forbidden": 2}


@pytest.mark.parametrize(
    "token",
    [
        lambda server: server.bearer,
        lambda server: server.label,
        lambda server: "a b",
        lambda server: 7,
    ],
)
def test_an_invalid_continue_token_is_put_into_no_url(
    world: World, capsys: pytest.CaptureFixture[str], token: Callable[[Hostile], Any]
) -> None:
    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        return "200 OK", {**LISTED, "metadata": {"continue": token(server)}, "items": []}

    server = Hostile(answer)
    assert run(world, capsys, server)["clusters"][0]["error"]["type"] == "ApiError"
    assert len(server.paths) == 1


def test_a_list_without_end_is_nonsense(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        number = len(server.paths)
        items = [{"metadata": {"name": f"n{number}-{one}"}} for one in range(5000)]
        return "200 OK", {**LISTED, "metadata": {"continue": f"page-{number}"}, "items": items}

    server = Hostile(answer)
    assert run(world, capsys, server)["clusters"][0]["error"]["type"] == "ApiError"
    assert len(server.paths) < 30


MANAGERS: dict[str, Callable[[Hostile], str]] = {
    "the token": lambda server: server.bearer[:128],
    "a piece of the token": lambda server: server.label,
    "the authorization": lambda server: server.authorization[30:150],
    "the password": lambda server: server.password[:100],
    "the password in lower case": lambda server: server.password[:100].lower(),
    "the token's signature": lambda server: f"manager {server.signature}",
}


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_field_manager_that_was_sent_is_not_named(
    world: World, capsys: pytest.CaptureFixture[str], manager: str
) -> None:
    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        said = f'conflict with "{MANAGERS[manager](server)}" using v1'
        cause = {
            "reason": "FieldManagerConflict",
            "message": said,
            "field": f".{server.password[:80]}",
        }
        kind = server.password[:40]
        return "409 Conflict", {
            "kind": "Status",
            "message": said,
            "details": {"kind": kind, "causes": [cause]},
        }

    report = run(world, capsys, Hostile(answer), document="namespaces: [a]")
    (problem,) = report["clusters"][0]["problems"]
    assert (problem["outcome"], "another field manager" in problem["message"]) == ("conflict", True)


def test_very_many_managers_are_not_all_named(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        said = [f'conflict with "manager-{number:05}" using v1' for number in range(10_000)]
        causes = [
            {"reason": "FieldManagerConflict", "message": one, "field": ".data"} for one in said
        ]
        return "409 Conflict", {"kind": "Status", "details": {"causes": causes}}

    report = run(world, capsys, Hostile(answer), document="namespaces: [a]")
    assert len(report["clusters"][0]["problems"][0]["message"]) < 1000


def removal(metadata: Callable[[Hostile], dict[str, Any]]) -> Hostile:
    """Return a Secret of ours in the one namespace, with additional metadata."""

    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        if path.startswith("/api/v1/namespaces?"):
            return "200 OK", {**LISTED, "metadata": {}, "items": [{"metadata": {"name": "a"}}]}
        managed = {
            "manager": STACK.field_manager,
            "operation": "Apply",
            "fieldsV1": {"f:data": {"f:.dockerconfigjson": {}}},
        }
        its = {
            "name": SECRET,
            "namespace": "a",
            "uid": "u",
            "resourceVersion": "1",
            "managedFields": [managed],
        }
        found = {"kind": "PartialObjectMetadata", "metadata": {**its, **OURS, **metadata(server)}}
        return "200 OK", found if "serviceaccounts" not in path else {"kind": "Status"}

    return Hostile(answer)


@pytest.mark.parametrize(
    "metadata",
    [
        lambda server: {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [server.label]},
        lambda server: {
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": [f"x.io/{server.label}"],
        },
        lambda server: {"uid": "a b"},
        lambda server: {"resourceVersion": ""},
        lambda server: {"namespace": "../x"},
        lambda server: {"labels": ["a"]},
        lambda server: {"annotations": "a"},
        lambda server: {"managedFields": [7]},
        lambda server: {"ownerReferences": [7]},
    ],
)
def test_a_secret_whose_metadata_are_nonsense_is_not_removed(
    world: World, capsys: pytest.CaptureFixture[str], metadata: Callable[[Hostile], dict[str, Any]]
) -> None:
    server = removal(metadata)
    report = run(world, capsys, server, {"action": "remove", "clusters": ["hostile"]})
    assert "did not respond as a Kubernetes API does" in report["clusters"][0]["error"]["message"]
    assert not [
        path
        for path in server.paths
        if ".." in path or ("secrets" not in path and "namespaces" not in path)
    ]


HOSTILE_SECRETS: dict[str, Callable[[Hostile], dict[str, Any]]] = {
    "finalizer": lambda server: {
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": [f"x.io/{server.label}"],
    },
    "namespace": lambda server: {"namespace": server.label},
    "version": lambda server: {"resourceVersion": "1&force=true"},
    "uid": lambda server: {"uid": "a\nb"},
}


@pytest.mark.parametrize("metadata", HOSTILE_SECRETS)
@pytest.mark.parametrize(
    "event", [{}, {"action": "sweep"}, {"action": "remove", "clusters": ["hostile"]}]
)
def test_a_list_of_secrets_with_names_that_are_none_is_nonsense(
    world: World, capsys: pytest.CaptureFixture[str], metadata: str, event: dict[str, Any]
) -> None:
    report = run(
        world, capsys, secrets(HOSTILE_SECRETS[metadata]), event, document="namespaces: [a]"
    )
    assert "did not respond as a Kubernetes API does" in report["clusters"][0]["error"]["message"]


SHOWN: dict[str, Callable[[Hostile], dict[str, Any]]] = {
    "manager": lambda server: {"managedFields": [manages(server.bearer[20:140])]},
    "owner": lambda server: {
        "ownerReferences": [{"kind": server.label, "name": server.signature, "uid": "u"}]
    },
    "document": lambda server: {
        "annotations": {**OURS["annotations"], "ecr-public-pusher/owner": STACK.owner(server.label)}
    },
}


def manages(manager: str) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": "Update",
        "fieldsV1": {"f:data": {"f:.dockerconfigjson": {}}},
    }


TAKE = "{namespaces: [a], takeOwnership: true}"
LEAVE = "namespaces: [a]"


@pytest.mark.parametrize(
    ("metadata", "event", "document", "said"),
    [
        ("manager", {}, TAKE, "a name that is not shown"),
        ("manager", {"action": "plan"}, TAKE, "a name that is not shown"),
        ("owner", {}, TAKE, "a name that is not shown"),
        ("document", {}, TAKE, '"from": ["unknown"]'),
        ("document", {}, LEAVE, '"counts": {"conflict": 1}'),
        ("document", {"action": "plan"}, LEAVE, '"counts": {"conflict": 1}'),
        ("document", {}, "namespaces: [b]", '"counts": {"created": 1}'),
    ],
)
def test_names_that_somebody_chose_are_not_shown_where_they_are_what_was_sent(
    world: World,
    capsys: pytest.CaptureFixture[str],
    metadata: str,
    event: dict[str, Any],
    document: str,
    said: str,
) -> None:
    """Names of former owners, of those who may still delete it, and of owners of what is left."""
    report = run(world, capsys, secrets(SHOWN[metadata], taken=True), event, document=document)
    assert said in json.dumps(report)


def secrets(metadata: Callable[[Hostile], dict[str, Any]], *, taken: bool = False) -> Hostile:
    """Return one Secret in the list over all namespaces; every write is refused.

    `taken`: except the change of its metadata that removes a former owner's marks.
    """

    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        if taken and server.content_type == "application/apply-patch+yaml":
            applied = secret_applied(path.split("/namespaces/")[1].split("/")[0])
            return applied.status_line, applied.answer
        if method == "GET" and "/secrets?" in path:
            managed = {
                "manager": STACK.field_manager,
                "operation": "Apply",
                "fieldsV1": {"f:data": {"f:.dockerconfigjson": {}}},
            }
            its = {
                "name": SECRET,
                "namespace": "a",
                "uid": "u",
                "resourceVersion": "1",
                "managedFields": [managed],
                **OURS,
                **metadata(server),
            }
            return "200 OK", {**LISTED, "metadata": {}, "items": [{"metadata": its}]}
        return MAY_NOT_WRITE.status_line, MAY_NOT_WRITE.answer

    return Hostile(answer, looks=True)


def test_a_writer_of_the_data_is_not_named_by_what_was_sent(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def taken(server: Hostile) -> dict[str, Any]:
        fields: dict[str, Any] = {"f:data": {"f:.dockerconfigjson": {}}}
        return {
            "managedFields": [
                {"manager": server.bearer[20:140], "operation": "Update", "fieldsV1": fields}
            ]
        }

    run(world, capsys, removal(taken), {"action": "remove", "clusters": ["hostile"]})


def test_a_service_account_that_was_sent_is_nonsense(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        if "serviceaccounts" in path and method == "GET":
            listed = recorded("accounts-of-a-namespace-by-name")
            return "200 OK", listed.renamed({"default": server.label, "list-a": "a"}).answer
        if "serviceaccounts" in path:
            return "200 OK", recorded("account-patch-with-its-mark").answer
        return "200 OK", secret_applied("a").answer

    server = Hostile(answer)
    report = run(world, capsys, server, document="{namespaces: [a], serviceAccounts: ['*']}")
    (problem,) = report["clusters"][0]["problems"]
    assert (
        problem["outcome"],
        "did not respond as a Kubernetes API does" in problem["message"],
    ) == ("failed", True)


def test_groups_and_bindings_that_were_sent_are_not_named(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(server: Hostile, method: str, path: str) -> tuple[str, Any]:
        if "selfsubjectreviews" in path:
            user = {
                "username": server.label,
                "groups": [GROUP, server.signature, f"x:{server.bearer[40:100]}"],
            }
            return "201 Created", {"kind": "SelfSubjectReview", "status": {"userInfo": user}}
        if "selfsubjectaccessreviews" in path:
            said = (
                f'RBAC: allowed by ClusterRoleBinding "{server.label}" of ClusterRole "x" to'
                ' Group "y"'
            )
            return "201 Created", {
                "kind": "SelfSubjectAccessReview",
                "status": {"allowed": True, "reason": said},
            }
        return "403 Forbidden", {"kind": "Status", "details": {"kind": server.label}}

    report = run(world, capsys, Hostile(answer), {"action": "check"}, document="namespaces: [a]")
    assert "(a name that is not shown)" in json.dumps(report)


@pytest.mark.parametrize("values", [600_000, 2_000_000])
def test_an_answer_that_would_fill_the_memory_once_it_is_read_is_nonsense(
    world: World, capsys: pytest.CaptureFixture[str], values: int
) -> None:
    class Raw(Hostile):
        def __call__(self, exchange: Exchange) -> None:
            while whole := exchange.request():
                self.bearer = whole.decode().partition("Bearer ")[2].split()[0]
                exchange.answer(
                    "200 OK",
                    b'{"kind": "PartialObjectMetadataList", "metadata": {}, "items": ['
                    + b"{}," * values
                    + b"{}]}",
                )

    server = Raw(lambda server, method, path: ("", {}))
    assert run(world, capsys, server)["clusters"][0]["error"]["type"] == "ApiError"


def test_a_token_in_base64_for_urls_is_read_whatever_bytes_it_has() -> None:
    signature = "a-signature-of-more-than-24-characters"
    url = f"https://sts.example/?X-Amz-Signature={signature}&x=>>>???~~~"
    token = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    assert {"-", "_"} < set(token)
    sent = Sent()
    sent.token(f"k8s-aws-v1.{token}")
    assert sent.holds(signature)
