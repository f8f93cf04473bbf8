"""Private registries.

One token for each role and region, all in one Secret, and no good credential dropped because
another is unavailable.
"""

import base64
import json
import threading
from datetime import timedelta

import pytest

from infra.local.aws import Answer, AwsRequest
from tests.support.reports import entry
from tests.support.world import ACCOUNT, EXECUTION_ROLE, SPOKE_ACCOUNT, World

PULL_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
SECOND_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecr-public-pusher-pull"
EU = f"{{account: '{SPOKE_ACCOUNT}', region: eu-west-1, roleArn: {PULL_ROLE}}}"
US = f"{{account: '{SPOKE_ACCOUNT}', region: us-east-1, roleArn: {PULL_ROLE}}}"
EU_HOST = f"{SPOKE_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
EU_TWIN = f"{SPOKE_ACCOUNT}.dkr-ecr.eu-west-1.on.aws"


@pytest.fixture
def pulling(world: World) -> World:
    """Return a world with two roles that may pull, and a cluster."""
    for role in (PULL_ROLE, SECOND_ROLE):
        world.aws.put_role(role, trusted=EXECUTION_ROLE)
    world.add_cluster("prod", namespaces=("a", "b"))
    return world


def auths(world: World, namespace: str = "a", name: str = "ecr-public-token") -> dict[str, str]:
    secret = world.secret("prod", namespace, name)
    assert secret is not None
    config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    return {host: entry["auth"] for host, entry in config["auths"].items()}


def test_one_secret_signs_in_to_all_of_them(pulling: World) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}, {US}]}}")
    report = pulling.invoke()
    assert report["ok"]
    issued = {region: tokens for (_, region), tokens in pulling.aws.ecr_private.issued.items()}
    assert {region: len(tokens) for region, tokens in issued.items()} == {
        "eu-west-1": 1,
        "us-east-1": 1,
    }
    found = auths(pulling)
    assert found[EU_HOST] == found[EU_TWIN] == issued["eu-west-1"][0]
    assert found[f"{SPOKE_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"] == issued["us-east-1"][0]
    assert found["public.ecr.aws"] == pulling.aws.ecr_public.issued[-1]
    assert len(found) == 6
    assert [token["registry"] for token in report["tokens"]] == [
        "public.ecr.aws",
        EU_HOST,
        EU_HOST.replace("eu-west-1", "us-east-1"),
    ]


def test_a_token_is_asked_for_once_however_many_documents_want_it(pulling: World) -> None:
    for number in range(5):
        other = f"{{account: '{ACCOUNT}', region: eu-west-1, roleArn: {PULL_ROLE}}}"
        pulling.document(
            f"d{number}",
            f"{{cluster: prod, namespaces: [a], secretName: s{number}, registries: [{EU},"
            f" {other}]}}",
        )
    pulling.invoke()
    assert {key: len(tokens) for key, tokens in pulling.aws.ecr_private.issued.items()} == {
        (PULL_ROLE, "eu-west-1"): 1
    }
    assert len(pulling.aws.called("sts", "AssumeRole")) == 1


@pytest.mark.parametrize("other", ["first", "second"])
def test_a_document_without_the_external_id_has_no_part_in_anothers_token(
    pulling: World, other: str
) -> None:
    """They share one run, role and region: only the id distinguishes the two."""
    pulling.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE, external_id="right")
    pulling.add_cluster(other, namespaces=("a",))
    for document, external_id in (("prod", "right"), (other, "wrong")):
        registry = EU.replace("}", f", externalId: {external_id}}}")
        pulling.document(document, f"{{namespaces: [a], registries: [{registry}]}}")
    report = pulling.invoke()
    assert entry(report)["ok"]
    assert entry(report, other)["error"]["type"] == "RoleError"
    assert EU_HOST in auths(pulling)
    assert pulling.secret(other, "a") is None


def test_only_private_registries_need_no_public_token(pulling: World) -> None:
    pulling.aws.ecr_public.deny()
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    report = pulling.invoke()
    assert report["ok"]
    assert set(auths(pulling)) == {EU_HOST, EU_TWIN}
    assert pulling.aws.called("ecr-public") == []


def test_the_secret_expires_with_the_first_of_its_tokens(pulling: World) -> None:
    pulling.aws.ecr_private.life = timedelta(hours=2)
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    report = pulling.invoke()
    secret = pulling.secret("prod", "a")
    assert secret is not None
    first = min(token["expiresAt"] for token in report["tokens"])
    assert (
        secret["metadata"]["annotations"]["ecr-public-pusher/expires-at"]
        == first
        == report["tokens"][1]["expiresAt"]
    )


