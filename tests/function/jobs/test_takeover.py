"""Takeover: without force first, visible each time, and only where it is configured."""

import base64
import json
from typing import Any

import pytest

from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import recorded
from tests.support.secrets import annotate, without_looking
from tests.support.world import SECRET, World

TAKE = "{namespaces: [a], takeOwnership: true}"
LEAVE = "{namespaces: [a]}"


def write(world: World, manager: str, method: str = "PUT") -> None:
    """Write another tool's own credential into the Secret.

    By a PUT of the whole, or by its own server-side apply with force.
    """
    data = {".dockerconfigjson": base64.b64encode(b'{"auths": {"somewhere": {}}}').decode()}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET},
        "type": "kubernetes.io/dockerconfigjson",
        "data": data,
    }
    path = f"/api/v1/namespaces/a/secrets/{SECRET}?fieldManager={manager}"
    cluster = world.clusters["prod"]
    if method == "PUT":
        status, _ = cluster.admin("PUT", path, body)
    else:
        status, _ = cluster.admin(
            "PATCH", f"{path}&force=true", body, content_type="application/apply-patch+yaml"
        )
    assert status == 200, status


def recreate(world: World) -> None:
    """Do what the archived CronJob does: kubectl delete, kubectl create."""
    world.clusters["prod"].admin("DELETE", f"/api/v1/namespaces/a/secrets/{SECRET}")
    world.foreign_secret("prod", "a", manager="kubectl-create")


@pytest.fixture
def prod(world: World) -> World:
    world.add_cluster("prod", namespaces=("a",), document=TAKE)
    return world


def adopted(report: dict[str, Any]) -> list[dict[str, Any]]:
    return list(report["clusters"][0].get("adopted", []))


@pytest.mark.parametrize(
    "manager", ["kubectl-create", "kubectl-client-side-apply", "external-secrets"]
)
def test_the_manager_it_was_taken_from_is_named(prod: World, manager: str) -> None:
    prod.foreign_secret("prod", "a", manager=manager)
    report = prod.invoke()
    assert (report["ok"], report["totals"]["adopted"]) == (True, 1)
    assert adopted(report) == [{"namespace": "a", "from": [manager]}]
    assert prod.token("prod", "a") == prod.aws.ecr_public.issued[-1]


def test_it_is_bound_to_what_was_seen(world: World) -> None:
    """Embedded: a real cluster's audit log holds no bodies."""
    world.add_cluster("prod", namespaces=("a",), document=TAKE, embedded=True)
    world.foreign_secret("prod", "a")
    before = world.secret("prod", "a")
    world.invoke()
    assert ["force=true" in path for path in world.applies("prod")] == [True]
    (apply,) = [one for one in world.clusters["prod"].requests if one.method == "PATCH"]
    assert before is not None
    assert {
        name: json.loads(apply.body)["metadata"][name] for name in ("uid", "resourceVersion")
    } == {name: before["metadata"][name] for name in ("uid", "resourceVersion")}


def test_without_the_right_to_look_it_is_tried_without_force_first(prod: World) -> None:
    without_looking(prod, "prod")
    prod.foreign_secret("prod", "a")
    assert adopted(prod.invoke()) == [{"namespace": "a", "from": ["kubectl-create"]}]
    assert ["force=true" in path for path in prod.applies("prod")] == [False, True]


@pytest.mark.parametrize("event", [{}, {"action": "plan"}])
@pytest.mark.parametrize("looks", [True, False])
def test_only_of_others_secrets_is_the_replaced_content_reported(
    prod: World, looks: bool, event: dict[str, str]
) -> None:
    if not looks:
        without_looking(prod, "prod")
    prod.foreign_secret("prod", "a")
    assert prod.invoke(event)["clusters"][0]["replaced"] == 1
    prod.invoke()
    prod.aws.delete_parameter("/ecr-public-pusher/clusters/prod")
    prod.document("renamed", "{cluster: prod, namespaces: [a], takeOwnership: true}")
    assert "replaced" not in prod.invoke(event)["clusters"][0]


