"""`write_report`: one HTML file about a run that needs nothing beside it."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from vis_projects.utils import env_report
from vis_projects.visualization.loss_curve import loss_curve_svg, read_losses

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;background:#fff;max-width:960px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em} h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ddd}
table{border-collapse:collapse} th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid #eee}
th:first-child,td:first-child{text-align:left} img{max-width:100%} pre{background:#f6f6f6;padding:1em;overflow-x:auto}
svg{width:100%;font:11px system-ui,sans-serif} svg .grid{stroke:#e4e4e4} figure{margin:1em 0}
"""
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
    body = [f"<h1>{escape(title)}</h1>", "<h2>Training losses</h2>", _losses(metrics_json)]
    body += ["<h2>Scores</h2>", _scores(eval_result)]
    body += ["<h2>Predictions and ground truth</h2>", *(_figure(*sheet) for sheet in contact_sheets.items())]
    if not contact_sheets:
        body.append("<p>No pictures.</p>")
    if class_names:
        body += ["<h2>Classes</h2>", f"<p>{escape(', '.join(class_names))}</p>"]
    body += ["<h2>Environment</h2>", f"<pre>{escape(env_report() if environment is None else environment)}</pre>"]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    html = f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head><body>\n'
    path.write_text(html + "\n".join(body) + "\n</body></html>\n", encoding="utf-8")
    return path


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
    table = _table(["percent", *names], [["all classes", *(_percent(result.stats[name]) for name in names)]])
    rows = [
        [name, str(result.num_truth[name]), *(_percent(stats[column]) for column in CLASS_COLUMNS)]
        for name, stats in result.per_class.items()
        if result.num_truth[name]
    ]
    return table + "<p></p>" + _table(["class", "tracks", *CLASS_COLUMNS], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>" + "".join(lines) + "</table>"


def _percent(value: float) -> str:
    """One decimal; a dash where the number is undefined."""
    return f"{100 * value:.1f}" if value > -1 else "\u2013"


def _figure(caption: str, image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = escape(str(caption))
    return (
        f'<figure><img alt="{text}" src="data:image/jpeg;base64,{data}"><figcaption>{text}</figcaption></figure>'
    )
