"""Small ground truths and results for the tests of evaluation: hand-made bars of pixels, and random worlds."""

import numpy as np
from pycocotools import mask as coco_mask

SIZE = (4, 10)


def bar(start: int, stop: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """bool mask whose first row is set from column `start` to before `stop`."""
    mask = np.zeros(size, dtype=bool)
    mask[0, start:stop] = True
    return mask


def rle(mask: np.ndarray | None) -> dict | None:
    """Compressed RLE with text, as result files have it."""
    if mask is None:
        return None
    found = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(s) for s in mask.shape], "counts": found["counts"].decode("ascii")}


def plain_rle(mask: np.ndarray | None) -> dict | None:
    """Uncompressed RLE, as released annotations have it."""
    if mask is None:
        return None
    flat = mask.flatten(order="F")
    runs, value = [0], False
    for pixel in flat.tolist():
        if pixel != value:
            runs, value = [*runs, 0], pixel
        runs[-1] += 1
    return {"size": [int(s) for s in mask.shape], "counts": runs}


def truth(number: int, masks: list, *, video: int = 1, category: int = 1, **fields) -> dict:
    """One annotation; `areas` are those of its masks."""
    return {
        "id": number, "video_id": video, "category_id": category, "iscrowd": 0,
        "segmentations": [plain_rle(mask) for mask in masks],
        "areas": [None if mask is None else int(mask.sum()) for mask in masks], **fields,
    }


def found(masks: list, score: float = 0.9, *, video: int = 1, category: int = 1) -> dict:
    """One result record."""
    return {"video_id": video, "category_id": category, "score": score, "segmentations": [rle(mask) for mask in masks]}


def ground_truth(annotations: list | None, *, videos: int = 1, categories: tuple[int, ...] = (1,), length: int = 4,
                 size: tuple[int, int] = SIZE) -> dict:
    """A ground-truth json; videos are numbered from 1, category c is called `class<c>`."""
    return {
        "videos": [{"id": v + 1, "height": size[0], "width": size[1], "length": length} for v in range(videos)],
        "categories": [{"id": c, "name": f"class{c}"} for c in categories],
        "annotations": annotations,
    }


def random_world(seed: int) -> dict:
    """Masks of both sides with everything that the rules speak of: crowds, ties, gaps, short lists, odd areas.

    Returns:
        `videos`, `categories` (ids), `truths` and `detections` (dicts with dense `masks`), for `brute_force.evaluate`.
    """
    rng = np.random.default_rng(seed)
    videos, categories = [3, 1, 7][: rng.integers(1, 4)], [5, 2][: rng.integers(1, 3)]
    size, length = (3, int(rng.integers(4, 9))), int(rng.integers(1, 5))
    p_crowd, p_gap, p_short = rng.choice([0.0, 0.4]), rng.choice([0.0, 0.3]), rng.choice([0.0, 0.2])
    scores = rng.choice([0.2, 0.5, 0.5, 0.9], 40) if rng.random() < 0.5 else rng.random(40)

    def track(base=None):
        masks = []
        for t in range(length - int(rng.random() < p_short and length > 1)):
            mask = rng.random(size) < rng.choice([0.2, 0.7]) if base is None else base[t % len(base)]
            if base is not None and mask is not None:
                mask = mask ^ (rng.random(size) < rng.choice([0.0, 0.05, 0.2]))
            masks.append(None if mask is None or rng.random() < p_gap else mask)
        return masks

    truths, detections = [], []
    for v in videos:
        for _ in range(rng.integers(0, 5)):
            same = truths and truths[-1]["video_id"] == v and rng.random() < 0.4
            masks = [m if m is None else m.copy() for m in truths[-1]["masks"]] if same else track()
            areas = [None if m is None else int(m.sum()) for m in masks]
            if rng.random() < 0.3:
                areas = [None if a is None else int(rng.integers(0, 20)) for a in areas]
            truths.append({"video_id": v, "category_id": int(rng.choice([*categories, 9])), "masks": masks,
                           "areas": areas, "iscrowd": int(rng.random() < p_crowd), "id": len(truths) + 1})
        mine = [g for g in truths if g["video_id"] == v]
        for _ in range(rng.integers(0, 7)):
            base = mine[rng.integers(len(mine))] if mine and rng.random() < 0.8 else None
            category = base["category_id"] if base is not None and rng.random() < 0.8 else int(rng.choice(categories))
            detections.append({"video_id": v, "category_id": category, "masks": track(base and base["masks"]),
                               "score": float(scores[len(detections)])})
    order = rng.permutation(len(detections))
    return {"videos": videos, "categories": categories, "size": size, "length": length, "truths": truths,
            "detections": [detections[k] for k in order]}


def world_json(world: dict, seed: int) -> tuple[dict, list]:
    """The same world as ground-truth json and results list, in a random mix of the accepted notations."""
    rng = np.random.default_rng(seed)
    notations = (rle, plain_rle, lambda m: None if m is None else {**rle(m), "counts": rle(m)["counts"].encode()})

    def write(masks):
        return [notations[rng.integers(3)](mask) for mask in masks]

    annotations = [
        {"id": g["id"], "video_id": g["video_id"], "category_id": g["category_id"], "iscrowd": g["iscrowd"],
         "segmentations": write(g["masks"]), "areas": g["areas"]}
        for g in world["truths"]
    ]
    results = [
        {"video_id": d["video_id"], "category_id": d["category_id"], "score": d["score"],
         "segmentations": write(d["masks"])}
        for d in world["detections"]
    ]
    height, width = world["size"]
    return {
        "videos": [{"id": v, "height": height, "width": width, "length": world["length"]} for v in world["videos"]],
        "categories": [{"id": c, "name": f"class{c}"} for c in world["categories"]],
        "annotations": annotations,
    }, results
