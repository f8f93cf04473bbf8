"""The flags and files that etcd and kube-apiserver are started with."""

import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import certificates
from .auth.authz import UserInfo
from .auth.jwts import configuration
from .auth.webhook import Webhook
from .kinds import Object

AUTHENTICATION = "authentication.json"
"""The AuthenticationConfiguration, which the API server reloads when it changes."""

AUDIT_POLICY: Object = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "None", "nonResourceURLs": ["/readyz*"]},
        {"level": "Metadata"},
    ],
}
"""Metadata only: the bodies hold registry tokens, which no log may hold."""


def write_files(
    folder: Path,
    certificate: certificates.Certificate,
    webhook: Webhook,
    tokens: Mapping[str, UserInfo],
    client_ca_pem: str,
) -> None:
    """Write all files that the flags name."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    cluster = {"server": webhook.url, "certificate-authority": str(folder / "webhook-ca.crt")}
    asking = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "webhook",
        "clusters": [{"name": "webhook", "cluster": cluster}],
        "users": [{"name": "server", "user": {}}],
        "contexts": [{"name": "webhook", "context": {"cluster": "webhook", "user": "server"}}],
    }
    files = {
        "server.crt": certificate.certificate_pem,
        "server.key": certificate.key_pem,
        "webhook-ca.crt": webhook.ca_pem,
        "webhook.json": json.dumps(asking),
        AUTHENTICATION: json.dumps(configuration()),
        "audit-policy.json": json.dumps(AUDIT_POLICY),
        "tokens.csv": "".join(_row(token, user) for token, user in tokens.items()),
        "client-ca.crt": client_ca_pem,
        "accounts.key": certificates.private_pem(key),
        "accounts.pub": public.decode(),
    }
    for name, text in files.items():
        (folder / name).write_text(text)


def _row(token: str, user: UserInfo) -> str:
    """Return a line of the token file.

    Without groups their column is left out, since an empty one would be a group without a name.
    """
    groups = f',"{",".join(user.groups)}"' if user.groups else ""
    return f"{token},{user.username},{user.uid}{groups}\n"


def etcd_flags(folder: Path, port: int, peer: int) -> list[str]:
    """Return etcd's flags: on loopback, without fsync, since nothing here outlives the run."""
    client = f"http://127.0.0.1:{port}"
    peers = f"http://127.0.0.1:{peer}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]


def server_flags(folder: Path, port: int, etcd: int) -> list[str]:
    """Return kube-apiserver's flags: loopback, RBAC, the token file and the webhook.

    ServiceAccount admission is off, since there are no controllers.
    """
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        f"--cert-dir={folder / 'certificates'}",
        f"--tls-cert-file={folder / 'server.crt'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.pub'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        "--authorization-mode=RBAC",
        f"--client-ca-file={folder / 'client-ca.crt'}",
        f"--authentication-config={folder / AUTHENTICATION}",
        "--disable-admission-plugins=ServiceAccount",
        "--anonymous-auth=true",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--authentication-token-webhook-config-file={folder / 'webhook.json'}",
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=10s",
        f"--audit-policy-file={folder / 'audit-policy.json'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-format=json",
        "--audit-log-mode=blocking",
    ]
