"""A deployed stack's documents: read once for a command, and validated as its function does."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.names import is_glob, matches

from ..errors import CliError
from ..follow_up import ADD_A_CLUSTER, FollowUp
from ..session import Session
from .document import CLUSTERS, DEFAULTS, DISCOVER, DocumentName
from .limits import STANDARD_BYTES
from .store import Snapshot, Store, Stored
from .validation import Document, TargetStack, Validation, validate_documents


@dataclass(frozen=True)
class Deployed:
    """The documents of one stack. `snapshot` holds them as they were when the command began.

    `region` is the function's. `follow_up` makes the commands of remedies.
    """

    store: Store
    region: str
    target: TargetStack
    snapshot: Snapshot
    follow_up: FollowUp

    @classmethod
    def of(cls, session: Session) -> "Deployed":
        """Read the documents of the session's stack."""
        stack = session.stack
        store = Store(session.client("ssm"), stack.config_path, session.follow_up)
        target = TargetStack(
            stack.config_path,
            stack.region,
            stack.account,
            stack.allowed_endpoints,
            stack.allowed_roles,
        )
        return cls(store, stack.region, target, store.read(), session.follow_up)

    @cached_property
    def validation(self) -> Validation:
        """Return the validation of the stored documents."""
        return self.validate({})

    def validate(self, changed: Mapping[DocumentName, Document | None]) -> Validation:
        """Validate what would be stored after a change; None stands for a deleted document.

        Documents that cannot be decrypted are left out.
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
        """Return a stored document in the form to validate."""
        return Document(stored.text, str(stored.name), stored.limit)

    def replacement(self, name: DocumentName, text: str, where: str | None = None) -> Document:
        """Return a text to validate in a document's place, with the size limit of its parameter."""
        stored = self.snapshot.documents.get(name)
        return Document(text, where or str(name), stored.limit if stored else STANDARD_BYTES)

    def find(self, called: str, *, clusters_only: bool = False) -> Stored:
        """Return the document called `<id>`, `clusters/<id>`, `discover/<id>` or `defaults`.

        Raise CliError when there is none, and when it cannot be decrypted.
        """
        names = [DocumentName.cluster(called)] if clusters_only else _candidates(called)
        stored = next(
            (self.snapshot.documents[name] for name in names if name in self.snapshot.documents),
            None,
        )
        if stored is None and clusters_only:
            self._refuse_others(called)
        if stored is None:
            raise self._unknown(called, clusters_only=clusters_only)
        if stored.error:
            Snapshot({stored.name: stored}).demand_readable()
        return stored

    def _refuse_others(self, called: str) -> None:
        """Raise CliError when a document that is called so is no cluster's."""
        name = next((one for one in _candidates(called) if one in self.snapshot.documents), None)
        if name is None or name.folder == CLUSTERS:
            return
        remedy = (
            f"Name the clusters that use them. {self._known(clusters_only=True)}"
            if name == DocumentName.defaults()
            else "Change what it finds, or delete it:"
            f" {self.follow_up.command('clusters', 'edit', str(name))}"
        )
        raise CliError(f"Only a cluster's document has `enabled`, not {name}.", remedy=remedy)

    def find_clusters(self, called: Iterable[str]) -> list[Stored]:
        """Return the clusters' documents with these ids, or that these globs match, each once.

        Raise CliError as `find` does, and for a glob that matches none.
        """
        ids = sorted(name.id for name in self.snapshot.documents if name.folder == CLUSTERS)
        found: dict[str, None] = {}
        for one in called:
            same = [name for name in ids if matches(one, name)] if is_glob(one) else [one]
            if not same:
                raise self._unknown(one, clusters_only=True)
            found |= dict.fromkeys(same)
        return [self.find(one, clusters_only=True) for one in found]

    def defaults(self) -> str | None:
        """Return the defaults' text; None when there are none."""
        stored = self.snapshot.documents.get(DocumentName.defaults())
        return stored.text if stored and not stored.error else None

    def cluster(self, document_id: str) -> ClusterConfig | None:
        """Return a valid cluster's settings; None when there is none of that id."""
        return next(
            (
                config
                for config in self.validation.configuration.clusters
                if config.id == document_id
            ),
            None,
        )

    def _names(self, *, clusters_only: bool) -> list[str]:
        """Return the documents as `find` takes them."""
        names = [
            name.id if name.folder == CLUSTERS else str(name)
            for name in sorted(self.snapshot.documents)
        ]
        return [
            name for name in names if not clusters_only or ("/" not in name and name != DEFAULTS)
        ]

    def _known(self, *, clusters_only: bool) -> str:
        shown = self._names(clusters_only=clusters_only)
        return (
            f"There are: {', '.join(shown[:50]) or 'none'}. To add one:"
            f" {self.follow_up.command(*ADD_A_CLUSTER)}"
        )

    def _unknown(self, called: str, *, clusters_only: bool) -> CliError:
        shown = self._names(clusters_only=clusters_only)
        close = difflib.get_close_matches(called, shown, n=1)
        guess = f"Did you mean {close[0]}? " if close else ""
        return CliError(
            f"There is no document {called} under {self.store.root}.",
            remedy=f"{guess}{self._known(clusters_only=clusters_only)}",
        )


def _candidates(called: str) -> list[DocumentName]:
    folder, slash, document_id = called.partition("/")
    if slash:
        return [DocumentName(folder, document_id)]
    named = [DocumentName.cluster(called), DocumentName(DISCOVER, called)]
    return [DocumentName.defaults(), *named] if called == DEFAULTS else named
