"""The built function's calls to AWS and its metrics, compared with the template.

Every kind of run is done once for the module, under the Runtime Interface Emulator. Its calls are
judged by the execution role's policies, its metrics compared with the alarms'.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml

from infra.local.aws import LocalAws
from infra.local.aws.queues import LocalQueue
from infra.local.aws.sam import build, emulator, sam_command
from infra.local.aws.template import read_function
from infra.local.aws.wire import AwsCall
from infra.local.identity import AccessEntry
from infra.local.kube import EmbeddedCluster
from infra.local.runtime import BuiltFunction
from infra.local.stack import trusted_issuer
from tests.stack.alarms import AWS_METRICS, EMITTED, NAMESPACE, alarm_metrics
from tests.stack.template import ACCOUNT, REGION, ROOT, STACK, deployed
from tests.support.aws_calls import asked_of_iam
from tests.support.iam import Decision, Request, evaluate

ROLE = f"arn:aws:iam::{ACCOUNT}:role/{STACK}-PusherRole"
SPOKE_ACCOUNT = "444455556666"
SPOKE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-spoke"
PULL = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
ROOT_PATH = "/ecr-public-pusher"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd"
ALLOWED = {"AllowedEndpoints": "127.0.0.1", "AllowedAccounts": SPOKE_ACCOUNT}

# Statements that no call of the function needs, with their user.
NOT_THE_FUNCTIONS_OWN = {
    "ReceiveRetries": "Lambda's poller, which takes the role",
    "WriteLogs": "Lambda's runtime",
    "DescribeNetwork": "Lambda, to put the function into a VPC and to take it out",
    "ManageNetworkInterfaces": "the same",
    "DenySignInRolesToRegistries": "nobody: it denies",
    "DenyRegistriesRolesToSignIn": "the same",
}


@dataclass
class Captured:
    """All calls and all metrics of the runs, by the kind of run."""

    queue_arn: str = ""
    dead_letter_arn: str = ""
    calls: dict[str, list[AwsCall]] = field(default_factory=dict)
    metrics: dict[str, set[tuple[str, str, tuple[str, ...]]]] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)

    @property
    def all_calls(self) -> list[AwsCall]:
        return [call for calls in self.calls.values() for call in calls]


@pytest.fixture(scope="module")
def captured() -> Captured:
    sam = sam_command(ROOT, {})
    built = build(ROOT, sam)
    found = Captured()
    with LocalAws(ACCOUNT) as aws, contextlib.ExitStack() as stack:
        queue = aws.put_queue(f"{STACK}-retry", region=REGION)
        dead = aws.put_queue(f"{STACK}-dead", region=REGION)
        found.queue_arn = queue.arn
        found.dead_letter_arn = dead.arn
        _fill(aws, stack)
        for fan_out in ("false", "true"):
            spec = read_function(
                built.template,
                stack_name=STACK,
                region=REGION,
                account_id=ACCOUNT,
                parameters={**built.parameters, "FanOut": fan_out, **ALLOWED},
                resources={"RetryQueue": queue.url, "DeadLetterQueue": dead.url},
            )
            credential = aws.credentials_for(ROLE, "function")
            with BuiltFunction(
                spec,
                emulator(sam),
                credential=credential,
                region=REGION,
                aws_endpoint_url=aws.endpoint_url,
            ) as function:
                _run_all(function, aws, queue, found, fan_out=fan_out == "true")
    return found


def _fill(aws: LocalAws, stack: contextlib.ExitStack) -> None:
    """Add five clusters with documents.

    One is in the function's account, with a SecureString document, one in another account, and one
    fails; two are not EKS.
    """
    aws.put_role(ROLE)
    sign_in = "ecr-public-pusher-sign-in"
    pull = "ecr-public-pusher-pull"
    aws.put_role(SPOKE, external_id="an-id", trusted=ROLE, session_name=sign_in)
    aws.put_role(PULL, trusted=ROLE, session_name=pull)
    rbac = list(yaml.safe_load_all((ROOT / "infra" / "rbac" / "cluster.yaml").read_text()))
    for name, account, role, region in (
        ("home", ACCOUNT, ROLE, REGION),
        ("away", SPOKE_ACCOUNT, SPOKE, "us-west-2"),
        ("shut", ACCOUNT, ROLE, REGION),
    ):
        cluster = stack.enter_context(
            EmbeddedCluster(
                name,
                credentials=aws.find_credential,
                access_entries=[AccessEntry(role, ("ecr-public-pushers",))],
                region=region,
            )
        )
        if name != "shut":
            cluster.apply(*rbac)
        cluster.admin(
            "POST",
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}},
        )
        aws.put_cluster(account, region, cluster, tags={"team": "web"} if name == "home" else {})
    registry = {"account": SPOKE_ACCOUNT, "region": "eu-west-1", "roleArn": PULL}
    documents: dict[str, dict[str, Any]] = {
        "home": {"namespaces": ["team-*"]},
        "away": {
            "namespaces": ["team-*"],
            "region": "us-west-2",
            "roleArn": SPOKE,
            "externalId": "an-id",
            "registries": ["public", registry],
        },
        "shut": {"namespaces": ["team-a"]},
    }
    aws.web_identity.enabled = True
    edge, old = (
        stack.enter_context(EmbeddedCluster(name, credentials=aws.find_credential))
        for name in ("edge", "old")
    )
    edge.trust(trusted_issuer(aws, audience="ecr-public-pusher:edge", subject=ROLE))
    for cluster in (edge, old):
        cluster.apply(
            *rbac, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
        )
    stored = aws.put_secret(
        f"{ROOT_PATH}/old",
        json.dumps(old.client_kubeconfig("pusher", ["ecr-public-pushers"])),
        region=REGION,
    )
    documents["edge"] = {
        "namespaces": ["team-a"],
        "endpoint": edge.endpoint,
        "certificateAuthority": edge.ca_pem,
        "signIn": {"type": "webIdentity"},
    }
    documents["old"] = {
        "namespaces": ["team-a"],
        "signIn": {"type": "kubeconfig", "secretArn": stored},
    }
    # The discovery finds only the cluster that has a document of its own.
    discovery = {"regions": [REGION], "tags": {"team": "web"}, "namespaces": ["team-*"]}
    aws.put_parameter(f"{ROOT_PATH}/discover/fleet", json.dumps(discovery), region=REGION)
    for name, document in documents.items():
        aws.put_parameter(
            f"{ROOT_PATH}/clusters/{name}",
            json.dumps(document),
            secure=name == "home",
            region=REGION,
        )


def _run_all(
    function: BuiltFunction, aws: LocalAws, queue: LocalQueue, found: Captured, *, fan_out: bool
) -> None:
    def run(kind: str, event: Any = None) -> None:
        """Invoke the function once; without an event with the poller's next batch."""
        batch = event is None
        event = queue.batch() if batch else event
        seen = len(aws.calls)
        invocation = function.invoke(event)
        assert invocation.error is None, invocation
        if batch:
            queue.settle(event, invocation.payload)
        found.calls[kind] = aws.calls[seen:]
        found.metrics[kind] = set(_emitted(invocation.logs))
        found.printed += invocation.logs

    if fan_out:
        run("dispatch", {"action": "push"})
        run("worker")
        return
    run("push", {"action": "push"})
    run("sweep", {"action": "sweep", "windowMinutes": 20})
    detail = {
        "operation": "Update",
        "name": f"{ROOT_PATH}/clusters/home",
        "type": "String",
        "description": "",
    }
    run("change", {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail})
    run("batch")
    queue.put(
        {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": {"action": "push"}}
    )
    run("retry of a whole run")
    queue.put(
        {
            "requestContext": {"condition": "RetriesExhausted"},
            "requestPayload": {"action": "remove", "clusters": ["*"]},
        }
    )
    run("parked removal")
    run("plan", {"action": "plan"})
    run("check", {"action": "check"})
    run("removal", {"action": "plan", "remove": True, "clusters": ["*"]})


def _emitted(lines: tuple[str, ...]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Return (namespace, metric, dimension names) of all metrics in embedded metric format."""
    for line in lines:
        logged = json.loads(line) if line.startswith("{") else {}
        for block in logged.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in block["Metrics"]:
                for dimensions in block["Dimensions"]:
                    assert all(isinstance(logged[name], str) for name in dimensions)
                    yield block["Namespace"], metric["Name"], tuple(sorted(dimensions))


def role_policies(captured: Captured, **parameters: Any) -> list[dict[str, Any]]:
    """Return the execution role's policies as deployed, with the URL of the queue in use."""
    role = deployed(**{**ALLOWED, **parameters})["PusherRole"]["Properties"]
    text = json.dumps(role["Policies"])
    text = text.replace("RetryQueue.Arn", captured.queue_arn).replace(
        "DeadLetterQueue.Arn", captured.dead_letter_arn
    )
    return [policy["PolicyDocument"] for policy in json.loads(text)]


def test_the_runs_made_the_calls_to_judge(captured: Captured) -> None:
    made = {
        kind: {f"{call.service}:{call.action}" for call in calls}
        for kind, calls in captured.calls.items()
    }
    read = {"ssm:GetParametersByPath", "ssm:GetParameters"}
    looked = {"eks:ListClusters", "eks:DescribeCluster"}  # by tag, where all clusters are asked for
    pushes = read | {"ecr-public:GetAuthorizationToken"}
    # A described cluster is cached while the sandbox lives; a check asks again, and so does another
    # sandbox.
    described = {"eks:DescribeCluster"}
    # The other account's cluster, and its registry's token.
    assumed = {"sts:AssumeRole", "ecr:GetAuthorizationToken"}
    # The clusters that are not EKS.
    beyond = {"sts:GetWebIdentityToken", "secretsmanager:GetSecretValue"}
    assert made == {
        "push": pushes | looked | assumed | beyond | {"sqs:SendMessageBatch"},
        # No cluster of this sweep lacks anything, so it gets no token.
        "sweep": read | {"eks:ListClusters", "sts:AssumeRole"} | beyond,
        "change": pushes,
        "batch": pushes,
        "retry of a whole run": pushes | looked | assumed | beyond,
        "parked removal": pushes | {"sqs:SendMessageBatch"},
        "plan": pushes | looked | assumed | beyond,
        "check": pushes | looked | assumed | beyond,
        "removal": read | looked | {"sts:AssumeRole"} | beyond,
        "dispatch": read | looked | {"sqs:SendMessageBatch"},
        "worker": pushes | described | assumed | beyond,
    }


def test_every_call_of_the_execution_role_is_allowed(captured: Captured) -> None:
    policies = role_policies(captured)
    refused = [
        (kind, asked.action, asked.resource)
        for kind, calls in captured.calls.items()
        for call in calls
        if call.account == ACCOUNT
        for asked in asked_of_iam(call, account=ACCOUNT)
        if evaluate(policies, asked).decision is not Decision.ALLOWED
    ]
    assert refused == []


def test_every_call_is_allowed_with_customer_keys_too(captured: Captured) -> None:
    policies = role_policies(captured, KmsKeyArn=KEY, ConfigKmsKeyArn=KEY)
    asked = [
        one
        for call in captured.all_calls
        if call.account == ACCOUNT
        for one in asked_of_iam(call, account=ACCOUNT, config_key=KEY, queue_key=KEY)
    ]
    assert {one.action for one in asked} >= {"kms:Decrypt", "kms:GenerateDataKey"}
    assert {evaluate(policies, one).decision for one in asked} == {Decision.ALLOWED}


def test_every_statement_is_needed_by_some_call_or_said_to_be_somebody_elses(
    captured: Captured,
) -> None:
    policies = role_policies(captured, KmsKeyArn=KEY, ConfigKmsKeyArn=KEY)
    asked = [
        one
        for call in captured.all_calls
        if call.account == ACCOUNT
        for one in asked_of_iam(call, account=ACCOUNT, config_key=KEY, queue_key=KEY)
    ]
    used = {sid for one in asked for sid in evaluate(policies, one).by}
    written = {statement["Sid"] for policy in policies for statement in policy["Statement"]}
    assert written - used == set(NOT_THE_FUNCTIONS_OWN)


def test_a_role_of_another_name_may_not_be_assumed(captured: Captured) -> None:
    call, *_ = [call for call in captured.all_calls if call.action == "AssumeRole"]
    (asked,) = asked_of_iam(call, account=ACCOUNT)
    assert (
        evaluate(role_policies(captured, AssumableRoleName="another"), asked).decision
        is Decision.IMPLICITLY_DENIED
    )


def assumptions(captured: Captured) -> list[Request]:
    """Return the IAM requests with which the function assumed its sign-in and pull roles."""
    calls = [call for call in captured.all_calls if call.action == "AssumeRole"]
    asked = [one for call in calls for one in asked_of_iam(call, account=ACCOUNT)]
    assert {one.resource for one in asked} == {SPOKE, PULL}
    return asked


@pytest.mark.parametrize(
    ("accounts", "decision"),
    [
        (SPOKE_ACCOUNT, Decision.ALLOWED),
        (f"777788889999,{SPOKE_ACCOUNT}", Decision.ALLOWED),
        ("*", Decision.ALLOWED),
        ("", Decision.IMPLICITLY_DENIED),
        (ACCOUNT, Decision.IMPLICITLY_DENIED),
    ],
)
def test_a_role_of_an_account_that_is_not_allowed_may_not_be_assumed(
    captured: Captured,
    accounts: str,
    decision: Decision,
) -> None:
    policies = role_policies(captured, AllowedAccounts=accounts)
    assert {evaluate(policies, one).decision for one in assumptions(captured)} == {decision}


def test_a_role_may_not_be_assumed_for_the_other_use(captured: Captured) -> None:
    names = {one.resource: one.context["sts:RoleSessionName"] for one in assumptions(captured)}
    assert names[SPOKE] != names[PULL]
    for asked in assumptions(captured):
        (other,) = set(names.values()) - {asked.context["sts:RoleSessionName"]}
        swapped = replace(asked, context={**asked.context, "sts:RoleSessionName": other})
        decision = evaluate(role_policies(captured), swapped).decision
        assert decision is Decision.EXPLICITLY_DENIED


def test_without_allowed_endpoints_the_role_gets_no_web_identity_token_and_no_kubeconfig(
    captured: Captured,
) -> None:
    beyond = [
        call
        for call in captured.all_calls
        if call.action in ("GetWebIdentityToken", "GetSecretValue")
    ]
    asked = [one for call in beyond for one in asked_of_iam(call, account=ACCOUNT)]
    assert {one.action for one in asked} == {
        "sts:GetWebIdentityToken",
        "secretsmanager:GetSecretValue",
    }
    assert {
        evaluate(role_policies(captured, AllowedEndpoints=""), one).decision for one in asked
    } == {Decision.IMPLICITLY_DENIED}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sts:IdentityTokenAudience", ["sts.amazonaws.com"]),
        ("sts:IdentityTokenAudience", ["ecr-public-pusher:edge", "vault"]),
        ("sts:IdentityTokenAudience", []),
        ("sts:SigningAlgorithm", "ES384"),
        ("sts:DurationSeconds", "301"),
    ],
)
def test_no_other_web_identity_token_may_be_requested(
    captured: Captured, key: str, value: Any
) -> None:
    call, *_ = [call for call in captured.all_calls if call.action == "GetWebIdentityToken"]
    (asked,) = asked_of_iam(call, account=ACCOUNT)
    assert evaluate(role_policies(captured), asked).decision is Decision.ALLOWED
    other = replace(asked, context={**asked.context, key: value})
    assert evaluate(role_policies(captured), other).decision is Decision.IMPLICITLY_DENIED


