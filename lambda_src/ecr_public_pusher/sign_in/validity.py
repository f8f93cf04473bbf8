"""Claims of a token, and the end of a stored credential's validity, as it says it. Pure.

They are read, not verified: that is the API server's part.
"""

import base64
import binascii
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

# ASN.1 tags (X.690) that are read here.
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_VERSION = 0xA0
_VALIDITY = 3  # RFC 5280, TBSCertificate: after serial number, signature and issuer


def claims_of(token: str) -> dict[str, Any]:
    """Return the token's claims (RFC 7519); empty if it is not a JSON Web Token."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def token_ends(token: str) -> datetime | None:
    """Return the `exp` of a JSON Web Token; None if it is not one, or has no end."""
    try:
        return datetime.fromtimestamp(float(claims_of(token)["exp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def certificate_ends(pem: str) -> datetime | None:
    """Return the notAfter of the first certificate in `pem`; None if it cannot be read.

    Python's ssl gives it only for a peer's certificate.
    """
    block = pem[pem.index("-----BEGIN") :].partition("-----END CERTIFICATE-----")
    try:
        (_, certificate), *_ = _elements(ssl.PEM_cert_to_DER_cert(block[0] + block[1]))
        (_, signed), *_ = _elements(certificate)
        fields = [content for tag, content in _elements(signed) if tag != _VERSION]
        _, (tag, text) = _elements(fields[_VALIDITY])
        form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}[tag]
        return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)
    except (ValueError, IndexError, KeyError, binascii.Error):
        return None


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element, one after the other."""
    place = 0
    while place < len(der):
        tag = der[place]
        length = der[place + 1]
        place += 2
        if length & 0x80:  # the long form: how many bytes hold the length
            size = length & 0x7F
            length = int.from_bytes(der[place : place + size])
            place += size
        yield tag, der[place : place + length]
        place += length
