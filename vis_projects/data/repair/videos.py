"""Repairs of videos: names of frames, height and width, length."""

import os
from collections.abc import Iterator, Mapping, Sequence

from vis_projects.data.faults import is_int, short
from vis_projects.data.image_check import SUFFIXES, ImageFolder
from vis_projects.data.repair.ids import as_int
from vis_projects.data.repair.log import RepairLog


def repair_video(video: Mapping, tracks: Sequence[Mapping], images: ImageFolder | None, log: RepairLog) -> Mapping:
    """One video with what can be told from its frames and masks.

    Args:
        video: its record.
        tracks: its annotations.
        images: where its frames are; None: nobody knows.
        log: takes the repairs.
    """
    video_id = video["id"]

    def change(**fields: object) -> Mapping:
        for key, value in fields.items():
            if value != video.get(key) or type(value) is not type(video[key]):
                log.add(key, f"{short(video.get(key))} became {short(value)}", video=video_id)
        return {**video, **fields}

    if isinstance(video.get("file_names"), str):
        video = change(file_names=[video["file_names"]])
    names = video.get("file_names")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        return video
    if images is not None:
        video = _rename(video, images, log)
    size = {key: as_int(video.get(key)) for key in ("height", "width")}
    if size != {key: video.get(key) for key in size} and None not in size.values():
        video = change(**{key: number for key, number in size.items() if not is_int(video.get(key))})
    seen = _true_size(video, tracks, images)
    if seen and seen != (video.get("height"), video.get("width")):
        video = change(height=seen[0], width=seen[1])
    lengths = {len(a["segmentations"]) for a in tracks if isinstance(a.get("segmentations"), list)}
    if video.get("length") != len(video["file_names"]) and lengths <= {len(video["file_names"])}:
        video = change(length=len(video["file_names"]))
    return video


def _rename(video: Mapping, images: ImageFolder, log: RepairLog) -> Mapping:
    """The video with names under which missing frames are there."""
    names, found = list(video["file_names"]), []
    taken = set(names)
    for t, name in enumerate(names):
        if images.look(name).problem != "missing":
            continue
        other = next((c for c in _other_names(name) if c not in taken and images.look(c).problem != "missing"), None)
        if other is not None:
            found.append((name, other))
            names[t] = other
            taken.add(other)
    if not found:
        return video
    log.add("file_names", f"{len(found)} frames are there under another name: {found[0][0]} became {found[0][1]}"
            + (", and so on" if len(found) > 1 else ""), video=video["id"])
    return {**video, "file_names": names}


def _other_names(name: str) -> Iterator[str]:
    """Other spellings: forward slashes, without leading folders as long as one is left, with another suffix."""
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    for first in range(max(1, len(parts) - 1)):
        spelling = "/".join(parts[first:])
        stem, suffix = os.path.splitext(spelling)
        yield spelling
        for other in sorted(SUFFIXES):
            yield from (stem + text for text in (other, other.upper()) if text != suffix)


def _true_size(video: Mapping, tracks: Sequence[Mapping], images: ImageFolder | None) -> tuple[int, int] | None:
    """(height, width) that all frames have, unless masks contradict; without frames, that which all RLEs have.

    Polygons do not tell the size of the frames that they were drawn on, except where height and width are swapped.
    """
    masks = [mask for a in tracks for mask in a.get("segmentations") or () if mask] if tracks else []
    rle_sizes = {tuple(m["size"]) for m in masks if isinstance(m, Mapping) and isinstance(m.get("size"), list)
                 and len(m["size"]) == 2 and all(map(is_int, m["size"]))}
    sizes = {images.look(name).size for name in video["file_names"]} if images is not None else set()
    sizes.discard(None)
    stated = (video.get("height"), video.get("width"))
    if len(sizes) == 1:
        size = next(iter(sizes))
        has_polygons = any(isinstance(mask, list) for mask in masks)
        is_free = not has_polygons or size == stated[::-1] or not all(map(is_int, stated))
        return size if (rle_sizes == {size} if rle_sizes else is_free) else None
    if not sizes and len(rle_sizes) == 1 and not (all(map(is_int, stated)) and min(stated) > 0):
        return next(iter(rle_sizes))
    return None
