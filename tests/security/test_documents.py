"""The power of somebody who may write documents.

The sentences of SECURITY.md that no other test holds.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from ecr_public_pusher.configuration.loader import Parameter, load
from ecr_public_pusher.configuration.schema import (
    ClusterDocument,
    DefaultsDocument,
    DiscoverDocument,
)
from ecr_public_pusher.errors import RequestError
from ecr_public_pusher.events.parser import parse
from ecr_public_pusher.events.queue_message import read
from ecr_public_pusher.timestamps import from_epoch
from tests.support.reports import entry
from tests.support.world import (
    ACCOUNT,
    EXECUTION_ROLE,
    ROOT,
    SPOKE_ACCOUNT,
    SPOKE_ROLE,
    World,
    kubeconfig,
)

PULL_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
WEB_IDENTITY = "{namespaces: [a], signIn: {type: webIdentity}}"
AUTHENTICATOR = "{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: CLUSTER}}"


@pytest.fixture
def allowed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", "127.0.0.1")
    world.aws.web_identity.enabled = True
    return world


@pytest.mark.parametrize("hosts", ["", "api.example.com,*.example.com", "127.0.0.2"])
@pytest.mark.parametrize("document", [WEB_IDENTITY, AUTHENTICATOR])
def test_an_endpoint_that_the_owner_does_not_allow_is_sent_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, hosts: str, document: str
) -> None:
    monkeypatch.setenv("ALLOWED_ENDPOINTS", hosts)
    world.add_elsewhere("edge", document=document)
    error = entry(world.invoke(), "edge")["error"]
    assert (error["type"], "AllowedEndpoints" in error["remedy"]) == ("InvalidDocument", True)
    assert world.asked("edge") == []


@pytest.mark.parametrize("field", ["endpoint: https://127.0.0.1", "certificateAuthority: x"])
def test_an_eks_document_cannot_say_where_its_cluster_is(allowed: World, field: str) -> None:
    allowed.add_cluster("prod", namespaces=("a",), document=f"{{namespaces: [a], {field}}}")
    assert entry(allowed.invoke(), "prod")["error"]["type"] == "InvalidDocument"
    assert allowed.asked("prod") == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.example.com@evil.example.net",
        "https://api.example.com:443@evil.example.net",
        "https://api.example.com.",
        "https://API.example.com.evil.example.net",
        "https://api.example.com.evil.example.net",
        "https://api.example.com/k8s",
        "https://api.example.com:6443/api/v1/namespaces/mine/services/https:mine:443/proxy",
        "https://evil.example.net/api.example.com",
        "https://evil.example.net#api.example.com",
        "https://api.example.com/../x",
        "https://a.api.example.com",
        "http://api.example.com",
        "https://2130706433",
        "https://0x7f000001",
        "https://0x7f.0.0.1",
        "https://127.1",
        "https://127.0.0.01",
        "https://[::ffff:127.0.0.1]",
        "https://xapi.example.com",
    ],
)
def test_a_host_that_only_looks_like_an_allowed_one_is_refused(endpoint: str) -> None:
    document = yaml.safe_dump(
        {"namespaces": ["a"], "signIn": {"type": "webIdentity"}, "endpoint": endpoint}
    )
    loaded = load(
        [Parameter("/r/clusters/edge", document)],
        root="/r",
        region="us-east-1",
        allowed_endpoints=["api.example.com", "127.0.0.1"],
    )
    assert (list(loaded.invalid), loaded.clusters) == (["edge"], ())


def test_a_role_with_an_external_id_gives_nothing_to_a_document_without_it(world: World) -> None:
    world.aws.put_role(PULL_ROLE, external_id="some-id-of-yours", trusted=EXECUTION_ROLE)
    world.add_cluster("prod", namespaces=("a",))
    registry = {"account": SPOKE_ACCOUNT, "region": "eu-west-1", "roleArn": PULL_ROLE}
    for external_id, error_type in (
        (None, "RoleError"),
        ("guessed-id", "RoleError"),
        ("some-id-of-yours", None),
    ):
        given = {**registry, "externalId": external_id} if external_id else registry
        world.document("prod", yaml.safe_dump({"namespaces": ["a"], "registries": [given]}))
        error = entry(world.invoke(), "prod")["error"]
        assert (error and error["type"]) == error_type
    assert len(world.aws.ecr_private.issued) == 1


REGISTRY = {"account": SPOKE_ACCOUNT, "region": "eu-west-1"}
TAGS = {"team": "web"}
KUBECONFIG = f"arn:aws:secretsmanager:us-east-1:{SPOKE_ACCOUNT}:secret:/ecr/edge-AbCdEf"


def naming_a_role(role: str, pull_role: str) -> dict[str, dict[str, Any]]:
    """Return documents that name these roles, one for each way to name one."""
    signed_in = {"namespaces": ["a"], "roleArn": role, "externalId": "an-external-id"}
    pulling = [{**REGISTRY, "roleArn": pull_role}]
    stored = {"type": "kubeconfig", "secretArn": KUBECONFIG}
    return {
        "clusters/away": signed_in,
        "clusters/pulling": {"namespaces": ["a"], "registries": pulling},
        "clusters/stored": {**signed_in, "signIn": stored},
        "discover/fleet": {**signed_in, "regions": ["us-east-1"], "tags": TAGS},
    }


@pytest.fixture
def open_accounts(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Add clusters and roles of another account that would admit the function, if it asked."""
    monkeypatch.setenv("ASSUMABLE_ROLE_NAME", "ecr-public-pusher-spoke")
    monkeypatch.setenv("PULL_ROLE_NAME", "ecr-public-pusher-pull")
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE, session_name="ecr-public-pusher-pull")
    world.add_cluster(
        "away",
        namespaces=("a",),
        account=SPOKE_ACCOUNT,
        principal=SPOKE_ROLE,
        tags=TAGS,
        embedded=True,
    )
    world.add_cluster("pulling", namespaces=("a",), embedded=True)
    return world


