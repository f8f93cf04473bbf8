"""A kubeconfig in Secrets Manager, over the wire.

Its content reaches its own cluster only, and nothing of it stays behind.
"""

import base64
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.config import kube_config

from ecr_public_pusher.kubernetes_api.access import ClientCertificate
from ecr_public_pusher.kubernetes_api.client import _SignedIn  # only to find leftovers of it
from ecr_public_pusher.kubernetes_api.tls import client_context, verifying_context
from infra.local.aws.wire import Answer
from infra.local.kube.auth.authz import UserInfo
from infra.local.kube.certificates import issue
from infra.local.kube.cluster import Response, SeenRequest
from tests.support.recorded_answers import recorded, refuse_first
from tests.support.reports import cluster_of, findings
from tests.support.world import EXECUTION_ROLE, GROUP, SPOKE_ACCOUNT, SPOKE_ROLE, World, kubeconfig

pytestmark = pytest.mark.usefixtures("loopback_allowed")

TOKEN = "stored-token-of-a-test"
KINDS = ("token", "certificate")


def secrets_in(config: dict[str, Any]) -> list[str]:
    """Return every text that must not appear anywhere."""
    user = config["users"][0]["user"]
    keys = [
        base64.b64decode(value).decode()
        for name, value in user.items()
        if name == "client-key-data"
    ]
    return [
        *(str(value) for name, value in user.items() if name != "client-certificate-data"),
        *keys,
    ]


@pytest.mark.parametrize("by", KINDS)
def test_a_push_with_what_is_stored(world: World, by: Any) -> None:
    world.add_stored("edge", by=by)
    report = world.run()
    assert (report["ok"], report["totals"]["created"]) == (True, 1)
    assert world.token("edge", "a")


@pytest.mark.parametrize("by", KINDS)
def test_a_plan_with_what_is_stored(world: World, by: Any) -> None:
    world.add_stored("edge", by=by)
    report = world.run({"action": "plan"})
    assert report["ok"]
    assert world.secret("edge", "a") is None


def test_a_removal_with_what_is_stored(world: World) -> None:
    world.add_stored("edge")
    world.apply("edge", "prune.yaml")
    world.run()
    assert world.run({"action": "remove", "clusters": ["edge"]})["totals"]["removed"] == 1


def test_both_kinds_beside_each_other_and_eks(world: World) -> None:
    """Each cluster admits only its own credential.

    One credential at another's server fails the test.
    """
    world.add_stored("one", by="certificate")
    world.add_stored("two", token="another-token")
    world.add_stored("three", by="certificate")
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert world.run()["totals"] == {"clusters": 4, "clustersFailed": 0, "created": 4}


def test_one_reading_for_a_push(world: World) -> None:
    world.add_stored("edge", namespaces=tuple("abcdefghij"), document="namespaces: ['*']")
    assert world.run()["ok"]
    assert len(world.aws.called("secretsmanager")) == 1


