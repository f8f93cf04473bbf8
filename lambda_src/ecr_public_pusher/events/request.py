"""The request that an event makes. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

type Action = Literal["push", "plan", "sweep", "check", "remove", "forget"]

# A sweep every 5 minutes sees each new namespace four times: the next one makes up for a sweep that
# fails, or a list that lags.
SWEEP_WINDOW_MINUTES = 20


@dataclass(frozen=True)
class Request:
    """One request.

    `clusters`, `namespaces`: names and globs that narrow it; empty means all.
    `removes`: it is a removal, or the plan of one.
    `prune_all`: prune however many Secrets that deletes.
    `includes_disabled`: check disabled documents as if they were enabled.
    `deleted`: a cluster document that was deleted; there is nothing to push.
    `unknown_parameter`: a changed parameter that is no document; there is nothing to push.
    `nothing`: a change that requires no action, or what only the report in the log is for
    (`forget`).
    `window_minutes`: a sweep's; the window ends at `asked_at`, or now.
    `of_full_push`: the message is a part of a push of everything.
    `ignore_missing`: the clusters of the message or change event may have been removed from the
    configuration since.
    """

    action: Action = "push"
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    raises: bool = True
    removes: bool = False
    prune_all: bool = False
    includes_disabled: bool = False
    deleted: str | None = None
    unknown_parameter: str | None = None
    nothing: bool = False
    window_minutes: int = SWEEP_WINDOW_MINUTES
    asked_at: datetime | None = None
    of_full_push: bool = False
    ignore_missing: bool = False

    @property
    def dry_run(self) -> bool:
        """Return whether nothing is written."""
        return self.action in ("plan", "check")

    @property
    def narrowed(self) -> bool:
        """Return whether it is for a part of the configuration only."""
        return bool(
            self.clusters
            or self.namespaces
            or self.deleted
            or self.unknown_parameter
            or self.nothing
        )

    @property
    def pushes_all(self) -> bool:
        """Return whether it pushes everything."""
        return self.action == "push" and not self.narrowed
