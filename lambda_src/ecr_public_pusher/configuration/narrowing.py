"""The clusters that a request's `clusters` mean: ids and globs, discovered clusters included. Pure.

A discovered cluster's id is `<id>/<region>/<name>`; a glob's `*` matches slashes too.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.configuration.field_types import CLUSTER_NAME
from ecr_public_pusher.configuration.names import is_glob, matches


@dataclass(frozen=True)
class Narrowing:
    """Ids and globs; none at all means everything."""

    patterns: tuple[str, ...] = ()

    @cached_property
    def exact(self) -> frozenset[str]:
        """The patterns that are ids."""
        return frozenset(pattern for pattern in self.patterns if not is_glob(pattern))

    @cached_property
    def _globs(self) -> tuple[str, ...]:
        return tuple(pattern for pattern in self.patterns if is_glob(pattern))

    def wants(self, document_id: str) -> bool:
        """Return whether the id is asked for.

        The failure of a discovery (`<id>/*`), or of one region of it (`<id>/<region>/*`), concerns
        each glob of its clusters.
        """
        # Ids are looked up: a worker compares a thousand of them with ten thousand documents.
        if (
            not self.patterns
            or document_id in self.exact
            or any(matches(pattern, document_id) for pattern in self._globs)
        ):
            return True
        return document_id.endswith("/*") and any(
            _may_mean(pattern, document_id[:-1]) for pattern in self._globs
        )

    def lost(self, known: set[str]) -> list[str]:
        """Return the patterns that match none of the ids."""
        return [
            pattern
            for pattern in self.patterns
            if not (
                any(Narrowing((pattern,)).wants(document_id) for document_id in known)
                if is_glob(pattern)
                else pattern in known
            )
        ]

    def may_mean(self, prefix: str) -> bool:
        """Return whether an id that starts with `prefix` may be asked for."""
        return not self.patterns or any(_may_mean(pattern, prefix) for pattern in self.patterns)

    def exactly(self, prefix: str) -> frozenset[str] | None:
        """Return the names after `prefix` that are asked for by their very ids.

        Return None where a glob may match others too.
        """
        if not self.patterns or any(_may_mean(pattern, prefix) for pattern in self._globs):
            return None
        names = (one.removeprefix(prefix) for one in self.exact if one.startswith(prefix))
        return frozenset(name for name in names if re.fullmatch(CLUSTER_NAME.pattern, name))


def _may_mean(pattern: str, prefix: str) -> bool:
    literal = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return literal.startswith(prefix) or (literal != pattern and prefix.startswith(literal))
