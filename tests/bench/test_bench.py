"""The benchmark measures what it says: so few namespaces that it shows whether, not how fast."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import aws, bill, local, sink, table
from tests.bench.__main__ import ROOT, Bench
from tests.bench.table import Row

COUNT = 3
RBAC = (ROOT / "infra/rbac/cluster.yaml").read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with aws.serving() as fake:
        yield Bench(fake, tmp_path)


def test_every_way_writes_to_the_embedded_cluster(bench: Bench) -> None:
    with local.running(COUNT, RBAC) as (target, cluster):
        for way in ("floor", "push", "invocation"):
            cluster.requests.clear()
            bench.measure(way, target)
            assert [seen.status for seen in cluster.requests if seen.method == "PATCH"] in ([200] * COUNT, [201] * COUNT)


def test_the_floor_sends_nginx_the_same_bytes_as_the_push(bench: Bench, tmp_path: Path) -> None:
    if sink.binary() is None:
        pytest.skip(sink.MISSING)
    folder = tmp_path / "sink"
    folder.mkdir()
    seen = []
    with sink.running(folder, [COUNT]) as server:
        for way in ("floor", "push"):
            bench.measure(way, server.targets[0])
            seen.append(server.seen("PATCH"))
            server.forget()
    assert seen[0] == seen[1]
    assert seen[0].requests == COUNT


def test_a_way_that_does_not_write_is_no_measurement(bench: Bench) -> None:
    forbidden = RBAC.replace("resourceNames: [ecr-public-token]", "resourceNames: [another]")
    with local.running(COUNT, forbidden) as (target, _), pytest.raises(SystemExit, match="applied 0 of 3"):
        bench.measure("push", target)


def test_ratios_are_of_medians() -> None:
    floor = Row("floor", tuple({"wall": wall, "cpu": 1.0, "peak": 20.0} for wall in (1.0, 2.0, 9.0)))
    push = Row("push", tuple({"wall": wall, "cpu": 3.0, "peak": 50.0} for wall in (1.0, 2.5, 2.5)))
    assert table.line(push, floor).split()[-2:] == ["1.25x", "3.00x"]
    assert table.aims(push, floor).count("(reached)") == 2
    assert "CPU 3.00 of at most 2x floor (MISSED)" in table.aims(push, floor)


def test_the_readmes_bill_is_this_ones() -> None:
    assert bill.table(bill.MEASURED, bill.Prices()) in (ROOT / "README.md").read_text()
