"""What an event asks for. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

type Action = Literal["push", "plan", "sweep", "check", "remove"]

# A sweep every 5 minutes sees each new namespace four times: one that fails, or a list that lags,
# is made good by the next.
SWEEP_WINDOW_MINUTES = 20


@dataclass(frozen=True)
class Request:
    """What is asked for.

    `clusters` and `namespaces`: names and globs that narrow it; empty means all.

    `removes`: a removal, or the plan of one. `prune_all`: prune however much it is. `deleted` names
    a cluster document that was removed, `unknown_parameter` a changed parameter that is no
    document: there is nothing to push for either, nor for a change that asks for `nothing`.
    `window_minutes` is a sweep's; it ends at `asked_at`, or now. The last two are of messages:
    `of_full_push` of one that a push of everything was split into, `ignore_missing` of those whose
    cluster may have gone from the configuration since.
    """

    action: Action = "push"
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    raises: bool = True
    removes: bool = False
    prune_all: bool = False
    deleted: str | None = None
    unknown_parameter: str | None = None
    nothing: bool = False
    window_minutes: int = SWEEP_WINDOW_MINUTES
    asked_at: datetime | None = None
    of_full_push: bool = False
    ignore_missing: bool = False

    @property
    def dry_run(self) -> bool:
        return self.action in ("plan", "check")

    @property
    def narrowed(self) -> bool:
        return bool(
            self.clusters
            or self.namespaces
            or self.deleted
            or self.unknown_parameter
            or self.nothing
        )

    @property
    def pushes_all(self) -> bool:
        return self.action == "push" and not self.narrowed
