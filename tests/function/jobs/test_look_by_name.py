"""Rights that are granted namespace by namespace.

Each namespace that a document names is listed separately.
"""

import pytest

from ecr_public_pusher.jobs.look_by_name import MOST_NAMES
from infra.local.kube import Cluster, EmbeddedCluster, Response
from tests.support.reports import entry
from tests.support.secrets import aged, annotate, without_looking
from tests.support.world import GROUP, SECRET, World

SWEEP = {"action": "sweep"}
ROLE = "ecr-public-pusher-namespaced"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"


def grant(cluster: Cluster, *namespaces: str) -> None:
    for namespace in namespaces:
        body = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "ecr-public-pusher"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": ROLE,
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}],
        }
        assert cluster.admin("POST", BINDINGS.format(namespace), body)[0] == 201


@pytest.fixture
def prod(world: World) -> World:
    cluster = world.add_cluster(
        "prod", namespaces=("a", "b"), rbac="namespaced.yaml", document="namespaces: [a, b]"
    )
    grant(cluster, "a", "b")
    assert world.invoke()["ok"]
    return world


def delete(world: World, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets/{SECRET}"
    assert world.clusters["prod"].admin("DELETE", path)[0] == 200


def test_a_sweep_corrects_what_is_missing_and_what_is_about_to_end(prod: World) -> None:
    delete(prod, "a")
    aged(prod, "prod", "b", hours_left=2)
    report = prod.invoke(SWEEP)
    assert (report["ok"], entry(report)["counts"]) == (True, {"created": 1, "updated": 1})
    assert prod.token("prod", "a") == prod.token("prod", "b") == prod.aws.ecr_public.issued[-1]


def test_a_sweep_with_nothing_to_correct_sends_only_lists_and_measures(prod: World) -> None:
    aged(prod, "prod", "b", hours_left=5)
    requests = len(prod.asked("prod"))
    issued = len(prod.aws.ecr_public.issued)
    found = entry(prod.invoke(SWEEP))
    assert found["counts"] == {"current": 2}
    assert abs(found["secondsLeft"] - 5 * 3600) < 60
    asked = sorted(line.split("?")[0] for line in prod.asked("prod")[requests:])
    assert asked == [
        "GET /api/v1/namespaces/a/secrets",
        "GET /api/v1/namespaces/b/secrets",
        "GET /api/v1/secrets",
    ]
    assert len(prod.aws.ecr_public.issued) == issued


def test_a_push_writes_what_it_has_seen_and_names_what_is_being_deleted(prod: World) -> None:
    annotate(prod, "prod", "a", finalizers=["example.com/held"])
    delete(prod, "a")
    found = entry(prod.invoke())
    assert found["counts"] == {"updated": 1, "failed": 1}
    assert "waits for finalizers set by others: example.com/held" in found["problems"][0]["message"]


def test_where_one_namespace_is_not_granted_the_others_are_looked_into(prod: World) -> None:
    prod.add_namespace("prod", "c")
    prod.document("prod", "namespaces: [a, b, c]")
    found = entry(prod.invoke())
    assert found["counts"] == {"updated": 2, "forbidden": 1}
    assert found["problems"][0]["namespace"] == "c"
    delete(prod, "a")
    report = prod.invoke(SWEEP)
    assert (report["ok"], entry(report)["counts"]) == (True, {"created": 1, "current": 1})


def test_a_look_that_fails_fails_only_its_namespace(world: World) -> None:
    cluster = world.add_cluster(
        "prod",
        namespaces=("a", "b"),
        rbac="namespaced.yaml",
        document="namespaces: [a, b]",
        embedded=True,
    )
    assert isinstance(cluster, EmbeddedCluster)
    grant(cluster, "a", "b")
    cluster.intercept = lambda request: (
        Response(418, b"{}") if request.path.startswith("/api/v1/namespaces/a/secrets?") else None
    )  # a proxy's
    report = world.run()
    assert (report["ok"], entry(report)["counts"]) == (True, {"created": 2})


def test_a_push_of_one_namespace_looks_only_into_that_one(prod: World) -> None:
    requests = len(prod.asked("prod"))
    assert entry(prod.invoke({"namespaces": ["a"]}))["counts"] == {"updated": 1}
    lists = [line.split("?")[0] for line in prod.asked("prod")[requests:] if "GET" in line]
    assert lists == ["GET /api/v1/secrets", "GET /api/v1/namespaces/a/secrets"]


def test_without_the_right_anywhere_it_pushes_as_before(prod: World) -> None:
    without_looking(prod, "prod")
    assert entry(prod.invoke())["counts"] == {"updated": 2}
    delete(prod, "a")
    assert prod.invoke(SWEEP)["ok"]
    assert prod.secret("prod", "a") is None


def test_without_the_right_anywhere_three_are_asked_one_after_the_other(world: World) -> None:
    names = [f"n-{number}" for number in range(6)]
    cluster = world.add_cluster(
        "prod",
        namespaces=tuple(names),
        rbac="namespaced.yaml",
        document=f"namespaces: [{', '.join(names)}]",
        embedded=True,
    )
    grant(cluster, *names)
    without_looking(world, "prod")
    assert entry(world.invoke())["counts"] == {"created": 6}
    gets = [line for line in world.asked("prod") if line.startswith("GET")]
    assert [line.split("?")[0] for line in gets] == [
        "GET /api/v1/secrets",
        *(f"GET /api/v1/namespaces/{name}/secrets" for name in names[:3]),
    ]


def test_with_more_names_than_are_looked_into_it_pushes_as_before(world: World) -> None:
    names = [f"n-{number}" for number in range(MOST_NAMES + 1)]
    cluster = world.add_cluster(
        "prod",
        namespaces=tuple(names),
        rbac="namespaced.yaml",
        document=f"namespaces: [{', '.join(names)}]",
        embedded=True,
    )
    grant(cluster, *names)
    report = world.invoke()
    assert (report["ok"], entry(report)["counts"]) == (True, {"created": len(names)})
    gets = [line for line in world.asked("prod") if line.startswith("GET")]
    assert [line.split("?")[0] for line in gets] == ["GET /api/v1/secrets"]


def test_a_check_says_that_it_may_look_and_where_it_may_not(prod: World) -> None:
    def said() -> tuple[str, str]:
        findings = entry(prod.invoke({"action": "check"}))["findings"]
        (found,) = [one for one in findings if "list secrets" in one["message"]]
        assert found["ok"]
        return found["message"], found.get("remedy", "")

    message, remedy = said()
    assert message == (
        f"may list secrets named {SECRET}, in each of the 2 namespaces asked about: Secrets"
        " that are left behind in others go unnoticed"
    )
    assert remedy == ""
    prod.add_namespace("prod", "c")
    prod.document("prod", "namespaces: [a, b, c]")
    message, remedy = said()
    assert message.startswith(
        f"may not list secrets named {SECRET} in c (if it exists), but may elsewhere: pushes write"
    )
    assert remedy.startswith("for namespace in c; do kubectl")
    without_looking(prod, "prod")
    message, remedy = said()
    assert message.startswith(f"may not list secrets named {SECRET}: pushes write without looking")
    assert remedy.startswith("for namespace in a b c; do kubectl")
