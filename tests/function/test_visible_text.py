"""Invisible characters in a message are escaped."""

import pytest

from ecr_public_pusher.errors import DocumentProblem, InvalidDocument, PusherError
from ecr_public_pusher.visible_text import visible
from infra.cli.errors import CliError

INVISIBLE = (
    *("\xa0", "\u2007", "\u202f", "\u3000", "\u1680", "\u2028", "\x85"),  # spaces other than U+0020
    *(
        "\u200b",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\xad",
        "\u034f",
        "\u115f",
        "\u2800",
        "\u3164",
        "\uffa0",
    ),  # no width, or nothing to see
    *(
        "\x00",
        "\x1b",
        "\x7f",
        "\t",
        "\n",
        "\r",
        "\u202e",
        "\u2066",
    ),  # control characters of terminals and text layout
    *(
        "\ufe0f",
        "\U000e0101",
        "\U000e0041",
        "\ue000",
        "\ud83d",
        "\uffff",
    ),  # variants, tags, private ones, halves
)


@pytest.mark.parametrize("character", INVISIBLE, ids=[f"U+{ord(one):04X}" for one in INVISIBLE])
def test_it_is_escaped(character: str) -> None:
    assert visible(f"team{character}a") == f"team{character.encode('unicode_escape').decode()}a"
    visible(f"team{character}a").encode("ascii")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "team-a",
        "include ∩ selector − exclude → …",
        "Bücher",
        "東京",
        "ru\u0301",
        "\U0001f600",
        "a  b",
    ],
)
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_every_error_of_ours_says_it_so() -> None:
    """Its lines to paste stay lines."""
    problem = DocumentProblem("'a\xa0b' is no name", ("a\xa0b",))
    error = InvalidDocument(
        "'a\u200bb' is no name", remedy="first\u2028\nsecond", problems=(problem,)
    )
    assert (error.message, str(error), error.remedy) == (
        r"'a\u200bb' is no name",
        r"'a\u200bb' is no name",
        "first\\u2028\nsecond",
    )
    assert (error.problems[0].message, error.problems[0].path) == (
        r"'a\xa0b' is no name",
        ("a\xa0b",),
    )
    assert isinstance(error, PusherError)
    assert CliError("'a\xa0b'\n\tx", remedy="y\x1b[2J").message == "'a\\xa0b'\n\tx"
