"""The check.

It tells apart everything that can prevent a push, with a remedy, and writes nothing.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.results import Check
from infra.local.aws import Answer
from infra.local.aws.local import CLUSTER_SECURITY_GROUP
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster, Response, SeenRequest
from infra.local.kube.certificates import Certificate, issue
from tests.support.bad_server import Exchange, drip, hanging_at_connect, serving
from tests.support.commands import in_backticks
from tests.support.described import Described
from tests.support.paste import paste as run_pasted
from tests.support.recorded_answers import recorded
from tests.support.reports import entry
from tests.support.resolver import Resolver
from tests.support.secrets import put_ours
from tests.support.world import (
    ACCOUNT,
    EXECUTION_ROLE,
    GROUP,
    IMPATIENT,
    RBAC,
    SECRET,
    SPOKE_ACCOUNT,
    SPOKE_ROLE,
    World,
)

# Of a document that is enabled, and neither names a private registry nor stores a credential; two
# permissions: to write, and to look.
SOMETIMES = (Check.REGISTRIES, Check.CREDENTIAL, Check.LEFT)
EVERY = [check for check in Check if check not in SOMETIMES]
EVERY.insert(EVERY.index(Check.PERMISSION), Check.PERMISSION)
READS = {
    "GetParametersByPath",
    "GetParameter",
    "GetParameters",
    "DescribeCluster",
    "AssumeRole",
    "GetAuthorizationToken",
}
REVIEWS = ("/selfsubjectreviews", "/selfsubjectaccessreviews")
ONE_NAME = "cluster.example"
CONTEXT = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod"
HANG_SECONDS = 20.0


@pytest.fixture(autouse=True)
def nothing_is_written(world: World) -> Iterator[None]:
    """Check that no test wrote: clusters got reads, self reviews and dry runs, AWS reads."""
    yield
    for name in world.clusters:
        for line in world.asked(name):
            method, path = line.split(" ")
            assert (
                method == "GET"
                or "dryRun=All" in path
                or (method == "POST" and path.split("?")[0].endswith(REVIEWS))
            ), line
    assert {call.action for call in world.aws.calls} <= READS


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(**names: list[str] | float) -> None:
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            Resolver({name.replace("_", "."): found for name, found in names.items()}),
        )

    return install


def check(
    world: World, *, retry_policy: RetryPolicy = IMPATIENT, seconds: float = 60, **event: Any
) -> dict[str, Any]:
    """Run a check and return its report, in which nothing is secret."""
    report = world.run({"action": "check", **event}, retry_policy=retry_policy, seconds=seconds)
    text = json.dumps(report)
    secret = [
        world.environ["AWS_SESSION_TOKEN"],
        world.environ["AWS_SECRET_ACCESS_KEY"],
        *world.aws.ecr_public.issued,
    ]
    assert not [
        part for part in ("k8s-aws-v1", "X-Amz", "aHR0cHM", *secret) if part and part in text
    ]
    assert {
        finding["check"]
        for cluster in report["clusters"]
        for finding in cluster.get("findings", [])
    } <= set(Check)
    return report


def passed(report: dict[str, Any], cluster: str = "prod") -> list[str]:
    return [finding["check"] for finding in entry(report, cluster)["findings"] if finding["ok"]]


def bad(report: dict[str, Any], cluster: str = "prod") -> dict[str, Any]:
    """Return the one finding that is not ok."""
    (found,) = [finding for finding in entry(report, cluster)["findings"] if not finding["ok"]]
    return dict(found)


def failing(report: dict[str, Any], cluster: str = "prod") -> list[str]:
    return [finding["check"] for finding in entry(report, cluster)["findings"] if not finding["ok"]]


def describe(
    world: World, url: str, *, ca_pem: str | None = None, name: str = "prod", **options: Any
) -> None:
    world.aws.put_cluster(
        ACCOUNT, "us-east-1", Described(name, url, ca_pem or issue("x").ca_pem), **options
    )
    world.document(name, "namespaces: [a, b]")


def rule(resource: str, *verbs: str, name: str | None = None, group: str = "") -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)} | (
        {"resourceNames": [name]} if name else {}
    )


def grant(
    world: World,
    *rules: dict[str, Any],
    cluster: str = "prod",
    name: str = "granted",
    namespace: str | None = None,
) -> None:
    """Grant rules to our group: everywhere, or in one namespace."""
    kind, home = ("Role", {"namespace": namespace}) if namespace else ("ClusterRole", {})
    api = "rbac.authorization.k8s.io"
    world.clusters[cluster].apply(
        {
            "apiVersion": f"{api}/v1",
            "kind": kind,
            "metadata": {"name": name, **home},
            "rules": list(rules),
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": f"{kind}Binding",
            "metadata": {"name": name, **home},
            "roleRef": {"apiGroup": api, "kind": kind, "name": name},
            "subjects": [{"apiGroup": api, "kind": "Group", "name": GROUP}],
        },
    )


# All is well


@pytest.mark.parametrize(
    "document", ["namespaces: [a, b]", "namespaces: ['?']", "{namespaces: {selector: '!off'}}"]
)
def test_where_all_is_well_every_check_passes(world: World, document: str) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document=document)
    report = check(world)
    assert report["ok"]
    assert set(passed(report)) == set(EVERY)
    assert (
        entry(report)["counts"] == {"created": 2}
        if "off" not in document
        else entry(report)["counts"]["created"] >= 2
    )


def test_the_checks_are_reported_in_their_order(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    assert passed(check(world)) == EVERY


def test_what_it_found_out_is_reported(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: ['?']")
    findings = entry(check(world))["findings"]
    logged = {finding["check"]: finding["message"] for finding in findings}
    assert logged["namespaces"] == "2 selected now: a, b"
    assert logged["eks"].startswith(f"public endpoint {world.clusters['prod'].endpoint}")
    assert logged["sign-in"].startswith(
        "as arn:aws:sts::111122223333:assumed-role/ecr-public-pusher/function, in the groups"
        " ecr-public-pushers"
    )
    assert [finding["message"] for finding in findings if finding["check"] == "permission"] == [
        "may list namespaces",
        f"may create and patch secrets named {SECRET}",
        f"may list secrets named {SECRET}",
    ]
    assert " of at most 4096 bytes" in logged["token"]


def test_another_accounts_cluster_is_checked_by_its_role(world: World) -> None:
    world.add_cluster(
        "prod",
        account=SPOKE_ACCOUNT,
        principal=SPOKE_ROLE,
        namespaces=("a",),
        document=f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: an-external-id}}",
    )
    report = check(world)
    assert report["ok"]
    assert entry(report)["findings"][1]["message"] == f"assumed {SPOKE_ROLE}"


def test_a_glob_that_selects_nothing_is_a_finding(world: World) -> None:
    world.add_cluster("prod", document="namespaces: ['later-*']")
    finding = entry(check(world))["findings"][0]
    assert (finding["check"], finding["ok"]) == ("namespaces", False)
    assert finding["message"] == "no namespace of the cluster is selected by include [later-*]"


def test_a_glob_that_may_select_nothing_yet_is_fine(world: World) -> None:
    world.add_cluster("prod", document="{namespaces: ['later-*'], allowEmpty: true}")
    report = check(world)
    assert report["ok"]
    assert entry(report)["findings"][-1]["message"] == "0 selected now"


def test_only_the_clusters_asked_for_are_checked(world: World) -> None:
    for name in ("prod", "other"):
        world.add_cluster(name, namespaces=("a",), document="namespaces: [a]", embedded=True)
    report = check(world, clusters=["pr*"])
    assert [cluster["id"] for cluster in report["clusters"]] == ["prod"]
    assert world.asked("other") == []


def test_a_check_measures_and_queues_nothing_and_raises_for_no_cluster(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.environ["RETRY_QUEUE_URL"] = world.queue.url
    describe(world, "https://127.0.0.1:9")
    report = world.invoke({"action": "check", "raise": True})
    assert not report["ok"]
    assert "queued" not in report
    assert not [
        line for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line
    ]
    assert not world.aws.called("sqs")


def test_a_missing_configuration_is_reported(world: World) -> None:
    report = check(world)
    assert (report["ok"], report["unconfigured"], report["clusters"]) == (True, True, [])


# Configuration, role, EKS


def test_a_bad_document_is_a_finding_and_the_others_are_checked(world: World) -> None:
    world.add_cluster("other", namespaces=("a",), document="namespaces: [a]")
    world.document("prod", "namespaces: 7\nwhat: is this")
    report = check(world)
    found = bad(report)
    assert (found["check"], passed(report, "other")) == ("configuration", EVERY)
    assert "what: unknown field" in found["message"]
    assert "aws ssm put-parameter" in found["remedy"]


def test_a_disabled_document_is_skipped_and_its_cluster_asked_by_one_list_at_most(
    world: World,
) -> None:
    world.add_cluster("prod", document="{namespaces: [a], enabled: false}")
    world.document("gone", "{namespaces: [a], enabled: false}")
    report = check(world)
    assert [(found["skipped"], "findings" in found) for found in report["clusters"]] == [
        ("disabled", False)
    ] * 2
    assert [line.split("?")[0] for line in world.asked("prod")] == ["GET /api/v1/secrets"]


def test_a_disabled_document_is_checked_as_if_enabled_if_asked_for(world: World) -> None:
    world.add_cluster("prod", document="{namespaces: [a], enabled: false}")
    (found,) = check(world, includeDisabled=True)["clusters"]
    assert "skipped" not in found
    assert [one["check"] for one in found["findings"] if not one["ok"]] == ["namespaces"]
    assert world.secret("prod", "a") is None


def test_what_a_disabled_document_has_left_is_found(world: World) -> None:
    """A push may have been in progress when the document was disabled and its Secrets removed.

    It may have written them again.
    """
    cluster = world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b]")
    for namespace in ("a", "b"):
        put_ours(cluster, namespace, "prod", hours_left=5)
    world.document("prod", "{namespaces: [a, b], enabled: false}")
    found = bad(check(world))
    assert (found["check"], found["ok"]) == ("left", False)
    assert (
        "2 of its Secrets are still there, the first of which expires in 5.0 hours: a, b"
        in found["message"]
    )
    assert '{"action": "remove", "clusters": ["prod"]}' in found["remedy"]
    world.document("second", "{cluster: prod, namespaces: [a, b]}")  # which adopts them
    assert "findings" not in entry(check(world))


def test_a_cluster_that_eks_does_not_know(world: World) -> None:
    world.document("prod", "{namespaces: [a], region: eu-west-1}")
    found = bad(check(world))
    assert (found["check"], "ResourceNotFoundException" in found["message"]) == ("eks", True)
    assert "aws eks list-clusters --region eu-west-1" in found["remedy"]


def test_a_cluster_that_is_still_being_created(world: World) -> None:
    body = {
        "cluster": {
            "name": "prod",
            "status": "CREATING",
            "certificateAuthority": {},
            "resourcesVpcConfig": {"endpointPublicAccess": True},
        }
    }
    world.aws.script(
        "eks",
        "DescribeCluster",
        Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"}),
    )
    world.document("prod", "namespaces: [a]")
    found = bad(check(world))
    assert (found["check"], "(status CREATING)" in found["message"]) == ("eks", True)
    assert "aws eks wait cluster-active --region us-east-1 --name prod" in found["remedy"]


def test_a_role_that_cannot_be_assumed(world: World) -> None:
    world.document("prod", f"{{namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId: another-id}}")
    report = check(world)
    found = bad(report)
    assert (found["check"], passed(report)) == ("role", ["configuration"])
    assert found["message"] == f"cannot assume {SPOKE_ROLE}: AccessDenied"
    assert "must trust" in found["remedy"]


def test_a_token_that_is_too_long_is_reported_with_the_other_findings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t" * 2800)
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    report = check(world)
    assert (bad(report)["check"], passed(report)[-1]) == ("token", "tls")
    assert "EKS accepts at most 4096" in bad(report)["message"]
    assert "shorten the session" in bad(report)["remedy"]
    assert world.asked("prod") == []


# Reachability of the endpoint


def test_a_name_without_an_address(world: World, resolver: Callable[..., None]) -> None:
    resolver()
    describe(world, f"https://{ONE_NAME}")
    report = check(world)
    found = bad(report)
    assert (found["check"], found["message"], passed(report)[-1]) == (
        "dns",
        f"{ONE_NAME} has no address (DNS)",
        "eks",
    )
    assert (
        "aws eks describe-cluster --region us-east-1 --name prod --query cluster.endpoint"
        in found["remedy"]
    )


def test_a_name_that_is_known_in_its_vpc_only(world: World, resolver: Callable[..., None]) -> None:
    resolver()
    describe(world, f"https://{ONE_NAME}", public=False)
    found = bad(check(world))
    assert "private only" in found["remedy"]
    assert "SubnetIds" in found["remedy"]


def test_a_resolver_that_hangs(world: World, resolver: Callable[..., None]) -> None:
    resolver(cluster_example=HANG_SECONDS)
    describe(world, f"https://{ONE_NAME}")
    began = time.monotonic()
    found = bad(check(world))
    assert time.monotonic() - began < 5
    assert (found["check"], found["message"]) == (
        "dns",
        f"{ONE_NAME} was not resolved in time (DNS)",
    )


def test_an_invalid_name_is_no_internal_error(world: World) -> None:
    describe(world, f"https://{'x' * 64}.example")
    assert bad(check(world))["check"] == "dns"


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("address", ["10.0.3.7", "100.64.3.7"])
def test_a_private_address_that_does_not_answer(
    world: World, resolver: Callable[..., None], public: bool, address: str
) -> None:
    """The address is of a VPC.

    It is reached from outside, or from within behind a security group that does not admit the
    function.
    """
    resolver(cluster_example=[address])
    with hanging_at_connect() as url:
        describe(world, url.replace("127.0.0.1", ONE_NAME), public=public)
        report = check(world)
    found = bad(report)
    assert (found["check"], passed(report)[-1]) == ("tcp", "dns")
    assert f"{address} port" in found["message"]
    assert "does not respond (timeout)" in found["message"]
    assert "SubnetIds" in found["remedy"]
    admit = (
        "aws ec2 authorize-security-group-ingress --region us-east-1 --group-id"
        f" {CLUSTER_SECURITY_GROUP} --protocol tcp --port 443"
    )
    assert f"{admit} --source-group FUNCTION_SECURITY_GROUP" in found["remedy"]


def test_a_public_endpoint_that_admits_some_addresses_only(
    world: World, resolver: Callable[..., None]
) -> None:
    resolver(cluster_example=["52.1.2.3"])
    with hanging_at_connect() as url:
        describe(world, url.replace("127.0.0.1", ONE_NAME), public_cidrs=("203.0.113.0/24",))
        found = bad(check(world))
    assert found["check"] == "tcp"
    assert "--resources-vpc-config publicAccessCidrs=203.0.113.0/24,ADDRESS/32" in found["remedy"]


def test_a_public_endpoint_without_a_way_to_it(world: World, resolver: Callable[..., None]) -> None:
    resolver(cluster_example=["52.1.2.3"])
    with hanging_at_connect() as url:
        describe(world, url.replace("127.0.0.1", ONE_NAME))
        found = bad(check(world))
    assert found["check"] == "tcp"
    assert "NAT gateway" in found["remedy"]


def test_a_port_that_refuses(world: World) -> None:
    with serving(lambda exchange: None) as server:
        server.close()
    describe(world, server.url)
    found = bad(check(world))
    assert (found["check"], found["message"]) == (
        "tcp",
        f"127.0.0.1 port {server.port} refuses connections",
    )


def test_an_address_that_is_down_does_not_hide_one_that_is_up(
    world: World, resolver: Callable[..., None]
) -> None:
    resolver(cluster_example=["127.0.0.2", "127.0.0.1"])
    with serving(lambda exchange: None) as server:
        describe(world, server.url.replace("127.0.0.1", ONE_NAME), ca_pem=server.certificate.ca_pem)
        logged = {
            finding["check"]: finding["message"] for finding in entry(check(world))["findings"]
        }
    assert logged["tcp"] == f"connected to 127.0.0.1 port {server.port}"


def test_a_port_that_accepts_and_never_answers(world: World) -> None:
    with serving(lambda exchange: None, before_handshake=lambda: time.sleep(5)) as server:
        describe(world, server.url, ca_pem=server.certificate.ca_pem)
        report = check(world)
    found = bad(report)
    assert (found["check"], passed(report)[-1]) == ("tls", "tcp")
    assert "the connection is accepted, but nothing responds" in found["message"]


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        (issue("x"), "self-signed certificate in certificate chain|unable to get local issuer"),
        (issue("y", hosts=("else.example",)), "IP address mismatch"),
    ],
)
def test_another_servers_certificate(world: World, certificate: Certificate, why: str) -> None:
    with serving(lambda exchange: None, certificate=certificate) as server:
        describe(
            world,
            server.url,
            ca_pem=certificate.ca_pem if "mismatch" in why else issue("prod").ca_pem,
        )
        found = bad(check(world))
    assert found["check"] == "tls"
    assert "the certificate is not the cluster's" in found["message"]
    assert any(part in found["message"] for part in why.split("|"))
    assert "aws eks describe-cluster --region us-east-1 --name prod" in found["remedy"]


def test_a_server_without_tls(world: World) -> None:
    with serving(
        lambda exchange: exchange.connection.sendall(b"SSH-2.0-OpenSSH\r\n" * 10), plain=True
    ) as server:
        describe(world, server.url)
        found = bad(check(world))
    assert (found["check"], "the server does not speak TLS" in found["message"]) == ("tls", True)


def test_a_certificate_authority_that_is_invalid(world: World) -> None:
    with serving(lambda exchange: None) as server:
        describe(
            world,
            server.url,
            ca_pem="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        assert (
            bad(check(world))["check"],
            "certificate authority for the cluster is invalid" in bad(check(world))["message"],
        ) == (
            "tls",
            True,
        )


# Signing in


def test_no_access_entry(world: World) -> None:
    world.add_cluster(
        "prod",
        principal=SPOKE_ROLE,
        namespaces=("a",),
        document="{namespaces: [a], region: eu-west-1}",
        region="eu-west-1",
    )
    report = check(world)
    found = bad(report)
    assert (found["check"], passed(report)[-1]) == ("sign-in", "tls")
    assert (
        found["remedy"]
        == "aws eks create-access-entry --region eu-west-1 --cluster-name prod --principal-arn"
        f" {EXECUTION_ROLE} --type STANDARD --kubernetes-groups ecr-public-pushers"
    )


def test_no_access_entry_for_the_role_that_is_assumed(world: World) -> None:
    document = (
        f"{{cluster: analytics, namespaces: [a], roleArn: '{SPOKE_ROLE}', externalId:"
        " an-external-id}"
    )
    world.add_cluster("analytics", account=SPOKE_ACCOUNT, namespaces=("a",))
    world.document("prod", document)
    found = bad(check(world))
    assert (
        f"--cluster-name analytics --principal-arn {SPOKE_ROLE} --type STANDARD" in found["remedy"]
    )
    assert not world.aws.called("sts", "GetCallerIdentity")


def test_sts_is_not_asked_for_the_functions_own_role(world: World) -> None:
    world.add_cluster("prod", principal=SPOKE_ROLE, document="namespaces: [a]", embedded=True)
    assert EXECUTION_ROLE in bad(check(world))["remedy"]
    assert not world.aws.called("sts")


@pytest.mark.parametrize("action", ["plan", "check"])
def test_the_role_is_named_with_its_path(world: World, action: str) -> None:
    """An access entry needs the whole ARN; the ARN of a session in STS has no path."""
    role = EXECUTION_ROLE.replace("role/", "role/some/path/")
    world.environ["EXECUTION_ROLE_ARN"] = role
    world.add_cluster("prod", principal=SPOKE_ROLE, document="namespaces: [a]")
    report = world.run({"action": action})
    remedy = (
        bad(report)["remedy"] if action == "check" else report["clusters"][0]["error"]["remedy"]
    )
    assert f"--principal-arn {role} --type" in remedy


@pytest.mark.parametrize("action", ["plan", "check"])
def test_a_refusal_names_the_possible_throttle(world: World, action: str) -> None:
    world.add_cluster("prod", principal=SPOKE_ROLE, document="namespaces: [a]")
    report = world.run({"action": action})
    found = bad(report) if action == "check" else report["clusters"][0]["error"]
    said = (
        f"does not admit {EXECUTION_ROLE}, or STS throttled the authenticator behind it, which"
        " is temporary"
    )
    assert found["message"].endswith(said)


def test_a_placeholder_stands_for_a_role_that_is_not_known(world: World) -> None:
    del world.environ["EXECUTION_ROLE_ARN"]
    world.add_cluster("prod", principal=SPOKE_ROLE, document="namespaces: [a]")
    assert "--principal-arn FUNCTION_ROLE_ARN --type" in bad(check(world))["remedy"]


def test_a_cluster_that_stops_answering_after_the_sign_in_is_known_to_have_signed_in(
    world: World,
) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    cluster.intercept = lambda request: (
        Response(503) if "selfsubjectaccessreviews" in request.path else None
    )  # a load balancer's
    report = check(world)
    assert (bad(report)["check"], passed(report)[-1]) == ("permission", "sign-in")


def test_a_cluster_that_knows_no_access_entries_is_first_made_to(world: World) -> None:
    cluster = world.add_cluster(
        "prod", principal=SPOKE_ROLE, namespaces=("a",), document="namespaces: [a]"
    )
    world.aws.put_cluster(ACCOUNT, "us-east-1", cluster, authentication_mode="CONFIG_MAP")
    first, wait, entry_ = bad(check(world))["remedy"].split(" && ")
    assert (
        first == "aws eks update-cluster-config --region us-east-1 --name prod --access-config"
        " authenticationMode=API_AND_CONFIG_MAP"
    )
    assert wait == "aws eks wait cluster-active --region us-east-1 --name prod"
    assert entry_.startswith("aws eks create-access-entry ")


def in_groups(world: World, *groups: str) -> None:
    """Add the cluster `prod`, whose access entry has these groups."""
    cluster = EmbeddedCluster(
        "prod",
        credentials=world.aws.find_credential,
        access_entries=[AccessEntry(EXECUTION_ROLE, groups)],
    )
    world.clusters["prod"] = cluster
    world.aws.put_cluster(ACCOUNT, "us-east-1", cluster)
    world.add_namespace("prod", "a")
    world.document("prod", "namespaces: [a]")


def test_an_access_entry_without_our_group_keeps_its_others(world: World) -> None:
    in_groups(world, "viewers")
    world.clusters["prod"].apply(*_documents("cluster.yaml"))
    report = check(world)
    assert failing(report)[:2] == ["sign-in", "permission"]
    remedy = entry(report)["findings"][0]["remedy"]
    assert (
        remedy
        == "aws eks update-access-entry --region us-east-1 --cluster-name prod --principal-arn"
        f" {EXECUTION_ROLE} --kubernetes-groups viewers ecr-public-pushers"
    )


def test_rights_by_another_group_are_as_good(world: World) -> None:
    in_groups(world, "viewers")
    role, binding = _documents("cluster.yaml")
    binding["subjects"][0]["name"] = "viewers"
    world.clusters["prod"].apply(role, binding)
    assert check(world)["ok"]


def _documents(file: str) -> list[Any]:
    return list(yaml.safe_load_all((RBAC / file).read_text()))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Response(500, b""), "500"),
        (
            Response(200, {"kind": "SelfSubjectReview", "status": {"userInfo": "x"}}),
            "did not respond as a Kubernetes API does",
        ),
        (recorded("a-review-that-is-not-served").response, "404"),
        (recorded("list-without-a-seat").response, "429"),
        (recorded("namespaces-while-etcd-hangs").response, "504"),
    ],
    ids=["a proxy's 500", "a hostile answer", "not served", "no seat", "etcd hangs"],
)
def test_a_sign_in_that_is_not_answered_well_is_not_taken_for_a_missing_access_entry(
    world: World, answer: Response, message: str
) -> None:
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    cluster.intercept = lambda request: answer if "selfsubjectreviews" in request.path else None
    found = bad(check(world))
    assert (found["check"], message in found["message"]) == ("sign-in", True)
    assert "access-entry" not in found["remedy"]


def test_a_server_that_echoes_the_token_does_not_get_it_into_the_report(world: World) -> None:
    def echo(exchange: Exchange) -> None:
        while head := exchange.request():
            bearer = next(
                line
                for line in head.decode().split("\r\n")
                if line.lower().startswith("authorization:")
            ).split()[-1]
            if b"selfsubjectreviews" in head.split(b"\r\n")[0]:
                user = {"username": bearer, "groups": [bearer, GROUP, bearer[11:]]}
                exchange.answer(
                    "201 Created",
                    json.dumps(
                        {"kind": "SelfSubjectReview", "status": {"userInfo": user}}
                    ).encode(),
                )
            else:
                status = {
                    "allowed": True,
                    "reason": (
                        f'RBAC: allowed by ClusterRoleBinding "{bearer}" of ClusterRole "{bearer}"'
                    ),
                }
                exchange.answer(
                    "201 Created",
                    json.dumps({"kind": "SelfSubjectAccessReview", "status": status}).encode(),
                )

    with serving(echo) as server:
        describe(world, server.url, ca_pem=server.certificate.ca_pem)
        report = check(world)
    assert "a name that is not shown" in json.dumps(entry(report))
    assert "excess" in failing(report)


# Permissions

SECRETS_RULE = rule("secrets", "create", "patch", name=SECRET)
LIST_RULE = rule("namespaces", "list")
PRUNE_RULE = rule("secrets", "get", "delete", name=SECRET)
ACCOUNTS_RULE = rule("serviceaccounts", "get", "list", "patch")


@pytest.mark.parametrize(
    ("document", "rules", "lacking", "file"),
    [
        ("namespaces: ['?']", [SECRETS_RULE], "list namespaces", "cluster.yaml"),
        (
            "namespaces: ['?']",
            [LIST_RULE, rule("secrets", "patch", name=SECRET)],
            f"create secrets named {SECRET}",
            "cluster.yaml",
        ),
        (
            "namespaces: ['?']",
            [LIST_RULE, rule("secrets", "create", name=SECRET)],
            f"patch secrets named {SECRET}",
            "cluster.yaml",
        ),
        ("namespaces: [a]", [], f"create and patch secrets named {SECRET}", "cluster.yaml"),
        (
            "namespaces: [a]",
            [rule("secrets", "create", "patch", name="another")],
            f"create and patch secrets named {SECRET}",
            "cluster.yaml",
        ),
        (
            "{namespaces: [a], prune: true}",
            [SECRETS_RULE, PRUNE_RULE],
            "list namespaces",
            "cluster.yaml",
        ),
        (
            "{namespaces: [a], prune: true}",
            [SECRETS_RULE, LIST_RULE, rule("secrets", "delete", name=SECRET)],
            f"get secrets named {SECRET}",
            "prune.yaml",
        ),
        (
            "{namespaces: [a], prune: true}",
            [SECRETS_RULE, LIST_RULE, rule("secrets", "get", name=SECRET)],
            f"delete secrets named {SECRET}",
            "prune.yaml",
        ),
        (
            "{namespaces: [a], serviceAccounts: [x]}",
            [SECRETS_RULE, rule("serviceaccounts", "patch")],
            "get serviceaccounts named x",
            "service-accounts.yaml",
        ),
        (
            "{namespaces: [a], serviceAccounts: [x]}",
            [SECRETS_RULE, rule("serviceaccounts", "get", name="x")],
            "patch serviceaccounts named x",
            "service-accounts.yaml",
        ),
        (
            "{namespaces: [a], serviceAccounts: ['*']}",
            [SECRETS_RULE, rule("serviceaccounts", "get", "patch")],
            "list serviceaccounts",
            "service-accounts.yaml",
        ),
        (
            "{namespaces: [a], serviceAccounts: ['*']}",
            [SECRETS_RULE, rule("serviceaccounts", "get", "list", "patch", name="x")],
            "get, list and patch serviceaccounts",
            "service-accounts.yaml",
        ),
    ],
)
def test_each_right_that_is_missing_is_reported_with_the_file_that_grants_it(
    world: World, document: str, rules: list[dict[str, Any]], lacking: str, file: str
) -> None:
    world.add_cluster("prod", namespaces=("a",), rbac=None, document=document, embedded=True)
    if rules:
        grant(world, *rules)
    (found,) = [
        finding
        for finding in entry(check(world))["findings"]
        if finding["check"] == "permission" and not finding["ok"]
    ]
    assert found["message"] == f"may not {lacking}"
    assert found["remedy"] == f"kubectl --context {CONTEXT} apply -f infra/rbac/{file}"


def test_only_rights_that_the_configuration_needs_are_requested(world: World) -> None:
    world.add_cluster(
        "prod", namespaces=("a",), rbac=None, document="{namespaces: [a], serviceAccounts: [x]}"
    )
    grant(world, SECRETS_RULE, rule("serviceaccounts", "get", "patch", name="x"))
    report = check(world)
    assert (failing(report), "permission" in passed(report)) == (["namespaces"], True)


def test_access_granted_namespace_by_namespace_is_fine_where_names_are_given_outright(
    world: World,
) -> None:
    world.add_cluster("prod", rbac="namespaced.yaml", document="namespaces: [default]")
    report = check(world)
    assert report["ok"]
    logged = [
        finding["message"]
        for finding in entry(report)["findings"]
        if finding["check"] == "permission"
    ]
    assert (
        logged[0]
        == f"may create and patch secrets named {SECRET}, in each of the 1 namespaces asked about"
    )
    assert (
        logged[1]
        == f"may list secrets named {SECRET}, in each of the 1 namespaces asked about: Secrets"
        " that are left behind in others go unnoticed"
    )


def test_access_granted_namespace_by_namespace_names_those_without(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a", "b"),
        rbac="namespaced.yaml",
        document="namespaces: [default, a, b]",
        embedded=True,
    )
    (found,) = [
        finding
        for finding in entry(check(world))["findings"]
        if finding["check"] == "permission" and not finding["ok"]
    ]
    assert (
        found["message"]
        == f"may not create and patch secrets named {SECRET} in a, b (if it exists),"
        " but may elsewhere"
    )
    assert found["remedy"].startswith(
        f"for namespace in a b; do kubectl --context {CONTEXT} create role "
    )


def test_of_very_many_namespaces_some_are_asked_about_and_the_dry_run_shows_the_others(
    world: World,
) -> None:
    names = tuple(f"n{number:03}" for number in range(105))
    world.add_cluster(
        "prod",
        namespaces=names,
        rbac=None,
        document=f"namespaces: {' '.join(names)}",
        embedded=True,
    )
    for name in names[:-1]:
        grant(world, SECRETS_RULE, namespace=name)
    report = check(world)
    assert failing(report) == ["namespaces"]
    assert [problem["namespace"] for problem in entry(report)["problems"]] == [names[-1]]


# Commands to paste


@pytest.fixture
def paste(tmp_path: Path, world: World) -> Callable[[str], str]:
    """Run a remedy in a shell, as an administrator of `prod`, and return what it prints."""
    return lambda remedy: run_pasted(remedy, world.clusters["prod"], CONTEXT, tmp_path)


@pytest.mark.parametrize(
    "document",
    [
        "namespaces: ['?']",
        "{namespaces: ['?'], secretName: another.one}",
        "{namespaces: [a], secretName: another, prune: true}",
    ],
)
def test_the_remedies_of_missing_rights_pasted_make_the_check_pass(
    world: World, paste: Callable[[str], str], document: str
) -> None:
    world.add_cluster("prod", namespaces=("a",), rbac=None, document=document)
    for remedy in dict.fromkeys(
        finding["remedy"]
        for finding in entry(check(world))["findings"]
        if finding["check"] == "permission"
    ):
        paste(remedy)
    assert failing(check(world)) == []


def test_the_remedy_of_a_right_missing_in_some_namespaces_pasted_makes_the_check_pass(
    world: World, paste: Callable[[str], str]
) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a", "b"),
        rbac="namespaced.yaml",
        document="namespaces: [default, a, b]",
    )
    paste(
        next(
            finding["remedy"]
            for finding in entry(check(world))["findings"]
            if finding["check"] == "permission"
        )
    )
    assert failing(check(world)) == []


def test_the_remedy_of_an_excess_pasted_shows_what_grants_it(
    world: World, paste: Callable[[str], str]
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    grant(world, rule("secrets", "list"), name="too-much", namespace="a")
    (command,) = in_backticks(bad(check(world))["remedy"])
    assert "too-much" in paste(command)


# Excess rights


def test_a_cluster_administrator_may_too_much(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    grant(world, rule("*", "*", group="*"), name="all")
    found = bad(check(world))
    assert found["check"] == "excess"
    assert "get, list, watch, patch and delete secrets" in found["message"]
    assert "bind and escalate clusterroles" in found["message"]
    assert "in every namespace (by ClusterRoleBinding all)" in found["message"]


@pytest.mark.parametrize(
    ("resource", "verb", "group"),
    [
        ("secrets", "watch", ""),
        ("secrets", "patch", ""),
        ("pods", "create", ""),
        ("pods/exec", "create", ""),
        ("serviceaccounts/token", "create", ""),
        ("users", "impersonate", ""),
        ("clusterroles", "bind", "rbac.authorization.k8s.io"),
        ("clusterroles", "escalate", "rbac.authorization.k8s.io"),
    ],
)
def test_each_dangerous_right_is_a_finding(
    world: World, resource: str, verb: str, group: str
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]", embedded=True)
    grant(world, rule(resource, verb, group=group))
    assert bad(check(world))["message"].startswith(f"may {verb} {resource}, in every namespace")


@pytest.mark.parametrize("verb", ["get", "list"])
@pytest.mark.parametrize("namespace", ["b", "kube-system"])
def test_a_role_in_one_namespace_that_reads_secrets_is_a_finding(
    world: World, verb: str, namespace: str
) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: ['?']", embedded=True)
    grant(world, rule("secrets", verb), namespace=namespace)
    found = bad(check(world))
    assert (found["check"], found["message"]) == (
        "excess",
        (
            f"may {verb} secrets of any name, in {namespace} (by RoleBinding granted):"
            " more than is needed"
        ),
    )


def test_what_grants_too_much_by_no_rbac_is_looked_for_in_eks(world: World) -> None:
    """An EKS access policy, say, whose authorizer gives no reason."""
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    allowed = recorded("a-review-of-who-may-do-everything").response
    cluster.intercept = lambda request: (
        allowed if "selfsubjectaccessreviews" in request.path else None
    )
    remedy = bad(check(world))["remedy"]
    assert (
        "aws eks list-associated-access-policies --region us-east-1 --cluster-name prod"
        f" --principal-arn {EXECUTION_ROLE}" in remedy
    )


def test_rights_for_pruning_are_no_excess(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    grant(world, PRUNE_RULE, ACCOUNTS_RULE)
    assert check(world)["ok"]


# Namespaces


def test_a_foreign_secret_in_the_way_is_among_the_problems(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="namespaces: [a, b]")
    world.foreign_secret("prod", "b")
    report = check(world)
    assert (bad(report)["check"], bad(report)["message"]) == (
        "namespaces",
        "2 selected now: a, b; 1 with a problem",
    )
    assert [
        (problem["namespace"], problem["outcome"]) for problem in entry(report)["problems"]
    ] == [("b", "conflict")]
    assert world.secret("prod", "a") is None


def test_a_missing_namespace_is_among_the_problems(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a, nowhere]")
    assert [
        (problem["namespace"], problem["outcome"]) for problem in entry(check(world))["problems"]
    ] == [("nowhere", "missing")]


def test_namespaces_to_prune_are_not_selected_ones(world: World) -> None:
    world.add_cluster("prod", namespaces=("a", "b"), document="{namespaces: [a], prune: true}")
    grant(world, PRUNE_RULE)
    report = check(world)
    assert report["ok"]
    assert entry(report)["findings"][-1]["message"] == "1 selected now: a"


# ECR Public, time, and other clusters


def test_a_token_that_ecr_public_refuses_is_the_runs_error_and_clusters_are_checked(
    world: World,
) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script(
        "ecr-public", "GetAuthorizationToken", Answer(400, b'{"__type": "AccessDeniedException"}')
    )
    report = check(world)
    assert (report["error"]["type"], report["ok"]) == ("TokenError", False)
    assert passed(report) == EVERY


def test_ecr_public_that_hangs_does_not_keep_the_clusters_waiting(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.aws.script("ecr-public", "GetAuthorizationToken", Answer(200, b"{}", delay=HANG_SECONDS))
    report = check(world, seconds=2)
    assert report["error"]["type"] == "DeadlineReached"
    assert passed(report) == EVERY


@pytest.mark.alone
def test_at_the_deadline_the_report_shows_where_each_one_hung(
    world: World, resolver: Callable[..., None]
) -> None:
    """The retry policy is the function's own, which is longer than this invocation."""
    hung_at = {
        "dns": "dns",
        "connect": "tcp",
        "tls": "tls",
        "drip": "sign-in",
        "answer": "sign-in",
    }
    world.add_cluster("good", namespaces=("a",), document="namespaces: [a]", embedded=True)
    resolver(cluster_example=HANG_SECONDS)

    def silent(exchange: Exchange) -> None:
        if exchange.request():
            time.sleep(HANG_SECONDS)

    with (
        hanging_at_connect() as unconnected,
        serving(silent, before_handshake=lambda: time.sleep(HANG_SECONDS)) as tls,
        serving(drip) as dripping,
        serving(silent) as answering,
    ):
        describe(world, f"https://{ONE_NAME}", name="dns")
        describe(world, unconnected, name="connect")
        for kind, server in {"tls": tls, "drip": dripping, "answer": answering}.items():
            describe(world, server.url, ca_pem=server.certificate.ca_pem, name=kind)
        began = time.monotonic()
        report = world.invoke({"action": "check"}, seconds=4)  # six clusters take their time
        assert time.monotonic() - began < 4
    assert entry(report, "good")["ok"]
    assert {kind: (bad(report, kind)["check"], entry(report, kind)["ok"]) for kind in hung_at} == {
        kind: (at, False) for kind, at in hung_at.items()
    }


