"""Reduce a ServiceAccount to what is decided upon, and make the JSON patch that adds the Secret's
name or takes it out. Pure.

The list of imagePullSecrets is atomic to the API server: an apply takes all of it or none, and
strategic and merge patches replace it. So a change is a JSON patch that names the version it was
made for. The same patch marks the account: an annotation says which of the names are ours, since
the list's field manager is only whoever wrote to it last.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.kubernetes_api.names import NAMESPACE, OBJECT, VERSION, Names, of_form
from ecr_public_pusher.ownership import ANNOTATION_PREFIX

# On a ServiceAccount: the Secrets whose names in its list are ours, delimited by commas.
ADDED = f"{ANNOTATION_PREFIX}added-image-pull-secrets"

type Operation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """A ServiceAccount as it was seen.

    `entries` are the names in its list, in order; `marked` those that its mark says are ours.
    """

    namespace: str
    name: str
    version: str
    entries: tuple[str, ...] = ()
    marked: frozenset[str] = frozenset()
    annotated: bool = False

    def lacks(self, secret: str) -> bool:
        """Return whether its list does not name the Secret."""
        return secret not in self.entries

    def ours(self, secret: str) -> bool:
        """Return whether its list names the Secret, and we put it there."""
        return secret in self.entries and secret in self.marked

    def adding(self, secret: str) -> list[Operation]:
        """Return the patch that adds the Secret's name at the end of the list; none where it is
        there.
        """
        if not self.lacks(secret):
            return []
        entry = {"name": secret}
        if self.entries:
            addition: Operation = {"op": "add", "path": "/imagePullSecrets/-", "value": entry}
        else:
            addition = {"op": "add", "path": "/imagePullSecrets", "value": [entry]}
        return [self._unchanged, addition, self._mark(self._ours | {secret})]

    def taking_out(self, secret: str) -> list[Operation]:
        """Return the patch that takes out each entry of that name, where we put it there; none
        otherwise.
        """
        if not self.ours(secret):
            return []
        places = [place for place, name in enumerate(self.entries) if name == secret]
        removals: list[Operation] = [
            {"op": "remove", "path": f"/imagePullSecrets/{place}"} for place in reversed(places)
        ]
        return [self._unchanged, *removals, self._mark(self._ours - {secret})]

    @property
    def _ours(self) -> frozenset[str]:
        """Return the marked names that are in the list still: whoever took one out has taken our
        part in it.
        """
        return self.marked & frozenset(self.entries)

    @property
    def _unchanged(self) -> Operation:
        """Return the operation that has a change refused with 409 where the account has another
        version; a `test` gives a bare 422.
        """
        return {"op": "replace", "path": "/metadata/resourceVersion", "value": self.version}

    def _mark(self, names: Collection[str]) -> Operation:
        path = f"/metadata/annotations/{ADDED.replace('/', '~1')}"
        value = ",".join(sorted(names))
        if not names:
            return {"op": "remove", "path": path}
        if not self.annotated:
            return {"op": "add", "path": "/metadata/annotations", "value": {ADDED: value}}
        return {"op": "add", "path": path, "value": value}


def seen_account(account: Mapping[str, Any], names: Names) -> SeenAccount:
    """Return what is decided upon.

    Raise KeyError, TypeError, ValueError, AttributeError for what is no ServiceAccount.
    """
    metadata = account["metadata"]
    annotations = metadata.get("annotations") or {}
    return SeenAccount(
        namespace=names.checked(metadata["namespace"], NAMESPACE),
        name=names.checked(metadata["name"], OBJECT),
        version=of_form(metadata["resourceVersion"], VERSION),
        entries=tuple(
            str(entry.get("name", "")) for entry in account.get("imagePullSecrets") or ()
        ),
        marked=frozenset(name for name in str(annotations.get(ADDED) or "").split(",") if name),
        annotated=bool(annotations),
    )
