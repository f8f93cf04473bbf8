"""Regular expressions over others' text: the number of steps is proportional to its length."""

import fnmatch
from functools import cache
from pathlib import Path

import pytest

from ecr_public_pusher.configuration import endpoint_form, field_types, names
from tests.support.backtracking import MOST_WAYS, NotJudged, worst
from tests.support.patterns import Use, modules_in, uses_in_module, uses_in_schema

ROOT = Path(__file__).parents[2]
FIELD_TYPES = field_types.__name__
TEXTS = [one for one in vars(field_types).values() if isinstance(one, field_types.Text)]
MEANINGS = {
    (FIELD_TYPES, "self.pattern"): [text.pattern for text in TEXTS],
    (endpoint_form.__name__, "pattern"): [pattern for pattern, _ in endpoint_form._FAULTS],
    # globs: see test_the_stars_of_a_glob_do_not_multiply
    (names.__name__, "form"): [],
}
MODULES = {
    **modules_in(ROOT / "lambda_src" / "ecr_public_pusher", "ecr_public_pusher"),
    **modules_in(ROOT / "infra" / "cli", "infra.cli"),
}
SOURCES = {**MODULES, **{path.name: path for path in sorted((ROOT / "docs").glob("*.schema.json"))}}

once = cache(worst)  # the schemas have much in common


@cache
def uses_in(source: str) -> frozenset[Use]:
    path = SOURCES[source]
    found = uses_in_module(source, path, MEANINGS) if source in MODULES else uses_in_schema(path)
    return frozenset(found)


@pytest.mark.parametrize("source", SOURCES)
def test_a_longer_text_takes_no_more_steps_a_character(source: str) -> None:
    for use in uses_in(source):
        found = once(use.pattern, use.flags, searched=use.searched)
        assert found.ways <= MOST_WAYS, f"{use.pattern!r}: ever more ways, as after {found.text!r}"


def test_the_patterns_are_found() -> None:
    found = {source: uses_in(source) for source in SOURCES}
    modules = {source.rpartition(".")[2] for source, uses in found.items() if uses}
    assert modules >= {"field_types", "names", "status", "kubeconfig_document", "times", "json"}
    assert len(frozenset().union(*found.values())) > 60


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        ("(a|a)*", False),
        ("(a*)*b", False),
        ("(?:a+)+", False),
        (r"\s*x?\s*y", False),
        (r"(?:\s*a?\s*,)*", False),
        (r"[^\x00]*BEGIN[^\x00]*", False),
        ("(?:a(?=.*b))*", False),
        ("(a?){0,61}b", False),
        ("a+b", True),
        (r",(?![^()]*\))", True),
        (r"\{\{.*?\}\}", True),
        # a selector's values, as they once were
        (r"[ ]*(?:[a-z]+)?[ ]*(?:,[ ]*(?:[a-z]+)?[ ]*)*\)", False),
    ],
)
def test_ways_that_grow_are_seen(pattern: str, searched: bool) -> None:
    assert worst(pattern, searched=searched).ways > MOST_WAYS


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        ("a*b", False),
        (r"(?:\s*a)*\s*", False),
        ("^a+b", True),
        ("a{1,40}(?:b{2,}c)*$", False),
        ("(?=a*)a*b", False),
        ("a.*(?:x|yz)", False),
    ],
)
def test_ways_that_do_not_grow_are_let_pass(pattern: str, searched: bool) -> None:
    assert worst(pattern, searched=searched).ways <= 4


def test_what_is_not_understood_is_not_let_pass() -> None:
    with pytest.raises(NotJudged):
        worst(r"(a)\1", searched=False)


def test_the_stars_of_a_glob_do_not_multiply() -> None:
    """Each but the last is given up once what follows it is found: at most length times length."""
    assert fnmatch.translate("*a*b?*c*d") == r"(?s:(?>.*?a)(?>.*?b.)(?>.*?c).*d)\Z"
    too_long = "a" * (names.MAX_LENGTH + 1)
    assert not names.matches("*a*", too_long)
    assert not names.any_of(("*a*",))(too_long)
