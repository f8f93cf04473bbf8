"""The benchmark's saved results as pictures: `python -m tests.bench.plots RESULTS FOLDER`.

Runs in an environment of its own (make plots).
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.patches import Patch

matplotlib.use("Agg")

# Each way has its colour in every picture.
WAYS = {
    "aiohttp": ("bare aiohttp loop (floor)", "#9aa5b1"),
    "function": ("the function, warm", "#0b6e4f"),
    "urllib3": ("bare urllib3, 8 threads", "#d8a31a"),
    "get_put": ("GET and PUT, serial", "#b5651d"),
    "kubectl": ("kubectl delete + create", "#a4243b"),
}


def main() -> None:
    results = Path(sys.argv[1])
    folder = Path(sys.argv[2])
    found = json.loads(results.read_text())
    plt.rcParams.update(
        {
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titleweight": "bold",
            "svg.fonttype": "none",
        }
    )
    at_once = [row for row in found["rows"] if not row["delay_ms"]]
    late = [row for row in found["rows"] if row["delay_ms"]]
    _draw(
        at_once,
        folder / "bench-cpu.png",
        "cpu",
        "CPU for each Secret (milliseconds, log scale)",
        "Processor time for each Secret, answers at once",
    )
    _draw(
        at_once,
        folder / "bench-wall.png",
        "wall",
        "wall for each Secret (milliseconds, log scale)",
        "Time for each Secret, answers at once",
    )
    _draw(
        late,
        folder / "bench-late.png",
        "wall",
        "wall for each Secret (milliseconds, log scale)",
        "Time for each Secret, answers that come late",
    )


def _draw(rows: list[dict[str, Any]], path: Path, figure: str, label: str, title: str) -> None:
    """Draw bars side by side for each scenario, one for each way."""
    scenarios = list(
        dict.fromkeys((row["clusters"], row["namespaces"], row["delay_ms"]) for row in rows)
    )
    ways = [way for way in WAYS if any(row["way"] == way for row in rows)]
    value = {(row["clusters"], row["namespaces"], row["delay_ms"], row["way"]): row for row in rows}
    fig, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    width = 0.8 / len(ways)
    for index, scenario in enumerate(scenarios):
        present = [way for way in ways if (*scenario, way) in value]
        for place, way in enumerate(present):
            height = value[*scenario, way][figure] / (scenario[0] * scenario[1]) * 1000
            x = index + (place - (len(present) - 1) / 2) * width
            axes.bar(x, height, width * 0.92, color=WAYS[way][1])
            axes.text(
                x,
                height * 1.06,
                f"{height:.2f}" if height < 10 else f"{height:.0f}",
                ha="center",
                va="bottom",
                fontsize=7,
            )
    axes.set_yscale("log")
    axes.set_xticks(range(len(scenarios)), [_scenario(*scenario) for scenario in scenarios])
    axes.set_ylabel(label)
    axes.set_title(title, loc="left")
    axes.grid(axis="y", which="major", color="#e4e7eb")
    axes.set_axisbelow(True)
    axes.legend(
        [Patch(color=WAYS[way][1]) for way in ways],
        [WAYS[way][0] for way in ways],
        frameon=False,
        fontsize=8,
        loc="upper right",
    )
    fig.savefig(path, dpi=150)
    plt.close(fig)


def _scenario(clusters: int, namespaces: int, delay_ms: int) -> str:
    size = f"{clusters} cluster{'s' * (clusters > 1)}\nx {namespaces:,}"
    return f"{size}\n{delay_ms} ms" if delay_ms else size


if __name__ == "__main__":
    main()
