"""Body of the Secret for server-side apply: one for all namespaces, but for the version. Pure."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Repository
from ecr_public_pusher.configuration.repository_url import OCI
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, MANAGED_BY_LABEL, PRODUCT
from ecr_public_pusher.timestamps import rfc3339, rfc3339_exact

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # the kubelet silently ignores any other

DATA_KEY = ".dockerconfigjson"

# Notes the document's repositories on its pull Secrets, as `namespace/name`, so that a later push
# finds the Secrets of those that it no longer names.
REPOSITORIES = f"{ANNOTATION_PREFIX}argocd"

# Argo CD reads Secrets of any type by this label (its common/common.go, LabelKeySecretType).
REPOSITORY_TYPE = "Opaque"
REPOSITORY_LABEL = "argocd.argoproj.io/secret-type"
PASSWORD_KEY = "password"
# The keys that hold the token, one in each kind of Secret: whoever holds it has written the Secret.
TOKEN_KEYS = (DATA_KEY, PASSWORD_KEY)

EXPIRES_AT = f"{ANNOTATION_PREFIX}expires-at"
PUSHED_AT = f"{ANNOTATION_PREFIX}pushed-at"
OWNER = f"{ANNOTATION_PREFIX}owner"
# Set if the Secret's name is put into ServiceAccounts, so that a removal looks at them. Their own
# marks say which.
ATTACHED = f"{ANNOTATION_PREFIX}in-service-accounts"

_HEAD = b'{"apiVersion":"v1","kind":"Secret","metadata":{'


@dataclass(frozen=True)
class SecretManifest:
    """Content of a document's Secret.

    `expires_at` is in whole seconds, as in its annotation. `tail`: the body's JSON after the uid
    and version.
    """

    owner: str
    expires_at: datetime
    pushed_at: datetime
    tail: bytes = field(repr=False)

    @classmethod
    def of(
        cls,
        cluster: ClusterConfig,
        docker_config: bytes,
        *,
        owner: str,
        expires_at: datetime,
        pushed_at: datetime,
    ) -> Self:
        """Return the pull Secret that `cluster`'s document asks for.

        `owner`: the document that may renew, prune and remove it.
        """
        return cls._of(
            cluster,
            SECRET_TYPE,
            {DATA_KEY: docker_config.decode()},
            {},
            owner=owner,
            expires_at=expires_at,
            pushed_at=pushed_at,
        )

    @classmethod
    def of_repository(
        cls,
        cluster: ClusterConfig,
        repository: Repository,
        authorization: str,
        *,
        owner: str,
        expires_at: datetime,
        pushed_at: datetime,
    ) -> Self:
        """Return the Secret of one of Argo CD's repositories; `cluster`: its settings.

        `authorization`: as in RegistryToken. Other keys that Argo CD reads (`project`, `proxy`)
        may be set beside ours, by another field manager.
        """
        user, _, password = base64.b64decode(authorization).decode().partition(":")
        # Argo CD compares an OCI repository's whole URL, and a Helm repository's without a scheme.
        kind = (
            {"type": "oci"}
            if repository.url.startswith(OCI)
            else {"type": "helm", "enableOCI": "true"}
        )
        # A Helm repository without a name is none for charts' dependencies (its
        # util/db/helmrepository.go); a template has none.
        name = {} if repository.template else {"name": repository.name}
        return cls._of(
            cluster,
            REPOSITORY_TYPE,
            {**name, "url": repository.url, **kind, "username": user, PASSWORD_KEY: password},
            {REPOSITORY_LABEL: "repo-creds" if repository.template else "repository"},
            owner=owner,
            expires_at=expires_at,
            pushed_at=pushed_at,
        )

    @classmethod
    def _of(
        cls,
        cluster: ClusterConfig,
        kind: str,
        content: Mapping[str, str],
        labels: Mapping[str, str],
        *,
        owner: str,
        expires_at: datetime,
        pushed_at: datetime,
    ) -> Self:
        noted = [f"{one.namespace}/{one.name}" for one in cluster.repositories]
        metadata = {
            "name": cluster.secret_name,
            "labels": {**cluster.labels, **labels, MANAGED_BY_LABEL: PRODUCT},
            "annotations": {
                **cluster.annotations,
                EXPIRES_AT: rfc3339(expires_at),
                PUSHED_AT: rfc3339_exact(pushed_at),
                OWNER: owner,
                **({ATTACHED: "true"} if cluster.service_accounts else {}),
                **({REPOSITORIES: " ".join(noted)} if noted else {}),
            },
        }
        # Both, with the same content: whoever applied either has a conflict with us. `data` alone
        # would silently take over a Secret that somebody applied as `stringData`, whose
        # managedFields hold no `data` at all.
        rest = {
            "type": kind,
            "data": {
                key: base64.b64encode(value.encode()).decode() for key, value in content.items()
            },
            "stringData": content,
        }
        tail = _json(metadata)[1:] + b"," + _json(rest)[1:]
        return cls(owner, expires_at.replace(microsecond=0), pushed_at, tail)

    @cached_property
    def new(self) -> bytes:
        """Return the body that creates the Secret; the API server refuses it (409) if there is one.

        No object has the version 1 yet: tests/contract/kube-api-lists.json, "create-only".
        """
        return _HEAD + b'"resourceVersion":"1",' + self.tail

    @cached_property
    def unbound(self) -> bytes:
        """Return the body that creates the Secret, or overwrites whatever version is there."""
        return _HEAD + self.tail

    def bound(self, *, uid: str, version: str) -> bytes:
        """Return the body that the API server accepts only for the Secret and version seen."""
        seen = f'"uid":{json.dumps(uid)},"resourceVersion":{json.dumps(version)},'
        return b"%b%b%b" % (_HEAD, seen.encode(), self.tail)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
