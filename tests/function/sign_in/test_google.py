"""Sign-in to GKE by Google's access token for a token of AWS's issuer.

The token services are on loopback, and check issuer, audience, signature and grant. Google's own
library, google-auth, makes the same requests.
"""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from google.auth import identity_pool
from google.auth.exceptions import OAuthError, RefreshError
from google.auth.transport.requests import Request

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.configuration.cluster_config import Google, Server
from ecr_public_pusher.deadline import Clock, Deadline
from ecr_public_pusher.errors import ConfigurationError, DeadlineReached
from ecr_public_pusher.invocation.settings import Settings
from ecr_public_pusher.kubernetes_api.connection_budget import ConnectionBudget
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.kubernetes_api.tls import verifying_context
from ecr_public_pusher.sign_in.api_server_trust import Claims
from ecr_public_pusher.sign_in.google_remedies import GoogleRemedies
from ecr_public_pusher.sign_in.google_tokens import (
    GKE_SCOPES,
    LIFE_SECONDS,
    MAX_ANSWER_BYTES,
    MAX_TOKEN_BYTES,
    Cause,
    GoogleTokens,
    NoGoogleToken,
    Service,
)
from ecr_public_pusher.sign_in.kind import Endpoint
from ecr_public_pusher.sign_in.network import GoogleEndpoints, Network
from ecr_public_pusher.sign_in.validity import claims_of
from infra.local.aws.issuer import WebIdentityIssuer
from infra.local.kube import EmbeddedCluster
from infra.local.kube.certificates import issue
from infra.local.kube.cluster import Response, SeenRequest
from infra.local.kube.http.server import HttpRequest
from infra.local.stack import user_binding
from tests.support.bad_server import Exchange, drip, serving
from tests.support.commands import in_backticks, parse
from tests.support.google import ACCOUNT, POOL, PRINCIPAL, PROVIDER, Gke, bound, google_beside
from tests.support.paste import paste
from tests.support.recorded_answers import recorded, refuse_first
from tests.support.reports import cluster_of, findings
from tests.support.world import (
    EXECUTION_ROLE,
    IMPATIENT,
    SPOKE_ACCOUNT,
    SPOKE_ROLE,
    World,
    manifests,
)

STS = "/v1/token"
IMPERSONATION = f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
CALL = ("sts", "GetWebIdentityToken")


@pytest.fixture
def gke(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gke]:
    with google_beside(world, monkeypatch, tmp_path) as made:
        yield made


def asked(gke: Gke) -> list[str]:
    """Return method and path of each request that the token services received."""
    return [f"{one.method} {one.target}" for one in gke.google.requests]


def failing(gke: Gke, path: str, *answers: Response) -> None:
    """Have the first requests for a path answered by these, the others by the service."""
    left = list(answers)

    def answer(request: HttpRequest) -> Response | None:
        return left.pop(0) if left and request.target == path else None

    gke.google.intercept = answer


def refusal(world: World) -> dict[str, str]:
    """Return the error of a push to the one cluster."""
    error = cluster_of(world.run(), "gke")["error"]
    assert error["type"] == "SignInError", error
    return dict(error)


# What every action does


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["federated", "service account"])
def test_a_push_with_nothing_stored(world: World, gke: Gke, account: str | None) -> None:
    cluster = gke.add("gke", account=account)
    report = world.run()
    assert (report["ok"], report["totals"]["created"]) == (True, 1)
    assert world.token("gke", "a")
    writers = {one.user for one in cluster.requests if one.method == "PATCH"}
    assert writers == {account or PRINCIPAL}


def test_a_plan_signs_in_and_writes_nothing(world: World, gke: Gke) -> None:
    gke.add("gke")
    assert cluster_of(world.run({"action": "plan"}), "gke")["changes"] == [
        {"namespace": "a", "outcome": "created"}
    ]
    assert world.secret("gke", "a") is None


def test_a_sweep_signs_in(world: World, gke: Gke) -> None:
    gke.add("gke", document="{namespaces: ['*']}")
    assert world.run({"action": "sweep"})["totals"]["created"] >= 1


