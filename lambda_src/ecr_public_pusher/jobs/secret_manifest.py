"""Body of the Secret for server-side apply: one for all namespaces, but for the version. Pure."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, MANAGED_BY_LABEL, PRODUCT
from ecr_public_pusher.timestamps import rfc3339, rfc3339_exact

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # the kubelet silently ignores any other

DATA_KEY = ".dockerconfigjson"

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
        """Return the Secret that `cluster`'s document asks for.

        `owner`: the document that may renew, prune and remove it.
        """
        metadata = {
            "name": cluster.secret_name,
            "labels": {**cluster.labels, MANAGED_BY_LABEL: PRODUCT},
            "annotations": {
                **cluster.annotations,
                EXPIRES_AT: rfc3339(expires_at),
                PUSHED_AT: rfc3339_exact(pushed_at),
                OWNER: owner,
                **({ATTACHED: "true"} if cluster.service_accounts else {}),
            },
        }
        # Both, with the same content: whoever applied either has a conflict with us. `data` alone
        # would silently take over a Secret that somebody applied as `stringData`, whose
        # managedFields hold no `data` at all.
        rest = {
            "type": SECRET_TYPE,
            "data": {DATA_KEY: base64.b64encode(docker_config).decode()},
            "stringData": {DATA_KEY: docker_config.decode()},
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
