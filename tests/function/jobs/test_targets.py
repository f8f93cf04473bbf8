"""The clusters of a run, in order, and the owner of a namespace that two documents select."""

from dataclasses import replace

import pytest

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, Server, WebIdentity
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint
from ecr_public_pusher.configuration.loader import Configuration
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.errors import InvalidDocument, RequestError
from ecr_public_pusher.events.request import Request
from ecr_public_pusher.jobs.targets import make_plan
from ecr_public_pusher.results import Namespace


def config(
    identity: str,
    *include: str,
    cluster: str | None = None,
    selector: str | None = None,
    enabled: bool = True,
) -> ClusterConfig:
    return ClusterConfig(
        identity,
        cluster or identity,
        "us-east-1",
        Selection(include, (), selector),
        enabled=enabled,
    )


BAD = InvalidDocument("bad", remedy="correct it")
ALL = Configuration(
    (config("c", "x"), config("a", "x"), config("b", "x", enabled=False)), {"d": BAD}
)


def test_all_clusters_in_the_order_of_their_ids() -> None:
    plan = make_plan(Request(), ALL)
    assert [planned.config.id for planned in plan.clusters] == ["a", "c"]
    assert [planned.config.id for planned in plan.disabled] == ["b"]
    assert plan.invalid == {"d": BAD}


@pytest.mark.parametrize(
    ("patterns", "ids"), [(("a",), ["a"]), (("[ac]",), ["a", "c"]), (("*",), ["a", "c"])]
)
def test_narrowed_by_id_and_glob(patterns: tuple[str, ...], ids: list[str]) -> None:
    assert [
        planned.config.id for planned in make_plan(Request(clusters=patterns), ALL).clusters
    ] == ids


def test_a_narrowed_push_ignores_other_bad_documents() -> None:
    assert not make_plan(Request(clusters=("a",)), ALL).invalid
    assert make_plan(Request(clusters=("d",)), ALL).invalid


def test_wanted_disabled_documents_are_planned_as_if_enabled_if_asked_for() -> None:
    plan = make_plan(Request("check", clusters=("[ab]",), includes_disabled=True), ALL)
    assert [planned.config.id for planned in plan.clusters] == ["a", "b"]
    plan = make_plan(Request("check", clusters=("a",), includes_disabled=True), ALL)
    assert [planned.config.id for planned in plan.clusters] == ["a"]


def test_a_mistyped_id_is_guessed() -> None:
    with pytest.raises(RequestError) as raised:
        make_plan(Request(clusters=("prodution",)), Configuration((config("production", "x"),)))
    assert raised.value.remedy.startswith("Did you mean production? Known ids: ")


def test_a_name_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(RequestError, match="no cluster document matches staging, eu-"):
        make_plan(Request(clusters=("a", "staging", "eu-*")), ALL)


def test_a_deleted_document_leaves_nothing_to_push() -> None:
    assert make_plan(Request(clusters=("gone",), deleted="gone"), ALL).clusters == ()


def test_a_namespace_that_two_documents_select_is_the_firsts() -> None:
    both = Configuration(
        (config("one", "team-*", cluster="main"), config("two", "team-a", "other", cluster="main"))
    )
    two = make_plan(Request(clusters=("two",)), both).clusters[0]
    assert two.holder(Namespace("team-a")) == "one"
    assert two.holder(Namespace("other")) is None
    assert not two.needs_list


def test_a_selector_ahead_needs_the_labels() -> None:
    both = Configuration(
        (config("one", cluster="main", selector="pull"), config("two", "team-a", cluster="main"))
    )
    two = make_plan(Request(), both).clusters[1]
    assert two.needs_list
    assert two.holder(Namespace("team-a", {"pull": ""})) == "one"
    assert two.holder(Namespace("team-a")) is None


def test_a_disabled_document_claims_nothing() -> None:
    both = Configuration(
        (config("one", "x", cluster="main", enabled=False), config("two", "x", cluster="main"))
    )
    (two,) = make_plan(Request(), both).clusters
    assert (two.config.id, two.ahead) == ("two", ())


def test_a_role_in_the_functions_own_account_means_the_same_cluster() -> None:
    plain = ClusterConfig(
        "one", "main", "us-east-1", Selection(("x",)), function_account="111122223333"
    )
    assumed = ClusterConfig(
        "two", "main", "us-east-1", Selection(("x",)), role_arn="arn:aws:iam::111122223333:role/r"
    )
    assert (
        make_plan(Request(), Configuration((plain, assumed))).clusters[1].holder(Namespace("x"))
        == "one"
    )


def test_the_same_name_in_another_region_or_account_is_another_cluster() -> None:
    first = config("one", "x", cluster="main")
    elsewhere = ClusterConfig("two", "main", "eu-west-1", Selection(("x",)))
    other = ClusterConfig(
        "three", "main", "us-east-1", Selection(("x",)), role_arn="arn:aws:iam::444455556666:role/r"
    )
    planned = make_plan(Request(), Configuration((first, elsewhere, other))).clusters
    assert [(one.config.id, one.ahead, one.behind) for one in planned] == [
        ("one", (), ()),
        ("three", (), ()),
        ("two", (), ()),
    ]


def test_another_spelling_of_the_address_makes_no_other_cluster() -> None:
    one, two = (
        replace(config(name, "x"), sign_in=WebIdentity(Server(normal_endpoint(url))))
        for name, url in (("one", "https://h.example"), ("two", "https://H.example:443/"))
    )
    other = replace(config("zero", "x"), sign_in=WebIdentity(Server("https://h.example:6443")))
    planned = make_plan(Request(), Configuration((one, two, other))).clusters
    assert [cluster.holder(Namespace("x")) for cluster in planned] == [None, "one", None]


def test_a_changed_parameter_that_is_no_document_leaves_nothing_to_push() -> None:
    assert make_plan(Request(unknown_parameter="/ecr-public-pusher/x"), ALL).ids == []


def test_a_message_may_name_a_cluster_that_is_gone() -> None:
    plan = make_plan(Request(clusters=("a", "gone"), ignore_missing=True), ALL)
    assert plan.ids == ["a"]


def test_a_sweep_concerns_every_enabled_document_and_leaves_the_others_to_the_push() -> None:
    some = Configuration(
        (config("names", "x"), config("globs", "x*"), config("off", "y*", enabled=False)),
        {"bad": BAD},
    )
    plan = make_plan(Request("sweep"), some)
    assert (plan.ids, plan.disabled) == (["globs", "names"], ())


def test_a_removal_concerns_disabled_documents_too() -> None:
    plan = make_plan(Request("remove", ("*",), removes=True), ALL)
    assert [planned.config.id for planned in plan.clusters] == ["a", "b", "c"]
    assert (plan.disabled, plan.invalid) == ((), {"d": BAD})
