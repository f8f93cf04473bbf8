"""The verbs on the stored kinds, once authorised: create, replace, patch, delete, get, list."""

from collections.abc import Callable
from typing import Any

from . import listing
from .auth import authz
from .auth.authz import Attributes
from .http.bodies import decoded, decoded_yaml, delete_options, plain_json, typed
from .http.call import APPLY, Call, now
from .http.conditions import (
    check_identity,
    check_options,
    check_preconditions,
    check_replaces,
    check_uid,
    check_version,
)
from .kinds import NAMESPACES, Kind, Object
from .kubectl import tables
from .ownership import apply, patch
from .status import (
    ApiError,
    already_exists,
    bad_request,
    details,
    method_not_allowed,
    namespace_terminating,
    not_found,
    success,
)
from .storage import validation
from .storage.objects import completed, created, replaced
from .storage.store import Store

PATCHES: dict[str, Callable[[Object, Any], Any]] = {
    "application/json-patch+json": patch.json_patch,
    "application/merge-patch+json": patch.merge_patch,
    "application/strategic-merge-patch+json": patch.strategic_merge_patch,
}
PURGING = (
    "The system is ensuring all content is removed from this namespace.  Upon completion, this"
    " namespace will automatically be purged by the system."
)


class Api:
    """The verbs on one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def answer(self, call: Call) -> tuple[int, Object]:
        """Return the status and body of the answer. Raise ApiError for a refusal."""
        check_options(call)
        verb = call.asked.verb
        if verb == "get":
            return 200, tables.one(call.kind, self._existing(call), call.shape, call.query)
        if verb == "list":
            return 200, listing.answer(self.store, call)
        if verb == "watch":
            raise method_not_allowed()
        with self.store.lock:
            return self._write(call)

    def _write(self, call: Call) -> tuple[int, Object]:
        verb = call.asked.verb
        if verb == "delete":
            return 200, self._delete(call)
        if verb == "deletecollection":
            return 200, self._delete_collection(call)
        status, value = {"create": self._create, "update": self._replace, "patch": self._patch}[
            verb
        ](call)
        return status, tables.one(call.kind, value, call.shape, call.query)

    def _existing(self, call: Call) -> Object:
        found = self.store.get(call.kind, call.namespace, call.asked.name)
        if found is None:
            raise not_found(call.kind, call.asked.name)
        return found

    def _create(self, call: Call) -> tuple[int, Object]:
        body = decoded(call)
        check_identity(call, body)
        validation.check_encoding(call.kind, body, applied=False)
        new = completed(call.kind, created(call.kind, body, call.namespace, now()))
        self._admit(call, new["metadata"]["name"])
        if self.store.get(call.kind, call.namespace, new["metadata"]["name"]):
            raise already_exists(call.kind, new["metadata"]["name"])
        return 201, self._commit(
            call, None, apply.update(call.kind, None, new, manager=call.manager, now=now())
        )

    def _replace(self, call: Call) -> tuple[int, Object]:
        body = decoded(call)
        check_identity(call, body)
        validation.check_encoding(call.kind, body, applied=False)
        live = self._existing(call)
        check_replaces(call.kind, live, body["metadata"])
        check_version(call.kind, live, body["metadata"])
        return 200, self._update(call, live, body)

    def _patch(self, call: Call) -> tuple[int, Object]:
        if call.content_type == APPLY:
            return self._apply(call)
        if call.content_type not in PATCHES:
            raise ApiError(415, "415: Unsupported Media Type", {})
        change = plain_json(call.body)
        live = self._existing(call)
        new = typed(call, PATCHES[call.content_type](live, change))
        validation.check_encoding(call.kind, new, applied=False)
        check_version(call.kind, live, new["metadata"])
        check_uid(call.kind, live, new["metadata"])
        return 200, self._update(call, live, new)

    def _update(self, call: Call, live: Object, new: Object) -> Object:
        whole = completed(call.kind, replaced(live, new))
        return self._commit(
            call, live, apply.update(call.kind, live, whole, manager=call.manager, now=now())
        )

    def _apply(self, call: Call) -> tuple[int, Object]:
        body = decoded_yaml(call)
        check_identity(call, body)
        if body["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        validation.check_schema(call.kind, body)
        validation.check_encoding(call.kind, body, applied=True)
        live = self.store.get(call.kind, call.namespace, call.asked.name)
        if live is None:
            self._admit_apply(call, body)
        # apimachinery reads any boolean of a query but these two as true, also the official Python
        # client's `True`.
        force = call.query.get("force", "false").lower() not in ("false", "0")
        new = apply.apply(call.kind, live, body, manager=call.manager, force=force, now=now())
        if live is not None:
            # In the server's order: a conflict with another manager, an old version, another uid.
            check_version(call.kind, live, body["metadata"])
            check_uid(call.kind, live, body["metadata"])
            return 200, self._commit(call, live, completed(call.kind, replaced(live, new)))
        whole = completed(call.kind, created(call.kind, new, call.namespace, now()))
        validation.check(call.kind, whole, None)
        asked = Attributes(
            "create",
            call.asked.group,
            call.asked.resource,
            "",
            call.asked.namespace,
            call.asked.name,
        )
        authz.demand(self.store, call.user, asked)
        if call.dry and (version := body["metadata"].get("resourceVersion")):
            whole["metadata"]["resourceVersion"] = version  # a dry run keeps it
        return 201, self._commit(call, None, whole)

    def _admit_apply(self, call: Call, body: Object) -> None:
        """Admit an apply that creates: it may name any version, but no uid.

        The server checks the permission to create last, so it is checked last here.
        """
        if uid := body["metadata"].get("uid"):
            detail = (
                f"uid mismatch: the provided object specified uid {uid}, and no existing object was"
                " found"
            )
            about = details(call.kind, call.asked.name)
            raise ApiError(
                409,
                f'Operation cannot be fulfilled on {call.kind.resource} "{call.asked.name}":'
                f" {detail}",
                about,
            )
        self._admit(call, call.asked.name)

    def _admit(self, call: Call, name: str) -> None:
        """Admit a new object if its namespace exists and is not terminating. Raise ApiError."""
        if not call.namespace:
            return
        home = self.store.get(NAMESPACES, "", call.namespace)
        if home is None:
            raise not_found(NAMESPACES, call.namespace)
        if home["status"]["phase"] == "Terminating":
            raise namespace_terminating(call.kind, name, call.namespace)

    def _commit(self, call: Call, live: Object | None, new: Object) -> Object:
        validation.check(call.kind, new, live)
        if live is not None and _same(live, new):
            return live
        if _is_gone(call.kind, new) and not call.dry:  # its last finalizer is gone
            self.store.delete(call.kind, call.namespace, new["metadata"]["name"])
            return _at_version_of(live, new)
        return new if call.dry else self.store.put(call.kind, new)

    def _delete(self, call: Call) -> Object:
        live = self._existing(call)
        options = delete_options(call)
        check_preconditions(call.kind, live, options.get("preconditions") or {})
        # Options in a body replace those of the query, dryRun too: with a body, `?dryRun=All`
        # deletes for real (tried on kube-apiserver 1.36.2).
        return self._gone(call, live, dry=options.get("dryRun") == ["All"] if options else call.dry)

    def _gone(self, call: Call, live: Object, *, dry: bool) -> Object:
        kind = call.kind
        metadata = live["metadata"]
        if kind is NAMESPACES:
            return self._terminate(live, dry=dry)
        if metadata.get("finalizers"):
            return self._wait(kind, live, dry=dry)
        if not dry:
            self.store.delete(kind, call.namespace, metadata["name"])
        return live if kind.returns_deleted else success(kind, metadata["name"], metadata["uid"])

    def _wait(self, kind: Kind, live: Object, *, dry: bool) -> Object:
        """Mark an object as deleted; it stays until its finalizers are gone."""
        if "deletionTimestamp" in live["metadata"]:
            return live
        going = {
            **live,
            "metadata": {
                **live["metadata"],
                "deletionTimestamp": now(),
                "deletionGracePeriodSeconds": 0,
            },
        }
        return going if dry else self.store.put(kind, going)

    def _terminate(self, live: Object, *, dry: bool) -> Object:
        """Mark a namespace as terminating.

        It stays so, as on the recorded server: no controller empties it.
        """
        name = live["metadata"]["name"]
        if "deletionTimestamp" in live["metadata"]:
            about = {"name": name, "kind": "namespaces"}
            raise ApiError(
                409, f'Operation cannot be fulfilled on namespaces "{name}": {PURGING}', about
            )
        if name in ("default", "kube-system", "kube-public"):
            raise ApiError(
                403,
                f'namespaces "{name}" is forbidden: this namespace may not be deleted',
                details(NAMESPACES, name),
            )
        metadata = {**live["metadata"], "deletionTimestamp": now()}
        going = {**live, "metadata": metadata, "status": {"phase": "Terminating"}}
        return going if dry else self.store.put(NAMESPACES, going)

    def _delete_collection(self, call: Call) -> Object:
        selects = listing.selector(call) or (lambda _: True)
        stored = self.store.all(call.kind, call.namespace)
        found = [value for _, value in stored if selects(value)]
        for value in found if not call.dry else ():
            if value["metadata"].get("finalizers"):
                self._wait(call.kind, value, dry=False)
            else:
                self.store.delete(
                    call.kind, value["metadata"].get("namespace", ""), value["metadata"]["name"]
                )
        return tables.many(
            call.kind, found, {"resourceVersion": str(self.store.version)}, "", call.query
        )


def _is_gone(kind: Kind, value: Object) -> bool:
    return (
        kind is not NAMESPACES
        and "deletionTimestamp" in value["metadata"]
        and not value["metadata"].get("finalizers")
    )


def _at_version_of(live: Object | None, new: Object) -> Object:
    assert live is not None
    return {
        **new,
        "metadata": {**new["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]},
    }


def _same(live: Object, new: Object) -> bool:
    return _untimed(live) == _untimed(new)


def _untimed(value: Object) -> Object:
    metadata = value["metadata"]
    entries = [{**entry, "time": None} for entry in metadata.get("managedFields") or []]
    return {**value, "metadata": {**metadata, "managedFields": entries}}
