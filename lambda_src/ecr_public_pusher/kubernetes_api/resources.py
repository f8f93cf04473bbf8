"""The Kubernetes API, as far as it is needed: namespaces, one Secret in each, the ServiceAccounts that name it, and what may be done.

Each method raises as Client.send does. Answers are metadata only wherever they could hold secret data.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiStatusError
from ecr_public_pusher.kubernetes_api.access import ClusterAccess
from ecr_public_pusher.kubernetes_api.client import JSON, Client
from ecr_public_pusher.kubernetes_api.names import CONTINUE, NAMESPACE, OBJECT, VERSION, annotations_of, of_form
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.results import Namespace

_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"  # any JSON is YAML
_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"

PAGE = 500  # objects a page, kubectl's own chunk size
# Many times what Kubernetes is tried with (https://kubernetes.io/docs/setup/best-practices/cluster-large/).
MOST_OBJECTS = 100_000


@dataclass(frozen=True)
class Applied:
    """What an apply came to. `created`: there was no such Secret before. `annotations` and `version` are the Secret's now."""

    created: bool
    annotations: Mapping[str, str]
    version: str


class KubernetesApi(Client):
    """What is asked of one cluster. `field_manager`: as whom things are written."""

    def __init__(
        self,
        access: ClusterAccess,
        *,
        field_manager: str,
        deadline: Deadline,
        blocking: BlockingCalls,
        sockets: Sockets,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        super().__init__(access, deadline=deadline, blocking=blocking, sockets=sockets, retry_policy=retry_policy)
        self.field_manager = field_manager
        self._manager = urlencode({"fieldManager": field_manager})

    async def namespaces(self, selector: str | None = None) -> list[Namespace]:
        """All namespaces that `selector` holds, page by page."""
        found: list[Namespace] = []
        async for item in self._pages(
            "/api/v1/namespaces", _METADATA_LIST, "PartialObjectMetadataList", {"labelSelector": selector} if selector else {}
        ):
            try:
                found.append(_namespace(self.names.metadata(item["metadata"], name=NAMESPACE)))
            except (KeyError, ValueError):
                raise self.nonsense() from None
        return found

    async def apply_secret(self, namespace: str, name: str, body: bytes, *, force: bool = False, dry_run: bool = False) -> Applied:
        """Server-side applies `body`."""
        query = self._query(force=force, dry_run=dry_run)
        status, answer = await self.send(
            "PATCH",
            self._secret(namespace, name),
            query,
            kind="PartialObjectMetadata",
            accept=_METADATA,
            body=body,
            content_type=_APPLY,
            secret=True,
        )
        metadata = self._of(answer, namespace, name)
        try:  # of all that comes back, what is used
            annotations = annotations_of(metadata.get("annotations") or {})
            version = of_form(metadata.get("resourceVersion", ""), VERSION) if "resourceVersion" in metadata else ""
        except ValueError:
            raise self.nonsense() from None
        return Applied(status == HTTPStatus.CREATED, annotations, version)

    async def secret_metadata(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The metadata of a Secret; None where there is none, or no such namespace."""
        try:
            _, answer = await self.send("GET", self._secret(namespace, name), kind="PartialObjectMetadata", accept=_METADATA)
        except ApiStatusError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return self._metadata(answer, namespace, name)

    async def annotate_secret(self, namespace: str, name: str, annotations: Mapping[str, str | None], *, version: str) -> None:
        """Sets (None: removes) annotations of the Secret as it was at resource version `version`; refused with 409 when it has changed."""
        body = {"metadata": {"resourceVersion": version, "annotations": annotations}}
        await self.send(
            "PATCH",
            self._secret(namespace, name),
            self._query(),
            kind="PartialObjectMetadata",
            accept=_METADATA,
            body=_bytes(body),
            content_type=_MERGE_PATCH,
        )

    async def delete_secret(self, namespace: str, name: str, *, uid: str, version: str, dry_run: bool = False) -> bool:
        """Deletes that very Secret, as it was seen; refused with 409 when it is another by now, or has changed.

        Whether it is gone: one with finalizers stays until whoever set them takes them away.
        """
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid, "resourceVersion": version}}
        if dry_run:  # in the body too: options there replace those of the query, and a dry run in the query alone would delete
            body["dryRun"] = ["All"]
        query = "dryRun=All" if dry_run else ""
        _, answer = await self.send("DELETE", self._secret(namespace, name), query, kind=("Status", "Secret"), body=_bytes(body))
        return answer.get("kind") == "Status"

    async def service_account(self, namespace: str, name: str) -> dict[str, Any]:
        """A ServiceAccount, whole: its imagePullSecrets are no metadata."""
        _, answer = await self.send("GET", self._service_account(namespace, name), kind="ServiceAccount")
        return answer | {"metadata": self._metadata(answer, namespace, name)}

    async def service_accounts(self, namespace: str) -> list[dict[str, Any]]:
        """All ServiceAccounts of a namespace."""
        found = [item async for item in self._pages(self._service_account(namespace), JSON, "ServiceAccountList", {})]
        try:
            return [item | {"metadata": self.names.metadata(item["metadata"])} for item in found]
        except (KeyError, ValueError):
            raise self.nonsense() from None

    async def patch_service_account(self, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> None:
        """Applies JSON patch operations; refused with 422 when one of them, a test above all, does not hold."""
        await self.send(
            "PATCH",
            self._service_account(namespace, name),
            self._query(dry_run=dry_run),
            kind="ServiceAccount",
            body=_bytes(operations),
            content_type=_JSON_PATCH,
        )

    async def _pages(self, path: str, accept: str, kind: str, parameters: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        asked = {"limit": str(PAGE), **parameters}
        seen = 0
        while True:
            _, page = await self.send("GET", path, urlencode(asked), kind=kind, accept=accept)
            try:
                items, token = page["items"] or (), page["metadata"].get("continue")
                if token:
                    self.names.checked(token, CONTINUE)
            except (KeyError, TypeError, AttributeError, ValueError):
                raise self.nonsense() from None
            if not isinstance(items, (list, tuple)) or not all(isinstance(item, dict) for item in items):
                raise self.nonsense()
            seen += len(items) + 1  # pages that hold nothing count, too
            if seen > MOST_OBJECTS:
                raise self.nonsense()
            for item in items:
                yield item
            if not token:
                return
            asked["continue"] = token

    def _query(self, *, force: bool = False, dry_run: bool = False) -> str:
        return self._manager + ("&force=true" if force else "") + ("&dryRun=All" if dry_run else "")

    def _of(self, answer: Mapping[str, Any], namespace: str, name: str) -> dict[str, Any]:
        """The metadata of an answer that must be about that object, unchecked."""
        metadata = answer.get("metadata")
        if not isinstance(metadata, dict) or (metadata.get("name"), metadata.get("namespace")) != (name, namespace):
            raise self.nonsense()
        return metadata

    def _metadata(self, answer: Mapping[str, Any], namespace: str, name: str) -> dict[str, Any]:
        try:
            return self.names.metadata(self._of(answer, namespace, name))
        except (KeyError, ValueError):
            raise self.nonsense() from None

    def _secret(self, namespace: str, name: str) -> str:
        return self._path(namespace, "secrets", name)

    def _service_account(self, namespace: str, name: str | None = None) -> str:
        return self._path(namespace, "serviceaccounts", name)

    def _path(self, namespace: str, kind: str, name: str | None) -> str:
        """Names as Kubernetes allows them need no encoding; any other is from an answer, and nonsense."""
        if not NAMESPACE(namespace) or (name is not None and not OBJECT(name)):
            raise self.nonsense()
        path = f"/api/v1/namespaces/{namespace}/{kind}"
        return path if name is None else f"{path}/{name}"


def _bytes(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _namespace(metadata: dict[str, Any]) -> Namespace:
    created_at = datetime.fromisoformat(metadata["creationTimestamp"]) if metadata.get("creationTimestamp") else None
    if created_at is not None and created_at.tzinfo is None:
        raise ValueError
    return Namespace(metadata["name"], metadata.get("labels", {}), terminating="deletionTimestamp" in metadata, created_at=created_at)
