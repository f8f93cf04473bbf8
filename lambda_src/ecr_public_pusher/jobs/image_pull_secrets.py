"""The Secret's name in ServiceAccounts' imagePullSecrets: added where it is missing, taken out where we put it, every other entry left.

The list is atomic to the API server: an apply takes all of it or none, and strategic and merge patches replace it. So each change is a JSON
patch that first tests the resource version it was made for, and is made again when another writer was faster. The same patch marks the
account: an annotation says which of the names are ours, since the list's field manager is only whoever wrote to it last.
"""

import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.kube_context import kubectl
from ecr_public_pusher.configuration.names import any_of, is_glob
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError
from ecr_public_pusher.jobs.secret_manifest import SERVICE_ACCOUNTS
from ecr_public_pusher.kubernetes_api.resources import Applied, KubernetesApi
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, RBAC_GROUP
from ecr_public_pusher.results import NamespaceOutcome, Outcome

# A new namespace's `default` account is made by a controller, a moment after the namespace.
DEFAULT_ACCOUNT, LOOK_EVERY_SECONDS = "default", 0.25
# Lost races: each one means that another writer got through, so they end.
TRIES = 25
# On a ServiceAccount: the Secrets whose names in its list are ours, delimited by commas.
ADDED = f"{ANNOTATION_PREFIX}added-image-pull-secrets"
_STALE = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


async def attach(
    api: KubernetesApi,
    config: ClusterConfig,
    outcome: NamespaceOutcome,
    applied: Applied,
    *,
    apply: Callable[[], Awaitable[Applied]],
    dry_run: bool,
    deadline: Deadline,
) -> NamespaceOutcome:
    """Adds the Secret's name to the namespace's accounts that `config` names: `outcome`, with the accounts changed, or with what is wrong.

    The Secret's annotation says beforehand which accounts are changed, so that only those are ever changed back. `apply` applies it again.
    """
    namespace, secret = outcome.namespace, config.secret_name
    secret_is = "the Secret could be written" if dry_run else "the Secret is there"
    try:
        found = await _find(api, namespace, config.service_accounts, deadline)
        lacking = [name for name, account in found.items() if account is not None and not _names(account, secret)]
        if not dry_run:
            # Those that we changed before are noted too: whoever overwrote the Secret since has wiped the note out with it.
            changed_before = [name for name, account in found.items() if account is not None and secret in _added_by_us(account)]
            await _record(api, namespace, secret, [*lacking, *changed_before], applied, apply)
        changed = tuple([name for name in lacking if await _add(api, namespace, name, secret, found[name] or {}, dry_run=dry_run, deadline=deadline)])
    except ApiStatusError as error:
        return _explained(error, outcome, secret_is)
    missing = [name for name, account in found.items() if account is None]
    if missing:
        return replace(
            outcome,
            outcome=Outcome.MISSING,
            message=f"{secret_is}, but the ServiceAccount {', '.join(missing[:5])} does not exist",
            remedy=f"`{kubectl(config)} -n {namespace} create serviceaccount {missing[0]}`, or take it out of serviceAccounts.",
            service_accounts=changed,
        )
    return replace(outcome, service_accounts=changed)


async def detach(
    api: KubernetesApi, namespace: str, secret: str, annotations: Mapping[str, str], *, dry_run: bool, deadline: Deadline
) -> tuple[str, ...]:
    """Takes the Secret's name out of the accounts that its annotation names. Returns those changed; raises as KubernetesApi's methods do."""
    changed = []
    for name in _recorded(annotations):
        try:
            if await _take_out(api, namespace, name, secret, await api.service_account(namespace, name), dry_run=dry_run, deadline=deadline):
                changed.append(name)
        except ApiStatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
    return tuple(changed)


async def put_back(api: KubernetesApi, namespace: str, secret: str, names: Iterable[str], *, deadline: Deadline) -> None:
    """Adds the name to accounts it was just taken out of. Raises as KubernetesApi's methods do."""
    for name in names:
        try:
            await _add(api, namespace, name, secret, await api.service_account(namespace, name), dry_run=False, deadline=deadline)
        except ApiStatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise


async def _find(
    api: KubernetesApi,
    namespace: str,
    patterns: tuple[str, ...],
    deadline: Deadline,
) -> dict[str, dict[str, Any] | None]:
    """The accounts that the patterns name, by name; None for one that is given by name and does not exist."""
    names = [pattern for pattern in patterns if not is_glob(pattern)]
    found: dict[str, dict[str, Any] | None] = {}
    if len(names) < len(patterns):
        meant = any_of(patterns)
        for account in await api.service_accounts(namespace):
            name = account["metadata"]["name"]
            if meant(name):
                found[name] = account
    for name in names:
        if name not in found:
            found[name] = await _get(api, namespace, name, deadline)
    return found


async def _get(api: KubernetesApi, namespace: str, name: str, deadline: Deadline) -> dict[str, Any] | None:
    until = deadline.clock.monotonic() + (api.retry_policy.appearance_seconds if name == DEFAULT_ACCOUNT else 0.0)
    while True:
        try:
            return await api.service_account(namespace, name)
        except ApiStatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        if deadline.clock.monotonic() >= until or deadline.passed:
            return None
        await deadline.sleep(LOOK_EVERY_SECONDS)


