"""Finds what an evaluation server would refuse, or score otherwise than meant, in a results file."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vis_projects.evaluation.errors import EvaluationInputError, shorten
from vis_projects.evaluation.ground_truth import read_json
from vis_projects.layers import rle_area
from vis_projects.layers.rle_reference import read_runs

MAX_TRACKS = 100  # of one video and category; a server leaves out the weaker ones


@dataclass(frozen=True)
class ResultFault:
    """One thing that is wrong in a results file.

    Attributes:
        entry: index in the list, None where the fault concerns none.
        video: video_id of the entry or of the fault, None where it has none.
        field: for example `segmentations[2].counts`.
        message: what is wrong, with the value seen.
        remedy: what to change.
        fatal: False where a server takes the file all the same.
    """

    entry: int | None
    video: object
    field: str
    message: str
    remedy: str
    fatal: bool = True

    def __str__(self) -> str:
        places = [f"entry {self.entry}"] if self.entry is not None else []
        places += [f"video {self.video}"] if self.video is not None else []
        return f"{', '.join([*places, self.field])}: {self.message}. Remedy: {self.remedy}."


def check_results(results: str | Path | Sequence[Mapping], gt: str | Path | Mapping) -> list[ResultFault]:
    """All faults of a results list; at most one for each field of an entry.

    Args:
        results: path or parsed list.
        gt: path or parsed json of the split; it needs no annotations.

    Raises:
        EvaluationInputError: a file is missing or no json, or `gt` is no YouTube-VIS json.
    """
    split, where = read_json(gt, "ground truth")
    videos, categories = _videos(split, where), _categories(split, where)
    data, _ = read_json(results, "results")
    if not isinstance(data, list):
        return [ResultFault(None, None, "file", f"it holds {shorten(data)}", "write a list with one entry per track")]
    faults = [fault for k, entry in enumerate(data) for fault in _entry_faults(k, entry, videos, categories)]
    if not data:
        faults.append(ResultFault(None, None, "file", "it has no track at all",
                                  "write at least one track; servers fail on an empty list"))
    return faults + list(_set_faults(data, videos))


def _entry_faults(index: int, entry: object, videos: Mapping, categories: set) -> Iterator[ResultFault]:
    if not isinstance(entry, Mapping):
        yield ResultFault(index, None, "entry", f"it is {shorten(entry)}", "write an object per track")
        return
    video, category, score = entry.get("video_id"), entry.get("category_id"), entry.get("score")
    known = type(video) is int and video in videos
    if not known:
        yield ResultFault(index, video, "video_id", f"{shorten(video)} is no video of the split ({len(videos)} videos)",
                          "write the integer id of the json of the split; results of another split are refused whole")
    if type(category) is not int or category not in categories:
        yield ResultFault(index, video, "category_id",
                          f"{shorten(category)} ({type(category).__name__}) is no category of the split",
                          f"write the integer id of the json, one of {shorten(sorted(categories))}")
    if type(score) not in (int, float) or not math.isfinite(score):
        yield ResultFault(index, video, "score", f"it is {shorten(score)}", "write a finite number")
    masks = entry.get("segmentations")
    if not isinstance(masks, list):
        yield ResultFault(index, video, "segmentations", f"it is {shorten(masks)}",
                          "write a list with one entry per frame, null where the object is absent")
    elif known:
        yield from _mask_faults(index, entry, videos[video])


def _mask_faults(index: int, entry: Mapping, video: tuple[int, int, int]) -> Iterator[ResultFault]:
    """Faults of the masks; the first bad frame stands for the others."""
    (height, width, length), masks, video_id = video, entry["segmentations"], entry["video_id"]
    if len(masks) != length:
        yield ResultFault(index, video_id, "segmentations", f"it has {len(masks)} entries, the video {length} frames",
                          "write one entry per frame, null where the object is absent")
    frames = [t for t, mask in enumerate(masks) if mask is not None]
    for t in frames:
        fault = _form_fault(masks[t], height, width)
        if fault:
            field, message, remedy = fault
            yield ResultFault(index, video_id, f"segmentations[{t}]{field}", message, remedy)
            return
    try:
        rle_area([masks[t] for t in frames])
    except ValueError:
        t, reason = next((t, reason) for t in frames if (reason := _runs_fault(masks[t]["counts"], height * width)))
        yield ResultFault(index, video_id, f"segmentations[{t}].counts", f"{shorten(masks[t]['counts'])} {reason}",
                          "write what pycocotools.mask.encode gives for a mask of the frame's size, decoded to ascii")
        return
    if not frames:
        yield ResultFault(index, video_id, "segmentations", "the track is absent in every frame", "drop the entry",
                          fatal=False)


def _form_fault(mask: object, height: int, width: int) -> tuple[str, str, str] | None:
    """(sub-field, message, remedy) where one entry of segmentations has not the form of an RLE of the frame's size."""
    if not isinstance(mask, Mapping):
        return "", f"it is {shorten(mask)}", (
            "write a compressed RLE, or null where the object is absent; servers read no polygons")
    size, counts = mask.get("size"), mask.get("counts")
    if not isinstance(size, list) or [type(s) for s in size] != [int, int] or size != [height, width]:
        return ".size", f"it is {shorten(size)}, the frames of the video are [{height}, {width}] (height, width)", (
            "write masks at the size of the original frames")
    if isinstance(counts, list):
        return ".counts", "it is a list of run lengths", "compress it: pycocotools.mask.frPyObjects, decoded to ascii"
    if isinstance(counts, str) and counts[:2] in ("b'", 'b"'):
        return ".counts", f"{shorten(counts)} is what str() makes of bytes", "write text: counts.decode('ascii')"
    if not isinstance(counts, str) or not counts.isascii():
        return ".counts", f"it is {shorten(counts)} ({type(counts).__name__})", "write text: counts.decode('ascii')"
    return None


