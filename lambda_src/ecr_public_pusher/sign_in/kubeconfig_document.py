"""Validation of a kubeconfig's text, before anything of it is loaded. Pure.

No message repeats any of the text. Only what stands in the kubeconfig itself is used: the function
runs no command, asks no other service, and has no files of its own.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecr_public_pusher.configuration import pem
from ecr_public_pusher.configuration.field_types import check_authority, check_endpoint
from ecr_public_pusher.configuration.yaml_document import read_mapping, without_nulls
from ecr_public_pusher.errors import InvalidDocument, KubeconfigError

# Secrets Manager's own limit (its quotas: secret value).
MAX_BYTES = 65_536
# A bearer token is one word (RFC 6750, section 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]+")
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----")

_FILE = (
    "names a file, which the function does not have: store its content (`kubectl config view"
    " --raw --minify --flatten`)"
)
_IMPERSONATION = (
    "impersonates another user; grant the rights of infra/rbac to the kubeconfig's own user"
)
_REFUSED_OF_USER = {
    "exec": "runs a command, which the function does not",
    "auth-provider": "asks another service for credentials; store a token or a client certificate",
    "tokenFile": _FILE,
    "client-certificate": _FILE,
    "client-key": _FILE,
    "username": "is basic authentication, which Kubernetes no longer has",
    "password": "is basic authentication, which Kubernetes no longer has",
    "as": _IMPERSONATION,
    "as-uid": _IMPERSONATION,
    "as-groups": _IMPERSONATION,
    "as-user-extra": _IMPERSONATION,
}
_REFUSED_OF_CLUSTER = {
    "certificate-authority": _FILE,
    "insecure-skip-tls-verify": (
        "would send tokens to any server that responds; name the authority"
        " (certificate-authority-data)"
    ),
    "proxy-url": "would send tokens through a proxy; let the function reach the server itself",
    "tls-server-name": (
        "names another host than the server's; the certificate must be of the server's own name"
    ),
}
_REMEDY = (
    "Store a kubeconfig with a token or a client certificate in it: `kubectl config view --raw"
    " --minify --flatten` (docs/sign-in.md, kubeconfig)."
)


@dataclass(frozen=True)
class KubeconfigFields:
    """Values of the current context. PEM as text; `ca_pem` is empty where none is named."""

    server: str
    ca_pem: str = field(repr=False)
    token: str | None = field(repr=False)
    certificate_pem: str | None = field(repr=False)
    key_pem: str | None = field(repr=False)


def read_kubeconfig(text: str, *, where: str) -> KubeconfigFields:
    """Return the values of the current context's cluster and user.

    Raise KubeconfigError, which begins with `where`.
    """
    try:
        return _fields(_mapping(text))
    except ValueError as error:
        raise KubeconfigError(f"{where} cannot be used: {error}", remedy=_REMEDY) from None


def _mapping(text: str) -> dict[str, Any]:
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"it is {len(text.encode())} bytes long, of at most {MAX_BYTES}")
    try:
        return dict(without_nulls(read_mapping(text, parameter="kubeconfig")))
    except InvalidDocument as error:
        lines = [f" (line {problem.line})" for problem in error.problems if problem.line]
        said = "it is not one YAML mapping without aliases, deep nesting or duplicate fields"
        raise ValueError(f"{said}{''.join(lines[:1])}") from None


def _fields(config: Mapping[str, Any]) -> KubeconfigFields:
    if not (current := config.get("current-context")):
        raise ValueError("it has no current-context (`kubectl config use-context CONTEXT`)")
    context = _named(config, "contexts", current, "context")
    cluster = _given(_named(config, "clusters", context.get("cluster"), "cluster"))
    user = _given(_named(config, "users", context.get("user"), "user"))
    if cluster.get("insecure-skip-tls-verify") == "false":
        del cluster["insecure-skip-tls-verify"]
    _refuse(cluster, _REFUSED_OF_CLUSTER)
    if "server" not in cluster:
        raise ValueError("the cluster of its current-context has no server")
    _refuse(user, _REFUSED_OF_USER)
    authority = _decoded(cluster, "certificate-authority-data")
    certificate = _decoded(user, "client-certificate-data")
    return _checked(
        KubeconfigFields(
            server=_checked_as("server", check_endpoint, cluster.get("server")),
            ca_pem=(
                _checked_as("certificate-authority-data", check_authority, authority)
                if authority
                else ""
            ),
            token=user.get("token"),
            certificate_pem=(
                _checked_as("client-certificate-data", _certificates, certificate)
                if certificate is not None
                else None
            ),
            key_pem=_decoded(user, "client-key-data"),
        )
    )


def _named(config: Mapping[str, Any], plural: str, name: Any, singular: str) -> Mapping[str, Any]:
    """Return the one entry of that name in one of kubeconfig's lists."""
    entries = config.get(plural)
    found = (
        [entry for entry in entries if isinstance(entry, dict) and entry.get("name") == name]
        if isinstance(entries, list) and name
        else []
    )
    if len(found) != 1 or not isinstance(found[0].get(singular), dict):
        raise ValueError(
            f"the {singular} of its current-context is not in its {plural}, or not exactly once"
        )
    return dict(found[0][singular])


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry without what kubectl writes as empty."""
    return {name: value for name, value in entry.items() if value not in ("", [], {}, None)}


def _refuse(entry: Mapping[str, Any], refused: Mapping[str, str]) -> None:
    if name := next((name for name in refused if name in entry), None):
        raise ValueError(f"{name} {refused[name]}")


def _decoded(entry: Mapping[str, Any], name: str) -> str | None:
    if name not in entry:
        return None
    try:
        return base64.b64decode("".join(entry[name].split()), validate=True).decode()
    except (AttributeError, UnicodeDecodeError, ValueError, binascii.Error):
        bare = isinstance(entry[name], str) and "-----BEGIN " in entry[name]
        raise ValueError(
            f"{name} is not PEM in"
            f" base64{': it is PEM itself (`base64 -w 0 < FILE` encodes it)' if bare else ''}"
        ) from None


def _checked_as(name: str, check: Any, value: Any) -> str:
    try:
        return str(check(value))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _certificates(text: str) -> str:
    """Return the certificate and those up to its authority, without the text of `openssl ca`."""
    try:
        return "".join(pem.certificates(text))
    except ValueError as error:
        raise ValueError(f"expected a certificate in PEM, found {error}") from None


def _checked(found: KubeconfigFields) -> KubeconfigFields:
    if found.token is not None and (
        not isinstance(found.token, str) or not _TOKEN.fullmatch(found.token)
    ):
        raise ValueError("token is not one word of ASCII")
    if (found.certificate_pem is None) is not (found.key_pem is None):
        raise ValueError("client-certificate-data and client-key-data belong together")
    if (key := found.key_pem) is not None and ("\0" in key or not _PRIVATE_KEY.search(key)):
        raise ValueError("client-key-data is not a private key without a passphrase, in PEM")
    if found.token is None and found.certificate_pem is None:
        raise ValueError("its user has neither a token nor a client certificate")
    return found
