"""Observe a cluster before anything is decided: at most three concurrent lists.

Only what decisions need is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ecr_public_pusher.concurrency import run_concurrently
from ecr_public_pusher.configuration.account_selector import NO_ACCOUNTS, AccountSelection
from ecr_public_pusher.errors import ApiStatusError, PusherError
from ecr_public_pusher.jobs.seen_account import SeenAccount, selected_account
from ecr_public_pusher.jobs.seen_secret import SeenSecret, seen_secret
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import Namespace

# Namespaces read concurrently where no list of all Secrets is allowed.
LOOKS_AT_ONCE = 8
# At most three lists are requested, concurrently unless connections are scarce.
LISTS = 3
# After this many refusals without a success, the other namespaces are taken to refuse as well.
REFUSALS = 8

type Accounts = Mapping[str, Mapping[str, SeenAccount]]


@dataclass(frozen=True)
class Wanted:
    """Facts that a run needs about a cluster.

    `namespace`: the only one in which the Secret is looked for; None: all of them.

    `list_namespaces`: namespaces are listed, all that match `selector` (None: every one).

    `accounts`: the ServiceAccounts to list; an empty selection if none are needed.
    """

    secret_name: str
    list_namespaces: bool
    selector: str | None = None
    accounts: AccountSelection = NO_ACCOUNTS
    namespace: str | None = None


@dataclass(frozen=True)
class Observation:
    """Facts seen in a cluster.

    A part that was not asked for, or may not be listed, is None; `refused` names the latter.
    `accounts`: those that the document selects.
    `unseen`: namespaces without the right to look, where others have it.
    """

    namespaces: tuple[Namespace, ...] | None = None
    secrets: Mapping[str, SeenSecret] | None = None
    accounts: Accounts | None = None
    refused: frozenset[str] = field(default_factory=frozenset)
    unseen: frozenset[str] = field(default_factory=frozenset)

    def accounts_in(self, namespace: str) -> Mapping[str, SeenAccount] | None:
        """Return a namespace's accounts by name; None if they may not be listed."""
        return None if self.accounts is None else self.accounts.get(namespace, {})


async def observe(api: KubernetesApi, wanted: Wanted, *, at_once: int = LISTS) -> Observation:
    """Return what the cluster shows, by so many lists `at_once`.

    A list that is not allowed leaves its part out. Raise an error that fails the whole cluster, as
    Client.send does.
    """
    refused: set[str] = set()
    places = asyncio.Semaphore(at_once)

    async def listed[T](part: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        try:
            async with places:
                return await ask()
        except ApiStatusError as error:
            if not error.lacks_rights:
                raise
            refused.add(part)
            return None

    async def nothing() -> None:
        return None

    try:
        async with asyncio.TaskGroup() as group:
            namespaces = group.create_task(
                listed("namespaces", lambda: api.namespaces(wanted.selector))
                if wanted.list_namespaces
                else nothing()
            )
            secrets = group.create_task(
                listed(
                    "secrets",
                    lambda: api.secrets_named(
                        wanted.secret_name, seen_secret, namespace=wanted.namespace
                    ),
                )
            )
            accounts = group.create_task(
                listed(
                    "accounts",
                    lambda: api.accounts_named(
                        _only(wanted.accounts),
                        selected_account(wanted.accounts),
                        selector=wanted.accounts.selector,
                    ),
                )
                if wanted.accounts
                else nothing()
            )
    except ExceptionGroup as failures:
        raise _first(failures) from None
    return Observation(
        namespaces=None if (found := namespaces.result()) is None else tuple(found),
        secrets=(
            None if (seen := secrets.result()) is None else {one.namespace: one for one in seen}
        ),
        accounts=None if (those := accounts.result()) is None else _by_namespace(those),
        refused=frozenset(refused),
    )


async def look_into_each(
    api: KubernetesApi, secret_name: str, namespaces: Iterable[str]
) -> tuple[dict[str, SeenSecret], tuple[str, ...]]:
    """Return the Secrets of that name in `namespaces`, and the namespaces that refuse access.

    For those who may not list Secrets: one request per namespace. If the first few are refused, the
    others count as refused too. Raise as Client.send does.
    """
    seen: dict[str, SeenSecret] = {}
    refused: list[str] = []
    failures: list[PusherError] = []
    allowed = False

    async def look(namespace: str) -> None:
        nonlocal allowed
        if failures or (not allowed and len(refused) >= REFUSALS):
            refused.append(namespace)
            return
        try:
            found = await api.secret_metadata(namespace, secret_name, seen_secret)
        except ApiStatusError as error:
            if error.lacks_rights:
                refused.append(namespace)
            elif not error.namespace_terminating:
                failures.append(error)
            return
        except PusherError as error:
            failures.append(error)
            return
        allowed = True
        if found is not None:
            seen[namespace] = found

    await run_concurrently(namespaces, look, width=LOOKS_AT_ONCE)
    if failures:
        raise failures[0]
    return seen, tuple(sorted(refused))


def _only(accounts: AccountSelection) -> str | None:
    """Return the account if just one can be selected, so that the API server filters."""
    return accounts.names[0] if accounts.by_name and len(accounts.names) == 1 else None


def _by_namespace(accounts: Iterable[SeenAccount]) -> Accounts:
    found: dict[str, dict[str, SeenAccount]] = {}
    for account in accounts:
        found.setdefault(account.namespace, {})[account.name] = account
    return found


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    """Return the error of the first list that failed; the others were cancelled then."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