def write(world: World, documents: dict[str, dict[str, Any]]) -> None:
    for name, document in documents.items():
        world.aws.put_parameter(f"{ROOT}/{name}", yaml.safe_dump(document))


def assumed(world: World) -> list[tuple[str, str]]:
    """Return the role and the session name of each that the function requested."""
    calls = world.aws.called("sts", "AssumeRole")
    named = [call.parameters for call in calls]
    return sorted({(one["RoleArn"], one["RoleSessionName"]) for one in named})


@pytest.mark.parametrize("accounts", ["", ACCOUNT, f"{ACCOUNT},777788889999"])
def test_no_role_is_assumed_in_an_account_that_the_owner_does_not_allow(
    open_accounts: World,
    monkeypatch: pytest.MonkeyPatch,
    accounts: str,
) -> None:
    monkeypatch.setenv("ALLOWED_ACCOUNTS", accounts)
    write(open_accounts, naming_a_role(SPOKE_ROLE, PULL_ROLE))
    found = {one["id"]: one["error"] for one in open_accounts.invoke()["clusters"]}
    assert found.keys() == {"away", "pulling", "stored", "fleet/*"}
    for error in found.values():
        assert error["type"] == "InvalidDocument"
        assert f"AllowedAccounts does not name the account {SPOKE_ACCOUNT}" in error["message"]
        assert "the template parameter AllowedAccounts" in error["remedy"]
        assert SPOKE_ACCOUNT in error["remedy"]
    assert assumed(open_accounts) == []
    assert open_accounts.asked("away") == open_accounts.asked("pulling") == []


@pytest.mark.parametrize("accounts", ["*", SPOKE_ACCOUNT])
@pytest.mark.parametrize("path", ["", "teams/platform/"])
def test_roles_are_assumed_where_the_owner_allows_it_each_for_its_own_use(
    open_accounts: World,
    monkeypatch: pytest.MonkeyPatch,
    accounts: str,
    path: str,
) -> None:
    sign_in = "ecr-public-pusher-sign-in"
    pull = "ecr-public-pusher-pull"
    monkeypatch.setenv("ALLOWED_ACCOUNTS", accounts)
    monkeypatch.setenv("ASSUMABLE_ROLE_NAME", f"{path}ecr-public-pusher-spoke")
    monkeypatch.setenv("PULL_ROLE_NAME", f"{path}ecr-public-pusher-pull")
    roles = [role.replace("role/", f"role/{path}") for role in (SPOKE_ROLE, PULL_ROLE)]
    for role, session_name in zip(roles, (sign_in, pull), strict=True):
        open_accounts.aws.put_role(role, trusted=EXECUTION_ROLE, session_name=session_name)
    documents = naming_a_role(*roles)
    write(open_accounts, {name: documents[name] for name in ("clusters/away", "clusters/pulling")})
    assert open_accounts.invoke()["ok"]
    assert assumed(open_accounts) == sorted(zip(roles, (sign_in, pull), strict=True))


