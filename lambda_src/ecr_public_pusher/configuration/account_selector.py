"""The ServiceAccounts that a document selects: by name, glob, exclusion and label. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from ecr_public_pusher.configuration.names import is_glob
from ecr_public_pusher.configuration.object_selection import ObjectSelection


@dataclass(frozen=True)
class AccountSelection(ObjectSelection):
    """The ServiceAccounts of a namespace to change; an empty one selects none."""

    def __bool__(self) -> bool:
        """Return whether it can select any."""
        return bool(self.names) if self.by_name else bool(self.include or self.selector)

    @property
    def by_name(self) -> bool:
        """Return whether it selects only accounts that it names, so that it needs no list."""
        return bool(self.include) and not any(is_glob(pattern) for pattern in self.include)

    @property
    def expected(self) -> tuple[str, ...]:
        """The accounts that must exist: those named outright, which need no label."""
        return () if self.selector else self.names

    def selects(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether the account is selected. `labels`: used only if there is a selector."""
        if self._excludes(name) or (self.include and not self._includes(name)):
            return False
        if self.selector:
            return all(requirement.matches(labels) for requirement in self.requirements)
        return bool(self.include)


NO_ACCOUNTS = AccountSelection()
