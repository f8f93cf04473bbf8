"""Check, without writing, whether each cluster can be pushed to.

Findings name what stands in the way, with a command to paste.
"""

import asyncio
import contextlib
from dataclasses import replace

from ecr_public_pusher.configuration.kubectl_commands import context_said, kubectl
from ecr_public_pusher.configuration.namespace_selector import select
from ecr_public_pusher.configuration.rbac_subject import Subject, rbac_subject
from ecr_public_pusher.deadline import TOO_SLOW
from ecr_public_pusher.errors import (
    ApiError,
    DeadlineReached,
    InternalError,
    KubeconfigError,
    PusherError,
    SignInError,
    SignInRefused,
)
from ecr_public_pusher.jobs.access_audit import SHOWN, AccessAudit, some
from ecr_public_pusher.jobs.cluster_runner import Workplace, run_in_clusters, run_until, with_others
from ecr_public_pusher.jobs.decision import Intent
from ecr_public_pusher.jobs.left_behind import left_behind
from ecr_public_pusher.jobs.rbac_version import rbac_version
from ecr_public_pusher.jobs.required_permissions import required_permissions
from ecr_public_pusher.jobs.targets import Plan, PlannedCluster
from ecr_public_pusher.kubernetes_api.access import ClusterAccess, Credential
from ecr_public_pusher.kubernetes_api.access_reviews import Identity, who_am_i
from ecr_public_pusher.kubernetes_api.reachability import Route
from ecr_public_pusher.kubernetes_api.resources import KubernetesApi
from ecr_public_pusher.kubernetes_api.server_version import Version, server_version
from ecr_public_pusher.results import CREDENTIAL_ENDING, Check, ClusterResult, Finding
from ecr_public_pusher.timestamps import from_epoch, rfc3339

# Somebody waits for the result: a request without a response is retried once, not four times.
ATTEMPTS = 2
# Reserved at the end of the run's time, so that the findings so far are reported.
REPORT_SECONDS = 0.5
# Limit for getting all private registries' tokens.
REGISTRY_SECONDS = 10.0


async def check_clusters(plan: Plan, intent: Intent, workplace: Workplace) -> list[ClusterResult]:
    """Return one result per cluster.

    It holds the findings up to the first failure, and a dry run where the sign-in works.
    """
    deadline = workplace.deadline.sooner(by=min(REPORT_SECONDS, workplace.deadline.remaining / 10))
    policy = replace(
        workplace.retry_policy, attempts=min(ATTEMPTS, workplace.retry_policy.attempts)
    )
    hurried = replace(workplace, deadline=deadline, retry_policy=policy)
    checks = [_ClusterCheck(planned, intent, hurried) for planned in plan.clusters]
    await run_until(deadline, checks, _ClusterCheck.run)
    left: list[ClusterResult] = []

    async def look(planned: PlannedCluster) -> None:
        if (found := await left_behind(planned, intent, hurried)) is not None:
            left.append(found)

    await run_until(deadline, plan.disabled, look)
    invalid = [
        ClusterResult(document_id, findings=(_failed(Check.CONFIGURATION, error),))
        for document_id, error in plan.invalid.items()
    ]
    seen = {result.id for result in left}
    rest = replace(
        plan, invalid={}, disabled=tuple(one for one in plan.disabled if one.config.id not in seen)
    )
    return with_others([*(check.result() for check in checks), *left, *invalid], rest)


