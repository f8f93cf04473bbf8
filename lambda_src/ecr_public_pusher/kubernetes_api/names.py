"""Names in answers, by the forms that Kubernetes gives them. What has another form is no API server's answer.

Only what is checked here goes on: into a report or the log, into the URL or the body of another request.
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/, and k8s.io/apimachinery, pkg/util/validation.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

NOT_SHOWN = "(a name that is not shown)"

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
SHOWN: Form = re.compile(r"[A-Za-z0-9_](?:[\w:./@+=,{} -]{0,198}[\w:./@+=,{}-])?", re.ASCII).fullmatch

_OPERATIONS = ("Apply", "Update")
# How a sign-in token of EKS begins, whomever it was made for.
_TOKEN = "k8s-aws-v1"


class Names:
    """Of one cluster's answers. `echoes`: whether a text repeats what the cluster was sent."""

    def __init__(self, echoes: Callable[[str], bool]) -> None:
        self._echoes = echoes

    def checked(self, name: Any, form: Form) -> str:
        """Return the name. Raise ValueError for what is none, or repeats what we sent."""
        if self._echoes(of_form(name, form)):
            raise ValueError
        return str(name)

    def shown(self, name: Any) -> str:
        """Return a name that somebody chose freely, as it may be shown."""
        if isinstance(name, str) and SHOWN(name) and _TOKEN not in name and not self._echoes(name):
            return name
        return NOT_SHOWN

    def metadata(self, metadata: Any, *, name: Form = OBJECT) -> dict[str, Any]:
        """Return an object's metadata, of which nothing is left that was not checked.

        Raise ValueError where they cannot be an API server's. Annotations' values are texts of any kind.
        """
        given: Mapping[str, Any] = _mapping(metadata)
        found: dict[str, Any] = {"name": self.checked(given["name"], name)}
        for field, form in _FORMS:
            if given.get(field) is not None:
                found[field] = of_form(given[field], form)
        if labels := given.get("labels"):
            found["labels"] = labels_of(labels)
        if annotations := given.get("annotations"):
            found["annotations"] = annotations_of(annotations)
        if finalizers := given.get("finalizers"):
            found["finalizers"] = [self.checked(one, QUALIFIED) for one in _list(finalizers)]
        if managed := given.get("managedFields"):
            found["managedFields"] = [self._managed(_mapping(one)) for one in _list(managed)]
        if owners := given.get("ownerReferences"):
            found["ownerReferences"] = [self._owner(_mapping(one)) for one in _list(owners)]
        return found

    def _managed(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Who manages which fields. An API server takes any printable name for a manager's."""
        operation = entry.get("operation")
        return {
            "manager": self.shown(entry.get("manager")),
            "operation": operation if operation in _OPERATIONS else "",
            "fieldsV1": entry.get("fieldsV1"),
        }

    def _owner(self, entry: dict[str, Any]) -> dict[str, Any]:
        return {
            "apiVersion": self.shown(entry.get("apiVersion")),
            "kind": self.shown(entry.get("kind")),
            "name": self.shown(entry.get("name")),
            "uid": of_form(entry.get("uid"), UID),
            "controller": entry.get("controller") is True,
        }


def of_form(value: Any, form: Form) -> str:
    """Return a text of that form. Raise ValueError for anything else."""
    if not isinstance(value, str) or not form(value):
        raise ValueError
    return value


def labels_of(value: Any) -> dict[str, str]:
    """Return labels. Raise ValueError for what is none."""
    found = _mapping(value)
    for key, text in found.items():
        of_form(key, QUALIFIED)
        of_form(text, LABEL_VALUE)
    return found


def annotations_of(value: Any) -> dict[str, str]:
    """Return annotations, whose values are any text. Raise ValueError for what is none."""
    found = _mapping(value)
    for key, text in found.items():
        of_form(key.lower(), QUALIFIED)  # as the API server does, for annotations alone
        if not isinstance(text, str):
            raise ValueError
    return found


_TIME: Form = re.compile(r"[0-9:.TZ+-]{1,40}").fullmatch
_FORMS = (
    ("namespace", NAMESPACE),
    ("uid", UID),
    ("resourceVersion", VERSION),
    ("creationTimestamp", _TIME),
    ("deletionTimestamp", _TIME),
)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError
    return value
