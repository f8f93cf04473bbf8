"""The invocation's time, and work side by side within it."""

import threading

import pytest

from ecr_public_pusher.errors import Crash, DeadlineReached, LeaseEnded
from ecr_public_pusher.lease import Clock, Lease, side_by_side, within


class FakeClock:
    """A wall clock that a test moves, as a freeze does."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, monotonic=lambda: self.now)


@pytest.mark.parametrize(("remaining", "lease"), [(300.0, 295.0), (25.0, 20.0), (10.0, 8.0), (1.0, 0.8)])
def test_a_lease_leaves_time_to_report(remaining: float, lease: float) -> None:
    assert Lease.of_invocation(remaining, FakeClock().clock()).remaining == pytest.approx(lease)


def test_a_lease_is_over_by_the_wall_clock_alone() -> None:
    fake = FakeClock()
    lease = Lease.of_invocation(60, fake.clock())
    lease.check()
    fake.now += 3600
    assert lease.over
    with pytest.raises(LeaseEnded):
        lease.check()


def test_a_lease_that_was_ended_stays_so() -> None:
    lease = Lease.of_invocation(60)
    lease.end()
    with pytest.raises(LeaseEnded):
        lease.check()


def test_every_item_has_its_result_or_its_exception() -> None:
    results = dict(side_by_side([1, 2, 0], lambda item: 6 // item, width=2, lease=Lease.of_invocation(60)))
    assert (results[1], results[2]) == (6, 3)
    assert isinstance(results[0], ZeroDivisionError)


def test_items_run_side_by_side() -> None:
    together = threading.Barrier(3)
    assert len(list(side_by_side([1, 2, 3], lambda _: together.wait(10), width=3, lease=Lease.of_invocation(60)))) == 3


def test_what_hangs_is_left_behind_at_the_deadline() -> None:
    never = threading.Event()
    lease = Lease.of_invocation(0.5)
    finished = [item for item, _ in side_by_side([1, 2], lambda item: item == 1 or never.wait(30), width=2, lease=lease)]
    assert finished == [1]


def test_nothing_is_begun_after_the_lease_is_over() -> None:
    lease = Lease.of_invocation(60)
    lease.end()
    begun: list[int] = []
    assert list(side_by_side([1, 2], begun.append, width=1, lease=lease)) == []
    assert begun == []


def test_within_gives_the_answer_raises_the_error_or_names_what_hung() -> None:
    lease = Lease.of_invocation(60)
    assert within(lease, lambda: 7, what="asking") == 7
    with pytest.raises(ZeroDivisionError):
        within(lease, lambda: 1 // 0, what="asking")
    with pytest.raises(DeadlineReached, match="while asking"):
        within(Lease.of_invocation(0.3), lambda: threading.Event().wait(30), what="asking")


def test_a_crash_is_told_by_type_and_place_and_never_by_its_text() -> None:
    try:
        raise ValueError("k8s-aws-v1.something-secret")
    except ValueError as error:
        crash = Crash.from_exception(error)
    assert "ValueError at test_lease.py:" in crash.message
    assert "something-secret" not in f"{crash.message} {crash.remedy} {crash!r}"