def test_clusters_that_were_never_started_report_that(world: World) -> None:
    with hanging_at_connect() as url:
        for number in range(102):
            world.aws.put_cluster(
                ACCOUNT, "us-east-1", Described(f"c{number}", url, "BEGIN CERTIFICATE")
            )
            world.document(f"c{number}", "namespaces: [a]")
        report = check(world, seconds=2, retry_policy=RetryPolicy())
    logged = [
        finding["message"]
        for cluster in report["clusters"]
        for finding in cluster["findings"]
        if not finding["ok"]
    ]
    assert logged.count("the function ran out of time before this was started") == 2
    assert len(logged) == 102


def test_a_cluster_that_the_time_was_not_enough_for_is_not_ok(world: World) -> None:
    """Everything so far was well, and that is not enough."""
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )

    def hang(request: SeenRequest) -> Response | None:
        if b'"escalate"' in request.body:
            time.sleep(2)
        return None

    cluster.intercept = hang
    report = check(world, seconds=1.5, retry_policy=RetryPolicy())
    assert (bad(report)["check"], bad(report)["message"]) == (
        "permission",
        "no response before the function ran out of time",
    )


def test_one_cluster_that_hangs_does_not_delay_another(world: World) -> None:
    world.add_cluster("other", namespaces=("a",), document="namespaces: [a]", embedded=True)
    finished_first: list[bool] = []

    def hang_until_the_other_is_done(exchange: Exchange) -> None:
        if not exchange.request():
            return
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up and not world.applies("other"):
            time.sleep(0.02)
        finished_first.append(time.monotonic() < give_up)

    with serving(hang_until_the_other_is_done) as server:
        describe(world, server.url, ca_pem=server.certificate.ca_pem)
        report = check(world, retry_policy=RetryPolicy(request_seconds=11))
    assert set(finished_first) == {True}
    assert (passed(report, "other"), failing(report)) == (EVERY, ["sign-in"])