def test_a_push_prunes_and_a_removal_removes(world: World, gke: Gke) -> None:
    cluster = gke.add("gke", namespaces=("a", "b"), document="{namespaces: [a, b], prune: true}")
    cluster.apply(*(bound(one) for one in manifests("prune.yaml")))
    assert world.run()["totals"]["created"] == 2
    gke.add_document("gke", cluster, "{namespaces: [a], prune: true}")
    assert world.run()["totals"]["pruned"] == 1
    assert world.run({"action": "remove", "clusters": ["gke"]})["totals"]["removed"] == 1
    assert world.secret("gke", "a") is None


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["federated", "service account"])
def test_a_check_passes_and_shows_whose_token_it_is(
    world: World, gke: Gke, account: str | None
) -> None:
    gke.add("gke", account=account)
    found = findings(world.run({"action": "check"}), "gke")
    assert [finding for finding in found.values() if not finding["ok"]] == []
    assert found["sign-in"]["message"].startswith(f"as {account or PRINCIPAL}, in the groups ")
    assert found["token"]["message"].endswith(
        f"Google's access token of {account or PRINCIPAL}, given for AWS's of the issuer"
        f" {world.aws.web_identity.url}, subject {EXECUTION_ROLE}, audience ecr-public-pusher:gke"
    )
    assert "ya29" not in json.dumps(found)


def test_a_role_of_the_document_is_exchanged(world: World, gke: Gke) -> None:
    world.aws.web_identity_of(SPOKE_ACCOUNT).enabled = True
    issuer = world.aws.web_identity_of(SPOKE_ACCOUNT)
    user = f"principal:{POOL}/subject/{SPOKE_ROLE}"
    document = f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}"
    gke.add("gke", user=user, document=document)
    provider = gke.provider("gke", condition=SPOKE_ROLE)
    gke.google.trust(replace(provider, issuer=issuer.url, keys=issuer.keys))
    assert world.run()["ok"]


# As few requests as that takes, and none that is kept


@pytest.mark.parametrize(
    ("account", "posts"),
    [(None, [f"POST {STS}"]), (ACCOUNT, [f"POST {STS}", f"POST {IMPERSONATION}"])],
    ids=["federated", "service account"],
)
def test_one_post_and_a_second_one_for_a_service_account(
    world: World, gke: Gke, account: str | None, posts: list[str]
) -> None:
    gke.add("gke", account=account, namespaces=("a", "b"), document="{namespaces: [a, b]}")
    assert world.run()["ok"]
    assert asked(gke) == posts
    assert [call.parameters["Audience"] for call in world.aws.called(*CALL)] == [
        "ecr-public-pusher:gke"
    ]


def test_a_check_exchanges_once_for_all_its_steps(world: World, gke: Gke) -> None:
    gke.add("gke", account=ACCOUNT)
    assert world.run({"action": "check"})["ok"]
    assert asked(gke) == [f"POST {STS}", f"POST {IMPERSONATION}"]
    assert len(world.aws.called(*CALL)) == 1


def test_each_run_exchanges_anew(world: World, gke: Gke) -> None:
    gke.add("gke")
    assert world.run()["ok"]
    assert world.run()["ok"]
    first, second = (form(one)["subject_token"] for one in gke.google.requests)
    assert first != second


def test_an_estate_without_it_asks_google_nothing(world: World, gke: Gke) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert world.run()["ok"]
    assert asked(gke) == []
    assert not world.aws.called(*CALL)


# The requests are google-auth's


def form(request: HttpRequest) -> dict[str, str]:
    fields = parse_qs(request.body.decode(), strict_parsing=True)
    assert all(len(values) == 1 for values in fields.values())
    return {name: value for name, (value,) in fields.items()}


class AwsToken(identity_pool.SubjectTokenSupplier):
    """A supplier for google-auth of a token as STS of AWS gives it to the function."""

    def __init__(self, issuer: WebIdentityIssuer, **claims: Any) -> None:
        self._issuer = issuer
        self._claims = {
            "sub": EXECUTION_ROLE,
            "aud": "ecr-public-pusher:gke",
            "exp": int(time.time()) + 300,
        } | claims

    def get_subject_token(self, context: object, request: object) -> str:
        return self._issuer.sign(self._claims)


