"""A document of the person's own as the local stack needs it: where its cluster is, is the local
one's to say. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import PusherError

EKS, AUTHENTICATOR, WEB_IDENTITY, KUBECONFIG = (
    "eks",
    "iamAuthenticator",
    "webIdentity",
    "kubeconfig",
)


@dataclass(frozen=True)
class OwnDocument:
    """`fields`: as written, with what the defaults say of them; empty where the text cannot be
    read, which the function then reports.
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
        """The text, with other values for some fields."""
        return yaml.safe_dump({**self.own, **fields}, sort_keys=False, allow_unicode=True)


def fields_of(name: str, text: str) -> Mapping[str, Any]:
    """The fields that a text sets; none where it cannot be read."""
    try:
        found: Mapping[str, Any] = without_nulls(read_mapping(text, parameter=name))
    except PusherError:
        return {}
    return found
