"""Targets: stored credentials, tokens, and what may repeat them."""

import base64

from ecr_public_pusher.configuration import pem
from ecr_public_pusher.errors import KubeconfigError
from ecr_public_pusher.kubernetes_api.retry_policy import RetryPolicy
from ecr_public_pusher.kubernetes_api.sent import PIECE, Sent
from ecr_public_pusher.registries.registry import docker_config
from ecr_public_pusher.sign_in.api_server_trust import Claims
from ecr_public_pusher.sign_in.kubeconfig_document import read_kubeconfig
from ecr_public_pusher.sign_in.kubeconfig_loader import load_kubeconfig
from ecr_public_pusher.sign_in.validity import certificate_ends, token_ends
from ecr_public_pusher.timestamps import rfc3339
from tests.fuzz.documents import CERTIFICATE
from tests.fuzz.target import CANARY, Target, check, check_secrecy, parts, text

WHERE = "the kubeconfig"


def kubeconfig(data: bytes) -> None:
    try:
        fields = read_kubeconfig(text(data), where=WHERE)
    except KubeconfigError as error:
        check_secrecy(error.message, error.remedy, error.problems)
        return
    check_secrecy(repr(fields).replace(fields.server, ""))
    endpoint, credential = load_kubeconfig(fields)
    check(endpoint.url == fields.server, "another server than was checked")
    check(credential.token == fields.token, "another token than was checked")
    certificate = credential.client_certificate
    if certificate and (ends := certificate_ends(certificate.certificate_pem)):
        rfc3339(ends)


def token(data: bytes) -> None:
    given = text(data)
    if ends := token_ends(given):
        rfc3339(ends)
    claims = Claims.of(given, "ecr-public-pusher:prod")
    check(not set("\"'\n ") & set(claims.issuer + claims.subject), "a claim that ends its quotes")
    claims.account  # noqa: B018 - it must not raise


def certificate_end(data: bytes) -> None:
    """Read the end of a certificate in DER, as it stands in PEM."""
    block = base64.encodebytes(data).decode()
    if not block:
        return
    (written,) = pem.certificates(
        f"-----BEGIN CERTIFICATE-----\n{block}-----END CERTIFICATE-----\n"
    )
    if ends := certificate_ends(written):
        rfc3339(ends)


def sent(data: bytes) -> None:
    """Look for a piece of a token, or of a Secret's data, in another text."""
    bearer, credential, name = parts(data, 3)
    found = Sent()
    found.token(bearer)
    manifest = docker_config(
        {"public.ecr.aws": base64.b64encode(credential.encode("utf-8", "surrogateescape")).decode()}
    )
    inner = base64.b64encode(manifest).decode()
    found.secret(f'{{"data": {{".dockerconfigjson": "{inner}"}}}}'.encode())
    found.holds(name)
    for one in (bearer, credential):
        if len(one) >= PIECE and one.isascii() and one.isprintable():
            check(found.holds(f"x{one[-PIECE:]}"), "a piece of a credential is not recognized")


def retry_after(data: bytes) -> None:
    seconds = RetryPolicy().pause(1, text(data))
    check(0 <= seconds < 1_000_000_010, "no pause")


def _kubeconfig(user: str, *, server: str = "https://k8s.example.com") -> bytes:
    authority = base64.b64encode(CERTIFICATE.encode()).decode()
    return (
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        f"clusters: [{{name: k, cluster: {{server: '{server}',"
        f" certificate-authority-data: {authority}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    ).encode()


_JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (
        b'{"alg": "RS256"}',
        b'{"exp": 1767268800.5, "iss": "https://i.example.com", "sub": "arn:aws:iam::1:role/x"}',
        b"signature",
    )
)
_KEY = base64.b64encode(f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n".encode()).decode()
_PEM = base64.b64encode(CERTIFICATE.encode()).decode()
TARGETS = (
    Target(
        "kubeconfig",
        kubeconfig,
        (
            _kubeconfig(f"token: {CANARY}"),
            _kubeconfig(f"client-certificate-data: {_PEM}, client-key-data: {_KEY}"),
            _kubeconfig(f"token: '{CANARY} x', exec: {{command: {CANARY}}}"),
            _kubeconfig(f"token: {CANARY}", server=f"https://me:{CANARY}@k8s.example.com"),
            f"{CANARY}: [{CANARY}\n".encode(),
        ),
    ),
    Target("token", token, (_JWT.encode(), b"a.e30.c", f"k8s-aws-v1.{CANARY}".encode())),
    Target(
        "certificate-end",
        certificate_end,
        (base64.b64decode("".join(CERTIFICATE.splitlines()[1:-1])), b"0\x030\x01\x17"),
    ),
    Target(
        "sent",
        sent,
        (
            f"{CANARY}\0AWS:{CANARY[::-1]}\0a-{CANARY}".encode(),
            f"k8s-aws-v1.{base64.urlsafe_b64encode(b'https://sts?a=b&c=d%20e').decode()}\0\0x".encode(),
        ),
    ),
    Target("retry-after", retry_after, (b"0", b"120", b"Wed, 21 Oct 2026 07:28:00 GMT", b"-1")),
)
