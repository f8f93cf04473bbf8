"""The dashboard: valid, about this stack, and about metrics and log fields that there are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.alarms import EMITTED, METRICS, NAMESPACE, STORED_METRICS, MetricName, alarms
from tests.stack.template import REGION, STACK, properties

WIDTH = 24
_SEARCH = re.compile(
    r"""SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)" service="([^"]+)"', '\w+', \d+\)"""
)


def body(**parameters: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(properties("Dashboard", **parameters)["DashboardBody"])
    return found


def widgets(kind: str, **parameters: Any) -> list[dict[str, Any]]:
    return [
        widget["properties"] for widget in body(**parameters)["widgets"] if widget["type"] == kind
    ]


def rows() -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Return the metrics of all graphs.

    Names and dimensions with their abbreviations written out, and options; expressions without
    names.
    """
    for widget in widgets("metric"):
        previous: list[Any] = []
        for row in widget["metrics"]:
            options = row[-1] if isinstance(row[-1], dict) else {}
            names = [part for part in row if not isinstance(part, dict)]
            previous = [
                previous[place] if name == "." else name for place, name in enumerate(names)
            ]
            yield previous, options


def shown() -> set[MetricName]:
    named = {(names[0], names[1], tuple(sorted(names[2::2]))) for names, _ in rows() if names}
    return named | {
        (found[1], found[3], tuple(sorted(found[2].split(",")))) for found in searches()
    }


def searches() -> list[re.Match[str]]:
    expressions = [
        options["expression"]
        for names, options in rows()
        if not names and "SEARCH" in options["expression"]
    ]
    found = [_SEARCH.fullmatch(expression) for expression in expressions]
    assert all(found), expressions
    return [one for one in found if one]


def queries() -> list[str]:
    return [str(widget["query"]) for widget in widgets("log")]


def test_it_shows_a_day_since_tokens_live_half_of_one() -> None:
    assert body()["start"] == "-PT24H"


def test_every_metric_that_is_shown_is_one_that_is_emitted() -> None:
    assert shown() <= EMITTED


def test_what_decides_about_pulls_is_shown() -> None:
    deciding = {
        "FullPushCompleted",
        "TokenSecondsAtIssue",
        "ClusterFailed",
        "SecretsFailed",
        "Duration",
    }
    assert deciding <= {name for _, name, _ in shown()}


def test_the_life_that_is_left_is_shown_for_each_cluster_beside_its_alarm() -> None:
    assert (NAMESPACE, "SecondsLeft", ("cluster", "service")) in shown()
    (widget,) = [one for one in widgets("metric") if "SecondsLeft" in str(one["metrics"])]
    (line,) = widget["annotations"]["horizontal"]
    assert line["value"] * 3600 == alarms()["TokenEndingAlarm"]["Threshold"]
    drawn = [row[0]["expression"] for row in widget["metrics"] if isinstance(row[0], dict)]
    assert {"left / 3600", "least / 3600"} <= set(drawn)


def test_it_shows_this_stacks_own() -> None:
    own = {STACK, "PusherFunction", "DeadLetterQueue.QueueName", "RetryQueue.QueueName"}
    assert {value for names, _ in rows() for value in names[3::2]} == own
    assert {found[4] for found in searches()} == {STACK}


def test_expressions_refer_to_metrics_of_their_own_graph() -> None:
    for widget in widgets("metric"):
        ids = {row[-1].get("id") for row in widget["metrics"] if isinstance(row[-1], dict)}
        for row in widget["metrics"]:
            if isinstance(row[0], dict) and "SEARCH" not in row[0]["expression"]:
                assert set(re.findall(r"\b[a-z]+\b", row[0]["expression"])) <= ids


def test_the_alarms_are_all_there() -> None:
    (widget,) = widgets("alarm")
    assert sorted(widget["alarms"]) == sorted(f"{name}.Arn" for name in alarms())


@pytest.mark.parametrize("query", queries())
def test_queries_read_the_functions_log(query: str) -> None:
    assert query.startswith("SOURCE 'PusherLogGroup' | filter ")


@pytest.mark.parametrize("query", queries())
def test_queries_name_metrics_as_powertools_writes_them(query: str) -> None:
    # {"SecretsApplied": [3.0]} is SecretsApplied.0 to Logs Insights.
    known = METRICS.keys() | set(STORED_METRICS)
    assert set(re.findall(r"\b([A-Z]\w+)\.0\b", query)) <= known
    assert not set(re.findall(r"\b([A-Z]\w+)\b(?!\.0)", re.sub(r"'[^']*'", "", query))) & known


def test_the_days_that_a_stored_credential_has_left_are_shown_for_each_cluster() -> None:
    (query,) = [query for query in queries() if "credentialDaysLeft" in query]
    assert "CredentialSecondsLeft.0 / 86400 as days" in query
    assert "latest(days) as credentialDaysLeft by cluster" in query


def test_how_long_tokens_live_counts_from_the_last_write_of_each_cluster() -> None:
    (query,) = [query for query in queries() if "tokenHoursLeft" in query]
    assert "filter SecretsApplied.0 > 0" in query
    # now() is in seconds, a token lives 43,200 of them.
    assert "(toMillis(@timestamp) / 1000 + 43200 - now()) / 3600 as hours" in query
    assert "max(hours) as tokenHoursLeft" in query
    assert " by cluster" in query


def test_a_long_run_is_seen_beside_the_time_out() -> None:
    lines = [
        line
        for widget in widgets("metric", Timeout=600)
        for line in widget.get("annotations", {}).get("horizontal", [])
    ]
    assert {"label": "Timeout", "value": 600} in lines


def test_the_cost_counts_the_functions_memory() -> None:
    graphs = widgets("metric", MemorySize=1024)
    expressions = [
        row[0]["expression"]
        for graph in graphs
        for row in graph["metrics"]
        if isinstance(row[0], dict)
    ]
    assert "ms / 1000 * 1024 / 1024" in expressions


def test_texts_lead_to_the_runbook() -> None:
    texts = " ".join(
        widget["markdown"]
        for widget in widgets("text", RunbookUrl="https://git.example.com/runbook.md")
    )
    assert set(re.findall(r"\]\((\S+)\)", texts)) == {
        "https://git.example.com/runbook.md#alarms",
        "https://git.example.com/runbook.md#cost",
    }


def test_texts_name_the_runbooks_place_where_it_has_no_address_and_link_to_nothing() -> None:
    texts = " ".join(widget["markdown"] for widget in widgets("text"))
    assert "What to do: docs/runbook.md, Alarms" in texts
    assert "docs/runbook.md, Cost" in texts
    assert "](" not in texts


def test_every_widget_is_of_the_stacks_region_and_says_what_it_shows() -> None:
    graphs = [*widgets("metric"), *widgets("log")]
    assert all(widget["region"] == REGION and widget["title"] for widget in graphs)


def test_widgets_lie_side_by_side_on_the_page() -> None:
    cells = [
        (x, y)
        for widget in body()["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < WIDTH


def test_the_questions_come_in_their_order() -> None:
    logged = [
        widget["properties"].get("title") or widget["properties"]["markdown"]
        for widget in body()["widgets"]
    ]
    questions = [
        "Is every cluster fresh?",
        "How long do tokens live?",
        "What failed?",
        "How long do runs take?",
        "What does it cost?",
    ]
    places = [
        next(place for place, text in enumerate(logged) if question in text)
        for question in questions
    ]
    assert places == sorted(places)


def test_no_metric_of_our_namespace_is_left_out_without_reason() -> None:
    left_out = METRICS.keys() - {name for namespace, name, _ in shown() if namespace == NAMESPACE}
    in_tables = set(re.findall(r"\b([A-Z]\w+)\.0\b", " ".join(queries())))
    # ClustersFailed is the number of the clusters shown one by one; UnknownParameters and
    # DocumentsDeleted have alarms.
    assert left_out - in_tables == {"ClustersFailed", "UnknownParameters", "DocumentsDeleted"}
