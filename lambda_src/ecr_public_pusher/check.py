"""Finds out, without writing, whether each cluster could be pushed to, and what stands in the way: findings with a command to paste."""

from collections.abc import Callable
from dataclasses import replace

from ecr_public_pusher import eks, namespaces
from ecr_public_pusher.answers import Refused
from ecr_public_pusher.aws import Aws
from ecr_public_pusher.clusters import CLUSTERS_AT_ONCE, NAMESPACES_AT_ONCE, Job, with_others, work_on
from ecr_public_pusher.config import ClusterConfig
from ecr_public_pusher.errors import Crash, PusherError, RoleError, SignInError
from ecr_public_pusher.kube import Session
from ecr_public_pusher.lease import Lease, side_by_side
from ecr_public_pusher.model import RBAC_GROUP, ClusterResult, Finding
from ecr_public_pusher.permissions import DANGEROUS, LOOK, Permission, needed
from ecr_public_pusher.plan import Plan, PlannedCluster
from ecr_public_pusher.reachability import reached
from ecr_public_pusher.transport import Patience

# Where access is granted namespace by namespace, so many are asked about; the dry run tells of the others.
NAMESPACES_ASKED = 200
# A right beyond the configuration is looked for in all namespaces at once, and in so many of the selected ones.
NAMESPACES_PROBED = 20


def check_clusters(
    plan: Plan, dry_run: Callable[[PlannedCluster], Job], *, aws: Aws, lease: Lease, patience: Patience | None = None
) -> list[ClusterResult]:
    """One result per cluster: what was found out up to the first thing that stands in the way, and a dry run where nothing does."""
    patience = patience or Patience()
    checks = [_Check(planned, aws, lease, patience) for planned in plan.clusters]
    for check, crash in side_by_side(checks, _Check.run, width=CLUSTERS_AT_ONCE, lease=lease):
        if isinstance(crash, BaseException):
            check.failed(crash if isinstance(crash, PusherError) else Crash.from_exception(crash))
    reachable = Plan(tuple(check.planned for check in checks if check.signed_in))
    tried = {result.id: result for result in work_on(reachable, dry_run, aws=aws, lease=lease, patience=patience)}
    results = [_result(check, tried.get(check.planned.config.id)) for check in checks]
    bad = [ClusterResult(identity, error=error, findings=(_of("configuration", error),)) for identity, error in plan.bad.items()]
    return sorted([*with_others(results, replace(plan, bad={})), *bad], key=lambda result: result.id)


def _result(check: "_Check", tried: ClusterResult | None) -> ClusterResult:
    findings = check.findings
    if tried is None:
        return ClusterResult(check.planned.config.id, findings=findings, attempted=bool(findings))
    names = sorted(tried.found)
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "none"
    selected = Finding("namespaces", tried.error is None, f"{len(names)} to look at now: {shown}", tried.error.remedy if tried.error else "")
    return replace(tried, findings=(*findings, selected))


