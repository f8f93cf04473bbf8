"""Rounds -> the table: best and median, beside the floor. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

type Round = Mapping[str, float]

WALL_AIM, CPU_AIM, PEAK_AIM_MIB, IMPORT_AIM_SECONDS = 1.3, 2.0, 128.0, 0.6

LABELS = {
    "floor": "bare urllib3 loop (floor)",
    "push": "the function's push",
    "invocation": "whole first invocation",
    "kubectl": "kubectl delete + create",
}
HEAD = f"  {'':<26} {'wall s: best':>12} {'median':>8} {'CPU s: best':>12} {'median':>8} {'peak MiB':>9} {'wall':>8} {'CPU':>8}"


@dataclass(frozen=True)
class Row:
    """One way over one number of namespaces: its rounds."""

    way: str
    rounds: tuple[Round, ...]

    def best(self, what: str) -> float:
        return min(one[what] for one in self.rounds)

    def median(self, what: str) -> float:
        return median(one[what] for one in self.rounds)

    @property
    def peak(self) -> float:
        return max(one["peak"] for one in self.rounds)


def line(row: Row, floor: Row, *, scaled: bool = False) -> str:
    """The last two columns are medians over the floor's."""
    wall, cpu = (row.median(what) / floor.median(what) for what in ("wall", "cpu"))
    return (
        f"  {LABELS[row.way] + (' *' if scaled else ''):<26} {row.best('wall'):>12.3f} {row.median('wall'):>8.3f}"
        f" {row.best('cpu'):>12.3f} {row.median('cpu'):>8.3f} {row.peak:>9.0f} {wall:>7.2f}x {cpu:>7.2f}x"
    )


def aims(row: Row, floor: Row) -> str:
    """How the row stands to what it must reach."""
    wall, cpu = (row.median(what) / floor.median(what) for what in ("wall", "cpu"))
    return f"    {LABELS[row.way]}: " + ", ".join(
        (
            _aim("wall", wall, WALL_AIM, "x floor"),
            _aim("CPU", cpu, CPU_AIM, "x floor"),
            _aim("peak", row.peak, PEAK_AIM_MIB, " MiB"),
        )
    )


def growth_line(fewest: Mapping[str, Row], most: Mapping[str, Row], way: str, more: int) -> str:
    """Milliseconds that one more namespace costs, by the medians, without what a run costs once."""

    def each(of: str, what: str) -> float:
        return (most[of].median(what) - fewest[of].median(what)) / more * 1000

    wall, cpu = each(way, "wall"), each(way, "cpu")
    return f"  {LABELS[way]:<26} wall {wall:>7.2f} ms {wall / each('floor', 'wall'):>6.2f}x   CPU {cpu:>7.2f} ms {cpu / each('floor', 'cpu'):>6.2f}x"


def import_line(row: Row) -> str:
    cpu, peak = row.median("cpu"), row.peak
    return (
        f"importing the handler: CPU {row.best('cpu'):.3f} s best, {cpu:.3f} s median, {peak:.0f} MiB resident;"
        f" {_aim('CPU', cpu, IMPORT_AIM_SECONDS, ' s')}"
    )


def _aim(what: str, value: float, most: float, unit: str) -> str:
    return f"{what} {value:.2f} of at most {most:g}{unit} {'(reached)' if value <= most else '(MISSED)'}"
