"""Cuts a labelled json into a training and a validation json, reproducibly and with every class in both."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import json_faults
from vis_projects.data.split_choice import RULE, choose_validation
from vis_projects.data.ytvis_json import read_ytvis_json

STRATA = ("class", "length")
HALVES = ("train", "val")


@dataclass(frozen=True)
class SplitHalf:
    """One written half.

    Attributes:
        path: of its json.
        videos: number of videos.
        objects: number of annotations.
        sha256: of its video ids, see `video_ids_sha256`.
    """

    path: str
    videos: int
    objects: int
    sha256: str


def split_dataset(
    json_file: str,
    val_fraction: float = 0.1,
    seed: int = 0,
    stratify: Sequence[str] = STRATA,
    out_dir: str | None = None,
) -> tuple[str, str]:
    """Writes `<name>_train.json` and `<name>_val.json`.

    Whole videos go to one half, and videos that list a frame file in common to the same one. Every class that two or
    more videos show is in both halves where such a split exists; for that the validation half may get more than its
    fraction. The same seed gives the same bytes on every machine, see `split_choice`. `info.split` of both files
    records the source, the options, the ids of the videos and `sha256`, the hash of these ids as compact json;
    `info.video_ids_sha256` repeats that hash.

    Args:
        json_file: labelled YouTube-VIS json with two videos or more.
        val_fraction: part of the videos that goes to validation, between 0 and 1.
        seed: of all draws.
        stratify: shares to keep alike in both halves: "class", "length" (short, middle and long videos), or both.
        out_dir: folder of the two files, None is the folder of the source.

    Returns:
        paths of the training and the validation json.

    Raises:
        FileNotFoundError: if the json is not there.
        ValueError: for a fraction outside (0, 1) or unknown strata.
        DatasetError: if the json is broken, unlabelled or has fewer than two videos.
    """
    train, val = write_split(json_file, val_fraction, seed, stratify, out_dir)
    return train.path, val.path


def write_split(
    json_file: str,
    val_fraction: float = 0.1,
    seed: int = 0,
    stratify: Sequence[str] = STRATA,
    out_dir: str | None = None,
) -> tuple[SplitHalf, SplitHalf]:
    """`split_dataset`, and what it wrote."""
    if not 0 < val_fraction < 1:
        raise ValueError(f"val_fraction is {val_fraction}; it must lie between 0 and 1")
    if set(stratify) - set(STRATA):
        raise ValueError(f"stratify is {','.join(stratify)}; known are {','.join(STRATA)}")
    data = read_ytvis_json(json_file)
    for fault in json_faults(data):
        raise DatasetError(f"{json_file}: {fault} `vis check-data` lists all faults of a file.")
    out_dir = os.path.dirname(os.path.abspath(json_file)) if out_dir is None else out_dir
    stem = os.path.splitext(os.path.basename(json_file))[0]
    paths = [os.path.join(out_dir, f"{stem}_{half}.json") for half in HALVES]
    return write_halves(data, json_file, paths, val_fraction, seed, stratify)


def write_halves(
    data: Mapping, json_file: str, paths: Sequence[str], val_fraction: float, seed: int, stratify: Sequence[str],
    **recorded: str,
) -> tuple[SplitHalf, SplitHalf]:
    """Splits a sound json into two files.

    Args:
        data: the parsed json.
        json_file: where it came from.
        paths: of the training and the validation json.
        val_fraction, seed, stratify: as of `split_dataset`.
        recorded: further entries of `info.split`.

    Raises:
        DatasetError: without annotations, or with fewer than two videos.
    """
    if not data.get("annotations") or len(data["videos"]) < 2:
        raise DatasetError(f"{json_file} has {len(data['videos'])} videos and {len(data.get('annotations') or ())} "
                           "annotations. Remedy: split a labelled file with two videos or more.")
    leader = _leaders(data["videos"])
    if len(set(leader.values())) < 2:
        raise DatasetError(f"{json_file}: all {len(leader)} videos have frame files in common. Remedy: cut the file "
                           "into videos that share none.")
    labels: dict[int, set] = {video: set() for video in leader.values()}
    for video, own in _video_labels(data).items():
        labels[leader[video]] |= own
    balance = [*stratify, *(["empty"] if "class" in stratify else [])]
    chosen = choose_validation(labels, val_fraction, seed, balance=balance, sizes=Counter(leader.values()))
    val_ids = {video for video in leader if leader[video] in chosen}
    options = {"source": os.path.basename(json_file), **recorded, "rule": RULE, "seed": seed,
               "val_fraction": val_fraction, "stratify": list(stratify)}
    train, val = (_write_half(path, data, ids, {**options, "half": half})
                  for path, half, ids in zip(paths, HALVES, (set(leader) - val_ids, val_ids)))
    return train, val


def video_ids_sha256(video_ids: Collection[int]) -> str:
    """SHA-256 of the sorted ids as compact json, for example of `[1,2,5]`."""
    return hashlib.sha256(json.dumps(sorted(video_ids), separators=(",", ":")).encode()).hexdigest()


def _leaders(videos: Sequence[Mapping]) -> dict[int, int]:
    """Video id -> the smallest id of those that it shares frame files with, directly or through others."""
    leader = {video["id"]: video["id"] for video in videos}

    def find(video: int) -> int:
        while leader[video] != video:
            video = leader[video]
        return video

    owner: dict[str, int] = {}
    for video in videos:
        for name in video["file_names"]:
            one, other = find(video["id"]), find(owner.setdefault(name, video["id"]))
            leader[max(one, other)] = min(one, other)
    return {video: find(video) for video in leader}


def _video_labels(data: Mapping) -> dict[int, set[tuple]]:
    """Strata of each video: ("class", category id), ("empty", 0) without any, ("length", third of the videos)."""
    labels: dict[int, set[tuple]] = {video["id"]: set() for video in data["videos"]}
    for annotation in data["annotations"]:
        labels[annotation["video_id"]].add(("class", annotation["category_id"]))
    lengths = {video["id"]: len(video["file_names"]) for video in data["videos"]}
    rising, count = sorted(lengths.values()), len(lengths)
    # the longest video of the first and of the second third; equal lengths are in one stratum
    edges = [rising[(part * count + 2) // 3 - 1] for part in (1, 2)]
    for video_id, length in lengths.items():
        if not labels[video_id]:
            labels[video_id].add(("empty", 0))
        labels[video_id].add(("length", sum(length > edge for edge in edges)))
    return labels


def _write_half(path: str, data: Mapping, ids: set[int], options: Mapping) -> SplitHalf:
    """The part of a json that concerns these videos; everything else stays as it is."""
    digest = video_ids_sha256(ids)
    info = data.get("info") if isinstance(data.get("info"), Mapping) else {}
    half = {
        **data,
        "info": {**info, "split": {**options, "video_ids": sorted(ids), "sha256": digest}, "video_ids_sha256": digest},
        "videos": [video for video in data["videos"] if video["id"] in ids],
        "annotations": [annotation for annotation in data["annotations"] if annotation["video_id"] in ids],
    }
    write_json(path, half)
    return SplitHalf(path, len(half["videos"]), len(half["annotations"]), digest)


def write_json(path: str, data: object) -> None:
    """Writes compact json; a file of that name is there whole, or as it was before."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f"{path}.part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(json.dumps(data, separators=(",", ":")))
    os.replace(part, path)