@pytest.mark.parametrize("broken", ["role", "token", "nonsense"])
def test_what_cannot_be_had_fails_its_document_whose_old_secrets_stay(
    pulling: World, broken: str
) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    pulling.document("other", "{cluster: prod, namespaces: [b]}")
    assert pulling.invoke()["ok"]
    before = pulling.secret("prod", "a")
    if broken == "role":
        pulling.aws.put_role(PULL_ROLE, trusted=None)
    elif broken == "token":
        pulling.aws.script(
            "ecr",
            "GetAuthorizationToken",
            lambda request: Answer.refusal(request, "AccessDeniedException", "no"),
        )
    else:
        pulling.aws.script(
            "ecr",
            "GetAuthorizationToken",
            Answer(200, b"{}", {"Content-Type": "application/x-amz-json-1.1"}),
        )
    report = pulling.invoke()
    assert pulling.secret("prod", "a") == before
    assert entry(report, "other")["ok"]
    error = entry(report)["error"]
    assert error["type"] == ("RoleError" if broken == "role" else "TokenError")
    assert ("PullRoleName" in error["remedy"]) is (broken == "role")
    assert "error" not in report


def test_when_ecr_public_gives_none_the_private_ones_are_pushed(pulling: World) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    pulling.document("other", "{cluster: prod, namespaces: [b]}")
    pulling.aws.ecr_public.deny()
    report = pulling.invoke()
    assert entry(report)["ok"]
    assert entry(report, "other")["error"]["type"] == "TokenError"
    assert "error" not in report


def test_a_role_that_hangs_delays_nobody_else(pulling: World) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    pulling.document("other", "{cluster: prod, namespaces: [b]}")

    def hang(request: AwsRequest) -> Answer:
        return Answer(500, b"", delay=5)

    pulling.aws.script("sts", "AssumeRole", hang)
    report = pulling.invoke(seconds=4)
    assert entry(report, "other")["ok"]
    # The cluster was listed meanwhile, so each write that waited for the token is named.
    assert (entry(report)["ok"], entry(report)["counts"]) == (False, {"not-attempted": 1})


def test_a_plan_and_a_check_ask_for_every_token_and_write_none(pulling: World) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    assert pulling.invoke({"action": "plan"})["ok"]
    report = pulling.invoke({"action": "check"})
    assert report["ok"]
    (finding,) = [
        finding for finding in entry(report)["findings"] if finding["check"] == "registries"
    ]
    assert finding["message"].startswith(f"a token for {EU_HOST}; the first expires at 20")
    assert len(pulling.aws.called("ecr", "GetAuthorizationToken")) == 2
    assert pulling.secret("prod", "a") is None
    pulling.aws.put_role(PULL_ROLE, trusted=None)
    for action in ("plan", "check"):
        assert not pulling.invoke({"action": action})["ok"]
    finding = entry(pulling.invoke({"action": "check"}))["findings"][0]
    assert (finding["check"], "PullRoleName" in finding["remedy"]) == ("registries", True)


def test_a_dry_run_sends_no_private_token(pulling: World) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    pulling.invoke({"action": "plan"})
    (token,) = pulling.aws.ecr_private.issued[PULL_ROLE, "eu-west-1"]
    bodies = [getattr(request, "body", b"") for request in pulling.clusters["prod"].requests]
    assert not any(
        token.encode() in body or base64.b64encode(token.encode()) in body for body in bodies
    )


@pytest.mark.parametrize(
    "spelling", [EXECUTION_ROLE, EXECUTION_ROLE.replace("role/", "role/some/path/")]
)
@pytest.mark.parametrize("known", [True, False])
def test_the_execution_role_never_stands_in(
    pulling: World, monkeypatch: pytest.MonkeyPatch, spelling: str, known: bool
) -> None:
    if not known:  # as without the template
        monkeypatch.delenv("EXECUTION_ROLE_ARN")
    pulling.document(
        "prod",
        f"{{namespaces: [a], registries: [{{account: '{ACCOUNT}', region: eu-west-1, roleArn:"
        f" {spelling}}}]}}",
    )
    error = entry(pulling.invoke())["error"]
    assert error["type"] == "RoleError"
    assert (
        "the function's own role" in error["message"],
        "infra/pull-role.yaml" in error["remedy"],
    ) == (known, known)
    assert pulling.aws.ecr_private.issued == {}


