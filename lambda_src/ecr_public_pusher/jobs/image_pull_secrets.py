"""The Secret's name in ServiceAccounts' imagePullSecrets: added, or taken out where we put it.

Every other entry stays. Each change names the version it was made for, and is made again if another
writer was faster.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError
from ecr_public_pusher.jobs.seen_account import (
    Operation,
    SeenAccount,
    seen_account,
    selected_account,
)
from ecr_public_pusher.kubernetes_api.client import PATIENT, Patience
from ecr_public_pusher.kubernetes_api.resources import Keep, KubernetesApi

# A new namespace's `default` account is created by a controller, a moment after the namespace.
DEFAULT_ACCOUNT = "default"
LOOK_EVERY_SECONDS = 0.25
# A conflict means that another writer's change was accepted, so conflicts do not go on for long.
TRIES = 25


@dataclass(frozen=True)
class Attached:
    """Result of `attach` in one namespace.

    `changed`: names of the accounts changed. `missing`: named by the document, but not found.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class ImagePullSecrets:
    """ServiceAccounts of one document's cluster."""

    api: KubernetesApi
    config: ClusterConfig
    deadline: Deadline
    dry_run: bool

    async def attach(
        self,
        namespace: str,
        changing: Sequence[SeenAccount] | None,
        missing: Iterable[str],
        *,
        patience: Patience = PATIENT,
    ) -> Attached:
        """Add the name to the accounts that were seen to lack it; take it out if they opted out.

        `changing`: None to look into the namespace for them. Those in `missing` are looked for once
        more, `default` for some seconds. Raise as KubernetesApi's methods do.
        """
        accounts = await self._found(namespace) if changing is None else list(changing)
        if changing is None:
            there = {account.name for account in accounts}
            missing = [name for name in self.config.service_accounts.expected if name not in there]
        gone = []
        for name in missing:
            if (account := await self._appeared(namespace, name)) is not None:
                accounts.append(account)
            else:
                gone.append(name)
        changed = []
        for account in accounts:
            if await self._changed(
                account,
                lambda one: one.conforming(self.config.secret_name),
                patience,
                keep=self._selected,
            ):
                changed.append(account.name)
        return Attached(tuple(changed), tuple(gone))

    async def detach(
        self, accounts: Iterable[SeenAccount], *, patience: Patience = PATIENT
    ) -> list[str]:
        """Take the name out of the accounts where we put it; return the names of those changed.

        Raise as KubernetesApi's methods do.
        """
        return [
            account.name
            for account in accounts
            if await self._changed(
                account, lambda one: one.taking_out(self.config.secret_name), patience
            )
        ]

    async def put_back(self, namespace: str, names: Iterable[str]) -> None:
        """Add the name to accounts that it was just taken out of.

        Raise as KubernetesApi's methods do.
        """
        if self.dry_run:
            return
        for name in names:
            if (
                account := await self.api.service_account(namespace, name, seen_account)
            ) is not None:
                await self._changed(
                    account, lambda one: one.adding(self.config.secret_name), PATIENT
                )

    async def _found(self, namespace: str) -> list[SeenAccount]:
        """Return the accounts that the document selects in one namespace.

        Names are read one by one; globs, and a selector without names, take a list.
        """
        wanted = self.config.service_accounts
        if not wanted.by_name:
            return await self.api.accounts_named(
                None, self._selected, namespace=namespace, selector=wanted.selector
            )
        looked = [
            await self.api.service_account(namespace, name, self._selected) for name in wanted.names
        ]
        return [one for one in looked if one is not None]

    @cached_property
    def _selected(self) -> Keep[SeenAccount]:
        return selected_account(self.config.service_accounts)

    async def _appeared(self, namespace: str, name: str) -> SeenAccount | None:
        seconds = self.api.retry_policy.appearance_seconds if name == DEFAULT_ACCOUNT else 0.0
        until = self.deadline.clock.monotonic() + seconds
        while True:
            account = await self.api.service_account(namespace, name, self._selected)
            if (
                account is not None
                or self.deadline.clock.monotonic() >= until
                or self.deadline.passed
            ):
                return account
            await self.deadline.sleep(LOOK_EVERY_SECONDS)

    async def _changed(
        self,
        account: SeenAccount,
        change: Callable[[SeenAccount], list[Operation]],
        patience: Patience,
        *,
        keep: Keep[SeenAccount] = seen_account,
    ) -> bool:
        """Change the account, again if another writer was faster; return whether it changed.

        False if there was nothing to change, or the account is gone, or `keep` drops it by now.
        """
        seen = account
        for attempt in range(TRIES):
            operations = change(seen)
            if not operations:
                return False
            try:
                await self.api.patch_service_account(
                    seen.namespace, seen.name, operations, dry_run=self.dry_run, patience=patience
                )
                return True
            except ApiStatusError as error:
                if error.not_found:
                    return False
                if error.status != HTTPStatus.CONFLICT or error.denied_by is not None:
                    raise
            pause = min(self.api.retry_policy.lost_race_seconds, 0.01 * 2**attempt)
            await self.deadline.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, no secret
            found = await self.api.service_account(seen.namespace, seen.name, keep)
            if found is None:
                return False
            seen = found
        raise ApiError(
            f"the ServiceAccount {account.name} was changed by something else {TRIES} times in"
            " a row",
            remedy="Find out what else writes to it; the next run tries again.",
        )