def test_a_conflict_says_what_a_takeover_would_replace(prod: World) -> None:
    prod.document("prod", "namespaces: [a]")
    prod.foreign_secret("prod", "a")
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert (
        "replaces everything in the Secret, credentials of other registries included"
        in (problem["remedy"])
    )


def test_after_it_the_secret_is_only_ours_and_only_updated(prod: World) -> None:
    prod.foreign_secret("prod", "a")
    before = prod.secret("prod", "a")
    prod.invoke()
    report = prod.invoke()
    after = prod.secret("prod", "a")
    assert before is not None
    assert after is not None
    assert report["totals"]["updated"] == 1
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize("method", ["PUT", "APPLY"])
def test_a_tug_of_war_shows_run_after_run(
    prod: World, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prod.invoke()
    capsys.readouterr()
    for _ in range(3):
        write(prod, "external-secrets", method)
        assert adopted(prod.invoke()) == [{"namespace": "a", "from": ["external-secrets"]}]
    logged = [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if '"SecretsAdopted"' in line
    ]
    assert [line["SecretsAdopted"] for line in logged] == [[1.0]] * 3


def test_a_cronjob_that_was_not_stopped_shows_too(prod: World) -> None:
    for _ in range(2):
        recreate(prod)
        assert adopted(prod.invoke()) == [{"namespace": "a", "from": ["kubectl-create"]}]


def test_a_secret_taken_from_us_is_a_conflict_once_takeownership_is_gone(prod: World) -> None:
    prod.invoke()
    prod.document("prod", LEAVE)
    write(prod, "external-secrets")
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert (problem["outcome"], "external-secrets" in problem["message"]) == ("conflict", True)
    kept = prod.secret("prod", "a")
    assert kept is not None
    config = json.loads(base64.b64decode(kept["data"][".dockerconfigjson"]))
    assert config["auths"] == {"somewhere": {}}


def test_a_plan_shows_what_would_be_taken_and_takes_nothing(prod: World) -> None:
    prod.foreign_secret("prod", "a")
    before = prod.secret("prod", "a")
    assert adopted(prod.invoke({"action": "plan"})) == [
        {"namespace": "a", "from": ["kubectl-create"]}
    ]
    assert prod.secret("prod", "a") == before


def test_an_adopted_secret_is_ours_to_prune(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a", "b"),
        document="{namespaces: [a, b], takeOwnership: true, prune: true}",
    )
    world.apply("prod", "prune.yaml")
    world.foreign_secret("prod", "a")
    world.invoke()
    world.document("prod", "{namespaces: [b], prune: true}")
    assert world.invoke()["totals"]["pruned"] == 1
    assert world.secret("prod", "a") is None


OWNER = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "ExternalSecret",
    "name": "pull",
    "uid": "8d2bcb1f-5f0c-4a4d-9b75-0d6a4d1c6f55",
    "controller": True,
}
MARKS = {
    "ownerReferences": [OWNER],
    "labels": {"argocd.argoproj.io/instance": "web", "team": "web"},
    "annotations": {
        "argocd.argoproj.io/tracking-id": "web:/Secret:a/ecr-public-token",
        "example.com/why": "kept",
    },
}


def owned(world: World) -> None:
    """Add somebody else's Secret, which its owner's controller and Argo CD would delete.

    The controller deletes it with the owner, Argo CD with its application.
    """
    world.foreign_secret("prod", "a", manager="external-secrets")
    cluster = world.clusters["prod"]
    path = f"/api/v1/namespaces/a/secrets/{SECRET}"
    _, found = cluster.admin("GET", path)
    found["metadata"] |= MARKS
    assert cluster.admin("PUT", f"{path}?fieldManager=external-secrets", found)[0] == 200


