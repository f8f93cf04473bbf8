"""Secrets that a change of a document leaves in a cluster, to expire within 12 hours. Pure."""

from dataclasses import replace

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.loader import Configuration
from ecr_public_pusher.results import Namespace

from ..follow_up import FollowUp
from .changes import Change, Kind
from .document import CLUSTERS
from .problem import Problem

_EXPIRE = "the Secrets that were written stay, expire within 12 hours, and then block pulls"


def leftover_notes(
    changes: list[Change], before: Configuration, after: Configuration, follow_up: FollowUp
) -> list[Problem]:
    """Return a note for each document that leaves Secrets behind.

    That is when it stops pushing to a cluster, a namespace or a Secret name.

    A SecureString's note leaves out what the document says.
    """
    old, new = (
        {config.id: config for config in configuration.clusters}
        for configuration in (before, after)
    )
    return [
        replace(note, message=f"a change of {note.field}: {_EXPIRE}") if change.secure else note
        for change in changes
        if change.kind is Kind.CHANGED and change.name.folder == CLUSTERS and change.after
        for note in _notes(
            old.get(change.name.id), new.get(change.name.id), str(change.after.path), follow_up
        )
        if note.field != "cluster" or not _goes_over(old[change.name.id], after)
    ]


def _notes(
    old: ClusterConfig | None, new: ClusterConfig | None, where: str, follow_up: FollowUp
) -> list[Problem]:
    if old is None or new is None or not old.enabled:
        return []
    remove = follow_up.command("remove", old.id)
    if not new.enabled:
        return [
            Problem(
                where,
                f"is disabled: {_EXPIRE}",
                field="enabled",
                remedy=f"For a longer pause: {remove}",
            )
        ]
    first = f"Before this: {remove}"
    if old.target != new.target:
        return [
            Problem(
                where,
                f"names another cluster than {old.cluster}, where {_EXPIRE}",
                field="cluster",
                remedy=first,
            )
        ]
    if old.secret_name != new.secret_name:
        return [
            Problem(
                where,
                f"writes {new.secret_name} instead of {old.secret_name}: {_EXPIRE}",
                field="secretName",
                remedy=first,
            )
        ]
    kept = {(one.namespace, one.name) for one in new.repositories}
    if dropped := [
        one.name
        for one in old.repositories
        if not new.prune and (one.namespace, one.name) not in kept
    ]:
        return [
            Problem(
                where,
                f"no longer names the repositories {', '.join(dropped[:5])}, whose Secrets stay and"
                " expire within 12 hours",
                field="argocd",
                remedy="prune: true removes them automatically.",
            )
        ]
    if lost := [name for name in old.selection.names if not new.prune and _is_lost(name, new)]:
        named = f"{', '.join(lost[:5])}{', ...' if len(lost) > 5 else ''}"
        return [
            Problem(
                where,
                f"no longer selects {named}, where {_EXPIRE}",
                field="namespaces",
                remedy="prune: true removes them automatically.",
            )
        ]
    return []


def _goes_over(old: ClusterConfig, after: Configuration) -> bool:
    """Return whether another document adopts all Secrets of a cluster, as when ids are swapped."""
    return bool(old.selection.names) and any(
        other.enabled
        and (other.target, other.secret_name) == (old.target, old.secret_name)
        and not any(_is_lost(name, other) for name in old.selection.names)
        for other in after.clusters
        if other.id != old.id
    )


def _is_lost(name: str, new: ClusterConfig) -> bool:
    """Return whether a namespace is certainly no longer selected; one selected by label may be."""
    selection = new.selection
    return selection.selector is None and not selection.selects(Namespace(name))
