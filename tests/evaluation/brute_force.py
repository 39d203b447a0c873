"""A second evaluator for the tests: dense masks, plain loops, no vectors; slow and easy to read."""

import math

import numpy as np

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
THRESHOLDS = [float(v) for v in np.linspace(0.5, 0.95, 10)]
POINTS = [i * 0.01 for i in range(101)]


def track_iou(detection, truth) -> float:
    """Both are lists of bool (H, W) arrays or None."""
    common = either = 0
    for d, g in zip(detection, truth):
        if d is not None and g is not None:
            if d.shape == g.shape:
                common += int((d & g).sum())
                either += int((d | g).sum())
        elif d is not None:
            either += int(d.sum())
        elif g is not None:
            either += int(g.sum())
    return common / either if either else 0.0


def mean_area(areas) -> float:
    counted = [a for a in areas if a]
    return sum(counted) / len(counted) if counted else 0.0


def detection_area(masks) -> float:
    return mean_area([int(m.sum()) for m in masks if m is not None])


def match(detections, truths, low, high, threshold):
    """Per detection (matched, ignored), and the number of truths that count."""
    ignored = [bool(g["iscrowd"]) or g["area"] < low or g["area"] > high for g in truths]
    order = [k for k in range(len(truths)) if not ignored[k]] + [k for k in range(len(truths)) if ignored[k]]
    used, outcome = [False] * len(truths), []
    for detection in detections:
        best, mine = min(threshold, 1 - 1e-10), None
        for k in order:
            if used[k] and not truths[k]["iscrowd"]:
                continue
            if mine is not None and not ignored[mine] and ignored[k]:
                break
            iou = track_iou(detection["masks"], truths[k]["masks"])
            if iou >= best:
                best, mine = iou, k
        if mine is None:
            area = detection_area(detection["masks"])
            outcome.append((False, area < low or area > high))
        else:
            used[mine] = True
            outcome.append((True, ignored[mine]))
    return outcome, ignored.count(False)


def curve(rows, count):
    """(recall, precision at the recall points) of (score, matched, ignored) rows of all videos in order."""
    rows = sorted(rows, key=lambda row: -row[0])
    right = wrong = 0
    recalls, precisions = [], []
    for _, matched, ignored in rows:
        if not ignored:
            right, wrong = right + matched, wrong + (not matched)
        recalls.append(right / count)
        precisions.append(right / (right + wrong + 2.0**-52))
    values = []
    for point in POINTS:
        index = next((i for i, recall in enumerate(recalls) if recall >= point), None)
        values.append(0.0 if index is None else max(precisions[index:]))
    return (recalls[-1] if recalls else 0.0), values


def evaluate(world, ranges) -> dict[str, float]:
    """The twelve numbers of a world: `videos` and `categories` (ids), `truths` and `detections` (dicts with masks)."""
    precision, recall = {}, {}
    for c in sorted(world["categories"]):
        for a, (_, low, high) in enumerate(ranges):
            for cut in (1, 10, 100):
                for t, threshold in enumerate(THRESHOLDS):
                    rows, count = [], 0
                    for v in sorted(world["videos"]):
                        mine = [d for d in world["detections"] if (d["video_id"], d["category_id"]) == (v, c)]
                        mine = sorted(mine, key=lambda d: -d["score"])[:100]
                        theirs = [g for g in world["truths"] if (g["video_id"], g["category_id"]) == (v, c)]
                        outcome, n = match(mine, theirs, low, high, threshold)
                        rows += [(d["score"], *o) for d, o in zip(mine[:cut], outcome[:cut])]
                        count += n
                    if count:
                        recall[t, c, a, cut], precision[t, c, a, cut] = curve(rows, count)

    def mean(table, keep):
        found = [value for key, value in table.items() if keep(*key)]
        return float(np.mean(found)) if found else -1.0

    return dict(zip(NAMES, [
        mean(precision, lambda t, c, a, m: a == 0 and m == 100),
        mean(precision, lambda t, c, a, m: a == 0 and m == 100 and t == 0),
        mean(precision, lambda t, c, a, m: a == 0 and m == 100 and t == 5),
        *[mean(precision, lambda t, c, a, m, r=r: a == r and m == 100) for r in (1, 2, 3)],
        *[mean(recall, lambda t, c, a, m, k=k: a == 0 and m == k) for k in (1, 10, 100)],
        *[mean(recall, lambda t, c, a, m, r=r: a == r and m == 100) for r in (1, 2, 3)],
    ]))


def largest_difference(found: dict[str, float], expected: dict[str, float]) -> float:
    return max(math.fabs(found[name] - expected[name]) for name in NAMES)
