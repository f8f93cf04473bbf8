"""What this function is called in a cluster: the names that distinguish its objects from everybody else's."""

RBAC_GROUP = "ecr-public-pushers"
FIELD_MANAGER = "ecr-public-pusher"
# Set on every Secret, whatever a document says.
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
ANNOTATION_PREFIX = "ecr-public-pusher/"
