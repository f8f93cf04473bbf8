"""The names that distinguish this function's objects in a cluster from everybody else's. Pure."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from ecr_public_pusher.version import VERSION

PRODUCT = "ecr-public-pusher"
# Sent to Kubernetes and AWS, so that audit logs and CloudTrail show the release.
USER_AGENT = f"{PRODUCT}/{VERSION}"
RBAC_GROUP = "ecr-public-pushers"
# Set on every Secret, whatever a document says; its value is PRODUCT.
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
ANNOTATION_PREFIX = "ecr-public-pusher/"

MAX_MANAGER_BYTES = 128  # kube-apiserver's limit for a field manager's name


@dataclass(frozen=True)
class Stack:
    """One deployment. Two of the same name in two regions or accounts are different ones."""

    account: str
    region: str
    name: str

    @cached_property
    def field_manager(self) -> str:
        """The field manager under which the API server records this stack's fields.

        A name that is too long ends in its own hash instead.
        """
        manager = f"{PRODUCT}/{self.account}/{self.region}/{self.name}"
        if len(manager.encode()) <= MAX_MANAGER_BYTES:
            return manager
        digest = hashlib.sha256(manager.encode()).hexdigest()[:12]
        return f"{manager[: MAX_MANAGER_BYTES - len(digest) - 1]}-{digest}"

    def owner(self, document_id: str) -> str:
        """Return the owner mark of a Secret: this stack, with the document."""
        return f"{self.account}/{self.region}/{self.name}/{document_id}"

    def document_of(self, owner: str | None) -> str | None:
        """Return the id of this stack's document that `owner` names; None for another stack's."""
        if owner is None or not owner.startswith(self._prefix):
            return None
        return owner[len(self._prefix) :] or None

    @cached_property
    def _prefix(self) -> str:
        return self.owner("")
