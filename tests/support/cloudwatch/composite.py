"""Composite alarms: a rule over other alarms' states, replayed over their transitions.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable, Mapping

from tests.support.cloudwatch.alarms import AlarmError
from tests.support.cloudwatch.evaluation import State
from tests.support.cloudwatch.simulation import Transition

type _States = Mapping[str, State]
type _Condition = Callable[[_States], bool]

_TOKEN = re.compile(r"""\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("[^"]+"|'[^']+'|[^\s()"']+)\s*\)|(AND|OR|NOT|TRUE|FALSE|[()]))""")


class Composite:
    """An AlarmRule of ALARM(), OK(), INSUFFICIENT_DATA(), TRUE, FALSE, AND, OR and NOT; NOT binds tightest, OR least."""

    def __init__(self, rule: str) -> None:
        self.names: set[str] = set()
        self._rule = rule
        self._tokens = self._read(rule.rstrip())
        self._holds = self._any()
        if self._tokens:
            raise AlarmError(f"{rule}: more than one rule")

    def replay(self, histories: Mapping[str, list[Transition]], start: int) -> list[Transition]:
        """Its own transitions, from those of the alarms it names. It is evaluated as soon as it is created, and whenever one of them changes."""
        states = dict.fromkeys(self.names, State.INSUFFICIENT_DATA)
        changes = [(change.time, name, change.state) for name in self.names for change in histories[name]]
        state, transitions = State.INSUFFICIENT_DATA, []
        for moment in sorted({start, *(time for time, _, _ in changes if time > start)}):
            states.update({name: to for time, name, to in sorted(changes, key=lambda change: change[0]) if time <= moment})
            now = State.ALARM if self._holds(states) else State.OK
            if now != state:
                transitions.append(Transition(moment, state, now))
            state = now
        return transitions

    def _read(self, text: str) -> list[str | tuple[State, str]]:
        tokens: list[str | tuple[State, str]] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if not match:
                raise AlarmError(f"{text}: {text[place:]!r} is not understood")
            state, name, word = match.groups()
            tokens.append(word or (State(state), name.strip("\"'")))
            place = match.end()
        return tokens

    def _any(self) -> _Condition:
        conditions = self._joined("OR", self._every)
        return lambda states: any(holds(states) for holds in conditions)

    def _every(self) -> _Condition:
        conditions = self._joined("AND", self._one)
        return lambda states: all(holds(states) for holds in conditions)

    def _joined(self, word: str, read: Callable[[], _Condition]) -> list[_Condition]:
        conditions = [read()]
        while self._tokens[:1] == [word]:
            self._tokens.pop(0)
            conditions.append(read())
        return conditions

    def _one(self) -> _Condition:
        match self._tokens.pop(0) if self._tokens else None:
            case (state, name):
                self.names.add(name)
                return lambda states: states[name] == state
            case "NOT":
                denied = self._one()
                return lambda states: not denied(states)
            case "TRUE" | "FALSE" as word:
                return lambda states: word == "TRUE"
            case "(":
                inner = self._any()
                if self._tokens[:1] == [")"]:
                    self._tokens.pop(0)
                    return inner
        raise AlarmError(f"{self._rule}: a condition is missing")
