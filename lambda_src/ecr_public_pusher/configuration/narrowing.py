"""What a request's `clusters` mean: ids and globs, of clusters that a document names and of those
that a discovery finds. Pure.

A discovered cluster's id is `<id>/<region>/<name>`; a glob's `*` reaches across the slashes.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.configuration.field_types import CLUSTER_NAME
from ecr_public_pusher.configuration.names import is_glob, matches


@dataclass(frozen=True)
class Narrowing:
    """`patterns`: ids and globs; none at all means everything."""

    patterns: tuple[str, ...] = ()

    @cached_property
    def exact(self) -> frozenset[str]:
        """The patterns that are ids."""
        return frozenset(pattern for pattern in self.patterns if not is_glob(pattern))

    def wants(self, document_id: str) -> bool:
        """Whether it is meant.

        What fails a discovery (`<id>/*`), or one region of it (`<id>/<region>/*`), concerns each
        glob of its clusters.
        """
        if not self.patterns or any(matches(pattern, document_id) for pattern in self.patterns):
            return True
        return document_id.endswith("/*") and any(
            _may_mean(pattern, document_id[:-1]) for pattern in self.patterns if is_glob(pattern)
        )

    def lost(self, known: set[str]) -> list[str]:
        """The patterns that mean none of the ids."""
        return [
            pattern
            for pattern in self.patterns
            if not any(Narrowing((pattern,)).wants(document_id) for document_id in known)
        ]

    def may_mean(self, prefix: str) -> bool:
        """Whether an id that starts with `prefix` may be meant."""
        return not self.patterns or any(_may_mean(pattern, prefix) for pattern in self.patterns)

    def exactly(self, prefix: str) -> frozenset[str] | None:
        """The names after `prefix` that are asked for by their very ids; None where others may be
        meant too.
        """
        if not self.patterns or any(
            _may_mean(pattern, prefix) for pattern in self.patterns if is_glob(pattern)
        ):
            return None
        names = (one.removeprefix(prefix) for one in self.exact if one.startswith(prefix))
        return frozenset(name for name in names if re.fullmatch(CLUSTER_NAME.pattern, name))


def _may_mean(pattern: str, prefix: str) -> bool:
    literal = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return literal.startswith(prefix) or (literal != pattern and prefix.startswith(literal))
