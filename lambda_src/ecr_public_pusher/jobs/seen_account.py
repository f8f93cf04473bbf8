"""A ServiceAccount reduced to what decisions need, and the JSON patches that change it. Pure.

The list of imagePullSecrets is atomic to the API server: an apply takes all of it or none, and
strategic and merge patches replace it. So a change is a JSON patch that names the version it was
made for. The same patch marks the account: an annotation says which of the names are ours, since
the list's field manager is only whoever wrote to it last.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.kubernetes_api.names import (
    NAMESPACE,
    OBJECT,
    VERSION,
    Names,
    labels_of,
    of_form,
)
from ecr_public_pusher.ownership import ANNOTATION_PREFIX

# On a ServiceAccount: the Secrets whose names in its list are ours, delimited by commas.
ADDED = f"{ANNOTATION_PREFIX}added-image-pull-secrets"
# On a ServiceAccount, with the value "true": it gets no name, and loses one that we added.
OPT_OUT = f"{ANNOTATION_PREFIX}opt-out"

type Operation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """A ServiceAccount as it was seen.

    `entries`: the names in its list, in order. `marked`: those that are ours by its mark.
    `annotated`: it has annotations. `opted_out`: one of them is OPT_OUT.
    """

    namespace: str
    name: str
    version: str
    entries: tuple[str, ...]
    marked: frozenset[str]
    annotated: bool
    opted_out: bool = False

    def needs_change(self, secret: str) -> bool:
        """Return whether its list lacks the Secret; if it opted out, whether we put it there."""
        return self.ours(secret) if self.opted_out else self.lacks(secret)

    def lacks(self, secret: str) -> bool:
        """Return whether its list does not name the Secret."""
        return secret not in self.entries

    def ours(self, secret: str) -> bool:
        """Return whether its list names the Secret, and we put it there."""
        return secret in self.entries and secret in self.marked

    def conforming(self, secret: str) -> list[Operation]:
        """Return the patch that the document asks for: `adding`, or `taking_out` if it opted out.

        Empty if nothing needs to change.
        """
        return self.taking_out(secret) if self.opted_out else self.adding(secret)

    def adding(self, secret: str) -> list[Operation]:
        """Return the patch that appends the Secret's name to the list; empty if it is there."""
        if not self.lacks(secret):
            return []
        entry = {"name": secret}
        if self.entries:
            addition: Operation = {"op": "add", "path": "/imagePullSecrets/-", "value": entry}
        else:
            addition = {"op": "add", "path": "/imagePullSecrets", "value": [entry]}
        return [self._unchanged, addition, self._mark(self._ours | {secret})]

    def taking_out(self, secret: str) -> list[Operation]:
        """Return the patch that takes out each entry of that name.

        Empty if the name is not there, or not put there by us.
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
        """Return the marked names that are still in the list.

        An entry that somebody else took out is no longer ours.
        """
        return self.marked & frozenset(self.entries)

    @property
    def _unchanged(self) -> Operation:
        """Return the operation that has the patch refused with 409 if the account has changed.

        A `test` would give a bare 422.
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
    """Return the account reduced to what decisions need.

    Raise KeyError, TypeError, ValueError, AttributeError if it is not a ServiceAccount.
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
        opted_out=annotations.get(OPT_OUT) == "true",
    )


def selected_account(
    selection: AccountSelection,
) -> Callable[[dict[str, Any], Names], SeenAccount | None]:
    """Return a function like `seen_account`, but None for an account that is not selected."""

    def keep(account: dict[str, Any], names: Names) -> SeenAccount | None:
        seen = seen_account(account, names)
        given = account["metadata"].get("labels") if selection.selector else None
        return seen if selection.selects(seen.name, labels_of(given) if given else {}) else None

    return keep
