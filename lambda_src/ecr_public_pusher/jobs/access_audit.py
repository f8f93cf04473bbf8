"""Audit of what the signed-in identity may do in a cluster.

It finds the rights that a configuration lacks, and dangerous ones beyond what it needs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.rbac_subject import Subject
from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.jobs.required_permissions import DANGEROUS, REVEALING, Need, describe
from ecr_public_pusher.kubernetes_api.access_reviews import AccessReviewResult, Right, can_i
from ecr_public_pusher.kubernetes_api.client import Client
from ecr_public_pusher.results import Check, Finding

QUESTIONS_AT_ONCE = 8
# Namespaces reviewed one by one where a right is not granted in all. The dry run shows the others.
NAMESPACES_ASKED = 100
# Most names listed in one sentence.
SHOWN = 10

# By right and namespace ("": all namespaces).
type _Results = dict[tuple[Right, str], AccessReviewResult]


@dataclass(frozen=True)
class Excess:
    """Dangerous rights beyond what a push needs.

    `what`: the rights, and where they are granted. `bindings`: kind and name of each binding that
    grants them, if RBAC names it.
    """

    what: str
    bindings: tuple[tuple[str, str], ...]


class AccessAudit:
    """The access reviews of one cluster.

    `everywhere` comes first: a right that is granted in all namespaces is not reviewed in each.
    """

    def __init__(self, client: Client, needs: Sequence[Need]) -> None:
        self._client = client
        self._needs = needs
        self._wide: _Results = {}
        self._narrow: _Results = {}
        self._names: list[str] = []
        self.probed = 0  # namespaces checked for access to other Secrets

    async def everywhere(self) -> None:
        """Review the rights in all namespaces at once. Raise as Client.send does."""
        rights = [*(right for need in self._needs for right in need.rights), *DANGEROUS]
        self._wide = await self._ask((right, "") for right in rights)

    async def in_each_of(self, namespaces: Sequence[str]) -> None:
        """Review, in single namespaces, the rights that are not granted in all.

        Unless a dangerous right is held everywhere, these and `kube-system` are also probed for
        access to other Secrets. Raise as `everywhere` does.
        """
        self._names = list(namespaces[:NAMESPACES_ASKED])
        lacking = [
            (right, name)
            for need in self._needs
            if need.namespaced
            for right in need.rights
            if not self._wide[right, ""].allowed
            for name in self._places(need)
        ]
        within = [need.within for need in self._needs if need.within]
        every = dict.fromkeys(["kube-system", *within, *self._names])
        probed = [] if self._dangerous() else list(every)
        self.probed = len(probed)
        self._narrow = await self._ask(
            [*lacking, *((right, name) for right in REVEALING for name in probed)]
        )

    def _places(self, need: Need) -> Sequence[str]:
        """Return the namespaces where the need may be granted, if not in all."""
        return (need.within,) if need.within else self._names

    async def may(self, right: Right, namespace: str) -> bool:
        """Return whether `right` is allowed in the namespace. Raise as `everywhere` does."""
        return (await can_i(self._client, right, namespace=namespace)).allowed

    def name_subject(self, subject: Subject) -> None:
        """Let the remedies bind the rights to `subject`."""
        self._needs = [replace(need, subject=subject) for need in self._needs]

    def permissions(self) -> list[Finding]:
        """Return one finding for each need."""
        return [self._permission(need) for need in self._needs]

    def granted_in(self) -> dict[str, list[str]]:
        """Return, for each file of infra/rbac, the namespaces where part of it is granted.

        `""` stands for all namespaces. Of single ones, only the first reviewed is given.
        """
        found: dict[str, list[str]] = {}
        for need in self._needs:
            wide = any(self._wide[right, ""].allowed for right in need.rights)
            single = next(
                (
                    name
                    for (right, name), result in self._narrow.items()
                    if result.allowed and right in need.rights
                ),
                None,
            )
            places = [*([""] if wide else []), *([single] if single else [])]
            found[need.file] = list(dict.fromkeys(found.get(need.file, []) + places))
        return found

    def excess(self) -> Excess | None:
        """Return the dangerous rights granted beyond every need; None if there are none."""
        if held := self._dangerous():
            return Excess(f"{describe(held)}, in every namespace", _bindings(held.values()))
        inside = {
            question: result
            for question, result in self._narrow.items()
            if result.allowed and question[0] in REVEALING
        }
        if not inside:
            return None
        where = list(dict.fromkeys(namespace for _, namespace in inside))
        what = describe(dict.fromkeys(right for right, _ in inside))
        return Excess(f"{what} of any name, in {some(where)}", _bindings(inside.values()))

    def _dangerous(self) -> dict[Right, AccessReviewResult]:
        return {
            right: result
            for (right, _), result in self._wide.items()
            if result.allowed and right in DANGEROUS
        }

    def _permission(self, need: Need) -> Finding:
        lacking = [right for right in need.rights if not self._wide[right, ""].allowed]
        if not lacking:
            return Finding(Check.PERMISSION, True, f"may {describe(need.rights)}")
        names = self._places(need)
        if not need.namespaced or not names:
            return self._lacking(need, describe(lacking))
        refused = {
            right: [name for name in names if not self._narrow[right, name].allowed]
            for right in lacking
        }
        where = [name for name in names if any(name in those for those in refused.values())]
        if need.within:
            missing = describe(right for right in lacking if refused[right])
            if where:
                return self._lacking(need, f"{missing} in {need.within}")
            what = f"may {describe(need.rights)} in {need.within}"
            return Finding(Check.PERMISSION, True, what)
        if not where:
            lost = f": {need.elsewhere}" if need.elsewhere else ""
            return Finding(
                Check.PERMISSION,
                True,
                f"may {describe(need.rights)}, in each of the {len(self._names)} namespaces asked"
                f" about{lost}",
            )
        missing = describe(right for right in lacking if refused[right])
        if len(where) == len(self._names):
            return self._lacking(need, missing, self._granted_by_namespace(need))
        what = f"{missing} in {some(where)} (if it exists), but may elsewhere"
        return self._lacking(need, what, where)

    def _lacking(self, need: Need, what: str, where: Sequence[str] = ()) -> Finding:
        """Return the finding on rights that are missing, with the command that grants them."""
        lost = f": {need.without}" if need.without else ""
        return Finding(
            Check.PERMISSION, bool(need.without), f"may not {what}{lost}", need.remedy(where)
        )

    def _granted_by_namespace(self, need: Need) -> Sequence[str]:
        """Return the namespaces asked about, if the file's rights are granted one by one.

        Return none if they are granted in all namespaces.
        """
        places = self.granted_in()[need.file]
        return self._names if need.without and places and "" not in places else ()

    async def _ask(self, questions: Iterable[tuple[Right, str]]) -> _Results:
        """Return the cluster's answers, requested concurrently. Raise as Client.send does."""
        asked = list(dict.fromkeys(questions))
        answers: _Results = {}
        failures: list[PusherError] = []

        async def ask(question: tuple[Right, str]) -> None:
            if failures:
                return
            try:
                answers[question] = await can_i(self._client, question[0], namespace=question[1])
            except PusherError as error:
                failures.append(error)

        await run_concurrently(asked, ask, width=QUESTIONS_AT_ONCE)
        if failures:
            raise failures[0]
        return {question: answers[question] for question in asked}


def some(names: Sequence[str]) -> str:
    """Return the first SHOWN names, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (
        f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    )


def _bindings(results: Iterable[AccessReviewResult]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(result.binding for result in results if result.binding))
