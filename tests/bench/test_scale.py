"""The model of large fleets: what it says is documented, and holds against a measurement."""

from dataclasses import replace

import pytest

from tests.bench import fleet, quotas, scale
from tests.bench.scale import (
    CHECK,
    FANNED,
    FLEET,
    READING_CPU,
    SMALL,
    WIDE,
    Answers,
    Costs,
    FannedCheck,
    Settings,
    use,
)
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


@pytest.mark.parametrize("found", FANNED)
def test_the_model_of_fan_out_holds_against_runs_that_are_no_part_of_its_input(
    found: FannedCheck,
) -> None:
    model = use(found.clusters, Settings(fan_out=True), COSTS, found.namespaces)
    assert (model.messages, model.workers, model.reads) == (
        found.messages,
        found.workers,
        found.reads,
    )
    part = found.clusters // found.workers
    cpu = COSTS.push_cpu(part, found.namespaces, found.clusters)
    assert cpu == pytest.approx(found.worker_cpu, rel=0.25)


def test_every_cost_is_positive() -> None:
    assert all(cost >= 0 for cost in vars(COSTS).values())


def test_the_requests_of_a_push_with_fan_out_are_in_proportion_to_the_fleet() -> None:
    """Each of five workers reads the configuration once, however many clusters it gets."""
    small, large = (use(size, Settings(fan_out=True), COSTS) for size in (1_000, 10_000))
    assert small.workers == large.workers == 5
    assert (small.reads, large.reads) == (101 * 6, 1_001 * 6)
    assert (small.most_reads, large.most_reads) == (101 * 51, 1_001 * 51)
    assert use(10_000, Settings(), COSTS).reads == 1_001


@pytest.mark.parametrize("concurrency", [2, 5, 10, 40])
def test_workers_together_stay_below_parameter_stores_rate(concurrency: int) -> None:
    found = use(3_000, Settings(fan_out=True, concurrency=concurrency), COSTS)
    assert found.reading_rate < quotas.PARAMETER_STORE_RATE


def test_what_breaks_is_named_with_the_worst_first() -> None:
    assert use(100, Settings(), COSTS).breaks() == []
    assert use(1_000, Settings(fan_out=True), COSTS).breaks() == []
    largest = use(10_000, Settings(), COSTS)
    assert "`MemorySize`" in largest.breaks()
    assert "a region's standard parameters" in largest.breaks()
    shares = [share for share, _ in largest.limits()]
    assert shares == sorted(shares, reverse=True)


def test_for_many_clusters_memory_is_faster_than_workers() -> None:
    """For many namespaces it is not: docs/scale.md advises both."""
    large = Settings(memory=quotas.LAMBDA_PROCESSOR_MB)
    fanned = [replace(large, fan_out=True, concurrency=count) for count in scale.CONCURRENCIES]
    for size in (1_000, 3_000, 10_000):
        one = use(size, large, COSTS)
        assert all(one.push < use(size, other, COSTS).push for other in fanned)
    assert use(100, large, COSTS, 1_000).push > 2 * use(100, fanned[1], COSTS, 1_000).push


@pytest.mark.parametrize("fan_out", [False, True])
@pytest.mark.parametrize("size", scale.SIZES)
def test_answers_that_take_twice_as_long_exceed_no_further_limit(size: int, fan_out: bool) -> None:
    chosen = replace(scale.choose(size, COSTS).settings, fan_out=fan_out)
    assumed = use(size, chosen, COSTS).breaks()
    assert use(size, chosen, COSTS, answers=Answers().doubled).breaks() == assumed


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


def test_the_measurement_of_fan_out_counts_every_invocation() -> None:
    found = fleet.measure_fan_out(12, 3)
    assert found.messages == 12
    assert [worker.requests for worker in found.workers] == [10 * (2 + 3), 2 * (2 + 3)]
    assert found.reads == use(12, Settings(fan_out=True), COSTS).reads == 2 * 3
    assert found.cpu > found.dispatcher.cpu
