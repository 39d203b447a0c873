"""`evaluate_in_full`: AP with its tables, identities, and where AP is lost, from a results file and annotations."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vis_projects.evaluation.breakdown import Breakdown, breakdowns
from vis_projects.evaluation.error_report import ErrorReport, error_report
from vis_projects.evaluation.facts_cache import FactsCache
from vis_projects.evaluation.ground_truth import load_ground_truth, read_json
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.predictions import load_predictions
from vis_projects.evaluation.summary import EvalResult, summarize
from vis_projects.evaluation.tracking_report import DEFAULT_TRACK_SCORE, TrackingReport, tracking_report
from vis_projects.evaluation.world import World


@dataclass
class FullReport:
    """Everything that is known of a result.

    Attributes:
        ap: the twelve numbers, and those of each class.
        tables: AP of parts of the data.
        tracking: HOTA and its relatives.
        errors: where AP is lost.
    """

    ap: EvalResult
    tables: list[Breakdown]
    tracking: TrackingReport
    errors: ErrorReport

    def text(self) -> str:
        """All tables."""
        parts = [self.ap.table(), *(table.text() for table in self.tables), self.tracking.text(), self.errors.text()]
        return "\n\n".join(parts)

    def to_json(self) -> dict:
        """Plain values: fractions, counts, and None where undefined."""
        tables = [{"title": table.title, "note": table.note, "rows": table.rows} for table in self.tables]
        content = {
            "stats": self.ap.stats, "per_class": self.ap.per_class, "num_tracks": self.ap.num_truth, "tables": tables,
            "tracking": vars(self.tracking), "errors": vars(self.errors),
        }
        return _defined(content)


def evaluate_in_full(
    results: str | Path | Sequence[Mapping],
    gt: str | Path | Mapping,
    *,
    iou_type: str = "segm",
    track_score: float = DEFAULT_TRACK_SCORE,
    cache: FactsCache | None = None,
    on_video: Callable[[int, int], None] = lambda total, frames: None,
) -> FullReport:
    """Scores tracks against annotations; neither input is changed.

    Args:
        results, gt, iou_type: as of `evaluate_json`, whose numbers the twelve are.
        track_score: tracks of a lower score take no part in HOTA, IDF1, switches and fragmentations. AP and the error
            report need no such choice: they take the tracks in the order of their scores.
        cache: keeps finished videos; must belong to these inputs and options.
        on_video: called after each video with the number of all videos and that of its frames.

    Raises:
        NoGroundTruthError, EvaluationInputError: as `evaluate_json`.
    """
    content, _ = read_json(gt, "ground truth")
    params = EvalParams()
    truth = load_ground_truth(content if isinstance(content, Mapping) else gt, iou_type)
    world = World(truth, load_predictions(results, truth, params.max_detections[-1], iou_type), iou_type)
    video_ids = world.video_ids()
    for video_id in video_ids:
        facts = cache.load(video_id) if cache is not None else None
        if facts is None:
            facts = world.look_at(video_id, track_score)
            if cache is not None:
                cache.store(video_id, facts)
        world.facts[video_id] = facts
        on_video(len(video_ids), truth.videos[video_id][2])
    curves, counts = world.score(params)
    ap = summarize(*curves, truth.categories, counts, params)
    names = dict(zip(ap.category_ids, ap.per_class))
    return FullReport(
        ap, breakdowns(world, content), tracking_report(world.facts.values(), names, track_score), error_report(world)
    )


def _defined(value: object) -> object:
    """The same with None in place of -1 and nan among the scores."""
    if isinstance(value, Mapping):
        return {str(key): _defined(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_defined(entry) for entry in value]
    undefined = isinstance(value, float) and (value == -1.0 or math.isnan(value))
    return None if undefined else value
