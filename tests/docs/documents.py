"""The documents that people read, and the fenced blocks in them."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("infra/**/README.md")],
    key=lambda path: path.relative_to(ROOT),
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins (line of the document, from 1), its language, its text."""

    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(languages: Collection[str] | None = None) -> list[Block]:
    """Return every fenced block of these languages, or of any."""
    return [
        block
        for document in DOCUMENTS
        for block in _blocks(document)
        if languages is None or block.language in languages
    ]


@cache
def _blocks(document: Path) -> list[Block]:
    tokens = MarkdownIt().disable("inline").parse(document.read_text())  # fences hold none
    return [
        Block(document, (token.map or [0])[0] + 1, token.info.strip(), token.content)
        for token in tokens
        if token.type == "fence"
    ]


def prose(document: Path) -> str:
    """Return the document without its fenced blocks, whose lines are left empty."""
    text = []
    inside = False
    for line in document.read_text().splitlines():
        fence = re.match(r" *(```|~~~)", line) is not None
        text.append("" if inside or fence else line)
        inside ^= fence
    return "\n".join(text)
