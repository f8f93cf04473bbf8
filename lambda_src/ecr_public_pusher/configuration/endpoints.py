"""Where else than to EKS anything may be sent: the hosts that the stack's owner allows. Pure.

Who may write a document must not be able to have tokens sent to a server of their own.
"""

import ipaddress
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

ASK_THE_OWNER = "Ask the stack's owner to add the host to the template parameter AllowedEndpoints."
# As the template has it: a glob stands within one part of a name, of which the last two are said outright. What is not of this form allows nothing.
ALLOWED_FORM = r"(([a-z0-9*?-]+\.)*[a-z0-9-]+\.[a-z0-9-]+|([0-9]{1,3}\.){3}[0-9]{1,3}|\[[0-9a-f:]+\])"


def host_of(endpoint: str) -> str:
    """The host of an endpoint, as the connection takes it: an IPv6 address without its brackets."""
    return urlsplit(endpoint).hostname or ""


def is_allowed(endpoint: str, allowed: Iterable[str]) -> bool:
    """Whether one of the names and globs is the endpoint's host. A glob is for names alone, and each of its parts for one part of the name."""
    host = host_of(endpoint)
    patterns = [pattern.strip("[]") for pattern in map(str.strip, allowed) if re.fullmatch(ALLOWED_FORM, pattern)]
    if host in patterns:
        return bool(host)
    if _is_address(host):
        return False
    return any(_matches(pattern.split("."), host.split(".")) for pattern in patterns)


def not_allowed(endpoint: str) -> str:
    """What is said of an endpoint that is not."""
    return f"nothing is sent to {host_of(endpoint)[:200]}, which the stack's AllowedEndpoints does not name"


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
