"""The hosts outside EKS that anything may be sent to, as the stack's owner allows them. Pure.

A document's author must not be able to have tokens sent to a server of their own.
"""

import ipaddress
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from ecr_public_pusher.configuration.endpoint_form import path_of

# The template's pattern: a glob stands within one part of a host name, whose last two parts are
# literal, or within one part of a path, which begins with a letter. An entry of another form allows
# nothing.
ALLOWED_FORM = (
    r"(([a-z0-9*?-]+\.)*[a-z0-9-]+\.[a-z0-9-]+|([0-9]{1,3}\.){3}[0-9]{1,3}|\[[0-9a-f:]+\])"
    r"(/[A-Za-z][A-Za-z0-9_*?-]*(/[A-Za-z0-9_*?-]+)*)?"
)


def host_of(endpoint: str) -> str:
    """Return an endpoint's host as the connection takes it: an IPv6 address without brackets."""
    return urlsplit(endpoint).hostname or ""


def allowing(endpoint: str) -> str:
    """Return the entry that names this endpoint and no other. `endpoint`: in normal form."""
    host = host_of(endpoint)
    path = path_of(endpoint)
    return f"{f'[{host}]' if ':' in host else host}{f'/{path}' if path else ''}"


def is_allowed(endpoint: str, allowed: Iterable[str]) -> bool:
    """Return whether an entry matches the endpoint's host, and its path where it has one.

    Globs match names and paths only, each part of a glob one part of the name or path. An entry
    without a path matches no endpoint with one. `endpoint`: in normal form.
    """
    host = host_of(endpoint)
    path = path_of(endpoint)
    entries = [
        entry.partition("/")
        for entry in map(str.strip, allowed)
        if re.fullmatch(ALLOWED_FORM, entry)
    ]
    return any(
        _is_host(pattern.strip("[]"), host) and _matches(paths.split("/"), path.split("/"))
        for pattern, _, paths in entries
    )


def not_allowed(endpoint: str) -> str:
    """Return the message for an endpoint that is not allowed.

    Its path is left out: it may stand in a secret.
    """
    where = (
        f"this path of {host_of(endpoint)[:200]}" if path_of(endpoint) else host_of(endpoint)[:200]
    )
    return f"nothing is sent to {where}, which the stack's AllowedEndpoints does not name"


def ask_the_owner(entry: str) -> str:
    """Return the remedy for an endpoint that is not allowed: to add `entry`, which allows it."""
    return (
        f"Ask the stack's owner to add {entry} (or a glob that matches it) to the template"
        " parameter AllowedEndpoints."
    )


def _is_host(pattern: str, host: str) -> bool:
    return pattern == host or (
        not _is_address(host) and _matches(pattern.split("."), host.split("."))
    )


def _matches(pattern: list[str], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(
        fnmatchcase(part, wanted) for wanted, part in zip(pattern, parts, strict=True)
    )


def _is_address(host: str) -> bool:
    """Return whether a resolver takes the host for an address: its last part is a number."""
    last = host.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
