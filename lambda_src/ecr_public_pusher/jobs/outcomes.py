"""What the API server's final answer means for a namespace: the outcome, and what to do about it. Pure."""

from ecr_public_pusher.errors import ApiStatusError, DeniedBy
from ecr_public_pusher.ownership import RBAC_GROUP
from ecr_public_pusher.results import NamespaceOutcome, Outcome


def explain(error: ApiStatusError, namespace: str, name: str, *, kubectl: str, listed: bool = False) -> NamespaceOutcome:
    """The outcome that a final answer other than success means for the Secret `name`, with its remedy.

    `kubectl`: how a command for the cluster begins. `listed`: the namespace was there a moment ago.
    """

    def outcome(kind: Outcome, message: str, remedy: str = "") -> NamespaceOutcome:
        return NamespaceOutcome(namespace, kind, message, remedy)

    if error.status == 404 and error.kind == "namespaces":
        if listed:
            return outcome(Outcome.SKIPPED, "the namespace was deleted in the meantime")
        return outcome(
            Outcome.MISSING, "the namespace does not exist", f"`{kubectl} create namespace {namespace}`, or take it out of the configuration."
        )
    if error.namespace_terminating:
        return outcome(Outcome.SKIPPED, "the namespace is being deleted")
    if error.denied_by is DeniedBy.QUOTA:
        return outcome(
            Outcome.FAILED,
            f"the namespace's ResourceQuota leaves no room for the Secret {name}",
            f"Raise its count/secrets (`{kubectl} -n {namespace} describe resourcequota` shows it), or exclude the namespace.",
        )
    if error.denied_by is DeniedBy.POLICY:
        return outcome(
            Outcome.FAILED,
            f"an admission policy or webhook of the cluster denies the Secret {name}",
            f"Ask whoever runs it for an exception for the group {RBAC_GROUP}; this shows the API server's message: `{kubectl} -n {namespace} "
            f"create secret docker-registry {name} --docker-server=x --docker-username=x --docker-password=x --dry-run=server "
            f"--as=ecr-public-pusher --as-group={RBAC_GROUP}`.",
        )
    if error.status == 403:
        return outcome(
            Outcome.FORBIDDEN,
            f"not allowed to create and patch the Secret {name} (or, granted namespace by namespace: the namespace does not exist)",
            f"Apply infra/rbac with resources: [secrets], resourceNames: [{name}], verbs: [create, patch] for the group {RBAC_GROUP}.",
        )
    if (error.conflict and ".type" in error.conflict.fields) or (error.status == 422 and "FieldValueInvalid" in error.causes):
        return outcome(
            Outcome.WRONG_TYPE,
            f"a Secret {name} of another type is there, and a Secret's type cannot be changed",
            f"Delete it (`{kubectl} -n {namespace} delete secret {name}`), or choose another secretName.",
        )
    if error.conflict:
        return outcome(
            Outcome.CONFLICT,
            f"the Secret {name} is managed by {', '.join(error.conflict.managers) or 'another field manager'}",
            "Stop the other writer and set takeOwnership: true, exclude the namespace, or choose another secretName.",
        )
    if error.status == 422 and "FieldValueForbidden" in error.causes:
        return outcome(Outcome.FAILED, f"the Secret {name} is marked immutable", f"Delete it: `{kubectl} -n {namespace} delete secret {name}`.")
    return outcome(Outcome.FAILED, error.message, error.remedy)
