"""Asks a cluster what whoever is signed in may do there: what a configuration lacks, and what nobody should allow beyond it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ecr_public_pusher import reviews
from ecr_public_pusher.errors import DeadlineReached
from ecr_public_pusher.kube import Session
from ecr_public_pusher.lease import TOO_SLOW, Lease, side_by_side
from ecr_public_pusher.model import Check, Finding
from ecr_public_pusher.permissions import DANGEROUS, TELLING, Need, Right, told
from ecr_public_pusher.reviews import Verdict

QUESTIONS_AT_ONCE = 8
# Namespaces that are asked about one by one, where a right is not granted in all at once; the dry run tells of the others.
NAMESPACES_ASKED = 100
# Of names in a sentence.
SHOWN = 10

# What may be done in which namespace ("": in all of them).
type _Verdicts = dict[tuple[Right, str], Verdict]


@dataclass(frozen=True)
class Excess:
    """Dangerous rights: `what` they are and where, and the kind and name of the bindings that grant them, as far as RBAC says."""

    what: str
    bindings: tuple[tuple[str, str], ...]


class Inquiry:
    """One cluster's answers. `everywhere` is asked first, since what is granted in all namespaces need not be asked of each."""

    def __init__(self, session: Session, lease: Lease, needs: Sequence[Need]) -> None:
        self._session, self._lease, self._needs = session, lease, needs
        self._wide: _Verdicts = {}
        self._narrow: _Verdicts = {}
        self._names: list[str] = []
        self.probed = 0  # namespaces that were looked into for rights beyond

    def everywhere(self) -> None:
        """Asks what may be done in all namespaces. Raises as Connection.send does, and DeadlineReached."""
        rights = [*(right for need in self._needs for right in need.rights), *DANGEROUS]
        self._wide = self._verdicts((right, "") for right in rights)

    def in_each_of(self, namespaces: Sequence[str]) -> None:
        """Asks what is left of single namespaces, `kube-system` among them. Raises as `everywhere`."""
        self._names = list(namespaces[:NAMESPACES_ASKED])
        lacking = [right for need in self._needs if need.namespaced for right in need.rights if not self._wide[right, ""].allowed]
        probed = [] if self._dangerous() else list(dict.fromkeys(["kube-system", *self._names]))
        self.probed = len(probed)
        self._narrow = self._verdicts(
            (right, name) for rights, where in ((lacking, self._names), (TELLING, probed)) for right in rights for name in where
        )

    def permissions(self) -> list[Finding]:
        """One finding for each need."""
        return [self._permission(need) for need in self._needs]

    def excess(self) -> Excess | None:
        """What is allowed beyond every need, and dangerous."""
        if held := self._dangerous():
            return Excess(f"{told(held)}, in every namespace", _bindings(held.values()))
        inside = {question: verdict for question, verdict in self._narrow.items() if verdict.allowed and question[0] in TELLING}
        if not inside:
            return None
        where = list(dict.fromkeys(namespace for _, namespace in inside))
        what = told(dict.fromkeys(right for right, _ in inside))
        return Excess(f"{what}, whatever their names, in {some(where)}", _bindings(inside.values()))

    def _dangerous(self) -> dict[Right, Verdict]:
        return {right: verdict for (right, _), verdict in self._wide.items() if verdict.allowed and right in DANGEROUS}

    def _permission(self, need: Need) -> Finding:
        lacking = [right for right in need.rights if not self._wide[right, ""].allowed]
        if not lacking:
            return Finding(Check.PERMISSION, True, f"may {told(need.rights)}")
        if not need.namespaced or not self._names:
            return Finding(Check.PERMISSION, False, f"may not {told(lacking)}", need.remedy())
        refused = {right: [name for name in self._names if not self._narrow[right, name].allowed] for right in lacking}
        where = [name for name in self._names if any(name in those for those in refused.values())]
        if not where:
            return Finding(Check.PERMISSION, True, f"may {told(need.rights)}, in each of the {len(self._names)} namespaces asked about")
        missing = told(right for right in lacking if refused[right])
        if len(where) == len(self._names):
            return Finding(Check.PERMISSION, False, f"may not {missing}", need.remedy())
        return Finding(Check.PERMISSION, False, f"may not {missing} in {some(where)} (if it exists), but elsewhere", need.remedy(where))

    def _verdicts(self, questions: Iterable[tuple[Right, str]]) -> _Verdicts:
        """The cluster's answers, asked for side by side."""
        asked = list(dict.fromkeys(questions))
        answers: _Verdicts = {}
        for question, answer in side_by_side(
            asked, lambda one: reviews.may(self._session, one[0], namespace=one[1]), width=QUESTIONS_AT_ONCE, lease=self._lease
        ):
            if isinstance(answer, BaseException):
                raise answer
            answers[question] = answer
        if len(answers) < len(asked):
            raise DeadlineReached("no answer in time", remedy=TOO_SLOW)
        return {question: answers[question] for question in asked}


def some(names: Sequence[str]) -> str:
    """The first few of them, and how many more."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _bindings(verdicts: Iterable[Verdict]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(verdict.binding for verdict in verdicts if verdict.binding))
