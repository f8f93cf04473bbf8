"""Certificates in PEM, as OpenSSL reads them: blocks, with explanatory text around them. Pure.

Source: https://www.rfc-editor.org/rfc/rfc7468#section-5.2. The patterns are valid in Python and in
a JSON Schema (ECMA-262).
"""

import base64
import binascii
import re
import ssl

_BLOCK = r"CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
CERTIFICATE_PATTERN = rf"-----BEGIN {_BLOCK}"
# A block after other text on its line, such as a comment sign.
_BEHIND = r"[^\s-][ \t]*-----BEGIN "
# Not allowed in the text: such a block, one that is no certificate, and an incomplete one.
STRAY_PATTERN = rf"{_BEHIND}|-----BEGIN (?!{_BLOCK})"
KEY = "PRIVATE KEY-----"


def certificates(text: str) -> list[str]:
    """Return each certificate's block, written as OpenSSL writes it, without the text around them.

    Raise ValueError with what was found; it repeats no part of the text.
    """
    found = re.findall(CERTIFICATE_PATTERN, text)
    if not found or re.search(STRAY_PATTERN, text):
        raise ValueError(_found(text))
    try:
        return [_rewritten(block) for block in found]
    except binascii.Error:
        raise ValueError("a certificate that is not base64") from None


def decoded(text: str) -> str:
    """Return the text that this is the base64 of; empty if it is not base64."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("latin-1")
    except ValueError:
        return ""


def _rewritten(block: str) -> str:
    body = block.split("-----")[2]
    return ssl.DER_cert_to_PEM_cert(base64.b64decode("".join(body.split()), validate=True))


def _found(text: str) -> str:
    if other := re.search(r"-----BEGIN (?!CERTIFICATE-----)([A-Z0-9 ]{1,40})-----", text):
        return f"a block of another kind, {other[1]}"
    if re.search(_BEHIND, text):
        return "a -----BEGIN after other text on its line"
    if "-----BEGIN " in text:
        return "a certificate that is incomplete, or not base64"
    inner = decoded(text)
    if "-----BEGIN " in inner:
        return "base64 of PEM, as kubeconfigs and EKS hold it: decode it once (`base64 -d < FILE`)"
    # A certificate in DER: a sequence whose length has two bytes.
    if inner.startswith("\x30\x82"):
        return (
            "only base64: PEM has the lines -----BEGIN CERTIFICATE----- and -----END"
            " CERTIFICATE----- around it"
        )
    return "something else"
