"""The model's curves as a picture: `python -m tests.bench.scale_plot CURVES FILE`.

Runs in the plots' environment; `tests.bench.scale --save` writes the curves.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

matplotlib.use("Agg")

COLOURS = ("#9aa5b1", "#0b6e4f", "#d8a31a", "#a4243b")
SMALLEST = {"seconds": 1, "requests": 1, "USD a month": 1}


def main() -> None:
    panels = json.loads(Path(sys.argv[1]).read_text())
    plt.rcParams.update(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titleweight": "bold",
            "svg.fonttype": "none",
            "svg.hashsalt": "scale",
        }
    )
    fig, places = plt.subplots(1, len(panels), figsize=(12, 4.2), layout="constrained")
    for axes, panel in zip(places, panels, strict=True):
        _draw(axes, panel)
    fig.savefig(sys.argv[2], metadata={"Date": None})


def _draw(axes: Axes, panel: dict[str, Any]) -> None:
    for colour, (name, values) in zip(COLOURS, panel["curves"].items(), strict=False):
        axes.plot(panel["clusters"], values, marker="o", markersize=3, color=colour, label=name)
    for name, value in panel["limits"].items():
        axes.axhline(value, color="#52606d", linewidth=0.8, linestyle="--")
        axes.text(panel["clusters"][0], value * 1.08, name, color="#52606d", fontsize=7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=SMALLEST[panel["unit"]])
    axes.set_xticks(panel["clusters"], [f"{size:,}" for size in panel["clusters"]])
    axes.minorticks_off()
    axes.set_xlabel("clusters")
    axes.set_ylabel(f"{panel['unit']} (log scale)")
    axes.set_title(panel["title"], loc="left")
    axes.grid(axis="y", which="major", color="#e4e7eb")
    axes.legend(frameon=False, fontsize=7, loc="lower right")


if __name__ == "__main__":
    main()
