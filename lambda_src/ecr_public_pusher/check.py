"""Finds out, without writing, whether each cluster could be pushed to, and what stands in the way: findings with a command to paste."""

from collections.abc import Callable
from dataclasses import replace

from ecr_public_pusher import eks, reviews
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.clusters import CLUSTERS_AT_ONCE, NAMESPACES_AT_ONCE, Job, with_others, work_on
from ecr_public_pusher.errors import ApiError, Crash, DeadlineReached, LeaseEnded, PusherError, SignInError
from ecr_public_pusher.inquiry import SHOWN, Inquiry, some
from ecr_public_pusher.kube import Session
from ecr_public_pusher.lease import TOO_SLOW, Lease, side_by_side
from ecr_public_pusher.model import RBAC_GROUP, Check, ClusterResult, Finding
from ecr_public_pusher.permissions import needed
from ecr_public_pusher.plan import Plan, PlannedCluster
from ecr_public_pusher.reachability import Route
from ecr_public_pusher.reviews import Identity
from ecr_public_pusher.transport import Patience

# Somebody waits for the answer: a request that got none is tried once more, not four times.
ATTEMPTS = 2
# Kept back of the lease, so that what is found out when it ends is told.
TELL_SECONDS = 0.5


def check_clusters(
    plan: Plan, dry_run: Callable[[PlannedCluster], Job], *, aws: Aws, lease: Lease, patience: Patience | None = None
) -> list[ClusterResult]:
    """One result per cluster: what was found out up to the first thing that stands in the way, and a dry run where it can sign in."""
    short = Lease(lease.not_after - min(TELL_SECONDS, lease.remaining / 10), lease.clock)
    patience = patience or Patience()
    patience = replace(patience, attempts=min(ATTEMPTS, patience.attempts))
    checks = [_ClusterCheck(planned, dry_run, aws, short, patience) for planned in plan.clusters]
    try:
        for check, crash in side_by_side(checks, _ClusterCheck.run, width=CLUSTERS_AT_ONCE, lease=lease):
            if isinstance(crash, BaseException):
                check.stop(crash if isinstance(crash, PusherError) else Crash.from_exception(crash))
    finally:
        short.end()
    bad = [ClusterResult(identity, findings=(_of(Check.CONFIGURATION, error),)) for identity, error in plan.bad.items()]
    return with_others([*(check.result() for check in checks), *bad], replace(plan, bad={}))


