"""Discovery: clusters found by tag in regions and accounts, beside those that documents name."""

import json
from typing import Any

import pytest
from botocore.session import Session

from infra.local.aws import Answer, AwsRequest
from infra.local.identity import principal_of
from tests.support.reports import entry
from tests.support.world import EXECUTION_ROLE, SPOKE_ACCOUNT, SPOKE_ROLE, World

TAGGED = {"ecr-public-pusher": "yes", "team": "web-1"}
DOCUMENT = "{regions: [us-east-1, eu-west-1], tags: {ecr-public-pusher: 'yes'}, namespaces: [a]}"


def ids(report: dict[str, Any]) -> list[str]:
    return [cluster["id"] for cluster in report["clusters"]]


@pytest.fixture
def fleet(world: World) -> World:
    """Return three clusters in two regions with the tag, one without, and the document."""
    for name, region in (("one", "us-east-1"), ("two", "us-east-1"), ("three", "eu-west-1")):
        world.add_cluster(name, namespaces=("a",), region=region, tags=TAGGED, embedded=True)
    world.add_cluster("untagged", namespaces=("a",), embedded=True)
    world.discovery("fleet", DOCUMENT)
    return world


FOUND = ["fleet/eu-west-1/three", "fleet/us-east-1/one", "fleet/us-east-1/two"]


def test_a_cluster_with_the_tags_is_pushed_like_any_other(fleet: World) -> None:
    report = fleet.invoke()
    assert (report["ok"], ids(report)) == (True, FOUND)
    assert report["totals"]["created"] == 3
    secret = fleet.secret("one", "a")
    assert secret is not None
    assert secret["metadata"]["annotations"]["ecr-public-pusher/owner"].endswith(
        "/fleet/us-east-1/one"
    )
    assert fleet.asked("untagged") == []


def test_each_cluster_is_described_once_in_a_run(fleet: World) -> None:
    fleet.invoke()
    assert len(fleet.aws.called("eks", "DescribeCluster")) == 4


@pytest.mark.parametrize("action", ["plan", "check"])
def test_plans_and_checks_name_what_was_found(fleet: World, action: str) -> None:
    report = fleet.invoke({"action": action})
    assert (report["ok"], ids(report)) == (True, FOUND)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("{ecr-public-pusher: 'yes', team: 'web-*'}", 3),
        ("{team: 'web-[12]'}", 3),
        ("{team: '*'}", 3),
        ("{team: db}", 0),
        ("{team: 'web-1', other: '*'}", 0),
        ("{Team: 'web-1'}", 0),
    ],
)
def test_every_tag_must_hold_by_value_or_glob(fleet: World, tags: str, found: int) -> None:
    fleet.discovery("fleet", f"{{regions: [us-east-1, eu-west-1], tags: {tags}, namespaces: [a]}}")
    report = fleet.invoke()
    assert sum(cluster["ok"] for cluster in report["clusters"]) == found
    if not found:
        assert ids(report) == ["fleet/*"]


def test_a_cluster_with_a_document_of_its_own_is_left_to_that(fleet: World) -> None:
    fleet.document("mine", "{cluster: one, namespaces: [a], labels: {by: document}}")
    fleet.document("off", "{cluster: two, namespaces: [a], enabled: false}")
    report = fleet.invoke()
    assert ids(report) == ["fleet/eu-west-1/three", "mine", "off"]
    assert report["leftToDocuments"] == ["fleet/us-east-1/one", "fleet/us-east-1/two"]
    assert fleet.secret("two", "a") is None


@pytest.mark.parametrize("action", ["push", "plan", "check", "sweep", "remove"])
def test_a_glob_of_clusters_that_are_all_left_to_their_own_documents_is_no_mistake(
    fleet: World, action: str
) -> None:
    for name, region in (("one", "us-east-1"), ("two", "us-east-1"), ("three", "eu-west-1")):
        fleet.document(name, f"{{region: {region}, namespaces: [a], enabled: false}}")
    report = fleet.invoke({"action": action, "clusters": ["fleet/*"]})
    assert (report["ok"], ids(report), report.get("error")) == (True, [], None)
    if action != "sweep":
        assert sorted(report["leftToDocuments"]) == sorted(FOUND)


def test_the_id_of_a_cluster_that_is_left_to_its_document_is_refused_with_what_to_name(
    fleet: World,
) -> None:
    fleet.document("mine", "{cluster: one, namespaces: [a]}")
    report = fleet.invoke({"clusters": ["fleet/us-east-1/one"]})
    assert report["error"]["type"] == "RequestError"
    assert "Documents of their own name fleet/us-east-1/one: use" in report["error"]["remedy"]


def test_one_that_appears_is_pushed_at_the_next_run_and_one_that_disappears_no_longer(
    fleet: World,
) -> None:
    fleet.invoke()
    fleet.add_cluster("new", namespaces=("a",), tags=TAGGED, embedded=True)
    fleet.aws.remove_cluster("two", region="us-east-1")
    report = fleet.invoke()
    assert (report["ok"], ids(report)) == (
        True,
        ["fleet/eu-west-1/three", "fleet/us-east-1/new", "fleet/us-east-1/one"],
    )