async def _record(
    api: KubernetesApi, namespace: str, secret: str, names: Iterable[str], applied: Applied, apply: Callable[[], Awaitable[Applied]]
) -> None:
    """Notes the accounts on the Secret before they are changed: one too many is harmless, one forgotten would name a Secret that is gone."""
    for _ in range(TRIES):
        noted = _recorded(applied.annotations)
        wanted = sorted({*noted, *names})
        if wanted == noted:
            return
        try:
            await api.annotate_secret(namespace, secret, {SERVICE_ACCOUNTS: ",".join(wanted)}, version=applied.version)
            return
        except ApiStatusError as error:
            if error.status not in _STALE:
                raise
        applied = await apply()
    raise _keeps_changing(f"Secret {secret}")


def _recorded(annotations: Mapping[str, Any]) -> list[str]:
    return sorted({name for name in str(annotations.get(SERVICE_ACCOUNTS) or "").split(",") if name})


async def _add(api: KubernetesApi, namespace: str, name: str, secret: str, account: dict[str, Any], *, dry_run: bool, deadline: Deadline) -> bool:
    def change(account: Mapping[str, Any]) -> list[dict[str, Any]]:
        if _names(account, secret):
            return []
        entry, mark = {"name": secret}, _marked(account, {*_added_by_us(account), secret})
        if account.get("imagePullSecrets"):
            return [{"op": "add", "path": "/imagePullSecrets/-", "value": entry}, mark]
        return [{"op": "add", "path": "/imagePullSecrets", "value": [entry]}, mark]

    return await _changed(api, namespace, name, account, change, dry_run=dry_run, deadline=deadline)


async def _take_out(
    api: KubernetesApi, namespace: str, name: str, secret: str, account: dict[str, Any], *, dry_run: bool, deadline: Deadline
) -> bool:
    def change(account: Mapping[str, Any]) -> list[dict[str, Any]]:
        if secret not in _added_by_us(account):
            return []
        positions = [position for position, entry in enumerate(_entries(account)) if entry.get("name") == secret]
        removals = [{"op": "remove", "path": f"/imagePullSecrets/{position}"} for position in reversed(positions)]
        return [*removals, _marked(account, _added_by_us(account) - {secret})] if removals else []

    return await _changed(api, namespace, name, account, change, dry_run=dry_run, deadline=deadline)


async def _changed(
    api: KubernetesApi,
    namespace: str,
    name: str,
    account: Mapping[str, Any],
    change: Callable[[Mapping[str, Any]], list[dict[str, Any]]],
    *,
    dry_run: bool,
    deadline: Deadline,
) -> bool:
    """Whether the account was changed; False when there was nothing to change. Read again each time that another writer was faster."""
    for attempt in range(TRIES):
        operations = change(account)
        if not operations:
            return False
        version = (account.get("metadata") or {}).get("resourceVersion")
        try:
            await api.patch_service_account(
                namespace, name, [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *operations], dry_run=dry_run
            )
            return True
        except ApiStatusError as error:
            if error.status not in _STALE:
                raise
            refusal = error
        await deadline.sleep(random.uniform(0, min(api.retry_policy.lost_race_seconds, 0.01 * 2**attempt)))  # noqa: S311 - jitter, no secret
        account = await api.service_account(namespace, name)
        # A failed test and an invalid object are refused alike: it is the latter where nothing has changed since.
        if refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY and account["metadata"].get("resourceVersion") == version:
            raise refusal
    raise _keeps_changing(f"ServiceAccount {name}")


def _names(account: Mapping[str, Any], secret: str) -> bool:
    return any(entry.get("name") == secret for entry in _entries(account))


def _added_by_us(account: Mapping[str, Any]) -> frozenset[str]:
    """The names in the list that its mark says are ours."""
    annotations = (account.get("metadata") or {}).get("annotations")
    marked = str(annotations.get(ADDED) or "").split(",") if isinstance(annotations, dict) else []
    return frozenset(name for name in marked if name and _names(account, name))


def _marked(account: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The operation that has the account's mark say `names`."""
    path, value = f"/metadata/annotations/{ADDED.replace('/', '~1')}", ",".join(sorted(names))
    annotations = (account.get("metadata") or {}).get("annotations")
    if not names:
        return {"op": "remove", "path": path}
    if not annotations:
        return {"op": "add", "path": "/metadata/annotations", "value": {ADDED: value}}
    return {"op": "add", "path": path, "value": value}


def _entries(account: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = account.get("imagePullSecrets")
    return [entry if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else []


def _keeps_changing(what: str) -> ApiError:
    return ApiError(
        f"the {what} was changed by something else {TRIES} times in a row", remedy="See what keeps writing to it; the next run tries again."
    )


def _explained(error: ApiStatusError, outcome: NamespaceOutcome, secret_is: str) -> NamespaceOutcome:
    if error.lacks_rights:
        return replace(
            outcome,
            outcome=Outcome.FORBIDDEN,
            message=f"{secret_is}, but not allowed to read and patch ServiceAccounts",
            remedy=f"Apply infra/rbac/service-accounts.yaml (get, list and patch on serviceaccounts for the group {RBAC_GROUP}).",
        )
    return replace(outcome, outcome=Outcome.FAILED, message=f"{secret_is}, but its ServiceAccounts: {error.message}", remedy=error.remedy)