def test_another_configuration_path_may_not_be_read(captured: Captured) -> None:
    asked = [
        one
        for call in captured.all_calls
        if call.service == "ssm"
        for one in asked_of_iam(call, account=ACCOUNT)
    ]
    policies = role_policies(captured, ConfigPath="/somebody-elses")
    assert {evaluate(policies, one).decision for one in asked} == {Decision.IMPLICITLY_DENIED}


def test_the_spoke_roles_calls_are_allowed_by_its_template(captured: Captured) -> None:
    cluster = f"arn:aws:eks:us-west-2:{SPOKE_ACCOUNT}:cluster/away"
    spoke = deployed(
        "infra/spoke-role.yaml", PusherRoleArn=ROLE, ExternalId="an-id", ClusterArns=cluster
    )
    (role,) = [body["Properties"] for body in spoke.values() if body["Type"] == "AWS::IAM::Role"]
    theirs = [
        call
        for call in captured.all_calls
        if call.account == SPOKE_ACCOUNT and call.service == "eks"
    ]
    assert {call.action for call in theirs} == {"DescribeCluster"}
    asked = [one for call in theirs for one in asked_of_iam(call, account=SPOKE_ACCOUNT)]
    policies = [policy["PolicyDocument"] for policy in role["Policies"]]
    assert {evaluate(policies, one).decision for one in asked} == {Decision.ALLOWED}