@pytest.mark.parametrize("path", ["", "teams/platform/"])
def test_no_role_stands_in_for_the_other_use(
    open_accounts: World,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setenv("ASSUMABLE_ROLE_NAME", f"{path}ecr-public-pusher-spoke")
    monkeypatch.setenv("PULL_ROLE_NAME", f"{path}ecr-public-pusher-pull")
    spoke, pull = (role.replace("role/", f"role/{path}") for role in (SPOKE_ROLE, PULL_ROLE))
    documents = naming_a_role(pull, spoke)
    write(open_accounts, documents)
    found = {one["id"]: one["error"] for one in open_accounts.invoke()["clusters"]}
    assert {one["type"] for one in found.values()} == {"InvalidDocument"}
    for identity in ("away", "stored", "fleet/*"):
        assert "is for registries (PullRoleName), not for signing in" in found[identity]["message"]
        assert "infra/spoke-role.yaml" in found[identity]["remedy"]
    assert "is for signing in to clusters (AssumableRoleName)" in found["pulling"]["message"]
    assert "infra/pull-role.yaml" in found["pulling"]["remedy"]
    assert assumed(open_accounts) == []


@pytest.mark.parametrize("role", ["teams/ecr-public-pusher-spoke", "administrator"])
def test_a_role_of_any_other_name_is_refused_before_iam_is_asked(
    open_accounts: World,
    role: str,
) -> None:
    arn = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/{role}"
    write(open_accounts, naming_a_role(arn, arn))
    found = {one["id"]: one["error"] for one in open_accounts.invoke()["clusters"]}
    assert {one["type"] for one in found.values()} == {"InvalidDocument"}
    assert "ecr-public-pusher-spoke, the stack's AssumableRoleName" in found["away"]["message"]
    assert "ecr-public-pusher-pull, the stack's PullRoleName" in found["pulling"]["message"]
    assert assumed(open_accounts) == []


def test_iam_itself_refuses_a_role_to_the_other_use(world: World) -> None:
    """The trust policies of infra/spoke-role.yaml and infra/pull-role.yaml refuse it."""
    world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE, session_name="ecr-public-pusher-pull")
    world.add_cluster("prod", namespaces=("a",), embedded=True)
    registry = {**REGISTRY, "roleArn": SPOKE_ROLE, "externalId": "an-external-id"}
    world.document("prod", yaml.safe_dump({"namespaces": ["a"], "registries": [registry]}))
    world.document("away", f"{{namespaces: [a], roleArn: '{PULL_ROLE}'}}")
    errors = {one["id"]: one["error"] for one in world.invoke()["clusters"]}
    assert {one["type"] for one in errors.values()} == {"RoleError"}
    assert "the session name ecr-public-pusher-pull" in errors["prod"]["remedy"]
    assert "the session name ecr-public-pusher-sign-in" in errors["away"]["remedy"]
    assert world.aws.ecr_private.issued == {}


def test_a_cluster_of_a_refused_document_is_no_discoverys(
    open_accounts: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLOWED_ACCOUNTS", "")
    open_accounts.add_cluster("home", namespaces=("a",), tags=TAGS, embedded=True)
    document = {**naming_a_role(SPOKE_ROLE, PULL_ROLE)["clusters/away"], "cluster": "home"}
    fleet = {"regions": ["us-east-1"], "tags": TAGS, "namespaces": ["*"]}
    write(open_accounts, {"clusters/one": document, "discover/fleet": fleet})
    report = open_accounts.invoke()
    assert [one["id"] for one in report["clusters"]] == ["one"]
    assert report["leftToDocuments"] == ["fleet/us-east-1/home"]
    assert open_accounts.asked("home") == []


def test_an_assumed_roles_credentials_go_nowhere(world: World) -> None:
    cluster = world.add_cluster(
        "away", namespaces=("a",), account=SPOKE_ACCOUNT, principal=SPOKE_ROLE
    )
    world.document(
        "away", f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}"
    )
    report = world.invoke()
    assert report["ok"]
    (session,) = {call.access_key_id for call in world.aws.called("eks") if call.access_key_id}
    credential = world.aws.find_credential(session)
    assert credential is not None
    sent = json.dumps(report) + "".join(
        f"{request.path}{getattr(request, 'body', b'')!r}" for request in cluster.requests
    )
    assert not [
        secret
        for secret in (credential.secret_access_key, credential.session_token)
        if secret and secret in sent
    ]