def test_finding_nothing_is_an_error_of_the_document(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.discovery("fleet", DOCUMENT)
    report = world.invoke()
    assert entry(report, "prod")["ok"]
    error = entry(report, "fleet/*")["error"]
    assert error["type"] == "DiscoveryError"
    assert (
        error["message"]
        == "no EKS cluster in us-east-1, eu-west-1 has the tags ecr-public-pusher=yes"
    )


def test_not_being_allowed_to_look_is_an_error_of_that_region_and_the_others_are_pushed(
    fleet: World,
) -> None:
    def refuse(request: AwsRequest) -> Answer | None:
        return (
            Answer.refusal(request, "AccessDeniedException", "no", status=403)
            if request.region == "eu-west-1"
            else None
        )

    fleet.aws.script("eks", "ListClusters", refuse)
    report = fleet.invoke()
    assert entry(report, "fleet/us-east-1/one")["ok"]
    error = entry(report, "fleet/eu-west-1/*")["error"]
    assert (error["type"], "AccessDeniedException" in error["message"]) == ("DiscoveryError", True)
    assert "eks:ListClusters" in error["remedy"]
    assert "fleet/*" not in ids(report)


def test_a_region_that_gives_no_answer_is_not_blamed_on_permissions(fleet: World) -> None:
    fleet.aws.script(
        "eks",
        "ListClusters",
        lambda request: Answer(0, b"") if request.region == "eu-west-1" else None,
    )
    error = entry(fleet.invoke(), "fleet/eu-west-1/*")["error"]
    assert (error["type"], "ConnectionClosedError" in error["message"]) == ("DiscoveryError", True)
    assert error["remedy"].startswith("EKS in eu-west-1 did not respond.")


@pytest.mark.parametrize(
    ("event", "expected", "error"),
    [
        ({}, ["fleet/eu-west-1/*", "fleet/us-east-1/*"], "DiscoveryError"),
        ({"clusters": ["fleet/us-east-1/one"]}, ["fleet/us-east-1/one"], "EksError"),
    ],
)
def test_a_sweep_that_may_not_look_says_so(
    fleet: World, event: dict[str, Any], expected: list[str], error: str
) -> None:
    """Its clusters would be in no report otherwise, and the sweep would be ok."""
    for action in ("ListClusters", "DescribeCluster"):
        fleet.aws.script(
            "eks",
            action,
            lambda request: Answer.refusal(request, "AccessDeniedException", "no", status=403),
        )
    report = fleet.invoke({"action": "sweep", **event})
    assert (report["ok"], ids(report)) == (False, expected)
    assert {one["error"]["type"] for one in report["clusters"]} == {error}


def test_a_cluster_that_may_not_be_described_is_not_taken_for_one_without_tags(
    fleet: World,
) -> None:
    def refuse(request: AwsRequest) -> Answer | None:
        return (
            Answer.refusal(request, "AccessDeniedException", "no", status=403)
            if request.path.endswith("/untagged")
            else None
        )

    fleet.aws.script("eks", "DescribeCluster", refuse)
    report = fleet.invoke()
    assert entry(report, "fleet/us-east-1/*")["error"]["type"] == "DiscoveryError"
    assert entry(report, "fleet/eu-west-1/three")["ok"]


def test_a_region_that_hangs_is_left_out_and_the_others_are_pushed(fleet: World) -> None:
    fleet.document("prod", "{cluster: untagged, namespaces: [a]}")
    fleet.aws.script(
        "eks",
        "ListClusters",
        lambda request: Answer(500, b"", delay=30) if request.region == "eu-west-1" else None,
    )
    report = fleet.invoke(seconds=6)
    assert entry(report, "prod")["ok"]
    assert "did not respond in time" in entry(report, "fleet/eu-west-1/*")["error"]["message"]


@pytest.mark.alone
def test_roles_whose_every_region_hangs_keep_no_other_discovery_waiting(world: World) -> None:
    regions = " ".join(Session().get_available_regions("eks"))
    roles = {
        name: f"arn:aws:iam::111122223333:role/ecr-public-pusher-{name}"
        for name in ("a", "b", "c", "well")
    }
    for name, role in roles.items():
        world.aws.put_role(role, trusted=EXECUTION_ROLE)
        searched = "us-east-1" if name == "well" else regions
        world.discovery(
            name,
            f"{{regions: {searched}, tags: {{team: web-1}}, namespaces: [a], roleArn: '{role}'}}",
        )
    world.add_cluster("one", namespaces=("a",), principal=roles["well"], tags=TAGGED, embedded=True)

    def hang(request: AwsRequest) -> Answer | None:
        credential = world.aws.find_credential(request.access_key_id or "")
        well = credential is not None and principal_of(credential.arn) == roles["well"]
        return None if well else Answer(500, b"", delay=9)

    world.aws.script("eks", "ListClusters", hang)
    report = world.invoke(seconds=20)
    assert [one for one in ids(report) if one.startswith("well/")] == ["well/us-east-1/one"]
    assert {cluster["error"]["type"] for cluster in report["clusters"] if cluster["error"]} == {
        "DiscoveryError"
    }


def test_other_accounts_are_looked_into_with_their_role(world: World) -> None:
    world.add_cluster(
        "away",
        namespaces=("a",),
        account=SPOKE_ACCOUNT,
        principal=SPOKE_ROLE,
        tags=TAGGED,
        embedded=True,
    )
    world.discovery(
        "fleet",
        f"{{regions: us-east-1, tags: {{team: 'web-*'}}, roleArn: '{SPOKE_ROLE}', externalId:"
        " an-external-id, namespaces: [a]}",
    )
    report = world.invoke()
    assert (report["ok"], ids(report)) == (True, ["fleet/us-east-1/away"])
    world.discovery(
        "fleet",
        f"{{regions: us-east-1, tags: {{team: 'web-*'}}, roleArn: '{SPOKE_ROLE}', namespaces:"
        " [a]}",
    )
    assert entry(world.invoke(), "fleet/us-east-1/*")["error"]["type"] == "RoleError"


@pytest.mark.parametrize("status", ["CREATING", "PENDING", "DELETING", "FAILED"])
def test_a_cluster_that_is_being_created_or_deleted_is_left_out_though_its_endpoint_is_there(
    fleet: World, status: str
) -> None:
    fleet.aws.put_cluster(
        "111122223333", "us-east-1", fleet.clusters["one"], tags=TAGGED, status=status
    )
    for event in ({}, {"action": "plan"}, {"action": "check"}):
        report = fleet.invoke(event)
        assert (report["ok"], ids(report)) == (True, [FOUND[0], FOUND[2]])
    assert fleet.asked("one") == []
    fleet.aws.put_cluster(
        "111122223333", "us-east-1", fleet.clusters["one"], tags=TAGGED, status="UPDATING"
    )
    assert ids(fleet.invoke()) == FOUND


def test_a_sweep_forgets_the_endpoint_of_a_cluster_that_a_push_saw_being_deleted(
    fleet: World,
) -> None:
    fleet.discovery("fleet", DOCUMENT.replace("[a]}", "['*']}"))
    fleet.invoke()
    fleet.aws.put_cluster(
        "111122223333", "us-east-1", fleet.clusters["one"], tags=TAGGED, status="DELETING"
    )
    fleet.invoke()
    fleet.add_namespace("one", "fresh")
    before = len(fleet.asked("one"))
    for _ in range(2):
        assert FOUND[1] not in ids(fleet.invoke({"action": "sweep"}))
    assert len(fleet.asked("one")) == before
    fleet.aws.put_cluster("111122223333", "us-east-1", fleet.clusters["one"], tags=TAGGED)
    assert FOUND[1] in ids(fleet.invoke({"action": "sweep"}))


@pytest.mark.parametrize("gone", [False, True], ids=["being deleted", "gone"])
def test_a_sweep_that_fails_in_a_cluster_that_is_being_deleted_meanwhile_is_no_failure(
    fleet: World, gone: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.discovery("fleet", DOCUMENT.replace("[a]}", "['*']}").replace("us-east-1, ", ""))
    fleet.invoke()
    fleet.aws.put_cluster(
        "111122223333", "eu-west-1", fleet.clusters["three"], tags=TAGGED, status="DELETING"
    )
    fleet.clusters["three"].admin(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
    )
    if gone:
        listed = Answer(200, b'{"clusters": ["three"]}', {"Content-Type": "application/json"})
        fleet.aws.script("eks", "ListClusters", listed)
        fleet.aws.remove_cluster("three", region="eu-west-1")
    capsys.readouterr()
    report = fleet.invoke({"action": "sweep"})
    found = entry(report, FOUND[0])
    assert (report["ok"], found["error"]) == (True, None)
    assert found["skipped"].startswith(
        "EKS did not describe"
        if gone
        else "EKS is deleting cluster three in eu-west-1 (status DELETING)"
    )
    assert "ClusterFailed" not in capsys.readouterr().out


def test_a_cluster_that_fails_while_it_is_there_is_a_failure(fleet: World) -> None:
    fleet.clusters["three"].admin(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
    )
    assert not entry(fleet.invoke(), FOUND[0])["ok"]


def test_a_discovery_whose_only_cluster_is_being_created_reports_that(fleet: World) -> None:
    fleet.discovery("fleet", DOCUMENT.replace("us-east-1, ", ""))
    fleet.aws.put_cluster(
        "111122223333", "eu-west-1", fleet.clusters["three"], tags=TAGGED, status="CREATING"
    )
    assert entry(fleet.invoke(), "fleet/*")["error"]["message"].endswith(
        "(left out, being created or deleted: three)"
    )


def test_a_document_of_a_cluster_that_is_being_deleted_reports_that(fleet: World) -> None:
    fleet.document("mine", "{cluster: one, namespaces: [a]}")
    fleet.aws.put_cluster(
        "111122223333", "us-east-1", fleet.clusters["one"], tags=TAGGED, status="DELETING"
    )
    error = entry(fleet.invoke(), "mine")["error"]
    assert (error["type"], error["message"]) == (
        "EksError",
        "EKS is deleting cluster one in us-east-1 (status DELETING)",
    )
    assert (
        error["remedy"]
        == "Delete its document, or set enabled: false in it: its Secrets are deleted with"
        " the cluster."
    )


def test_an_authenticators_id_is_not_judged_while_its_namesake_is_created_or_deleted(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    fleet.aws.put_cluster(
        "111122223333", "us-east-1", fleet.clusters["one"], tags=TAGGED, status="DELETING"
    )
    fleet.add_elsewhere(
        "edge",
        cluster_id="one",
        document="{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: one}}",
    )
    for event in ({}, {"clusters": ["edge"]}):
        assert entry(fleet.invoke(event), "edge")["error"]["type"] == "CannotBeJudged"
    assert fleet.asked("edge") == []


def test_pages_are_followed_empty_ones_too(fleet: World) -> None:
    pages = {"": ([], "x"), "x": (["one"], "y"), "y": ([], "z"), "z": (["two"], None)}

    def listed(request: AwsRequest) -> Answer | None:
        if request.region != "us-east-1":
            return None
        token = next(
            (
                part.removeprefix("nextToken=")
                for part in request.query.split("&")
                if part.startswith("nextToken=")
            ),
            "",
        )
        names, following = pages[token]
        body = {"clusters": names} | ({"nextToken": following} if following else {})
        return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    fleet.aws.script("eks", "ListClusters", listed)
    assert ids(fleet.invoke()) == FOUND


def test_a_push_of_another_cluster_does_not_look_for_any(fleet: World) -> None:
    fleet.document("prod", "{cluster: untagged, namespaces: [a]}")
    assert ids(fleet.invoke({"clusters": ["prod"]})) == ["prod"]
    assert fleet.aws.called("eks", "ListClusters") == []
    assert ids(fleet.invoke({"clusters": ["fleet/us-*"]})) == FOUND[1:]


def test_its_metrics_are_of_the_cluster_under_its_id(
    fleet: World, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    fleet.invoke()
    lines = [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if '"ClusterFailed"' in line
    ]
    assert sorted(line["cluster"] for line in lines) == FOUND


def test_a_document_of_its_own_with_another_secrets_name_leaves_the_old_to_a_removal_by_id(
    fleet: World,
) -> None:
    fleet.apply("one", "prune.yaml")
    fleet.invoke()
    fleet.document("mine", "{cluster: one, namespaces: [b], secretName: mine}")
    assert fleet.invoke()["leftToDocuments"] == ["fleet/us-east-1/one"]
    assert fleet.secret("one", "a") is not None
    assert (
        fleet.invoke({"action": "remove", "clusters": ["fleet/us-east-1/one"]})["totals"]["removed"]
        == 1
    )


def test_a_changed_document_pushes_its_clusters_and_a_deleted_one_is_not_ok(
    fleet: World,
) -> None:
    detail = {"operation": "Update", "name": "/ecr-public-pusher/discover/fleet", "type": "String"}
    event = {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    fleet.document("prod", "{cluster: untagged, namespaces: [a]}")
    assert ids(fleet.call(event)) == FOUND
    fleet.aws.delete_parameter("/ecr-public-pusher/discover/fleet")
    report = fleet.call({**event, "detail": {**detail, "operation": "Delete"}})
    assert (report["ok"], report["deleted"]["id"]) == (False, "fleet/*")
    assert '"clusters": ["fleet/*"]' in report["deleted"]["remedy"]


def test_sweeps_take_eks_word_of_the_last_hour(fleet: World) -> None:
    fleet.discovery("fleet", DOCUMENT.replace("[a]}", "['*']}"))
    fleet.invoke()
    described = len(fleet.aws.called("eks", "DescribeCluster"))
    fleet.add_namespace("one", "fresh")
    assert fleet.invoke({"action": "sweep"})["ok"]
    assert fleet.secret("one", "fresh") is not None
    assert len(fleet.aws.called("eks", "DescribeCluster")) == described


def test_prune_and_remove_know_them(fleet: World) -> None:
    for name in ("one", "two", "three"):
        fleet.apply(name, "prune.yaml")
    fleet.invoke()
    assert fleet.invoke({"action": "remove", "clusters": ["fleet/*"]})["totals"]["removed"] == 3


def test_what_failed_waits_on_the_queue_under_its_id(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    fleet.clusters["one"].admin(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
    )
    assert fleet.invoke()["queued"] == ["fleet/us-east-1/one"]
    fleet.apply("one", "cluster.yaml")
    assert fleet.poll() == []
    assert fleet.secret("one", "a") is not None


def test_a_discovery_that_fails_waits_as_one_message_and_is_dropped_at_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", world.queue.url)
    monkeypatch.setenv("RETRY_RECEIVES", "3")
    world.discovery("fleet", DOCUMENT)
    assert world.invoke()["queued"] == ["fleet/*"]
    assert [len(world.poll()) for _ in range(3)] == [1, 1, 0]
    assert (world.queue.waiting, world.queue.dead) == ([], [])


def test_fan_out_deals_them_out(fleet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    monkeypatch.setenv("FAN_OUT", "true")
    fleet.invoke()
    assert [message.body["clusters"] for message in fleet.queue.waiting] == [[one] for one in FOUND]
    assert fleet.poll() == []
    assert fleet.secret("three", "a") is not None


def listed_and_described(world: World) -> tuple[int, int]:
    return len(world.aws.called("eks", "ListClusters")), len(
        world.aws.called("eks", "DescribeCluster")
    )


def test_only_what_is_named_by_its_id_is_described_and_nothing_is_listed(fleet: World) -> None:
    assert ids(fleet.invoke({"clusters": ["fleet/us-east-1/one"]})) == ["fleet/us-east-1/one"]
    assert listed_and_described(fleet) == (0, 1)


def test_a_glob_describes_only_what_it_may_mean(fleet: World) -> None:
    assert ids(fleet.invoke({"clusters": ["fleet/us-east-1/t*"]})) == ["fleet/us-east-1/two"]
    assert listed_and_described(fleet) == (1, 1)


def test_a_worker_looks_only_at_the_clusters_of_its_message(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    monkeypatch.setenv("FAN_OUT", "true")
    fleet.invoke()
    dispatcher = listed_and_described(fleet)
    assert fleet.poll() == []
    assert [
        now - before for now, before in zip(listed_and_described(fleet), dispatcher, strict=True)
    ] == [0, 3]


def test_documents_that_look_in_the_same_place_share_the_search(fleet: World) -> None:
    fleet.discovery("other", DOCUMENT.replace("[a]}", "[a], secretName: other}"))
    assert len(ids(fleet.invoke())) == 6
    assert listed_and_described(fleet) == (2, 4)


def test_a_cluster_that_two_discoveries_find_is_the_firsts_and_a_conflict_of_the_other(
    fleet: World,
) -> None:
    fleet.discovery("again", "{regions: [us-east-1], tags: {team: '*'}, namespaces: ['a*']}")
    report = fleet.invoke()
    assert entry(report, "again/us-east-1/one")["ok"]
    (problem,) = entry(report, "fleet/us-east-1/one")["problems"]
    assert (problem["outcome"], "again/us-east-1/one" in problem["message"]) == ("conflict", True)


@pytest.mark.parametrize(
    "role", ["", ", roleArn: 'arn:aws:iam::111122223333:role/ecr-public-pusher-spoke'"]
)
def test_whose_a_namespace_is_does_not_depend_on_what_is_asked_for(fleet: World, role: str) -> None:
    fleet.aws.put_role(
        "arn:aws:iam::111122223333:role/ecr-public-pusher-spoke",
        trusted="arn:aws:iam::111122223333:role/ecr-public-pusher",
    )
    fleet.discovery(
        "again", f"{{regions: [us-east-1], tags: {{team: '*'}}, namespaces: ['a*']{role}}}"
    )
    report = fleet.invoke({"clusters": ["fleet/us-east-1/one"]})
    assert [problem["outcome"] for problem in entry(report, "fleet/us-east-1/one")["problems"]] == [
        "conflict"
    ]
    assert fleet.secret("one", "a") is None


def test_nor_on_which_others_are_asked_for(fleet: World) -> None:
    role = "arn:aws:iam::111122223333:role/ecr-public-pusher-spoke"
    fleet.aws.put_role(role, trusted="arn:aws:iam::111122223333:role/ecr-public-pusher")
    fleet.discovery(
        "again",
        f"{{regions: [us-east-1], tags: {{team: '*'}}, namespaces: ['a*'], roleArn: '{role}'}}",
    )
    report = fleet.invoke({"clusters": ["again/us-east-1/two", "fleet/us-east-1/one"]})
    assert [problem["outcome"] for problem in entry(report, "fleet/us-east-1/one")["problems"]] == [
        "conflict"
    ]
    assert len(fleet.aws.called("eks", "ListClusters")) == 0


def test_a_cluster_that_one_role_may_not_describe_is_reported_once(fleet: World) -> None:
    fleet.discovery(
        "again",
        "{regions: [us-east-1], tags: {team: '*'}, namespaces: ['a*'], roleArn:"
        " 'arn:aws:iam::111122223333:role/nobodys'}",
    )
    report = fleet.invoke({"clusters": ["again/us-east-1/one", "fleet/us-east-1/one"]})
    assert ids(report) == ["again/us-east-1/one", "fleet/us-east-1/one"]
    assert entry(report, "again/us-east-1/one")["error"]["type"] == "RoleError"


@pytest.mark.parametrize(
    "document",
    ["{cluster: one, namspaces: [a]}", "{cluster: one, namespaces: [a], namespaces: [b]}", "{"],
)
def test_a_cluster_whose_own_document_is_invalid_is_left_to_that_too(
    fleet: World, document: str
) -> None:
    fleet.document("one", document)
    report = fleet.invoke()
    assert ids(report) == ["fleet/eu-west-1/three", "fleet/us-east-1/two", "one"]
    assert entry(report, "one")["error"]["type"] == "InvalidDocument"
    assert fleet.secret("one", "a") is None


@pytest.mark.parametrize(
    "document",
    [
        "cluster: one\nnamespaces: [*]",
        "namespaces: [*]\ncluster: one",
        '{"cluster": "one", "namespaces": ["a"]',
        "{cluster: one, signIn: {type: EKS}, namespaces: [a]}",
        "{cluster: one, signIn: eks, namespaces: [a]}",
        "{cluster: [one], namespaces: [a]}",
        "{cluster: one, region: Europe, namespaces: [a]}",
        "{cluster: one, region: us-esat-1, namespaces: [a]}",
        "{cluster: one, regoin: us-east-1, region: eu-wset-1, namespaces: [a]}",
        "{cluster: one, roleArn: spoke, namespaces: [a]}",
    ],
)
def test_a_mistake_in_a_document_hands_its_cluster_to_no_discovery(
    fleet: World, document: str
) -> None:
    fleet.document("mine", document)
    report = fleet.invoke()
    assert (report["leftToDocuments"], fleet.asked("one")) == (["fleet/us-east-1/one"], [])
    assert [entry(report, other)["ok"] for other in (FOUND[0], FOUND[2])] == [True, True]


@pytest.mark.parametrize(
    "document",
    [
        "cluster:\u00a0one\nnamespaces: [default]\nlabels:\n  cluster: blue",
        "# cluster: the name in EKS\ncluster: @one\nnamespaces: [default]",
        "cluster:\n  one\nnamespaces: [*]\nlabels: {cluster: blue}",
        "labels: {cluster: blue}\ncluster: &n one\nroleArn: *n\nnamespaces: [a]",
        'clusters: one\nnamespaces: [*]\nannotations: {"team/cluster": blue, cluster: blue}',
        '{"cluster": "\\u006fne", "namespaces": [*]}',
        "{namespaces: {include: [a], cluster: one}}",
    ],
)
def test_nor_does_one_that_names_another_somewhere_else(fleet: World, document: str) -> None:
    fleet.document("mine", document)
    refused = [
        cluster for cluster in fleet.invoke()["clusters"] if cluster["id"].startswith("fleet/")
    ]
    (failed,) = (cluster["error"] for cluster in refused if cluster["error"])
    assert failed["type"] == "CannotBeJudged"
    assert failed["message"].startswith("the document mine ")
    assert fleet.asked("one") == []


@pytest.mark.parametrize("place", ["cluster/mine", "clusters/team/mine", "cluster/one"])
def test_a_parameter_that_is_no_document_hands_its_cluster_to_no_discovery(
    fleet: World, place: str
) -> None:
    name = f"/ecr-public-pusher/{place}"
    text = "namespaces: [a]" if place.endswith("one") else "{cluster: one, namespaces: [a]}"
    fleet.aws.put_parameter(name, text)
    report = fleet.invoke()
    error = entry(report, FOUND[1])["error"]
    assert (report["unknownParameters"], error["type"]) == ([name], "CannotBeJudged")
    assert error["message"].startswith(
        f"the parameter {name} is not a document, and may refer to one in "
    )
    intended = f"/ecr-public-pusher/clusters/{place.rpartition('/')[2]}"
    assert error["remedy"].startswith(
        f"First move the parameter {name}: write it as {intended}, and "
    )
    assert f"--name {name}`" in error["remedy"]
    assert [entry(report, other)["ok"] for other in (FOUND[0], FOUND[2])] == [True, True]
    assert fleet.asked("one") == []


@pytest.mark.parametrize(
    "document", ["{clutser: one, namespaces: [a]}", "clutser: one\nnamespaces: [*]", "one", "[one]"]
)
@pytest.mark.parametrize(
    "event",
    [{}, {"action": "plan"}, {"clusters": ["fleet/us-east-1/one"]}, {"clusters": ["fleet/*/one"]}],
)
def test_a_cluster_that_an_invalid_document_may_mean_is_refused_by_name(
    fleet: World, document: str, event: dict[str, Any]
) -> None:
    fleet.document("mine", document)
    report = fleet.invoke(event)
    error = entry(report, "fleet/us-east-1/one")["error"]
    assert error["type"] == "CannotBeJudged"
    assert "the document mine is invalid, and may refer to one in us-east-1" in error["message"]
    assert (
        "--name /ecr-public-pusher/clusters/mine" in error["remedy"]
        or "Write one YAML" in error["remedy"]
    )
    assert fleet.asked("one") == []
    assert [
        cluster["id"]
        for cluster in report["clusters"]
        if cluster["id"].startswith("fleet/") and not cluster["ok"]
    ] == [FOUND[1]]


def test_a_document_that_cannot_be_decrypted_may_mean_any_cluster_that_is_found(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    fleet.add_cluster("prod", namespaces=("a",), document="namespaces: [a]", embedded=True)
    fleet.document("mine", "{cluster: one, namespaces: [a]}", secure=True)
    fleet.aws.script(
        "ssm",
        "GetParameters",
        lambda request: Answer.refusal(request, "AccessDeniedException", "kms:Decrypt"),
    )
    report = fleet.invoke()
    assert entry(report, "prod")["ok"]
    error = entry(report, "fleet/*")["error"]
    assert error["type"] == "CannotBeJudged"
    assert (
        error["message"]
        == "the document mine cannot be read, and may refer to any cluster that fleet finds:"
        " nothing was sent to these"
    )
    assert "kms:Decrypt" in error["remedy"]
    assert [fleet.asked(name) for name in ("one", "two", "three")] == [[], [], []]
    assert (
        entry(fleet.invoke({"clusters": [FOUND[0]]}), FOUND[0])["error"]["type"] == "CannotBeJudged"
    )
    assert report["queued"] == ["fleet/*", "mine"]
    fleet.aws.script("ssm", "GetParameters", None)
    assert fleet.poll() == []
    assert [fleet.asked(name) != [] for name in ("one", "two", "three")] == [True, True, True]
    assert fleet.invoke()["leftToDocuments"] == ["fleet/us-east-1/one"]


def test_what_a_discovery_wrote_can_be_removed_while_a_document_cannot_be_read(
    fleet: World,
) -> None:
    for name in ("one", "two", "three"):
        fleet.apply(name, "prune.yaml")
    fleet.invoke()
    fleet.document("mine", "one")
    assert fleet.invoke({"action": "remove", "clusters": ["fleet/*"]})["totals"]["removed"] == 3


def test_an_invalid_document_of_another_region_keeps_no_cluster_back(fleet: World) -> None:
    fleet.document("mine", "{cluster: one, region: ap-southeast-2, namspaces: [a]}")
    assert entry(fleet.invoke(), "fleet/us-east-1/one")["ok"]


def test_an_authenticators_cluster_id_may_not_be_the_name_of_a_found_cluster(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1,localhost")
    for name in ("edge", "shop"):
        fleet.add_elsewhere(
            name,
            cluster_id="one",
            document="{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: one}}",
        )
    for event, name in (({}, "edge"), ({"clusters": ["edge"]}, "edge"), ({}, "shop")):
        error = entry(fleet.invoke(event), name)["error"]
        assert (
            error["type"],
            "signIn.clusterId: one is the name of an EKS cluster" in error["message"],
        ) == ("InvalidDocument", True)
    assert fleet.asked("edge") == []


def trouble(world: World, kind: str) -> None:
    """Cause trouble, so that it is unknown whether a discovery finds the cluster `one`."""
    actions = {"not described": "DescribeCluster", "not listed": "ListClusters"}
    if kind in actions:
        world.aws.script(
            "eks",
            actions[kind],
            lambda request: Answer.refusal(request, "AccessDeniedException", "no", status=403),
        )
    elif kind == "no role":
        world.discovery(
            "fleet", DOCUMENT.replace("namespaces", f"roleArn: '{SPOKE_ROLE}', namespaces")
        )
    elif kind == "discovery":
        world.discovery("fleet", DOCUMENT.replace("namespaces", "namspaces"))
    elif kind == "document":
        world.document("mine", "clutser: one\nnamespaces: [*]")
    elif kind == "unknown parameter":
        world.aws.put_parameter(
            "/ecr-public-pusher/cluster/mine", "{cluster: one, namespaces: [a]}"
        )
    elif kind == "role not allowed":
        role = "arn:aws:iam::777788889999:role/ecr-public-pusher-spoke"
        world.discovery("fleet", DOCUMENT.replace("namespaces", f"roleArn: '{role}', namespaces"))
    else:
        world.document("mine", "{cluster: one, namespaces: [a]}", secure=True)
        world.aws.script(
            "ssm",
            "GetParameters",
            lambda request: Answer.refusal(request, "AccessDeniedException", "kms:Decrypt"),
        )


ALL_EVENTS: list[dict[str, Any]] = [{}, {"action": "plan"}]
# For these, EKS is asked for the cluster of exactly that name.
EDGE_EVENTS: list[dict[str, Any]] = [
    {"clusters": ["edge"]},
    {"action": "check", "clusters": ["edge"]},
    {"action": "sweep"},
    {"action": "remove", "clusters": ["edge"]},
]


@pytest.mark.parametrize(
    "kind",
    [
        "not described",
        "not listed",
        "no role",
        "role not allowed",
        "discovery",
        "document",
        "unknown parameter",
        "secure",
    ],
)
def test_a_cluster_id_that_cannot_be_judged_is_refused_in_that_run(
    fleet: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    fleet.add_elsewhere(
        "edge",
        cluster_id="one",
        document="{namespaces: ['*'], signIn: {type: iamAuthenticator, clusterId: one}}",
    )
    trouble(fleet, kind)
    for event in ALL_EVENTS if kind == "not listed" else [*ALL_EVENTS, *EDGE_EVENTS]:
        found = entry(fleet.invoke(event), "edge")
        said = found["error"] or found["findings"][0]
        assert found["error"] is None or found["error"]["type"] == "CannotBeJudged"
        assert (
            "signIn.clusterId: whether one is the name of an EKS cluster cannot be determined now"
            in said["message"]
        ), event
        assert "it is never an EKS cluster's name" in said["remedy"]
    assert fleet.asked("edge") == []


def test_what_could_not_be_judged_is_tried_again(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    fleet.add_elsewhere(
        "edge",
        cluster_id="shore",
        document="{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: shore}}",
    )
    trouble(fleet, "not listed")
    assert "edge" in fleet.invoke()["queued"]
    assert fleet.asked("edge") == []
    fleet.aws.script("eks", "ListClusters", None)
    assert fleet.poll() == []
    assert fleet.secret("edge", "a") is not None


def test_an_id_that_no_eks_cluster_can_have_needs_no_judgement(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    fleet.add_elsewhere(
        "edge",
        cluster_id="one.edge",
        document="{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: one.edge}}",
    )
    for kind in ("not described", "not listed", "secure"):
        trouble(fleet, kind)
        assert entry(fleet.invoke({"clusters": ["edge"]}), "edge")["ok"]
    assert fleet.aws.called("eks") == []


def test_one_cluster_that_cannot_be_described_keeps_no_other_back(fleet: World) -> None:
    def refuse(request: AwsRequest) -> Answer | None:
        return (
            Answer.refusal(request, "AccessDeniedException", "no", status=403)
            if request.path.endswith("/two")
            else None
        )

    fleet.aws.script("eks", "DescribeCluster", refuse)
    report = fleet.invoke()
    assert entry(report, "fleet/us-east-1/one")["ok"]
    assert entry(report, "fleet/us-east-1/*")["error"]["message"].startswith(
        "EKS did not describe cluster two in us-east-1: AccessDeniedException"
    )


def test_a_message_for_a_cluster_that_is_gone_is_dropped_and_reported(
    fleet: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    fleet.clusters["one"].admin(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
    )
    assert fleet.invoke()["queued"] == ["fleet/us-east-1/one"]
    fleet.aws.remove_cluster("one", region="us-east-1")
    caplog.clear()
    assert fleet.poll() == []
    assert fleet.queue.waiting == []
    (report,) = [record.__dict__["report"] for record in caplog.records]
    assert (report["ok"], report["gone"], report["clusters"]) == (True, ["fleet/us-east-1/one"], [])


@pytest.mark.parametrize("trouble", ["eks", "role", "document"])
def test_a_message_whose_cluster_cannot_be_looked_up_is_kept(
    fleet: World, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", fleet.queue.url)
    fleet.clusters["one"].admin(
        "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ecr-public-pusher"
    )
    fleet.invoke()
    if trouble == "eks":
        fleet.aws.script(
            "eks",
            "DescribeCluster",
            lambda request: Answer.refusal(request, "ServerException", "no", status=500),
        )
    elif trouble == "role":
        fleet.discovery(
            "fleet", DOCUMENT.replace("namespaces", f"roleArn: '{SPOKE_ROLE}', namespaces")
        )
    else:
        fleet.discovery("fleet", "{tags: {a: b}}")
    assert len(fleet.poll()) == 1
    assert [waiting.body["clusters"] for waiting in fleet.queue.waiting] == [
        ["fleet/us-east-1/one"]
    ]


def test_a_name_that_is_no_clusters_is_an_error_that_says_how_they_are_found(fleet: World) -> None:
    report = fleet.invoke({"clusters": ["fleet/us-east-1/nine"]})
    assert report["error"]["type"] == "RequestError"
    assert "only existing clusters with its tags match" in report["error"]["remedy"]


@pytest.mark.parametrize(
    ("name", "guess"),
    [("fleet", "Did you mean fleet/*? "), ("fleet/us-east-1", ""), ("nine", "")],
)
def test_a_name_that_is_no_clusters_is_answered_with_the_discoveries_too(
    fleet: World, name: str, guess: str
) -> None:
    fleet.document("prod", "{cluster: untagged, namespaces: [a]}")
    remedy = fleet.invoke({"clusters": [name]})["error"]["remedy"]
    assert remedy == (
        f"{guess}Known ids: fleet/*, prod. For a discovery, only existing clusters with its tags"
        " match."
    )


@pytest.mark.parametrize(
    "name",
    [
        "fleet/us-east-1/",
        "fleet/us-east-1/one/two",
        "fleet/us-east-1/../one",
        "fleet//one",
        "fleet/",
        "fleet",
    ],
)
def test_an_id_that_no_cluster_can_have_asks_eks_nothing(fleet: World, name: str) -> None:
    assert fleet.invoke({"clusters": [name]})["error"]["type"] == "RequestError"
    assert listed_and_described(fleet) == (0, 0)


@pytest.mark.parametrize("name", ["../x", "a/b", "a*", "", "[x]", "-a"])
def test_a_list_with_a_name_that_no_cluster_can_have_is_not_eks_answer(
    fleet: World, name: str
) -> None:
    body = json.dumps({"clusters": ["one", name]}).encode()
    answer = Answer(200, body, {"Content-Type": "application/json"})
    fleet.aws.script(
        "eks", "ListClusters", lambda request: answer if request.region == "us-east-1" else None
    )
    report = fleet.invoke()
    assert ids(report) == ["fleet/eu-west-1/three", "fleet/us-east-1/*"]
    assert "NonsenseAnswer" in entry(report, "fleet/us-east-1/*")["error"]["message"]


def test_a_cluster_that_lost_its_tag_is_pushed_no_longer_and_can_be_removed_from_by_name(
    fleet: World,
) -> None:
    fleet.apply("one", "prune.yaml")
    fleet.invoke()
    fleet.aws.put_cluster("111122223333", "us-east-1", fleet.clusters["one"], tags={})
    assert ids(fleet.invoke()) == ["fleet/eu-west-1/three", "fleet/us-east-1/two"]
    assert fleet.secret("one", "a") is not None
    assert (
        fleet.invoke({"action": "remove", "clusters": ["fleet/*"]})["totals"].get("removed", 0) == 0
    )  # two clusters without prune.yaml
    assert (
        fleet.invoke({"action": "plan", "remove": True, "clusters": ["fleet/us-east-1/one"]})[
            "totals"
        ]["removed"]
        == 1
    )
    assert (
        fleet.invoke({"action": "remove", "clusters": ["fleet/us-east-1/one"]})["totals"]["removed"]
        == 1
    )
    assert fleet.secret("one", "a") is None


def test_what_a_discovery_left_is_removed_by_name_after_a_document_took_the_cluster(
    fleet: World,
) -> None:
    fleet.apply("one", "prune.yaml")
    fleet.add_namespace("one", "b")
    fleet.discovery("fleet", DOCUMENT.replace("[a]", "[a, b]"))
    fleet.invoke()
    fleet.document("mine", "{cluster: one, namespaces: [a]}")
    fleet.invoke()
    assert (
        fleet.invoke({"action": "remove", "clusters": ["fleet/us-east-1/one"]})["totals"]["removed"]
        == 1
    )
    assert (fleet.secret("one", "a") is not None, fleet.secret("one", "b")) == (True, None)


def test_a_prune_takes_what_its_own_id_wrote_and_no_other_discoverys(fleet: World) -> None:
    for name in ("b", "c"):
        fleet.add_namespace("one", name)
    fleet.apply("one", "prune.yaml")
    fleet.discovery("fleet", DOCUMENT.replace("[a]", "[a, b]"))
    fleet.discovery("second", "{regions: [us-east-1], tags: {team: '*'}, namespaces: [c]}")
    fleet.invoke()
    fleet.discovery("fleet", DOCUMENT.replace("[a]", "[a], prune: true"))
    assert entry(fleet.invoke(), "fleet/us-east-1/one")["counts"] == {"updated": 1, "pruned": 1}
    assert [fleet.secret("one", name) is not None for name in "abc"] == [True, False, True]


def test_running_it_twice_changes_nothing_but_the_token(fleet: World) -> None:
    fleet.document("mine", "{cluster: one, namespaces: [a], secretName: mine}")
    first = fleet.invoke()
    second = fleet.invoke()
    assert (ids(first), second["totals"]) == (
        ids(second),
        {"clusters": 3, "clustersFailed": 1, "updated": 2, "forbidden": 1},
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{tags: {a: b}, namespaces: [a]}", "regions: required"),
        ("{regions: [us-east-1], namespaces: [a]}", "tags: required"),
        (
            "{regions: [], tags: {a: b}, namespaces: [a]}",
            "regions: expected one or more AWS regions",
        ),
        ("{regions: [Europe], tags: {a: b}, namespaces: [a]}", "regions: expected an AWS region"),
        (
            "{regions: [us-east-1, eu-wset-1, us-east-99], tags: {a: b}, namespaces: [a]}",
            (
                "regions: the function's partition has no region eu-wset-1, us-east-99 (did you"
                " mean eu-west-1?)"
            ),
        ),
        (
            "{regions: [us-east-1, cn-north-1], tags: {a: b}, namespaces: [a]}",
            "the function's partition has no region cn-north-1",
        ),
        (
            f"{{regions: [{', '.join(['us-east-1'] * 41)}], tags: {{a: b}}, namespaces: [a]}}",
            "expected at most 40 AWS regions, found 41",
        ),
        ("{regions: [us-east-1], tags: {}, namespaces: [a]}", "tags: expected one or more tags"),
        ("{regions: [us-east-1], tags: {a: [b]}, namespaces: [a]}", "tags: 'a': expected a string"),
        (
            "{regions: [us-east-1], region: us-east-1, tags: {a: b}, namespaces: [a]}",
            "region: a discovery has `regions` instead",
        ),
        (
            "{regions: [us-east-1], cluster: x, tags: {a: b}, namespaces: [a]}",
            "cluster: unknown field",
        ),
        ("{regions: [us-east-1], tags: {a: b}}", "namespaces: required here or in the defaults"),
    ],
)
def test_a_bad_discovery_fails_only_itself(world: World, document: str, said: str) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.discovery("fleet", document)
    report = world.invoke()
    assert entry(report, "prod")["ok"]
    error = entry(report, "fleet/*")["error"]
    assert (error["type"], said in error["message"]) == ("InvalidDocument", True), error


def test_regions_that_do_not_exist_are_asked_for_nothing_and_keep_no_other_discovery_back(
    fleet: World,
) -> None:
    none = [f"us-{place}-{number}" for place in ("north", "up", "over") for number in range(1, 41)]
    for number in range(3):
        fleet.discovery(
            f"a{number}",
            f"{{regions: [{', '.join(none[40 * number :][:40])}], tags: {{a: b}}, namespaces:"
            " [a]}",
        )
    report = fleet.invoke()
    assert ids(report) == ["a0/*", "a1/*", "a2/*", *FOUND]
    assert entry(report, "a0/*")["error"]["type"] == "InvalidDocument"
    assert {call.region for call in fleet.aws.called("eks")} == {"us-east-1", "eu-west-1"}


def test_the_defaults_hold_for_them_but_their_region(fleet: World) -> None:
    fleet.defaults("{region: ap-southeast-2, secretName: ecr-public-token, labels: {by: defaults}}")
    assert fleet.invoke()["ok"]
    secret = fleet.secret("one", "a")
    assert secret is not None
    assert secret["metadata"]["labels"]["by"] == "defaults"
