"""The Secrets of Argo CD's repositories, over the wire.

They are observed, decided upon and owned as the pull Secret is.
"""

import base64
from typing import Any

import pytest
import yaml

from tests.support.reports import entry, findings
from tests.support.secrets import aged, annotate
from tests.support.world import EXECUTION_ROLE, RBAC, SPOKE_ACCOUNT, STACK, World

PULL_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
EU = f"{{account: '{SPOKE_ACCOUNT}', region: eu-west-1, roleArn: {PULL_ROLE}}}"
HOST = f"{SPOKE_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
CHARTS = f"{{name: charts, url: {HOST}/charts}}"
KARPENTER = "{name: karpenter, url: public.ecr.aws/karpenter, template: true}"
NAMES = ["charts", "karpenter"]
SWEEP = {"action": "sweep", "windowMinutes": 20}
REMOVE = {"action": "remove", "clusters": ["prod"]}


def document(*repositories: str, fields: str = "") -> str:
    return (
        f"{{namespaces: [a], registries: [public, {EU}], {fields}"
        f" argocd: {{repositories: [{', '.join(repositories)}]}}}}"
    )


def rights(*names: str, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return the objects of infra/rbac/argocd.yaml for Secrets of these names."""
    found = list(yaml.safe_load_all((RBAC / "argocd.yaml").read_text()))
    for one in found:
        for rule in one.get("rules", ()):
            if rule["resources"] == ["secrets"]:
                rule["resourceNames"] = list(names)
                rule["verbs"] = [verb for verb in rule["verbs"] if verb not in without]
        if "rules" in one:
            one["rules"] = [rule for rule in one["rules"] if rule["verbs"]]
    return found


@pytest.fixture
def prod(world: World) -> World:
    """Return a world with a cluster in which Argo CD runs."""
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    world.add_cluster("prod", namespaces=("a", "argocd"), document=document(CHARTS, KARPENTER))
    world.clusters["prod"].apply(*rights(*NAMES))
    return world


def data(world: World, name: str) -> dict[str, str]:
    secret = world.secret("prod", "argocd", name)
    assert secret is not None
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def password(authorization: str) -> str:
    return base64.b64decode(authorization).decode().removeprefix("AWS:")


def problems(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the problems by the Secret's name."""
    return {one.get("secret", "-"): one for one in entry(report)["problems"]}


def put(world: World, name: str, manager: str, **content: str) -> None:
    """Create somebody else's Secret of that name."""
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": content,
    }
    status, _ = world.clusters["prod"].admin(
        "POST", f"/api/v1/namespaces/argocd/secrets?fieldManager={manager}", body
    )
    assert status == 201


def requests_in_argocd(world: World) -> list[str]:
    return [line for line in world.asked("prod") if "/namespaces/argocd/" in line]