class _ClusterCheck:
    """One cluster's findings, as they grow. Others may ask for the result at any moment: after the deadline its thread is left alone."""

    def __init__(self, planned: PlannedCluster, dry_run: Callable[[PlannedCluster], Job], aws: Aws, lease: Lease, patience: Patience) -> None:
        self._planned, self._config, self._dry_run = planned, planned.config, dry_run
        self._aws, self._lease, self._patience = aws, lease, patience
        self._found = [
            Finding(Check.CONFIGURATION, True, f"cluster {self._config.cluster} in {self._config.region}, Secret {self._config.secret_name}")
        ]
        self._looking_at: Check | None = Check.ROLE
        self._began: float | None = None
        self._seconds: float | None = None
        self._selected: list[str] = []
        self._tried: ClusterResult | None = None

    def run(self) -> None:
        """Looks at one thing after the other. Never raises but for a defect."""
        if self._lease.over:
            return
        self._began = self._lease.clock.monotonic()
        try:
            self._run()
            self._looking_at = None
        except (LeaseEnded, DeadlineReached):
            pass  # the result tells what was being looked at
        except PusherError as error:
            self.stop(error)
        finally:
            self._seconds = self._lease.clock.monotonic() - self._began

    def stop(self, error: PusherError) -> None:
        """What was being looked at has failed."""
        if self._looking_at is not None:
            self._found.append(_of(self._looking_at, error))
        self._looking_at = None

    def result(self) -> ClusterResult:
        """What is known now."""
        findings, looking_at = tuple(self._found), self._looking_at
        if looking_at is not None:
            what = "no answer before the function's time was up" if self._began is not None else "the function's time was up before its turn"
            findings += (Finding(looking_at, False, what, TOO_SLOW),)
        seconds = self._seconds
        if seconds is None:
            seconds = self._lease.clock.monotonic() - self._began if self._began is not None else 0.0
        return replace(self._tried or ClusterResult(self._config.id), findings=findings, seconds=seconds, attempted=self._began is not None)

    def _run(self) -> None:
        config = self._config
        self._account = self._aws.account(config.role_arn, config.external_id)
        self._found.append(Finding(Check.ROLE, True, f"assumed {config.role_arn}" if config.role_arn else "the function's own"))
        self._look(Check.TOKEN)
        self._signing = self._aws.signing_client(region=config.region, account=self._account)
        signs = self._note(self._sign())
        self._look(Check.EKS)
        self._endpoint = endpoint = eks.describe(self._aws.client("eks", region=config.region, account=self._account), config.cluster)
        mode = f", authentication mode {endpoint.authentication_mode}" if endpoint.authentication_mode else ""
        self._found.append(Finding(Check.EKS, True, f"{'public' if endpoint.public else 'private'} endpoint {endpoint.url}{mode}"))
        route = Route(endpoint, cluster=config.cluster, region=config.region, lease=self._lease, patience=self._patience)
        for check, step in ((Check.DNS, route.resolve), (Check.TCP, route.connect), (Check.TLS, route.shake_hands)):
            self._look(check)
            if not self._note(step()):
                return
        if signs and self._asks():
            self._look(Check.NAMESPACES)
            self._try()

    def _look(self, check: Check) -> None:
        """From here on, what goes wrong went wrong with this."""
        self._looking_at = check
        self._lease.check()

    def _note(self, finding: Finding) -> bool:
        self._found.append(finding)
        return finding.ok

    def _sign(self) -> Finding:
        try:
            token = eks.presign(self._signing, self._config.cluster)
        except SignInError as error:
            return _of(Check.TOKEN, error)
        return Finding(Check.TOKEN, True, f"{len(token)} of at most {eks.MAX_TOKEN_BYTES} bytes")

    def _asks(self) -> bool:
        """Signs in and asks the cluster what is allowed; whether the sign-in came about."""
        self._look(Check.SIGN_IN)
        session = Session(
            self._endpoint,
            lambda: eks.presign(self._signing, self._config.cluster),
            lease=self._lease,
            connections=NAMESPACES_AT_ONCE,
            patience=self._patience,
        )
        try:
            try:
                identity = reviews.who_am_i(session)
            except SignInError:
                self._found.append(Finding(Check.SIGN_IN, False, "the cluster does not admit " + self._principal(), self._admit(())))
                return False
            self._found.append(Finding(Check.SIGN_IN, True, f"as {identity.user}, in the groups {', '.join(identity.groups)}"))
            self._look(Check.PERMISSION)
            self._ask(session, identity)
            return True
        finally:
            session.close()

    def _ask(self, session: Session, identity: Identity) -> None:
        needs = needed(self._config, needs_list=self._planned.needs_list)
        inquiry = Inquiry(session, self._lease, needs)
        inquiry.everywhere()
        self._selected = self._select(session)
        inquiry.in_each_of(self._selected)
        permissions = inquiry.permissions()
        if RBAC_GROUP not in identity.groups and not all(finding.ok for finding in permissions):
            admit = self._admit(identity.groups)
            signed_in = self._found.pop()
            self._found.append(replace(signed_in, ok=False, message=f"{signed_in.message}: {RBAC_GROUP} is not among them", remedy=admit))
            permissions = [finding if finding.ok else replace(finding, remedy=f"First the group (see sign-in): {admit}") for finding in permissions]
        self._found += [*permissions, self._excess(inquiry)]

    def _select(self, session: Session) -> list[str]:
        """The namespaces that a push would go to, as far as can be known: why they cannot be is told by the permission, or the dry run."""
        job = self._dry_run(self._planned)
        try:
            found = job.find(session)
        except ApiError:
            found = None
        return [target.name for target in (job.known() if found is None else found) if not job.by_the_way(target)]

    def _try(self) -> None:
        (self._tried,) = work_on(Plan((self._planned,)), self._dry_run, aws=self._aws, lease=self._lease, patience=self._patience)
        if self._tried.error is not None:
            self._found.append(_of(Check.NAMESPACES, self._tried.error))
            return
        bad = sum(outcome.outcome.bad for outcome in self._tried.outcomes)
        what = f"{len(self._selected)} selected now{': ' if self._selected else ''}{some(self._selected)}"
        if bad:
            self._found.append(Finding(Check.NAMESPACES, False, f"{what}; {bad} in trouble", "See problems: each has its own remedy."))
        else:
            self._found.append(Finding(Check.NAMESPACES, True, what))

    def _excess(self, inquiry: Inquiry) -> Finding:
        excess = inquiry.excess()
        if excess is None:
            return Finding(Check.EXCESS, True, f"may not read other Secrets in the {inquiry.probed} namespaces looked at, nor run or become anything")
        by = f" (by {some([f'{kind} {name}' for kind, name in excess.bindings])})" if excess.bindings else ""
        names = "|".join(name for _, name in excess.bindings[:SHOWN]) or RBAC_GROUP
        look = f"kubectl get clusterrolebindings,rolebindings -A -o wide | grep -E '{names}'"
        if excess.bindings:
            remedy = f"Take the function out of it; infra/rbac is all it needs: {look}"
        else:
            entry = f"--region {self._config.region} --cluster-name {self._config.cluster} --principal-arn {self._principal()}"
            remedy = f"See what grants it: aws eks list-associated-access-policies {entry}; {look}"
        return Finding(Check.EXCESS, False, f"may {excess.what}{by}: more than is needed", remedy)

    def _principal(self) -> str:
        return self._aws.principal(self._account)

    def _admit(self, groups: tuple[str, ...]) -> str:
        """The command that makes the cluster admit the signing role as our group; `groups`: those it is in by an access entry already."""
        where = f"--region {self._config.region} --cluster-name {self._config.cluster}"
        entry = f"{where} --principal-arn {self._principal()}"
        others = [group for group in groups if not group.startswith("system:") and " " not in group]
        if self._endpoint.authentication_mode == "CONFIG_MAP":
            name = f"--region {self._config.region} --name {self._config.cluster}"
            return (
                f"aws eks update-cluster-config {name} --access-config authenticationMode=API_AND_CONFIG_MAP && "
                f"aws eks wait cluster-active {name} && "
                f"aws eks create-access-entry {entry} --type STANDARD --kubernetes-groups {RBAC_GROUP}"
            )
        if groups:
            return f"aws eks update-access-entry {entry} --kubernetes-groups {' '.join([*others, RBAC_GROUP])}"
        return f"aws eks create-access-entry {entry} --type STANDARD --kubernetes-groups {RBAC_GROUP}"


def _of(check: Check, error: PusherError) -> Finding:
    return Finding(check, False, error.message, error.remedy)
