"""The invocation's time."""

import asyncio

import pytest

from ecr_public_pusher.deadline import Clock, Deadline
from ecr_public_pusher.errors import DeadlineReached, InternalError


class FakeClock:
    """A wall clock that a test moves, as a freeze does."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, monotonic=lambda: self.now)


@pytest.mark.parametrize(
    ("remaining", "left"), [(300.0, 295.0), (25.0, 20.0), (10.0, 8.0), (1.0, 0.8)]
)
def test_a_deadline_leaves_time_to_report(remaining: float, left: float) -> None:
    assert Deadline.of_invocation(remaining, FakeClock().clock()).remaining == pytest.approx(left)


def test_a_deadline_can_pass_by_only_the_wall_clock() -> None:
    fake = FakeClock()
    deadline = Deadline.of_invocation(60, fake.clock())
    deadline.check()
    fake.now += 3600
    assert deadline.passed
    with pytest.raises(DeadlineReached):
        deadline.check()


def test_waiting_gives_the_result_raises_the_error_or_names_what_hung() -> None:
    async def answer() -> int:
        return 7

    async def fail(error: Exception) -> None:
        raise error

    async def wait() -> None:
        deadline = Deadline.of_invocation(60)
        assert await deadline.wait_for(answer(), what="asking") == 7
        with pytest.raises(ZeroDivisionError):
            await deadline.wait_for(fail(ZeroDivisionError()), what="asking")
        with pytest.raises(TimeoutError):  # its own, not the deadline's
            await deadline.wait_for(fail(TimeoutError()), what="asking")
        with pytest.raises(DeadlineReached, match="while asking"):
            await Deadline.of_invocation(0.05).wait_for(asyncio.sleep(30), what="asking")

    asyncio.run(wait())


def test_an_internal_error_has_type_and_place_and_never_the_text() -> None:
    try:
        raise ValueError("k8s-aws-v1.something-secret")
    except ValueError as error:
        reduced = InternalError.from_exception(error)
    assert "ValueError at test_deadline.py:" in reduced.message
    assert "something-secret" not in f"{reduced.message} {reduced.remedy} {reduced!r}"
