"""The documents' form: what a terminal, a diff and a reader can live with."""

import re
from pathlib import Path

import pytest

from infra.tools import reference
from tests.docs.documents import DOCUMENTS, ROOT, blocks, prose

LANGUAGES = {"sh", "yaml", "json", "text", "hcl"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_of_prose_fit_120_columns(document: Path) -> None:
    lines = enumerate(prose(document).splitlines(), 1)
    assert [
        number
        for number, line in lines
        if len(line) > 120 and not line.startswith("|") and not re.fullmatch(r"!?\[.*\)", line)
    ] == []


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_every_fenced_block_says_what_it_is() -> None:
    assert [str(block) for block in blocks() if block.language not in LANGUAGES] == []


@pytest.mark.parametrize(
    ("path", "text"),
    reference.pages().items(),
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_generated_tables_are_current(path: Path, text: str) -> None:
    assert path.read_text() == text, "make reference"


def test_the_readme_names_the_test_command() -> None:
    assert "`make test`" in (ROOT / "README.md").read_text()
