"""A person's own document, as the local stack needs it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import PusherError

EKS = "eks"
AUTHENTICATOR = "iamAuthenticator"
WEB_IDENTITY = "webIdentity"
GOOGLE = "google"
KUBECONFIG = "kubeconfig"


@dataclass(frozen=True)
class OwnDocument:
    """A document as written, with the defaults applied.

    `own` holds the fields as written, `fields` these and the defaults. Both are empty when the text
    cannot be read, which the function then reports.
    """

    name: str
    text: str = field(repr=False)
    own: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, text: str, defaults: Mapping[str, Any]) -> "OwnDocument":
        own = fields_of(name, text)
        return cls(name, text, own, {**defaults, **own})

    @property
    def sign_in(self) -> Mapping[str, Any]:
        found = self.fields.get("signIn")
        return found if isinstance(found, dict) else {"type": EKS}

    @property
    def kind(self) -> str:
        return str(self.sign_in.get("type", EKS))

    def changed(self, **fields: Any) -> str:
        """Return the text with other values for some fields."""
        return yaml.safe_dump({**self.own, **fields}, sort_keys=False, allow_unicode=True)


def fields_of(name: str, text: str) -> Mapping[str, Any]:
    """Return the fields that a text sets; empty when it cannot be read."""
    try:
        found: Mapping[str, Any] = without_nulls(read_mapping(text, parameter=name))
    except PusherError:
        return {}
    return found
