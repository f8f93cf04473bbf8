"""The model of large fleets: what it says is documented, and holds against a measurement."""

import pytest

from tests.bench import fleet, quotas, scale
from tests.bench.scale import CHECK, FLEET, READING_CPU, SMALL, WIDE, Costs, Settings, use
from tests.bench.work import HERE

COSTS = Costs.of(SMALL, WIDE, FLEET, READING_CPU)


def test_the_documented_tables_are_the_models() -> None:
    text = (HERE / "docs" / "scale.md").read_text()
    assert scale.page(text) == text, "make scale ARGS=--write"


def test_the_model_holds_against_a_run_that_is_no_part_of_its_input() -> None:
    assert CHECK not in scale.INPUT
    size, each = CHECK.clusters, CHECK.namespaces
    assert COSTS.push_cpu(size, each, size) == pytest.approx(CHECK.push_cpu, rel=0.25)
    assert COSTS.sweep_cpu(size) == pytest.approx(CHECK.sweep_cpu, rel=0.25)
    assert COSTS.peak(size) == pytest.approx(CHECK.peak, rel=0.25)
    assert COSTS.push_log * size == pytest.approx(CHECK.push_log, rel=0.25)


def test_every_cost_is_positive() -> None:
    assert all(cost >= 0 for cost in vars(COSTS).values())


def test_workers_read_the_configuration_once_each() -> None:
    """So their requests grow with the square of the fleet, and fall with the batch."""
    small, large = (use(size, Settings(fan_out=True), COSTS) for size in (1_000, 10_000))
    assert (small.workers, large.workers) == (10, 100)
    assert (small.reads, large.reads) == (101 * 11, 1_001 * 101)
    batched = use(10_000, Settings(fan_out=True, batch_size=100), COSTS)
    assert batched.reads == 1_001 * 11
    assert use(10_000, Settings(), COSTS).reads == 1_001


def test_what_breaks_is_named_with_the_worst_first() -> None:
    assert use(100, Settings(), COSTS).breaks() == []
    fanned = use(1_000, Settings(fan_out=True), COSTS)
    assert fanned.breaks() == ["Parameter Store's rate"]
    largest = use(10_000, Settings(), COSTS)
    assert "`MemorySize`" in largest.breaks()
    assert "a region's standard parameters" in largest.breaks()
    shares = [share for share, _ in largest.limits()]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("size", scale.SIZES)
def test_the_chosen_settings_have_room(size: int) -> None:
    assert scale.choose(size, COSTS).has_room()


def test_more_memory_is_faster_up_to_one_processor() -> None:
    times = [
        use(10_000, Settings(memory), COSTS).push
        for memory in (256, 512, quotas.LAMBDA_PROCESSOR_MB, 4 * quotas.LAMBDA_PROCESSOR_MB)
    ]
    assert times[0] > times[1] > times[2] == times[3]


def test_without_metrics_of_clusters_the_bill_hardly_depends_on_their_number() -> None:
    bills = [
        use(10_000, Settings(memory=1_769, cluster_metrics=kept), COSTS) for kept in (True, False)
    ]
    assert bills[0].metrics_cost > 2_000
    assert bills[1].metrics_cost < 5
    assert bills[1].cost < 50


def test_the_measurement_counts_what_the_built_function_did() -> None:
    found = fleet.measure(2, 3)
    assert found.cold_calls["DescribeCluster"] == 2
    assert found.push.calls == {"GetParametersByPath": 1, "GetAuthorizationToken": 1}
    assert (found.push.requests, found.sweep.requests) == (2 * (2 + 3), 2 * 2)
    assert found.push.log_bytes > found.push.report_bytes > found.sweep.series == 1