def credentials(gke: Gke, supplier: AwsToken, account: str | None) -> Any:
    return identity_pool.Credentials(  # type: ignore[no-untyped-call]
        audience=PROVIDER,
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url=f"{gke.google.url}{STS}",
        subject_token_supplier=supplier,
        service_account_impersonation_url=(
            f"{gke.google.url}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
            if account
            else None
        ),
        service_account_impersonation_options={"token_lifetime_seconds": LIFE_SECONDS},
        scopes=list(GKE_SCOPES),
    )


def transport(world: World) -> Any:
    session = requests.Session()
    session.verify = world.environ["SSL_CERT_FILE"]
    session.trust_env = False  # whose REQUESTS_CA_BUNDLE would come first
    return Request(session)


def compared(request: HttpRequest) -> dict[str, Any]:
    """Return what a request says, without what differs from one to the next.

    JSON's nulls are fields that are not given (proto3's JSON mapping).
    """
    kind = request.headers["content-type"].partition(";")[0]
    if kind == "application/json":
        body = json.loads(request.body)
        body = {name: value for name, value in body.items() if value is not None}
        scheme = request.headers["authorization"].partition(" ")[0]
        said: dict[str, Any] = {"body": body, "authorization": scheme}
    else:
        fields = form(request)
        claims = claims_of(fields.pop("subject_token"))
        said = {
            "form": fields,
            "claims": {name: claims[name] for name in ("iss", "sub", "aud")},
            "authorization": request.headers.get("authorization"),
        }
    return {"method": request.method, "path": request.target, "type": kind, **said}


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["federated", "service account"])
def test_the_requests_are_those_of_google_auth(world: World, gke: Gke, account: str | None) -> None:
    gke.add("gke", account=account)
    assert world.run()["ok"]
    ours = [compared(one) for one in gke.google.requests]
    gke.google.requests.clear()
    theirs = credentials(gke, AwsToken(world.aws.web_identity), account)
    theirs.refresh(transport(world))
    assert gke.google.verify(theirs.token)[0].username == (account or PRINCIPAL)
    assert ours == [compared(one) for one in gke.google.requests]


# Refused by Google: each reason is a typed failure, and google-auth's own


def another_issuer(gke: Gke) -> AwsToken:
    issuer = WebIdentityIssuer("111122223333")
    gke.google.trust(replace(gke.provider("gke"), issuer=issuer.url))
    return AwsToken(gke.world.aws.web_identity)


def another_audience(gke: Gke) -> AwsToken:
    gke.google.trust(gke.provider("another"))
    return AwsToken(gke.world.aws.web_identity)


def another_key(gke: Gke) -> AwsToken:
    other = WebIdentityIssuer("999988887777")
    gke.google.trust(replace(gke.provider("gke"), keys=other.keys))
    return AwsToken(gke.world.aws.web_identity)


def another_subject(gke: Gke) -> AwsToken:
    gke.google.trust(gke.provider("gke", condition="arn:aws:iam::111122223333:role/another"))
    return AwsToken(gke.world.aws.web_identity)


def no_provider(gke: Gke) -> AwsToken:
    gke.google.providers.clear()
    return AwsToken(gke.world.aws.web_identity)


