"""`write_report`: one HTML file about a run that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Protocol

import numpy as np

from vis_projects.utils import env_report
from vis_projects.visualization.html_page import html_figure, html_table, write_page
from vis_projects.visualization.loss_curve import loss_curve_svg, read_losses

CLASS_COLUMNS = ("AP", "AP50", "AP75", "AR1", "AR10")


class Scores(Protocol):
    """What the report reads of an evaluation."""

    stats: dict[str, float]
    per_class: dict[str, dict[str, float]]
    num_truth: dict[str, int]


def write_report(
    path: str | Path,
    *,
    title: str,
    metrics_json: str | Path | None = None,
    eval_result: Scores | None = None,
    contact_sheets: Mapping[str, np.ndarray] | Sequence[np.ndarray] = (),
    class_names: Sequence[str] = (),
    environment: str | None = None,
) -> Path:
    """Writes the report: losses, scores, pictures, classes, environment; what is not given is said to be missing.

    Args:
        path: html file; its folder is made.
        title: heading.
        metrics_json: what Detectron2's JSONWriter wrote; None or a file that is not there: no loss curve.
        eval_result: outcome of `evaluate_json`; None: no ground truth.
        contact_sheets: (H, W, 3) uint8 RGB images, or caption -> image.
        class_names: classes of the model.
        environment: text on versions and machine; None asks for it here.

    Returns:
        the path.

    Raises:
        ValueError: `metrics_json` is not what Detectron2 writes.
    """
    if not isinstance(contact_sheets, Mapping):
        contact_sheets = {f"video {k + 1}": sheet for k, sheet in enumerate(contact_sheets)}
    body = ["<h2>Training losses</h2>", _losses(metrics_json)]
    body += ["<h2>Scores</h2>", _scores(eval_result)]
    body += ["<h2>Predictions and ground truth</h2>", *(html_figure(*sheet) for sheet in contact_sheets.items())]
    if not contact_sheets:
        body.append("<p>No pictures.</p>")
    if class_names:
        body += ["<h2>Classes</h2>", f"<p>{escape(', '.join(class_names))}</p>"]
    body += ["<h2>Environment</h2>", f"<pre>{escape(env_report() if environment is None else environment)}</pre>"]
    return write_page(path, title, body)


def _losses(metrics_json: str | Path | None) -> str:
    if metrics_json is None or not Path(metrics_json).is_file():
        return "<p>No training log.</p>"
    series = read_losses(metrics_json)
    if not series:
        return "<p>The training log has no losses.</p>"
    first, last = (next(iter(series.values()))[k] for k in (0, -1))
    name = escape(next(iter(series)))
    caption = f"{name}: {first[1]:.3g} at iteration {first[0]}, {last[1]:.3g} at iteration {last[0]}."
    return f"<figure>{loss_curve_svg(series)}<figcaption>{caption}</figcaption></figure>"


def _scores(result: Scores | None) -> str:
    if result is None:
        return "<p>No ground truth: there are no scores.</p>"
    names = list(result.stats)
    table = html_table(["percent", *names], [["all classes", *(_percent(result.stats[name]) for name in names)]])
    rows = [
        [name, str(result.num_truth[name]), *(_percent(stats[column]) for column in CLASS_COLUMNS)]
        for name, stats in result.per_class.items()
        if result.num_truth[name]
    ]
    return table + "<p></p>" + html_table(["class", "tracks", *CLASS_COLUMNS], rows)


def _percent(value: float) -> str:
    """One decimal; a dash where the number is undefined."""
    return f"{100 * value:.1f}" if value > -1 else "\u2013"
