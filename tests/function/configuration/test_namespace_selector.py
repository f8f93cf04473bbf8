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


def test_names_alone_need_no_list() -> None:
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
