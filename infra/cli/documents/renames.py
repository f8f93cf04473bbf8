"""Documents that a change of the folder renames: the same cluster's, under another id. Pure.

The product's own key decides: the cluster (for EKS its account, region and name, for others the
endpoint) and the Secret's name. A document adopts in place what another one of its stack has
written under that key, once that is disabled or gone.
"""

from collections.abc import Hashable, Iterator, Sequence

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Google, WebIdentity
from ecr_public_pusher.configuration.loader import Configuration, Discovery
from ecr_public_pusher.configuration.names import is_glob
from ecr_public_pusher.results import Namespace

from .changes import Change, Kind
from .document import CLUSTERS, DISCOVER, DocumentName
from .problem import Problem

type Settings = ClusterConfig | Discovery


class Both:
    """The configurations before and after a change."""

    def __init__(self, before: Configuration, after: Configuration) -> None:
        self._before = dict(_documents(before))
        stored = dict(_documents(after))
        self._stored_after = frozenset(stored)
        # A disabled document takes nothing over.
        self._after = {name: its for name, its in stored.items() if _config(its).enabled}

    @property
    def clusters(self) -> list[DocumentName]:
        """Return the clusters' documents that stay or are new, valid ones in order of name."""
        names = {*self._after, *(name for name in self._before if name in self._stored_after)}
        return sorted(name for name in names if name.folder == CLUSTERS)

    def cluster_before(self, name: DocumentName) -> ClusterConfig | None:
        """Return a stored cluster's settings; None unless it was valid and enabled."""
        its = self._before.get(name)
        return its if isinstance(its, ClusterConfig) and its.enabled else None

    def cluster_after(self, name: DocumentName) -> ClusterConfig | None:
        """Return a cluster's settings after the change; None unless it is valid and enabled."""
        its = self._after.get(name)
        return its if isinstance(its, ClusterConfig) else None

    def before(self, name: DocumentName) -> Settings | None:
        """Return a stored document's settings; None when it is invalid or not there."""
        return self._before.get(name)

    def after(self, name: DocumentName) -> Settings | None:
        """Return a document's settings after the change; None unless it is valid and enabled."""
        return self._after.get(name)

    def renamed(
        self, old: Sequence[DocumentName], new: Sequence[DocumentName]
    ) -> dict[DocumentName, DocumentName]:
        """Return the old name of each new document that has one.

        Of several old documents of a cluster, the one that selects the same namespaces comes first.
        """
        left = list(old)
        found: dict[DocumentName, DocumentName] = {}
        for name in new:
            its = self.after(name)
            if its is None:
                continue
            same = [one for one in left if (was := self.before(one)) and _key(was) == _key(its)]
            same.sort(key=lambda one: not covers(self.before(one), its))
            if same:
                found[name] = same[0]
                left.remove(same[0])
        return found

    def goes_over(self, name: DocumentName, written: Sequence[DocumentName]) -> bool:
        """Return whether one of the documents that are written means the same Secrets."""
        its = self.before(name)
        after = [found for one in written if (found := self.after(one))]
        return its is not None and any(_key(one) == _key(its) for one in after)


def with_renames(changes: Sequence[Change], both: Both) -> list[Change]:
    """Return the changes; of a document that is deleted and one that is added, a rename."""
    names = {kind: [one.name for one in changes if one.kind is kind] for kind in Kind}
    renamed = both.renamed(names[Kind.DELETED], names[Kind.ADDED])
    old = {change.name: change.before for change in changes}
    return [
        Change(change.name, old[renamed[change.name]], change.after)
        if change.name in renamed
        else change
        for change in changes
        if change.name not in renamed.values()
    ]


def covers(old: Settings | None, new: Settings | None) -> bool:
    """Return whether `new` certainly selects every namespace that `old` does."""
    if old is None or new is None:
        return False
    before = _config(old)
    after = _config(new)
    if before.selection == after.selection:
        return True
    by_name = not before.selection.selector and not any(map(is_glob, before.selection.include))
    return (
        by_name
        and not after.selection.selector
        and all(after.selection.selects(Namespace(name)) for name in before.selection.names)
    )


def rename_notes(changes: Sequence[Change], both: Both) -> Iterator[Problem]:
    """Yield notes on the needs of renames, and on changes that only look like a rename."""
    deleted = [change for change in changes if change.kind is Kind.DELETED and change.before]
    for change in changes:
        if change.after is None:
            continue
        found = both.after(change.name)
        where = str(change.after.path)
        if found is None:
            continue
        its = _config(found)
        if change.kind is Kind.RENAMED and has_audience(its):
            yield audience_note(where, its)
        for old in deleted if change.kind is Kind.ADDED else ():
            stored = both.before(old.name)
            if stored and old.before and old.before.text == change.after.text:
                was = _config(stored)
                yield Problem(
                    where,
                    f"names the cluster {its.cluster}, which {old.name} of the same text, now"
                    f" deleted, does not: that named {was.cluster}",
                    field="cluster",
                    remedy=f"If {old.name} is to be renamed, write `cluster: {was.cluster}` into"
                    " it.",
                )


def rename_by_prune_notes(
    changes: Sequence[Change], left: Sequence[DocumentName], both: Both
) -> Iterator[Problem]:
    """Yield a note on each new document that would be a rename with --prune."""
    added = {change.name: change.after for change in changes if change.kind is Kind.ADDED}
    for new, old in both.renamed(left, list(added)).items():
        file = added[new]
        yield Problem(
            str(file.path if file else new),
            f"means the cluster of {old}, which has no file and keeps its Secrets",
            remedy="--prune renames it, and removes nothing.",
        )


def has_audience(config: ClusterConfig) -> bool:
    """Return whether the document's id is part of its tokens' audience."""
    return isinstance(config.sign_in, (WebIdentity, Google))


def audience_note(where: str, config: ClusterConfig, *, new_id: str | None = None) -> Problem:
    """Return the note that somebody must accept another audience: the API server, or Google."""
    by_google = isinstance(config.sign_in, Google)
    who = "the workload identity provider" if by_google else "the API server"
    return Problem(
        where,
        f"its web identity tokens have the audience ecr-public-pusher:{new_id or config.id} once it"
        " is renamed",
        field="signIn",
        remedy=f"Let {who} accept that one too before this, or no push gets in.",
    )


def _documents(configuration: Configuration) -> Iterator[tuple[DocumentName, Settings]]:
    for config in configuration.clusters:
        yield DocumentName(CLUSTERS, config.id), config
    for discovery in configuration.discoveries:
        yield DocumentName(DISCOVER, discovery.id), discovery


def _config(settings: Settings) -> ClusterConfig:
    return settings.settings if isinstance(settings, Discovery) else settings


def _key(settings: Settings) -> Hashable:
    """Return the key of a cluster; of a discovery, what decides which clusters it finds."""
    if isinstance(settings, ClusterConfig):
        return settings.secrets
    found = settings.settings
    account = found.role_arn.split(":")[4] if found.role_arn else ""
    tags = frozenset(settings.tags.items())
    return DISCOVER, frozenset(settings.regions), tags, account, found.secret_name
