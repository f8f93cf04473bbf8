"""The simple commands of a shell text, by tree-sitter's grammar of bash.

Those in pipes, lists, loops and substitutions are included.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bash.language()))

# To be replaced by whoever pastes it: ROLE_ARN, <id>, ADDRESS/32.
_PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_]{2,}")


class ShellSyntaxError(ValueError):
    """The text is not shell syntax."""


@dataclass(frozen=True)
class Word:
    """A word as the program gets it.

    `known`: nothing in it is expanded when it runs, or left to be replaced.
    """

    text: str
    known: bool = True

    @property
    def open(self) -> bool:
        """Return whether any value may stand here."""
        return not self.known or _PLACEHOLDER.search(self.text) is not None


@dataclass(frozen=True)
class Command:
    """A simple command: a program and its words."""

    program: str
    words: tuple[Word, ...] = ()
    source: str = ""

    def __str__(self) -> str:
        return " ".join(self.source.replace("\\\n", " ").split())

    def option(self, *names: str) -> str | None:
        """Return the value of the first of these options, "" at the end.

        As `--name value` or `--name=value`.
        """
        for place, word in enumerate(self.words):
            name, equals, value = word.text.partition("=")
            if name in names:
                return (
                    value
                    if equals
                    else next((after.text for after in self.words[place + 1 : place + 2]), "")
                )
        return None


def parse(text: str) -> list[Command]:
    """Return every simple command, in order of their beginnings. Raise ShellSyntaxError."""
    root = _PARSER.parse(text.encode()).root_node
    if root.has_error:
        raise ShellSyntaxError(f"not shell syntax: {text}")
    return list(_commands(root))


def _commands(node: Node) -> Iterator[Command]:
    if node.type == "command":
        words = [
            child
            for child in node.children
            if child.type not in ("variable_assignment", "herestring_redirect", "file_redirect")
        ]
        name, *rest = (_word(child) for child in words)
        yield Command(name.text, tuple(rest), _source(node))
    for child in node.children:
        yield from _commands(child)


def _word(node: Node) -> Word:
    """Return a word's text without quotes; what is expanded stays as it is written."""
    match node.type:
        case "string":
            return _joined(
                [child for child in node.children if child.type != '"'], node, quoted=True
            )
        case "raw_string":
            return Word(_source(node)[1:-1])
        case "ansi_c_string":
            return Word(codecs.decode(_source(node)[2:-1], "unicode_escape"))
        case "concatenation" | "command_name":
            return _joined(node.children, node)
        case (
            "simple_expansion"
            | "expansion"
            | "command_substitution"
            | "process_substitution"
            | "arithmetic_expansion"
            | "brace_expression"
        ):
            return Word(_source(node), known=False)
        case "string_content":
            return Word(re.sub(r'\\([\\"$`\n])', lambda found: found[1].strip("\n"), _source(node)))
        case _:
            return Word(re.sub(r"\\(.)", r"\1", _source(node), flags=re.DOTALL))


def _joined(children: list[Node], whole: Node, *, quoted: bool = False) -> Word:
    """Return the parts of a word in a row.

    Between the parts of a quoted string stand the spaces that the grammar gives to none of them.
    """
    text = ""
    known = True
    end = children[0].start_byte if children else whole.end_byte
    if quoted:
        end = whole.start_byte + 1
    for child in children:
        part = _word(child)
        text += (whole.text or b"")[
            end - whole.start_byte : child.start_byte - whole.start_byte
        ].decode() + part.text
        known = known and part.known
        end = child.end_byte
    return Word(text, known)


def _source(node: Node) -> str:
    return (node.text or b"").decode()
