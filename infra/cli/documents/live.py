"""The change of a document's selection among a cluster's namespaces as they are now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.namespace_selector import select
from ecr_public_pusher.results import Choice, Namespace

from .document import DocumentName


@dataclass(frozen=True)
class LiveChange:
    """A document's selection before and after a change.

    `selected` counts the namespaces afterwards; `problem` says why the cluster could not be asked.
    """

    document: DocumentName
    selected: int = 0
    gained: Sequence[Choice] = ()
    lost: Sequence[Choice] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `diff --live`."""
        if self.problem:
            return {"document": str(self.document), "problem": self.problem}
        return {
            "document": str(self.document),
            "selected": self.selected,
            "gained": [{"namespace": one.namespace, "reason": one.reason} for one in self.gained],
            "lost": [{"namespace": one.namespace, "reason": one.reason} for one in self.lost],
        }


def live_change(
    name: DocumentName,
    old: ClusterConfig | None,
    new: ClusterConfig | None,
    namespaces: Sequence[Namespace],
) -> LiveChange:
    """Return the change among `namespaces`; None stands for a document that selects nothing."""
    before = _names(old, namespaces) if old and (not new or old.target == new.target) else []
    after = _names(new, namespaces)
    there = {namespace.name for namespace in namespaces}
    gained = [
        Choice(one, True, reason if one in there else f"{reason}, but it does not exist")
        for one in after
        if new is not None and one not in before
        for reason in [new.selection.reason(one)]
    ]
    lost = [
        Choice(one, False, new.selection.reason_against(one) if new else "disabled")
        for one in before
        if one not in after
    ]
    return LiveChange(name, len(after), gained, lost)


def _names(config: ClusterConfig | None, namespaces: Sequence[Namespace]) -> list[str]:
    if config is None or not config.enabled:
        return []
    return [namespace.name for namespace in select(config.selection, namespaces)]
