"""Selection by name, glob, exclusion and label."""

import pytest

from ecr_public_pusher.configuration.names import check_namespace
from ecr_public_pusher.configuration.namespace_selector import Scope, Selection, select
from ecr_public_pusher.results import Namespace

LISTED = [
    Namespace("default"),
    Namespace("kube-node-lease", {"pull": "yes"}),
    Namespace("kube-public", {"pull": "yes"}),
    Namespace("kube-system", {"pull": "yes"}),
    Namespace("team-a", {"pull": "yes"}),
    Namespace("team-b"),
    Namespace("other", {"pull": "yes"}),
]


def names(selection: Selection, *, only: tuple[str, ...] = ()) -> list[str]:
    return [
        namespace.name
        for namespace in select(
            selection, LISTED if selection.needs_list else None, scope=Scope(only)
        )
    ]


@pytest.mark.parametrize(
    ("selection", "name", "reason"),
    [
        (Selection(("team-a", "team-*")), "team-a", "name"),
        (Selection(("x-*", "team-*")), "team-a", "glob team-*"),
        (Selection((), (), "pull"), "team-a", "selector pull"),
        (Selection(("team-*",), (), "pull"), "team-a", "glob team-*, selector pull"),
    ],
)
def test_the_reason_why_a_namespace_is_selected(
    selection: Selection, name: str, reason: str
) -> None:
    assert selection.reason(name) == reason


@pytest.mark.parametrize(
    ("selection", "name", "reason"),
    [
        (Selection(("*",), ("x", "team-*")), "team-a", "excluded by team-*"),
        (Selection(("team-b",)), "team-a", "no name or glob matches"),
        (Selection(("*",)), "kube-system", "a system namespace, which only its name selects"),
        (
            Selection((), (), "pull"),
            "kube-public",
            "a system namespace, which only its name selects",
        ),
        (Selection(("kube-system",), (), "x"), "kube-system", "selector x does not match"),
        (Selection(("team-*",), (), "pull=no"), "team-a", "selector pull=no does not match"),
    ],
)
def test_the_reason_why_a_namespace_is_not_selected(
    selection: Selection, name: str, reason: str
) -> None:
    assert not selection.selects(Namespace(name))
    assert selection.reason_against(name) == reason


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(("b", "a", "b")), ["b", "a"]),
        (Selection(("team-*",)), ["team-a", "team-b"]),
        (Selection(("*",)), ["default", "other", "team-a", "team-b"]),
        (Selection(("*", "kube-system")), ["kube-system", "default", "other", "team-a", "team-b"]),
        (Selection(("*",), ("team-?",)), ["default", "other"]),
        (Selection(("a",), ("a",)), []),
        (Selection(("kube-*",)), []),
        (Selection((), (), "pull=yes"), ["other", "team-a"]),
        (Selection(("team-*",), (), "pull"), ["team-a"]),
        (Selection(("kube-system",), (), "pull"), ["kube-system"]),
        (Selection((), ("other",), "pull"), ["team-a"]),
        (Selection(("gone", "team-[ab]")), ["gone", "team-a", "team-b"]),
        (Selection(("team-b",), (), "pull"), []),
    ],
)
def test_selected(selection: Selection, selected: list[str]) -> None:
    assert names(selection) == selected


def test_only_narrows_what_is_selected() -> None:
    assert names(Selection(("team-*", "default")), only=("team-?", "other")) == ["team-a", "team-b"]


def test_names_without_globs_need_no_list() -> None:
    assert not Selection(("a", "b"), ("team-*",)).needs_list
    assert Selection(("a-*",)).needs_list
    assert Selection(("a",), (), "x").needs_list


@pytest.mark.parametrize(
    "pattern",
    [
        "Team-*",
        "a_b",
        "-a",
        "a-",
        "[a",
        "a]",
        "team-[",
        "",
        "a b",
        "x" * 64,
        "a.b",
        "-*",
        "*-",
        "[]",
    ],
)
def test_impossible_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"not a namespace name|no namespace can match"):
        check_namespace(pattern)


@pytest.mark.parametrize("pattern", ["a", "team-*", "*", "?x", "team-[a-c]", "[!k]*", "012"])
def test_possible_patterns_pass(pattern: str) -> None:
    assert check_namespace(pattern) == pattern
