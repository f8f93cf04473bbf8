"""Whether infra/rbac as it is applied in a cluster is as new as this release wants it, found out without a right to read it.

Reading the ClusterRoles' labels would take `get` on them, which the function needs for nothing else. Instead each of them grants one more right, on
a thing that cannot exist (an API group without a dot can be neither a custom resource's nor an aggregated API's), so that it permits nothing. It is
named after the role and its version, and whether it is held a SelfSubjectAccessReview says, which everybody may ask.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from ecr_public_pusher.jobs.required_permissions import Need
from ecr_public_pusher.kubernetes_api.access_reviews import Right
from ecr_public_pusher.results import Check, Finding

# To be raised with each change of the rules in infra/rbac, whose roles grant the mark of every version up to it.
RBAC_VERSION = 1
MARK_GROUP, MARK_RESOURCE, MARK_VERB = "ecr-public-pusher", "rbac", "get"
# Two files grant the same, everywhere or namespace by namespace, and so bear one mark.
_MARKED = {"cluster.yaml": "push", "prune.yaml": "prune", "service-accounts.yaml": "service-accounts"}
_NAMESPACED = {"cluster.yaml": "namespaced.yaml"}


def mark(file: str, version: int) -> Right:
    """What the role in that file of infra/rbac grants since that version."""
    return Right(MARK_VERB, MARK_RESOURCE, f"{_MARKED[file]}-{version}", MARK_GROUP)


# Whether a right is held in a namespace ("": in all of them).
type Ask = Callable[[Right, str], Awaitable[bool]]


async def rbac_version(ask: Ask, needs: Sequence[Need], granted_in: Mapping[str, Sequence[str]], *, wanted: int = RBAC_VERSION) -> Finding | None:
    """What to say of the files that `needs` name; None where nothing of them is granted, which the permissions say already.

    `granted_in`: by file, namespaces where something of it is granted ("": in all of them). Raises as `ask` does.
    """
    applied: dict[str, int | None] = {}
    for file in dict.fromkeys(need.file for need in needs):
        if places := granted_in.get(file):
            shown, version = await _found(ask, file, places, wanted)
            applied[shown] = version
    if not applied:
        return None
    return _finding(applied, needs[0].kubectl, wanted)


async def _found(ask: Ask, file: str, places: Sequence[str], wanted: int) -> tuple[str, int | None]:
    """The file as it is applied, by the first of the places where a version is found: roles of somebody's own may grant the same beside it."""
    for namespace in places:
        if version := await _held(ask, file, namespace, wanted):
            return (_NAMESPACED.get(file, file) if namespace else file), version
    return (file if "" in places else _NAMESPACED.get(file, file)), None


async def _held(ask: Ask, file: str, namespace: str, wanted: int) -> int | None:
    for version in range(wanted, 0, -1):
        if await ask(mark(file, version), namespace):
            return version
    return None


def _finding(applied: Mapping[str, int | None], kubectl: str, wanted: int) -> Finding:
    older = {file: version for file, version in applied.items() if version is not None and version < wanted}
    unmarked = [file for file, version in applied.items() if version is None]
    if older:
        what = ", ".join(f"infra/rbac/{file} is of version {version}" for file, version in older.items())
        return Finding(Check.RBAC, False, f"{what}, and this release wants version {wanted}", _apply([*older, *unmarked], kubectl))
    if unmarked:
        what = f"rights without a version: {', '.join(unmarked)} from before release 1.0.0, or roles of your own"
        return Finding(Check.RBAC, True, f"{what} (infra/rbac is of version {wanted})", _apply(unmarked, kubectl))
    return Finding(Check.RBAC, True, f"infra/rbac of version {wanted}, as this release wants it")


def _apply(files: Sequence[str], kubectl: str) -> str:
    """Not the namespaced file as a whole: it binds its role in `default`, which may not be meant here."""
    whole = [file for file in files if file not in _NAMESPACED.values()]
    if not whole:
        return "Apply the ClusterRole of infra/rbac/namespaced.yaml; its RoleBindings may stay as they are."
    command = f"{kubectl} apply {' '.join(f'-f infra/rbac/{file}' for file in whole)}"
    return command if len(whole) == len(files) else f"`{command}`, and the ClusterRole of infra/rbac/namespaced.yaml."
