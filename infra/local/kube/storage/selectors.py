"""Label and field selectors, refused in the server's own words.

The parser follows apimachinery's `labels.Parse` token by token, since its error texts name the
token found and the one expected.
"""

import re
from collections.abc import Callable, Mapping

from ..kinds import Kind, Object
from ..status import bad_request

type Matches = Callable[[Object], bool]

SYMBOLS = ("==", "!=", "=", "!", "(", ")", ",", ">", "<")
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_TERM = re.compile(r"([^=!]+)(==|!=|=)(.*)")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
END = ""


def label_selector(text: str) -> Matches:
    """Return a predicate over objects. Raise the 400 for an invalid selector."""
    requirements = _Parser(text).parse()
    return lambda value: all(needs(value["metadata"].get("labels") or {}) for needs in requirements)


def field_selector(kind: Kind, text: str) -> Matches:
    """Return a predicate over objects by name, namespace and the kind's own fields.

    Raise the 400 for an invalid selector.
    """
    terms = [_field_term(kind, term) for term in text.split(",") if term]
    return lambda value: all(
        (_value_at(value, path) == wanted) is equal for path, equal, wanted in terms
    )


def selected_name(text: str) -> str:
    """Return the one name that a field selector selects.

    Authorisation treats it as the request's name. It is "" when there is none, or the selector is
    invalid.
    """
    found = [_TERM.fullmatch(term) for term in text.split(",") if term]
    terms = [match.groups() for match in found if match]
    if len(terms) < len(found):
        return ""
    names = (value for field, sign, value in terms if field == "metadata.name" and sign != "!=")
    return next(names, "")


def _field_term(kind: Kind, term: str) -> tuple[tuple[str, ...], bool, str]:
    match = _TERM.fullmatch(term)
    if not match:
        raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    path = tuple(match[1].split("."))
    namespaced = (("metadata", "namespace"),) if kind.namespaced else ()
    if path not in (("metadata", "name"), *namespaced, *kind.fields_selectable):
        known = '"metadata.name", "metadata.namespace"'
        raise bad_request(
            f"field label not supported: {match[1]}"
            if kind.fields_selectable
            else f'"{match[1]}" is not a known field selector: only {known}'
        )
    return path, match[2] != "!=", match[3]


def _value_at(value: Object, path: tuple[str, ...]) -> str:
    for name in path:
        value = value.get(name) or {}
    return str(value) if value else ""


class _Parser:
    """A port of labels.Parse: requirements separated by commas."""

    def __init__(self, text: str) -> None:
        self.tokens = [*_TOKEN.findall(text), END]

    def parse(self) -> list[Callable[[Mapping[str, str]], bool]]:
        found: list[Callable[[Mapping[str, str]], bool]] = []
        while (token := self.tokens[0]) != END:
            if token != "!" and token in SYMBOLS:
                raise bad_request(f"found '{token}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            separator = self._next()
            if separator == END:
                break
            if separator != ",":
                raise bad_request(f"found '{separator}', expected: ',' or 'end of string'")
            if self.tokens[0] == END or (self.tokens[0] != "!" and self.tokens[0] in SYMBOLS):
                raise bad_request(f"found '{self.tokens[0]}', expected: identifier after ','")
        return found

    def _requirement(self) -> Callable[[Mapping[str, str]], bool]:
        absent = self.tokens[0] == "!"
        if absent:
            self._next()
        key = self._identifier("identifier")
        self._check_key(key)
        if absent:
            return lambda labels: key not in labels
        if self.tokens[0] in (END, ","):
            return lambda labels: key in labels
        operator = self._next()
        if operator in ("in", "notin"):
            values = self._values()
            return (
                (lambda labels: labels.get(key) in values)
                if operator == "in"
                else (lambda labels: labels.get(key) not in values)
            )
        if operator in ("=", "==", "!="):
            value = self._exact()
            return (
                (lambda labels: labels.get(key) != value)
                if operator == "!="
                else (lambda labels: labels.get(key) == value)
            )
        if operator in (">", "<"):
            return _compared(key, operator, self._identifier("identifier"))
        raise _unparsed(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def _exact(self) -> str:
        return "" if self.tokens[0] in (END, ",") else self._identifier("identifier")

    def _values(self) -> set[str]:
        if (opening := self._next()) != "(":
            raise _unparsed(f"found '{opening}' expected: '('")
        values = {
            "" if self.tokens[0] in (",", ")") else self._identifier("',', ')' or identifier")
        }
        while (separator := self._next()) == ",":
            values.add(
                "" if self.tokens[0] in (",", ")") else self._identifier("',', ')' or identifier")
            )
        if separator != ")":
            raise _unparsed(f"found '{separator}', expected: ',' or ')'")
        return values

    def _identifier(self, expected: str) -> str:
        token = self._next()
        if token == END or token in SYMBOLS:
            raise _unparsed(f"found '{token}', expected: {expected}")
        return token

    def _check_key(self, key: str) -> None:
        prefix, _, name = key.rpartition("/")
        if (
            not _NAME.fullmatch(name)
            or len(name) > 63
            or (prefix and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", prefix))
        ):
            raise _unparsed(
                f'key: Invalid value: "{key}": name part must consist of alphanumeric characters,'
                " '-', '_' or '.'"
            )

    def _next(self) -> str:
        return self.tokens.pop(0) if len(self.tokens) > 1 else END


def _unparsed(detail: str) -> Exception:
    return bad_request(f"unable to parse requirement: {detail}")


def _compared(key: str, operator: str, bound: str) -> Callable[[Mapping[str, str]], bool]:
    if not bound.lstrip("-").isdigit():
        raise _unparsed(
            f"values[0][{key}]: Invalid value: \"{bound}\": for 'Gt', 'Lt' operators, the value"
            " must be an integer"
        )

    def matches(labels: Mapping[str, str]) -> bool:
        value = labels.get(key, "")
        if not value.lstrip("-").isdigit():
            return False
        return int(value) > int(bound) if operator == ">" else int(value) < int(bound)

    return matches
