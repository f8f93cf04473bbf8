"""A search for secrets in text: whole, in part, and in the encodings that a program may use."""

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, quote, urlsplit

# A part this long of a random secret is never in a text by chance. A leaked part of twice this
# length is always found.
PART = 12


def leaks(texts: Mapping[str, str], secrets: Iterable[tuple[str, str]]) -> list[str]:
    """Return, for each text that holds a part of a secret, the names of both.

    `secrets`: name and value. The value itself is never in what is returned.
    """
    needles = {
        part: name
        for name, value in secrets
        for encoded in encodings(value)
        for part in _parts(encoded)
    }
    found = {
        f"{where} holds a part of {needles[part]}"
        for where, text in texts.items()
        for part in {text[at : at + PART] for at in range(len(text) - PART + 1)} & needles.keys()
    }
    return sorted(found)


def encodings(secret: str) -> set[str]:
    """Return a secret as it is, in base64 at each alignment, in hex and as part of a URL."""
    data = secret.encode()
    found = {secret, secret[::-1], data.hex(), data.hex().upper(), quote(secret, safe="")}
    for shift in range(3):
        # The first and last characters depend on what stands beside the secret.
        coded = base64.b64encode(b"\0" * shift + data)[4:-4].decode()
        found |= {coded, coded.replace("+", "-").replace("/", "_")}
    return found


def of_registry(authorization: str) -> list[str]:
    """Return the secrets in a registry's credential: itself, and its password."""
    password = base64.b64decode(authorization).decode().removeprefix("AWS:")
    return [authorization, password]


def of_bearer(token: str) -> list[str]:
    """Return the secrets in a sign-in token: itself, and the signed parts of a presigned URL."""
    found = [token]
    if token.startswith("k8s-aws-v1."):
        coded = token.removeprefix("k8s-aws-v1.")
        # Its beginning is the same public URL in every token.
        found = [coded[len(coded) // 3 :]]
        query = parse_qs(
            urlsplit(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()).query
        )
        found += [
            value
            for name in ("X-Amz-Signature", "X-Amz-Security-Token")
            for value in query.get(name, ())
        ]
    elif token.count(".") == 2:
        # A JSON Web Token. Its claims are names that other texts have, too; its signature is not.
        found = [token.rpartition(".")[2]]
    return found


def _parts(text: str) -> Iterable[str]:
    return (text[at : at + PART] for at in range(0, len(text) - PART + 1, PART))