def expired(gke: Gke) -> AwsToken:
    gke.google.clock = lambda: time.time() + 3600
    return AwsToken(gke.world.aws.web_identity)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (another_issuer, "invalid_grant"),
        (another_audience, "invalid_grant"),
        (another_key, "invalid_grant"),
        (expired, "invalid_grant"),
        (another_subject, "unauthorized_client"),
        (no_provider, "invalid_target"),
    ],
)
def test_a_refused_exchange(
    world: World, gke: Gke, spoil: Callable[[Gke], AwsToken], code: str
) -> None:
    gke.add("gke")
    supplier = spoil(gke)
    error = refusal(world)
    assert error["message"] == (
        f"Google's Security Token Service gave no access token for gke: it responded 400 ({code})"
    )
    assert len(gke.google.requests) == 1
    with pytest.raises(OAuthError, match=f"Error code {code}"):
        credentials(gke, supplier, None).refresh(transport(world))
    create, provider, update = commands(error["remedy"])
    assert create == (
        "gcloud iam workload-identity-pools create a-pool --project=PROJECT --location=global"
    )
    flags = (
        " a-provider --project=PROJECT --location=global --workload-identity-pool=a-pool"
        f" --issuer-uri={world.aws.web_identity.url} --allowed-audiences=ecr-public-pusher:gke"
        " --attribute-mapping=google.subject=assertion.sub"
        f" --attribute-condition=assertion.sub == '{EXECUTION_ROLE}'"
    )
    assert provider == f"gcloud iam workload-identity-pools providers create-oidc{flags}"
    assert update == f"gcloud iam workload-identity-pools providers update-oidc{flags}"
    assert "In the project 123456789012" in error["remedy"]


def test_a_role_whose_arn_is_too_long_for_google() -> None:
    role = f"arn:aws:iam::111122223333:role/{'path/' * 20}pusher"
    choice = Google(Server("https://x"), PROVIDER)
    refused = NoGoogleToken(Service.STS, Cause.REFUSED, "x", "invalid_grant")
    for subject, said in ((role, "has 137 characters"), (role[:127], "does not trust this issuer")):
        claims = Claims("audience", "https://issuer", subject)
        remedies = GoogleRemedies(Endpoint("https://x", ""), choice, claims, role)
        assert said in remedies.no_token(refused)


def commands(remedy: str) -> list[str]:
    """Return the commands of a remedy, as a shell takes them apart."""
    return [
        " ".join((one.program, *(word.text for word in one.words)))
        for text in in_backticks(remedy)
        for one in parse(text)
    ]


def test_the_remedy_of_a_check_that_finds_no_provider_is_all_that_google_needs(
    world: World, gke: Gke
) -> None:
    """Give the token service what the commands say; it then trusts the function."""
    gke.add("gke")
    gke.google.providers.clear()
    found = findings(world.run({"action": "check"}), "gke")
    assert (found["token"]["ok"], found["tls"]["ok"], "sign-in" in found) == (False, True, False)
    _, command, _ = commands(found["token"]["remedy"])
    given = dict(re.findall(r"--([a-z-]+)=(.*?)(?= --|$)", command))
    issuer = world.aws.web_identity
    assert given["issuer-uri"] == issuer.url
    subject = given["attribute-condition"].removeprefix("assertion.sub == ").strip("'")
    provider = gke.provider("gke", condition=subject)
    gke.google.trust(replace(provider, audiences=(given["allowed-audiences"],)))
    assert world.run({"action": "check"})["ok"]


@pytest.mark.parametrize("known", [True, False], ids=["not a member", "no such account"])
def test_a_service_account_that_the_identity_may_not_become(
    world: World, gke: Gke, known: bool
) -> None:
    gke.add("gke", account=ACCOUNT)
    gke.google.members.clear()
    if known:
        gke.google.let_become(ACCOUNT, ["principal://another"])
    error = refusal(world)
    assert error["message"] == (
        "Google's IAM Service Account Credentials gave no access token for gke: it responded 403"
        " (PERMISSION_DENIED)"
    )
    assert commands(error["remedy"]) == [
        f"gcloud iam service-accounts add-iam-policy-binding {ACCOUNT} --project=PROJECT"
        f" --role=roles/iam.workloadIdentityUser --member={PRINCIPAL}"
    ]
    with pytest.raises(RefreshError):
        credentials(gke, AwsToken(world.aws.web_identity), ACCOUNT).refresh(transport(world))


@pytest.mark.parametrize(
    ("path", "api"),
    [(STS, "sts.googleapis.com"), (IMPERSONATION, "iamcredentials.googleapis.com")],
)
def test_an_api_that_is_off(world: World, gke: Gke, path: str, api: str) -> None:
    gke.add("gke", account=ACCOUNT)
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]
    error = {"code": 403, "status": "PERMISSION_DENIED", "details": ["x", {}, *details]}
    failing(gke, path, Response(403, {"error": error}))
    assert refusal(world)["remedy"] == f"`gcloud services enable {api} --project=PROJECT`"


