"""AWS's web identity tokens, over the wire.

The API server trusts the issuer for this document, and for no other.
"""

import base64
import json
import re
import threading
from typing import Any

import pytest
import yaml

from ecr_public_pusher.blocking_calls import MOST_THREADS
from ecr_public_pusher.errors import SignInError
from ecr_public_pusher.sign_in.api_server_trust import Claims, TrustRemedies
from ecr_public_pusher.sign_in.kind import Endpoint
from infra.local.aws.wire import Answer, AwsRequest
from infra.local.kube import EmbeddedCluster
from infra.local.kube.auth.jwts import TrustedIssuer
from infra.local.kube.cluster import Response, SeenRequest
from infra.local.stack import trusted_issuer
from tests.support.recorded_answers import recorded, refuse_first
from tests.support.reports import cluster_of, findings
from tests.support.world import ACCOUNT, EXECUTION_ROLE, GROUP, SPOKE_ACCOUNT, SPOKE_ROLE, World

DOCUMENT = "{namespaces: [a], signIn: {type: webIdentity}}"
CALL = ("sts", "GetWebIdentityToken")


@pytest.fixture(autouse=True)
def switched_on(world: World) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
    world.aws.web_identity.enabled = True


def issued(world: World) -> list[str]:
    """Return the audiences that tokens were requested for."""
    return [call.parameters["Audience"] for call in world.aws.called(*CALL)]


