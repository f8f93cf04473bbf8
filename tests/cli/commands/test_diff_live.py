"""`diff --live`: the namespaces that a folder's documents would select, asked of the clusters."""

from typing import Any

import pytest

from tests.support.operator import Administrator
from tests.support.world import ROOT, World

SPACES = {"a": {"team": "x"}, "team-a": {"team": "x"}, "team-b": {}}


@pytest.fixture
def prod(world: World, person: Administrator) -> None:
    world.add_cluster("prod", namespaces=SPACES, document="namespaces: ['team-*']", embedded=True)
    person.kubeconfig("prod")


def live(person: Administrator, **documents: str) -> list[dict[str, Any]]:
    """Return what `diff --live` says of the documents' selections."""
    ran = person.run("diff", str(person.folder(**documents)), "--live", "-o", "json")
    assert ran.exit_code in (0, 1), ran.stderr
    return list(ran.json["live"])


def shown(*names: tuple[str, str]) -> list[dict[str, str]]:
    return [{"namespace": name, "reason": reason} for name, reason in names]


@pytest.mark.usefixtures("prod")
def test_what_is_gained_and_lost_is_shown_with_its_reason(person: Administrator) -> None:
    text = "namespaces: {include: [a, 'team-*', gone], exclude: [team-b]}"
    assert live(person, prod=text) == [
        {
            "document": "clusters/prod",
            "selected": 3,
            "gained": shown(("a", "name"), ("gone", "name, but it does not exist")),
            "lost": shown(("team-b", "excluded by team-b")),
        }
    ]
    ran = person.run("diff", str(person.folder(prod=text)), "--live")
    assert "clusters/prod: 3 namespaces selected\n+ a  name\n" in ran.stdout
    assert "\n- team-b  excluded by team-b\n" in ran.stdout


@pytest.mark.usefixtures("prod")
def test_labels_are_those_of_the_cluster(person: Administrator) -> None:
    (change,) = live(person, prod="namespaces: {selector: team=x}")
    assert change["gained"] == shown(("a", "selector team=x"))
    assert change["lost"] == shown(("team-b", "selector team=x does not match"))


@pytest.mark.usefixtures("prod")
def test_the_defaults_change_the_selections_of_documents(
    person: Administrator, world: World
) -> None:
    world.document("prod", "prune: false")
    world.defaults("namespaces: [a]")
    (change,) = live(person, defaults="namespaces: ['team-*']", prod="prune: false")
    assert [one["namespace"] for one in change["gained"]] == ["team-a", "team-b"]
    assert change["lost"] == shown(("a", "no name or glob matches"))


@pytest.mark.usefixtures("prod")
def test_a_document_that_is_disabled_loses_all_and_one_with_the_same_selection_is_left_out(
    person: Administrator,
) -> None:
    (change,) = live(person, prod="{namespaces: ['team-*'], enabled: false}")
    assert change["lost"] == shown(("team-a", "disabled"), ("team-b", "disabled"))
    assert live(person, prod="{namespaces: ['team-*'], prune: true}") == []


@pytest.mark.usefixtures("prod")
def test_a_cluster_that_cannot_be_asked_is_named(person: Administrator, world: World) -> None:
    world.add_cluster("other", namespaces=("a",), embedded=True)
    folder = {"prod": "namespaces: ['team-*']", "other": "namespaces: [a]"}
    (change,) = live(person, **folder)
    assert change["document"] == "clusters/other"
    assert change["problem"].startswith("No context of your kubeconfig leads to https://")
    (person.home / "kubeconfig").unlink()
    ran = person.run("diff", str(person.folder(**folder)), "--live")
    assert ran.exit_code == 1
    assert "clusters/other: not asked: There is no kubeconfig" in ran.stdout


@pytest.mark.usefixtures("prod")
def test_the_selection_of_a_secure_string_is_shown_only_if_asked_for(
    person: Administrator, world: World
) -> None:
    world.aws.delete_parameter(f"{ROOT}/clusters/prod")
    world.document("prod", "namespaces: ['team-*']", secure=True)
    (change,) = live(person, prod="namespaces: [a]")
    assert change.keys() == {"document", "problem"}
    folder = str(person.folder(prod="namespaces: [a]"))
    ran = person.run("diff", folder, "--live", "--show-secure", "-o", "json")
    assert ran.json["live"][0]["gained"] == shown(("a", "name"))