@pytest.mark.parametrize(
    "error",
    [
        "eyJ.a.b",
        {"status": "eyJ.a.b", "details": {"reason": "eyJ.a.b"}},
        ["eyJ.a.b"],
        7,
        None,
    ],
)
def test_only_known_codes_are_repeated(world: World, gke: Gke, error: Any) -> None:
    gke.add("gke")
    answer = {"error": error, "error_description": "eyJ.a.b", "error_uri": "https://eyJ.a.b"}
    failing(gke, STS, Response(400, answer))
    said = refusal(world)
    assert said["message"].endswith("for gke: it responded 400")
    assert "eyJ" not in json.dumps(said)


# Unavailable, or not Google


@pytest.mark.parametrize("path", [STS, IMPERSONATION])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_busy_is_asked_again(
    world: World, gke: Gke, path: str, status: int
) -> None:
    gke.add("gke", account=ACCOUNT)
    failing(gke, path, Response(status, headers={"Retry-After": "0"}))
    assert world.run()["ok"]
    assert asked(gke).count(f"POST {path}") == 2


def test_a_service_that_stays_busy_fails_its_own_clusters(world: World, gke: Gke) -> None:
    gke.add("gke")
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    gke.google.intercept = lambda _: Response(503)
    report = world.run()
    error = cluster_of(report, "gke")["error"]
    assert error["message"].endswith("gave no access token for gke: it responded 503")
    assert error["remedy"].startswith("sts.googleapis.com is unavailable or throttling")
    assert cluster_of(report, "prod")["ok"]


def test_a_wait_beyond_the_deadline_is_not_begun(world: World, gke: Gke) -> None:
    gke.add("gke")
    gke.google.intercept = lambda _: Response(429, headers={"Retry-After": "3600"})
    began = time.monotonic()
    assert "it responded 429" in refusal(world)["message"]
    assert time.monotonic() - began < 20
    assert len(gke.google.requests) == 1


def test_a_service_that_hangs_delays_no_other_cluster(world: World, gke: Gke) -> None:
    gke.add("gke")
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    ended = threading.Event()

    def hang(_: HttpRequest) -> Response | None:
        ended.wait(60)
        return None

    gke.google.intercept = hang
    report = world.run(seconds=4)
    ended.set()
    assert cluster_of(report, "prod")["ok"]
    assert cluster_of(report, "gke")["error"]["type"] in ("SignInError", "DeadlineReached")


def exchanged_by(
    gke: Gke, wall: Callable[[], float], *, url: str | None = None, attempts: int = 2
) -> str:
    """Exchange a token under a deadline of ten seconds on that clock; return Google's.

    `url`: of a server in place of the token services.
    """

    async def exchange() -> str:
        with Sockets() as sockets:
            async with BlockingCalls() as blocking:
                network = Network(
                    Deadline(10, Clock(wall=wall)),
                    blocking,
                    sockets,
                    replace(IMPATIENT, attempts=attempts),
                    GoogleEndpoints(url or gke.google.url),
                )
                token = AwsToken(gke.world.aws.web_identity).get_subject_token(None, None)
                exchange = GoogleTokens(network).exchange
                return await exchange(token, provider=PROVIDER, scopes=GKE_SCOPES)

    return asyncio.run(exchange())


@pytest.mark.parametrize("seconds", [(11,), (0, 11)], ids=["before it", "while it connects"])
def test_nothing_is_sent_once_the_deadline_has_passed(gke: Gke, seconds: tuple[int, ...]) -> None:
    gke.google.trust(gke.provider("gke"))
    assert exchanged_by(gke, lambda: 0).startswith("ya29.")
    gke.google.requests.clear()
    clock = iter(seconds)
    with pytest.raises(DeadlineReached):
        exchanged_by(gke, lambda: next(clock, 11))
    assert asked(gke) == []


