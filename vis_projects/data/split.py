"""Cuts a labelled json into a training and a validation json, reproducibly and with every class in both."""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import json_faults
from vis_projects.data.ytvis_json import read_ytvis_json

logger = logging.getLogger(__name__)

STRATA = ("class", "length")
REPAIR_STEPS = 5000


def split_dataset(
    json_file: str,
    val_fraction: float = 0.1,
    seed: int = 0,
    stratify: Sequence[str] = ("class", "length"),
    out_dir: str | None = None,
) -> tuple[str, str]:
    """Writes `<name>_train.json` and `<name>_val.json`.

    Whole videos go to one half. Every class that two or more videos show is in both halves where such a split exists;
    for that the validation half may get more than its fraction. The same seed gives the same bytes. `info.split` of
    both files records the source, the seed, the ids of the videos and `sha256`, the hash of these ids as compact json;
    `info.video_ids_sha256` repeats that hash.

    Args:
        json_file: labelled YouTube-VIS json with two videos or more.
        val_fraction: part of the videos that goes to validation, between 0 and 1.
        seed: of all draws.
        stratify: "class" (share of each class, and the rule above), "length" (short, middle and long videos), or both.
        out_dir: folder of the two files, None is the folder of the source.

    Returns:
        paths of the training and the validation json.

    Raises:
        ValueError: for a fraction outside (0, 1) or unknown strata.
        DatasetError: if the json is broken, unlabelled or has fewer than two videos.
    """
    if not 0 < val_fraction < 1:
        raise ValueError(f"val_fraction is {val_fraction}; it must lie between 0 and 1")
    if set(stratify) - set(STRATA):
        raise ValueError(f"stratify is {tuple(stratify)}, known are {STRATA}")
    data = read_ytvis_json(json_file)
    for fault in json_faults(data):
        raise DatasetError(f"{json_file}: {fault}")
    if not data.get("annotations") or len(data["videos"]) < 2:
        raise DatasetError(f"{json_file} has {len(data['videos'])} videos and {len(data.get('annotations') or ())} "
                           "annotations. Remedy: split a labelled file with two videos or more.")
    labels = _video_labels(data, stratify)
    val_ids = choose_validation(labels, val_fraction, np.random.default_rng(seed))
    options = {"source": os.path.basename(json_file), "seed": seed, "val_fraction": val_fraction,
               "stratify": list(stratify)}
    out_dir = os.path.dirname(os.path.abspath(json_file)) if out_dir is None else out_dir
    os.makedirs(out_dir, exist_ok=True)
    stem = os.path.splitext(os.path.basename(json_file))[0]
    paths = []
    for half, ids in (("train", set(labels) - val_ids), ("val", val_ids)):
        paths.append(os.path.join(out_dir, f"{stem}_{half}.json"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(json.dumps(_half(data, ids, {**options, "half": half}), separators=(",", ":")))
    return paths[0], paths[1]


def video_ids_sha256(video_ids: Collection[int]) -> str:
    """SHA-256 of the sorted ids as compact json, for example of `[1,2,5]`."""
    return hashlib.sha256(json.dumps(sorted(video_ids), separators=(",", ":")).encode()).hexdigest()


def choose_validation(labels: Mapping[int, Collection], val_fraction: float, rng: np.random.Generator) -> set[int]:
    """Ids of the validation videos.

    Args:
        labels: video id -> its strata; those of the form ("class", k) are subject to the rule of both halves.
        val_fraction: part of the videos to choose.
        rng: source of all randomness.
    """
    ids = sorted(labels)
    order = [ids[i] for i in rng.permutation(len(ids))]
    totals = Counter(label for video in ids for label in labels[video])
    bound = {label for label, count in totals.items() if label[0] == "class" and count >= 2}
    wanted = min(max(1, round(val_fraction * len(ids))), len(ids) - 1)
    val: set[int] = set()
    counts: Counter = Counter()

    def leaves_train_whole(video: int) -> bool:
        return all(counts[label] + 1 < totals[label] for label in labels[video] if label in bound)

    def gain(video: int) -> float:
        # how much nearer the strata of this video come to their share
        return sum((totals[label] * val_fraction - counts[label]) / totals[label] for label in labels[video])

    def take(video: int) -> None:
        val.add(video)
        counts.update(labels[video])

    for label in sorted(bound, key=lambda name: (totals[name], name)):
        if counts[label] == 0:
            candidates = [v for v in order if label in labels[v] and v not in val and leaves_train_whole(v)]
            if candidates:
                take(max(candidates, key=lambda v: sum(counts[name] == 0 for name in labels[v] if name in bound)))
    while len(val) < wanted:
        candidates = [v for v in order if v not in val and leaves_train_whole(v)]
        if not candidates:
            break
        take(max(candidates, key=gain))
    if not val:
        take(order[0])
    return _repair(val, labels, totals, bound, rng)


def _repair(val: set[int], labels: Mapping, totals: Counter, bound: set, rng: np.random.Generator) -> set[int]:
    """Moves videos between the halves until each bound class is in both, by a random walk that prefers good moves."""
    best, best_missing = set(val), None
    for _ in range(REPAIR_STEPS):
        counts = Counter(label for video in val for label in labels[video])
        missing = sorted(label for label in bound if counts[label] in (0, totals[label]))
        if best_missing is None or len(missing) < len(best_missing):
            best, best_missing = set(val), missing
        if not missing:
            break
        label = missing[rng.integers(len(missing))]
        movable = [video for video in sorted(labels) if label in labels[video]]
        if rng.random() < 0.3:
            video = movable[rng.integers(len(movable))]
        else:
            video = min(movable, key=lambda v: _damage(v, v in val, labels, counts, totals, bound))
        val = val ^ {video}
    if best_missing:
        logger.warning(f"no split found that shows {len(best_missing)} classes in both halves: {best_missing}")
    return best


def _damage(video: int, in_val: bool, labels: Mapping, counts: Counter, totals: Counter, bound: set) -> int:
    """Bound classes that moving this video to the other half would take from its half, minus those it would give."""
    own = [label for label in labels[video] if label in bound]
    here = {label: counts[label] if in_val else totals[label] - counts[label] for label in own}
    return sum(n == 1 for n in here.values()) - sum(n == totals[label] for label, n in here.items())


def _video_labels(data: Mapping, stratify: Sequence[str]) -> dict[int, set[tuple]]:
    """Strata of each video: ("class", category id) and ("length", third of the videos by length)."""
    labels: dict[int, set[tuple]] = {video["id"]: set() for video in data["videos"]}
    if "class" in stratify:
        for annotation in data["annotations"]:
            labels[annotation["video_id"]].add(("class", annotation["category_id"]))
    if "length" in stratify:
        lengths = {video["id"]: len(video["file_names"]) for video in data["videos"]}
        edges = np.quantile(list(lengths.values()), [1 / 3, 2 / 3])
        for video_id, length in lengths.items():
            labels[video_id].add(("length", int(np.searchsorted(edges, length))))
    return labels


def _half(data: Mapping, ids: set[int], options: dict) -> dict:
    """The part of a json that concerns these videos; everything else stays as it is."""
    digest = video_ids_sha256(ids)
    info = data.get("info") if isinstance(data.get("info"), Mapping) else {}
    split = {**options, "video_ids": sorted(ids), "sha256": digest}
    return {
        **data,
        "info": {**info, "split": split, "video_ids_sha256": digest},
        "videos": [video for video in data["videos"] if video["id"] in ids],
        "annotations": [annotation for annotation in data["annotations"] if annotation["video_id"] in ids],
    }
