"""The Principal element of resource and trust policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from infra.local.identity import principal_of, same_principal

from .decision import strings

_KINDS = ("AWS", "Service")
_ACCOUNT = re.compile(r"(?:arn:[a-z-]+:iam::)?(?P<id>\d{12})(?::root)?")


class Named(Enum):
    """The way in which a statement names the caller: itself, or only its account."""

    DIRECTLY = 1
    BY_ACCOUNT = 2


def check(principal: Any) -> None:
    """Raise ValueError for an unknown kind, and for a wildcard in part of a name.

    IAM has no such wildcards.
    """
    if principal == "*":
        return
    if not isinstance(principal, Mapping) or not principal or set(principal) - set(_KINDS):
        raise ValueError(f"unknown principal {principal}")
    for kind, names in principal.items():
        if any("*" in name and (kind, name) != ("AWS", "*") for name in strings(names)):
            raise ValueError(f"unknown wildcard in the principal {principal}")


def named(wanted: Any, caller: Mapping[str, str]) -> Named | None:
    """Return how `wanted` names the caller, None if it does not."""
    if wanted == "*":
        return Named.DIRECTLY
    ((kind, name),) = caller.items()
    names = strings(wanted.get(kind, ()))
    if kind not in _KINDS:
        raise ValueError(f"unknown principal {kind}")
    if kind == "Service":
        return Named.DIRECTLY if name in names else None
    if any(one in ("*", name) or same_principal(one, principal_of(name)) for one in names):
        return Named.DIRECTLY
    accounts = {account["id"] for one in names if (account := _ACCOUNT.fullmatch(one))}
    return Named.BY_ACCOUNT if name.split(":")[4] in accounts else None