def test_exactly_the_known_metrics_are_emitted(
    captured: Captured,
) -> None:
    emitted = set().union(*captured.metrics.values())
    assert emitted == EMITTED - AWS_METRICS


def test_every_alarm_of_ours_is_on_a_metric_that_a_run_emitted(captured: Captured) -> None:
    emitted = set().union(*captured.metrics.values())
    ours = {metric for metric in alarm_metrics() if metric[0] == NAMESPACE}
    assert ours
    assert ours <= emitted


def test_a_plan_emits_nothing_and_a_dispatcher_no_completed_push(captured: Captured) -> None:
    assert (
        captured.metrics["plan"]
        == captured.metrics["check"]
        == captured.metrics["removal"]
        == set()
    )
    assert "FullPushCompleted" not in {name for _, name, _ in captured.metrics["dispatch"]}


def test_nothing_that_was_printed_is_a_credential(captured: Captured) -> None:
    text = "\n".join(captured.printed)
    assert '"action":"push"' in text.replace('": "', '":"')
    assert "QVdTO" not in text  # begins the base64 of "AWS:"
    assert "k8s-aws-v1." not in text
    assert "X-Amz-Signature" not in text


def test_the_pull_roles_calls_are_allowed_by_its_template(captured: Captured) -> None:
    repository = f"arn:aws:ecr:eu-west-1:{SPOKE_ACCOUNT}:repository/x"
    (role,) = [
        body["Properties"]
        for body in deployed(
            "infra/pull-role.yaml",
            PusherRoleArn=ROLE,
            ExternalId="some-id-of-yours",
            RepositoryArns=repository,
        ).values()
    ]
    theirs = [call for call in captured.all_calls if call.service == "ecr"]
    assert {call.principal.split("/")[1] for call in theirs if call.principal} == {
        "ecr-public-pusher-pull"
    }
    policies = [policy["PolicyDocument"] for policy in role["Policies"]]
    asked = [one for call in theirs for one in asked_of_iam(call, account=SPOKE_ACCOUNT)]
    assert {evaluate(policies, one).decision for one in asked} == {Decision.ALLOWED}
