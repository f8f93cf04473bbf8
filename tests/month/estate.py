"""The clusters and services of a simulation: they fail as the weather says, and tell the truth."""

import base64
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from infra.local.aws import Answer
from infra.local.aws.wire import AwsRequest
from infra.local.kube import EmbeddedCluster
from infra.local.kube.cluster import Response, SeenRequest
from infra.local.kube.kinds import NAMESPACES, SECRETS, SERVICE_ACCOUNTS
from infra.local.kube.status import failure
from tests.month.clock import MovedClock
from tests.month.settings import TOKEN_LIFE
from tests.month.weather import FOUND, PRIVATE, Kind, Weather
from tests.support.world import EXECUTION_ROLE, ROOT, SECRET, SPOKE_ACCOUNT, World

# The limit on a request of the impatient function, and what a slow API server takes. A busy machine
# must not make a well cluster fail.
PATIENCE_SECONDS = 4.0
SLOW_SECONDS = 4.3
PULL_ROLE = f"arn:aws:iam::{SPOKE_ACCOUNT}:role/ecr-public-pusher-pull"
PRIVATE_HOST = f"{SPOKE_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
TAGS = {"pull": "yes"}

type Tokens = tuple[str, ...]


@dataclass
class Member:
    """A cluster of the estate: the globs of its document, and whether the wider one is written.

    The wide document also names the `late` namespaces. `private`: the Secret must also have the
    private registry's token. `found`: a discovery finds the cluster by its tag.
    """

    name: str
    globs: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ("team-a", "team-b", "late-a")
    private: bool = False
    found: bool = False
    wide: bool = False

    @property
    def id(self) -> str:
        """The cluster's id in events and reports."""
        return f"found/us-east-1/{self.name}" if self.found else self.name

    @property
    def parameter(self) -> str:
        """The name of the parameter that holds its document."""
        return f"{ROOT}/discover/found" if self.found else f"{ROOT}/clusters/{self.name}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries that Pods pull from."""
        return ("public.ecr.aws", PRIVATE_HOST) if self.private else ("public.ecr.aws",)

    def selected(self, namespace: str) -> bool:
        """Return whether the valid document selects the namespace."""
        globs = (*self.globs, "late-*") if self.wide else self.globs
        return any(fnmatchcase(namespace, one) for one in globs)

    def document(self) -> str:
        """Return the valid document."""
        globs = [*self.globs, "late-*"] if self.wide else list(self.globs)
        fields: dict[str, object] = {"namespaces": globs, "prune": True}
        if self.accounts:
            fields["serviceAccounts"] = list(self.accounts)
        if self.private:
            registry = {"account": SPOKE_ACCOUNT, "region": "eu-west-1", "roleArn": PULL_ROLE}
            fields["registries"] = ["public", registry]
        if self.found:
            fields |= {"regions": ["us-east-1"], "tags": TAGS}
        return json.dumps(fields)


MEMBERS = (
    Member("alpha", ("team-*",), ("default", "build*")),
    Member("beta", ("team-*", "kube-public")),
    Member(PRIVATE, ("team-a", "team-b*"), private=True),
    Member(FOUND, ("team-*",), found=True),
)


