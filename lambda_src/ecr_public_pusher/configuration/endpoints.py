"""Where else than to EKS anything may be sent: the hosts that the stack's owner allows. Pure.

Who may write a document must not be able to have tokens sent to a server of their own.
"""

import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit


def host_of(endpoint: str) -> str:
    """The host of an endpoint, as the connection takes it: an IPv6 address without its brackets."""
    return urlsplit(endpoint).hostname or ""


def is_allowed(endpoint: str, allowed: Iterable[str]) -> bool:
    """Whether one of the names and globs is the endpoint's host. A glob is for names alone, and each of its parts for one part of the name."""
    host = host_of(endpoint)
    patterns = [pattern.strip().lower().strip("[]") for pattern in allowed]
    if host in patterns:
        return bool(host)
    if _is_address(host):
        return False
    return any(_matches(pattern.split("."), host.split(".")) for pattern in patterns)


def _matches(pattern: list[str], host: list[str]) -> bool:
    return len(pattern) == len(host) and all(fnmatchcase(part, wanted) for wanted, part in zip(pattern, host, strict=True))


def _is_address(host: str) -> bool:
    """By any notation that a resolver takes for one: its last part is a number."""
    last = host.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
