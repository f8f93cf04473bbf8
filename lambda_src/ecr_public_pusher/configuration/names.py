"""Names and globs of Kubernetes objects, and the error for one that no object can have. Pure.

The patterns are valid in Python and in a JSON Schema (ECMA-262).
"""

import re
from collections.abc import Callable
from fnmatch import fnmatchcase, translate
from functools import lru_cache

# An RFC 1123 label, as the API server requires.
NAMESPACE_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVICE_ACCOUNT = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"  # RFC 1123 subdomain
# A name or a glob, which may have forms that no name has. A lookahead tells the two apart, so that
# a word can match in one way only.
_FORM = (
    r"(?={name}(?!\S)|\S*[*?\[])(?=\S{{1,253}}(?!\S))(?!-)"
    r"(?:[a-z0-9{more}*?-]|\[!?[a-z0-9{more}-]+\])*(?:[a-z0-9{more}*?]|\[!?[a-z0-9{more}-]+\])"
)
NAMESPACE_PATTERN = _FORM.format(name=NAMESPACE_NAME, more="")
SERVICE_ACCOUNT_PATTERN = _FORM.format(name=_SERVICE_ACCOUNT, more=".")

_NAMESPACE_FORM = re.compile(NAMESPACE_PATTERN)
_SERVICE_ACCOUNT_FORM = re.compile(SERVICE_ACCOUNT_PATTERN)


# A parameter's name is the longest of all names here (SSM PutParameter, `Name`). Matching a glob
# costs at most its length times the name's, however many stars it has.
MAX_LENGTH = 2048


def is_glob(pattern: str) -> bool:
    """Return whether the pattern is a glob rather than a name."""
    return any(character in pattern for character in "*?[")


def matches(pattern: str, name: str) -> bool:
    """Return whether the name or glob matches `name`; nothing matches a name that is too long."""
    return len(name) <= MAX_LENGTH and fnmatchcase(name, pattern)


@lru_cache(maxsize=256)
def any_of(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that tests whether any of the names and globs matches a name."""
    names = frozenset(pattern for pattern in patterns if not is_glob(pattern))
    globs = [pattern for pattern in patterns if is_glob(pattern)]
    if not globs:
        return names.__contains__
    form = re.compile("|".join(map(translate, globs)))
    return lambda name: name in names or (len(name) <= MAX_LENGTH and bool(form.match(name)))


def check_namespace(pattern: str) -> str:
    """Return `pattern` if a namespace could have this name or match this glob.

    Raise ValueError with what is expected.
    """
    if _NAMESPACE_FORM.fullmatch(pattern):
        return pattern
    raise _impossible(
        pattern,
        "namespace",
        "lowercase letters, digits and '-', at most 63, no '-' at either end",
        "digits, '-'",
    )


def check_service_account(pattern: str) -> str:
    """Return `pattern` if a ServiceAccount could have this name or match this glob.

    Raise ValueError with what is expected.
    """
    if _SERVICE_ACCOUNT_FORM.fullmatch(pattern):
        return pattern
    raise _impossible(
        pattern,
        "ServiceAccount",
        "lowercase letters, digits, '-' and '.', no '-' or '.' at either end",
        "digits, '-', '.'",
    )


def delimiter_hint(text: str, what: str = "names") -> str:
    """Return the beginning of a message about text that is delimited by commas; else nothing."""
    if "," not in text:
        return ""
    return (
        f"{what} in one string are separated by spaces, not commas; in a list, each is an item"
        " of its own: "
    )


def _impossible(pattern: str, what: str, expected: str, characters: str) -> ValueError:
    hint = delimiter_hint(pattern)
    if is_glob(pattern):
        globs = f"lowercase letters, {characters}, with *, ? and [a-z]"
        return ValueError(f"no {what} can match the glob '{pattern[:80]}' ({hint}{globs})")
    return ValueError(f"'{pattern[:80]}' is not a {what} name ({hint}{expected})")
