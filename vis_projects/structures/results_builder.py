"""Collects the frames of one video into `VideoResults`: masks become RLE at once, scores keep running."""

from collections import Counter

from detectron2.structures import Instances

from vis_projects.layers import rle_encode
from vis_projects.structures.track import Track
from vis_projects.structures.video_results import VideoResults


class VideoResultsBuilder:
    """Turns per-frame instances with track ids into the result of a video.

    The score of a track is the mean of its detection scores over the frames in which it was found; its class is the
    one found most often, the smallest among equals: the rule of the authors of MaskTrack R-CNN.
    """

    def __init__(
        self,
        video_id: int | str,
        height: int,
        width: int,
        *,
        min_track_len_frames: int = 0,
        score_floor: float = 0.0,
        inference_mode: str = "online",
    ):
        """
        Args:
            video_id: id that the results carry.
            height, width: output size in pixels; the masks must have it.
            min_track_len_frames: tracks found in fewer frames are left out of the result.
            score_floor: tracks with a lower score are left out of the result.
            inference_mode: that the results carry, see `VideoResults`.
        """
        self.video_id = video_id
        self.height = height
        self.width = width
        self.min_track_len_frames = min_track_len_frames
        self.score_floor = score_floor
        self.inference_mode = inference_mode
        self.num_frames = 0
        self._tracks: dict[int, Track] = {}
        self._classes: dict[int, Counter] = {}

    def add_frame(self, instances: Instances) -> None:
        """Enters the next frame.

        Args:
            instances: `pred_ids` int64 (N,), `scores` (N,), `pred_classes` (N,), `pred_masks` bool (N, H, W) and
                `pred_boxes` (N, 4) xyxy at output size, on any device. Rows with id -1 are not tracked and ignored.

        Raises:
            ValueError: if an id occurs twice in the frame, or the frame has another size than the video.
        """
        if tuple(instances.image_size) != (self.height, self.width):
            raise ValueError(
                f"video {self.video_id}, frame {self.num_frames}: instances are of size {tuple(instances.image_size)}, "
                f"results need the output size {(self.height, self.width)}"
            )
        frame, self.num_frames = self.num_frames, self.num_frames + 1
        if not instances.get_fields() or len(instances) == 0:
            return
        instances = instances[instances.pred_ids >= 0]
        ids = instances.pred_ids.tolist()
        if len(set(ids)) != len(ids):
            raise ValueError(f"video {self.video_id}, frame {frame}: a track id occurs twice in {sorted(ids)}")
        rles = rle_encode(instances.pred_masks)
        rows = zip(
            ids, instances.scores.tolist(), instances.pred_classes.tolist(), instances.pred_boxes.tensor.tolist(), rles
        )
        for track_id, score, category_id, box, rle in rows:
            track = self._tracks.setdefault(track_id, Track(track_id, category_id, score))
            track.segmentations[frame] = rle
            track.boxes[frame] = tuple(box)
            track.frame_scores[frame] = score
            self._classes.setdefault(track_id, Counter())[category_id] += 1

    def finish(self) -> VideoResults:
        """The result of the frames entered so far, tracks in ascending id."""
        tracks = []
        for track_id, track in sorted(self._tracks.items()):
            score = sum(track.frame_scores.values()) / track.length
            if track.length < self.min_track_len_frames or score < self.score_floor:
                continue
            counts = self._classes[track_id]
            category_id = min(counts, key=lambda category: (-counts[category], category))
            tracks.append(
                Track(track_id, category_id, score, dict(track.segmentations), dict(track.boxes),
                      dict(track.frame_scores))
            )
        return VideoResults(self.video_id, self.height, self.width, self.num_frames, tracks, self.inference_mode)