def test_a_connection_is_closed_in_the_ordinary_way_once_answered_and_reset_otherwise(
    gke: Gke, tmp_path: Path
) -> None:
    ends: list[str] = []
    ended = threading.Barrier(2)

    def script(exchange: Exchange) -> None:
        exchange.request()
        if not ends:
            exchange.answer("200 OK", b'{"access_token": "ya29.a"}')
        try:
            while socket.socket.recv(exchange.connection, 1 << 16):
                pass
            ends.append("closed")
        except ConnectionResetError:
            ends.append("reset")
        ended.wait(10)

    with serving(script) as server:
        (tmp_path / "authorities.pem").write_text(server.certificate.ca_pem)
        verifying_context.cache_clear()
        assert exchanged_by(gke, lambda: 0, url=server.url, attempts=1) == "ya29.a"
        ended.wait(10)
        with pytest.raises(NoGoogleToken, match="did not complete its response in time"):
            exchanged_by(gke, lambda: 0, url=server.url, attempts=1)
        ended.wait(10)
    assert ends == ["closed", "reset"]


def test_an_answer_that_drips_is_given_up(gke: Gke, tmp_path: Path) -> None:
    with serving(drip) as server:
        (tmp_path / "authorities.pem").write_text(server.certificate.ca_pem)
        verifying_context.cache_clear()
        with pytest.raises(NoGoogleToken, match="did not complete its response in time"):
            exchanged_by(gke, lambda: 0, url=server.url, attempts=1)


def test_an_exchange_takes_one_connection_of_the_budget(world: World, gke: Gke) -> None:
    gke.add("gke")
    budget = ConnectionBudget()
    held: list[int] = []
    gke.google.intercept = lambda _: held.append(budget.held)
    assert world.run(budget=budget)["ok"]
    assert (held, budget.held) == ([1], 0)


def test_the_bounds_of_an_answer_and_of_a_token(gke: Gke) -> None:
    def answered(token: str, *, size: int = 0) -> str:
        body = json.dumps({"access_token": token}).ljust(size).encode()
        gke.google.intercept = lambda _: Response(200, body)
        return exchanged_by(gke, lambda: 0)

    assert answered("ya29.a", size=MAX_ANSWER_BYTES) == "ya29.a"
    with pytest.raises(NoGoogleToken, match="more than 64 KiB"):
        answered("ya29.a", size=MAX_ANSWER_BYTES + 1)
    assert answered("a" * MAX_TOKEN_BYTES) == "a" * MAX_TOKEN_BYTES
    with pytest.raises(NoGoogleToken, match="no access token"):
        answered("a" * (MAX_TOKEN_BYTES + 1))


FOREIGN = {
    "a redirect": (
        Response(307, headers={"Location": "https://127.0.0.1:1/"}),
        "it responded with a redirect (307), which is never followed",
    ),
    "a page": (Response(200, b"<html>"), "its response has no access token"),
    "a list": (Response(200, b"[]"), "its response has no access token"),
    "deep": (Response(200, b"[" * 60_000), "its response has no access token"),
    "nothing": (Response(200, {}), "its response has no access token"),
    "a number": (Response(200, {"access_token": 7}), "its response has no access token"),
    "a header": (
        Response(200, {"access_token": "ya29.a\r\nX: 1"}),
        "its response has no access token",
    ),
    "too long a token": (
        Response(200, {"access_token": "a" * 20_000}),
        "its response has no access token",
    ),
    "another type": (
        Response(200, {"access_token": "ya29.a", "token_type": "DPoP"}),
        "its response has no access token",
    ),
    "endless": (
        Response(200, b"x" * (MAX_ANSWER_BYTES + 1)),
        "it responded with more than 64 KiB",
    ),
    "no HTTP": (Response(raw=[b"SSH-2.0-x\r\n"]), "does not speak HTTP"),
}