@dataclass
class Estate:
    """The clusters, their documents, and each token's true end."""

    world: World
    clock: MovedClock
    weather: Weather
    members: dict[str, Member] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    issued: dict[str, float] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def fill(self) -> None:
        """Start the clusters, write their documents, and have the services fail in time."""
        self.world.defaults("labels: {team: platform}")
        self.world.aws.put_role(PULL_ROLE, trusted=EXECUTION_ROLE)
        for one in MEMBERS:
            member, name = replace(one), one.name
            self.members[name] = member
            cluster = self.world.add_cluster(
                name,
                namespaces=member.namespaces,
                embedded=True,
                tags=TAGS if member.found else None,
            )
            self.world.aws.put_parameter(member.parameter, member.document())
            for rules in ("service-accounts.yaml", "prune.yaml"):
                self.world.apply(name, rules)
            cluster.intercept = self._interference(name)
            for namespace in member.namespaces:
                self.add_account(name, namespace, "default")
        aws = self.world.aws
        aws.script("ecr-public", "GetAuthorizationToken", self._token)
        aws.script("ecr", "GetAuthorizationToken", self._private_token)
        refusing: tuple[tuple[str, str, Kind, str, str], ...] = (
            ("ssm", "GetParametersByPath", "parameters", "", "ThrottlingException"),
            ("eks", "DescribeCluster", "eks", "", "ServerException"),
            ("eks", "ListClusters", "listing", FOUND, "AccessDeniedException"),
            ("sts", "AssumeRole", "registry", PRIVATE, "AccessDenied"),
            ("sqs", "SendMessageBatch", "sqs", "", "AccessDeniedException"),
        )
        for service, action, kind, target, code in refusing:
            aws.script(service, action, self._refusal(kind, target, code))

    def write_documents(self) -> None:
        """Have Parameter Store hold what the weather says at this time."""
        held = self.world.aws
        defaults = "labels: [wrong]" if self._active("defaults") else "labels: {team: platform}"
        self.world.defaults(defaults)
        for name, member in self.members.items():
            if self._active("deleted", name):
                held.delete_parameter(member.parameter)
            elif self._active("invalid", name):
                held.put_parameter(member.parameter, "namespaces: {include: 7}")
            else:
                held.put_parameter(member.parameter, member.document())

    def cluster(self, name: str) -> EmbeddedCluster:
        """Return the running cluster."""
        found = self.world.clusters[name]
        assert isinstance(found, EmbeddedCluster)
        return found

    def namespaces(self, name: str) -> list[str]:
        """Return the namespaces of a cluster that its valid document selects."""
        member = self.members[name]
        found = (one["metadata"]["name"] for one in self.cluster(name).store.values(NAMESPACES))
        return sorted(one for one in found if member.selected(one))

    def add_account(self, name: str, namespace: str, account: str) -> None:
        """Create a ServiceAccount."""
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        status, _ = self.cluster(name).admin("POST", path, body)
        assert status in (201, 409), status

    def tokens(self, name: str, namespace: str) -> Tokens | None:
        """Return the tokens in a namespace's Secret, as a kubelet would use them.

        None without one, or if it lacks a registry's.
        """
        found = self.cluster(name).store.get(SECRETS, namespace, SECRET)
        if found is None:
            return None
        auths = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))["auths"]
        hosts = self.members[name].hosts
        return tuple(auths[one]["auth"] for one in hosts) if auths.keys() >= {*hosts} else None

    def end(self, tokens: Tokens) -> float:
        """Return when the first of the tokens ends."""
        return min(self.ends[one] for one in tokens)

    def without_secret(self, name: str, namespace: str) -> list[str]:
        """Return the selected ServiceAccounts that do not name the Secret."""
        globs = self.members[name].accounts
        return [
            one["metadata"]["name"]
            for one in self.cluster(name).store.values(SERVICE_ACCOUNTS)
            if one["metadata"]["namespace"] == namespace
            and any(fnmatchcase(one["metadata"]["name"], glob) for glob in globs)
            and {"name": SECRET} not in one.get("imagePullSecrets", [])
        ]

    def _active(self, kind: Kind, target: str = "") -> bool:
        return self.weather.active(self.clock.now, kind, target=target)

    def _token(self, request: AwsRequest) -> Answer:
        if self._active("tokens"):
            return Answer.refusal(request, "AccessDeniedException", "not now")
        return _authorization(self._issue())

    def _private_token(self, request: AwsRequest) -> Answer:
        return _authorization([self._issue() | {"proxyEndpoint": f"https://{PRIVATE_HOST}"}])

    def _issue(self) -> dict[str, object]:
        text = f"AWS:token-{next(self._numbers)}".encode()
        token = base64.b64encode(text).decode()
        self.issued[token] = self.clock.now
        self.ends[token] = self.clock.now + TOKEN_LIFE
        return {"authorizationToken": token, "expiresAt": self.clock.epoch() + TOKEN_LIFE}

    def _refusal(self, kind: Kind, target: str, code: str) -> Callable[[AwsRequest], Answer | None]:
        def answer(request: AwsRequest) -> Answer | None:
            return Answer.refusal(request, code, "not now") if self._active(kind, target) else None

        return answer

    def _interference(self, name: str) -> Callable[[SeenRequest], Response | None]:
        def answer(request: SeenRequest) -> Response | None:
            if request.user == "local-admin":
                return None
            if self._active("cut", name):
                return Response(raw=(), close=True)
            if self._active("down", name):
                return Response(503, failure(503, "not now", {}, "ServiceUnavailable"))
            if self._active("forbidden", name):
                return Response(403, failure(403, "not for you", {}, "Forbidden"))
            if self._active("slow", name):
                time.sleep(SLOW_SECONDS)
            return None

        return answer


def _authorization(data: object) -> Answer:
    body = json.dumps({"authorizationData": data}).encode()
    return Answer(200, body, {"Content-Type": "application/x-amz-json-1.1"})


def change_event(clock: MovedClock, name: str, operation: str) -> dict[str, Any]:
    """Return EventBridge's event of a changed parameter."""
    return {
        "version": "0",
        "id": f"change-{name}-{clock.now}",
        "detail-type": "Parameter Store Change",
        "source": "aws.ssm",
        "account": "111122223333",
        "time": datetime.fromtimestamp(clock.epoch(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:ssm:us-east-1:111122223333:parameter{name}"],
        "detail": {"operation": operation, "name": name, "type": "String"},
    }
