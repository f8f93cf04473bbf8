"""The table of the measured rounds: medians beside the floor's, the aims, and the least possible.

Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.work import Feature, Scenario

type Round = Mapping[str, float]

# From this many Secrets on, a run's fixed cost no longer matters.
AIMS_FROM_SECRETS = 1000
WALL_AIM = 1.3
CPU_AIM = 1.5
PEAK_AIM_MIB = 128.0
IMPORT_PEAK_AIM_MIB = 60.0
IMPORT_CPU_AIM = 1.1
OTHERS = " of the other checkout's"
HUNG_PEAK_AIM_MIB = 180.0
HUNG_DESCRIPTORS_AIM = 600.0
OLD_AIM = 1.1

LABELS = {
    "aiohttp": "bare aiohttp loop (floor)",
    "urllib3": "bare urllib3, 8 threads",
    "function": "the function, warm",
    "cold": "the function, first time",
    "before": "the other checkout, warm",
    "get_put": "GET and PUT, serial",
    "kubectl": "kubectl delete + create",
}
HEAD = (
    f"  {'':<26} {'wall s':>8} {'CPU s':>8} {'CPU ms/Secret':>14} {'peak MiB':>9} {'requests':>9}"
    f" {'connections':>12} {'wall':>8} {'CPU':>8}"
)


@dataclass(frozen=True)
class Row:
    """The rounds of one way over one scenario.

    `requests`, `connections`: as the server counted them in one round.
    """

    way: str
    rounds: tuple[Round, ...]
    requests: int = 0
    connections: int = 0

    def median(self, what: str) -> float:
        return median(one[what] for one in self.rounds)

    @property
    def peak(self) -> float:
        return max(one["peak"] for one in self.rounds)


@dataclass(frozen=True)
class Cost:
    """The cost of documents with a feature, and the calls to AWS of one warm push."""

    feature: Feature
    row: Row
    calls: Mapping[str, int]


def costs(scenario: Scenario, found: Sequence[Cost]) -> list[str]:
    """Return the table of features; its last columns are over the push that uses none."""
    none = next(
        cost.row for cost in found if cost.feature is Feature.NONE and cost.row.way == "function"
    )
    head = (
        f"  {'':<34} {'wall s':>8} {'CPU s':>8} {'CPU ms/cluster':>15} {'peak MiB':>9} {'wall':>8}"
        f" {'CPU':>8}  AWS calls of a warm push"
    )
    lines = [f" What documents may ask for, {scenario} ({scenario.secrets} Secrets), warm", head]
    for cost in found:
        row = cost.row
        label = (
            f"the other checkout, {cost.feature}" if cost.row.way == "before" else str(cost.feature)
        )
        wall = row.median("wall")
        cpu = row.median("cpu")
        called = ", ".join(f"{count} {name}" for name, count in sorted(cost.calls.items()))
        lines.append(
            f"  {label:<34} {wall:>8.3f} {cpu:>8.3f} {cpu / scenario.clusters * 1000:>15.2f}"
            f" {row.peak:>9.0f} {wall / none.median('wall'):>7.2f}x"
            f" {cpu / none.median('cpu'):>7.2f}x  {called}"
        )
    return lines


def cold(row: Row) -> Row:
    """Return the first invocations of the function's rounds."""
    return Row(
        "cold",
        tuple(
            {"wall": one["cold_wall"], "cpu": one["cold_cpu"], "peak": one["peak"]}
            for one in row.rounds
        ),
    )


def line(row: Row, floor: Row, secrets: int, *, scaled: bool = False) -> str:
    """Return a row; its last two columns are medians over the floor's."""
    wall = row.median("wall")
    cpu = row.median("cpu")
    seen = (
        f"{row.requests:>9} {row.connections:>12}"
        if row.requests and not scaled
        else f"{'':>9} {'':>12}"
    )
    return (
        f"  {LABELS[row.way] + (' *' if scaled else ''):<26} {wall:>8.3f} {cpu:>8.3f}"
        f" {cpu / secrets * 1000:>14.3f} {row.peak:>9.0f} {seen}"
        f" {wall / floor.median('wall'):>7.2f}x {cpu / floor.median('cpu'):>7.2f}x"
    )


