"""The Secret's body, as server-side apply sends it: the same for every namespace, but for the
version that was decided upon. Pure.
"""

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
# Its name is put into ServiceAccounts, whose own marks say which: a removal must be able to look at
# them.
ATTACHED = f"{ANNOTATION_PREFIX}in-service-accounts"

_HEAD = b'{"apiVersion":"v1","kind":"Secret","metadata":{'


@dataclass(frozen=True)
class SecretManifest:
    """What a document's Secret is to be.

    `expires_at` is in whole seconds, as its annotation says it.
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

        `owner` says whose it is to renew, prune and remove.
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
        """Return the body that creates the Secret, and that the API server refuses (409) where one
        is there by now.

        No object has the version 1 yet: tests/contract/kube-api-lists.json, "create-only".
        """
        return _HEAD + b'"resourceVersion":"1",' + self.tail

    @cached_property
    def unbound(self) -> bytes:
        """Return the body that creates the Secret, or overwrites whatever version of it
        is there.
        """
        return _HEAD + self.tail

    def bound(self, *, uid: str, version: str) -> bytes:
        """Return the body that the API server takes only while the Secret is the very one that was
        seen.
        """
        seen = f'"uid":{json.dumps(uid)},"resourceVersion":{json.dumps(version)},'
        return b"%b%b%b" % (_HEAD, seen.encode(), self.tail)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
