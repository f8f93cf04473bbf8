"""ServiceAccounts: the Secret's name is added to their imagePullSecrets.

Every other entry stays, and an annotation records what we added.
"""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.jobs.image_pull_secrets import ImagePullSecrets
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.sign_in.eks import EksSignIn, EndpointCache
from infra.local.kube import Cluster, EmbeddedCluster, Response, SeenRequest
from tests.support.recorded_answers import recorded
from tests.support.world import SECRET, STACK, World

MARK = "ecr-public-pusher/added-image-pull-secrets"
DOCUMENT = "{namespaces: [a], serviceAccounts: [default]}"


def grant(world: World, cluster: str, *files: str) -> None:
    for file in files:
        world.apply(cluster, file)


def account(
    world: World,
    name: str = "default",
    *,
    cluster: str = "prod",
    namespace: str = "a",
    pulls: tuple[str, ...] | None = ("regcred",),
) -> None:
    """Return an account with these imagePullSecrets; None: without the list."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name},
    }
    if pulls is not None:
        body["imagePullSecrets"] = [{"name": entry} for entry in pulls]
    status, _ = world.clusters[cluster].admin(
        "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", body
    )
    assert status == 201, status


def pulls(
    world: World, name: str = "default", *, cluster: str = "prod", namespace: str = "a"
) -> list[str]:
    status, found = world.clusters[cluster].admin(
        "GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    )
    assert status == 200, status
    return [entry["name"] for entry in found.get("imagePullSecrets", [])]


def marked(world: World, name: str = "default", *, namespace: str = "a") -> str | None:
    """Return the names that we put into the account's list, by its annotation."""
    _, found = world.clusters["prod"].admin(
        "GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    )
    return found["metadata"].get("annotations", {}).get(MARK)  # type: ignore[no-any-return]


@pytest.fixture
def prod(world: World) -> World:
    """Return a cluster with the RBAC that serviceAccounts needs."""
    world.add_cluster("prod", namespaces=("a",), document=DOCUMENT)
    grant(world, "prod", "service-accounts.yaml")
    return world


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("regcred",), ["regcred", SECRET]),
        ((), [SECRET]),
        (None, [SECRET]),
        (("x", "y"), ["x", "y", SECRET]),
    ],
)
def test_the_name_is_added_and_every_other_entry_stays(
    prod: World, before: tuple[str, ...] | None, after: list[str]
) -> None:
    account(prod, pulls=before)
    report = prod.invoke()
    assert report["ok"]
    assert pulls(prod) == after
    assert report["clusters"][0]["serviceAccountsChanged"] == 1


def test_an_account_that_has_it_is_not_written_to(prod: World) -> None:
    account(prod)
    prod.invoke()
    seen = len(prod.asked("prod"))
    report = prod.invoke()
    assert report["ok"]
    assert sorted(line.split("?")[0] for line in prod.asked("prod")[seen:]) == [
        "GET /api/v1/secrets",
        "GET /api/v1/serviceaccounts",
        f"PATCH /api/v1/namespaces/a/secrets/{SECRET}",
    ]
    assert "serviceAccountsChanged" not in report["clusters"][0]


def test_an_account_that_was_changed_is_marked_and_the_secret_lists_none(prod: World) -> None:
    account(prod)
    prod.invoke()
    prod.invoke()
    assert marked(prod) == SECRET
    secret = prod.secret("prod", "a")
    assert secret is not None
    assert secret["metadata"]["annotations"]["ecr-public-pusher/in-service-accounts"] == "true"


def test_an_entry_that_somebody_else_put_there_is_not_marked(prod: World) -> None:
    account(prod, pulls=("regcred", SECRET))
    prod.invoke()
    assert marked(prod) is None
    assert pulls(prod) == ["regcred", SECRET]


