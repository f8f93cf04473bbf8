"""Carry out one namespace's decision, bound to the version that was seen.

If the Secret has changed since, look and decide again.
"""

import random
from copy import replace
from dataclasses import dataclass, field
from typing import Any

from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import ApiError, ApiStatusError
from ecr_public_pusher.jobs.decision import Decision, Judge, State, Step, waiting
from ecr_public_pusher.jobs.image_pull_secrets import Attached, ImagePullSecrets
from ecr_public_pusher.jobs.outcomes import (
    explain,
    explain_accounts,
    explain_conflict,
    explain_marks_left,
    explain_not_removed,
    missing_accounts,
)
from ecr_public_pusher.jobs.secret_manifest import SecretManifest
from ecr_public_pusher.jobs.seen_account import SeenAccount, seen_account
from ecr_public_pusher.jobs.seen_secret import Marks, SeenSecret, seen_secret
from ecr_public_pusher.kubernetes_api.client import PATIENT, Patience
from ecr_public_pusher.kubernetes_api.resources import Applied, KubernetesApi
from ecr_public_pusher.results import NamespaceOutcome, Outcome

# Tries of one write, each after another writer changed the Secret between look and write.
LOOKS = 5


@dataclass(frozen=True)
class Action:
    """Executor of one cluster's decisions.

    `manifest`: the Secret to apply; None for a removal. `looks`: Secrets may be listed by name;
    otherwise a changed one is looked at again by `get`. `seen_again`: receives what such a look
    found, by namespace.
    """

    api: KubernetesApi
    judge: Judge
    deadline: Deadline
    manifest: SecretManifest | None
    looks: bool
    seen_again: dict[str, SeenSecret | None] = field(default_factory=dict)

    @property
    def _accounts(self) -> ImagePullSecrets:
        return ImagePullSecrets(
            self.api, self.judge.planned.config, self.deadline, self.judge.intent.dry_run
        )

    @property
    def _made(self) -> SecretManifest:
        assert self.manifest is not None
        return self.manifest

    async def carry_out(
        self, decision: Decision, patience: Patience = PATIENT
    ) -> NamespaceOutcome | None:
        """Return the namespace's outcome; None if there is nothing to report.

        Raise errors that may be retried (a retryable status, no answer), and those that fail the
        whole cluster.
        """
        first = decision.outcome
        for _ in range(LOOKS):
            try:
                if decision.step is Step.DELETE:
                    return await self._delete(decision, patience)
                return await self._push(decision, patience)
            except _Outdated as refusal:
                seen = self.seen_again[decision.name] = await self._look(decision.name)
                if ours := self._written_by_this_run(seen, first):
                    # Only its ServiceAccounts remain to be changed.
                    decision = replace(decision, step=Step.CURRENT, outcome=ours, seen=seen)
                    continue
                if (
                    refusal.error.conflict
                    and seen is not None
                    and decision.seen is not None
                    and seen.version == decision.seen.version
                ):
                    decision = self.judge.contested(decision, refusal.error.conflict.managers)
                    if decision.step is not Step.TAKE:
                        return self._explained(decision, refusal.error)
                    continue
                decision = self.judge.again(decision, seen)
            pause = min(self.api.retry_policy.lost_race_seconds, 0.05)
            await self.deadline.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, no secret
        raise ApiError(
            f"the Secret {self.judge.planned.config.secret_name} keeps changing",
            remedy="Find out what else writes to it; the next run tries again.",
        )

    async def _push(self, decision: Decision, patience: Patience) -> NamespaceOutcome | None:
        outcome = decision.outcome
        try:
            match decision.step:
                case Step.APPLY if decision.state is State.UNKNOWN:
                    outcome = await self._apply_blind(decision, patience)
                case Step.APPLY | Step.TAKE:
                    outcome = await self._apply(decision, patience)
                case Step.ASK:
                    return await self._ask(decision, patience)
        except ApiStatusError as error:
            return self._explained(decision, error)
        if outcome is None or (decision.accounts == () and not decision.missing_accounts):
            return outcome
        try:
            attached = await self._accounts.attach(
                decision.name, decision.accounts, decision.missing_accounts, patience=patience
            )
        except ApiStatusError as error:
            if error.retryable:
                raise
            return explain_accounts(
                error, outcome, subject=self.judge.subject, dry_run=self.judge.intent.dry_run
            )
        return self._with_accounts(outcome, attached)

    async def _apply(self, decision: Decision, patience: Patience) -> NamespaceOutcome:
        """Apply the Secret, bound to what was seen. Raise _Outdated if it has changed since."""
        assert decision.outcome is not None
        manifest = self._made
        seen = decision.seen
        body = manifest.new if seen is None else manifest.bound(uid=seen.uid, version=seen.version)
        try:
            applied = await self._send(
                decision.name, body, patience, force=decision.step is Step.TAKE
            )
        except ApiStatusError as error:
            if (error.stale or error.conflict) and not error.type_conflict:
                raise _Outdated(error) from None
            raise
        takes = decision.step is Step.TAKE or self.judge.planned.config.take_ownership
        if seen is not None and seen.marks and takes and not self.judge.intent.dry_run:
            return await self._without_marks(decision.outcome, seen.marks, applied)
        return decision.outcome

    async def _apply_blind(self, decision: Decision, patience: Patience) -> NamespaceOutcome:
        """Apply the Secret without having looked.

        The first try is without force, so that a takeover is noticed and the former managers are
        named.
        """
        body = self._made.unbound
        try:
            applied = await self._send(decision.name, body, patience)
        except ApiStatusError as error:
            if (
                error.conflict is None
                or not self.judge.planned.config.take_ownership
                or error.type_conflict
            ):
                raise
            await self._send(decision.name, body, patience, force=True)
            return NamespaceOutcome(
                decision.name,
                Outcome.ADOPTED,
                taken_from=error.conflict.managers or ("unknown",),
                replaces=True,
            )
        return NamespaceOutcome(
            decision.name, Outcome.CREATED if applied.created else Outcome.UPDATED
        )

    async def _ask(self, decision: Decision, patience: Patience) -> NamespaceOutcome:
        """Find out by a dry run who manages somebody else's Secret, and if its type is another."""
        body = self._made.unbound
        config = self.judge.planned.config
        try:
            await self.api.apply_secret(
                decision.name, config.secret_name, body, dry_run=True, patience=patience
            )
        except ApiStatusError as error:
            if error.conflict is None:
                raise
            return self._explained(decision, error)
        return explain_conflict(
            decision.name, config.secret_name, (), repository=config.repository is not None
        )

    async def _send(
        self, namespace: str, body: bytes, patience: Patience, *, force: bool = False
    ) -> Applied:
        """Apply the Secret; retry while creations race for a quota, as the API server asks."""
        config = self.judge.planned.config
        intent = self.judge.intent
        for attempt in range(LOOKS):
            try:
                return await self.api.apply_secret(
                    namespace,
                    config.secret_name,
                    body,
                    force=force,
                    dry_run=intent.dry_run,
                    patience=patience,
                )
            except ApiStatusError as error:
                if not error.lost_quota_race or attempt == LOOKS - 1:
                    raise
            await self.deadline.sleep(self.api.retry_policy.pause(attempt + 1))
        raise AssertionError

    async def _without_marks(
        self, outcome: NamespaceOutcome, marks: Marks, applied: Applied
    ) -> NamespaceOutcome:
        """Remove the marks by which a former owner's controller would delete our Secret."""
        cleared: dict[str, Any] = {}
        if marks.owners:
            cleared["ownerReferences"] = None
        config = self.judge.planned.config
        if labels := [label for label in marks.labels if label not in config.labels]:
            cleared["labels"] = dict.fromkeys(labels)
        if marks.annotations:
            cleared["annotations"] = dict.fromkeys(marks.annotations)
        if not cleared:
            return outcome
        name = config.secret_name
        try:
            await self.api.clear_secret_metadata(
                outcome.namespace, name, cleared, version=applied.version
            )
        except ApiStatusError as error:
            if error.retryable:
                raise
            return explain_marks_left(outcome, name, marks, error)
        return outcome

    async def _delete(self, decision: Decision, patience: Patience) -> NamespaceOutcome | None:
        """Delete the version seen.

        Its name is taken out of the ServiceAccounts first, and put back if the Secret stays.
        """
        seen = decision.seen
        config = self.judge.planned.config
        intent = self.judge.intent
        assert seen is not None
        assert decision.outcome is not None
        try:
            bearing = (
                decision.accounts
                if decision.accounts is not None
                else await self._bearing(decision)
            )
            taken = await self._accounts.detach(bearing, patience=patience)
        except ApiStatusError as error:
            if error.retryable:
                raise
            return explain_not_removed(
                error, decision.name, config.secret_name, subject=self.judge.subject
            )
        try:
            gone = await self.api.delete_secret(
                decision.name,
                config.secret_name,
                uid=seen.uid,
                version=seen.version,
                dry_run=intent.dry_run,
                patience=patience,
            )
        except ApiStatusError as error:
            if error.not_found:
                return replace(decision.outcome, service_accounts=tuple(taken))
            await self._accounts.put_back(decision.name, taken)
            if error.stale:
                raise _Outdated(error) from None
            if error.retryable:
                raise
            return explain_not_removed(
                error,
                decision.name,
                config.secret_name,
                subject=self.judge.subject,
                repository=config.repository is not None,
            )
        if not gone:
            held = seen if seen.finalizers is not None else await self._look(decision.name) or seen
            return waiting(
                decision.name, config.secret_name, held, kubectl=self.judge.planned.kubectl
            )
        return replace(decision.outcome, service_accounts=tuple(taken))

    async def _bearing(self, decision: Decision) -> tuple[SeenAccount, ...]:
        """Return the namespace's accounts to which we added the Secret's name.

        Used where ServiceAccounts may not be listed in the whole cluster.
        """
        secret = self.judge.planned.config.secret_name
        try:
            listed = await self.api.accounts_named(None, seen_account, namespace=decision.name)
        except ApiStatusError as error:
            # Nothing hints that the name was ever put into accounts, so the right to list them
            # was never needed.
            if error.lacks_rights and decision.seen is not None and not decision.seen.attached:
                return ()
            raise
        return tuple(one for one in listed if one.ours(secret))

    async def _look(self, namespace: str) -> SeenSecret | None:
        """Look at one namespace's Secret again, with the same right as before."""
        name = self.judge.planned.config.secret_name
        if not self.looks:
            return await self.api.secret_metadata(namespace, name, seen_secret)
        return next(
            iter(await self.api.secrets_named(name, seen_secret, namespace=namespace)), None
        )

    def _written_by_this_run(
        self, seen: SeenSecret | None, first: NamespaceOutcome | None
    ) -> NamespaceOutcome | None:
        """Return `first` if this run's apply succeeded although its answer was lost.

        None if the Secret is not this run's.
        """
        if seen is None or first is None or not first.outcome.applied:
            return None
        manifest = self._made
        ours = seen.held_by(self.judge.intent.stack.field_manager) and seen.owner == manifest.owner
        return (
            first
            if ours
            and (seen.pushed_at, seen.expires_at) == (manifest.pushed_at, manifest.expires_at)
            else None
        )

    def _with_accounts(self, outcome: NamespaceOutcome, attached: Attached) -> NamespaceOutcome:
        changed = replace(outcome, service_accounts=attached.changed)
        if attached.missing:
            return missing_accounts(
                changed,
                attached.missing,
                self.judge.planned.kubectl,
                dry_run=self.judge.intent.dry_run,
            )
        return changed

    def _explained(self, decision: Decision, error: ApiStatusError) -> NamespaceOutcome:
        """Return the outcome of a final refusal. Raise the error if a retry may help."""
        if error.retryable:
            raise error
        planned = self.judge.planned
        return explain(
            error,
            decision.name,
            planned.config.secret_name,
            kubectl=planned.kubectl,
            subject=self.judge.subject,
            listed=decision.namespace.created_at is not None,
            repository=planned.config.repository is not None,
        )


class _Outdated(Exception):
    """The Secret changed since the write was decided; `error` is the API server's refusal."""

    def __init__(self, error: ApiStatusError) -> None:
        super().__init__()
        self.error = error
