"""Parameter Store's own limits, checked before a document is sent. Pure.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

STANDARD_BYTES = 4096
ADVANCED_BYTES = 8192


def refusal(text: str, *, limit: int = STANDARD_BYTES) -> tuple[str, str, int | None] | None:
    """Return why a value cannot be stored, the remedy, and the line or None; None if it can.

    `limit` is in bytes of UTF-8.
    """
    size = len(text.encode())
    if size > limit:
        said = f"{size} bytes, and Parameter Store takes at most {limit}"
        return (
            said,
            (
                "Move what many documents share to the defaults, shorten comments, or split the"
                " document in two."
            ),
            None,
        )
    if not text.strip():
        return "is empty", "Write at least one field, or delete the file.", None
    before, opened, after = text.partition("{{")
    if opened and "}}" in after:
        line = before.count("\n") + 1
        return (
            "Parameter Store refuses {{ }}, which marks a reference",
            "Write a space between the braces, or the mapping on lines of its own.",
            line,
        )
    return None
