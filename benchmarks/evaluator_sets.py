"""Generated ground truth and results of the size of the public validation sets, for benchmarks of the evaluator.

Objects are blobs that drift and change their outline from frame to frame; detections are drifted copies of them, or
blobs of their own. Numbers of videos, frames, tracks and classes, the size of frames, the share of frames in which an
object is seen, and the length of the run-length texts are those of YouTube-VIS 2019 and OVIS.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask


@dataclass(frozen=True)
class Preset:
    """Size of a set; pairs are lowest and highest of a uniform draw."""

    videos: int
    frames: tuple[int, int]
    size: tuple[int, int]
    categories: int
    truths: tuple[int, int]
    detections: int
    seen_truth: float
    seen_detection: float
    columns_truth: int
    columns_detection: int


PRESETS = {
    "ytvis19": Preset(302, (20, 36), (720, 1280), 40, (2, 4), 10, 0.90, 0.92, 238, 243),
    "ovis": Preset(140, (60, 100), (1080, 1920), 25, (2, 10), 20, 0.57, 0.85, 262, 190),
}
SAME_CLASS = 0.75  # share of a video's objects that are of one class
WITH_PARTNER = 0.65  # share of detections that copy an object, class included


class Blob:
    """One object: an outline over its columns, a position per frame."""

    def __init__(self, rng: np.random.Generator, preset: Preset, frames: int, columns: int):
        height, width = preset.size
        self.columns = max(8, int(columns * rng.uniform(0.8, 1.2)))
        u = np.linspace(-1, 1, self.columns)
        half = rng.uniform(0.1, 0.25) * height * np.sqrt(1.02 - u * u)
        self.top, self.bottom = (half * (1 + 0.2 * np.sin(rng.uniform(1, 6) * u + rng.uniform(0, 6))) for _ in range(2))
        start = rng.uniform((0.3 * height, 0.0), (0.7 * height, width - self.columns))
        self.path = start + np.cumsum(rng.normal(0, 2.0, (frames, 2)), axis=0)

    def shifted(self, rng: np.random.Generator) -> "Blob":
        """A detection of it, now close, now far off."""
        other = object.__new__(Blob)
        other.columns, other.top, other.bottom = self.columns, self.top * rng.uniform(0.85, 1.1), self.bottom
        other.path = self.path + rng.normal(0, rng.choice([1.0, 6.0, 25.0]), 2)
        return other

    def runs(self, rng: np.random.Generator, t: int, size: tuple[int, int]) -> list[int]:
        """Run lengths of the mask of frame t."""
        height, width = size
        y, x = self.path[t]
        x = int(np.clip(x, 0, width - self.columns))
        wobble = rng.normal(0, 5.0, (2, self.columns))  # so much that an eighth of the runs takes a second character
        top = np.clip(y - self.top + wobble[0], 1, height - 4).astype(np.int64)
        bottom = np.clip(y + self.bottom + wobble[1], top + 2, height - 1).astype(np.int64)
        first = (x + np.arange(self.columns)) * height
        changes = np.stack((first + top, first + bottom), axis=1).ravel()
        return np.diff(np.concatenate(([0], changes, [height * width]))).tolist()


def _masks(rng: np.random.Generator, blob: Blob, preset: Preset, seen: np.ndarray) -> list[dict | None]:
    """Uncompressed RLE per frame, None where the object is not seen."""
    return [{"counts": blob.runs(rng, t, preset.size), "size": list(preset.size)} if shown else None
            for t, shown in enumerate(seen)]


def _seen(rng: np.random.Generator, preset: Preset, partner: np.ndarray | None, frames: int) -> np.ndarray:
    """Frames that a detection covers: nearly all of its object's, some others, and the preset's share in all."""
    share = preset.seen_detection
    if partner is None:
        return rng.random(frames) < share
    elsewhere = (share - 0.97 * preset.seen_truth) / (1 - preset.seen_truth)
    return rng.random(frames) < np.where(partner, 0.97, elsewhere)


def _compress(masks: list[dict | None], size: tuple[int, int]) -> list[dict | None]:
    texts = [mask and coco_mask.frPyObjects(mask, *size)["counts"].decode("ascii") for mask in masks]
    return [text and {"size": list(size), "counts": text} for text in texts]


def make_set(name: str, folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Writes `<name>_gt.json` (run lengths as lists) and `<name>_results.json` (compressed text), unless there.

    Returns:
        paths of the ground truth and of the results.
    """
    paths = folder / f"{name}_gt.json", folder / f"{name}_results.json"
    if all(path.is_file() for path in paths):
        return paths
    preset, rng = PRESETS[name], np.random.default_rng(seed)
    videos, annotations, results = [], [], []
    for v in range(1, preset.videos + 1):
        frames = int(rng.integers(*preset.frames, endpoint=True))
        videos.append({"id": v, "height": preset.size[0], "width": preset.size[1], "length": frames,
                       "file_names": [f"{v:010x}/{5 * t:05d}.jpg" for t in range(frames)]})
        main = int(rng.integers(1, preset.categories + 1))
        objects = []
        for _ in range(rng.integers(*preset.truths, endpoint=True)):
            blob = Blob(rng, preset, frames, preset.columns_truth)
            category = main if rng.random() < SAME_CLASS else int(rng.integers(1, preset.categories + 1))
            seen = rng.random(frames) < preset.seen_truth
            objects.append((blob, category, seen))
            masks = _masks(rng, blob, preset, seen)
            annotations.append(_annotation(len(annotations) + 1, v, category, masks, preset.size))
        for _ in range(preset.detections):
            blob, category, partner = objects[rng.integers(len(objects))]
            copied = rng.random() < WITH_PARTNER
            blob = blob.shifted(rng) if copied else Blob(rng, preset, frames, preset.columns_detection)
            category = category if copied else int(rng.integers(1, preset.categories + 1))
            masks = _masks(rng, blob, preset, _seen(rng, preset, partner if copied else None, frames))
            results.append({"video_id": v, "score": float(rng.random()), "category_id": category,
                            "segmentations": _compress(masks, preset.size)})
    categories = [{"supercategory": "object", "id": c, "name": f"class {c}"} for c in range(1, preset.categories + 1)]
    truth = {"info": {"description": f"generated {name}"}, "licenses": [], "videos": videos, "categories": categories,
             "annotations": annotations}
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in zip(paths, (truth, results)):
        part = path.with_suffix(".part")
        part.write_text(json.dumps(content))
        part.replace(path)
    return paths


def _annotation(number: int, video: int, category: int, masks: list, size: tuple[int, int]) -> dict:
    rles = [mask and coco_mask.frPyObjects(mask, *size) for mask in masks]
    return {
        "id": number, "video_id": video, "category_id": category, "iscrowd": 0, "height": size[0], "width": size[1],
        "length": 1, "segmentations": masks,
        "areas": [rle and int(coco_mask.area(rle)) for rle in rles],
        "bboxes": [rle and coco_mask.toBbox(rle).tolist() for rle in rles],
    }


def set_facts(paths: tuple[Path, Path]) -> dict[str, float]:
    """Sizes of a set: megabytes of both files, masks and characters (ground truth as it would be compressed)."""
    truth, results = (json.loads(path.read_text()) for path in paths)
    masks = [mask for item in results for mask in item["segmentations"] if mask]
    truths = [mask for item in truth["annotations"] for mask in item["segmentations"] if mask]
    return {
        "gt MB": paths[0].stat().st_size / 1e6, "results MB": paths[1].stat().st_size / 1e6,
        "gt masks": len(truths), "result masks": len(masks),
        "gt runs": sum(len(mask["counts"]) for mask in truths),
        "result characters": sum(len(mask["counts"]) for mask in masks),
    }
