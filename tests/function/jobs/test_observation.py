"""A look at a cluster requests its lists concurrently, or one after another."""

import asyncio
from typing import Any, cast

import pytest

from ecr_public_pusher.jobs.observation import LISTS, Wanted, observe
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi


class Lists:
    """A cluster without objects. `most`: the most lists that were requested at once."""

    def __init__(self) -> None:
        self.most = self._now = 0

    async def _listed(self, *_: object, **__: object) -> list[Any]:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        return []

    namespaces = secrets_named = accounts_named = _listed


@pytest.mark.parametrize("at_once", [1, LISTS])
def test_so_many_lists_are_asked_for_at_once(at_once: int) -> None:
    lists = Lists()
    wanted = Wanted("ecr-public-token", list_namespaces=True, accounts=("default",))
    seen = asyncio.run(observe(cast(KubernetesApi, lists), wanted, at_once=at_once))
    assert lists.most == at_once
    assert (seen.namespaces, seen.secrets, seen.accounts) == ((), {}, {})