def _runs_fault(counts: str, pixels: int) -> str | None:
    """What is wrong with the runs of a mask of a frame of so many pixels."""
    try:
        runs = read_runs(counts)
    except ValueError:
        return "is no compressed RLE text"
    if runs.min(initial=0) < 0:
        return "has a negative run"
    return None if runs.sum() == pixels else f"covers {runs.sum()} pixels, the frame has {pixels}"


def _set_faults(data: list, videos: Mapping) -> Iterator[ResultFault]:
    """What only the whole list shows; servers take such files."""
    entries = [entry for entry in data if isinstance(entry, Mapping)]
    with_result = {entry.get("video_id") for entry in entries if isinstance(entry.get("video_id"), int)}
    missing = [video for video in videos if video not in with_result]
    if missing and data:
        yield ResultFault(None, None, "file",
                          f"{len(missing)} of {len(videos)} videos have no track, the first is {missing[0]}",
                          "leave it so if the model found nothing; otherwise the run was cut off", fatal=False)
    cells = Counter((entry.get("video_id"), entry.get("category_id")) for entry in entries
                    if isinstance(entry.get("video_id"), int) and isinstance(entry.get("category_id"), int))
    for (video, category), count in cells.items():
        if count > MAX_TRACKS:
            yield ResultFault(None, video, "file", f"{count} tracks of category {category}",
                              f"keep the best {MAX_TRACKS}; servers leave out the others", fatal=False)


def _videos(split: object, where: str) -> dict[int, tuple[int, int, int]]:
    """id -> (height, width, length)."""
    listed = split.get("videos") if isinstance(split, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise EvaluationInputError(f"{where}: videos is {shorten(listed)}; give the json of the split with its videos")
    try:
        return {v["id"]: (v["height"], v["width"], len(v["file_names"]) if "file_names" in v else v["length"])
                for v in listed}
    except (KeyError, TypeError) as error:
        message = f"{where}: a video lacks {error}; `vis check-data {where}` lists all faults"
        raise EvaluationInputError(message) from error


def _categories(split: Mapping, where: str) -> set[int]:
    listed = split.get("categories")
    if not isinstance(listed, list) or not all(isinstance(c, Mapping) and "id" in c for c in listed):
        raise EvaluationInputError(f"{where}: categories is {shorten(listed)}; give a list of objects with an id each")
    return {category["id"] for category in listed}
