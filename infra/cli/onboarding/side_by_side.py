"""Work on many clusters at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

SIDE_BY_SIDE = 8


def side_by_side[T, R](work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return what `work` returns for each item, in order; raise what it raises."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(work, items))
