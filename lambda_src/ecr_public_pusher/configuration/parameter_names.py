"""The names of parameters that hold documents. Pure, and imports nothing that takes long."""

import re

EVERY = "/*"  # ends the name of all clusters that one discovery finds
_ID = re.compile(r"[A-Za-z0-9_.-]+")


def pushed_by(parameter: str, *, root: str) -> str | None:
    """Return the id or glob that pushes the parameter's clusters; None for an unknown parameter.

    It is `<id>` for `<root>/clusters/<id>`, and `<id>/*` for `<root>/discover/<id>`.
    """
    for folder, suffix in (("clusters", ""), ("discover", EVERY)):
        document_id = parameter.removeprefix(f"{root}/{folder}/")
        if document_id != parameter and _ID.fullmatch(document_id):
            return document_id + suffix
    return None
