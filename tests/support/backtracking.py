r"""The worst backtracking of a regular expression: in steps over all texts, not in seconds.

A backtracking matcher tries one way through the pattern after the other. How many ways are open
after a text is how often its last character is looked at. So the ways are counted, for each place
in the pattern (Glushkov's automaton, with multiplicities), and every combination of counts that
some text comes to is visited. Where all are small, matching takes linear time. Where they grow with
the text (`\s*x?\s*y`: by one with each blank; `(a|a)*`: twofold with each letter), it takes
quadratic time and more.

Errs on the strict side: what a lookaround rules out is followed all the same, and an atomic group
is taken for a plain one.
"""

import heapq
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # typeshed hides them
from typing import Any

# More ways than this are never needed: a linear pattern has a constant maximum.
MOST_WAYS = 64
# A counted repeat is unrolled at most this often; ways that multiply in it have done so by then.
UNROLLED = 9
MOST_COMBINATIONS = 50_000

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_CHARACTERS = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN)
_BEGIN = (_constants.AT_BEGINNING, _constants.AT_BEGINNING_STRING)
_END = (_constants.AT_END, _constants.AT_END_STRING)
_ALPHABET = [*map(chr, range(128)), "\u00a0", "\u00e9", "\u0663", "\u2028", "\U0001f600"]
# Where a way is that has not begun yet: before the text, or in it, when the pattern is searched
# for.
_BEFORE = -1
_SEARCHING = -2

type Ways = Counter[int]
type Combination = frozenset[tuple[int, int]]


class NotJudged(Exception):
    """The pattern has what is not known here, or too many combinations: write it more plainly."""


@dataclass(frozen=True)
class Worst:
    """The most ways that are open at once, and a text after which they are."""

    ways: int
    text: str


@dataclass(frozen=True)
class _Part:
    """The places that a part begins and ends with, and in how many ways it matches nothing.

    `only_first` and `only_empty`: the same where nothing was matched before (`^`).
    """

    first: Ways = field(default_factory=Counter)
    last: Ways = field(default_factory=Counter)
    empty: int = 0
    only_first: Ways = field(default_factory=Counter)
    only_empty: int = 0


_NOTHING = _Part(empty=1)
_NEVER = _Part()
_AT_BEGIN = _Part(only_empty=1)


def worst(pattern: str, flags: int = 0, *, searched: bool) -> Worst:
    """Return the most ways over all texts, or the first found that are more than MOST_WAYS.

    `searched`: anywhere in a text, not from its begin. Raises NotJudged.
    """
    automaton = _Automaton(pattern, flags, searched=searched)
    found = Worst(1, "")
    begin: Combination = frozenset({(_BEFORE, 1)})
    visited = {begin}
    waiting = [(-1, "", begin)]
    while waiting:  # those with most ways first, so that growth shows soon
        ways, text, combination = heapq.heappop(waiting)
        if -ways > found.ways:
            found = Worst(-ways, text)
        if found.ways > MOST_WAYS:
            return found
        for character in automaton.alphabet:
            after = automaton.step(combination, character)
            if after not in visited:
                visited.add(after)
                total = sum(count for _, count in after)
                heapq.heappush(waiting, (-total, text + character, after))
        if len(visited) > MOST_COMBINATIONS:
            raise NotJudged(f"more than {MOST_COMBINATIONS} combinations of ways")
    return found


