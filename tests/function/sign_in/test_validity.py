"""The expiry of a stored credential, if it has one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ecr_public_pusher.sign_in.validity import certificate_ends, token_ends
from infra.local.kube.certificates import certificate_pem

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(ends: datetime) -> str:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "a"),
            x509.NameAttribute(NameOID.COMMON_NAME, "pusher"),
        ]
    )
    builder = x509.CertificateBuilder(
        subject_name=name,
        issuer_name=name,
        public_key=KEY.public_key(),
        serial_number=x509.random_serial_number(),
    )
    return certificate_pem(
        builder.not_valid_before(ends - timedelta(days=400))
        .not_valid_after(ends)
        .sign(KEY, hashes.SHA256())
    )


def token(claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    "ends",
    [
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2049, 12, 31, tzinfo=UTC),
        datetime(2051, 6, 7, 8, 9, 10, tzinfo=UTC),
    ],
)
def test_a_certificates_end(ends: datetime) -> None:
    """The form of a date differs from 2050 on."""
    assert certificate_ends(certificate(ends)) == ends


def test_of_several_certificates_the_first() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    second = datetime(2027, 1, 1, tzinfo=UTC)
    both = [certificate(ends) for ends in (first, second)]
    assert certificate_ends("".join(both)) == first


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x03",
        b"\x30\x82\xff\xff",
        b"\x30\x03\x30\x01\x02",
        b"\x30\x84\xff\xff\xff\xff",
        bytes(range(256)),
    ],
)
def test_a_certificate_that_cannot_be_read_says_no_end(der: bytes) -> None:
    text = base64.b64encode(der).decode()
    assert (
        certificate_ends(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        is None
    )


def test_a_json_web_tokens_end() -> None:
    assert token_ends(token({"exp": 1767323045})) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c",
        "..",
        token({}),
        token({"exp": "soon"}),
        token({"exp": 1e300}),
        token({"exp": None}),
        token([]),
        token(1),
    ],
)
def test_a_token_that_says_no_end(text: str) -> None:
    assert token_ends(text) is None
