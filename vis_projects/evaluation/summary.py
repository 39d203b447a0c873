"""The twelve numbers of an evaluation, their printed lines and the table per class.

Letters as in `accumulation`: T thresholds, R recall points, K categories, A area ranges, M detection cuts.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tabulate import tabulate

from vis_projects.evaluation.params import EvalParams

STAT_NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
CLASS_COLUMNS = ("AP", "AP50", "AP75", "AR1", "AR10")


@dataclass
class EvalResult:
    """Outcome of an evaluation.

    Attributes:
        stats: AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl as fractions, -1 where undefined.
        per_class: class name -> the same twelve of this class alone.
        num_truth: class name -> ground-truth tracks that count (crowd left out).
        precision: (T, R, K, A, M), -1 where a category has no ground truth in the range.
        recall: (T, K, A, M).
        scores: (T, R, K, A, M), score of the detection at each recall point.
        category_ids: K json ids, ascending.
        params: thresholds, ranges and cuts of the axes.
    """

    stats: dict[str, float]
    per_class: dict[str, dict[str, float]]
    num_truth: dict[str, int]
    precision: np.ndarray
    recall: np.ndarray
    scores: np.ndarray
    category_ids: list[int]
    params: EvalParams

    def lines(self) -> list[str]:
        """The twelve lines in the official format, -1.000 where undefined."""
        return [_line(name, value, self.params) for name, value in self.stats.items()]

    def table(self) -> str:
        """The twelve lines, then AP and AR of each class with ground truth in percent."""
        rows = [
            [name, self.num_truth[name], *(_percent(stats[column]) for column in CLASS_COLUMNS)]
            for name, stats in self.per_class.items()
            if self.num_truth[name]
        ]
        names_as_text = [0] if rows else False
        table = tabulate(rows, ("class", "tracks", *CLASS_COLUMNS), floatfmt=".1f", disable_numparse=names_as_text)
        return "\n".join(self.lines()) + "\n\nPer class, in percent:\n" + table

    def to_percent(self) -> OrderedDict:
        """Metrics in Detectron2's form: percent, nan where undefined, `AP-<class>` after the twelve."""
        metrics = OrderedDict((name, _percent(value)) for name, value in self.stats.items())
        metrics.update((f"AP-{name}", _percent(stats["AP"])) for name, stats in self.per_class.items())
        return metrics


def summarize(
    precision: np.ndarray,
    recall: np.ndarray,
    scores: np.ndarray,
    categories: dict[int, str],
    num_truth: Sequence[int],
    params: EvalParams,
) -> EvalResult:
    """Means over thresholds, recall points and categories, entries of -1 left out.

    Args:
        precision, recall, scores: as `accumulate` gives them.
        categories: K ids -> names, in the order of the axis.
        num_truth: K numbers of ground-truth tracks that count.
        params: what the axes mean; three detection cuts and four area ranges, as the twelve numbers need.
    """
    names = _unique_names(categories)
    return EvalResult(
        stats=_stats(precision, recall, params),
        per_class={
            name: _stats(precision[:, :, k : k + 1], recall[:, k : k + 1], params) for k, name in enumerate(names)
        },
        num_truth=dict(zip(names, (int(n) for n in num_truth))),
        precision=precision,
        recall=recall,
        scores=scores,
        category_ids=list(categories),
        params=params,
    )


def range_stats(precision: np.ndarray, recall: np.ndarray, params: EvalParams, area: int = 0) -> dict[str, float]:
    """AP, AP50, AP75, AR1, AR10 and AR100 of one area range, as fractions, -1 where undefined.

    Args:
        precision: (T, R, K, A, M). recall: (T, K, A, M), with three detection cuts.
        params: what the axes mean.
        area: index of the range.
    """
    at = {round(float(t), 2): index for index, t in enumerate(params.iou_thresholds)}
    stats = {"AP": _mean(precision[..., area, -1])}
    for name, threshold in (("AP50", 0.5), ("AP75", 0.75)):
        stats[name] = _mean(precision[at[threshold], ..., area, -1]) if threshold in at else -1.0
    stats.update((name, _mean(recall[..., area, m])) for m, name in enumerate(("AR1", "AR10", "AR100")))
    return stats


def _stats(precision: np.ndarray, recall: np.ndarray, params: EvalParams) -> dict[str, float]:
    overall, *by_size = (range_stats(precision, recall, params, area) for area in range(4))
    sizes = {f"{kind}{letter}": part[name] for letter, part in zip("sml", by_size)
             for kind, name in (("AP", "AP"), ("AR", "AR100"))}
    return {name: (overall | sizes)[name] for name in STAT_NAMES}


def _mean(values: np.ndarray) -> float:
    defined = values[values > -1]
    return float(np.mean(defined)) if defined.size else -1.0


def _unique_names(categories: dict[int, str]) -> list[str]:
    """Names; with the id where two categories share one."""
    names = list(categories.values())
    return [name if names.count(name) == 1 else f"{name} ({c})" for c, name in categories.items()]


def _percent(value: float) -> float:
    return value * 100 if value > -1 else float("nan")


def _line(name: str, value: float, params: EvalParams) -> str:
    title, kind = ("Average Precision", "(AP)") if name.startswith("AP") else ("Average Recall", "(AR)")
    thresholds = params.iou_thresholds
    iou = {"AP50": "0.50", "AP75": "0.75"}.get(name, f"{thresholds[0]:0.2f}:{thresholds[-1]:0.2f}")
    area = params.area_ranges["sml".find(name[-1]) + 1][0]
    cut = params.max_detections[{"AR1": 0, "AR10": 1}.get(name, -1)]
    return f" {title:<18} {kind} @[ IoU={iou:<9} | area={area:>6s} | maxDets={cut:>3d} ] = {value:0.3f}"