def test_each_repository_has_the_token_of_its_own_registry(prod: World) -> None:
    report = prod.invoke()
    assert report["ok"], report
    assert entry(report)["counts"] == {"created": 3}
    (private,) = prod.aws.ecr_private.issued[PULL_ROLE, "eu-west-1"]
    assert data(prod, "charts") == {
        "name": "charts",
        "url": f"{HOST}/charts",
        "type": "helm",
        "enableOCI": "true",
        "username": "AWS",
        "password": password(private),
    }
    assert data(prod, "karpenter") == {
        "url": "public.ecr.aws/karpenter",
        "type": "helm",
        "enableOCI": "true",
        "username": "AWS",
        "password": password(prod.aws.ecr_public.issued[0]),
    }
    charts, karpenter = (prod.secret("prod", "argocd", name) for name in NAMES)
    assert charts is not None
    assert karpenter is not None
    assert (charts["type"], karpenter["type"]) == ("Opaque", "Opaque")
    assert charts["metadata"]["labels"] == {
        "argocd.argoproj.io/secret-type": "repository",
        "app.kubernetes.io/managed-by": "ecr-public-pusher",
    }
    assert karpenter["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repo-creds"
    annotations = charts["metadata"]["annotations"]
    assert annotations["ecr-public-pusher/owner"] == STACK.owner("prod")
    assert annotations["ecr-public-pusher/expires-at"] > annotations["ecr-public-pusher/pushed-at"]


def test_an_oci_repository_keeps_its_scheme(prod: World) -> None:
    prod.document("prod", document(f"{{name: charts, url: 'oci://{HOST}/charts/web'}}"))
    assert prod.invoke()["ok"]
    found = data(prod, "charts")
    assert (found["type"], found["url"]) == ("oci", f"oci://{HOST}/charts/web")
    assert "enableOCI" not in found


def test_it_asks_for_each_secret_by_name_and_for_nothing_else_of_argo_cds(prod: World) -> None:
    prod.invoke()
    path = "/api/v1/namespaces/argocd/secrets"
    assert [line.split("&fieldManager")[0] for line in sorted(requests_in_argocd(prod))] == [
        f"GET {path}?limit=500&fieldSelector=metadata.name%3Dcharts",
        f"GET {path}?limit=500&fieldSelector=metadata.name%3Dkarpenter",
        *(f"PATCH {path}/{name}" + REST for name in NAMES),
    ]


REST = f"?fieldManager={STACK.field_manager.replace('/', '%2F')}"


def test_a_document_without_it_sends_nothing_there(prod: World) -> None:
    prod.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    prod.invoke()
    assert requests_in_argocd(prod) == []


def test_the_next_push_renews_them(prod: World) -> None:
    prod.invoke()
    before = prod.secret("prod", "argocd", "charts")
    assert entry(prod.invoke())["counts"] == {"updated": 3}
    after = prod.secret("prod", "argocd", "charts")
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] == after["metadata"]["uid"]
    private = prod.aws.ecr_private.issued[PULL_ROLE, "eu-west-1"]
    assert data(prod, "charts")["password"] == password(private[-1])


@pytest.mark.parametrize("way", ["apply-patch+yaml", "merge-patch+json"])
def test_what_others_set_beside_ours_stays(prod: World, way: str) -> None:
    """A repository of one project has a key `project`, which Argo CD reads."""
    prod.invoke()
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "charts"},
        "stringData": {"project": "web"},
    }
    status, _ = prod.clusters["prod"].admin(
        "PATCH",
        "/api/v1/namespaces/argocd/secrets/charts?fieldManager=web",
        body,
        content_type=f"application/{way}",
    )
    assert status == 200
    assert prod.invoke()["ok"]
    assert data(prod, "charts")["project"] == "web"


def test_a_sweep_restores_and_renews_them_and_else_sends_lists_only(prod: World) -> None:
    prod.invoke()
    prod.clusters["prod"].admin("DELETE", "/api/v1/namespaces/argocd/secrets/charts")
    aged(prod, "prod", "argocd", hours_left=1, name="karpenter")
    report = prod.invoke(SWEEP)
    assert entry(report)["counts"] == {"created": 1, "updated": 1, "current": 1}
    assert data(prod, "charts")["username"] == "AWS"
    issued = len(prod.aws.ecr_public.issued)
    sent = len(prod.asked("prod"))
    assert entry(prod.invoke(SWEEP))["counts"] == {"current": 3}
    assert len(prod.aws.ecr_public.issued) == issued
    assert all(line.startswith("GET") for line in prod.asked("prod")[sent:])


def test_a_sweep_does_not_write_into_a_namespace_that_is_not_there(prod: World) -> None:
    prod.document("prod", document(CHARTS).replace("{repositories", "{namespace: cd, repositories"))
    prod.clusters["prod"].apply(*rights("charts"))
    prod.invoke(SWEEP)
    assert not [line for line in prod.applies("prod") if "/cd/" in line]


def test_the_one_with_the_least_life_left_counts(prod: World) -> None:
    prod.invoke()
    aged(prod, "prod", "argocd", hours_left=5, name="karpenter")
    left = entry(prod.invoke(SWEEP))["secondsLeft"]
    assert 4.9 * 3600 < left <= 5 * 3600


def test_somebody_elses_is_a_conflict_that_names_the_secret(prod: World) -> None:
    put(prod, "charts", "argocd-server", url="x", password="theirs")
    report = prod.invoke()
    found = problems(report)["charts"]
    assert (found["namespace"], found["outcome"]) == ("argocd", "conflict")
    assert found["message"] == "the Secret charts is managed by argocd-server"
    assert "leaves Argo CD's other settings in the Secret" in found["remedy"]
    assert data(prod, "charts")["password"] == "theirs"
    assert entry(report)["counts"] == {"created": 2, "conflict": 1}


