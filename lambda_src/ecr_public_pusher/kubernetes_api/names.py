"""Names in answers, by the forms that Kubernetes gives them.

What has another form is no API server's answer.

Only what is checked here goes on: into a report or the log, into the URL or the body of another
request. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/, and
k8s.io/apimachinery, pkg/util/validation.
"""

import re
from collections.abc import Callable
from typing import Any

NOT_SHOWN = "(a name that is not shown)"
MOST_SHOWN = 1024  # names that are remembered

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

# How a sign-in token of EKS begins, whomever it was made for.
_TOKEN = "k8s-aws-v1"


class Names:
    """Of one cluster's answers. `echoes`: whether a text repeats what the cluster was sent."""

    def __init__(self, echoes: Callable[[str], bool]) -> None:
        self._echoes = echoes
        self._shown: dict[
            str, str
        ] = {}  # of thousands of objects' managers and owners few are different

    def checked(self, name: Any, form: Form) -> str:
        """Return the name. Raise ValueError for what is none, or repeats what we sent."""
        found = of_form(name, form)
        if self._echoes(found):
            raise ValueError
        return found

    def shown(self, name: Any) -> str:
        """Return a name that somebody chose freely, as it may be shown."""
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
    """Return labels. Raise ValueError for what is none."""
    found = _mapping(value)
    for key, text in found.items():
        if not isinstance(text, str) or not QUALIFIED(key) or not LABEL_VALUE(text):
            raise ValueError
    return found


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value
