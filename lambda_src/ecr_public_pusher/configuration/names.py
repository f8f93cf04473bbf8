"""Names and globs of Kubernetes objects, and the error for one that no object can have. Pure.

The patterns hold in Python and in a JSON Schema (ECMA-262) alike.
"""

import re
from fnmatch import fnmatchcase

_NAMESPACE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"  # RFC 1123 label, as the API server demands
_SERVICE_ACCOUNT = r"(?=\S{1,253}(?:\s|$))[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"  # RFC 1123 subdomain
_GLOB = r"(?=\S{{1,253}}(?:\s|$))(?!-)(?:[a-z0-9{more}*?-]|\[!?[a-z0-9{more}-]+\])*(?:[a-z0-9{more}*?]|\[!?[a-z0-9{more}-]+\])"
_NAMESPACE_GLOB, _SERVICE_ACCOUNT_GLOB = _GLOB.format(more=""), _GLOB.format(more=".")
# A name, or a glob: a name is a glob by its form, but a glob may be what no name may be.
NAMESPACE_PATTERN = rf"(?:{_NAMESPACE}(?!\S)|(?=\S*[*?\[]){_NAMESPACE_GLOB})"
SERVICE_ACCOUNT_PATTERN = rf"(?:{_SERVICE_ACCOUNT}(?!\S)|(?=\S*[*?\[]){_SERVICE_ACCOUNT_GLOB})"

_NAMESPACE_FORM, _SERVICE_ACCOUNT_FORM = re.compile(NAMESPACE_PATTERN), re.compile(SERVICE_ACCOUNT_PATTERN)


def is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def matches(pattern: str, name: str) -> bool:
    return fnmatchcase(name, pattern)


def check_namespace(pattern: str) -> str:
    """`pattern`, when some namespace could have this name or match this glob. Raises ValueError saying what is expected."""
    if _NAMESPACE_FORM.fullmatch(pattern):
        return pattern
    raise _impossible(pattern, "namespace", "lowercase letters, digits and '-', at most 63, no '-' at either end", "digits, '-'")


def check_service_account(pattern: str) -> str:
    """The same for the name of a ServiceAccount."""
    if _SERVICE_ACCOUNT_FORM.fullmatch(pattern):
        return pattern
    raise _impossible(pattern, "ServiceAccount", "lowercase letters, digits, '-' and '.', no '-' or '.' at either end", "digits, '-', '.'")


def delimiter_hint(text: str, what: str = "names") -> str:
    """Return what to say first where somebody delimited by commas; else nothing."""
    if "," not in text:
        return ""
    return f"{what} in one text are delimited by spaces, not commas; in a list each stands for itself: "


def _impossible(pattern: str, what: str, expected: str, characters: str) -> ValueError:
    hint = delimiter_hint(pattern)
    if is_glob(pattern):
        globs = f"lowercase letters, {characters}, with *, ? and [a-z]"
        return ValueError(f"no {what} can match the glob '{pattern[:80]}' ({hint}{globs})")
    return ValueError(f"'{pattern[:80]}' is not a {what} name ({hint}{expected})")
