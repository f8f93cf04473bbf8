"""The clusters side by side: the user that each saw, and the registries in its Secrets.

Of a token only a fingerprint is shown.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

from rich.console import RenderableType

from infra.cli.rendering.text import span, table

from .stack import MEMBERS, PRIVATE_HOST, PUBLIC_HOST, Member, ReachStack, Written

FINGERPRINT = 8
HEAD = ("CLUSTER", "SIGN-IN", "SEEN AS", "NAMESPACE", "SECRET", "EXPIRES", "PUBLIC", "PRIVATE")


def side_by_side(
    stack: ReachStack,
    after: Mapping[str, Mapping[str, Written]],
    before: Mapping[str, Mapping[str, Written]],
    *,
    now: datetime,
) -> RenderableType:
    """Return a table with a line for each Secret."""
    return table(
        *HEAD,
        rows=[
            row
            for member in MEMBERS
            for row in _rows(stack, member, after[member.id], before.get(member.id, {}), now)
        ],
    )


def _rows(
    stack: ReachStack,
    member: Member,
    after: Mapping[str, Written],
    before: Mapping[str, Written],
    now: datetime,
) -> list[tuple[str, ...]]:
    seen = ", ".join(sorted(_short(user) for user in stack.users(member))) or "-"
    rows: list[tuple[str, ...]] = []
    for name, secret in after.items():
        head = (member.id, member.sign_in, seen) if not rows else ("", "", "")
        left = span((secret.expires_at - now).total_seconds())
        prints = (_fingerprint(secret.auths.get(host)) for host in (PUBLIC_HOST, PRIVATE_HOST))
        rows.append((*head, name, _change(secret, before.get(name)), left, *prints))
    return rows or [(member.id, member.sign_in, seen, "-", "none", "", "", "")]


def _change(secret: Written, before: Written | None) -> str:
    if before is None:
        return "created"
    return (
        "unchanged" if before == secret else "updated" if before.uid == secret.uid else "replaced"
    )


def _short(user: str) -> str:
    """Return an ARN without account and session; any other name unchanged."""
    prefix, arn, resource = user.rpartition("arn:aws:")
    prefix = re.sub(r"^principal:.*/subject/$", "principal://.../", prefix)
    return f"{prefix}{'/'.join(resource.split(':', 3)[-1].split('/')[:2])}" if arn else user


def _fingerprint(credential: str | None) -> str:
    return hashlib.sha256(credential.encode()).hexdigest()[:FINGERPRINT] if credential else "none"
