"""Label selectors: what the API server would take, and what they match."""

import pytest

from ecr_public_pusher.configuration import label_selector as selectors

LABELS = {"team": "web", "tier": "2", "example.com/pull": "yes", "long": "9223372036854775808", "in": "in"}


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
    ],
)
def test_what_the_api_server_would_refuse_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="not a label selector requirement"):
        selectors.parse(selector)