class _Check:
    """One cluster's findings, as they grow."""

    def __init__(self, planned: PlannedCluster, aws: Aws, lease: Lease, patience: Patience) -> None:
        self.planned, self._aws, self._lease, self._patience = planned, aws, lease, patience
        self.signed_in = False
        self._found: list[Finding] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        if not self._found:
            return (Finding("configuration", False, "the function's time was up before its turn", "Raise the function's time-out."),)
        return tuple(self._found)

    def failed(self, error: PusherError) -> None:
        self._found.append(_of("check", error))

    def run(self) -> None:
        config = self.planned.config
        self._found.append(Finding("configuration", True, f"cluster {config.cluster} in {config.region}, Secret {config.secret_name}"))
        try:
            account = self._aws.account(config.role_arn, config.external_id)
            endpoint = eks.describe(self._aws.client("eks", region=config.region, account=account), config.cluster)
        except PusherError as error:
            self._found.append(_of("role" if isinstance(error, RoleError) else "eks", error))
            return
        mode = f", authentication mode {endpoint.authentication_mode}" if endpoint.authentication_mode else ""
        self._found.append(Finding("eks", True, f"{'public' if endpoint.public else 'private'} endpoint {endpoint.url}{mode}"))
        self._found += reached(endpoint, cluster=config.cluster, region=config.region, lease=self._lease, patience=self._patience)
        if not self._found[-1].ok:
            return
        signing = self._aws.signing_client(region=config.region, account=account)
        try:
            token = eks.presign(signing, config.cluster)
            self._found.append(Finding("token", True, f"{len(token)} of at most {eks.MAX_TOKEN_BYTES} bytes"))
        except SignInError as error:
            self._found.append(_of("token", error))
            return
        session = Session(
            endpoint, lambda: eks.presign(signing, config.cluster), lease=self._lease, connections=NAMESPACES_AT_ONCE, patience=self._patience
        )
        try:
            self._ask(session, self._aws.principal(account))
        finally:
            session.close()

    def _ask(self, session: Session, principal: str) -> None:
        config = self.planned.config
        try:
            user, groups = session.who_am_i()
        except PusherError as error:
            self._found.append(Finding("sign-in", False, error.message, _admit(config, principal, "create")))
            return
        self.signed_in = True
        member = RBAC_GROUP in groups
        self._found.append(
            Finding(
                "sign-in",
                member,
                f"signed in as {user[:300]}, groups {', '.join(groups)[:300]}" + ("" if member else f": not in the group {RBAC_GROUP}"),
                "" if member else _admit(config, principal, "update"),
            )
        )
        names = self._namespaces(session)
        for permission in needed(config, needs_list=self.planned.needs_list):
            self._found.append(_allowed(session, permission, names))
        self._found.append(_harmless(session, names))

    def _namespaces(self, session: Session) -> list[str]:
        """The selected namespaces, as far as they can be known."""
        selection = self.planned.config.selection
        try:
            listed = session.namespaces(selection.selector) if self.planned.needs_list else None
        except Refused:
            listed = None  # that this is not allowed is a finding of its own
        return [namespace.name for namespace in namespaces.select(selection, listed)]


def _allowed(session: Session, permission: Permission, names: list[str]) -> Finding:
    if session.may(permission.verb, permission.resource, name=permission.name):
        return Finding("permission", True, f"may {permission}")
    if permission.namespaced and names and len(names) <= NAMESPACES_ASKED:
        lacking = [name for name in names if not session.may(permission.verb, permission.resource, namespace=name, name=permission.name)]
        if not lacking:
            return Finding("permission", True, f"may {permission} in each of the {len(names)} namespaces")
        where = f" in {', '.join(lacking[:10])}" if len(lacking) < len(names) else ""
        return Finding("permission", False, f"may not {permission}{where}", permission.remedy)
    return Finding("permission", False, f"may not {permission}", permission.remedy)


def _harmless(session: Session, names: list[str]) -> Finding:
    for permission in DANGEROUS:
        for namespace in ("", "kube-system", *names[:NAMESPACES_PROBED]):
            if session.may(permission.verb, permission.resource, namespace=namespace):
                where = f"in {namespace}" if namespace else "everywhere"
                return Finding("excess", False, f"may {permission}, whatever its name, {where}: more than is needed", LOOK)
    return Finding("excess", True, "may neither read nor list other Secrets, nor raise its own rights")


def _of(check: str, error: PusherError) -> Finding:
    return Finding(check, False, error.message, error.remedy)


def _admit(config: ClusterConfig, principal: str, verb: str) -> str:
    return (
        f"aws eks {verb}-access-entry --region {config.region} --cluster-name {config.cluster} --principal-arn {principal}"
        + (" --type STANDARD" if verb == "create" else "")
        + f" --kubernetes-groups {RBAC_GROUP}"
    )
