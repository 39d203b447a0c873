"""Statistics of a YouTube-VIS json as the benchmark defines them; reads the json only, never images or scenes."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tabulate import tabulate

SMALL_SHARE = 0.01
ATTRIBUTES = ("fast", "reentry", "lookalike", "appearance_change", "small", "late")


def synth_statistics(truth: str | Path | Mapping) -> dict:
    """Statistics of a ground-truth file.

    Args:
        truth: path of the json, or its content.

    Returns:
        Dict with `version`, counts (`videos`, `frames`, `tracks`, `masks`, `classes` by name), means
        (`tracks_per_video`, `objects_per_frame`, `mbor`), shares of tracks (`disappear`, `reappear`,
        `occ_levels` by level, and each of ATTRIBUTES), the share `small_masks` of masks under 1 % of the frame, and
        `median_step` of box centres in square roots of the area per frame. Shares without anything to count are 0.
        Files of other tools without `attributes` give None for what needs them.
    """
    content = truth if isinstance(truth, Mapping) else json.loads(Path(truth).read_text())
    videos, tracks = content["videos"], content.get("annotations") or []
    by_video = defaultdict(list)
    for track in tracks:
        by_video[track["video_id"]].append(track)
    frames = sum(len(video["file_names"]) for video in videos)
    areas = [area / (track["height"] * track["width"]) for track in tracks for area in track["areas"] if area]
    presence = [np.array([box is not None for box in track["bboxes"]]) for track in tracks]
    overlaps = [value for video in videos for value in _box_overlaps(video, by_video[video["id"]])]
    names = {category["id"]: category["name"] for category in content["categories"]}
    return {
        "version": content.get("info", {}).get("version"), "videos": len(videos), "frames": frames,
        "tracks": len(tracks), "masks": len(areas),
        "classes": {name: sum(track["category_id"] == key for track in tracks) for key, name in names.items()},
        "tracks_per_video": len(tracks) / max(len(videos), 1), "objects_per_frame": len(areas) / max(frames, 1),
        "mbor": _mean(overlaps), "disappear": _mean([_disappears(p) for p in presence]),
        "reappear": _mean([_reappears(p) for p in presence]),
        "median_step": _median_step(tracks), "small_masks": _mean([area < SMALL_SHARE for area in areas]),
        **_attribute_shares(tracks)}


def format_statistics(statistics: Mapping) -> str:
    """A table of `synth_statistics` for people."""
    rows = []
    for key, value in statistics.items():
        if isinstance(value, Mapping):
            value = "  ".join(f"{name} {_number(part)}" for name, part in value.items())
        rows.append((key.replace("_", " "), _number(value)))
    return tabulate(rows, tablefmt="plain", disable_numparse=True)


def _attribute_shares(tracks: list[Mapping]) -> dict:
    if any("attributes" not in track for track in tracks):
        return {"occ_levels": None, **{name: None for name in ATTRIBUTES}}
    attributes = [track["attributes"] for track in tracks]
    return {
        "occ_levels": {level: _mean([a["occ_level"] == level for a in attributes]) for level in ("so", "mo", "ho")},
        **{name: _mean([a[name] for a in attributes]) for name in ATTRIBUTES}}


def _median_step(tracks: list[Mapping]) -> float:
    """Median over consecutive boxes of the centre's step over the square root of the area."""
    steps = []
    for track in tracks:
        for before, after, area in zip(track["bboxes"], track["bboxes"][1:], track["areas"][1:]):
            if before is not None and after is not None:
                dx = after[0] + after[2] / 2 - before[0] - before[2] / 2
                dy = after[1] + after[3] / 2 - before[1] - before[3] / 2
                steps.append(float(np.hypot(dx, dy) / np.sqrt(max(area, 1))))
    return float(np.median(steps)) if steps else 0.0


def _box_overlaps(video: Mapping, tracks: list[Mapping]) -> list[float]:
    """Per frame with a box: area covered by two or more boxes over area covered by any."""
    values = []
    for time in range(len(video["file_names"])):
        boxes = [track["bboxes"][time] for track in tracks if track["bboxes"][time] is not None]
        if not boxes:
            continue
        covers = np.zeros((video["height"], video["width"]), dtype=np.uint8)
        for x, y, w, h in boxes:
            covers[round(y):round(y + h), round(x):round(x + w)] += 1
        values.append(float(np.count_nonzero(covers > 1) / max(np.count_nonzero(covers), 1)))
    return values


def _disappears(present: np.ndarray) -> bool:
    """Absent in some frame after it was first seen."""
    return bool(present.any() and not present[int(present.argmax()):].all())


def _reappears(present: np.ndarray) -> bool:
    """Absent in some frame between two in which it is seen."""
    frames = np.flatnonzero(present)
    return bool(len(frames) and not present[frames[0]:frames[-1] + 1].all())


def _mean(values) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _number(value) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