def test_another_accounts_role_of_the_execution_roles_name_may_be_assumed(
    pulling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECUTION_ROLE_ARN", PULL_ROLE.replace(SPOKE_ACCOUNT, ACCOUNT))
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    assert pulling.invoke()["ok"]


def test_a_role_of_another_partition_than_the_registrys_region_is_refused(pulling: World) -> None:
    pulling.document(
        "prod",
        f"{{namespaces: [a], registries: [{{account: '{ACCOUNT}', region: cn-north-1, roleArn:"
        f" {PULL_ROLE}}}]}}",
    )
    error = entry(pulling.invoke())["error"]
    assert error["type"] == "TokenError"
    assert (
        error["message"]
        == f"{PULL_ROLE} is in the partition aws, and the registry's region cn-north-1 in aws-cn"
    )
    assert pulling.aws.called("sts", "AssumeRole") == []


def test_when_ecr_public_gives_none_a_document_that_needs_both_keeps_its_old_secrets(
    pulling: World,
) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    pulling.document("other", f"{{cluster: prod, namespaces: [b], registries: [{EU}]}}")
    pulling.invoke()
    before = auths(pulling)
    pulling.aws.ecr_public.deny()
    report = pulling.invoke()
    assert (entry(report)["error"]["type"], entry(report, "other")["ok"]) == ("TokenError", True)
    assert auths(pulling) == before


def test_a_registry_that_leaves_the_document_leaves_the_secret_only_when_the_others_can_be_had(
    pulling: World,
) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    pulling.invoke()
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    pulling.aws.put_role(PULL_ROLE, trusted=None)
    pulling.invoke()
    assert len(auths(pulling)) == 4
    pulling.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    assert pulling.invoke()["ok"]
    assert set(auths(pulling)) == {EU_HOST, EU_TWIN}


def test_a_check_names_every_token_that_cannot_be_had(pulling: World) -> None:
    other = f"{{account: '{ACCOUNT}', region: us-west-2, roleArn: {SECOND_ROLE}}}"
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}, {other}, {US}]}}")
    pulling.aws.put_role(SECOND_ROLE, trusted=None)

    def refuse(request: AwsRequest) -> Answer | None:
        if request.region != "us-east-1":
            return None
        return Answer.refusal(request, "AccessDeniedException", "no")

    pulling.aws.script("ecr", "GetAuthorizationToken", refuse)
    finding = entry(pulling.invoke({"action": "check"}))["findings"][0]
    assert (finding["check"], finding["ok"]) == ("registries", False)
    assert SECOND_ROLE in finding["message"]
    assert "ECR in us-east-1" in finding["message"]
    assert {call.region for call in pulling.aws.called("ecr", "GetAuthorizationToken")} == {
        "eu-west-1",
        "us-east-1",
    }


def test_a_registrys_role_that_hangs_does_not_keep_the_check_waiting(pulling: World) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    pulling.aws.script("sts", "AssumeRole", lambda request: Answer(500, b"", delay=20))
    findings = entry(pulling.invoke({"action": "check"}, seconds=6))["findings"]
    assert [finding["check"] for finding in findings if not finding["ok"]] == ["registries"]
    assert "sign-in" in [finding["check"] for finding in findings]


@pytest.mark.parametrize("action", ["plan", "check"])
def test_a_dry_run_says_that_ecr_public_gives_none_also_where_others_need_none(
    pulling: World, action: str
) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [{EU}]}}")
    pulling.document("other", "{cluster: prod, namespaces: [b]}")
    pulling.aws.ecr_public.deny()
    assert pulling.invoke({"action": action})["error"]["type"] == "TokenError"


def test_tokens_are_asked_for_side_by_side(pulling: World) -> None:
    regions = ("eu-west-1", "eu-west-2", "us-east-1", "us-west-2")
    registries = ", ".join(
        f"{{account: '{ACCOUNT}', region: {region}, roleArn: {PULL_ROLE}}}" for region in regions
    )
    pulling.document("prod", f"{{namespaces: [a], registries: [{registries}]}}")
    together = threading.Barrier(
        len(regions), timeout=10
    )  # no call is answered before all have been sent

    def meet(request: AwsRequest) -> Answer | None:
        together.wait()
        return None

    pulling.aws.script("ecr", "GetAuthorizationToken", meet)
    assert pulling.invoke()["ok"]
    assert len(pulling.aws.called("sts", "AssumeRole")) == 1