def test_the_mark_outlives_a_secret_that_somebody_replaced(prod: World) -> None:
    prod.document(
        "prod", "{namespaces: [a], serviceAccounts: [default, theirs], takeOwnership: true}"
    )
    account(prod)
    account(prod, "theirs", pulls=(SECRET,))
    prod.invoke()
    cluster = prod.clusters["prod"]
    cluster.admin("DELETE", f"/api/v1/namespaces/a/secrets/{SECRET}")
    prod.foreign_secret("prod", "a")
    prod.invoke()
    assert (marked(prod), marked(prod, "theirs")) == (SECRET, None)
    assert removed(prod) == ["regcred"]
    assert pulls(prod, "theirs") == [SECRET]


def test_accounts_that_come_and_go_leave_nothing_behind(prod: World) -> None:
    """A glob, and an account for each build: what is written on the Secret does not grow."""
    prod.document("prod", "{namespaces: [a], serviceAccounts: ['*']}")
    sizes = set()
    for number in range(4):
        account(prod, f"build-{number}")
        assert prod.invoke()["ok"]
        prod.clusters["prod"].admin(
            "DELETE", f"/api/v1/namespaces/a/serviceaccounts/build-{number}"
        )
        secret = prod.secret("prod", "a")
        assert secret is not None
        sizes.add(len(json.dumps(secret["metadata"]["annotations"])))
    assert len(sizes) == 1