def bound(scenario: Scenario, connections: int) -> float:
    """Return the seconds that the delays alone take.

    One for the list's page, and one for each namespace that a connection serves after another.
    """
    if not scenario.delay_ms or not connections:
        return 0.0
    each = max(1, connections // scenario.clusters)
    return (1 + -(-scenario.namespaces // each)) * scenario.delay_ms / 1000


def aims(scenario: Scenario, rows: Mapping[str, Row]) -> list[str]:
    """Return how the function compares with its aims in this scenario."""
    found = []
    function = rows.get("function")
    floor = rows.get("aiohttp")
    if function and floor and scenario.secrets >= AIMS_FROM_SECRETS:
        found.append(
            aim("CPU", function.median("cpu") / floor.median("cpu"), CPU_AIM, "x the floor's")
        )
        found.append(
            aim("wall", function.median("wall") / floor.median("wall"), WALL_AIM, "x the floor's")
        )
    if function and scenario.clusters <= 12:
        found.append(aim("peak", function.peak, PEAK_AIM_MIB, " MiB"))
    if function and "before" in rows and scenario.secrets >= AIMS_FROM_SECRETS:
        for figure, name in (("cpu", "CPU"), ("wall", "wall")):
            ratio = function.median(figure) / rows["before"].median(figure)
            found.append(aim(name, ratio, OLD_AIM, OTHERS))
    return found


def imports(row: Row, before: Row | None) -> str:
    """Return the cost of the imports that Lambda does before the first event."""
    said = (
        f"importing the handler: {row.median('cpu'):.3f} s CPU;"
        f" {aim('peak', row.peak, IMPORT_PEAK_AIM_MIB, ' MiB')}"
    )
    if before is None:
        return said
    ratio = row.median("cpu") / before.median("cpu")
    return f"{said}; {aim('CPU', ratio, IMPORT_CPU_AIM, OTHERS)}"


SWEEP_CPU_AIM_SECONDS = 1.5
SWEEP_PEAK_AIM_MIB = 180.0


def sweeps(scenario: Scenario, row: Row) -> list[str]:
    """Return the cost of a sweep with nothing to do, and the aims that it must reach."""
    return [
        (
            f" a sweep of {scenario} fresh Secrets, warm: wall {row.median('wall'):.3f} s, CPU"
            f" {row.median('cpu'):.3f} s, peak {row.peak:.0f} MiB"
        ),
        f"    {aim('CPU', row.median('cpu'), SWEEP_CPU_AIM_SECONDS, ' s')}",
        f"    {aim('peak', row.peak, SWEEP_PEAK_AIM_MIB, ' MiB')}",
    ]


def beside_hung(found: Mapping[int, Mapping[str, Row]], *, hung: int, well: int) -> list[str]:
    """Return the cost of clusters whose writes hang, by namespaces of each, with the aims."""
    lines = [f" {hung} clusters whose writes hang and {well} that are well, one invocation"]
    head = f"{'peak MiB':>9} {'descriptors':>12} {'fresh':>6} {'CPU s':>8} {'slowest well s':>15}"
    lines.append(f"  {'namespaces each':<34} {head}")
    for namespaces, rows in found.items():
        for way, row in rows.items():
            one = row.rounds[0]
            label = (
                f"{namespaces}, the other checkout" if way.endswith("before") else str(namespaces)
            )
            lines.append(
                f"  {label:<34} {row.peak:>9.0f} {one['descriptors']:>12.0f} {one['fresh']:>6.0f}"
                f" {one['cpu']:>8.2f} {one['slowest']:>15.2f}"
            )
        one = rows["hung"].rounds[0]
        lines += [
            f"    {aim('peak', one['peak'], HUNG_PEAK_AIM_MIB, ' MiB')}",
            f"    {aim('descriptors', one['descriptors'], HUNG_DESCRIPTORS_AIM, '')}",
            f"    {aim('well, but not fresh', well - one['fresh'], 0, '')}",
        ]
    return lines


def aim(what: str, value: float, most: float, unit: str) -> str:
    return (
        f"{what} {value:.2f} of at most {most:.3g}{unit}"
        f" {'(reached)' if value <= most else '(MISSED)'}"
    )
