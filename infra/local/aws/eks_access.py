"""EKS access entries, which moto lacks; the local clusters' sign-in uses what is written here."""

import json
import time
from dataclasses import dataclass
from typing import Any

from ..identity import AccessEntries, AccessEntry, CredentialLookup
from .wire import Answer, AwsRequest

_ACTIONS = (
    "ListAccessEntries",
    "CreateAccessEntry",
    "DescribeAccessEntry",
    "UpdateAccessEntry",
    "DeleteAccessEntry",
)
# Source: EKS API, CreateAccessEntry, `kubernetesGroups`
_RESERVED = ("system:", "eks:", "aws:", "amazon:", "iam:")
_NO_ENTRIES = "CONFIG_MAP"


@dataclass(frozen=True)
class _Cluster:
    entries: AccessEntries
    authentication_mode: str


class EksAccess:
    """The access entries of clusters, by account, region and name."""

    def __init__(self, find_credential: CredentialLookup) -> None:
        self._find = find_credential
        self._clusters: dict[tuple[str, str, str], _Cluster] = {}

    def put(
        self,
        account: str,
        region: str,
        name: str,
        entries: AccessEntries | None,
        authentication_mode: str,
    ) -> None:
        """Add a cluster with the entries that its sign-in uses; None admits nobody."""
        self._clusters[account, region, name] = _Cluster(
            entries if entries is not None else AccessEntries(), authentication_mode
        )

    def answer(self, request: AwsRequest) -> Answer | None:
        """Answer a call about access entries; return None for any other."""
        credential = self._find(request.access_key_id) if request.access_key_id else None
        if credential is None or request.service != "eks" or request.action not in _ACTIONS:
            return None
        name = request.parameters["name"]
        account = credential.arn.split(":")[4]
        cluster = self._clusters.get((account, request.region, name))
        if cluster is None:
            return Answer.refusal(
                request,
                "ResourceNotFoundException",
                f"No cluster found for name: {name}.",
                status=404,
            )
        if cluster.authentication_mode == _NO_ENTRIES:
            message = (
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP]"
                " to perform this operation."
            )
            return Answer.refusal(request, "InvalidRequestException", message)
        return _Asked(request, cluster.entries, account, name).answer()


@dataclass(frozen=True)
class _Asked:
    request: AwsRequest
    entries: AccessEntries
    account: str
    cluster: str

    def answer(self) -> Answer:
        given = json.loads(self.request.body or b"{}")
        if self.request.action == "ListAccessEntries":
            return _json({"accessEntries": [entry.principal_arn for entry in self.entries]})
        principal = self.request.parameters.get("principalArn") or given["principalArn"]
        there = self.entries.of(principal)
        if self.request.action == "CreateAccessEntry":
            if there is not None:
                message = "The specified access entry resource is already in use on this cluster."
                return Answer.refusal(self.request, "ResourceInUseException", message, status=409)
            return self._write(principal, given)
        if there is None:
            message = (
                "The specified principalArn could not be found. You can view your available access"
                " entries with 'list-access-entries'."
            )
            return Answer.refusal(self.request, "ResourceNotFoundException", message, status=404)
        if self.request.action == "UpdateAccessEntry":
            return self._write(principal, {"kubernetesGroups": list(there.groups), **given})
        if self.request.action == "DeleteAccessEntry":
            self.entries.remove(principal)
            return _json({})
        return self._shown(there)

    def _write(self, principal: str, given: dict[str, Any]) -> Answer:
        groups = tuple(given.get("kubernetesGroups", ()))
        if any(group.startswith(_RESERVED) for group in groups):
            message = (
                "The kubernetes group name is invalid, it cannot start with a reserved prefix."
            )
            return Answer.refusal(self.request, "InvalidParameterException", message)
        entry = AccessEntry(principal, groups, given.get("username"))
        self.entries.put(entry)
        return self._shown(entry)

    def _shown(self, entry: AccessEntry) -> Answer:
        partition = entry.principal_arn.split(":")[1]
        name = entry.principal_arn.rpartition("/")[2]
        owner = entry.principal_arn.split(":")[4]
        arn = (
            f"arn:{partition}:eks:{self.request.region}:{self.account}:access-entry/{self.cluster}"
            f"/role/{owner}/{name}/1"
        )
        times = {"createdAt": time.time(), "modifiedAt": time.time()}
        shown = {
            "clusterName": self.cluster,
            "principalArn": entry.principal_arn,
            "kubernetesGroups": list(entry.groups),
            "accessEntryArn": arn,
        }
        return _json(
            {
                "accessEntry": {
                    **shown,
                    **times,
                    "tags": {},
                    "username": entry.username or entry.principal_arn,
                    "type": "STANDARD",
                }
            }
        )


def _json(body: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})
