"""Outcome and remedy for each final answer of the API server about a namespace. Pure."""

from collections.abc import Sequence
from copy import replace

from ecr_public_pusher.configuration.rbac_subject import OUR_GROUP, Subject
from ecr_public_pusher.errors import ApiStatusError, DeniedBy
from ecr_public_pusher.jobs.seen_secret import Marks
from ecr_public_pusher.results import NamespaceOutcome, Outcome

# Prefixes of the platform's own namespaces, where the provider's policies deny what others write
# (GKE, OpenShift).
PLATFORM_NAMESPACES = ("kube-", "gke-", "gmp-", "openshift-")


def explain(
    error: ApiStatusError,
    namespace: str,
    name: str,
    *,
    kubectl: str,
    subject: Subject = OUR_GROUP,
    listed: bool = False,
    repository: bool = False,
) -> NamespaceOutcome:
    """Return the outcome and remedy for a final error about the Secret `name`.

    `kubectl`: the beginning of a command for the cluster. `subject`: that the function is there.
    `listed`: the namespace existed a moment ago. `repository`: it is the Secret of
    one of Argo CD's repositories.
    """

    def outcome(kind: Outcome, message: str, remedy: str = "") -> NamespaceOutcome:
        return NamespaceOutcome(namespace, kind, message, remedy)

    if error.status == 404 and error.kind == "namespaces":
        if listed:
            return outcome(Outcome.SKIPPED, "the namespace was deleted in the meantime")
        return outcome(
            Outcome.MISSING,
            "the namespace does not exist",
            f"`{kubectl} create namespace {namespace}`, or remove it from the configuration.",
        )
    if error.namespace_terminating:
        return outcome(Outcome.SKIPPED, "the namespace is being deleted")
    if error.denied_by is DeniedBy.QUOTA:
        return outcome(
            Outcome.FAILED,
            f"the namespace's ResourceQuota leaves no room for the Secret {name}",
            f"Raise its count/secrets (`{kubectl} -n {namespace} describe resourcequota` shows it),"
            " or exclude the namespace.",
        )
    if error.denied_by is DeniedBy.POLICY:
        if repository:
            remedy = f"Ask whoever runs it for an exception for {subject}."
        elif namespace.startswith(PLATFORM_NAMESPACES):
            remedy = (
                "The namespace belongs to the platform: exclude it (namespaces: {exclude:"
                f" [{namespace}]}})."
            )
        else:
            # An apply, since the rights are limited to a name and the request of `kubectl create`
            # has none.
            remedy = (
                f"Ask whoever runs it for an exception for {subject}; this shows the"
                f" API server's message: `{kubectl} -n {namespace} create secret docker-registry"
                f" {name} --docker-server=x --docker-username=x --docker-password=x"
                f" --dry-run=client -o yaml | {kubectl} apply --server-side --force-conflicts"
                f" --dry-run=server {subject.impersonation} -f -`."
            )
        return outcome(Outcome.FAILED, f"{_denier(error)} denies the Secret {name}", remedy)
    if error.lacks_rights:
        return outcome(
            Outcome.FORBIDDEN,
            f"not allowed to create and patch the Secret {name} (or, granted namespace by"
            " namespace: the namespace does not exist)",
            f"Apply infra/rbac{'/argocd.yaml' if repository else ''} with resources: [secrets],"
            f" resourceNames: [{name}], verbs: [create, patch] for {subject}.",
        )
    if error.type_conflict or (error.status == 422 and "FieldValueInvalid" in error.causes):
        return outcome(
            Outcome.WRONG_TYPE,
            f"a Secret {name} of another type is there, and a Secret's type cannot be changed",
            f"Delete it (`{kubectl} -n {namespace} delete secret {name}`), or choose another"
            f" {'name' if repository else 'secretName'}.",
        )
    if error.conflict:
        return explain_conflict(namespace, name, error.conflict.managers, repository=repository)
    if error.status == 422 and "FieldValueForbidden" in error.causes:
        return outcome(
            Outcome.FAILED,
            f"the Secret {name} is marked immutable",
            f"Delete it: `{kubectl} -n {namespace} delete secret {name}`.",
        )
    return outcome(Outcome.FAILED, error.message, error.remedy)


def explain_conflict(
    namespace: str, name: str, managers: Sequence[str], *, repository: bool = False
) -> NamespaceOutcome:
    """Return the outcome of a Secret that somebody else's field managers hold."""
    remedy = (
        "Stop the other writer and set takeOwnership: true, or choose another name for the"
        " repository's Secret. A takeover replaces name, url, type, enableOCI, username and"
        " password, and leaves Argo CD's other settings in the Secret."
        if repository
        else "Stop the other writer and set takeOwnership: true, exclude the namespace, or choose"
        " another secretName. A takeover replaces everything in the Secret, credentials of"
        " other registries included."
    )
    return NamespaceOutcome(
        namespace,
        Outcome.CONFLICT,
        f"the Secret {name} is managed by {', '.join(managers) or 'another field manager'}",
        remedy,
    )


