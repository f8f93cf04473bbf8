"""Removal of our Secrets from namespaces.

It first reads what that requires: the ServiceAccounts that list their name and, without the right
to list Secrets, each namespace separately.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import replace

from ecr_public_pusher.configuration.rbac_subject import Subject
from ecr_public_pusher.errors import ApiStatusError, ClusterAborted
from ecr_public_pusher.jobs.carry_out import CarryOut
from ecr_public_pusher.jobs.decision import Decision
from ecr_public_pusher.jobs.ledger import Ledger
from ecr_public_pusher.jobs.observation import look_into_each
from ecr_public_pusher.jobs.outcomes import may_not_remove, remedy_removal
from ecr_public_pusher.jobs.seen_account import SeenAccount, seen_account
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.kubernetes_api.access_reviews import Right, can_i
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.results import NamespaceOutcome, Outcome


async def delete_all(carry_out: CarryOut, deletions: Sequence[Decision], secret_name: str) -> None:
    """Delete the Secrets, after taking their name out of the accounts where we put it.

    No account has the name of a repository's Secret. Raise as Client.send does.
    """
    if not deletions:
        return
    if carry_out.action.judge.planned.config.repository:
        await carry_out.all([replace(one, accounts=()) for one in deletions])
        return
    try:
        listed = await carry_out.action.api.accounts_named(None, seen_account)
    except ApiStatusError as error:
        if not error.lacks_rights:
            raise
        await carry_out.all(deletions)  # each lists the accounts of its own namespace
        return
    bearing: dict[str, list[SeenAccount]] = {}
    for account in listed:
        if account.ours(secret_name):
            bearing.setdefault(account.namespace, []).append(account)
    await carry_out.all(
        [replace(one, accounts=tuple(bearing.get(one.name, ()))) for one in deletions]
    )


async def look_for_ours(
    api: KubernetesApi,
    ledger: Ledger,
    secret_name: str,
    names: Sequence[str],
    *,
    subject: Subject,
    expected: Collection[str],
    says_skipped: bool,
    repository: bool = False,
) -> Mapping[str, SeenSecret] | None:
    """Return the Secrets in the namespaces `names`; None if all of them refuse access.

    The latter fails the cluster. A refusal in a namespace of `expected`, or where we may write,
    becomes an outcome FORBIDDEN; elsewhere it becomes SKIPPED with `says_skipped`, and is ignored
    without. Raise as Client.send does.
    """
    seen, refused = await look_into_each(api, secret_name, names)
    may_not = may_not_remove(secret_name, repository=repository)
    remedy = remedy_removal(secret_name, subject, repository=repository)
    if refused and len(refused) == len(names):
        ledger.fail(ClusterAborted(may_not, remedy=remedy))
        return None
    for name in refused:
        # Where we may not write either (access is granted namespace by namespace), nothing of ours
        # can be expected.
        if (
            name in expected
            or (await can_i(api, Right("patch", "secrets", secret_name), namespace=name)).allowed
        ):
            outcome = NamespaceOutcome(name, Outcome.FORBIDDEN, may_not, remedy)
        elif says_skipped:
            message = "not checked: the function may neither read nor write the Secret there"
            outcome = NamespaceOutcome(name, Outcome.SKIPPED, message)
        else:
            continue
        ledger.outcomes[name] = outcome
    return seen
