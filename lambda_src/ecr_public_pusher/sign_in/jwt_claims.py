"""What a JSON Web Token says of itself. Read, not verified: that is the API server's part. Pure."""

import base64
import binascii
import json
from typing import Any


def claims_of(token: str) -> dict[str, Any]:
    """Its claims (RFC 7519); empty for a token that is not one."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
