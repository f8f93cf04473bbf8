"""A selection of objects: by name, glob, exclusion and label. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.configuration import label_selector
from ecr_public_pusher.configuration.names import any_of, is_glob


@dataclass(frozen=True)
class ObjectSelection:
    """(`include`, or everything where only a `selector` is given) ∩ `selector` − `exclude`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    selector: str | None = None

    @cached_property
    def requirements(self) -> tuple[label_selector.Requirement, ...]:
        """The requirements of the selector."""
        return label_selector.parse(self.selector) if self.selector else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The objects named outright and not excluded, in the order given, each once."""
        return tuple(
            dict.fromkeys(
                name for name in self.include if not is_glob(name) and not self._excludes(name)
            )
        )

    def __str__(self) -> str:
        """Return the selection as a message shows it."""
        include = f"include [{', '.join(self.include)[:200]}]" if self.include else ""
        exclude = f"exclude [{', '.join(self.exclude)[:200]}]" if self.exclude else ""
        selector = f"selector '{self.selector[:200]}'" if self.selector else ""
        return ", ".join(part for part in (include, selector, exclude) if part)

    @cached_property
    def _includes(self) -> Callable[[str], bool]:
        return any_of(self.include)

    @cached_property
    def _excludes(self) -> Callable[[str], bool]:
        return any_of(self.exclude)
