"""Detection of which version of infra/rbac is applied, without a right to read it.

Reading the ClusterRoles' labels would take `get` on them, which the function needs for nothing
else. Instead each of them grants one more right, on a thing that cannot exist (an API group without
a dot can be neither a custom resource's nor an aggregated API's), so that it permits nothing. The
right is named after the role and its version, and a SelfSubjectAccessReview, which everybody may
create, says whether it is held.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from ecr_public_pusher.jobs.required_permissions import Need
from ecr_public_pusher.kubernetes_api.access_reviews import Right
from ecr_public_pusher.ownership import PRODUCT
from ecr_public_pusher.results import Check, Finding

# Raise it with each change of the rules in infra/rbac, whose roles grant the mark of every version
# up to it.
RBAC_VERSION = 2
MARK_GROUP = "ecr-public-pusher"
MARK_RESOURCE = "rbac"
MARK_VERB = "get"
# The two files for the namespaces' Secrets grant the same rights, and share one mark.
_MARKED = {
    "cluster.yaml": "push",
    "prune.yaml": "prune",
    "service-accounts.yaml": "service-accounts",
    "argocd.yaml": "argocd",
}
_NAMESPACED = {"cluster.yaml": "namespaced.yaml"}


def mark(file: str, version: int) -> Right:
    """Return the right that the role in that file of infra/rbac grants since `version`."""
    return Right(MARK_VERB, MARK_RESOURCE, f"{_MARKED[file]}-{version}", MARK_GROUP)


# Asks whether a right is held in a namespace ("": in all of them).
type Ask = Callable[[Right, str], Awaitable[bool]]


@dataclass(frozen=True)
class _Applied:
    """A file of infra/rbac as it is applied.

    `version`: None for rights without one. `everywhere`: bound in all namespaces, not in single
    ones.
    """

    file: str
    version: int | None
    everywhere: bool


async def rbac_version(
    ask: Ask,
    needs: Sequence[Need],
    granted_in: Mapping[str, Sequence[str]],
    *,
    document: str,
    wanted: int = RBAC_VERSION,
) -> Finding | None:
    """Return the finding on the files that `needs` name; None if nothing of them is granted.

    The permission findings report the latter. `granted_in`: by file, the namespaces where part of
    it is granted (`""`: in all of them). `document`: the id of the cluster's. Raise as `ask` does.
    """
    files = dict.fromkeys(need.file for need in needs if granted_in.get(need.file))
    applied = [await _applied(ask, file, granted_in[file], wanted) for file in files]
    commands = _Commands(needs[0].kubectl, document)
    return _finding(applied, commands, wanted) if applied else None


async def _applied(ask: Ask, file: str, places: Sequence[str], wanted: int) -> _Applied:
    """Return the file's version in the first of `places` where one is found.

    A user's own roles may grant the same rights beside it.
    """
    for namespace in places:
        for version in range(wanted, 0, -1):
            if await ask(mark(file, version), namespace):
                return _named(file, version, everywhere=not namespace)
    return _named(file, None, everywhere="" in places)


def _named(file: str, version: int | None, *, everywhere: bool) -> _Applied:
    return _Applied(file if everywhere else _NAMESPACED.get(file, file), version, everywhere)


def _finding(applied: Sequence[_Applied], commands: "_Commands", wanted: int) -> Finding:
    older = [one for one in applied if one.version is not None and one.version < wanted]
    unmarked = [one for one in applied if one.version is None]
    if older:
        what = ", ".join(
            f"infra/rbac/{one.file} is applied in version {one.version}" for one in older
        )
        return Finding(
            Check.RBAC,
            False,
            f"{what}, and this release needs version {wanted}",
            commands.apply([*older, *unmarked]),
        )
    if unmarked:
        what = (
            f"rights without a version: {', '.join(one.file for one in unmarked)} from before"
            " release 1.0.0, or roles of your own"
        )
        return Finding(
            Check.RBAC,
            True,
            f"{what} (this release has infra/rbac of version {wanted})",
            commands.apply(unmarked),
        )
    return Finding(
        Check.RBAC, True, f"infra/rbac is applied in version {wanted}, as this release needs"
    )


# Its Role is in one namespace, with the document's own names.
_ARGO_CD = "argocd.yaml"


@dataclass(frozen=True)
class _Commands:
    """The commands for one cluster. `kubectl`: the beginning of one; `document`: its id."""

    kubectl: str
    document: str

    def apply(self, applied: Sequence[_Applied]) -> str:
        """Return the command that applies the files.

        A file whose role is bound in single namespaces is not applied whole: that would bind it in
        others. Argo CD's is never applied as it is.
        """
        if any(one.file == _ARGO_CD for one in applied):
            others = [one for one in applied if one.file != _ARGO_CD]
            before = f"{self.apply(others).removesuffix('.')}; " if others else ""
            return f"{before}{self._own_names}"
        whole = " ".join(f"-f infra/rbac/{one.file}" for one in applied if one.everywhere)
        roles = " and ".join(f"infra/rbac/{one.file}" for one in applied if not one.everywhere)
        if not roles:
            return f"{self.kubectl} apply {whole}"
        role = (
            f"the ClusterRole of {roles} without its binding: those in single namespaces stay as"
            " they are."
        )
        if not whole:
            return f"Apply {role}"
        return f"`{self.kubectl} apply {whole}`, then apply {role}"

    @property
    def _own_names(self) -> str:
        # The id of a discovered cluster: <discovery>/<region>/<name>.
        name, slash, _ = self.document.partition("/")
        command = f"{PRODUCT} {'discover' if slash else 'clusters'} add {name} --print-rbac"
        return (
            f"apply infra/rbac/{_ARGO_CD} with the document's names and namespace, which"
            f" `{command}` prints."
        )