def test_none_for_an_estate_without(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert world.run()["ok"]
    assert not world.aws.called("secretsmanager")


def test_a_token_and_a_certificate_are_both_sent(world: World) -> None:
    """kube-apiserver uses the certificate."""
    cluster = world.add_stored("edge", by="certificate")
    config = kubeconfig(cluster, by="certificate")
    config["users"][0]["user"]["token"] = TOKEN
    world.store_kubeconfig("edge", config)
    assert world.run()["ok"]
    ours = [request for request in cluster.requests if request.user != "local-admin"]
    assert {(request.user, "authorization" in request.headers) for request in ours} == {
        ("pusher", True)
    }


def test_without_an_authority_the_public_ones_are_trusted(world: World) -> None:
    world.add_stored("edge", certificate_authority_data=None)
    assert "TLS certificate" in cluster_of(world.run())["error"]["message"]


def test_a_secret_of_another_account_is_read_with_the_documents_role(world: World) -> None:
    cluster = world.add_stored("edge")
    arn = world.aws.put_secret(
        "/any/name", yaml.safe_dump(kubeconfig(cluster, token=TOKEN)), account_id=SPOKE_ACCOUNT
    )
    fields = {
        "namespaces": ["a"],
        "roleArn": SPOKE_ROLE,
        "externalId": "an-external-id",
        "signIn": {"type": "kubeconfig", "secretArn": arn},
    }
    world.document("edge", json.dumps(fields))
    assert world.run()["ok"]
    assert {
        call.principal and call.principal.split(":")[4]
        for call in world.aws.called("secretsmanager")
    } == {SPOKE_ACCOUNT}


def test_a_secret_of_another_region_is_read_there(world: World) -> None:
    cluster = world.add_stored("edge")
    arn = world.aws.put_secret(
        "/ecr-public-pusher/far",
        yaml.safe_dump(kubeconfig(cluster, token=TOKEN)),
        region="eu-west-1",
    )
    world.document(
        "edge",
        json.dumps({"namespaces": ["a"], "signIn": {"type": "kubeconfig", "secretArn": arn}}),
    )
    assert world.run()["ok"]
    assert [call.region for call in world.aws.called("secretsmanager")] == ["eu-west-1"]


def test_a_secret_may_hold_bytes(world: World) -> None:
    cluster = world.add_stored("edge")
    arn = world.aws.put_secret(
        "/ecr-public-pusher/bytes", yaml.safe_dump(kubeconfig(cluster, token=TOKEN)).encode()
    )
    world.document(
        "edge",
        json.dumps({"namespaces": ["a"], "signIn": {"type": "kubeconfig", "secretArn": arn}}),
    )
    assert world.run()["ok"]


# Refused by the cluster


@pytest.mark.parametrize("by", KINDS)
def test_after_a_refusal_the_secret_is_read_again_once(world: World, by: Any) -> None:
    refuse_first(world.add_stored("edge", by=by), 1)
    assert world.run()["ok"]
    assert len(world.aws.called("secretsmanager")) == 2


def test_a_token_that_was_replaced_meanwhile_is_used(world: World) -> None:
    cluster = world.add_stored("edge")
    world.store_kubeconfig("edge", kubeconfig(cluster, token="revoked"))
    good = kubeconfig(cluster, token=TOKEN)

    def replace(request: SeenRequest) -> None:
        world.store_kubeconfig("edge", good)

    cluster.intercept = replace
    assert world.run()["ok"]


def test_a_second_refusal_is_an_error_with_its_own_remedy(world: World) -> None:
    cluster = world.add_stored("edge")
    world.store_kubeconfig("edge", kubeconfig(cluster, token="revoked"))
    error = cluster_of(world.run())["error"]
    assert error["type"] == "SignInError"
    assert "aws secretsmanager put-secret-value" in error["remedy"]
    assert "webIdentity" in error["remedy"]
    assert len(world.aws.called("secretsmanager")) == 2


def test_many_namespaces_that_are_refused_share_one_reading(world: World) -> None:
    names = tuple(f"n{number:02}" for number in range(40))
    cluster = world.add_stored("edge", namespaces=names, document="namespaces: ['n*']")
    refused: list[str] = []

    def until_it_is_read_again(request: SeenRequest) -> Response | None:
        if request.method != "PATCH" or len(world.aws.called("secretsmanager")) > 1:
            return None
        refused.append(request.path)
        time.sleep(0.1)  # the others are under way meanwhile
        return recorded("bad-token").response

    cluster.intercept = until_it_is_read_again
    assert cluster_of(world.run())["counts"] == {"created": 40}
    assert len(refused) > 1
    assert len(world.aws.called("secretsmanager")) == 2


def test_a_credential_is_never_sent_to_another_server_than_its_own(world: World) -> None:
    cluster = world.add_stored("edge")
    other = world.add_stored("other")
    world.aws.delete_parameter("/ecr-public-pusher/clusters/other")
    world.store_kubeconfig("edge", kubeconfig(cluster, token="revoked"))

    def move(request: SeenRequest) -> None:
        world.store_kubeconfig("edge", kubeconfig(other, token="of-the-other"))

    cluster.intercept = move
    error = cluster_of(world.run())["error"]
    assert error["type"] == "KubeconfigError"
    assert "changed during the run" in error["message"]
    assert {request.status for request in cluster.requests if request.user != "local-admin"} == {
        401
    }
    assert {request.user for request in other.requests} == {"local-admin"}


# The server


@pytest.mark.parametrize("hosts", ["", "other.example.com", "*.0.0.1", "127.0.0.2"])
def test_a_server_that_the_owner_does_not_allow_is_sent_nothing(world: World, hosts: str) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = hosts
    cluster = world.add_stored("edge")
    before = len(cluster.requests)
    error = cluster_of(world.run())["error"]
    assert (error["type"], len(cluster.requests)) == ("KubeconfigError", before)
    assert "127.0.0.1" in error["message"]
    assert "AllowedEndpoints" in error["remedy"]


def test_an_invalid_kubeconfig_fails_its_own_cluster_only(world: World) -> None:
    world.add_stored("edge", exec={"command": "aws"})
    world.add_stored("good")
    report = world.run()
    assert (cluster_of(report)["ok"], cluster_of(report, "good")["ok"]) == (False, True)


# Check


def test_check_says_that_a_credential_is_stored_and_how_to_do_without(world: World) -> None:
    world.add_stored("edge")
    said = findings(world.run({"action": "check"}))["token"]
    assert said["ok"]
    assert (
        "stored in arn:aws:secretsmanager:us-east-1:111122223333:secret:/ecr-public-pusher/edge-"
        in said["message"]
    )
    assert "a token, which has no expiry date" in said["message"]
    assert "webIdentity" in said["message"]


def test_check_says_until_when_a_client_certificate_is_valid(world: World) -> None:
    ends = datetime.now(UTC) + timedelta(days=3)
    world.add_stored("edge", by="certificate", life=timedelta(days=3))
    assert (
        f"a client certificate, which expires at {ends:%Y-%m-%dT%H}:"
        in findings(world.run({"action": "check"}))["token"]["message"]
    )


def test_check_says_until_when_a_json_web_token_is_valid(world: World) -> None:
    payload = (
        base64.urlsafe_b64encode(json.dumps({"exp": 4102444800}).encode()).decode().rstrip("=")
    )
    world.add_stored("edge", token=f"head.{payload}.signature")
    assert (
        "a token, which expires at 2100-01-01T00:00:00Z"
        in findings(world.run({"action": "check"}))["token"]["message"]
    )


@pytest.mark.parametrize("by", KINDS)
def test_check_passes(world: World, by: Any) -> None:
    world.add_stored("edge", by=by)
    report = world.run({"action": "check"})
    assert [
        (name, finding) for name, finding in findings(report).items() if not finding["ok"]
    ] == []
    assert findings(report)["sign-in"]["message"].startswith(
        "as pusher, in the groups ecr-public-pushers"
    )


def test_check_of_a_kubeconfig_that_is_invalid_says_it_once(world: World) -> None:
    world.add_stored("edge", exec={"command": "aws"})
    report = findings(world.run({"action": "check"}))
    assert [name for name, finding in report.items() if not finding["ok"]] == ["token"]
    assert "exec runs a command" in report["token"]["message"]


def test_check_of_one_that_the_cluster_refuses_says_what_to_store(world: World) -> None:
    cluster = world.add_stored("edge")
    world.store_kubeconfig("edge", kubeconfig(cluster, token="revoked"))
    found = findings(world.run({"action": "check"}))["sign-in"]
    assert found["message"] == "the cluster does not admit the user of the kubeconfig"
    assert (
        "aws secretsmanager put-secret-value --region us-east-1 --secret-id arn:" in found["remedy"]
    )


def test_check_of_a_user_outside_of_the_group_says_how_to_get_in(world: World) -> None:
    cluster = world.add_stored("edge")
    cluster._authn._static["of-nobody"] = UserInfo("nobody", groups=("system:authenticated",))
    world.store_kubeconfig("edge", kubeconfig(cluster, token="of-nobody"))
    found = findings(world.run({"action": "check"}))["sign-in"]
    assert found["message"].endswith(f"{GROUP} is not among them")
    assert "a client certificate's organization, O" in found["remedy"]


# The end of a stored credential

EXP = 4102444800  # 2100-01-01T00:00:00Z
DAY = timedelta(days=1)


def json_web_token(exp: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


def ending_in(life: timedelta) -> str:
    return json_web_token((datetime.now(UTC) + life).timestamp())


@pytest.fixture
def handler_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow the handler, whose run prints metrics, to send tokens to this machine."""
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")


def credential_seconds(lines: str) -> dict[str | None, float]:
    """Return the metric of the printed lines, by cluster; None for all together."""
    logged = [json.loads(line) for line in lines.splitlines()]
    return {
        line.get("cluster"): line["CredentialSecondsLeft"][0]
        for line in logged
        if "CredentialSecondsLeft" in line
    }


@pytest.mark.parametrize("action", ["push", "sweep", "plan", "check"])
def test_every_run_reports_when_a_json_web_token_ends(world: World, action: str) -> None:
    world.add_stored("edge", token=json_web_token(EXP))
    assert cluster_of(world.run({"action": action}))["credentialExpiresAt"] == (
        "2100-01-01T00:00:00Z"
    )


def test_the_end_of_a_client_certificate_is_reported(world: World) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    world.add_stored("edge", by="certificate", life=3 * DAY)
    ends = datetime.fromisoformat(cluster_of(world.run())["credentialExpiresAt"])
    assert before + 3 * DAY <= ends <= datetime.now(UTC) + 3 * DAY


def test_of_a_token_and_a_certificate_the_first_end_counts(world: World) -> None:
    cluster = world.add_stored("edge", by="certificate")
    config = kubeconfig(cluster, by="certificate", life=30 * DAY)
    certificate = datetime.now(UTC) + 30 * DAY
    for exp, first in ((EXP, certificate), (certificate.timestamp() - 86400, certificate - DAY)):
        config["users"][0]["user"]["token"] = json_web_token(exp)
        world.store_kubeconfig("edge", config)
        found = datetime.fromisoformat(cluster_of(world.run())["credentialExpiresAt"])
        assert abs(found - first) < timedelta(minutes=5)


def test_a_renewed_credential_is_known_in_the_next_run(world: World) -> None:
    cluster = world.add_stored("edge", by="certificate", life=3 * DAY)
    first = cluster_of(world.run())["credentialExpiresAt"]
    world.store_kubeconfig("edge", kubeconfig(cluster, by="certificate", life=300 * DAY))
    assert cluster_of(world.run())["credentialExpiresAt"] > first


@pytest.mark.usefixtures("handler_allowed")
def test_one_without_an_end_has_none_and_no_metric(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor has a cluster whose credential is made for each run."""
    world.add_stored("edge")
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    capsys.readouterr()
    report = world.invoke()
    assert report["ok"]
    assert [one for one in report["clusters"] if "credentialExpiresAt" in one] == []
    assert credential_seconds(capsys.readouterr().out) == {}


@pytest.mark.usefixtures("handler_allowed")
def test_a_push_emits_what_is_left_of_each_and_the_least(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_stored("edge", token=ending_in(10 * DAY))
    world.add_stored("far", token=ending_in(20 * DAY))
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    capsys.readouterr()
    assert world.invoke()["ok"]
    left = credential_seconds(capsys.readouterr().out)
    assert {name: round(seconds / 86400, 2) for name, seconds in left.items()} == {
        None: 10,
        "edge": 10,
        "far": 20,
    }


@pytest.mark.parametrize("action", ["plan", "check"])
@pytest.mark.usefixtures("handler_allowed")
def test_a_dry_run_emits_nothing_of_it(
    world: World, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_stored("edge", token=ending_in(10 * DAY))
    capsys.readouterr()
    assert cluster_of(world.invoke({"action": action}))["credentialExpiresAt"]
    assert credential_seconds(capsys.readouterr().out) == {}


@pytest.mark.usefixtures("handler_allowed")
def test_a_sweep_that_has_nothing_new_to_say_of_the_cluster_emits_nothing_of_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add_stored("edge", token=ending_in(10 * DAY))
    world.invoke()
    capsys.readouterr()
    assert world.invoke({"action": "sweep"})["ok"]
    assert credential_seconds(capsys.readouterr().out) == {}


@pytest.mark.usefixtures("handler_allowed")
def test_one_that_has_expired_has_nothing_left(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarm must not clear just then."""
    world.add_stored("edge", token=json_web_token(1735787045))
    capsys.readouterr()
    found = cluster_of(world.invoke())
    assert (found["ok"], found["credentialExpiresAt"]) == (False, "2025-01-02T03:04:05Z")
    assert credential_seconds(capsys.readouterr().out) == {None: 0, "edge": 0}


@pytest.mark.parametrize("action", ["push", "sweep", "check"])
def test_the_end_is_known_when_the_cluster_does_not_answer(world: World, action: str) -> None:
    world.add_stored("edge", token=json_web_token(EXP), server="https://127.0.0.1:1")
    found = cluster_of(world.run({"action": action}))
    assert (found["ok"], found["credentialExpiresAt"]) == (False, "2100-01-01T00:00:00Z")


def test_check_finds_one_that_ends_within_two_weeks_and_goes_on(world: World) -> None:
    world.add_stored("edge", by="certificate", life=10 * DAY + timedelta(hours=12))
    report = world.run({"action": "check"})
    found = findings(report)
    assert [name for name, finding in found.items() if not finding["ok"]] == ["credential"]
    assert "expires in 10.5 days, at 20" in found["credential"]["message"]
    assert "put-secret-value --region us-east-1 --secret-id arn:" in found["credential"]["remedy"]
    assert found["namespaces"]["ok"]


@pytest.mark.parametrize(("hours", "found"), [(-1, True), (1, False)])
def test_the_two_weeks_of_a_check(world: World, hours: int, found: bool) -> None:
    world.add_stored("edge", token=ending_in(14 * DAY + timedelta(hours=hours)))
    assert ("credential" in findings(world.run({"action": "check"}))) is found


@pytest.mark.usefixtures("handler_allowed")
def test_nothing_but_the_time_is_said_of_a_credential(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    claims = {"exp": time.time() + 86400, "sub": "some-subject", "jti": "some-id"}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    world.add_stored("edge", token=f"head.{payload}.signature")
    shown = json.dumps([world.invoke({"action": action}) for action in ("push", "check", "plan")])
    shown += "".join(capfd.readouterr())
    assert "credentialExpiresAt" in shown
    assert not [text for text in ("some-", payload, "signature") if text in shown]


# Credentials that have expired or cannot be read


def test_an_expired_certificate_is_reported_and_not_sent(world: World) -> None:
    cluster = world.add_stored("edge", by="certificate", life=timedelta(seconds=-1))
    before = len(cluster.requests)
    error = cluster_of(world.run())["error"]
    assert (
        f"a client certificate, which expired at {datetime.now(UTC):%Y-%m-%dT}" in error["message"]
    )
    assert "put-secret-value" in error["remedy"]
    assert len(cluster.requests) == before


def test_an_expired_json_web_token_is_reported(world: World) -> None:
    payload = base64.urlsafe_b64encode(b'{"exp": 1735787045}').decode().rstrip("=")
    world.add_stored("edge", token=f"head.{payload}.signature")
    assert (
        "a token, which expired at 2025-01-02T03:04:05Z"
        in cluster_of(world.run())["error"]["message"]
    )


def test_another_certificates_private_key(world: World) -> None:
    other = base64.b64encode(issue("x").key_pem.encode()).decode()
    world.add_stored("edge", by="certificate", client_key_data=other)
    assert "whose private key does not match" in cluster_of(world.run())["error"]["message"]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("ResourceNotFoundException", 400, "secretArn"),
        ("AccessDeniedException", 400, "begin with the configuration path"),
        ("DecryptionFailure", 400, "ConfigKmsKeyArn"),
        ("InternalServiceError", 500, "retried automatically"),
        ("ThrottlingException", 400, "retried automatically"),
    ],
)
def test_a_secret_that_is_not_given(world: World, code: str, status: int, said: str) -> None:
    world.add_stored("edge")
    world.aws.script(
        "secretsmanager",
        "GetSecretValue",
        lambda request: Answer.refusal(request, code, "no", status=status),
    )
    error = cluster_of(world.run())["error"]
    assert (error["type"], said in error["remedy"]) == ("KubeconfigError", True)
    assert error["message"].endswith(f"cannot be read: {code}")


@pytest.mark.parametrize(
    "place",
    [
        "aws:secretsmanager:xx-nowhere-1",
        "aws:secretsmanager:cn-north-1",
        "aws-cn:secretsmanager:us-east-1",
    ],
)
def test_a_region_that_is_not_of_the_arns_partition_is_asked_nothing(
    world: World, place: str
) -> None:
    cluster = world.add_stored("edge")
    arn = world.store_kubeconfig("edge", kubeconfig(cluster, token=TOKEN)).replace(
        "aws:secretsmanager:us-east-1", place
    )
    world.document(
        "edge",
        json.dumps({"namespaces": ["a"], "signIn": {"type": "kubeconfig", "secretArn": arn}}),
    )
    error = cluster_of(world.run())["error"]
    assert (error["type"], "there is no region" in error["message"]) == ("KubeconfigError", True)
    assert not world.aws.called("secretsmanager")


def test_a_secret_that_was_deleted_and_made_again_is_not_found(world: World) -> None:
    cluster = world.add_stored("edge")
    arn = world.store_kubeconfig("edge", kubeconfig(cluster, token=TOKEN))
    world.document(
        "edge",
        json.dumps(
            {
                "namespaces": ["a"],
                "signIn": {"type": "kubeconfig", "secretArn": f"{arn[:-6]}Zzzzzz"},
            }
        ),
    )
    assert cluster_of(world.run())["error"]["type"] == "KubeconfigError"


# What stays behind


@pytest.mark.parametrize("by", KINDS)
def test_nothing_secret_is_reported_logged_or_left_on_disk_or_in_memory(
    world: World,
    by: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    cluster = world.add_stored("edge", by=by)
    config = kubeconfig(cluster, by=by, token=TOKEN)
    world.store_kubeconfig("edge", config)
    kept_by_the_loader = dict(
        kube_config._temp_files
    )  # of the command line's tests, which read kubeconfigs by it too
    shown = json.dumps([world.invoke({"action": action}) for action in ("push", "check", "plan")])
    out, err = capfd.readouterr()
    assert not [text for text in secrets_in(config) for place in (shown, out, err) if text in place]
    assert list(tmp_path.iterdir()) == []
    assert kube_config._temp_files == kept_by_the_loader
    gc.collect()
    left = [held for held in gc.get_objects() if isinstance(held, (ClientCertificate, _SignedIn))]
    assert left == []


def test_no_file_stays_open(world: World) -> None:
    world.add_stored("edge", by="certificate")
    world.run()
    before = len(os.listdir("/proc/self/fd"))
    world.run()
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_official_client_is_imported_by_nothing_else() -> None:
    """Its import takes 0.16 s of CPU and 37 MB, which an EKS push does without."""
    code = (
        "import sys, ecr_public_pusher.handler; print([name for name in sys.modules if"
        " name.split('.')[0] in ('kubernetes',)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"AWS_REGION": "us-east-1"},
    )
    assert done.stdout.strip() == "[]"


def test_contexts_with_a_private_key_belong_to_one_client(world: World) -> None:
    """Contexts without a key are cached by their authority.

    Two clusters of one authority must not share one with a key.
    """
    certificate = issue("x")
    client = ClientCertificate(certificate.certificate_pem, certificate.key_pem)
    made = [
        client_context(certificate.ca_pem, client),
        client_context(certificate.ca_pem, client),
        verifying_context(certificate.ca_pem),
    ]
    assert len(set(map(id, made))) == 3


def test_the_execution_role_reads_it(world: World) -> None:
    world.add_stored("edge")
    world.run()
    (call,) = world.aws.called("secretsmanager")
    assert call.principal is not None
    assert EXECUTION_ROLE.rpartition("/")[2] in call.principal
