"""The names of a document: as a file, as a parameter, and in an event. Pure."""

from dataclasses import dataclass
from typing import Self

from ecr_public_pusher.configuration.parameter_names import pushed_by

CLUSTERS = "clusters"
DISCOVER = "discover"
DEFAULTS = "defaults"


@dataclass(frozen=True, order=True)
class DocumentName:
    """A document's folder and id; the defaults have no folder and the id `defaults`."""

    folder: str
    id: str

    @classmethod
    def cluster(cls, document_id: str) -> Self:
        return cls(CLUSTERS, document_id)

    @classmethod
    def defaults(cls) -> Self:
        return cls("", DEFAULTS)

    @classmethod
    def of_clusters(cls, pushed: str) -> Self:
        """Return the document that reports and events name by its clusters.

        That is `<id>` for a cluster; `<id>/*`, or any id below it, for a discovery.
        """
        document_id, slash, _ = pushed.partition("/")
        return cls(DISCOVER if slash else CLUSTERS, document_id)

    @classmethod
    def of_parameter(cls, parameter: str, *, root: str) -> Self | None:
        """Return the document of a parameter; None when it holds none."""
        if parameter == f"{root}/{DEFAULTS}":
            return cls.defaults()
        pushed = pushed_by(parameter, root=root)
        return None if pushed is None else cls.of_clusters(pushed)

    @property
    def is_valid(self) -> bool:
        """Return whether the function takes a parameter of this name for a document."""
        return self.of_parameter(self.parameter(""), root="") == self

    def parameter(self, root: str) -> str:
        """Return the name of its parameter."""
        return f"{root}/{self}"

    @property
    def clusters(self) -> str | None:
        """Return the entry of an event's "clusters" that names it; None for the defaults."""
        return {CLUSTERS: self.id, DISCOVER: f"{self.id}/*"}.get(self.folder)

    def __str__(self) -> str:
        return f"{self.folder}/{self.id}" if self.folder else self.id
