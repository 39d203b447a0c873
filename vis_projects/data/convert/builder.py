"""Puts masks together into a YouTube-VIS dict: the neutral form between all formats."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycocotools import mask as coco_mask

from vis_projects.data.convert.masks import text_rle, unite_rles
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.layers import rle_area, to_compressed


@dataclass
class _Object:
    """One object over its video: masks by frame."""

    category_id: int
    iscrowd: int
    own_id: int | None
    source_id: int | str | None
    masks: dict[int, list[Mapping]] = field(default_factory=dict)


class YtvisBuilder:
    """Collects videos, then masks in any order, and writes the dict with boxes and areas of the masks."""

    def __init__(self, source: str, notes: ConvertNotes) -> None:
        """
        Args:
            source: what the labels come from, for `info`.
            notes: takes what is left out.
        """
        self._source, self._notes = source, notes
        self._videos: dict[int, dict] = {}
        self._objects: dict[tuple[int, Hashable], _Object] = {}

    def add_video(self, file_names: Sequence[str], height: int, width: int, *, video_id: int | None = None,
                  **extra: Any) -> int:
        """Enters a video.

        Args:
            file_names: of its frames, in order.
            height, width: in pixels.
            video_id: id to keep; None takes the next free number from 1 on.
            extra: further fields of the record.

        Returns:
            its id.
        """
        if video_id is None:
            video_id = max(self._videos, default=0) + 1
        self._videos[video_id] = {**extra, "id": video_id, "width": width, "height": height,
                                  "length": len(file_names), "file_names": list(file_names)}
        return video_id

    def add_mask(self, video_id: int, key: Hashable, t: int, rle: Mapping, category_id: int, *, crowd: bool = False,
                 own_id: int | None = None, source_id: int | str | None = None) -> None:
        """Enters the mask of an object in a frame; several of one object in a frame are united.

        Args:
            video_id: of a video that is here already.
            key: names the object within its video.
            t: frame, a position in `file_names`.
            rle: the mask.
            category_id: class; it counts with the first mask of the object, like all further arguments.
            crowd: a region that is no single object.
            own_id: annotation id to keep, above 0: evaluators take 0 for no object.
            source_id: what the source calls the object, written as `source_id`.
        """
        entry = self._objects.setdefault((video_id, key), _Object(category_id, int(crowd), own_id, source_id))
        entry.masks.setdefault(t, []).append(rle)

    def build(self, categories: Sequence[Mapping]) -> dict:
        """The whole dict.

        Ids of annotations are those given where every object has one and no two share one, in rising order; otherwise
        1, 2, ... in the order of videos.
        """
        order = {video_id: place for place, video_id in enumerate(self._videos)}
        entries = sorted(self._objects.items(), key=lambda item: order[item[0][0]])
        records = [self._annotation(video_id, entry) for (video_id, _), entry in entries]
        own = [entry.own_id for _, entry in entries]
        keep = None not in own and len(set(own)) == len(own)
        if own and not keep and any(number is not None for number in own):
            self._notes.assume("ids of objects repeat in the source or are no whole numbers above 0; annotations are "
                               "numbered 1, 2, ...")
        kept = [(number, record) for number, record in zip(own, records) if record is not None]
        kept = sorted(kept, key=lambda entry: entry[0]) if keep else kept
        self._notes.drop("objects without a single mask", len(records) - len(kept))
        return {
            "info": {"description": f"converted from {self._source}"},
            "licenses": [],
            "categories": [dict(category) for category in categories],
            "videos": list(self._videos.values()),
            "annotations": [{"id": number if keep else place, **record}
                            for place, (number, record) in enumerate(kept, 1)],
        }

    def _annotation(self, video_id: int, entry: _Object) -> dict | None:
        """Record without its id, None where no mask has a pixel."""
        video = self._videos[video_id]
        masks: list[dict | None] = [None] * video["length"]
        for t, parts in entry.masks.items():
            masks[t] = unite_rles(parts)
        lists, empty = track_lists(masks)
        self._notes.drop("masks without a pixel in the frame", empty)
        if not any(lists["areas"]):
            return None
        source = {} if entry.source_id is None else {"source_id": entry.source_id}
        return {"video_id": video_id, "category_id": entry.category_id, "iscrowd": entry.iscrowd,
                "height": video["height"], "width": video["width"], "length": video["length"], **source, **lists}


def track_lists(masks: Sequence[Mapping | None]) -> tuple[dict[str, list], int]:
    """`segmentations`, `bboxes` (x, y, width, height of the pixels) and `areas` of an object, null where absent.

    Args:
        masks: RLE of each frame, None where absent.

    Returns:
        the lists, and the number of masks without a pixel, which count as absent.
    """
    times = [t for t, rle in enumerate(masks) if rle is not None]
    areas = dict(zip(times, rle_area([masks[t] for t in times]).tolist()))
    solid = [t for t in times if areas[t]]
    boxes = dict(zip(solid, coco_mask.toBbox([to_compressed(masks[t]) for t in solid]).tolist())) if solid else {}
    lists = {"segmentations": [text_rle(rle) if t in boxes else None for t, rle in enumerate(masks)],
             "bboxes": [boxes.get(t) for t in range(len(masks))],
             "areas": [areas[t] if t in boxes else None for t in range(len(masks))]}
    return lists, len(times) - len(solid)
