"""Just enough OpenAPI v3 for kubectl to leave validation to the server.

`kubectl apply` looks up whether a kind's PATCH takes `fieldValidation`; when it does, it downloads
nothing more.
"""

from ..kinds import KINDS, Kind, Object

ROOT = "/openapi/v3"
FIELD_VALIDATION = {
    "in": "query",
    "name": "fieldValidation",
    "schema": {"type": "string", "uniqueItems": True},
}
INFO = {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.2"}}


def answer(path: str) -> Object | None:
    """Return the index or a group's document; None for any other path."""
    if path.rstrip("/") == ROOT:
        return {
            "paths": {
                group: {"serverRelativeURL": f"{ROOT}/{group}"}
                for group in sorted({_prefix(kind) for kind in KINDS})
            }
        }
    kinds = [kind for kind in KINDS if path == f"{ROOT}/{_prefix(kind)}"]
    return (
        {**INFO, "paths": {_item_path(kind): {"patch": _patch(kind)} for kind in kinds}}
        if kinds
        else None
    )


def _prefix(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


def _item_path(kind: Kind) -> str:
    return f"{kind.path('{namespace}')}/{{name}}"


def _patch(kind: Kind) -> Object:
    about = {"group": kind.group, "kind": kind.kind, "version": kind.version}
    return {
        "parameters": [FIELD_VALIDATION],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": about,
    }
