"""The namespaces that a document selects: by name, glob, exclusion and label. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from ecr_public_pusher.configuration.names import any_of, is_glob, matches
from ecr_public_pusher.configuration.object_selection import ObjectSelection
from ecr_public_pusher.results import Namespace

# A glob or a selector never reaches these by accident; naming them outright does.
SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True)
class Selection(ObjectSelection):
    """The namespaces of a cluster that get the Secret."""

    @property
    def needs_list(self) -> bool:
        """Return whether a namespace list, and so `list` permission, is needed.

        Names alone need none.
        """
        return bool(self.selector) or any(is_glob(pattern) for pattern in self.include)

    def selects(self, namespace: Namespace) -> bool:
        """Return whether `namespace` is selected.

        Its labels must be known where there is a selector.
        """
        name = namespace.name
        if self.exclude and self._excludes(name):
            return False
        if self.selector and not all(
            requirement.matches(namespace.labels) for requirement in self.requirements
        ):
            return False
        if name in self.include:
            return True
        if name in SYSTEM_NAMESPACES:
            return False
        return not self.include or self._includes(name)

    def reason(self, name: str) -> str:
        """Return why a namespace that is selected is: by its name, a glob, or its labels."""
        by = next((pattern for pattern in self.include if matches(pattern, name)), None)
        if name in self.include:
            by = "name"
        elif by is not None:
            by = f"glob {by}"
        selector = f"selector {self.selector}" if self.selector else None
        return ", ".join(part for part in (by, selector) if part)

    def reason_against(self, name: str) -> str:
        """Return why a namespace that is not selected is not."""
        pattern = next((pattern for pattern in self.exclude if matches(pattern, name)), None)
        if pattern is not None:
            return f"excluded by {pattern}"
        if name not in self.include:
            if name in SYSTEM_NAMESPACES:
                return "a system namespace, which only its name selects"
            if self.include and not self._includes(name):
                return "no name or glob matches"
        return f"selector {self.selector} does not match"


@dataclass(frozen=True)
class Scope:
    """Names and globs that narrow a selection for one run; none at all means no narrowing."""

    only: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Return whether it does not narrow."""
        return not self.only

    def holds(self, namespace: Namespace) -> bool:
        """Return whether `namespace` is within the scope."""
        return not self.only or any_of(self.only)(namespace.name)


EVERYTHING = Scope()


def select(
    selection: Selection, listed: Iterable[Namespace] | None, *, scope: Scope = EVERYTHING
) -> tuple[Namespace, ...]:
    """Return the selected namespaces: those named outright first, then the listed ones by name.

    `listed` is None where no list was needed. A namespace named outright is planned even when the
    list does not have it (unless there is a selector, which it would have to match): it is then
    reported as missing, not forgotten. `scope` narrows the result.
    """
    known = {namespace.name: namespace for namespace in listed or ()}
    chosen: dict[str, Namespace] = {}
    if not selection.selector:
        chosen = {name: known.get(name, Namespace(name)) for name in selection.names}
    chosen |= {
        name: known[name]
        for name in sorted(known)
        if name not in chosen and selection.selects(known[name])
    }
    return in_scope(tuple(chosen.values()), scope)


def in_scope(selected: tuple[Namespace, ...], scope: Scope) -> tuple[Namespace, ...]:
    """Return those of the namespaces that are within `scope`, in their order."""
    if scope.whole:
        return selected
    return tuple(namespace for namespace in selected if scope.holds(namespace))
