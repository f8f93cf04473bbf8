"""The answer to a list request: paging, versions and selectors together."""

from collections.abc import Callable

from .http.call import Call
from .kinds import Object
from .kubectl import tables
from .status import no_list, too_large_version
from .storage import lists, selectors
from .storage.lists import Position
from .storage.store import Listed, Store


def answer(store: Store, call: Call) -> Object:
    """Return the requested page. Raise ApiError for a bad selector or token."""
    if call.shape == "PartialObjectMetadata":
        raise no_list(call.kind)
    selects = selector(call)
    limit = lists.number(call.query, "limit")
    if call.query.get("resourceVersion") == "0":
        limit = 0  # the server's cache does not page
    at, listed = _as_of(store, call)
    everywhere = call.kind.namespaced and not call.namespace
    page = lists.page(listed, selects, at=at, limit=limit, namespaced=everywhere)
    if page.has_more:
        store.keep(at.version, call.kind, call.namespace, listed)
    return tables.many(call.kind, page.items, page.metadata, call.shape, call.query)


def selector(call: Call) -> Callable[[Object], bool] | None:
    """Return the selectors' predicate; None when there is none."""
    labels = call.query.get("labelSelector", "")
    by_field = call.query.get("fieldSelector", "")
    has_labels = selectors.label_selector(labels)
    has_fields = selectors.field_selector(call.kind, by_field)
    if not labels and not by_field:
        return None
    return lambda value: has_labels(value) and has_fields(value)


def _as_of(store: Store, call: Call) -> tuple[Position, Listed]:
    """Return the start of the page, and the whole list at the version of the first page."""
    token = call.query.get("continue", "")
    at = lists.position(token) if token else Position(lists.NOW, "")
    with store.lock:
        current = store.version
        if at.version > current:
            raise too_large_version(at.version, current)
        if at.version in (lists.NOW, current):
            return Position(current, at.start), store.all(call.kind, call.namespace)
        listed = store.as_of(at.version, call.kind, call.namespace)
    if listed is None:
        raise lists.gone(at)
    return at, listed
