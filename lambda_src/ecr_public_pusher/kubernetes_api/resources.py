"""The part of the Kubernetes API that is used: namespaces, Secrets and ServiceAccounts.

Each method raises as Client.send does. Answers are metadata only wherever they could hold secret
data.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import AnswerTooLong, ApiStatusError, TooManyValues
from ecr_public_pusher.kubernetes_api.access import ClusterAccess
from ecr_public_pusher.kubernetes_api.client import JSON, PATIENT, Client, Patience
from ecr_public_pusher.kubernetes_api.names import (
    CONTINUE,
    NAMESPACE,
    OBJECT,
    VERSION,
    Names,
    labels_of,
    of_form,
)
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sockets import Sockets
from ecr_public_pusher.results import Namespace

_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"  # any JSON is YAML
_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"

# Extracts what is kept of an object (None: nothing) and checks its names; raises KeyError,
# TypeError, ValueError or AttributeError for what is no such object.
type Keep[T] = Callable[[dict[str, Any], Names], T | None]

PAGE = 500  # objects a page, kubectl's own chunk size
FEWER = 10  # divides a page's limit when the page was too large
BEGINNINGS = 3  # of one list, whose pages expire while the API server compacts its history
# Many times what Kubernetes is tested with
# (https://kubernetes.io/docs/setup/best-practices/cluster-large/).
MOST_OBJECTS = 100_000


@dataclass(frozen=True)
class Applied:
    """Result of an apply.

    `created`: there was no such Secret before. `version`: the Secret's now.
    """

    created: bool
    version: str


class KubernetesApi(Client):
    """The API of one cluster.

    `field_manager`: the name under which things are written.
    """

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
        super().__init__(
            access, deadline=deadline, blocking=blocking, sockets=sockets, retry_policy=retry_policy
        )
        self.field_manager = field_manager
        self._manager = urlencode({"fieldManager": field_manager})

    async def namespaces(self, selector: str | None = None) -> list[Namespace]:
        """Return all namespaces that match the label selector; without one, all."""
        asked = {"labelSelector": selector} if selector else {}
        return await self._list("/api/v1/namespaces", _namespace, asked)

    async def secrets_named[T](
        self, name: str, keep: Keep[T], *, namespace: str | None = None
    ) -> list[T]:
        """Return what `keep` makes of the metadata of each Secret of that name.

        In all namespaces, or in one. RBAC grants such a list by `list` with `resourceNames`, and
        refuses every other.
        """
        path = "/api/v1/secrets" if namespace is None else self._path(namespace, "secrets", None)
        return await self._list(path, keep, {"fieldSelector": f"metadata.name={name}"})

    async def apply_secret(
        self,
        namespace: str,
        name: str,
        body: bytes,
        *,
        force: bool = False,
        dry_run: bool = False,
        patience: Patience = PATIENT,
    ) -> Applied:
        """Apply `body` by server-side apply."""
        status, answer = await self.send(
            "PATCH",
            self._secret(namespace, name),
            self._query(force=force, dry_run=dry_run),
            kind="PartialObjectMetadata",
            accept=_METADATA,
            body=body,
            content_type=_APPLY,
            secret=True,
            patience=patience,
        )
        metadata = self._of(answer, namespace, name)
        try:
            version = (
                of_form(metadata["resourceVersion"], VERSION)
                if "resourceVersion" in metadata
                else ""
            )
        except ValueError:
            raise self.nonsense() from None
        return Applied(status == HTTPStatus.CREATED, version)

    async def secret_metadata[T](self, namespace: str, name: str, keep: Keep[T]) -> T | None:
        """Return what `keep` makes of a Secret's metadata.

        None if there is no such Secret, or no such namespace.
        """
        try:
            _, answer = await self.send(
                "GET", self._secret(namespace, name), kind="PartialObjectMetadata", accept=_METADATA
            )
        except ApiStatusError as error:
            if error.not_found:
                return None
            raise
        self._of(answer, namespace, name)
        return self._kept(answer, keep)

    async def clear_secret_metadata(
        self, namespace: str, name: str, cleared: Mapping[str, Any], *, version: str
    ) -> None:
        """Merge-patch the Secret's metadata.

        Refused with 409 if it has changed since `version`.
        """
        await self.send(
            "PATCH",
            self._secret(namespace, name),
            self._query(),
            kind="PartialObjectMetadata",
            accept=_METADATA,
            body=_bytes({"metadata": {"resourceVersion": version, **cleared}}),
            content_type=_MERGE_PATCH,
        )

    async def delete_secret(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        version: str,
        dry_run: bool = False,
        patience: Patience = PATIENT,
    ) -> bool:
        """Delete the Secret as it was seen; return whether it is gone.

        Refused with 409 if it is another by now, or has changed. One with finalizers stays until
        their owners remove them.
        """
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": version},
        }
        # in the body too: options there replace those of the query, and a dry run in the query
        # alone would delete
        if dry_run:
            body["dryRun"] = ["All"]
        query = "dryRun=All" if dry_run else ""
        _, answer = await self.send(
            "DELETE",
            self._secret(namespace, name),
            query,
            kind=("Status", "Secret"),
            body=_bytes(body),
            patience=patience,
        )
        return answer.get("kind") == "Status"

    async def service_account[T](self, namespace: str, name: str, keep: Keep[T]) -> T | None:
        """Return what `keep` makes of a ServiceAccount; None where there is none."""
        try:
            _, answer = await self.send(
                "GET", self._service_account(namespace, name), kind="ServiceAccount"
            )
        except ApiStatusError as error:
            if error.not_found:
                return None
            raise
        self._of(answer, namespace, name)
        return self._kept(answer, keep)

    async def accounts_named[T](
        self,
        name: str | None,
        keep: Keep[T],
        *,
        namespace: str | None = None,
        selector: str | None = None,
    ) -> list[T]:
        """Return what `keep` makes of each ServiceAccount, or of those of that name.

        In all namespaces, or in one; with a label selector, of those that match it. Whole objects
        are listed, not only metadata.
        """
        path = "/api/v1/serviceaccounts" if namespace is None else self._service_account(namespace)
        asked = {"fieldSelector": f"metadata.name={name}"} if name else {}
        if selector:
            asked["labelSelector"] = selector
        return await self._list(path, keep, asked, accept=JSON, kind="ServiceAccountList")

    async def patch_service_account(
        self,
        namespace: str,
        name: str,
        operations: Sequence[Mapping[str, Any]],
        *,
        dry_run: bool = False,
        patience: Patience = PATIENT,
    ) -> None:
        """Apply JSON patch operations.

        Refused with 422 if one of them, above all a test, does not hold.
        """
        await self.send(
            "PATCH",
            self._service_account(namespace, name),
            self._query(dry_run=dry_run),
            kind="ServiceAccount",
            body=_bytes(operations),
            content_type=_JSON_PATCH,
            patience=patience,
        )

    async def _list[T](
        self,
        path: str,
        keep: Keep[T],
        parameters: Mapping[str, str],
        *,
        accept: str = _METADATA_LIST,
        kind: str = "PartialObjectMetadataList",
    ) -> list[T]:
        """Return what `keep` makes of each object, page by page.

        A list that expires between pages (410) starts again; a page that is too long is requested
        again with fewer objects.
        """
        kept: list[T] = []
        asked = {"limit": str(PAGE), **parameters}
        begun = 1
        seen = 0
        while True:
            try:
                _, page = await self.send("GET", path, urlencode(asked), kind=kind, accept=accept)
            except (AnswerTooLong, TooManyValues):
                if (limit := int(asked["limit"])) == 1:
                    raise
                asked["limit"] = str(max(1, limit // FEWER))
                continue
            except ApiStatusError as error:
                if (
                    error.status != HTTPStatus.GONE
                    or "continue" not in asked
                    or begun == BEGINNINGS
                ):
                    raise
                begun += 1
                kept.clear()
                del asked["continue"]
                continue
            try:
                items = page["items"] or ()
                token = page["metadata"].get("continue")
                kept += [one for item in items if (one := keep(item, self.names)) is not None]
                if token:
                    self.names.checked(token, CONTINUE)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise self.nonsense() from None
            seen += len(items) + 1  # pages that hold nothing count, too
            if seen > MOST_OBJECTS:
                raise self.nonsense()
            if not token:
                return kept
            asked["continue"] = token

    def _kept[T](self, value: dict[str, Any], keep: Keep[T]) -> T | None:
        try:
            return keep(value, self.names)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self.nonsense() from None

    def _query(self, *, force: bool = False, dry_run: bool = False) -> str:
        return self._manager + ("&force=true" if force else "") + ("&dryRun=All" if dry_run else "")

    def _of(self, answer: Mapping[str, Any], namespace: str, name: str) -> dict[str, Any]:
        """Return the unchecked metadata of an answer that must be about that object."""
        metadata = answer.get("metadata")
        if not isinstance(metadata, dict) or (metadata.get("name"), metadata.get("namespace")) != (
            name,
            namespace,
        ):
            raise self.nonsense()
        return metadata

    def _secret(self, namespace: str, name: str) -> str:
        return self._path(namespace, "secrets", name)

    def _service_account(self, namespace: str, name: str | None = None) -> str:
        return self._path(namespace, "serviceaccounts", name)

    def _path(self, namespace: str, kind: str, name: str | None) -> str:
        """Return the path of an object, or of a list in a namespace.

        Names that Kubernetes allows need no encoding; any other is from an answer, and nonsense.
        """
        if not NAMESPACE(namespace) or (name is not None and not OBJECT(name)):
            raise self.nonsense()
        path = f"/api/v1/namespaces/{namespace}/{kind}"
        return path if name is None else f"{path}/{name}"


def _bytes(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _namespace(item: dict[str, Any], names: Names) -> Namespace:
    metadata = item["metadata"]
    created_at = (
        datetime.fromisoformat(metadata["creationTimestamp"])
        if metadata.get("creationTimestamp")
        else None
    )
    if created_at is not None and created_at.tzinfo is None:
        raise ValueError
    labels = labels_of(metadata["labels"]) if metadata.get("labels") else {}
    name = names.checked(metadata["name"], NAMESPACE)
    return Namespace(name, labels, "deletionTimestamp" in metadata, created_at)
