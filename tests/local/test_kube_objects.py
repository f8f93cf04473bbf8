"""Behaviour that the contract leaves open: ownership, patches, selectors, pages and deletes."""

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from infra.local.kube import ClusterError, EmbeddedCluster
from infra.local.kube.storage.store import REMEMBERED

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
SECRETS = "/api/v1/namespaces/default/secrets"
ONE = f"{SECRETS}/one"


def secret(name: str = "one", labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def apply(
    cluster: EmbeddedCluster, body: dict[str, Any], manager: str, *, force: bool = False
) -> tuple[int, dict[str, Any]]:
    query = f"?fieldManager={manager}" + ("&force=true" if force else "")
    return cluster.admin(
        "PATCH", f"{SECRETS}/{body['metadata']['name']}{query}", body, content_type=APPLY
    )


def owners(value: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in value["metadata"].get("managedFields", [])
    }


def test_a_field_that_two_applied_stays_until_the_last_drops_it(cluster: EmbeddedCluster) -> None:
    apply(cluster, secret(a="YQ==", b="Yg=="), "first")
    apply(cluster, secret(a="YQ=="), "second")
    _, after = apply(cluster, secret(b="Yg=="), "first")
    assert after["data"] == {"a": "YQ==", "b": "Yg=="}
    _, after = apply(cluster, secret(), "second")
    assert after["data"] == {"b": "Yg=="}


def test_a_finalizer_that_another_manager_applied_stays(cluster: EmbeddedCluster) -> None:
    for manager in ("first", "second"):
        held = secret(a="YQ==")
        held["metadata"]["finalizers"] = [f"example.com/{manager}"]
        _, after = apply(cluster, held, manager)
    assert after["metadata"]["finalizers"] == ["example.com/first", "example.com/second"]
    _, after = apply(cluster, secret(a="YQ=="), "first")
    assert after["metadata"]["finalizers"] == ["example.com/second"]


def test_false_is_applied_as_it_is(cluster: EmbeddedCluster) -> None:
    body = {**secret(a="YQ=="), "immutable": False}
    assert apply(cluster, body, "first")[1]["immutable"] is False


def test_a_conflict_with_an_apply_names_only_the_manager(cluster: EmbeddedCluster) -> None:
    apply(cluster, secret(a="YQ=="), "first")
    status, answer = apply(cluster, secret(a="Yg=="), "second")
    assert (status, answer["message"]) == (
        409,
        'Apply failed with 1 conflict: conflict with "first": .data.a',
    )


def test_several_conflicts_are_listed_by_manager(cluster: EmbeddedCluster) -> None:
    apply(cluster, secret(a="YQ==", b="Yg=="), "first")
    apply(cluster, secret(c="Yw=="), "other")
    status, answer = apply(cluster, secret(a="eA==", b="eA==", c="eA=="), "second")
    assert status == 409
    assert (
        answer["message"]
        == 'Apply failed with 3 conflicts: conflicts with "first":\n- .data.a\n- .data.b\nconflicts'
        ' with "other":\n- .data.c'
    )
    assert [cause["field"] for cause in answer["details"]["causes"]] == [
        ".data.a",
        ".data.b",
        ".data.c",
    ]


def test_the_same_name_applying_and_updating_is_two_managers(cluster: EmbeddedCluster) -> None:
    cluster.admin("POST", f"{SECRETS}?fieldManager=same", secret(a="YQ=="))
    status, answer = apply(cluster, secret(a="Yg=="), "same")
    assert (status, answer["details"]["causes"][0]["message"]) == (
        409,
        'conflict with "same" using v1',
    )


def test_an_update_takes_fields_from_an_applier(cluster: EmbeddedCluster) -> None:
    apply(cluster, secret(a="YQ==", b="Yg=="), "first")
    _, after = cluster.admin(
        "PATCH", f"{ONE}?fieldManager=editor", {"data": {"a": "eA=="}}, content_type=MERGE
    )
    assert owners(after)[("first", "Apply")] == {"f:data": {"f:b": {}}}
    assert owners(after)[("editor", "Update")] == {"f:data": {"f:a": {}}}


def test_an_object_without_ownership_belongs_to_before_first_apply(
    cluster: EmbeddedCluster,
) -> None:
    cluster.admin("POST", SECRETS, secret(a="YQ=="))
    cluster.admin("PATCH", ONE, {"metadata": {"managedFields": [{}]}}, content_type=MERGE)
    status, answer = apply(cluster, secret(a="Yg=="), "first")
    assert (
        status,
        answer["details"]["causes"][0]["message"].startswith('conflict with "before-first-apply"'),
    ) == (409, True)


def test_applying_the_same_again_changes_no_version(cluster: EmbeddedCluster) -> None:
    _, first = apply(cluster, secret(a="YQ=="), "first")
    time.sleep(1.1)
    _, again = apply(cluster, secret(a="YQ=="), "first")
    assert again == first


def test_an_apply_keeps_what_it_does_not_name(cluster: EmbeddedCluster) -> None:
    cluster.admin("POST", SECRETS, secret(labels={"theirs": "x"}, a="YQ=="))
    _, after = apply(cluster, secret(b="Yg=="), "first")
    assert (after["metadata"]["labels"], after["data"]) == (
        {"theirs": "x"},
        {"a": "YQ==", "b": "Yg=="},
    )


def test_an_apply_with_a_uid_does_not_create(cluster: EmbeddedCluster) -> None:
    body = secret(a="YQ==")
    body["metadata"]["uid"] = "0b5ee6a4-58a5-4ac6-8b2f-6a6a6dd1f6a1"
    assert apply(cluster, body, "first")[0] == 409


def test_an_apply_with_a_stale_version_is_refused(cluster: EmbeddedCluster) -> None:
    apply(cluster, secret(a="YQ=="), "first")
    body = secret(a="Yg==")
    body["metadata"]["resourceVersion"] = "1"
    assert apply(cluster, body, "first")[0] == 409


def test_an_apply_may_be_yaml(cluster: EmbeddedCluster) -> None:
    text = b"apiVersion: v1\nkind: Secret\nmetadata: {name: one}\ndata: {a: YQ==}\n"
    status, answer = cluster.admin("PATCH", f"{ONE}?fieldManager=m", text, content_type=APPLY)
    assert (status, answer["data"]) == (201, {"a": "YQ=="})


def test_an_apply_of_an_undeclared_field_is_refused(cluster: EmbeddedCluster) -> None:
    status, answer = apply(cluster, {**secret(a="YQ=="), "surprise": 1}, "first")
    assert (status, answer["message"].endswith(".surprise: field not declared in schema")) == (
        500,
        True,
    )


def test_string_data_becomes_data(cluster: EmbeddedCluster) -> None:
    _, answer = cluster.admin("POST", SECRETS, {**secret(), "stringData": {"a": "plain"}})
    assert (answer["data"], "stringData" in answer) == ({"a": "cGxhaW4="}, False)


@pytest.mark.parametrize(
    ("operations", "status", "data"),
    [
        ([{"op": "replace", "path": "/data/a", "value": "Yg=="}], 200, {"a": "Yg=="}),
        ([{"op": "replace", "path": "/data/z", "value": "Yg=="}], 422, None),
        (
            [
                {"op": "remove", "path": "/data/a"},
                {"op": "add", "path": "/data/b", "value": "Yg=="},
            ],
            200,
            {"b": "Yg=="},
        ),
        ([{"op": "move", "from": "/data/a", "path": "/data/b"}], 200, {"b": "YQ=="}),
        ([{"op": "copy", "from": "/data/a", "path": "/data/b"}], 200, {"a": "YQ==", "b": "YQ=="}),
        ([{"op": "test", "path": "/data/a", "value": "YQ=="}], 200, {"a": "YQ=="}),
        ([{"op": "no-such", "path": "/data/a"}], 422, None),
        ([{"path": "/data/a"}], 422, None),
    ],
)
def test_json_patch(
    operations: list[dict[str, str]],
    status: int,
    data: dict[str, str] | None,
    cluster: EmbeddedCluster,
) -> None:
    cluster.admin("POST", SECRETS, secret(a="YQ=="))
    got, answer = cluster.admin("PATCH", ONE, operations, content_type=JSON_PATCH)
    assert (got, answer.get("data")) == (status, data)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier", ["a", "b"]),
        ("!tier", ["c"]),
        ("tier=web", ["a"]),
        ("tier==web", ["a"]),
        ("tier!=web", ["b", "c"]),
        ("tier in (web, db)", ["a", "b"]),
        ("tier notin (web)", ["b", "c"]),
        ("tier,rank>1", ["b"]),
        ("rank<2", ["a"]),
        ("tier in (web),rank=1", ["a"]),
        ("example.com/x", []),
    ],
)
def test_label_selectors(selector: str, names: list[str], cluster: EmbeddedCluster) -> None:
    cluster.apply(
        secret("a", {"tier": "web", "rank": "1"}),
        secret("b", {"tier": "db", "rank": "2"}),
        secret("c"),
    )
    status, answer = cluster.admin("GET", f"{SECRETS}?labelSelector={_quoted(selector)}")
    assert (status, [item["metadata"]["name"] for item in answer["items"]]) == (200, names)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
    ],
)
def test_bad_label_selectors(selector: str, message: str, cluster: EmbeddedCluster) -> None:
    status, answer = cluster.admin("GET", f"{SECRETS}?labelSelector={_quoted(selector)}")
    assert (status, answer["message"]) == (400, message)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b"]),
        ("type=Opaque", ["a", "b"]),
        ("metadata.namespace=default", ["a", "b"]),
    ],
)
def test_field_selectors(selector: str, names: list[str], cluster: EmbeddedCluster) -> None:
    cluster.apply(secret("a"), secret("b"))
    status, answer = cluster.admin("GET", f"/api/v1/secrets?fieldSelector={_quoted(selector)}")
    assert (status, [item["metadata"]["name"] for item in answer["items"]]) == (200, names)


