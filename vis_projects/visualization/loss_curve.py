"""The losses of a training as an inline SVG, from Detectron2's metrics.json."""

import json
import math
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 190, 14, 34
MAX_POINTS = 400
PALETTE = ("#111111", "#d1495b", "#2e86ab", "#3a7d44", "#e08e1b", "#7b4fa3", "#8c6d46", "#00798c", "#b5179e", "#6b705c")

Series = dict[str, list[tuple[int, float]]]


def read_losses(path: str | Path) -> Series:
    """(iteration, value) of `total_loss` and of every `loss_*`, from one json object per line.

    A run that was resumed writes iterations again: the last value of each counts. Values that are not finite and a
    half-written last line are left out.

    Raises:
        ValueError: a line that is no json object, other than the last one.
    """
    series: dict[str, dict[int, float]] = {}
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}: line {number} is no json ({error}); give the metrics.json of a run") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}: line {number} is no json object; give the metrics.json of a run")
        if "iteration" not in row:
            continue
        for name, value in row.items():
            if (name == "total_loss" or name.startswith("loss_")) and math.isfinite(value):
                series.setdefault(name, {})[int(row["iteration"])] = float(value)
    names = sorted(series, key=lambda name: (name != "total_loss", name))
    return {name: sorted(series[name].items()) for name in names}


def loss_curve_svg(series: Series) -> str:
    """An SVG element with one line per loss, a legend and both axes; no script, no outside reference.

    Args:
        series: name -> (iteration, value) in ascending iteration, at least one value in all.
    """
    points = [point for values in series.values() for point in values]
    x_low, x_high = min(p[0] for p in points), max(p[0] for p in points)
    y_high = max(max(p[1] for p in points), 1e-12)
    y_low = min(0.0, min(p[1] for p in points))
    plot_width, plot_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) if x_high > x_low else 0.5
        return LEFT + across * plot_width, TOP + (1 - (y - y_low) / (y_high - y_low)) * plot_height

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="losses by iteration">']
    for k in range(5):
        value = y_low + (y_high - y_low) * k / 4
        _, y = place(x_low, value)
        parts.append(f'<line class="grid" stroke="#ddd" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for x in sorted({x_low, (x_low + x_high) // 2, x_high}):
        parts.append(f'<text x="{place(x, 0)[0]:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{x}</text>')
    parts.append(f'<text x="{LEFT + plot_width / 2}" y="{HEIGHT - 1}" text-anchor="middle">iteration</text>')
    for k, (name, values) in enumerate(series.items()):
        color = PALETTE[k % len(PALETTE)]
        line = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in _thin(values))
        weight = 2 if name == "total_loss" else 1
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="{weight}" points="{line}"/>')
        y = TOP + 10 + 15 * k
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{color}">{escape(name)} {values[-1][1]:.3g}</text>')
    return "".join(parts) + "</svg>"


def _thin(values: list[tuple[int, float]]) -> list[tuple[float, float]]:
    """At most `MAX_POINTS` points: means of neighbours."""
    size = -(-len(values) // MAX_POINTS)
    groups = [values[k : k + size] for k in range(0, len(values), size)]
    return [tuple(sum(column) / len(group) for column in zip(*group)) for group in groups]
