"""Text as a message shows it: invisible characters, and those that look like a blank, are escaped.

A no-break space from a web page, a zero-width space or a control character looks like nothing in a
report, so that a name with one in it reads as if it were right; and a terminal may obey it.
"""

# Invisible, although their category is that of letters and marks (Unicode:
# Default_Ignorable_Code_Point, and the blank of Braille).
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATION_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def visible(text: str, *, keep: str = "") -> str:
    r"""Return the text with invisible characters escaped (`\xa0`); blanks and `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or _is_visible(one) else _escaped(one) for one in text)


def _is_visible(character: str) -> bool:
    if not character.isprintable() or character in _UNSEEN:
        return False
    return not any(ord(character) in selectors for selectors in _VARIATION_SELECTORS)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
