"""Names and globs of Kubernetes objects, and the error for one that no object can have. Pure."""

import re
from fnmatch import fnmatchcase

_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 label, as the API server demands
_NAMESPACE_GLOB = re.compile(r"(?:[a-z0-9*?-]|\[!?[a-z0-9-]+\])+")
_SERVICE_ACCOUNT = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")  # RFC 1123 subdomain
_SERVICE_ACCOUNT_GLOB = re.compile(r"(?:[a-z0-9.*?-]|\[!?[a-z0-9.-]+\])+")


def is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def matches(pattern: str, name: str) -> bool:
    return fnmatchcase(name, pattern)


def check_namespace(pattern: str) -> str:
    """`pattern`, when some namespace could have this name or match this glob. Raises ValueError saying what is expected."""
    if is_glob(pattern):
        return _glob(pattern, _NAMESPACE_GLOB, "namespace", "lowercase letters, digits, '-', with *, ? and [a-z]")
    if _NAMESPACE.fullmatch(pattern):
        return pattern
    raise ValueError(f"'{pattern[:80]}' is not a namespace name (lowercase letters, digits and '-', at most 63, no '-' at either end)")


def check_service_account(pattern: str) -> str:
    """The same for the name of a ServiceAccount."""
    if is_glob(pattern):
        return _glob(pattern, _SERVICE_ACCOUNT_GLOB, "ServiceAccount", "lowercase letters, digits, '-', '.', with *, ? and [a-z]")
    if _SERVICE_ACCOUNT.fullmatch(pattern):
        return pattern
    raise ValueError(f"'{pattern[:80]}' is not a ServiceAccount name (lowercase letters, digits, '-' and '.', no '-' or '.' at either end)")


def _glob(pattern: str, form: re.Pattern[str], what: str, expected: str) -> str:
    if form.fullmatch(pattern) and len(pattern) <= 253 and not (pattern[0] == "-" or pattern[-1] == "-"):
        return pattern
    raise ValueError(f"no {what} can match the glob '{pattern[:80]}' ({expected})")
