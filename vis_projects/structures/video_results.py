"""The result of one video, and its two json forms: the YouTube-VIS records and a file of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pycocotools import mask as coco_mask

from vis_projects.layers import to_compressed
from vis_projects.structures.track import Track


@dataclass
class VideoResults:
    """All tracks of one video.

    Attributes:
        video_id: id of the video in its data set, or any name for a video of one's own.
        height, width: size of the masks in pixels.
        length: number of frames of the video, also those without any object.
        tracks: the objects, in ascending track id.
        inference_mode: "online" where each frame was done with the frames before it, else what more was used.
    """

    video_id: int | str
    height: int
    width: int
    length: int
    tracks: list[Track] = field(default_factory=list)
    inference_mode: str = "online"

    def to_records(self, category_ids: Sequence[int] | None = None) -> list[dict]:
        """YouTube-VIS result records, one per track.

        Args:
            category_ids: category id of the json for each contiguous class; None writes the contiguous class itself.

        Returns:
            dicts with `video_id`, `category_id`, `score`, `segmentations` (length T; None where absent).

        Raises:
            ValueError: if a track has a class for which there is no category id.
        """
        return [
            {
                "video_id": self.video_id,
                "category_id": self._json_category(track, category_ids),
                "score": float(track.score),
                "segmentations": [track.segmentations.get(t) for t in range(self.length)],
            }
            for track in self.tracks
        ]

    def _json_category(self, track: Track, category_ids: Sequence[int] | None) -> int:
        if category_ids is None:
            return int(track.category_id)
        if not 0 <= track.category_id < len(category_ids):
            raise ValueError(
                f"video {self.video_id}: track {track.track_id} has class {track.category_id}, but only "
                f"{len(category_ids)} category ids are given; the model and the data set have different classes"
            )
        return int(category_ids[track.category_id])

    @classmethod
    def from_records(
        cls,
        records: Sequence[Mapping],
        *,
        video_id: int | str,
        height: int,
        width: int,
        length: int,
        contiguous: Mapping[int, int] | None = None,
    ) -> "VideoResults":
        """Reads the records of one video out of a YouTube-VIS result list.

        The format has no track ids: tracks are numbered from 0 in the order of the records. Masks without a pixel,
        which some writers use for an absent object, become no entry.

        Args:
            records: result records, also of other videos, which are left out.
            video_id, height, width, length: the video as its data set describes it.
            contiguous: json category id -> contiguous class; None keeps the ids as they are.

        Raises:
            ValueError: if a record has another number of frames than the video or an unknown category id.
        """
        tracks = []
        for record in records:
            if record["video_id"] != video_id:
                continue
            category_id = int(record["category_id"])
            if contiguous is not None and category_id not in contiguous:
                raise ValueError(
                    f"video {video_id}: result {len(tracks)} has category id {category_id}, known are "
                    f"{sorted(contiguous)}; the results belong to another data set"
                )
            masks = record["segmentations"]
            if len(masks) != length:
                raise ValueError(
                    f"video {video_id}: result {len(tracks)} has {len(masks)} segmentations, the video has {length} "
                    "frames; write one entry per frame, null where the object is absent"
                )
            track = Track(len(tracks), category_id if contiguous is None else contiguous[category_id],
                          float(record["score"]))
            _fill_from_masks(track, masks)
            tracks.append(track)
        return cls(video_id, height, width, length, tracks)

    def frame(self, t: int) -> list[tuple[int, int, float, dict]]:
        """(track id, class, score, RLE) of every object in frame t, in ascending track id.

        The score is the detection score of that frame where it is known, the score of the track elsewhere.
        """
        return [
            (track.track_id, track.category_id, track.frame_scores.get(t, track.score), track.segmentations[t])
            for track in self.tracks
            if t in track.segmentations
        ]

    def save(self, path: str | Path) -> None:
        """Writes everything, track ids and boxes included, as one json file that `load` reads back unchanged."""
        content = {
            "video_id": self.video_id, "height": self.height, "width": self.width, "length": self.length,
            "inference_mode": self.inference_mode,
            "tracks": [
                {
                    "track_id": track.track_id, "category_id": track.category_id, "score": track.score,
                    "segmentations": track.segmentations, "boxes": track.boxes, "frame_scores": track.frame_scores,
                }
                for track in self.tracks
            ],
        }
        Path(path).write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "VideoResults":
        """Reads what `save` wrote.

        Raises:
            ValueError: if the file is not such a json.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            tracks = [
                Track(
                    item["track_id"], item["category_id"], item["score"],
                    {int(t): rle for t, rle in item["segmentations"].items()},
                    {int(t): tuple(box) for t, box in item["boxes"].items()},
                    {int(t): score for t, score in item["frame_scores"].items()},
                )
                for item in content["tracks"]
            ]
            return cls(content["video_id"], content["height"], content["width"], content["length"], tracks,
                       content.get("inference_mode", "online"))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} is not a file of VideoResults.save ({error!r}); YouTube-VIS result lists are read with "
                "VideoResults.from_records"
            ) from error


def _fill_from_masks(track: Track, masks: Sequence[Mapping | None]) -> None:
    """Enters each non-empty mask, as text, and its box."""
    for t, mask in enumerate(masks):
        if not mask:
            continue
        rle = to_compressed(mask)
        if coco_mask.area(rle) == 0:
            continue
        x, y, w, h = (float(value) for value in coco_mask.toBbox(rle))
        track.segmentations[t] = {"size": [int(s) for s in rle["size"]], "counts": rle["counts"].decode("ascii")}
        track.boxes[t] = (x, y, x + w, y + h)