def test_a_web_identity_token_signs_in_only_to_its_own_documents_server(allowed: World) -> None:
    allowed.add_elsewhere("edge", document=WEB_IDENTITY)
    allowed.add_elsewhere(
        "other", document=WEB_IDENTITY, audience="ecr-public-pusher:edge"
    )  # a server that trusts tokens for `edge`
    report = allowed.invoke()
    assert entry(report, "edge")["ok"]
    assert entry(report, "other")["error"]["type"] == "SignInError"


@pytest.mark.parametrize(
    "field", ["audience: 'ecr-public-pusher:other'", "clusterId: 'ecr-public-pusher:other'"]
)
def test_no_document_chooses_the_audience(allowed: World, field: str) -> None:
    allowed.add_elsewhere(
        "edge", document=f"{{namespaces: [a], signIn: {{type: webIdentity, {field}}}}}"
    )
    assert entry(allowed.invoke(), "edge")["error"]["type"] == "InvalidDocument"


@pytest.mark.parametrize("extra", ["", ", enabled: false", ", namspaces: [a]"])
def test_a_cluster_id_that_another_documents_eks_cluster_has_is_refused(
    allowed: World, extra: str
) -> None:
    allowed.add_cluster("prod", namespaces=("a",), document=f"{{namespaces: [a]{extra}}}")
    allowed.add_elsewhere(
        "edge", cluster_id="prod", document=AUTHENTICATOR.replace("CLUSTER", "prod")
    )
    error = entry(allowed.invoke(), "edge")["error"]
    assert (error["type"], "clusterId" in error["message"]) == ("InvalidDocument", True)
    assert allowed.asked("edge") == []


def test_a_cluster_id_of_an_eks_cluster_that_no_document_means_is_not_known(allowed: World) -> None:
    allowed.add_cluster("unmentioned", namespaces=("a",))
    allowed.add_elsewhere(
        "edge", cluster_id="unmentioned", document=AUTHENTICATOR.replace("CLUSTER", "unmentioned")
    )
    assert entry(allowed.invoke(), "edge")["ok"]


def test_a_document_may_name_any_cluster_that_admits_the_function(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="{namespaces: [a]}")
    world.document("another-teams", "{cluster: prod, namespaces: [b]}")
    assert world.invoke()["ok"]
    assert world.secret("prod", "b") is not None


def test_a_document_may_name_another_documents_kubeconfig_and_sees_nothing_of_it(
    allowed: World,
) -> None:
    allowed.add_stored("edge", namespaces=("a", "b"))
    (secret,) = (found["arn"] for found in _secrets(allowed))
    allowed.document(
        "another-teams",
        yaml.safe_dump(
            {"namespaces": ["b"], "signIn": {"type": "kubeconfig", "secretArn": secret}}
        ),
    )
    report = allowed.invoke()
    assert entry(report, "another-teams")["ok"]
    assert "stored-token-of-a-test" not in json.dumps([report, allowed.invoke({"action": "check"})])


def test_a_cluster_that_two_documents_name_differently_is_not_known_to_be_one(
    allowed: World,
) -> None:
    cluster = allowed.add_stored("edge")
    again = allowed.store_kubeconfig("again", kubeconfig(cluster, token="stored-token-of-a-test"))
    allowed.document(
        "again",
        yaml.safe_dump({"namespaces": ["a"], "signIn": {"type": "kubeconfig", "secretArn": again}}),
    )
    assert allowed.invoke()["totals"] == {
        "clusters": 2,
        "clustersFailed": 0,
        "created": 1,
        "adopted": 1,
    }


def _secrets(world: World) -> list[dict[str, Any]]:
    from moto.secretsmanager.models import secretsmanager_backends

    return [
        {"arn": secret.arn}
        for secret in secretsmanager_backends[ACCOUNT]["us-east-1"].secrets.values()
    ]


@pytest.mark.parametrize(
    "selector",
    [f"team in ({'  ,' * 14})x", f"team in ({'  ,' * 1000})x", f"a{', a' * 1000}%", "," * 3000],
)
def test_a_selector_keeps_no_other_cluster_waiting(world: World, selector: str) -> None:
    world.add_cluster("prod", namespaces=("a",), document="{namespaces: [a]}")
    world.document("another-teams", yaml.safe_dump({"namespaces": {"selector": selector}}))
    report = world.invoke()
    assert entry(report, "another-teams")["error"]["type"] == "InvalidDocument"
    assert entry(report, "prod")["ok"]