class _ClusterCheck:
    """One cluster's findings, as they accumulate.

    `result` is complete at any moment: a check that was cancelled at the deadline says so.
    """

    def __init__(self, planned: PlannedCluster, intent: Intent, workplace: Workplace) -> None:
        self._planned = planned
        self._config = planned.config
        self._intent = intent
        self._workplace = workplace
        self._clock = workplace.deadline.clock
        self._sign_in = workplace.sign_ins.of(planned.config)
        what = (
            f"cluster {self._config.place}, Secret {self._config.secret_name};"
            f" {context_said(self._config)}"
        )
        self._findings = [Finding(Check.CONFIGURATION, True, what)]
        self._looking_at: Check | None = (
            Check.REGISTRIES if self._config.private_registries else Check.ROLE
        )
        self._began: float | None = None
        self._seconds: float | None = None
        self._selected: list[str] = []
        self._tried: ClusterResult | None = None

    async def run(self) -> None:
        """Run one check after the other, up to the first that fails."""
        self._began = self._clock.monotonic()
        try:
            await self._run()
            self._looking_at = None
        except DeadlineReached:
            pass  # the result says which check was in progress
        except PusherError as error:
            self._stop(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours fails only this cluster
            # from_exception: the error's own text may contain a credential
            self._stop(InternalError.from_exception(error))
        finally:
            self._seconds = self._clock.monotonic() - self._began

    def _stop(self, error: PusherError) -> None:
        """Record `error` as the failure of the check in progress."""
        if self._looking_at is not None:
            self._findings.append(_failed(self._looking_at, error))
        self._looking_at = None

    def result(self) -> ClusterResult:
        """Return the findings so far."""
        findings = tuple(self._findings)
        if self._looking_at is not None:
            what = (
                "no response before the function ran out of time"
                if self._began is not None
                else "the function ran out of time before this was started"
            )
            findings += (Finding(self._looking_at, False, what, TOO_SLOW),)
        return replace(
            self._tried or ClusterResult(self._config.id),
            findings=findings,
            credential_expires_at=end.at if (end := self._sign_in.credential_end) else None,
            seconds=self._seconds or 0.0,
            attempted=self._began is not None,
        )

    async def _run(self) -> None:
        config = self._config
        pulls = not config.private_registries or self._note(await self._registries())
        self._look(Check.ROLE)
        self._findings.append(Finding(Check.ROLE, True, await self._sign_in.describe_caller()))
        self._look(Check.TOKEN)
        signs = self._note(await self._sign())
        self._findings += self._credential()
        self._look(Check.EKS if self._sign_in.asks_eks else Check.DNS)
        endpoint = await self._sign_in.described()
        local = f", local cluster {endpoint.local_id}" if endpoint.local_id else ""
        mode = (
            f", authentication mode {endpoint.authentication_mode}"
            if endpoint.authentication_mode
            else ""
        )
        if self._sign_in.asks_eks:
            self._findings.append(
                Finding(
                    Check.EKS,
                    True,
                    f"{'public' if endpoint.public else 'private'} endpoint"
                    f" {endpoint.url}{local}{mode}",
                )
            )
        self._remedies = self._sign_in.remedies(endpoint)
        access = self._sign_in.access(endpoint)
        route = Route(
            access,
            self._remedies,
            deadline=self._workplace.deadline,
            blocking=self._workplace.blocking,
            retry_policy=self._workplace.retry_policy,
        )
        async with self._workplace.sockets.budget.one():
            for check, step in (
                (Check.DNS, route.resolve),
                (Check.TCP, route.connect),
                (Check.TLS, route.shake_hands),
            ):
                self._look(check)
                if not self._note(await step()):
                    return
        # Without its registry tokens, a dry run would only fail for the same reason.
        if signs and await self._audit(access) and pulls:
            self._look(Check.NAMESPACES)
            await self._try()

    def _look(self, check: Check) -> None:
        """Attribute failures from here on to `check`. Raise DeadlineReached if time is up."""
        self._looking_at = check
        self._workplace.deadline.check()

    def _note(self, finding: Finding) -> bool:
        self._findings.append(finding)
        return finding.ok

    async def _registries(self) -> Finding:
        """Request every private registry's token, concurrently.

        The time is limited: a request that hangs must not keep the other checks from running.
        """
        seconds = min(REGISTRY_SECONDS, self._workplace.deadline.remaining / 3)
        try:
            async with asyncio.timeout(seconds):
                tried = await self._workplace.tokens.each_private(self._config)
        except TimeoutError:
            return Finding(
                Check.REGISTRIES,
                False,
                f"a registry's role, or ECR, did not respond within {seconds:.0f} seconds",
                TOO_SLOW,
            )
        if failures := [one for one in tried if isinstance(one, PusherError)]:
            remedies = dict.fromkeys(one.remedy for one in failures)
            return Finding(
                Check.REGISTRIES,
                False,
                some(list(dict.fromkeys(one.message for one in failures))),
                " ".join(remedies),
            )
        had = [one for one in tried if not isinstance(one, PusherError)]
        until = min(one.token.expires_at for one in had)
        return Finding(
            Check.REGISTRIES,
            True,
            f"a token for {some([one.hosts[0] for one in had])}; the first expires at"
            f" {rfc3339(until)}",
        )

    async def _sign(self) -> Finding:
        try:
            credential = await self._sign_in.credential()
        except KubeconfigError:
            raise  # the endpoint comes from the kubeconfig too
        except SignInError as error:
            return _failed(Check.TOKEN, error)
        return Finding(Check.TOKEN, True, self._sign_in.describe_credential(credential))

    def _credential(self) -> list[Finding]:
        """Return the finding on a stored credential that expires soon; none for any other.

        It is no obstacle: the credential still signs in.
        """
        end = self._sign_in.credential_end
        if end is None:
            return []
        left = end.at - from_epoch(self._clock.wall())
        if left >= CREDENTIAL_ENDING:
            return []
        days = left.total_seconds() / 86400
        what = f"the stored credential expires in {days:.1f} days, at {rfc3339(end.at)}"
        return [Finding(Check.CREDENTIAL, False, what, end.renewal)]

    async def _audit(self, access: ClusterAccess) -> bool:
        """Sign in and review what is allowed; return whether the sign-in succeeded."""
        self._look(Check.SIGN_IN)
        async with self._workplace.api(access) as api:
            try:
                identity = await who_am_i(api)
            except SignInRefused:
                remedy = self._remedies.not_admitted(
                    self._sign_in.principal(), (), await self._version(access)
                )
                self._findings.append(
                    Finding(Check.SIGN_IN, False, f"the cluster {access.refusal}", remedy)
                )
                return False
            self._findings.append(
                Finding(
                    Check.SIGN_IN,
                    True,
                    f"as {identity.user}, in the groups {', '.join(identity.groups)}",
                )
            )
            self._look(Check.PERMISSION)
            await self._ask(api, identity)
            return True

    async def _version(self, access: ClusterAccess) -> Version | None:
        """Return the server's version, asked anonymously since the cluster does not admit us.

        None for EKS, whose remedies are the same for all versions.
        """
        if self._sign_in.asks_eks:
            return None
        async with self._workplace.api(replace(access, get_credential=_nobody)) as api:
            return await server_version(api)

    async def _ask(self, api: KubernetesApi, identity: Identity) -> None:
        subject = rbac_subject(self._config, self._intent.own_role)
        needs = required_permissions(
            self._config, self._intent.own_role, needs_list=self._planned.needs_list
        )
        audit = AccessAudit(api, needs)
        await audit.everywhere()
        self._selected = await self._select(api)
        await audit.in_each_of(self._selected)
        by_group = subject.kind == "group" and subject.name not in identity.groups
        if by_group and not self._sign_in.asks_eks and any(audit.granted_in().values()):
            by_group = False  # the roles are bound to the user, where a cluster gives no group
            audit.name_subject(Subject("user", identity.user))
        permissions = audit.permissions()
        if by_group and not all(finding.ok for finding in permissions):
            kubernetes = None if self._sign_in.asks_eks else await server_version(api)
            admit = self._remedies.not_admitted(
                self._sign_in.principal(), identity.groups, kubernetes
            )
            signed_in = self._findings.pop()
            self._findings.append(
                replace(
                    signed_in,
                    ok=False,
                    message=f"{signed_in.message}: {subject.name} is not among them",
                    remedy=admit,
                )
            )
            permissions = [
                (
                    finding
                    if finding.ok
                    else replace(finding, remedy="Add the group first: see the remedy of sign-in.")
                )
                for finding in permissions
            ]
        version = await rbac_version(audit.may, needs, audit.granted_in(), document=self._config.id)
        excess = self._excess(audit, subject, identity)
        self._findings += [*permissions, *([version] if version else []), excess]

    async def _select(self, api: KubernetesApi) -> list[str]:
        """Return the namespaces that a push would select.

        Without the right to list them, only those named outright (the permission finding says why).
        """
        listed = None
        if self._planned.needs_list:
            with contextlib.suppress(ApiError):
                listed = await api.namespaces(self._config.selection.selector)
        return [namespace.name for namespace in select(self._config.selection, listed)]

    async def _try(self) -> None:
        (self._tried,) = await run_in_clusters(
            Plan((self._planned,)), self._intent, self._workplace
        )
        if self._tried.error is not None:
            self._findings.append(_failed(Check.NAMESPACES, self._tried.error))
            # The finding says it once: outcomes that only repeat the cluster's failure are dropped.
            self._tried = replace(
                self._tried,
                error=None,
                outcomes=tuple(one for one in self._tried.outcomes if not one.with_cluster),
            )
            return
        failed = sum(outcome.outcome.bad for outcome in self._tried.outcomes)
        what = (
            f"{len(self._selected)} selected"
            f" now{': ' if self._selected else ''}{some(self._selected)}"
        )
        if failed:
            self._findings.append(
                Finding(
                    Check.NAMESPACES,
                    False,
                    f"{what}; {failed} with a problem",
                    "See problems: each has its own remedy.",
                )
            )
        else:
            self._findings.append(Finding(Check.NAMESPACES, True, what))

    def _excess(self, audit: AccessAudit, subject: Subject, identity: Identity) -> Finding:
        """Return the finding on rights beyond the needed ones."""
        excess = audit.excess()
        if excess is None:
            return Finding(
                Check.EXCESS,
                True,
                f"may not read other Secrets in the {audit.probed} namespaces checked, run Pods"
                " or impersonate anybody",
            )
        by = (
            f" (by {some([f'{kind} {name}' for kind, name in excess.bindings])})"
            if excess.bindings
            else ""
        )
        # EKS knows the function by its role, others by the name that they gave it themselves.
        eks = self._sign_in.asks_eks
        by_group = eks or subject.name in identity.groups
        names = "|".join(name for _, name in excess.bindings[:SHOWN])
        found = f"-E '{names}'" if names else f"-F '{subject.name if by_group else identity.user}'"
        look = (
            f"`{kubectl(self._config)} get clusterrolebindings,rolebindings -A -o wide | grep"
            f" {found}`"
        )
        if excess.bindings:
            remedy = f"Remove the function from these bindings; infra/rbac is all it needs: {look}"
        else:
            policy = self._remedies.granted_by_policy(
                self._sign_in.principal() if eks else identity.user
            )
            remedy = f"See what grants it: `{policy}`; {look}"
        return Finding(Check.EXCESS, False, f"may {excess.what}{by}: more than is needed", remedy)


async def _nobody() -> Credential:
    return Credential()


def _failed(check: Check, error: PusherError) -> Finding:
    return Finding(check, False, error.message, error.remedy)