@pytest.mark.parametrize(("answer", "said"), FOREIGN.values(), ids=FOREIGN)
def test_an_answer_that_is_not_googles(world: World, gke: Gke, answer: Response, said: str) -> None:
    cluster = gke.add("gke")
    before = len(cluster.requests)
    gke.google.intercept = lambda _: answer
    error = refusal(world)
    assert said in error["message"]
    assert "must reach sts.googleapis.com itself" in error["remedy"]
    assert len(gke.google.requests) == 1
    assert len(cluster.requests) == before


def test_a_certificate_of_no_public_authority(world: World, gke: Gke, tmp_path: Path) -> None:
    gke.add("gke")
    (tmp_path / "authorities.pem").write_text(issue("another").ca_pem)
    verifying_context.cache_clear()
    error = refusal(world)
    assert "is not one that a public authority signed for it" in error["message"]
    assert asked(gke) == []


def test_a_proxy_of_the_environment_is_not_used(
    world: World, gke: Gke, monkeypatch: pytest.MonkeyPatch
) -> None:
    gke.add("gke")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert world.run()["ok"]


def test_the_requests_ask_for_no_compression(world: World, gke: Gke) -> None:
    """A compressed response could expand to gigabytes."""
    gke.add("gke")
    assert world.run()["ok"]
    assert ["accept-encoding" in one.headers for one in gke.google.requests] == [False]


def test_an_address_where_nothing_listens(world: World, gke: Gke) -> None:
    gke.add("gke")
    gke.google.close()
    error = refusal(world)
    assert "refuses connections" in error["message"]
    assert "must reach sts.googleapis.com itself" in error["remedy"]


def test_an_address_that_is_not_https_is_refused(world: World, gke: Gke) -> None:
    for name in ("STS", "IAMCREDENTIALS"):
        variable = f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"
        environ = world.environ | {variable: "http://127.0.0.1:1"}
        with pytest.raises(ConfigurationError, match=f"{variable} is not an https URL"):
            Settings.from_env(environ, function_arn="arn:aws:lambda:us-east-1:111122223333:x")


def test_an_address_may_end_with_a_slash_as_gclouds_do() -> None:
    environ = {
        "AWS_REGION": "us-east-1",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS": "https://sts.example.com/",
    }
    settings = Settings.from_env(environ, function_arn="arn:aws:lambda:us-east-1:111122223333:x")
    assert settings.google.sts == "https://sts.example.com"


def test_the_addresses_are_googles_own() -> None:
    settings = Settings.from_env(
        {"AWS_REGION": "us-east-1"}, function_arn="arn:aws:lambda:us-east-1:111122223333:x"
    )
    assert (settings.google.sts, settings.google.iam_credentials) == (
        "https://sts.googleapis.com",
        "https://iamcredentials.googleapis.com",
    )


# Refused by the cluster


def test_after_a_refusal_a_token_is_asked_for_again_once(world: World, gke: Gke) -> None:
    cluster = gke.add("gke", embedded=True)
    refuse_first(cluster, 1)
    assert world.run()["ok"]
    assert asked(gke) == [f"POST {STS}"] * 2


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["federated", "service account"])
def test_a_cluster_that_admits_nobody_of_google(
    world: World, gke: Gke, account: str | None
) -> None:
    user = account or PRINCIPAL
    gke.add("gke", account=account)
    world.clusters["gke"].close()
    cluster = EmbeddedCluster("gke", credentials=world.aws.find_credential)
    world.clusters["gke"] = cluster
    gke.add_document("gke", cluster, "{namespaces: [a]}", account=account)
    error = refusal(world)
    assert error["message"].endswith(f"refused the sign-in: it does not admit {user}")
    assert asked(gke).count(f"POST {STS}") == 2
    member = f"serviceAccount:{account}" if account else user
    bind, apply, create, label, stored = commands(error["remedy"])
    assert bind == (
        "gcloud projects add-iam-policy-binding PROJECT --condition=None"
        f" --role=roles/container.clusterViewer --member={member}"
    )
    assert apply == "kubectl --context CONTEXT apply -f infra/rbac/cluster.yaml"
    assert re.fullmatch(
        "kubectl --context CONTEXT create clusterrolebinding ecr-public-pusher-[0-9a-f]{8}"
        f" --clusterrole=ecr-public-pusher --user={re.escape(user)} --dry-run=client -o yaml",
        create,
    )
    assert label == (
        "kubectl --context CONTEXT label --local -f - app.kubernetes.io/name=ecr-public-pusher"
        " -o yaml"
    )
    assert stored == "kubectl --context CONTEXT apply -f -"


