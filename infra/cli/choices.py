"""The values of options that take one of a few words."""

from enum import StrEnum


class Format(StrEnum):
    """The formats of results."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class Grant(StrEnum):
    """The scope of the rights that `clusters add` grants."""

    CLUSTER = "cluster"
    NAMESPACED = "namespaced"
    NONE = "none"


class Queue(StrEnum):
    """The stack's queues, as `queue purge` names them."""

    RETRY = "retry"
    DEAD_LETTERS = "dead-letters"
