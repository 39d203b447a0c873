"""`World`: annotations and detections of a data set with the facts on their pairs, scored as a whole or in parts."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from vis_projects.evaluation.accumulation import accumulate
from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.ground_truth import GroundTruth
from vis_projects.evaluation.matching import CellMatches, match_cell
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.video_facts import VideoFacts, video_facts

VideoId = int | str
ONE_RANGE = (("all", 0.0, 1e10),)
# areas that stand for "is in the group" and "is not", see `World.score`
INSIDE, OUTSIDE, GROUP_RANGE = 1.0, 0.0, (("group", 0.5, 1.5),)


@dataclass
class WorldCell:
    """One video and category.

    Attributes:
        video_id, category_id: ids of the json.
        detections: best score first. truths: in the order of the file.
        rows, columns: where these are among all detections and truths of the video, see `World.video_tracks`.
        ious: float64 (D, G), track IoU.
    """

    video_id: VideoId
    category_id: int
    detections: list[EvalTrack]
    truths: list[EvalTrack]
    rows: np.ndarray
    columns: np.ndarray
    ious: np.ndarray


@dataclass
class World:
    """A loaded data set. `facts` are to be filled, with what `look_at` gives, before anything is scored.

    Attributes:
        truth: annotations.
        found: (video id, category id) -> detections, best score first.
        iou_type: "segm" or "bbox".
        facts: of each video that has annotations or detections.
    """

    truth: GroundTruth
    found: dict[tuple[VideoId, int], list[EvalTrack]]
    iou_type: str = "segm"
    facts: dict[VideoId, VideoFacts] = field(default_factory=dict)
    _cells: dict[int, list[WorldCell]] = field(default_factory=dict, init=False, repr=False)

    def video_ids(self) -> list[VideoId]:
        """Videos with annotations or detections, ascending."""
        used = {video_id for video_id, _ in (*self.truth.cells, *self.found)}
        return [video_id for video_id in self.truth.videos if video_id in used]

    def video_tracks(self, video_id: VideoId) -> tuple[list[EvalTrack], list[EvalTrack]]:
        """(detections, truths) of a video, category by category in ascending id."""
        cells = [(video_id, category) for category in self.truth.categories]
        sides = self.found, self.truth.cells
        return tuple([track for cell in cells for track in side.get(cell, ())] for side in sides)

    def look_at(self, video_id: VideoId, track_score: float) -> VideoFacts:
        """Facts on one video, from its shapes; see `video_facts`."""
        detections, truths = self.video_tracks(video_id)
        length = self.truth.videos[video_id][2] or max((len(track.areas) for track in truths), default=0)
        return video_facts(detections, truths, length, self.iou_type, track_score)

    def cells(self, category_id: int, video_ids: Collection[VideoId] | None = None) -> Iterator[WorldCell]:
        """What there is of a category, in ascending video id; `video_ids` restricts it to some videos."""
        if category_id not in self._cells:
            keys = [(video_id, category_id) for video_id in self.truth.videos]
            used = [key for key in keys if key in self.found or key in self.truth.cells]
            self._cells[category_id] = [self._cell(key) for key in used]
        return (cell for cell in self._cells[category_id] if video_ids is None or cell.video_id in video_ids)

    def score(
        self,
        params: EvalParams,
        *,
        video_ids: Collection[VideoId] | None = None,
        selected: Callable[[EvalTrack], bool] | None = None,
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], list[int]]:
        """Curves of every category, see `accumulate`, and the number of annotated tracks that count, by category.

        Args:
            params: thresholds, ranges and cuts; with `selected` its ranges give way to one.
            video_ids: only these videos.
            selected: which annotated tracks count. The others are ignored, not removed: a detection that matches one
                is neither right nor wrong, one that matches nothing stays wrong.
        """
        params = params if selected is None else replace(params, area_ranges=GROUP_RANGE)
        matches = [
            [_match(cell, params, selected) for cell in self.cells(category, video_ids)]
            for category in self.truth.categories
        ]
        counts = [int(sum(cell.num_truth[0] for cell in cells)) for cells in matches]
        return accumulate(matches, params), counts

    def _cell(self, key: tuple[VideoId, int]) -> WorldCell:
        rows, columns = (self._places(side, key) for side in (self.found, self.truth.cells))
        ious = self.facts[key[0]].pairs.track_iou[rows[:, None], columns]
        return WorldCell(*key, self.found.get(key, []), self.truth.cells.get(key, []), rows, columns, ious)

    def _places(self, side: dict, key: tuple[VideoId, int]) -> np.ndarray:
        video_id, category_id = key
        before = sum(len(side.get((video_id, c), ())) for c in self.truth.categories if c < category_id)
        return np.arange(before, before + len(side.get(key, ())))


def _match(cell: WorldCell, params: EvalParams, selected: Callable[[EvalTrack], bool] | None) -> CellMatches:
    detections, truths = cell.detections, cell.truths
    if selected is not None:
        detections = [replace(track, mean_area=INSIDE) for track in detections]
        truths = [replace(track, mean_area=INSIDE if selected(track) else OUTSIDE) for track in truths]
    return match_cell(detections, truths, cell.ious, params)
