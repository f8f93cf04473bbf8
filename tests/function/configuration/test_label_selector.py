"""Label selectors: what the API server would take, and what they match."""

import itertools
import re

import pytest

from ecr_public_pusher.configuration import label_selector as selectors

LABELS = {
    "team": "web",
    "tier": "2",
    "example.com/pull": "yes",
    "long": "9223372036854775808",
    "in": "in",
}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("team", True),
        ("!team", False),
        ("!absent", True),
        ("team=web", True),
        ("team==web", True),
        ("team != web", False),
        ("absent!=web", True),
        ("team in (web, db)", True),
        ("team notin (web,db)", False),
        ("absent notin (web)", True),
        ("tier>1", True),
        ("tier < 2", False),
        ("team>1", False),
        ("example.com/pull=yes,team in (web,db),!gone", True),
        ("team=web,tier=3", False),
        ("team=", False),
        ("tier>0000000000000000000001", True),
        ("tier<9223372036854775807", True),
        ("long>1", False),
        ("long<1", False),
        ("team in (),tier", False),
        ("absent notin ()", True),
        ("in in (in), notin!=x", True),
        ("team in (web,,db)", True),
        ("team in (, web , )", True),
        ("team\tin\n(\r\nweb )", True),
        (" team ", True),
        ("! absent", True),
    ],
)
def test_matching(selector: str, matches: bool) -> None:
    assert all(requirement.matches(LABELS) for requirement in selectors.parse(selector)) is matches


@pytest.mark.parametrize(
    "selector",
    [
        "==x",
        "a b",
        "a in",
        "a in (b",
        "a,",
        "-x",
        "a=b=c",
        "a/b/c",
        "k=not a label",
        "x" * 64,
        "",
        "a in ((b))",
        "tier>x",
        "tier>-1",
        "tier > +1",
        "tier>9223372036854775808",
        "tier<99999999999999999999",
        "tier>",
        "a in b",
        "a\u00a0in (b)",
        "a=\x0b",
        "a = = b",
        "a=!b",
        "a!",
        "!a=b",
        "!a in (b)",
        "a(b)",
        "ain (b)",
        "a in (b c)",
        "a in (b)c",
        "a in (b),",
        "a>1,",
        "(a)",
    ],
)
def test_what_the_api_server_would_refuse_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="not a label selector requirement"):
        selectors.parse(selector)


def test_the_invalid_part_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"^'tier in \(a b\)', part 2 of 3, is not a label selector"
    ):
        selectors.parse("team in (x, y), tier in (a b) ,z")


_PIECES = ("a", "in", " ", "=", "!", ",", "(", ")", "<", "07", "x/y")


@pytest.mark.parametrize("begin", ["", "a in (b,", "a in (b),", "a>"])
def test_the_published_pattern_takes_what_is_parsed_and_nothing_else(begin: str) -> None:
    pattern = re.compile(f"^(?:{selectors.SELECTOR_PATTERN})$")
    for pieces in itertools.product(("", *_PIECES), repeat=3):
        text = begin + "".join(pieces)
        try:
            taken = bool(selectors.parse(text))
        except ValueError:
            taken = False
        assert bool(pattern.search(text)) is taken, text


@pytest.mark.parametrize("zeros", [0, 1, 44, 45])
@pytest.mark.parametrize(
    "number",
    [0, 7, 10**18 - 1, 10**18, 2**63 - 11, 2**63 - 1, 2**63, 2**63 + 2, 10**19 - 1, 10**19],
)
def test_a_bound_is_an_int64_and_a_label_value(number: int, zeros: int) -> None:
    digits = "0" * zeros + str(number)
    pattern = re.compile(f"^(?:{selectors.SELECTOR_PATTERN})$")
    assert bool(pattern.search(f"a > {digits}")) is (number < 2**63 and len(digits) <= 63)


@pytest.mark.parametrize(
    ("label", "selector", "matches"),
    [
        ("2", "n>1", True),
        ("2", "n>2", False),
        ("2", "n<2", False),
        ("2", "n<3", True),
        ("-1", "n<0", True),
        ("9223372036854775807", "n>9223372036854775806", True),
        ("9223372036854775808", "n>0", False),
    ],
)
def test_more_and_less_leave_out_the_bound_itself_and_take_every_int64(
    label: str, selector: str, matches: bool
) -> None:
    (requirement,) = selectors.parse(selector)
    assert requirement.matches({"n": label}) is matches
