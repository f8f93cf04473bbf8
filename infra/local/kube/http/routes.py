"""Routes: from a method and a path to a verb on a resource, or on a path that is no resource."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from ..auth.authz import Attributes
from ..auth.reviews import REVIEWS
from ..kinds import BY_RESOURCE, Kind
from ..storage.selectors import selected_name

VERBS = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
    "GET": "get",
    "HEAD": "get",
}
COLLECTION_VERBS = {"GET": "list", "HEAD": "list", "DELETE": "deletecollection"}
COLLECTION_METHODS = ("GET", "POST", "DELETE")
ITEM_METHODS = ("GET", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """A request's target; `kind` is None for a path that nothing serves."""

    method: str
    path: str
    query: dict[str, str]
    attributes: Attributes
    kind: Kind | None

    @property
    def serves_method(self) -> bool:
        """True when the method fits: POST is not for an item, nor PUT for a collection."""
        if self.kind is None or self.attributes.subresource:
            return False
        if self.kind in REVIEWS.values():
            return self.method == "POST" and not self.attributes.name
        namespace_missing = self.kind.namespaced and not self.attributes.namespace
        if self.attributes.name and self.attributes.verb not in (
            "list",
            "watch",
            "deletecollection",
        ):
            return self.method in ITEM_METHODS
        return (
            self.method in (("GET",) if namespace_missing else COLLECTION_METHODS)
            and self.attributes.verb in self.kind.verbs
        )


def route(method: str, target: str) -> Route:
    """Read a request's target the way the server's RequestInfo does."""
    path, _, query_text = target.partition("?")
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    parts = [unquote(part) for part in path.split("/") if part]
    if parts[:2] == ["api", "v1"] and len(parts) > 2:
        return _resource(method, path, query, "", "v1", parts[2:])
    if parts[:1] == ["apis"] and len(parts) > 3:
        return _resource(method, path, query, parts[1], parts[2], parts[3:])
    return Route(
        method,
        path,
        query,
        Attributes(VERBS.get(method, method).replace("create", "post"), path=path),
        None,
    )


def _resource(
    method: str, path: str, query: dict[str, str], group: str, version: str, parts: list[str]
) -> Route:
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
    if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in ("status", "finalize"):
        parts = parts[2:]
    resource = parts[0]
    name = parts[1] if len(parts) > 1 else ""
    subresource = "/".join(parts[2:])
    verb = (
        VERBS.get(method, method.lower())
        if name
        else COLLECTION_VERBS.get(method, VERBS.get(method, method.lower()))
    )
    if verb == "list" and query.get("watch", "").lower() in ("1", "true"):
        verb = "watch"
    if not name and verb in ("list", "watch", "deletecollection"):
        name = selected_name(query.get("fieldSelector", ""))
    kind = BY_RESOURCE.get((group, version, resource)) or REVIEWS.get((group, version, resource))
    return Route(
        method, path, query, Attributes(verb, group, resource, subresource, namespace, name), kind
    )
