"""The form of an API server's address, and its normal form. Pure.

The pattern is valid in Python and in a JSON Schema (ECMA-262).
"""

import re

_HOST_PART = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HEX = "[0-9A-Fa-f]{1,4}"


def _groups(most: int) -> str:
    return rf"(?:{_HEX}(?::{_HEX}){{0,{most - 1}}})?" if most else ""


# RFC 4291, section 2.2, in hexadecimal groups: eight of them, or at most seven around one "::".
_SHORTENED = "|".join(f"{_groups(left)}::{_groups(7 - left)}" for left in range(8))
_IPV6 = rf"(?:(?:{_HEX}:){{7}}{_HEX}|{_SHORTENED})"
_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# Nothing that a proxy could take for another path: no dots, escapes, parameters or empty parts.
_PATH = r"(?:/[A-Za-z][A-Za-z0-9_-]*(?:/[A-Za-z0-9_-]+)*)?"
MAX_HOST = 259
MAX_PATH = 255
ENDPOINT_PATTERN = (
    rf"[Hh][Tt][Tt][Pp][Ss]://(?=[^/]{{1,{MAX_HOST}}}(?:/.{{0,{MAX_PATH}}})?$)"
    rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[{_IPV6}\])(?::{_PORT})?{_PATH}/?"
)
EXPECTED = (
    "the API server's address, https://HOST or https://HOST:PORT, optionally with a plain path:"
    " letters, digits, - and _ between slashes"
)
_SCHEME = "https://"
_HTTPS_PORT = ":443"
# Possible faults of an address, in this order; the words repeat no part of it, since it may hold a
# password.
_FAULTS = (
    (r"(?!https://)", "one that does not begin with https://"),
    (r"[^/]*//[^/]*@", "one with user info"),
    (r"[^?#]*[?#]", "one with a query or a fragment"),
    (r"[^\\%]*[\\%]", "one with a backslash or an escape"),
    (r"https://[^/]+/.*[^A-Za-z0-9_/-]", "one whose path has other characters"),
    (
        r"https://[^/]+/(?:[^A-Za-z]|.*//)",
        "one whose path does not begin with a letter, or has an empty part",
    ),
    (r"https://[^:/]*\.(?::|/|$)", "one whose host ends with a dot"),
)


def normal_endpoint(value: str) -> str:
    """Return the address with its host in lower case, without port 443 and a trailing slash.

    Raise ValueError with what is expected and what was found; it repeats no part of the address.
    """
    if not re.fullmatch(ENDPOINT_PATTERN, value):
        raise ValueError(f"expected {EXPECTED}, found {_fault(value)}")
    host, slash, path = value[len(_SCHEME) :].removesuffix("/").partition("/")
    return f"{_SCHEME}{host.lower().removesuffix(_HTTPS_PORT)}{slash}{path}"


def path_of(endpoint: str) -> str:
    """Return the path of a normal address without the slash before it; empty where it has none."""
    return endpoint.removeprefix(_SCHEME).partition("/")[2]


def _fault(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    given = f"{scheme.lower()}{separator}{rest}"
    return next(
        (what for pattern, what in _FAULTS if re.match(pattern, given, re.DOTALL)),
        "one of another form",
    )
