"""Self reviews (who am I, may I?), as the function's check and `kubectl auth` ask for them."""

from ..kinds import Kind, Object
from ..ownership import fields
from ..status import ApiError
from ..storage.store import Store
from . import authz
from .authz import Attributes, UserInfo

SUBJECT_REVIEW = Kind(
    "SelfSubjectReview",
    "selfsubjectreviews",
    "selfsubjectreview",
    False,
    ("status",),
    "authentication.k8s.io",
    verbs=("create",),
)
ACCESS_REVIEW = Kind(
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    "selfsubjectaccessreview",
    False,
    ("spec", "status"),
    "authorization.k8s.io",
    verbs=("create",),
)
REVIEWS = {
    (kind.group, kind.version, kind.plural): kind for kind in (SUBJECT_REVIEW, ACCESS_REVIEW)
}


def review(
    kind: Kind, store: Store, user: UserInfo, body: Object, *, manager: str, now: str
) -> Object:
    """Return the answer to a self review."""
    head = {"kind": kind.kind, "apiVersion": kind.api_version}
    if kind is SUBJECT_REVIEW:
        return {
            **head,
            "metadata": {"creationTimestamp": now},
            "status": {"userInfo": user.as_json()},
        }
    spec = body.get("spec") or {}
    decision = authz.decide(store, user, _asked(spec))
    entry = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": kind.api_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields.to_fields_v1(fields.nodes(kind, {"spec": spec})),
    }
    reason = {"reason": decision.reason} if decision.reason else {}
    return {
        **head,
        "metadata": {"managedFields": [entry]},
        "spec": spec,
        "status": {"allowed": decision.allowed, **reason},
    }


def _asked(spec: Object) -> Attributes:
    if resource := spec.get("resourceAttributes"):
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        return Attributes(**{name: resource.get(name, "") for name in names})
    if path := spec.get("nonResourceAttributes"):
        return Attributes(verb=path.get("verb", ""), path=path.get("path", ""))
    # The server names no kind here.
    detail = (
        "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be"
        " specified"
    )
    field = "spec.resourceAttributes"
    raise ApiError(
        422,
        f'.{ACCESS_REVIEW.group} "" is invalid: {field}: {detail}',
        {
            "group": ACCESS_REVIEW.group,
            "causes": [{"reason": "FieldValueInvalid", "message": detail, "field": field}],
        },
    )