def test_what_a_cronjob_wrote_is_taken_over_and_keeps_its_other_keys(prod: World) -> None:
    put(prod, "charts", "kubectl-create", url=f"{HOST}/charts", password="old", project="web")
    prod.document("prod", document(CHARTS, fields="takeOwnership: true,"))
    report = prod.invoke()
    assert report["ok"], report
    assert entry(report)["adopted"] == [
        {"namespace": "argocd", "secret": "charts", "from": ["kubectl-create"]}
    ]
    found = data(prod, "charts")
    assert (found["username"], found["project"]) == ("AWS", "web")
    assert entry(prod.invoke())["counts"] == {"updated": 2}


def test_argo_cds_own_update_of_the_password_is_a_conflict(prod: World) -> None:
    """`argocd repo add --upsert` writes the Secret anew, as the field manager argocd-server."""
    prod.invoke()
    secret = prod.secret("prod", "argocd", "charts")
    assert secret is not None
    secret["data"]["password"] = base64.b64encode(b"theirs").decode()
    path = "/api/v1/namespaces/argocd/secrets/charts?fieldManager=argocd-server"
    assert prod.clusters["prod"].admin("PUT", path, secret)[0] == 200
    assert problems(prod.invoke())["charts"]["outcome"] == "conflict"


@pytest.mark.parametrize("event", [{}, SWEEP], ids=["push", "sweep"])
def test_the_label_that_argo_cd_takes_away_comes_back(prod: World, event: dict[str, Any]) -> None:
    """`argocd repo rm` deletes only what Argo CD made, and takes the label of all else."""
    prod.invoke()
    secret = prod.secret("prod", "argocd", "charts")
    assert secret is not None
    del secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"]
    path = "/api/v1/namespaces/argocd/secrets/charts?fieldManager=argocd-server"
    assert prod.clusters["prod"].admin("PUT", path, secret)[0] == 200
    issued = len(prod.aws.ecr_public.issued)
    assert prod.invoke(event)["ok"]
    after = prod.secret("prod", "argocd", "charts")
    assert after is not None
    assert after["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repository"
    assert len(prod.aws.ecr_public.issued) == issued + (0 if event else 1)


def test_a_label_that_somebody_has_changed_stays_to_the_next_push(prod: World) -> None:
    """A sweep would conflict with them each time."""
    prod.invoke()
    body = {"metadata": {"labels": {"argocd.argoproj.io/secret-type": "repository-write"}}}
    path = "/api/v1/namespaces/argocd/secrets/charts?fieldManager=them"
    status, _ = prod.clusters["prod"].admin(
        "PATCH", path, body, content_type="application/merge-patch+json"
    )
    assert status == 200
    assert entry(prod.invoke(SWEEP))["counts"] == {"current": 3}
    assert problems(prod.invoke())["charts"]["outcome"] == "conflict"


# Of the keys that Argo CD v3.5.1 reads, those of a Helm or OCI repository: its
# util/db/repository_secrets.go, secretToRepository and, without `name`, secretToRepoCred.
READ = {"name", "url", "type", "enableOCI", "username", "password", "project", "proxy", "noProxy"}


def test_argo_cd_reads_every_key_that_is_written(prod: World) -> None:
    """Argo CD v3.5.1, util/db/repository_secrets.go.

    It finds a Helm repository only by a name (util/db/helmrepository.go), takes `enableOCI` for a
    boolean (util/db/secrets.go, boolOrFalse), and a Helm repository in an OCI registry only without
    a scheme (util/helm/client.go, IsHelmOciRepo).
    """
    prod.invoke()
    assert data(prod, "charts").keys() <= READ
    assert data(prod, "karpenter").keys() <= READ - {"name"}
    assert data(prod, "charts")["name"]
    assert data(prod, "charts")["enableOCI"] == "true"
    assert "://" not in data(prod, "charts")["url"]


def test_of_two_documents_the_first_has_it(prod: World) -> None:
    prod.document("second", document(CHARTS, fields="cluster: prod, secretName: other,"))
    prod.clusters["prod"].apply(
        *yaml.safe_load_all(
            (RBAC / "cluster.yaml")
            .read_text()
            .replace("[ecr-public-token]", "[ecr-public-token, other]")
        )
    )
    report = prod.invoke()
    assert entry(report)["ok"], report
    (problem,) = entry(report, "second")["problems"]
    assert (problem["secret"], problem["outcome"]) == ("charts", "conflict")
    assert problem["message"].startswith("the document prod also selects this namespace")
    assert "Remove the repository from one of prod and second" in problem["remedy"]
    prod.document("prod", document(KARPENTER))
    assert entry(prod.invoke(), "second")["adopted"] == [
        {"namespace": "argocd", "secret": "charts", "from": ["document prod"]}
    ]


def test_a_pull_secret_of_the_same_name_in_that_namespace_conflicts_too(prod: World) -> None:
    prod.document("second", "{cluster: prod, namespaces: [argocd], secretName: charts}")
    report = prod.invoke()
    assert entry(report)["ok"]
    (problem,) = entry(report, "second")["problems"]
    assert problem["outcome"] == "conflict"


def test_a_registry_without_a_token_fails_what_needs_it_and_nothing_else(prod: World) -> None:
    prod.aws.put_role(PULL_ROLE, trusted="arn:aws:iam::111122223333:role/another")
    report = prod.invoke()
    found = entry(report)
    assert found["error"]["type"] == "RoleError"
    assert prod.secret("prod", "argocd", "karpenter") is not None
    assert prod.secret("prod", "argocd", "charts") is None
    assert found["counts"] == {"created": 1, "failed": 2}


def test_a_cluster_that_does_not_admit_the_function_fails_all_of_them(world: World) -> None:
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    world.add_cluster(
        "prod",
        namespaces=("a", "argocd"),
        principal="arn:aws:iam::111122223333:role/another",
        document=document(CHARTS, KARPENTER),
    )
    found = entry(world.run())
    assert found["error"]["type"] == "SignInError"
    assert found["counts"] == {"failed": 3}


def test_without_its_rbac_the_pull_secret_is_written_all_the_same(world: World) -> None:
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    world.add_cluster("prod", namespaces=("a", "argocd"), document=document(CHARTS))
    report = world.invoke()
    assert entry(report)["counts"] == {"created": 1, "forbidden": 1}
    assert problems(report)["charts"]["remedy"] == (
        "Apply infra/rbac/argocd.yaml with resources: [secrets], resourceNames: [charts], verbs:"
        " [create, patch] for the group ecr-public-pushers."
    )


@pytest.mark.parametrize(
    ("verb", "works"), [("list", True), ("create", False), ("patch", False), ("delete", True)]
)
def test_a_push_needs_these_verbs_and_no_other(prod: World, verb: str, works: bool) -> None:
    prod.clusters["prod"].apply(*rights(*NAMES, without=(verb,)))
    assert prod.invoke()["ok"] is works
    assert (prod.secret("prod", "argocd", "charts") is not None) is works


def test_without_the_right_to_look_a_takeover_works_too(prod: World) -> None:
    put(prod, "charts", "kubectl-create", password="old")
    prod.clusters["prod"].apply(*rights(*NAMES, without=("list",)))
    prod.document("prod", document(CHARTS, fields="takeOwnership: true,"))
    assert entry(prod.invoke())["adopted"] == [
        {"namespace": "argocd", "secret": "charts", "from": ["kubectl-create"]}
    ]


def test_a_plan_names_each_secret(prod: World) -> None:
    report = prod.invoke({"action": "plan"})
    assert report["ok"], report
    assert entry(report)["changes"] == [
        {"namespace": "a", "outcome": "created"},
        {"namespace": "argocd", "secret": "charts", "outcome": "created"},
        {"namespace": "argocd", "secret": "karpenter", "outcome": "created"},
    ]
    assert prod.secret("prod", "argocd", "charts") is None
    assert entry(report)["selection"] == [{"namespace": "a", "selected": True, "reason": "name"}]


def test_a_narrowed_push_reaches_the_secrets_of_its_namespaces(prod: World) -> None:
    report = prod.invoke({"namespaces": ["argocd"]})
    assert report["ok"], report
    assert entry(report)["counts"] == {"created": 2}
    assert prod.secret("prod", "a") is None
    sent = requests_in_argocd(prod)
    assert entry(prod.invoke({"namespaces": ["a"]}))["counts"] == {"created": 1}
    assert requests_in_argocd(prod) == sent


def test_a_removal_deletes_them(prod: World) -> None:
    prod.invoke()
    prod.apply("prod", "prune.yaml")
    put(prod, "theirs", "kubectl-create", password="x")
    planned = prod.invoke({"action": "plan", "remove": True, "clusters": ["prod"]})
    assert [one.get("secret") for one in entry(planned)["changes"]] == [None, *NAMES]
    report = prod.invoke(REMOVE)
    assert report["ok"], report
    assert entry(report)["counts"] == {"removed": 3}
    assert [prod.secret("prod", "argocd", name) for name in NAMES] == [None, None]
    assert entry(prod.invoke(REMOVE))["counts"] == {}


def test_a_removal_leaves_what_another_document_also_names(prod: World) -> None:
    prod.apply("prod", "prune.yaml")
    prod.document("second", document(CHARTS, fields="cluster: prod,").replace("[a]", "[b]"))
    prod.invoke()
    report = prod.invoke(REMOVE)
    assert entry(report)["counts"] == {"removed": 2, "skipped": 1}
    assert prod.secret("prod", "argocd", "charts") is not None


@pytest.mark.parametrize("verb", ["list", "delete"])
def test_a_removal_without_its_rights_says_which_file_grants_them(prod: World, verb: str) -> None:
    prod.invoke()
    prod.apply("prod", "prune.yaml")
    prod.clusters["prod"].apply(*rights(*NAMES, without=(verb,)))
    report = prod.invoke(REMOVE)
    assert not report["ok"]
    found = entry(report)
    remedies = [one["remedy"] for one in found["problems"]] + [(found["error"] or {}).get("remedy")]
    assert any("Apply infra/rbac/argocd.yaml (list and delete" in str(one) for one in remedies)


def test_a_check_asks_for_these_rights_in_that_namespace(prod: World) -> None:
    report = prod.invoke({"action": "check"})
    assert report["ok"], report
    permissions = [
        one["message"] for one in entry(report)["findings"] if one["check"] == "permission"
    ]
    assert (
        "may create and patch secrets named charts; create and patch secrets named karpenter in"
        " argocd" in permissions
    )
    assert findings(report, "prod")["rbac"]["message"] == (
        "infra/rbac is applied in version 2, as this release needs"
    )


def test_a_check_says_what_grants_what_is_missing(world: World) -> None:
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    world.add_cluster("prod", namespaces=("a", "argocd"), document=document(CHARTS))
    report = world.invoke({"action": "check"})
    (found,) = (
        one for one in entry(report)["findings"] if one["check"] == "permission" and not one["ok"]
    )
    assert found["message"] == "may not create and patch secrets named charts in argocd"
    assert "--namespace=$namespace --verb=create,patch --resource=secrets" in found["remedy"]
    assert found["remedy"].startswith("for namespace in argocd; do kubectl --context")


def test_a_check_finds_too_much_in_argo_cds_namespace(prod: World) -> None:
    """Its other Secrets hold the credentials of clusters."""
    extra = rights(*NAMES)
    for one in extra:
        one["metadata"]["name"] += "-extra"
    extra[0]["rules"] = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    extra[1]["roleRef"]["name"] += "-extra"
    prod.clusters["prod"].apply(*extra)
    found = findings(prod.invoke({"action": "check"}), "prod")["excess"]
    assert not found["ok"]
    assert "may list secrets of any name, in argocd" in found["message"]


def test_a_disabled_documents_secrets_are_reported(prod: World) -> None:
    prod.invoke()
    prod.clusters["prod"].admin("DELETE", "/api/v1/namespaces/a/secrets/ecr-public-token")
    prod.document("prod", document(CHARTS, KARPENTER, fields="enabled: false,"))
    found = findings(prod.invoke({"action": "check"}), "prod")["left"]
    assert not found["ok"]
    assert "2 of its Secrets are still there" in found["message"]


# Repositories that a document no longer names.


def test_a_dropped_repositorys_secret_is_reported_until_it_is_gone(prod: World) -> None:
    prod.invoke()
    prod.document("prod", document(CHARTS))
    for _ in range(2):  # the note survives the push that wrote without the name
        report = prod.invoke()
        assert entry(report)["counts"] == {"updated": 2, "left": 1}
    found = problems(report)["karpenter"]
    assert (found["namespace"], found["outcome"]) == ("argocd", "left")
    assert "this document wrote it, and no longer names the repository" in found["message"]
    assert found["remedy"].startswith("Name the repository again, set prune: true, or delete it: `")
    assert found["remedy"].endswith("-n argocd delete secret karpenter`.")
    prod.clusters["prod"].admin("DELETE", "/api/v1/namespaces/argocd/secrets/karpenter")
    assert prod.invoke()["ok"]
    sent = len(prod.asked("prod"))
    assert prod.invoke()["ok"]
    assert not [line for line in prod.asked("prod")[sent:] if "karpenter" in line]


def test_all_of_argo_cd_may_be_dropped(prod: World) -> None:
    prod.invoke()
    prod.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    assert sorted(problems(prod.invoke())) == NAMES


def test_a_dropped_repositorys_secret_is_pruned(prod: World) -> None:
    prod.apply("prod", "prune.yaml")
    prod.document("prod", document(CHARTS, KARPENTER, fields="prune: true,"))
    prod.invoke()
    prod.document("prod", document(CHARTS, fields="prune: true,"))
    planned = entry(prod.invoke({"action": "plan"}))
    assert planned["changes"] == [
        {"namespace": "argocd", "secret": "karpenter", "outcome": "pruned"}
    ]
    report = prod.invoke()
    assert report["ok"], report
    assert entry(report)["counts"] == {"updated": 2, "pruned": 1}
    assert prod.secret("prod", "argocd", "karpenter") is None
    assert prod.secret("prod", "argocd", "charts") is not None


def test_a_dropped_repository_that_another_document_names_is_left_to_it(prod: World) -> None:
    prod.apply("prod", "prune.yaml")
    prod.invoke()
    prod.document("prod", document(CHARTS, fields="prune: true,"))
    prod.document("second", document(KARPENTER, fields="cluster: prod,").replace("[a]", "[b]"))
    report = prod.invoke({"clusters": ["prod"]})
    assert entry(report)["counts"] == {"updated": 2}
    assert prod.secret("prod", "argocd", "karpenter") is not None


def test_a_removal_deletes_those_that_were_dropped_too(prod: World) -> None:
    prod.apply("prod", "prune.yaml")
    prod.invoke()
    prod.document("prod", document(CHARTS))
    assert entry(prod.invoke(REMOVE))["counts"] == {"removed": 3}
    assert prod.secret("prod", "argocd", "karpenter") is None


def test_a_dropped_repository_whose_right_was_revoked_is_no_problem(prod: World) -> None:
    prod.invoke()
    prod.clusters["prod"].apply(*rights("charts"))
    prod.document("prod", document(CHARTS))
    assert prod.invoke()["ok"]


def test_a_note_that_somebody_wrote_makes_nothing_be_deleted(prod: World) -> None:
    """It may be in a namespace of theirs; the Secret that it names is not ours."""
    put(prod, "theirs", "kubectl-create", password="x")
    prod.clusters["prod"].apply(*rights("charts", "theirs"))
    prod.apply("prod", "prune.yaml")
    prod.document("prod", document(CHARTS, fields="prune: true, takeOwnership: true,"))
    prod.invoke()
    for note in ("argocd/theirs", "../x y", "argocd"):
        annotate(prod, "prod", "a", annotations={"ecr-public-pusher/argocd": note})
        report = prod.invoke()
        assert report["ok"], report
    assert data(prod, "theirs") == {"password": "x"}


def test_rights_without_a_mark_are_to_be_applied_with_the_documents_names(prod: World) -> None:
    objects = rights("charts", "karpenter")
    for one in objects:
        if "rules" in one:
            one["rules"] = [rule for rule in one["rules"] if rule["resources"] != ["rbac"]]
    prod.clusters["prod"].apply(*objects)
    findings = entry(prod.invoke({"action": "check"}))["findings"]
    (remedy,) = [one["remedy"] for one in findings if one["check"] == "rbac"]
    assert remedy.endswith("which `ecr-public-pusher clusters add prod --print-rbac` prints.")
    assert "ClusterRole of infra/rbac/argocd.yaml" not in remedy
