"""The commands in prose: in backticks, and in fenced blocks of Markdown."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

PROGRAMS = ("aws", "az", "eksctl", "gcloud", "kubectl", "sam", "terraform")
SHELLS = ("sh", "bash", "shell", "console")

_BACKTICKS = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Snippet:
    """A piece of shell in a document. `line`: where it begins, from 1."""

    text: str
    line: int


def in_backticks(text: str, programs: Collection[str] = PROGRAMS) -> list[str]:
    """Return the text in backticks that begins with one of the programs.

    A word must follow: `sam` alone is a name.
    """
    found = (" ".join(part.split()) for part in _BACKTICKS.findall(text))
    return [part for part in found if part.split(" ")[0] in programs and " " in part]


def in_fences(markdown: str, languages: Collection[str] = SHELLS) -> Iterator[Snippet]:
    """Return the fenced blocks of these languages.

    Of a console's, what follows its prompt.
    """
    for token in MarkdownIt().parse(markdown):
        if token.type != "fence" or token.info.split(" ")[0] not in languages:
            continue
        text = token.content
        if token.info.startswith("console"):
            text = "\n".join(
                line[2:] for line in text.splitlines() if line.startswith(("$ ", "> "))
            )
        yield Snippet(text, (token.map or [0])[0] + 2)
