"""Names in answers, checked against the forms that Kubernetes gives them.

An answer with a name of another form is not an API server's. Only checked names go on: into a
report or the log, into the URL or the body of another request.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/, and k8s.io/apimachinery,
pkg/util/validation.
"""

import re
from collections.abc import Callable
from typing import Any

NOT_SHOWN = "(a name that is not shown)"
MOST_SHOWN = 1024  # size of the cache

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_QUALIFIED = rf"(?:{_SUBDOMAIN}/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?"

type Form = Callable[[str], re.Match[str] | None]

NAMESPACE: Form = re.compile(_LABEL).fullmatch
OBJECT: Form = re.compile(_SUBDOMAIN).fullmatch
# Labels' and annotations' keys, finalizers.
QUALIFIED: Form = re.compile(_QUALIFIED).fullmatch
LABEL_VALUE: Form = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?").fullmatch
# Opaque to clients: a UUID and a number, as the API server makes them.
UID: Form = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch
VERSION: Form = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch
CONTINUE: Form = re.compile(r"[A-Za-z0-9._~+/=:-]{1,4096}").fullmatch
# Names that people and programs give themselves: users, groups, field managers, owners of any kind.
SHOWN: Form = re.compile(
    r"[A-Za-z0-9_](?:[\w:./@+=,{} -]{0,198}[\w:./@+=,{}-])?", re.ASCII
).fullmatch

# The beginning of every EKS sign-in token.
_TOKEN = "k8s-aws-v1"


class Names:
    """Names in one cluster's answers.

    `echoes`: returns whether a text repeats something that the cluster was sent.
    """

    def __init__(self, echoes: Callable[[str], bool]) -> None:
        self._echoes = echoes
        # A cache: thousands of objects have few different managers and owners.
        self._shown: dict[str, str] = {}

    def checked(self, name: Any, form: Form) -> str:
        """Return the name. Raise ValueError if its form is wrong, or it repeats what we sent."""
        found = of_form(name, form)
        if self._echoes(found):
            raise ValueError
        return found

    def shown(self, name: Any) -> str:
        """Return a freely chosen name, or NOT_SHOWN if it may not be shown."""
        if not isinstance(name, str):
            return NOT_SHOWN
        if (known := self._shown.get(name)) is not None:
            return known
        may = SHOWN(name) and _TOKEN not in name and not self._echoes(name)
        found = name if may else NOT_SHOWN
        if len(self._shown) < MOST_SHOWN:
            self._shown[name] = found
        return found


def of_form(value: Any, form: Form) -> str:
    """Return a text of that form. Raise ValueError for anything else."""
    if not isinstance(value, str) or not form(value):
        raise ValueError
    return value


def labels_of(value: Any) -> dict[str, str]:
    """Return valid labels. Raise ValueError for anything else."""
    found = _mapping(value)
    for key, text in found.items():
        if not isinstance(text, str) or not QUALIFIED(key) or not LABEL_VALUE(text):
            raise ValueError
    return found


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value