class _Automaton:
    """A pattern's places, and in how many ways one follows another."""

    def __init__(self, pattern: str, flags: int, *, searched: bool) -> None:
        parsed = _parser.parse(pattern, flags)
        self._multiline = bool(parsed.state.flags & re.MULTILINE)
        self._searched = searched
        self._nodes: list[Any] = []
        self._follow: dict[int, Ways] = {}
        whole = self._sequence(parsed)
        self._follow |= {_BEFORE: whole.first + whole.only_first, _SEARCHING: whole.first}
        self._forms = [repr(node) for node in self._nodes]
        forms = dict(zip(self._forms, self._nodes, strict=True))
        takes = {form: _form(parsed.state, node) for form, node in forms.items()}
        # One character for all that the pattern does not tell apart, and the forms that take it.
        self.alphabet: dict[str, frozenset[str]] = {}
        for character in dict.fromkeys([*_ALPHABET, *_edges(self._nodes)]):
            taken = frozenset(form for form, take in takes.items() if take.fullmatch(character))
            if taken not in self.alphabet.values():
                self.alphabet[character] = taken

    def step(self, combination: Combination, character: str) -> Combination:
        """Return the ways that are open after one more character."""
        after: Ways = Counter()
        taken = self.alphabet[character]
        for place, ways in combination:
            for following, times in self._follow[place].items():
                if self._forms[following] in taken:
                    after[following] += ways * times
            if self._searched and place in (_BEFORE, _SEARCHING):
                after[_SEARCHING] = 1
        return frozenset(after.items())

    def _sequence(self, nodes: Any) -> _Part:
        made = _NOTHING
        for kind, value in nodes:
            made = self._then(made, self._part(kind, value))
        return made

    def _part(self, kind: Any, value: Any) -> _Part:
        if kind in _CHARACTERS:
            return self._place((kind, value))
        if kind is _constants.BRANCH:
            return _either(*(self._sequence(branch) for branch in value[1]))
        if kind is _constants.SUBPATTERN and not value[1] and not value[2]:
            return self._sequence(value[3])
        if kind is _constants.ATOMIC_GROUP:
            return self._sequence(value)
        if kind in _REPEATS:
            return self._repeated(*value)
        if kind in (_constants.ASSERT, _constants.ASSERT_NOT):
            # What looks back has a fixed width.
            ahead = self._sequence(value[1]) if value[0] > 0 else _NEVER
            return _Part(ahead.first, empty=1, only_first=ahead.only_first)
        if kind is _constants.AT:
            if self._multiline or value not in (*_BEGIN, *_END):
                return _NOTHING
            # Behind the end nothing is matched any more.
            return _AT_BEGIN if value in _BEGIN else _NEVER
        raise NotJudged(str(kind))

    def _place(self, node: Any) -> _Part:
        place = len(self._nodes)
        self._nodes.append(node)
        self._follow[place] = Counter()
        return _Part(Counter([place]), Counter([place]))

    def _repeated(self, least: int, most: Any, nodes: Any) -> _Part:
        made = _NOTHING
        if most is _constants.MAXREPEAT:
            body = self._sequence(nodes)
            self._link(body.last, body.first)
            made = _either(body, _NOTHING)
        else:
            for _ in range(min(most - least, UNROLLED)):
                made = _either(self._then(self._sequence(nodes), made), _NOTHING)
        for _ in range(min(least, UNROLLED)):
            made = self._then(self._sequence(nodes), made)
        return made

    def _then(self, left: _Part, right: _Part) -> _Part:
        self._link(left.last, right.first)
        only_first = _times(left.empty + left.only_empty, right.only_first)
        return _Part(
            left.first + _times(left.empty, right.first),
            right.last + _times(right.empty, left.last),
            left.empty * right.empty,
            left.only_first + only_first + _times(left.only_empty, right.first),
            left.empty * right.only_empty + left.only_empty * (right.empty + right.only_empty),
        )

    def _link(self, left: Ways, right: Ways) -> None:
        for place, ways in left.items():
            self._follow[place] += _times(ways, right)


def _form(state: Any, node: Any) -> re.Pattern[str]:
    """Return a pattern of the one node, as sre understands it."""
    made: re.Pattern[str] = _compiler.compile(_parser.SubPattern(state, [node]))
    return made


def _edges(nodes: list[Any]) -> Iterator[str]:
    """Yield the characters at which what the nodes take may change."""
    for kind, value in nodes:
        for inner, item in value if kind is _constants.IN else [(kind, value)]:
            codes = item if inner is _constants.RANGE else filter(None, [item])
            yield from (chr(code + by) for code in codes for by in (-1, 0, 1) if code + by >= 0)


def _either(*parts: _Part) -> _Part:
    return _Part(
        sum((part.first for part in parts), Counter[int]()),
        sum((part.last for part in parts), Counter[int]()),
        sum(part.empty for part in parts),
        sum((part.only_first for part in parts), Counter[int]()),
        sum(part.only_empty for part in parts),
    )


def _times(ways: int, places: Ways) -> Ways:
    return Counter({place: ways * count for place, count in places.items() if ways})
