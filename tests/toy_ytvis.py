"""Writes a tiny YouTube-VIS data set of plain moving shapes for tests: a json and its frames."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

DEFAULT_CATEGORIES = ((7, "square"), (40, "disc"), (1001, "bar"))


def shape_mask(kind: int, center: tuple[float, float], radius: float, size: tuple[int, int]) -> np.ndarray:
    """bool (H, W): 0 a square, 1 a disc, 2 a tall bar, around center (x, y) in pixels."""
    y, x = np.mgrid[: size[0], : size[1]]
    dx, dy = np.abs(x - center[0]), np.abs(y - center[1])
    if kind == 0:
        return np.maximum(dx, dy) <= radius
    if kind == 1:
        return dx**2 + dy**2 <= radius**2
    return (dx <= radius / 3) & (dy <= radius)


def to_rle(mask: np.ndarray) -> dict:
    """Compressed COCO RLE of a bool (H, W) mask."""
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode()}


def write_toy_ytvis(
    root: str | Path,
    *,
    videos: int = 2,
    frames: int = 4,
    size: tuple[int, int] = (48, 64),
    categories: tuple[tuple[int, str], ...] = DEFAULT_CATEGORIES,
    seed: int = 0,
) -> tuple[str, str]:
    """One object of each category per video, moving right by 2 px a frame; the last one is absent in frame 0.

    Returns:
        (json path, image root).
    """
    root = Path(root)
    rng = np.random.default_rng(seed)
    height, width = size
    data = {"info": {}, "categories": [{"id": i, "name": n, "supercategory": "object"} for i, n in categories],
            "videos": [], "annotations": []}
    colours = rng.integers(80, 255, size=(len(categories), 3))
    for v in range(videos):
        names = [f"video{v}/{t:05d}.jpg" for t in range(frames)]
        data["videos"].append({"id": v + 1, "height": height, "width": width, "length": frames, "file_names": names})
        images = rng.integers(0, 40, size=(frames, height, width, 3)).astype(np.uint8)
        for k, (category_id, _) in enumerate(categories):
            radius = height / 8
            start = (width * (k + 1) / (len(categories) + 2), rng.uniform(height / 4, 3 * height / 4))
            track = {"segmentations": [], "bboxes": [], "areas": []}
            for t in range(frames):
                mask = shape_mask(k % 3, (start[0] + 2 * t, start[1]), radius, size)
                if k == len(categories) - 1 and t == 0 and frames > 1:
                    for values in track.values():
                        values.append(None)
                    continue
                images[t][mask] = colours[k]
                ys, xs = np.nonzero(mask)
                track["segmentations"].append(to_rle(mask))
                track["bboxes"].append([int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1])
                track["areas"].append(int(mask.sum()))
            data["annotations"].append({"id": len(data["annotations"]) + 1, "video_id": v + 1, "iscrowd": 0,
                                        "category_id": category_id, "height": height, "width": width, **track})
        for name, image in zip(names, images):
            path = root / "JPEGImages" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path, quality=95)
    json_path = root / "instances.json"
    json_path.write_text(json.dumps(data))
    return str(json_path), str(root / "JPEGImages")
