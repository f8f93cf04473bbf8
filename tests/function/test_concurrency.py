"""Concurrent work on one loop: bounded, and never delayed by what hangs."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from ecr_public_pusher.blocking_calls import (
    MOST_THREADS,
    MOST_THREADS_OF_ONE,
    THREADS,
    BlockingCalls,
)
from ecr_public_pusher.concurrency import OncePerKey, run_concurrently


def most_at_once(
    items: int,
    *,
    width: int,
    most: int | None = None,
    stalled_after: float = 60.0,
    seconds: float = 0.0,
) -> int:
    """Return how many ran at the same time."""
    running = peak = 0

    async def work(_: int) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(seconds)
        running -= 1

    asyncio.run(
        run_concurrently(range(items), work, width=width, most=most, stalled_after=stalled_after)
    )
    return peak


@pytest.mark.parametrize(("items", "width", "peak"), [(10, 3, 3), (2, 3, 2), (0, 3, 0)])
def test_so_many_run_at_once(items: int, width: int, peak: int) -> None:
    assert most_at_once(items, width=width) == peak


def test_every_item_is_worked_on_once_and_in_order() -> None:
    seen: list[int] = []

    async def work(item: int) -> None:
        seen.append(item)

    asyncio.run(run_concurrently(range(20), work, width=4))
    assert seen == list(range(20))


def test_what_hangs_gives_its_place_to_another() -> None:
    released = asyncio.Event()
    seen: list[int] = []

    async def work(item: int) -> None:
        seen.append(item)
        if item < 2:
            await released.wait()
        elif item == 9:
            released.set()

    asyncio.run(run_concurrently(range(10), work, width=1, most=3, stalled_after=0.01))
    assert seen == list(range(10))


def test_never_more_than_the_most_however_many_hang() -> None:
    assert most_at_once(12, width=2, most=4, stalled_after=0.01, seconds=0.05) == 4


@pytest.mark.alone
def test_after_a_stall_the_width_holds_again() -> None:
    running: list[int] = []
    later: list[int] = []

    async def work(item: int) -> None:
        running.append(item)
        await asyncio.sleep(0.05 if item == 0 else 0.005)
        if item > 30:
            later.append(len(running))
        running.remove(item)

    asyncio.run(run_concurrently(range(60), work, width=2, most=8, stalled_after=0.02))
    assert max(later) <= 2


@pytest.mark.parametrize("fails", [False, True])
def test_while_it_is_cancelled_nobody_takes_the_place_of_what_hangs(fails: bool) -> None:
    """The second item's cleanup takes longer than a stall: the group takes no worker any more."""
    problems: list[str] = []

    async def work(item: int) -> None:
        if item == 0:
            await asyncio.sleep(0.02)
            if fails:
                raise ValueError
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)

    async def cut_off() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, problem: problems.append(str(problem.get("exception")))
        )
        with contextlib.suppress(TimeoutError, ExceptionGroup):
            async with asyncio.timeout(0.03):
                await run_concurrently(range(9), work, width=2, most=6, stalled_after=0.04)

    asyncio.run(cut_off())
    assert problems == []


def test_who_asks_later_gets_the_same_answer_or_the_same_failure() -> None:
    asked: list[str] = []

    def asking(answer: str | Exception) -> Callable[[], Awaitable[str]]:
        async def ask() -> str:
            asked.append(str(answer))
            await asyncio.sleep(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    async def both() -> None:
        once: OncePerKey[str, str] = OncePerKey()
        assert await asyncio.gather(*(once.get("a", asking("x")) for _ in range(3))) == ["x"] * 3
        failures = await asyncio.gather(
            *(once.get("b", asking(ValueError("y"))) for _ in range(3)), return_exceptions=True
        )
        assert [type(failure) for failure in failures] == [ValueError] * 3

    asyncio.run(both())
    assert asked == ["x", "y"]


def test_a_blocking_call_that_hangs_is_left_behind() -> None:
    never = threading.Event()

    async def hang() -> None:
        async with BlockingCalls() as blocking:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await blocking.run(lambda: never.wait(30))

    began = time.monotonic()
    asyncio.run(hang())
    assert time.monotonic() - began < 10
    never.set()


def test_calls_that_hang_do_not_hold_up_the_others() -> None:
    never = threading.Event()

    async def calls() -> int:
        async with BlockingCalls() as blocking:
            hung = [
                asyncio.create_task(blocking.run(lambda: never.wait(30))) for _ in range(THREADS)
            ]
            await asyncio.sleep(0)
            answer = await blocking.run(lambda: 7)
            for task in hung:
                task.cancel()
            return answer

    assert asyncio.run(calls()) == 7
    never.set()


def test_a_service_that_hangs_for_very_many_leaves_threads_to_the_others() -> None:
    never = threading.Event()

    async def calls() -> list[int]:
        async with BlockingCalls() as blocking:
            hung = [
                asyncio.create_task(blocking.run(lambda: never.wait(30), service="sts"))
                for _ in range(2 * MOST_THREADS)
            ]
            await asyncio.sleep(0)
            async with asyncio.timeout(10):
                answers = [
                    await blocking.run(lambda: 7, service=service) for service in ("eks", None)
                ]
            for task in hung:
                task.cancel()
            return answers

    assert asyncio.run(calls()) == [7, 7]
    never.set()


def test_calls_that_were_given_up_count_until_their_threads_have_ended() -> None:
    never = threading.Event()

    async def calls() -> int:
        async with BlockingCalls(stalled_after=0.01) as blocking:
            for _ in range(2):
                begun = asyncio.Semaphore(0)
                hung = [
                    asyncio.create_task(
                        blocking.run(lambda: never.wait(30), service="sts", on_thread=begun.release)
                    )
                    for _ in range(MOST_THREADS)
                ]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2):
                        for _ in range(MOST_THREADS_OF_ONE):
                            await begun.acquire()
                for task in hung:
                    task.cancel()
            async with asyncio.timeout(10):
                return await blocking.run(lambda: 7)

    assert asyncio.run(calls()) == 7
    never.set()