def test_a_check_names_the_binding_of_the_identity_that_is_missing(world: World, gke: Gke) -> None:
    """GKE gives it no group, so nothing is said of ours; the roles are bound to the user."""
    gke.add("gke", user="")
    found = world.run({"action": "check"})["clusters"][0]["findings"]
    assert [one["ok"] for one in found if one["check"] == "sign-in"] == [True]
    missing = [one for one in found if one["check"] == "permission" and not one["ok"]]
    assert missing
    assert all(f"--user={PRINCIPAL}" in one["remedy"] for one in missing)
    assert "ecr-public-pushers" not in json.dumps([one["remedy"] for one in missing])


def test_what_grants_too_much_is_looked_for_by_the_users_name(world: World, gke: Gke) -> None:
    """IAM's authorizer gives no reason."""
    cluster = gke.add("gke", embedded=True)
    allowed = recorded("a-review-of-who-may-do-everything").response
    cluster.intercept = lambda request: (
        allowed if "selfsubjectaccessreviews" in request.path else None
    )
    found = world.run({"action": "check"})["clusters"][0]["findings"]
    (remedy,) = [one["remedy"] for one in found if one["check"] == "excess"]
    assert remedy.endswith(f" -A -o wide | grep -F '{PRINCIPAL}'`")


def test_the_bindings_that_a_check_prints_pasted_twice_make_it_pass(
    world: World, gke: Gke, tmp_path: Path
) -> None:
    cluster = gke.add("gke", user="")
    found = world.run({"action": "check"})["clusters"][0]["findings"]
    for remedy in {one["remedy"] for one in found if one["check"] == "permission"} - {""}:
        for _ in range(2):
            paste(remedy, cluster, "CONTEXT", tmp_path)
    assert cluster_of(world.run({"action": "check"}), "gke")["ok"]
    assert world.run()["ok"]


def test_a_push_that_is_forbidden_names_the_user_to_bind(world: World, gke: Gke) -> None:
    cluster = gke.add("gke", user="")
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}],
    }
    cluster.apply(reader, user_binding("reader", "reader", PRINCIPAL))
    (problem,) = cluster_of(world.run(), "gke")["problems"]
    assert problem["outcome"] == "forbidden"
    assert problem["remedy"].endswith(f"for the user {PRINCIPAL}.")


# Nothing secret


def test_no_token_shows_anywhere(world: World, gke: Gke, capfd: pytest.CaptureFixture[str]) -> None:
    gke.add("gke", account=ACCOUNT)
    gke.add("shut")
    gke.google.trust(gke.provider("gke"))
    shown = json.dumps(
        [world.invoke({"action": action}) for action in ("push", "check", "plan")]
    ) + "".join(capfd.readouterr())
    assert re.findall(r"eyJ[\w-]+\.|ya29\.", shown) == []


def test_a_cluster_that_echoes_the_token_as_our_name_is_not_repeated(
    world: World, gke: Gke
) -> None:
    cluster = gke.add("gke", embedded=True)

    def echo(request: SeenRequest) -> Response | None:
        if "selfsubjectreviews" not in request.path:
            return None
        token = list(gke.google.issued)[-1]
        status = {"userInfo": {"username": token, "groups": [token]}}
        return Response(201, {"kind": "SelfSubjectReview", "status": status})

    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = echo
    assert "ya29." not in json.dumps(world.run({"action": "check"}))


def test_an_error_of_the_whole_cluster_names_the_user_too(world: World, gke: Gke) -> None:
    gke.add("gke", user="")
    error = cluster_of(world.run({"action": "remove", "clusters": ["gke"]}), "gke")["error"]
    assert "the group" not in error["remedy"]
    assert "for the user principal://" in error["remedy"]
