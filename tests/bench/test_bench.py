"""The benchmark works: with so few namespaces that its times say nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import aws, bill, sink, table
from tests.bench.__main__ import Bench, scenario
from tests.bench.sink import Sink
from tests.bench.table import Cost, Row
from tests.bench.work import HERE, Feature, Scenario
from tests.stack.alarms import MEASURED_METRICS, METRICS, RUN, alarms

TWO = Scenario(2, 3)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with aws.serving() as fake:
        yield Bench(fake, tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sink]:
    if sink.binary() is None:
        pytest.skip(sink.MISSING)
    folder = tmp_path / "sink"
    folder.mkdir()
    with sink.running(folder, TWO) as running:
        yield running


def test_the_floor_sends_the_same_bytes_as_the_function_over_as_many_connections(
    bench: Bench, server: Sink
) -> None:
    rows = bench.compare(TWO, server, ["function", "aiohttp"], 1)
    seen = []
    for way in ("function", "aiohttp"):
        server.forget()
        bench.measure(way, TWO, server)
        found = server.seen()
        seen.append(found.bytes / found.requests)
    assert seen[0] == seen[1]
    assert {way: row.requests for way, row in rows.items()} == {"function": 6, "aiohttp": 6}
    # The function opens more connections the later the answers are; the floor gets as many for each
    # cluster.
    assert rows["aiohttp"].connections <= rows["function"].connections <= 6


def test_every_other_way_writes_what_it_says(bench: Bench, tmp_path: Path) -> None:
    if sink.binary() is None:
        pytest.skip(sink.MISSING)
    folder = tmp_path / "one"
    folder.mkdir()
    one = Scenario(1, 3, 20)
    with sink.running(folder, one) as server:
        for way, method in (("urllib3", "PATCH"), ("get_put", "PUT")):
            server.forget()
            found = bench.measure(way, one, server)
            assert server.seen(method).requests == 3
            assert found["wall"] >= 0.02  # the answers come late


def test_a_way_that_does_not_write_is_no_measurement(bench: Bench, server: Sink) -> None:
    with pytest.raises(SystemExit, match="applied 6 of 8"):
        bench.measure("function", Scenario(2, 4), server)


def test_each_feature_is_really_used_and_pays_only_for_its_own_calls(
    bench: Bench, server: Sink
) -> None:
    found = {cost.feature: cost.calls for cost in bench.features(TWO, server, 1)}
    assert set(found) == set(Feature)
    own = {"AssumeRole", "GetWebIdentityToken", "ListClusters", "DescribeCluster"}
    assert {
        feature: {name: count for name, count in calls.items() if name in own}
        for feature, calls in found.items()
    } == {
        Feature.NONE: {},
        Feature.REGISTRIES: {"AssumeRole": 1},
        Feature.WEB_IDENTITY: {"GetWebIdentityToken": TWO.clusters},  # one call for each document
        Feature.DISCOVERY: {"ListClusters": 1, "DescribeCluster": TWO.clusters},
    }
    assert (
        found[Feature.REGISTRIES]["GetAuthorizationToken"] == 2
    )  # ECR Public's, and one for all documents


def test_beside_clusters_whose_writes_hang_it_counts_descriptors_and_who_is_fresh(
    bench: Bench,
) -> None:
    if sink.binary() is None:
        pytest.skip(sink.MISSING)
    (one,) = bench.beside_hung(2, 1, 3, 6)["hung"].rounds
    assert one["fresh"] == 1
    assert one["wall"] > 4  # the writes really hang
    assert one["descriptors"] > 5
    lines = table.beside_hung({3: {"hung": Row("hung", (one,))}}, hung=2, well=1)
    assert "well, but not fresh 0.00 of at most 0 (reached)" in lines[-1]


def test_what_a_feature_costs_is_over_the_push_that_asks_for_none() -> None:
    rounds = [{"wall": wall, "cpu": 2.0, "peak": 50.0} for wall in (1.0, 3.0)]
    none, discovery = (Row("function", (one,)) for one in rounds)
    lines = table.costs(
        TWO, [Cost(Feature.NONE, none, {}), Cost(Feature.DISCOVERY, discovery, {"ListClusters": 1})]
    )
    assert lines[-1].split() == [
        "discovery",
        "3.000",
        "2.000",
        "1000.00",
        "50",
        "3.00x",
        "1.00x",
        "1",
        "ListClusters",
    ]


@pytest.mark.parametrize(
    ("text", "means"), [("1x1000", Scenario(1, 1000)), ("50x20@200", Scenario(50, 20, 200))]
)
def test_scenarios_are_written_short(text: str, means: Scenario) -> None:
    assert scenario(text) == means


def test_the_least_possible_is_a_delay_for_the_list_and_for_each_namespace_on_a_connection() -> (
    None
):
    assert table.bound(Scenario(50, 20, 200), 100) == pytest.approx(2.2)
    assert table.bound(Scenario(1, 1000), 8) == 0


def test_ratios_are_of_medians() -> None:
    floor = Row(
        "aiohttp", tuple({"wall": wall, "cpu": 1.0, "peak": 20.0} for wall in (1.0, 2.0, 9.0))
    )
    function = Row(
        "function", tuple({"wall": wall, "cpu": 3.0, "peak": 50.0} for wall in (1.0, 2.5, 2.5))
    )
    assert table.line(function, floor, 1000).split()[-2:] == ["1.25x", "3.00x"]
    said = table.aims(Scenario(1, 1000), {"function": function, "aiohttp": floor})
    assert [
        "CPU 3.00 of at most 1.5x the floor's (MISSED)" in said,
        sum("(reached)" in one for one in said),
    ] == [True, 2]


def test_the_bill_counts_each_metric_that_is_watched_and_each_that_is_sent() -> None:
    """Metrics Insights is billed by the metrics it analyses.

    One for each cluster, and one for each private registry.
    """
    watched = [alarm.get("Metrics", [{"MetricStat": alarm}]) for alarm in alarms().values()]
    assert (
        sum("MetricStat" in query for queries in watched for query in queries) == bill.ALARM_METRICS
    )
    of_run = [name for name, dimensions in METRICS.items() if dimensions == RUN]
    of_cluster = METRICS.keys() - of_run
    swept = len(MEASURED_METRICS)
    assert swept == bill.METRICS_OF_SWEEP
    assert (len(of_run) - swept, len(of_cluster) + swept) == (
        bill.METRICS_OF_RUN,
        bill.METRICS_OF_CLUSTER,
    )


def test_the_documented_bill_is_this_one() -> None:
    assert bill.table(bill.MEASURED, bill.Prices()) in (HERE / "docs/runbook.md").read_text()