def test_what_would_have_it_deleted_with_its_former_owner_is_taken_off(prod: World) -> None:
    owned(prod)
    report = prod.invoke()
    assert (report["ok"], report["totals"]["adopted"]) == (True, 1)
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert "ownerReferences" not in secret["metadata"]
    assert secret["metadata"]["labels"] == {
        "team": "web",
        "app.kubernetes.io/managed-by": "ecr-public-pusher",
    }
    assert "argocd.argoproj.io/tracking-id" not in secret["metadata"]["annotations"]
    assert secret["metadata"]["annotations"]["example.com/why"] == "kept"
    assert prod.invoke()["totals"]["updated"] == 1


@pytest.mark.parametrize(("manager", "stays"), [("argocd-controller", False), ("helm", True)])
def test_argo_cds_default_tracking_label_is_removed_where_it_wrote(
    prod: World, manager: str, stays: bool
) -> None:
    """Before 3.0 Argo CD tracked by `app.kubernetes.io/instance`, which others set too."""
    prod.foreign_secret("prod", "a", manager=manager)
    annotate(prod, "prod", "a", labels={"app.kubernetes.io/instance": "web"})
    assert prod.invoke()["ok"]
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert ("app.kubernetes.io/instance" in secret["metadata"]["labels"]) is stays


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("labels", "reconcile.external-secrets.io/created-by"),
        ("annotations", "reflector.v1.k8s.emberstack.com/reflects"),
        ("annotations", "replicator.v1.mittwald.de/replicate-from"),
        ("annotations", "replicator.v1.mittwald.de/replicated-keys"),
    ],
)
def test_marks_by_which_another_tool_deletes_or_writes_it_come_off(
    prod: World, kind: str, mark: str
) -> None:
    prod.foreign_secret("prod", "a", manager="unknown")
    annotate(prod, "prod", "a", **{kind: {mark: "x", "example.com/why": "kept"}})
    assert prod.invoke()["totals"]["adopted"] == 1
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert mark not in secret["metadata"][kind]
    assert secret["metadata"][kind]["example.com/why"] == "kept"


def test_a_label_that_the_document_sets_stays(prod: World) -> None:
    prod.document(
        "prod", "{namespaces: [a], takeOwnership: true, labels: {app.kubernetes.io/instance: ours}}"
    )
    prod.foreign_secret("prod", "a", manager="argocd-controller")
    annotate(prod, "prod", "a", labels={"app.kubernetes.io/instance": "web"})
    assert prod.invoke()["ok"]
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert secret["metadata"]["labels"]["app.kubernetes.io/instance"] == "ours"


def test_where_that_is_refused_the_takeover_is_not_done_and_says_how(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("a",), document=TAKE, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    owned(world)

    def deny(request: SeenRequest) -> Response | None:
        return (
            recorded("webhook-denies-403-of-an-update").response
            if b"ownerReferences" in request.body and request.method == "PATCH"
            else None
        )

    cluster.intercept = deny
    (problem,) = world.invoke()["clusters"][0]["problems"]
    assert (problem["outcome"], "ExternalSecret pull" in problem["message"]) == ("failed", True)
    assert "creationPolicy: Orphan" in problem["remedy"]
    cluster.intercept = None
    assert (
        world.invoke()["totals"]["updated"] == 1
    )  # ours by now, and what is left of the owner goes with it
    secret = world.secret("prod", "a")
    assert secret is not None
    assert "ownerReferences" not in secret["metadata"]


def test_without_an_owner_the_marks_that_stay_are_named(world: World) -> None:
    cluster = world.add_cluster("prod", namespaces=("a",), document=TAKE, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    world.foreign_secret("prod", "a", manager="unknown")
    mark = "reflector.v1.k8s.emberstack.com/reflects"
    annotate(world, "prod", "a", annotations={mark: "infra/pull"})
    cluster.intercept = lambda request: (
        recorded("webhook-denies-403-of-an-update").response
        if mark.encode() in request.body and request.method == "PATCH"
        else None
    )
    (problem,) = world.invoke()["clusters"][0]["problems"]
    assert f"former owner ({mark})" in problem["message"]


def test_a_plan_takes_nothing_off(prod: World) -> None:
    owned(prod)
    assert prod.invoke({"action": "plan"})["totals"]["adopted"] == 1
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert secret["metadata"]["ownerReferences"] == [OWNER]
