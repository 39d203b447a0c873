"""HOTA, IDF1, identity switches and fragmentations of a data set: per class, averaged, and pooled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tabulate import tabulate

from vis_projects.evaluation.tracking_sums import COUNT_NAMES, TrackingSums
from vis_projects.evaluation.video_facts import VideoFacts

DEFAULT_TRACK_SCORE = 0.3
COLUMNS = ("HOTA", "DetA", "AssA", "LocA", "IDF1", "IDP", "IDR", "IDSW", "Frag")


@dataclass
class TrackingReport:
    """Scores as fractions, and counts; see `TrackingSums.scores` for the names.

    Attributes:
        per_class: class name -> scores of its objects in all videos.
        class_mean: mean of the scores, sum of the counts, over the classes with annotated objects; empty without any.
        pooled: scores of the sums over all classes, those with predictions only included. Every object weighs the same
            here, every class in `class_mean`.
        track_score: lowest score of a track that took part.
    """

    per_class: dict[str, dict[str, float]]
    class_mean: dict[str, float]
    pooled: dict[str, float]
    track_score: float

    def text(self) -> str:
        """The table, scores in percent."""
        named = {**self.per_class, "mean over classes": self.class_mean, "all objects pooled": self.pooled}
        rows = [
            [name, scores["objects"], scores["tracks"],
             *(scores[c] if c in COUNT_NAMES else f"{100 * scores[c]:.1f}" for c in COLUMNS)]
            for name, scores in named.items() if scores
        ]
        align = ("left", *["right"] * (len(COLUMNS) + 2))
        table = tabulate(rows, ("class", "objects", "tracks", *COLUMNS), disable_numparse=True, colalign=align)
        return f"Identities, scores in percent, tracks of score {self.track_score:g} and more:\n{table}"


def tracking_report(
    videos: Iterable[VideoFacts], class_names: Mapping[int, str], track_score: float
) -> TrackingReport:
    """Adds up the facts of all videos.

    Args:
        videos: facts, made with the same `track_score`.
        class_names: category id -> name, all of the json.
        track_score: for the report.
    """
    sums: dict[int, TrackingSums] = {}
    for facts in videos:
        for category, part in facts.tracking.items():
            sums[category] = sums.get(category, TrackingSums()) + part
    pooled = sum(sums.values(), start=TrackingSums())
    per_class = {class_names[c]: sums[c].scores() for c in class_names if c in sums}
    with_objects = [scores for scores in per_class.values() if scores["objects"]]
    mean = {}
    for name in with_objects[0] if with_objects else ():
        total = sum(scores[name] for scores in with_objects)
        mean[name] = total if name in COUNT_NAMES else total / len(with_objects)
    return TrackingReport(per_class, mean, pooled.scores(), track_score)
