"""Label maps to YouTube-VIS annotations with visibility and attributes."""

from collections.abc import Iterable

import numpy as np
from pycocotools import mask as coco_mask

from vis_projects.data.synth.masks import FrameMasks
from vis_projects.data.synth.presets import CLASS_NAMES
from vis_projects.data.synth.scene import Scene
from vis_projects.data.synth.streams import SYNTH_VERSION

MIN_PIXELS, MIN_SHARE = 10, 0.02
"""An object is present when max(MIN_PIXELS, MIN_SHARE of its amodal area) pixels show."""
MIN_FRAMES = 2
"""Tracks present in fewer frames are dropped (videos with fewer frames need one)."""
FAST_SPEED, SMALL_SHARE = 0.6, 0.01
OCC_LEVELS = ((0.25, "so"), (0.5, "mo"))


class VideoAnnotator:
    """Collects the frames of one video and writes its annotations.

    Args:
        scene: the video.
        rle: "compressed" (COCO text) or "list" (run lengths, as the released YouTube-VIS files).
    """

    def __init__(self, scene: Scene, rle: str = "compressed"):
        if rle not in ("compressed", "list"):
            raise ValueError(f"rle is {rle!r}; it must be 'compressed' or 'list'")
        self._scene, self._rle = scene, rle
        count, length = len(scene.tracks), scene.length
        self._segmentations: list[list[dict | None]] = [[None] * length for _ in range(count)]
        self._boxes: list[list[list[float] | None]] = [[None] * length for _ in range(count)]
        self._visible = np.zeros((count, length), dtype=np.int64)
        self._amodal = np.zeros((count, length), dtype=np.int64)
        self._centres = np.full((count, length, 2), np.nan)

    def add(self, time: int, masks: FrameMasks) -> None:
        """Takes the label map of frame `time`."""
        self._amodal[:, time] = masks.amodal
        areas = np.bincount(masks.owner.ravel(), minlength=len(self._visible) + 1)[1:len(self._visible) + 1]
        self._visible[:, time] = areas
        for number in np.flatnonzero(areas >= np.maximum(MIN_PIXELS, MIN_SHARE * masks.amodal)):
            mask = masks.owner == number + 1
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            self._boxes[number][time] = [float(columns[0]), float(rows[0]), float(columns[-1] - columns[0] + 1),
                                         float(rows[-1] - rows[0] + 1)]
            self._segmentations[number][time] = encode_mask(mask, self._rle)
            weights = mask.sum(axis=0), mask.sum(axis=1)
            self._centres[number, time] = [float((w * np.arange(len(w))).sum()) / areas[number] for w in weights]

    def annotations(self, video_id: int) -> list[dict]:
        """The annotations of the tracks that are present often enough, without ids."""
        scene = self._scene
        needed = min(MIN_FRAMES, scene.length)
        records = []
        for number, track in enumerate(scene.tracks):
            present = np.array([box is not None for box in self._boxes[number]])
            if present.sum() < needed:
                continue
            visibility = self._visible[number] / np.maximum(self._amodal[number], 1)
            records.append({
                "video_id": video_id, "category_id": track.category_id, "iscrowd": 0,
                "height": scene.height, "width": scene.width, "length": scene.length,
                "segmentations": self._segmentations[number], "bboxes": self._boxes[number],
                "areas": [int(a) if p else None for a, p in zip(self._visible[number], present)],
                "visibility": [round(float(v), 4) for v in visibility],
                "attributes": self._attributes(number, present, visibility)})
        return records

    def _attributes(self, number: int, present: np.ndarray, visibility: np.ndarray) -> dict:
        """Attributes of section 8 of the benchmark: occlusion, speed, gaps, look-alikes and so on."""
        track, length = self._scene.tracks[number], self._scene.length
        frames = np.flatnonzero(present)
        in_between = present[frames[0]:frames[-1] + 1]
        gaps = int(np.count_nonzero(np.diff(in_between.astype(np.int8)) == -1))
        areas = self._visible[number].astype(np.float64)
        both = frames[1:][np.diff(frames) == 1]
        steps = np.hypot(*(self._centres[number, both] - self._centres[number, both - 1]).T) / np.sqrt(areas[both])
        speed = float(np.percentile(steps, 90)) if len(steps) else 0.0
        occlusion = float((1.0 - visibility)[self._amodal[number] > 0].mean())
        return {
            "occ_mean": round(occlusion, 4),
            "occ_level": next((name for limit, name in OCC_LEVELS if occlusion < limit), "ho"),
            "speed": round(speed, 4), "fast": speed > FAST_SPEED, "gaps": gaps, "reentry": gaps > 0,
            "lookalike": track.group >= 0, "appearance_change": "change" in track.events,
            "small": float(np.median(areas[frames])) < SMALL_SHARE * self._scene.width * self._scene.height,
            "late": bool(frames[0] > length / 3 or frames[-1] < 2 * length / 3 - 1),
            "events": list(track.events)}


def encode_mask(mask: np.ndarray, rle: str = "compressed") -> dict:
    """(H, W) bool to a COCO RLE, column-major, first run background; `counts` is text or run lengths."""
    if rle == "compressed":
        encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        return {"size": [int(s) for s in encoded["size"]], "counts": encoded["counts"].decode("ascii")}
    flat = mask.ravel(order="F").astype(np.int8)
    ends = np.concatenate([np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    runs = np.diff(ends, prepend=0).tolist()
    return {"size": [int(s) for s in mask.shape], "counts": [0, *runs] if flat[0] else runs}


def video_record(scene: Scene, video_id: int) -> dict:
    """The `videos` entry of a scene."""
    folder = video_folder(scene.index)
    return {"id": video_id, "width": scene.width, "height": scene.height, "length": scene.length,
            "file_names": [f"{folder}/{time:05d}.jpg" for time in range(scene.length)],
            "meta": {"background": scene.background, "camera": scene.camera.kind, "ground": scene.ground,
                     "exposure": scene.exposure, "events": scene.events}}


def video_folder(index: int) -> str:
    """Folder of video `index` below JPEGImages."""
    return f"v{index:05d}"


def assemble(preset_name: str, split: str, seed: int, num_classes: int,
             videos: Iterable[tuple[dict, list[dict]]]) -> dict:
    """The whole YouTube-VIS dict of a split; annotation ids count from 1 in video order."""
    records, annotations = [], []
    for record, tracks in videos:
        records.append(record)
        for track in tracks:
            annotations.append({"id": len(annotations) + 1, **track})
    return {
        "info": {"description": f"SynthVIS {preset_name} {split}", "version": SYNTH_VERSION, "seed": seed},
        "licenses": [],
        "categories": [{"id": k + 1, "name": name, "supercategory": "object"}
                       for k, name in enumerate(CLASS_NAMES[:num_classes])],
        "videos": records, "annotations": annotations}
