"""Example namespaces of a selection; the function selects each of them."""

import pytest

from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.namespace_selector import Selection, select
from ecr_public_pusher.results import Namespace
from infra.local.scenarios.own.examples import namespaces, service_accounts

NAMED = Selection(("payments", "team-*"), ("team-example",))


def names(selection: Selection) -> list[str]:
    return [example.name for example in namespaces(selection)]


def test_each_name_is_an_example_and_a_glob_gets_two() -> None:
    assert names(Selection(("payments", "team-*"))) == ["payments", "team-example", "team-sample"]


def test_an_excluded_name_is_an_example_too() -> None:
    assert [(one.name, one.why) for one in namespaces(NAMED)][-1] == ("team-example", "excluded")
    assert "team-sample" in names(NAMED)


@pytest.mark.parametrize("pattern", ["*", "team-*", "*-prod", "x-?", "[ab]c-*", "[!a]b", "t*m-*-?"])
def test_each_example_of_a_glob_is_selected(pattern: str) -> None:
    selection = Selection((pattern,))
    made = namespaces(selection)
    assert made
    assert [
        one.name for one in select(selection, [Namespace(one.name, one.labels) for one in made])
    ] == sorted(one.name for one in made)


@pytest.mark.parametrize(
    "selector",
    [
        "team",
        "team=web",
        "team in (web, db)",
        "!old",
        "stage!=lab",
        "size>3",
        "size<3",
        "a=b,c,!d,e notin (f)",
    ],
)
def test_the_labels_of_an_example_fit_the_selector(selector: str) -> None:
    selection = Selection(selector=selector)
    made = namespaces(selection)
    assert len(made) == 2
    assert all(selection.selects(Namespace(one.name, one.labels)) for one in made)


def test_there_is_no_example_when_everything_is_excluded() -> None:
    assert names(Selection(("team-*",), ("*",))) == []


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (AccountSelection(), []),
        (AccountSelection(("builder", "x-*")), ["builder", "default"]),
        (AccountSelection((), (), "pull=yes,!old"), ["default"]),
    ],
)
def test_the_accounts_are_default_and_those_named(
    selection: AccountSelection, names: list[str]
) -> None:
    made = service_accounts(selection)
    assert [one.name for one in made] == names
    assert all(one.labels == ({"pull": "yes"} if selection.selector else {}) for one in made)
