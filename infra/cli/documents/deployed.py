"""A deployed stack's documents: read once for a command, judged as that stack's function does,
found by what people call them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.configuration.cluster_config import ClusterConfig

from ..errors import CliError
from ..session import Session
from .document import CLUSTERS, DEFAULTS, DISCOVER, DocumentName
from .limits import STANDARD_BYTES
from .store import Snapshot, Store, Stored
from .validation import Document, TargetStack, Validation, validate_documents


@dataclass(frozen=True)
class Deployed:
    """`snapshot`: the documents as they were when the command began. `region`: the function's."""

    store: Store
    region: str
    target: TargetStack
    snapshot: Snapshot

    @classmethod
    def of(cls, session: Session) -> "Deployed":
        """Those of the session's stack."""
        stack = session.stack
        store = Store(session.client("ssm"), stack.config_path)
        target = TargetStack(
            stack.config_path,
            stack.region,
            stack.account,
            stack.allowed_endpoints,
            stack.allowed_roles,
        )
        return cls(store, stack.region, target, store.read())

    @cached_property
    def validation(self) -> Validation:
        """Of what is stored."""
        return self.validate({})

    def validate(self, changed: Mapping[DocumentName, Document | None]) -> Validation:
        """Of what would be stored after a change (None: deleted).

        Documents that may not be decrypted are left out.
        """
        documents = {
            name: self.document(stored)
            for name, stored in self.snapshot.documents.items()
            if stored.error is None
        }
        after = {**documents, **changed}
        return validate_documents(
            {name: document for name, document in after.items() if document is not None},
            self.target,
        )

    def document(self, stored: Stored) -> Document:
        """A stored one, to be judged."""
        return Document(stored.text, str(stored.name), stored.limit)

    def replacement(self, name: DocumentName, text: str, where: str | None = None) -> Document:
        """A text that is to take a document's place, with the room that there is for it."""
        stored = self.snapshot.documents.get(name)
        return Document(text, where or str(name), stored.limit if stored else STANDARD_BYTES)

    def find(self, called: str, *, clusters_only: bool = False) -> Stored:
        """By id, `clusters/<id>`, `discover/<id>` or `defaults`.

        Raises CliError when there is none, or it cannot be read.
        """
        names = [DocumentName.cluster(called)] if clusters_only else _candidates(called)
        stored = next(
            (self.snapshot.documents[name] for name in names if name in self.snapshot.documents),
            None,
        )
        if stored is None:
            raise CliError(
                f"There is no document {called} under {self.store.root}.",
                remedy=self._known(clusters_only),
            )
        if stored.error:
            Snapshot({stored.name: stored}).demand_readable()
        return stored

    def defaults(self) -> str | None:
        """The defaults' text, if there are any."""
        stored = self.snapshot.documents.get(DocumentName.defaults())
        return stored.text if stored and not stored.error else None

    def cluster(self, document_id: str) -> ClusterConfig | None:
        """A valid cluster's settings."""
        return next(
            (
                config
                for config in self.validation.configuration.clusters
                if config.id == document_id
            ),
            None,
        )

    def _known(self, clusters_only: bool) -> str:
        names = [
            name.id if name.folder == CLUSTERS else str(name)
            for name in sorted(self.snapshot.documents)
        ]
        shown = [
            name for name in names if not clusters_only or ("/" not in name and name != DEFAULTS)
        ]
        return (
            f"There are: {', '.join(shown[:50]) or 'none'}. A new one: ecr-public-pusher clusters"
            " add ID"
        )


def _candidates(called: str) -> list[DocumentName]:
    folder, slash, document_id = called.partition("/")
    if slash:
        return [DocumentName(folder, document_id)]
    named = [DocumentName.cluster(called), DocumentName(DISCOVER, called)]
    return [DocumentName.defaults(), *named] if called == DEFAULTS else named