def test_an_unknown_field_selector_is_refused(cluster: EmbeddedCluster) -> None:
    status, answer = cluster.admin("GET", "/api/v1/secrets?fieldSelector=spec.x%3D1")
    assert (status, answer["message"]) == (400, "field label not supported: spec.x")


def test_pages_add_up_to_the_list(cluster: EmbeddedCluster) -> None:
    cluster.apply(*(secret(f"s{number:02}") for number in range(7)))
    names = []
    path = "/api/v1/secrets?limit=3"
    for _ in range(3):
        _, answer = cluster.admin("GET", path)
        names += [item["metadata"]["name"] for item in answer["items"]]
        path = f"/api/v1/secrets?limit=3&continue={answer['metadata'].get('continue')}"
    assert names == [f"s{number:02}" for number in range(7)]
    assert "continue" not in answer["metadata"]


def test_a_page_is_as_of_the_first_until_the_server_forgets(cluster: EmbeddedCluster) -> None:
    cluster.apply(secret("a"), secret("c"))
    following = f"{SECRETS}?limit=1&continue={_token(cluster)}"
    cluster.apply(secret("b"))
    assert _names(cluster.admin("GET", following)[1]) == ["c"]
    cluster.compact()
    status, answer = cluster.admin("GET", following)
    assert (status, answer["reason"]) == (410, "Expired")
    anew = f"{SECRETS}?limit=1&continue={answer['metadata']['continue']}"
    assert _names(cluster.admin("GET", anew)[1]) == ["b"]


