"""The ServiceAccounts that a document selects: by name, glob, exclusion and label."""

import pytest

from ecr_public_pusher.configuration.account_selector import AccountSelection

ACCOUNTS: dict[str, dict[str, str]] = {
    "default": {},
    "build-1": {"pull": "yes"},
    "build-2": {},
    "kube-system": {"pull": "yes"},
}


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (AccountSelection(), []),
        (AccountSelection(("default",)), ["default"]),
        (AccountSelection(("build-*",)), ["build-1", "build-2"]),
        (AccountSelection(("*",), ("build-?", "default")), ["kube-system"]),
        (AccountSelection((), (), "pull"), ["build-1", "kube-system"]),
        (AccountSelection((), ("kube-*",), "pull"), ["build-1"]),
        (AccountSelection(("build-*",), (), "pull=yes"), ["build-1"]),
        (AccountSelection(("default",), (), "pull"), []),
        (AccountSelection(("default", "build-1"), ("default",)), ["build-1"]),
        (AccountSelection((), (), "!pull"), ["default", "build-2"]),
    ],
)
def test_a_selection(selection: AccountSelection, selected: list[str]) -> None:
    assert [
        name for name, labels in ACCOUNTS.items() if selection.selects(name, labels)
    ] == selected


@pytest.mark.parametrize(
    ("selection", "can_select"),
    [
        (AccountSelection(), False),
        (AccountSelection(("a",)), True),
        (AccountSelection(("a",), ("a",)), False),
        (AccountSelection(("a*",), ("a",)), True),
        (AccountSelection((), (), "x"), True),
    ],
)
def test_a_selection_that_cannot_select_any_is_empty(
    selection: AccountSelection, can_select: bool
) -> None:
    assert bool(selection) is can_select


@pytest.mark.parametrize(
    ("selection", "by_name"),
    [
        (AccountSelection(("a", "b"), ("c*",)), True),
        (AccountSelection(("a",), (), "x"), True),
        (AccountSelection(("a", "b*")), False),
        (AccountSelection((), (), "x"), False),
    ],
)
def test_names_alone_need_no_list(selection: AccountSelection, by_name: bool) -> None:
    assert selection.by_name is by_name


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (AccountSelection(("b", "a", "b", "c*")), ("b", "a")),
        (AccountSelection(("a", "b"), ("b",)), ("a",)),
        (AccountSelection(("a",), (), "x"), ()),  # it may be there without the label
    ],
)
def test_the_accounts_that_must_exist(
    selection: AccountSelection, expected: tuple[str, ...]
) -> None:
    assert selection.expected == expected
