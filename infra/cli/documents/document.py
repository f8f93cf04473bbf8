"""What a document is called: as a file, as a parameter, and in an event. Pure."""

from dataclasses import dataclass
from typing import Self

from ecr_public_pusher.configuration.loader import pushed_by

CLUSTERS, DISCOVER, DEFAULTS = "clusters", "discover", "defaults"


@dataclass(frozen=True, order=True)
class DocumentName:
    """`folder`: clusters, discover, or nothing for the defaults.

    `id`: the document's, or `defaults`.
    """

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
        """By what reports and events call its clusters: `<id>`, or `<id>/*` (and anything below it)
        of a discovery.
        """
        document_id, slash, _ = pushed.partition("/")
        return cls(DISCOVER if slash else CLUSTERS, document_id)

    @classmethod
    def of_parameter(cls, parameter: str, *, root: str) -> Self | None:
        """None for a parameter that is no document."""
        if parameter == f"{root}/{DEFAULTS}":
            return cls.defaults()
        pushed = pushed_by(parameter, root=root)
        return None if pushed is None else cls.of_clusters(pushed)

    @property
    def is_valid(self) -> bool:
        """Tell whether the function takes a parameter of this name for a document."""
        return self.of_parameter(self.parameter(""), root="") == self

    def parameter(self, root: str) -> str:
        """The parameter that holds it."""
        return f"{root}/{self}"

    @property
    def clusters(self) -> str | None:
        """What an event's "clusters" names for it; None for the defaults, which are every
        cluster's.
        """
        return {CLUSTERS: self.id, DISCOVER: f"{self.id}/*"}.get(self.folder)

    def __str__(self) -> str:
        return f"{self.folder}/{self.id}" if self.folder else self.id