def test_of_two_roles_tokens_for_one_registry_the_report_names_the_first_to_end(
    pulling: World,
) -> None:
    other = EU.replace(PULL_ROLE, SECOND_ROLE)
    pulling.document("a", f"{{cluster: prod, namespaces: [a], registries: [{EU}]}}")
    pulling.document("b", f"{{cluster: prod, namespaces: [b], registries: [{other}]}}")
    report = pulling.invoke()
    secrets = [pulling.secret("prod", namespace) for namespace in ("a", "b")]
    first = min(
        secret["metadata"]["annotations"]["ecr-public-pusher/expires-at"]
        for secret in secrets
        if secret
    )
    assert report["tokens"] == [{"registry": EU_HOST, "expiresAt": first}]


def test_where_there_is_no_ecr_public_private_registries_are_enough_and_public_says_what_to_do(
    pulling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "arn:aws-cn:iam::111122223333:role/ecr-public-pusher-pull"
    pulling.aws.put_role(role, trusted=EXECUTION_ROLE)
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    registry = f"{{account: '{ACCOUNT}', region: cn-north-1, roleArn: '{role}'}}"
    pulling.aws.put_parameter(
        "/ecr-public-pusher/clusters/prod",
        f"{{region: us-east-1, namespaces: [a], registries: [{registry}]}}",
        region="cn-north-1",
    )
    pulling.aws.put_parameter(
        "/ecr-public-pusher/clusters/other",
        "{cluster: prod, region: us-east-1, namespaces: [b]}",
        region="cn-north-1",
    )
    report = pulling.invoke()
    assert entry(report)["ok"]
    assert set(auths(pulling)) == {
        f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn",
        f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
    }
    error = entry(report, "other")["error"]
    assert (error["type"], "`registries`, without `public`" in error["remedy"]) == (
        "TokenError",
        True,
    )
    assert pulling.aws.called("ecr-public") == []


@pytest.mark.parametrize(
    ("registry", "said"),
    [
        (f"{{account: '{ACCOUNT}', region: eu-west-1}}", "registries.0.roleArn: required"),
        (
            f"{{account: '11111111111', region: eu-west-1, roleArn: {PULL_ROLE}}}",
            "registries.0.account: expected an AWS account of twelve digits",
        ),
        (
            f"{{account: '{ACCOUNT}', region: Europe, roleArn: {PULL_ROLE}}}",
            "registries.0.region: expected an AWS region",
        ),
        (f"{EU}, {EU}", f"the registry {SPOKE_ACCOUNT} in eu-west-1 is given twice"),
        ("public, public", "the registry public is given twice"),
        ("private", "expected public or a mapping {account, region, roleArn}, found 'private'"),
        (
            f"{{account: '{ACCOUNT}', regin: eu-west-1, roleArn: {PULL_ROLE}}}",
            "registries.0.regin: unknown field (did you mean region?)",
        ),
        ("", "expected a list of registries"),
    ],
)
def test_a_bad_registry_is_refused(pulling: World, registry: str, said: str) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [{registry}]}}")
    error = entry(pulling.invoke())["error"]
    assert (error["type"], said in error["message"]) == ("InvalidDocument", True), error


@pytest.mark.parametrize("region", ["zz-nowhere-9", "eu-west-9"])
def test_a_region_that_does_not_exist_is_a_typed_error(pulling: World, region: str) -> None:
    pulling.document(
        "prod",
        f"{{namespaces: [a], registries: [{{account: '{ACCOUNT}', region: {region}, roleArn:"
        f" {PULL_ROLE}}}]}}",
    )
    error = entry(pulling.invoke())["error"]
    assert error["type"] == "TokenError"
    assert "`region`" in error["remedy"]


def test_each_tokens_life_is_a_metric_of_its_registry(
    pulling: World, capsys: pytest.CaptureFixture[str]
) -> None:
    pulling.document("prod", f"{{namespaces: [a], registries: [public, {EU}]}}")
    capsys.readouterr()
    pulling.invoke()
    lines = [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if "TokenSecondsAtIssue" in line
    ]
    assert sorted(str(line.get("registry")) for line in lines) == sorted(["None", EU_HOST])


def test_sweeps_and_the_queue_know_them_too(
    pulling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_QUEUE_URL", pulling.queue.url)
    pulling.document("prod", f"{{namespaces: ['*'], registries: [{EU}]}}")
    assert pulling.invoke({"action": "sweep"})["ok"]
    assert EU_HOST in auths(pulling)
    pulling.aws.put_role(PULL_ROLE, trusted=None)
    assert pulling.invoke()["queued"] == ["prod"]
    pulling.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
    assert pulling.poll() == []
    assert auths(pulling)[EU_HOST] == pulling.aws.ecr_private.issued[PULL_ROLE, "eu-west-1"][-1]
