"""A cluster's certificate authority and server certificate, in the style of new and old EKS.

Many EKS cluster CAs carry no key identifiers and no key usage; Python 3.13 refuses those unless one
flag is cleared. Both kinds are needed to show that the function connects to both, and still refuses
another CA or host name.
"""

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

type Style = Literal["modern", "legacy"]
LIFETIME = timedelta(days=30)
BACKDATED = timedelta(hours=1)
DEFAULT_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Certificate:
    """A server certificate with its key and the CA that signed it, all PEM."""

    ca_pem: str
    certificate_pem: str
    key_pem: str = field(repr=False)


def issue(
    name: str, style: Style = "modern", hosts: tuple[str, ...] = DEFAULT_HOSTS
) -> Certificate:
    """Return a new CA and a certificate for `hosts` (names and addresses) signed by it."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _name(f"{name} ca")
    ca = _unsigned(
        authority,
        authority,
        ca_key.public_key(),
        x509.BasicConstraints(ca=True, path_length=None),
        critical=True,
    )
    server = _unsigned(
        _name(name), authority, key.public_key(), _alternatives(hosts), critical=False
    )
    server = server.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    if style == "modern":
        ca = _identified(ca, ca_key.public_key(), ca_key.public_key()).add_extension(
            _usage(signs_certificates=True), critical=True
        )
        server = _identified(server, key.public_key(), ca_key.public_key()).add_extension(
            _usage(signs_certificates=False), critical=True
        )
    return Certificate(
        certificate_pem(ca.sign(ca_key, hashes.SHA256())),
        certificate_pem(server.sign(ca_key, hashes.SHA256())),
        private_pem(key),
    )


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as unencrypted PEM."""
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    extension: x509.ExtensionType,
    *,
    critical: bool,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
    builder = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFETIME)
    )
    return builder.add_extension(extension, critical=critical)


def _identified(
    builder: x509.CertificateBuilder,
    own: ec.EllipticCurvePublicKey,
    issuer: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
    return builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(host) for host in hosts])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def certificate_pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