def explain_marks_left(
    outcome: NamespaceOutcome, name: str, marks: Marks, error: ApiStatusError
) -> NamespaceOutcome:
    """Return the outcome of a takeover whose former owner may still delete the Secret."""
    owners = ", ".join(marks.owners or (*marks.labels, *marks.annotations))
    return replace(
        outcome,
        outcome=Outcome.FAILED,
        message=(
            f"the Secret {name} was taken over, but the marks by which its former owner"
            f" ({owners[:200]}) may delete it could not be removed: {error.message}"
        ),
        remedy=(
            "The next run tries again. Until then keep the former owner, or have it orphan the"
            " Secret (External Secrets: creationPolicy: Orphan)."
        ),
    )


def explain_accounts(
    error: ApiStatusError, outcome: NamespaceOutcome, *, subject: Subject, dry_run: bool
) -> NamespaceOutcome:
    """Return the outcome of a Secret whose name could not be added to ServiceAccounts."""
    secret_is = _secret_is(dry_run=dry_run)
    if error.lacks_rights:
        return replace(
            outcome,
            outcome=Outcome.FORBIDDEN,
            message=f"{secret_is}, but not allowed to read and patch ServiceAccounts",
            remedy=_remedy_accounts(subject),
        )
    if error.denied_by is DeniedBy.POLICY:
        return replace(
            outcome,
            outcome=Outcome.FAILED,
            message=f"{secret_is}, but {_denier(error)} denies the change of its ServiceAccounts",
            remedy=(
                f"Ask whoever runs it for an exception for {subject}, or remove the"
                " account from serviceAccounts."
            ),
        )
    return replace(
        outcome,
        outcome=Outcome.FAILED,
        message=f"{secret_is}, but its ServiceAccounts could not be changed: {error.message}",
        remedy=error.remedy,
    )


def missing_accounts(
    outcome: NamespaceOutcome, names: Sequence[str], kubectl: str, *, dry_run: bool
) -> NamespaceOutcome:
    """Return the outcome of a namespace without ServiceAccounts that the document names."""
    return replace(
        outcome,
        outcome=Outcome.MISSING,
        message=(
            f"{_secret_is(dry_run=dry_run)}, but the ServiceAccount {', '.join(names[:5])} does not"
            " exist"
        ),
        remedy=(
            f"`{kubectl} -n {outcome.namespace} create serviceaccount {names[0]}`, or remove it"
            " from serviceAccounts."
        ),
    )


def explain_not_removed(
    error: ApiStatusError, namespace: str, name: str, *, subject: Subject, repository: bool = False
) -> NamespaceOutcome:
    """Return the outcome of a Secret that stays.

    It, or the ServiceAccounts that bear its name, could not be changed.
    """
    if error.lacks_rights and error.kind == "serviceaccounts":
        return NamespaceOutcome(
            namespace,
            Outcome.FORBIDDEN,
            "the Secret stays, since the function may not remove its name from the"
            " ServiceAccounts that list it",
            _remedy_accounts(subject),
        )
    if error.lacks_rights:
        return NamespaceOutcome(
            namespace,
            Outcome.FORBIDDEN,
            may_not_remove(name, repository=repository),
            remedy_removal(name, subject, repository=repository),
        )
    return NamespaceOutcome(
        namespace, Outcome.FAILED, f"the Secret could not be removed: {error.message}", error.remedy
    )


def may_not_remove(name: str, *, repository: bool = False) -> str:
    """Return the message for missing rights to remove the Secret."""
    return (
        f"signed in, but not allowed to {'list' if repository else 'get'} and delete the Secret"
        f" {name}, which prune and remove need"
    )


def remedy_removal(name: str, subject: Subject, *, repository: bool = False) -> str:
    """Return the remedy for missing rights to remove the Secret."""
    if repository:
        return (
            "Apply infra/rbac/argocd.yaml (list and delete on secrets with resourceNames:"
            f" [{name}] for {subject})."
        )
    return (
        f"Apply infra/rbac/prune.yaml (get and delete on secrets with resourceNames: [{name}] for"
        f" {subject})."
    )


def _remedy_accounts(subject: Subject) -> str:
    return (
        "Apply infra/rbac/service-accounts.yaml (get, list and patch on serviceaccounts for the"
        f" group {subject})."
    )


def _denier(error: ApiStatusError) -> str:
    return (
        f"the admission webhook {error.webhook}"
        if error.webhook
        else "an admission policy or webhook of the cluster"
    )


def _secret_is(*, dry_run: bool) -> str:
    return "the Secret could be written" if dry_run else "the Secret is there"