def test_fifty_clusters_are_checked_side_by_side(world: World) -> None:
    together = threading.Barrier(50)

    def wait(request: SeenRequest) -> Response | None:
        if "selfsubjectreviews" in request.path:
            together.wait(HANG_SECONDS)
        return None

    for number in range(50):
        world.add_cluster(
            f"c{number}", namespaces=("a",), document="namespaces: [a]", embedded=True
        ).intercept = wait
    report = check(world, retry_policy=RetryPolicy())
    assert report["ok"]
    assert report["totals"] == {"clusters": 50, "clustersFailed": 0, "created": 50}


# The number of requests


def reviews(world: World) -> int:
    return sum("selfsubjectaccessreviews" in line for line in world.asked("prod"))


@pytest.mark.parametrize(
    ("names", "document", "asked"),
    [
        # rights needed, dangerous ones, namespaces looked into, infra/rbac's version
        (5, "namespaces: n000 n001 n002 n003 n004", 3 + 12 + 2 * 6 + 1),
        (300, "namespaces: ['n*']", 4 + 12 + 2 * 101 + 1),
    ],
)
def test_the_number_of_access_reviews_is_bounded(
    world: World, names: int, document: str, asked: int
) -> None:
    world.add_cluster(
        "prod",
        namespaces=tuple(f"n{number:03}" for number in range(names)),
        document=document,
        embedded=True,
    )
    report = check(world)
    assert entry(report)["counts"] == {"created": names}
    assert reviews(world) == asked
    assert len(world.asked("prod")) == 2 + asked + names + (2 if "*" in document else 0)


