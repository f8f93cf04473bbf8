"""The options of `clusters add` as a document's fields. Pure, but reads the authority's file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import CliError

_REGISTRY_FIELDS = ("account", "region", "roleArn", "externalId")
_SPLIT = re.compile(rf",(?=(?:{'|'.join(_REGISTRY_FIELDS)})=)")
_EXPECTED = "public, or account=111122223333,region=eu-west-1,roleArn=ARN[,externalId=ID]"


@dataclass(frozen=True)
class Given:
    """Options given on the command line; None or empty means not given."""

    cluster: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    namespaces: Sequence[str] = ()
    exclude: Sequence[str] = ()
    selector: str | None = None
    service_accounts: Sequence[str] = ()
    exclude_service_accounts: Sequence[str] = ()
    service_account_selector: str | None = None
    secret_name: str | None = None
    take_ownership: bool = False
    prune: bool = False
    allow_empty: bool = False
    labels: Sequence[str] = ()
    annotations: Sequence[str] = ()
    registries: Sequence[str] = ()
    sign_in: str | None = None
    cluster_id: str | None = None
    secret_arn: str | None = None
    provider: str | None = None
    google_service_account: str | None = None
    endpoint: str | None = None
    certificate_authority: Path | None = None

    @property
    def nothing(self) -> bool:
        """Return whether no option is given."""
        return not any(getattr(self, one.name) for one in fields(self))

    def document(self) -> dict[str, Any]:
        """Return the document's fields, in the usual order.

        Raise CliError for an option that cannot be parsed.
        """
        return {
            "cluster": self.cluster,
            "region": self.region,
            "roleArn": self.role_arn,
            "externalId": self.external_id,
            "endpoint": self.endpoint,
            "certificateAuthority": _read(self.certificate_authority),
            "signIn": self._sign_in(),
            "namespaces": _selection(self.namespaces, self.exclude, self.selector),
            "serviceAccounts": _selection(
                self.service_accounts, self.exclude_service_accounts, self.service_account_selector
            ),
            "secretName": self.secret_name,
            "registries": [_registry(one) for one in self.registries],
            "takeOwnership": self.take_ownership or None,
            "prune": self.prune or None,
            "allowEmpty": self.allow_empty or None,
            "labels": pairs("--label", self.labels),
            "annotations": pairs("--annotation", self.annotations),
        }

    def _sign_in(self) -> dict[str, str] | None:
        more = {
            "clusterId": self.cluster_id,
            "secretArn": self.secret_arn,
            "provider": self.provider,
            "serviceAccount": self.google_service_account,
        }
        given = {name: value for name, value in more.items() if value}
        if self.sign_in is None:
            if given:
                raise CliError(
                    "--cluster-id, --secret-arn, --provider and --google-service-account belong to"
                    " a kind of sign-in.",
                    remedy="Give --sign-in, too.",
                )
            return None
        return {"type": self.sign_in, **given}


def google_fields(provider: str | None, service_account: str | None) -> dict[str, str]:
    """Return the fields of Google's sign-in beside its type; none without a provider.

    Raise CliError for a service account alone.
    """
    if service_account and not provider:
        raise CliError(
            "--google-service-account alone signs in to nothing.", remedy="Give --provider, too."
        )
    fields = {"provider": provider, "serviceAccount": service_account}
    return {name: value for name, value in fields.items() if value}


def _selection(include: Sequence[str], exclude: Sequence[str], selector: str | None) -> Any:
    """Return the field's short form, or the mapping where something is excluded or selected."""
    if not exclude and not selector:
        return list(include)
    chosen = {"include": list(include), "exclude": list(exclude), "selector": selector}
    return {name: value for name, value in chosen.items() if value}


def _read(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        raise CliError(
            f"--certificate-authority: {file} cannot be read as PEM.",
            remedy="Name a file that begins with -----BEGIN CERTIFICATE-----.",
        ) from None


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """Return KEY=VALUE arguments as a mapping. Raise CliError for another form."""
    if bad := next((one for one in given if "=" not in one), None):
        raise CliError(f"{option}: expected KEY=VALUE, found '{bad}'.")
    return dict(one.split("=", 1) for one in given)


def _registry(text: str) -> Any:
    if "=" not in text:
        return text  # public; the model reports anything else
    pairs = dict(part.split("=", 1) for part in _SPLIT.split(text) if "=" in part)
    if unknown := pairs.keys() - set(_REGISTRY_FIELDS):
        raise CliError(f"--registry: expected {_EXPECTED}, found '{sorted(unknown)[0]}'.")
    return pairs