@pytest.mark.parametrize("names", ["['*']", "[going, staying]"])
def test_an_account_that_is_deleted_meanwhile_keeps_no_other_from_its_entry(
    world: World, names: str
) -> None:
    def go(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and "/serviceaccounts/going" in request.path:
            cluster.admin("DELETE", "/api/v1/namespaces/a/serviceaccounts/going")
        return None

    cluster = world.add_cluster(
        "prod",
        namespaces=("a",),
        document=f"{{namespaces: [a], serviceAccounts: {names}}}",
        embedded=True,
    )
    assert isinstance(cluster, EmbeddedCluster)
    grant(world, "prod", "service-accounts.yaml")
    for name in ("going", "staying"):
        account(world, name)
    cluster.intercept = go
    assert world.run()["ok"]
    assert pulls(world, "staying") == ["regcred", SECRET]


@pytest.mark.parametrize("status", [409, 422])
def test_a_webhooks_denial_is_no_lost_race(world: World, status: int) -> None:
    """The code is the webhook's own, and the answer has no details."""
    denial = recorded(f"webhook-denies-{status}-of-an-account")

    def denied(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and "/serviceaccounts/" in request.path:
            return denial.response
        return None

    cluster = world.add_cluster("prod", namespaces=("a",), document=DOCUMENT, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    grant(world, "prod", "service-accounts.yaml")
    account(world)
    cluster.intercept = denied
    (problem,) = world.run()["clusters"][0]["problems"]
    assert (
        f"the admission webhook denies-{status}.policy.example.com denies the change of its"
        " ServiceAccounts" in problem["message"]
    )
    assert sum("PATCH" in line and "serviceaccounts" in line for line in world.asked("prod")) == 1


def test_globs_name_the_accounts_that_are_there(prod: World) -> None:
    prod.document("prod", "{namespaces: [a], serviceAccounts: ['build-*', default]}")
    for name in ("default", "build-1", "build-2", "other"):
        account(prod, name)
    assert prod.invoke()["ok"]
    assert {
        name: SECRET in pulls(prod, name) for name in ("default", "build-1", "build-2", "other")
    } == {
        "default": True,
        "build-1": True,
        "build-2": True,
        "other": False,
    }
    assert [marked(prod, name) for name in ("default", "build-1", "build-2", "other")] == [
        SECRET,
        SECRET,
        SECRET,
        None,
    ]


def test_a_glob_that_matches_nothing_is_no_failure(prod: World) -> None:
    prod.document("prod", "{namespaces: [a], serviceAccounts: ['build-*']}")
    assert prod.invoke()["ok"]


def test_an_account_that_does_not_exist_is_reported_and_the_secret_is_there(prod: World) -> None:
    prod.document("prod", "{namespaces: [a], serviceAccounts: [builder]}")
    (problem,) = prod.invoke()["clusters"][0]["problems"]
    assert problem["outcome"] == "missing"
    assert (
        problem["message"] == "the Secret is there, but the ServiceAccount builder does not exist"
    )
    assert "cluster/prod -n a create serviceaccount builder`" in problem["remedy"]
    assert prod.token("prod", "a")


def test_one_missing_account_does_not_keep_the_others_from_it(prod: World) -> None:
    prod.document("prod", "{namespaces: [a], serviceAccounts: [builder, default]}")
    account(prod)
    prod.invoke()
    assert SECRET in pulls(prod)


def test_a_new_namespaces_default_account_is_waited_for(prod: World) -> None:
    late = threading.Timer(0.8, lambda: account(prod))
    late.start()
    report = prod.invoke()
    late.join()
    assert report["ok"]
    assert pulls(prod) == ["regcred", SECRET]


def test_it_is_waited_for_briefly_only(prod: World) -> None:
    (problem,) = prod.run()["clusters"][0]["problems"]
    assert problem["outcome"] == "missing"
    assert sum("serviceaccounts/default" in line for line in prod.asked("prod")) >= 2


def test_without_the_rights_it_is_forbidden_and_the_secret_is_there(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document=DOCUMENT)
    account(world)
    (problem,) = world.invoke()["clusters"][0]["problems"]
    assert (problem["outcome"], "infra/rbac/service-accounts.yaml" in problem["remedy"]) == (
        "forbidden",
        True,
    )
    assert world.token("prod", "a")
    assert pulls(world) == ["regcred"]


def test_a_plan_changes_no_account(prod: World) -> None:
    account(prod)
    prod.invoke()
    before = pulls(prod)
    account(prod, "late")
    prod.document("prod", "{namespaces: [a], serviceAccounts: [default, late]}")
    report = prod.invoke({"action": "plan"})
    assert report["ok"]
    assert report["clusters"][0]["serviceAccountsChanged"] == 1
    assert (pulls(prod), pulls(prod, "late"), marked(prod, "late")) == (before, ["regcred"], None)


def test_a_plan_of_a_first_push_works_though_there_is_no_secret_yet(prod: World) -> None:
    account(prod)
    assert prod.invoke({"action": "plan"})["ok"]
    assert prod.secret("prod", "a") is None


ROUNDS = 50
SIDE_BY_SIDE = 8


def test_two_writers_lose_no_entry_in_hundreds_of_rounds(world: World) -> None:
    """The writers start at the same moment, 400 times.

    One is ours; the other reads the list and writes it back under its resource version.
    """
    names = [f"n{number}" for number in range(SIDE_BY_SIDE)]
    cluster = world.add_cluster(
        "prod",
        namespaces=tuple(names),
        document="{namespaces: ['n*'], serviceAccounts: [default]}",
        embedded=True,
    )
    grant(world, "prod", "service-accounts.yaml")
    for name in names:
        account(world, namespace=name, pulls=None)
    found = list(ThreadPoolExecutor(SIDE_BY_SIDE).map(lambda name: race(cluster, name), names))
    assert [lost for lost, _ in found] == [[]] * SIDE_BY_SIDE
    # The two did conflict: where ours comes too late, the patch's test fails, and it
    # is made anew.
    assert sum(patches for _, patches in found) > ROUNDS * SIDE_BY_SIDE


def race(cluster: Cluster, namespace: str) -> tuple[list[int], int]:
    """Return the rounds that lost an entry, and how many patches ours took.

    Ours has a thread and an event loop of its own.
    """
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    gate = threading.Barrier(2)
    lost = []
    with ThreadPoolExecutor(1) as thread:
        ours = thread.submit(lambda: asyncio.run(attach_in_rounds(namespace, gate)))
        for number in range(ROUNDS):
            clear(cluster, namespace)
            gate.wait(60)
            insist(cluster, namespace, f"theirs-{number}")
            gate.wait(60)
            _, found = cluster.admin("GET", path)
            if {entry["name"] for entry in found["imagePullSecrets"]} != {
                SECRET,
                f"theirs-{number}",
            }:
                lost.append(number)
        ours.result()
    return lost, sum(
        request.method == "PATCH" and request.path.split("?")[0] == path
        for request in list(cluster.requests)
    )


async def attach_in_rounds(namespace: str, gate: threading.Barrier) -> None:
    """Attach the name in rounds, signed in as the function signs in."""
    config = ClusterConfig(
        "prod",
        "prod",
        "us-east-1",
        Selection((namespace,)),
        service_accounts=AccountSelection(("default",)),
    )
    deadline = Deadline.of_invocation(120)
    async with BlockingCalls() as blocking:
        sign_in = EksSignIn(config, Callers(AwsClients("us-east-1"), blocking), EndpointCache())
        access = sign_in.access(await sign_in.described())
        async with KubernetesApi(
            access,
            field_manager=STACK.field_manager,
            deadline=deadline,
            blocking=blocking,
            sockets=Sockets(),
        ) as api:
            accounts = ImagePullSecrets(api, config, deadline, dry_run=False)
            for _ in range(ROUNDS):
                gate.wait(60)
                await accounts.attach(namespace, None, ())
                gate.wait(60)


def clear(cluster: Cluster, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    status, _ = cluster.admin(
        "PUT", f"/api/v1/namespaces/{namespace}/serviceaccounts/default", body
    )
    assert status == 200, status


def insist(cluster: Cluster, namespace: str, entry: str) -> None:
    """Act as another controller.

    It reads, adds, writes the whole back, and starts again after a conflict.
    """
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    while True:
        _, found = cluster.admin("GET", path)
        found["imagePullSecrets"] = [*found.get("imagePullSecrets", []), {"name": entry}]
        status, _ = cluster.admin("PUT", path, found)
        if status == 200:
            return
        assert status == 409, status


def test_a_change_that_keeps_losing_is_given_up_and_reported(world: World) -> None:
    def write_first(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and "/serviceaccounts/" in request.path:
            path = "/api/v1/namespaces/a/serviceaccounts/default"
            _, found = cluster.admin("GET", path)
            found["metadata"]["labels"] = {"written": str(len(cluster.requests))}
            cluster.admin("PUT", path, found)
        return None

    cluster = world.add_cluster("prod", namespaces=("a",), document=DOCUMENT, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    grant(world, "prod", "service-accounts.yaml")
    account(world)
    cluster.intercept = write_first
    (problem,) = world.run()["clusters"][0]["problems"]
    assert "ServiceAccount default was changed by something else" in problem["message"]


def test_a_refusal_that_is_no_lost_race_is_final(world: World) -> None:
    """A 422 of a JSON patch says nothing of its reason: here the account did not change."""

    def invalid(request: SeenRequest) -> Response | None:
        if request.method == "PATCH" and "/serviceaccounts/" in request.path:
            return recorded("account-patch-mark-without-annotations").response
        return None

    cluster = world.add_cluster("prod", namespaces=("a",), document=DOCUMENT, embedded=True)
    assert isinstance(cluster, EmbeddedCluster)
    grant(world, "prod", "service-accounts.yaml")
    account(world)
    cluster.intercept = invalid
    (problem,) = world.run()["clusters"][0]["problems"]
    assert (problem["outcome"], "422" in problem["message"]) == ("failed", True)
    assert problem["remedy"] == "See the API server's audit log for this request."
    assert sum("PATCH" in line and "serviceaccounts" in line for line in world.asked("prod")) == 1


def test_sweeps_serve_accounts_too(prod: World) -> None:
    prod.document(
        "prod",
        "{namespaces: ['*'], exclude: [], serviceAccounts: [default]}".replace("exclude: [], ", ""),
    )
    account(prod)
    prod.run({"action": "sweep"})
    assert pulls(prod) == ["regcred", SECRET]


def removed(world: World) -> list[str]:
    world.apply("prod", "prune.yaml")
    assert world.invoke({"action": "remove", "clusters": ["prod"]})["ok"]
    return pulls(world)


def test_an_administrators_entry_stays_though_we_wrote_to_the_list_last(prod: World) -> None:
    """A second document with another Secret name makes us write to the same list.

    That does not make the first name ours.
    """
    account(prod, pulls=(SECRET,))
    prod.document(
        "second", "{cluster: prod, namespaces: [a], serviceAccounts: [default], secretName: other}"
    )
    rule = {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["other"],
        "verbs": ["create", "patch"],
    }
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "other"},
        "rules": [rule],
    }
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "other"}
    group = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "ecr-public-pushers"}
    prod.clusters["prod"].apply(
        role,
        {**role, "kind": "ClusterRoleBinding", "rules": None, "roleRef": ref, "subjects": [group]},
    )
    for _ in range(2):
        assert prod.invoke()["ok"]
    assert marked(prod) == "other"
    assert removed(prod) == [SECRET, "other"]


def test_every_duplicate_of_our_entry_is_removed(prod: World) -> None:
    account(prod)
    prod.invoke()
    path = "/api/v1/namespaces/a/serviceaccounts/default"
    _, found = prod.clusters["prod"].admin("GET", path)
    found["imagePullSecrets"] = [
        {"name": SECRET},
        {"name": "regcred"},
        {"name": SECRET},
        {"name": SECRET},
    ]
    assert prod.clusters["prod"].admin("PUT", path, found)[0] == 200
    assert removed(prod) == ["regcred"]


def test_our_annotation_is_removed_with_our_entry(prod: World) -> None:
    account(prod)
    prod.invoke()
    assert removed(prod) == ["regcred"]
    _, found = prod.clusters["prod"].admin("GET", "/api/v1/namespaces/a/serviceaccounts/default")
    assert not found["metadata"].get("annotations")


def test_an_account_that_could_not_be_changed_at_first_is_changed_by_the_second_try(
    world: World,
) -> None:
    """The Secret exists by then.

    It is not written again, and the account gets its entry all the same.
    """
    names = ("a", "b")
    cluster = world.add_cluster(
        "prod",
        namespaces=names,
        document="{namespaces: [a, b], serviceAccounts: [default]}",
        embedded=True,
    )
    assert isinstance(cluster, EmbeddedCluster)
    grant(world, "prod", "service-accounts.yaml")
    for name in names:
        account(world, namespace=name)
    refused: list[str] = []

    def overloaded(request: SeenRequest) -> Response | None:
        if (
            request.method == "PATCH"
            and "/namespaces/a/serviceaccounts/" in request.path
            and not refused
        ):
            refused.append(request.path)
            return recorded("apply-without-a-seat").response
        return None

    cluster.intercept = overloaded
    report = world.run()
    assert (
        report["ok"],
        report["clusters"][0]["counts"],
        report["clusters"][0]["serviceAccountsChanged"],
    ) == (True, {"created": 2}, 2)
    assert pulls(world, namespace="a") == ["regcred", SECRET]
    assert refused


def test_only_the_default_account_is_waited_for(prod: World) -> None:
    prod.document("prod", "{namespaces: [a], serviceAccounts: [builder]}")
    before = len(prod.asked("prod"))
    assert not prod.run()["ok"]
    looks = [line for line in prod.asked("prod")[before:] if "/serviceaccounts/builder" in line]
    assert len(looks) == 1


def test_the_accounts_own_annotations_stay(prod: World) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "annotations": {"eks.amazonaws.com/role-arn": "a-role"}},
    }
    path = "/api/v1/namespaces/a/serviceaccounts"
    assert prod.clusters["prod"].admin("POST", path, body)[0] == 201
    assert prod.invoke()["ok"]
    _, found = prod.clusters["prod"].admin("GET", f"{path}/default")
    assert found["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "a-role",
        MARK: SECRET,
    }