def test_two_documents_of_one_cluster_conflict_as_in_a_push(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    world.document("second", "{cluster: prod, namespaces: [a]}")
    report = check(world)
    assert entry(report)["ok"]
    assert entry(report, "second")["problems"][0]["outcome"] == "conflict"


def test_a_cluster_that_fails_as_a_whole_is_reported_once(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a",),
        rbac="namespaced.yaml",
        document="namespaces: [default, 'team-*']",
    )
    report = check(world)
    cluster = entry(report)
    assert cluster["error"] is None
    assert cluster["problems"] == []
    (finding,) = [finding for finding in cluster["findings"] if finding["check"] == "namespaces"]
    assert (finding["ok"], "not allowed to list namespaces" in finding["message"]) == (False, True)
    assert "See the cluster's error" not in str(report)


def test_a_request_without_an_answer_is_retried_once_by_a_check(world: World) -> None:
    """A push tries longer: nobody waits for it."""
    cluster = world.add_cluster(
        "prod", namespaces=("a",), document="namespaces: [a]", embedded=True
    )
    assert isinstance(cluster, EmbeddedCluster)
    tries: list[str] = []

    def unavailable(request: SeenRequest) -> Response | None:
        if not request.path.startswith("/api/v1/namespaces?"):
            return None
        tries.append(request.path)
        return Response(503, b"{}")  # a load balancer's

    world.document("prod", "namespaces: ['*']")
    cluster.intercept = unavailable
    patient = replace(IMPATIENT, attempts=4)
    assert not world.run({"action": "check"}, retry_policy=patient)["ok"]
    assert len(tries) == 2 * 2  # by the check itself, and by its dry run


def test_an_endpoint_without_a_port_is_asked_at_443(
    world: World, resolver: Callable[..., None]
) -> None:
    resolver(cluster_example=["10.0.3.7"])  # leads to this machine
    describe(world, f"https://{ONE_NAME}")
    findings = {one["check"]: one["message"] for one in entry(check(world))["findings"]}
    assert "10.0.3.7 port 443" in findings["tcp"]


def test_an_address_that_cannot_be_reached_is_named_with_the_systems_reason(
    world: World, resolver: Callable[..., None]
) -> None:
    resolver(cluster_example=["127.255.255.255"])  # loopback's broadcast address
    describe(world, f"https://{ONE_NAME}")
    found = bad(check(world))
    assert (found["check"], found["message"]) == (
        "tcp",
        "127.255.255.255 port 443 cannot be reached (OSError)",
    )


def test_it_names_the_cluster_the_secret_and_the_context(world: World) -> None:
    world.add_cluster("prod", namespaces=("a",), document="namespaces: [a]")
    finding = entry(check(world))["findings"][0]
    assert finding["check"] == "configuration"
    assert finding["message"].endswith(
        f"Secret {SECRET}; context {CONTEXT} (`aws eks update-kubeconfig --region us-east-1 --name"
        " prod` creates it)"
    )
