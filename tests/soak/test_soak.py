"""A warm function does not grow: the short form of `make soak`."""

from tests.soak.measure import Held, soak, verdicts
from tests.soak.world import soaking

INVOCATIONS = 40


def test_a_warm_function_holds_no_more_after_forty_invocations_than_after_ten() -> None:
    with soaking() as (function, clusters):
        held = soak(function, clusters, INVOCATIONS)
    assert [what for reached, what in verdicts(held) if not reached] == []


def test_growth_is_noticed() -> None:
    steady = [Held(number, 80.0, 3, 20) for number in range(1, 41)]
    assert all(reached for reached, _ in verdicts(steady))
    grown = [*steady[:-1], Held(40, 88.5, 4, 21)]
    assert not any(reached for reached, _ in verdicts(grown))
