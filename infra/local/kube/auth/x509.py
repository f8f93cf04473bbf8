"""Client certificates: a cluster's authority for them, and the user in one (CN: name, O: group)."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..certificates import BACKDATED, LIFETIME, certificate_pem, private_pem
from .authz import CREDENTIAL_ID, UserInfo


class ClientAuthority:
    """The authority that `--client-ca-file` names, with its key."""

    def __init__(self, cluster: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{cluster} clients"[:64])])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = self._builder(self._name, self._key, LIFETIME).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca_pem = certificate_pem(
            builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        )

    def issue(
        self, username: str, groups: Sequence[str], life: timedelta = LIFETIME
    ) -> tuple[str, str]:
        """Return a certificate for the user and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, username)])
        builder = self._builder(subject, key, life).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        return certificate_pem(builder.sign(self._key, hashes.SHA256())), private_pem(key)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            subject_name=subject, issuer_name=self._name, public_key=key.public_key()
        )
        return (
            builder.serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + life)
        )


def user_of(der: bytes) -> UserInfo:
    """Return the user in a client certificate that TLS has verified."""
    subject = x509.load_der_x509_certificate(der).subject
    names, groups = (
        [str(one.value) for one in subject.get_attributes_for_oid(oid)]
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    )
    return UserInfo(
        names[0] if names else "",
        "",
        tuple(groups),
        {CREDENTIAL_ID: [f"X509SHA256={hashlib.sha256(der).hexdigest()}"]},
    )
