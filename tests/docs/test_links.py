"""The targets of links in a document exist: files, sections of documents, pictures."""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.documents import DOCUMENTS, ROOT


def targets(document: Path) -> list[str]:
    """Return the targets of the document's links and pictures."""
    found = []
    for token in MarkdownIt().enable("table").parse(document.read_text()):
        for child in token.children or []:
            found += [str(value) for name in ("href", "src") if (value := child.attrGet(name))]
    return [unquote(target) for target in found]


def anchors(document: Path) -> set[str]:
    """Return the anchor of each section, as GitHub makes them.

    Lower case, without punctuation, spaces as hyphens; a second one of the same name is numbered.
    """
    found: set[str] = set()
    tokens = MarkdownIt().enable("table").parse(document.read_text())
    for before, token in itertools.pairwise(tokens):
        if before.type == "heading_open":
            anchor = re.sub(r"[^\w\- ]", "", _plain(token).lower()).replace(" ", "-")
            again = sum(1 for one in found if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", one))
            found.add(f"{anchor}-{again}" if anchor in found else anchor)
    return found


def _plain(heading: Token) -> str:
    return "".join(child.content for child in heading.children or [])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_is_there(document: Path) -> None:
    missing = []
    for target in targets(document):
        if re.match(r"https?://|mailto:", target):
            continue
        name, _, section = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (section and section not in anchors(file)):
            missing.append(target)
    assert missing == []


def test_every_document_of_the_folder_is_reached_from_the_readme() -> None:
    reached = {
        (ROOT / target.partition("#")[0]).resolve() for target in targets(ROOT / "README.md")
    }
    assert {path for path in DOCUMENTS if path.parent == ROOT / "docs"} - reached == set()


def test_an_anchor_is_made_as_github_makes_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `code`, and 2 words\n## Twice\n## Twice\n```sh\n# no heading\n```\n")
    assert anchors(page) == {"a-code-and-2-words", "twice", "twice-1"}


SOURCES = [
    *ROOT.glob("*.yaml"),
    *(
        path
        for folder in ("lambda_src", "infra")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".tf")
    ),
]


def test_documents_that_the_sources_name_are_there() -> None:
    named = {
        (source, found)
        for source in SOURCES
        for found in re.findall(r"\bdocs/[\w-]+\.md(?:#[\w-]+)?", source.read_text())
    }
    missing = [
        f"{source.relative_to(ROOT)}: {found}"
        for source, found in named
        if not (ROOT / found.partition("#")[0]).exists()
        or ("#" in found and found.partition("#")[2] not in anchors(ROOT / found.partition("#")[0]))
    ]
    assert named
    assert missing == []