def test_a_token_of_the_latest_version_outlives_a_compaction(cluster: EmbeddedCluster) -> None:
    cluster.apply(secret("a"), secret("b"))
    following = f"{SECRETS}?limit=1&continue={_token(cluster)}"
    cluster.compact()
    assert _names(cluster.admin("GET", following)[1]) == ["b"]


def test_the_first_of_very_many_lists_is_forgotten(cluster: EmbeddedCluster) -> None:
    cluster.apply(secret("a"), secret("b"))
    first = f"{SECRETS}?limit=1&continue={_token(cluster)}"
    for number in range(REMEMBERED):
        cluster.apply(secret("a", version=str(number).rjust(4, "0")))
        last = f"{SECRETS}?limit=1&continue={_token(cluster)}"
    assert cluster.admin("GET", first)[0] == 410
    assert cluster.admin("GET", last)[0] == 200


def _token(cluster: EmbeddedCluster) -> str:
    return str(cluster.admin("GET", f"{SECRETS}?limit=1")[1]["metadata"]["continue"])


def _names(answer: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def test_a_page_under_a_selector_counts_nothing(cluster: EmbeddedCluster) -> None:
    cluster.apply(*(secret(f"s{number}", {"x": "y"}) for number in range(3)))
    _, answer = cluster.admin("GET", "/api/v1/secrets?limit=1&labelSelector=x")
    assert answer["metadata"].keys() == {"resourceVersion", "continue"}


@pytest.mark.parametrize(
    ("body", "status"),
    [(None, 200), ({"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}, 200)],
)
def test_a_dry_run_deletes_nothing(cluster: EmbeddedCluster, body: Any, status: int) -> None:
    cluster.admin("POST", SECRETS, secret())
    assert cluster.admin("DELETE", f"{ONE}?dryRun=All", body)[0] == status
    assert cluster.admin("GET", ONE)[0] == 200


def test_options_in_a_body_replace_those_of_the_query_and_its_dry_run(
    cluster: EmbeddedCluster,
) -> None:
    cluster.admin("POST", SECRETS, secret())
    cluster.admin("DELETE", f"{ONE}?dryRun=All", {"apiVersion": "v1", "kind": "DeleteOptions"})
    assert cluster.admin("GET", ONE)[0] == 404


def test_a_collection_can_be_deleted_by_label(cluster: EmbeddedCluster) -> None:
    cluster.apply(secret("a", {"x": "y"}), secret("b"))
    assert cluster.admin("DELETE", f"{SECRETS}?labelSelector=x")[0] == 200
    assert [item["metadata"]["name"] for item in cluster.admin("GET", SECRETS)[1]["items"]] == ["b"]


def test_a_second_create_is_a_conflict(cluster: EmbeddedCluster) -> None:
    cluster.admin("POST", SECRETS, secret())
    status, answer = cluster.admin("POST", SECRETS, secret())
    assert (status, answer["reason"]) == (409, "AlreadyExists")


def test_a_replacement_keeps_the_identity(cluster: EmbeddedCluster) -> None:
    _, before = cluster.admin("POST", SECRETS, secret(a="YQ=="))
    _, after = cluster.admin("PUT", ONE, secret(b="Yg=="))
    assert (after["metadata"]["uid"], after["data"]) == (before["metadata"]["uid"], {"b": "Yg=="})


def test_apply_creates_and_replaces_served_kinds_only(cluster: EmbeddedCluster) -> None:
    cluster.apply(secret(a="YQ=="))
    cluster.apply(secret(b="Yg=="))
    assert cluster.admin("GET", ONE)[1]["data"] == {"b": "Yg=="}
    with pytest.raises(ClusterError, match="not a kind"):
        cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}})
    with pytest.raises(ClusterError, match="404"):
        cluster.apply({**secret(), "metadata": {"name": "x", "namespace": "nowhere"}})


def test_namespaces_get_their_default_service_account_when_asked_for() -> None:
    path = "/api/v1/namespaces/team-a/serviceaccounts/default"
    with EmbeddedCluster(
        "prod", credentials=lambda _: None, default_service_accounts=True
    ) as cluster:
        assert cluster.admin("GET", "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
        assert cluster.admin("GET", path)[0] == 404
        until = time.monotonic() + 5
        while cluster.admin("GET", path)[0] == 404 and time.monotonic() < until:
            time.sleep(0.02)
        assert cluster.admin("GET", path)[0] == 200


BROKEN = [
    b"[]",
    b"1",
    b'"x"',
    b"{",
    b"",
    b'{"metadata": []}',
    b'{"metadata": {"name": 1}}',
    b'{"metadata": {"labels": {"a": 1}}}',
    b'{"data": {"a": 1}}',
    b'{"data": []}',
    b'{"type": 1}',
    b'{"apiVersion": "v2"}',
    b'{"kind": "Pod"}',
]


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", SECRETS), ("PUT", ONE), ("PATCH", f"{ONE}?fieldManager=m")]
)
def test_a_body_that_is_no_object_is_a_bad_request(
    method: str, path: str, body: bytes, cluster: EmbeddedCluster
) -> None:
    content_type = APPLY if method == "PATCH" else "application/json"
    status, answer = cluster.admin(method, path, body, content_type=content_type)
    assert (status, answer["kind"]) == (400, "Status"), json.dumps(answer)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def test_an_apply_may_not_bring_its_own_ownership(cluster: EmbeddedCluster) -> None:
    body = secret(a="YQ==")
    body["metadata"]["managedFields"] = [{"manager": "x", "operation": "Apply"}]
    status, answer = apply(cluster, body, "first")
    assert (status, answer["message"]) == (400, "metadata.managedFields must be nil")
