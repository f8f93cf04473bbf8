"""The objects, in memory, with the one counter of resource versions.

Objects are replaced, never changed in place, so readers need no lock beyond the dictionary's own.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from ..kinds import Kind, Object

type Key = tuple[str, str]
type Listed = list[tuple[Key, Object]]

REMEMBERED = 64
"""The most lists that are kept for further pages; the real server keeps all, for five minutes."""


class Store:
    """Objects by kind, namespace and name.

    Hold `lock` around a read that a write depends on.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.version = 1
        self._kinds: dict[str, dict[Key, Object]] = {}
        self._listeners: list[Callable[[Kind], None]] = []
        self._past: OrderedDict[tuple[int, str, str], Listed] = OrderedDict()

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return the object, or None."""
        return self._of(kind).get((namespace, name))

    def all(self, kind: Kind, namespace: str = "") -> Listed:
        """Return the objects of a kind, of one namespace or of all.

        They come in etcd's order: `a-b/x`, `a/x`.
        """
        with self.lock:
            found = [
                item for item in self._of(kind).items() if not namespace or item[0][0] == namespace
            ]
        return sorted(found, key=lambda item: f"{item[0][0]}/{item[0][1]}")

    def as_of(self, version: int, kind: Kind, namespace: str = "") -> Listed | None:
        """Return the result of `all` at a version; None when it was not kept or is forgotten."""
        with self.lock:
            return self._past.get((version, kind.resource, namespace))

    def keep(self, version: int, kind: Kind, namespace: str, listed: Listed) -> None:
        """Keep a list for its further pages, which have the first one's version."""
        with self.lock:
            self._past[version, kind.resource, namespace] = listed
            if len(self._past) > REMEMBERED:
                self._past.popitem(last=False)

    def forget(self) -> None:
        """Forget every list that was kept, as when etcd is compacted."""
        with self.lock:
            self._past.clear()

    def values(self, kind: Kind) -> Iterable[Object]:
        """Return the objects of a kind in no order."""
        with self.lock:
            return list(self._of(kind).values())

    def put(self, kind: Kind, value: Object) -> Object:
        """Store the object under a new resource version."""
        with self.lock:
            self.version += 1
            metadata = {**value["metadata"], "resourceVersion": str(self.version)}
            stored = {**value, "metadata": metadata}
            self._of(kind)[metadata.get("namespace", ""), metadata["name"]] = stored
        self._tell(kind)
        return stored

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Remove the object; a removal counts as a version too."""
        with self.lock:
            self.version += 1
            del self._of(kind)[namespace, name]
        self._tell(kind)

    def listen(self, listener: Callable[[Kind], None]) -> None:
        """Call `listener` after every change."""
        self._listeners.append(listener)

    def _of(self, kind: Kind) -> dict[Key, Object]:
        return self._kinds.setdefault(kind.resource, {})

    def _tell(self, kind: Kind) -> None:
        for listener in self._listeners:
            listener(kind)