def test_a_push_without_anything_stored(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    report = world.run()
    assert (report["ok"], report["totals"]["created"]) == (True, 1)
    assert world.token("edge", "a")


def test_a_plan_signs_in_by_web_identity(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    assert cluster_of(world.run({"action": "plan"}))["changes"] == [
        {"namespace": "a", "outcome": "created"}
    ]
    assert world.secret("edge", "a") is None


def test_a_sweep_signs_in_by_web_identity(world: World) -> None:
    world.add_elsewhere("edge", document="{namespaces: ['*'], signIn: {type: webIdentity}}")
    assert world.run({"action": "sweep"})["totals"]["created"] >= 1


def test_a_check_passes(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    report = world.run({"action": "check"})
    assert [finding for finding in findings(report).values() if not finding["ok"]] == []
    assert findings(report)["sign-in"]["message"].startswith(
        f"as aws:{EXECUTION_ROLE}, in the groups {GROUP}"
    )


def test_check_shows_issuer_subject_and_audience_and_no_token(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    said = findings(world.run({"action": "check"}))["token"]["message"]
    assert said.endswith(
        f"of the issuer {world.aws.web_identity.url}, subject {EXECUTION_ROLE}, audience"
        " ecr-public-pusher:edge"
    )
    assert "eyJ" not in said


def test_an_sts_that_hangs_for_very_many_delays_no_other_kind(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="{namespaces: [a]}", embedded=True)
    edge = world.add_elsewhere("edge", document=DOCUMENT, embedded=True)
    for number in range(MOST_THREADS + 8):
        where = {
            "endpoint": edge.endpoint,
            "certificateAuthority": edge.ca_pem,
            "signIn": {"type": "webIdentity"},
        }
        world.document(f"edge-{number}", yaml.safe_dump({"namespaces": [f"a{number}"], **where}))
    answered = threading.Event()

    def hang(_: AwsRequest) -> Answer | None:
        answered.wait(60)
        return None

    world.aws.script(*CALL, hang)
    report = world.run(seconds=8)
    answered.set()
    assert cluster_of(report, "prod")["ok"]
    assert len(report["clusters"]) == MOST_THREADS + 10


# Each token for one document, and as few as that takes


def test_one_call_to_sts_for_each_document(world: World) -> None:
    for name in ("one", "two", "three"):
        world.add_elsewhere(
            name,
            document="{namespaces: ['*'], signIn: {type: webIdentity}}",
            namespaces=("a", "b", "c"),
        )
    assert world.run()["ok"]
    assert sorted(issued(world)) == [
        f"ecr-public-pusher:{name}" for name in ("one", "three", "two")
    ]


def test_none_for_an_estate_without_it(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert world.run()["ok"]
    assert not world.aws.called(*CALL)


def test_the_tokens_are_short_and_of_the_algorithm_that_older_servers_take_too(
    world: World,
) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    world.run()
    (call,) = world.aws.called(*CALL)
    assert {name: call.parameters[name] for name in ("SigningAlgorithm", "DurationSeconds")} == {
        "SigningAlgorithm": "RS256",
        "DurationSeconds": "300",
    }


def test_another_documents_token_is_refused(world: World) -> None:
    """The second document names the first one's cluster: its own token is for another audience."""
    first = world.add_elsewhere("edge", document=DOCUMENT)
    fields = {
        "endpoint": first.endpoint,
        "certificateAuthority": first.ca_pem,
        "namespaces": ["a"],
        "signIn": {"type": "webIdentity"},
    }
    world.document("intruder", json.dumps(fields | {"secretName": "another"}))
    report = world.run()
    assert cluster_of(report, "edge")["ok"]
    assert cluster_of(report, "intruder")["error"]["type"] == "SignInError"


def test_a_role_of_the_document_is_the_subject(world: World) -> None:
    world.aws.web_identity_of(SPOKE_ACCOUNT).enabled = True
    document = (
        f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id, signIn: {{type:"
        " webIdentity}}"
    )
    world.add_elsewhere("edge", document=document, principal=SPOKE_ROLE)
    assert world.run()["ok"]


# Refused by the cluster


def test_after_a_refusal_a_token_is_asked_for_again_once(world: World) -> None:
    cluster = world.add_elsewhere("edge", document=DOCUMENT, embedded=True)
    refuse_first(cluster, 1)
    assert world.run()["ok"]
    assert len(issued(world)) == 2


@pytest.mark.parametrize(
    "trusted",
    [
        {"audience": "ecr-public-pusher:another"},
        {"principal": "arn:aws:iam::111122223333:role/another"},
        {"principal": f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher"},
        {"trusts": False},
    ],
    ids=["another audience", "another role", "another account", "no issuer"],
)
def test_a_cluster_that_trusts_something_else(world: World, trusted: dict[str, Any]) -> None:
    world.add_elsewhere("edge", document=DOCUMENT, **trusted)
    error = cluster_of(world.run())["error"]
    assert error["type"] == "SignInError"
    assert "AuthenticationConfiguration" in error["remedy"]
    assert len(issued(world)) == 2  # one, and a fresh one


def test_what_check_prints_makes_the_cluster_trust_it(world: World) -> None:
    """Parsed as a server would, and given to that server.

    With KUBEBUILDER_ASSETS to the real one.
    """
    cluster = world.add_elsewhere("edge", document=DOCUMENT, trusts=False)
    report = findings(world.run({"action": "check"}))
    assert report["sign-in"]["message"] == f"the cluster does not admit {EXECUTION_ROLE}"
    printed = yaml.safe_load(report["sign-in"]["remedy"].partition(":\n")[2])
    assert printed["apiVersion"] == "apiserver.config.k8s.io/v1"
    known = trusted_issuer(world.aws, audience="x", subject=EXECUTION_ROLE)
    cluster.trust(
        TrustedIssuer.read(
            printed, keys=known.keys, discovery_url=known.discovery_url, ca_pem=known.ca_pem
        )
    )
    assert world.run({"action": "check"})["ok"]
    assert world.run()["ok"]


@pytest.mark.parametrize(
    ("minor", "said", "never"),
    [
        ("36", ["apiserver.config.k8s.io/v1\n", "Kubernetes 1.36"], ["v1beta1", "--oidc"]),
        ("34+", ["apiserver.config.k8s.io/v1\n", "Kubernetes 1.34"], ["v1beta1", "--oidc"]),
        ("33", ["apiserver.config.k8s.io/v1beta1\n", "Kubernetes 1.33"], ["--oidc"]),
        ("30", ["apiserver.config.k8s.io/v1beta1\n"], ["--oidc"]),
        (
            "29",
            ["structured authentication needs 1.30", "--oidc-issuer-url=https://"],
            ["apiserver.config.k8s.io"],
        ),
        (
            "odd",
            [
                "apiserver.config.k8s.io/v1\n",
                "1.33: with apiserver.config.k8s.io/v1beta1",
                "--oidc-issuer-url=https://",
            ],
            [],
        ),
        (
            None,
            [
                "apiserver.config.k8s.io/v1\n",
                "1.33: with apiserver.config.k8s.io/v1beta1",
                "--oidc-issuer-url=https://",
            ],
            [],
        ),
    ],
)
def test_what_is_printed_fits_the_servers_version(
    world: World, minor: str | None, said: list[str], never: list[str]
) -> None:
    cluster = world.add_elsewhere("edge", document=DOCUMENT, trusts=False, embedded=True)

    def answer(request: SeenRequest) -> Response | None:
        if request.path != "/version":
            return None
        return (
            Response(200, {"major": "1", "minor": minor})
            if minor
            else recorded("version-of-who-is-not-signed-in").response
        )

    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = answer
    remedy = findings(world.run({"action": "check"}))["sign-in"]["remedy"]
    assert [text for text in said if text not in remedy] == []
    assert [text for text in never if text in remedy] == []


def test_the_version_is_asked_for_without_a_token(world: World) -> None:
    cluster = world.add_elsewhere("edge", document=DOCUMENT, trusts=False, embedded=True)
    world.run({"action": "check"})
    assert [
        "authorization" in request.headers
        for request in cluster.requests
        if request.path == "/version"
    ] == [False]


def test_the_flags_bind_the_user_to_the_role_that_infra_rbac_has() -> None:
    flags = TrustRemedies(
        Endpoint("https://edge", ""),
        Claims("ecr-public-pusher:edge", "https://issuer", EXECUTION_ROLE),
    ).flags
    assert f"--oidc-required-claim=sub={EXECUTION_ROLE}" in flags
    assert f"--clusterrole=ecr-public-pusher --user=aws:{EXECUTION_ROLE}" in flags


@pytest.mark.parametrize(
    "claim",
    ['x"}, audiences: ["*"', "a'b", "a\\b", "a b", "a\nb", "ä", "x" * 301, "", None, 7, ["x"]],
)
def test_a_claim_that_would_end_its_quotes_is_not_printed(claim: Any) -> None:
    payload = (
        base64.urlsafe_b64encode(json.dumps({"iss": claim, "sub": EXECUTION_ROLE}).encode())
        .decode()
        .rstrip("=")
    )
    assert Claims.of(f"e30.{payload}.c2ln", "a") == Claims("a")


# STS


def test_the_accounts_switch_is_named_with_its_command(world: World) -> None:
    world.aws.web_identity.enabled = False
    world.add_elsewhere("edge", document=DOCUMENT)
    error = cluster_of(world.run())["error"]
    assert (
        error["type"],
        "OutboundWebIdentityFederationDisabledException" in error["message"],
    ) == ("SignInError", True)
    assert "aws iam enable-outbound-web-identity-federation" in error["remedy"]


def test_check_names_the_switch_and_still_looks_whether_the_cluster_is_reached(
    world: World,
) -> None:
    world.aws.web_identity.enabled = False
    world.add_elsewhere("edge", document=DOCUMENT)
    found = findings(world.run({"action": "check"}))
    assert "aws iam enable-outbound-web-identity-federation" in found["token"]["remedy"]
    assert (found["tls"]["ok"], "sign-in" in found) == (True, False)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("AccessDenied", 403, "needs sts:GetWebIdentityToken"),
        ("JWTPayloadSizeExceededException", 400, "needs sts:GetWebIdentityToken"),
        ("InternalFailure", 500, "retried automatically"),
        ("Throttling", 400, "retried automatically"),
    ],
)
def test_a_token_that_sts_does_not_give(world: World, code: str, status: int, said: str) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script(*CALL, lambda request: Answer.refusal(request, code, "no", status=status))
    report = world.run()
    error = cluster_of(report)["error"]
    assert (error["message"], said in error["remedy"]) == (
        f"STS gave no web identity token for edge: {code}",
        True,
    )
    assert cluster_of(report, "prod")["ok"]


@pytest.mark.parametrize(
    "token",
    ["", "opaque", "a.b", "a..c", "a.b.c.d", "a.b.c d", "a.b.c&#13;&#10;X: 1", "ä.b.c", "a.b.c="],
)
def test_a_token_that_is_not_a_json_web_token_is_not_sent(world: World, token: str) -> None:
    def answer(request: AwsRequest) -> Answer:
        text = f"<WebIdentityToken>{token}</WebIdentityToken>"
        for tag in ("GetWebIdentityTokenResult", "GetWebIdentityTokenResponse"):
            text = f"<{tag}>{text}</{tag}>"
        return Answer(
            200,
            text.encode(),
            {"Content-Type": "text/xml"},
        )

    cluster = world.add_elsewhere("edge", document=DOCUMENT)
    world.aws.script(*CALL, answer)
    before = len(cluster.requests)
    error = cluster_of(world.run())["error"]
    assert error["type"] == SignInError.__name__
    assert "is not a JSON Web Token" in error["message"] or "NonsenseAnswer" in error["message"]
    assert len(cluster.requests) == before


def test_no_token_shows_anywhere(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    world.add_elsewhere("edge", document=DOCUMENT)
    world.add_elsewhere("shut", document=DOCUMENT, trusts=False)
    shown = json.dumps(
        [world.invoke({"action": action}) for action in ("push", "check", "plan")]
    ) + "".join(capfd.readouterr())
    assert re.findall(r"eyJ[\w-]+\.", shown) == []


def test_a_cluster_that_echoes_the_token_as_our_name_is_not_repeated(world: World) -> None:
    """A stored token can be as short as a name."""
    cluster = world.add_stored("edge", token="short-token")

    def echo(request: SeenRequest) -> Response | None:
        if "selfsubjectreviews" not in request.path:
            return None
        status = {"userInfo": {"username": "short-token", "groups": ["x-short-token", GROUP]}}
        return Response(201, {"kind": "SelfSubjectReview", "status": status})

    cluster.intercept = echo
    assert "short-token" not in json.dumps(world.run({"action": "check"}))


def test_the_account_of_the_function_asks(world: World) -> None:
    world.add_elsewhere("edge", document=DOCUMENT)
    world.run()
    assert [call.account for call in world.aws.called(*CALL)] == [ACCOUNT]