_ALONE = """
import json, time
from ecr_public_pusher.handler import handler
class Context:
    aws_request_id = "request-of-a-test"
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:ecr-public-pusher"
    get_remaining_time_in_millis = staticmethod(lambda: 60_000)
print(json.dumps(handler({"raise": False}, Context())))
"""


@pytest.mark.parametrize("form", ["[", "{a: ", "- "])
def test_what_is_nested_deep_does_not_end_the_function(allowed: World, form: str) -> None:
    """The function has its own process here: recursion in C ends it without an exception."""
    allowed.add_cluster("prod", namespaces=("a",), document="{namespaces: [a]}")
    allowed.add_stored("edge")
    allowed.store_kubeconfig("edge", form * (65_000 // len(form)))
    allowed.document("deep", f"namespaces:\n- {form * 1_000}")
    code = [sys.executable, "-c", _ALONE]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(code, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.returncode
    report = json.loads(done.stdout.splitlines()[-1])
    assert entry(report, "deep")["error"]["type"] == "InvalidDocument"
    assert entry(report, "edge")["error"]["type"] == "KubeconfigError"
    assert entry(report, "prod")["ok"]


def test_an_invalid_document_keeps_its_secrets(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="{namespaces: [a]}")
    world.invoke()
    before = world.secret("prod", "a")
    world.document("prod", "{namespaces: [a], prune: perhaps}")
    assert entry(world.invoke(), "prod")["error"]["type"] == "InvalidDocument"
    assert world.secret("prod", "a") == before


def test_no_document_has_a_field_for_a_limit() -> None:
    fields = {
        name.lower()
        for model in (ClusterDocument, DefaultsDocument, DiscoverDocument)
        for name in model.model_fields
    }
    assert not {
        name for name in fields if "allowed" in name or "assumable" in name or "pull_role" in name
    }
    for limit in ("allowedEndpoints", "allowedAccounts", "assumableRoleName", "pullRoleName"):
        loaded = load(
            [Parameter("/r/clusters/edge", f"{{namespaces: [a], {limit}: x}}")],
            root="/r",
            region="us-east-1",
        )
        assert f"{limit}: unknown field" in loaded.invalid["edge"].message


def test_a_discovery_without_a_role_looks_in_the_functions_account(world: World) -> None:
    tags = {"team": "web"}
    world.add_cluster(
        "away",
        namespaces=("a",),
        account=SPOKE_ACCOUNT,
        principal=SPOKE_ROLE,
        tags=tags,
        embedded=True,
    )
    world.add_cluster("home", namespaces=("a",), tags=tags, embedded=True)
    world.discovery("fleet", "{regions: us-east-1, tags: {team: web}, namespaces: [a]}")
    assert [cluster["id"] for cluster in world.invoke()["clusters"]] == ["fleet/us-east-1/home"]
    assert {call.account for call in world.aws.called("eks")} == {ACCOUNT}


@pytest.mark.parametrize(
    "field",
    [
        {"endpoint": "https://evil.example.net"},
        {"roleArn": SPOKE_ROLE},
        {"token": "x"},
        {"registries": ["public"]},
    ],
)
def test_a_message_has_no_field_for_an_address_a_role_or_a_token(field: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="unknown field"):
        parse({"action": "push", "clusters": ["prod"], **field}, root=ROOT)


def test_a_message_never_lets_go_of_the_brake() -> None:
    body = json.dumps({"action": "push", "clusters": ["prod"], "prune": "all"})
    message = read({"messageId": "1", "body": body}, root=ROOT, now=from_epoch(0))
    assert message.request is not None
    assert message.request.prune_all is False


def test_the_authority_of_an_allowed_host_is_the_documents(allowed: World) -> None:
    """A server under an allowed name needs no certificate but one that the document names."""
    cluster = allowed.add_elsewhere("edge", document=WEB_IDENTITY)
    impostor = allowed.add_elsewhere(
        "impostor", document=WEB_IDENTITY, audience="ecr-public-pusher:edge"
    )
    document = yaml.safe_load(WEB_IDENTITY) | {
        "endpoint": impostor.endpoint,
        "certificateAuthority": impostor.ca_pem,
    }
    allowed.document("edge", yaml.safe_dump(document))
    assert entry(allowed.invoke({"clusters": ["edge"]}), "edge")["ok"]
    assert cluster.ca_pem != impostor.ca_pem
