"""The sources of an import: a kubeconfig's contexts, EKS's lists, and the choice among them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecr_public_pusher.configuration.names import matches

from ..documents.deployed import Deployed
from ..documents.document import CLUSTERS, DocumentName
from ..documents.pending import is_pending
from ..errors import CliError
from ..onboarding.kubeconfig import Entries, kubeconfig_files, read_entries
from ..onboarding.side_by_side import side_by_side
from .candidates import Candidate, candidates, named_already, with_ids
from .contexts import ImportedContext, imported
from .eks_clusters import FoundEks, Profiles, Unseen

SHOWN = 20
# The options that take globs, of contexts and of clusters.
GLOB_OPTIONS = ("--context", "--only", "--skip", "--stored")

# A cluster, and the document that names it already; empty for none.
type Named = tuple[Candidate, str]


@dataclass(frozen=True)
class Sources:
    """The sources that were asked for. Names may be globs.

    `stored`: the clusters to sign in to with a stored kubeconfig.
    """

    kubeconfig: Path | None = None
    contexts: Sequence[str] = ()
    profiles: Sequence[str] = ()
    regions: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    stored: Sequence[str] = ()

    @property
    def _lists_eks(self) -> bool:
        return bool(self.profiles or self.regions)

    @property
    def _reads_contexts(self) -> bool:
        return bool(self.contexts or self.kubeconfig) or not self._lists_eks

    def entries(self) -> Entries | None:
        """Return the kubeconfig; None when there is none, and it is no source.

        Raise CliError when it cannot be read, or is a source and has no contexts.
        """
        files = kubeconfig_files(self.kubeconfig)
        try:
            found = read_entries(files)
        except CliError:
            if self._reads_contexts:
                raise
            return None  # a step that needs it reports that
        if self._reads_contexts and (found is None or not found.all):
            said = "has no contexts" if found else "does not exist"
            raise CliError(
                f"The kubeconfig {files} {said}.",
                remedy=(
                    "Name another one: --kubeconfig. To import the EKS clusters of your AWS"
                    " profiles: --from-profile or --in-region."
                ),
            )
        return found

    def find(
        self, profiles: Profiles, entries: Entries | None
    ) -> tuple[list[Candidate], list[Unseen]]:
        """Return all clusters, each once, and what of EKS's lists cannot be seen."""
        own: tuple[str | None, ...] = (None,)
        asked = tuple(dict.fromkeys(self.profiles)) or own
        regions = tuple(dict.fromkeys(self.regions))
        listed, unseen = profiles.listed(asked, regions) if self._lists_eks else ([], [])
        contexts = self._imported(entries)
        return candidates(listed, contexts, _described(profiles, contexts)), unseen

    def choose(
        self, named: Sequence[Named], *, required: Collection[str] = GLOB_OPTIONS
    ) -> list[Named]:
        """Return the clusters that are meant.

        Raise CliError for a glob of a `required` option that matches none.
        """
        chosen = list(named)
        if self.only:
            chosen = _matching(chosen, self.only, "--only", _is_called, required)
        if self.skip:
            left_out = _matching(chosen, self.skip, "--skip", _is_called, required)
            chosen = [one for one in chosen if one not in left_out]
        if self.stored:
            _matching(chosen, self.stored, "--stored", _is_called, required)
        return chosen

    def of_contexts(self, deployed: Deployed) -> list[Named]:
        """Return the chosen clusters that contexts lead to, without asking EKS about any of them.

        Raise CliError when --only names none of them, unless EKS's lists may hold it.
        """
        try:
            entries = self.entries()
        except CliError:
            if self.only:
                raise
            return []
        contexts = self._imported(entries, required=())
        found = candidates([], contexts, lambda context: Unseen(context.name, "", ""))
        required = () if self._lists_eks else ("--only",)
        return self.choose(name_all(found, deployed), required=required)

    def _imported(
        self, entries: Entries | None, *, required: Collection[str] = GLOB_OPTIONS
    ) -> list[ImportedContext]:
        """Return the contexts that are meant."""
        read = entries.all if entries and self._reads_contexts else ()
        contexts = [imported(entry) for entry in read]
        if not self.contexts:
            return contexts
        return _matching(
            contexts,
            self.contexts,
            "--context",
            lambda one, glob: matches(glob, one.name),
            required,
        )


def name_all(found: Sequence[Candidate], deployed: Deployed) -> list[Named]:
    """Return the clusters with their ids, in that order, and the documents that name them already.

    One whose document waits for the function's access goes on under that document's id.
    """
    configuration = deployed.validation.configuration
    there = [(one, named_already(one, configuration)) for one in found]
    taken = {name.id for name in deployed.snapshot.documents if name.folder == CLUSTERS}
    new = iter(with_ids([one for one, name in there if not name], taken))
    named: list[Named] = []
    for one, name in there:
        if not name:
            named.append((next(new), ""))
            continue
        folder, _, document_id = name.partition("/")
        stored = deployed.snapshot.documents.get(DocumentName(folder, document_id))
        waits = stored is not None and is_pending(stored.text)
        named.append((replace(one, id=document_id), "" if waits else name))
    return sorted(named, key=lambda item: item[0].id)


def _described(
    profiles: Profiles, contexts: Sequence[ImportedContext]
) -> Callable[[ImportedContext], FoundEks | Unseen]:
    """Describe the contexts' EKS clusters side by side; return how to look them up."""
    wanted = [context for context in contexts if context.eks is not None]
    found = side_by_side(profiles.of_context, wanted)
    by_name = {context.name: one for context, one in zip(wanted, found, strict=True)}
    return lambda context: by_name[context.name]


def _is_called(named: Named, glob: str) -> bool:
    return named[0].matches(glob)


def _matching[T](
    all_of_them: Sequence[T],
    globs: Sequence[str],
    option: str,
    match: Callable[[T, str], bool],
    required: Collection[str],
) -> list[T]:
    for glob in globs:
        if option in required and not any(match(one, glob) for one in all_of_them):
            raise CliError(
                f"{option} {glob} matches none of the clusters.",
                remedy="To see them all: --dry-run without it. Quote globs.",
            )
    return [one for one in all_of_them if any(match(one, glob) for glob in globs)]
