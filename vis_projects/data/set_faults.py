"""What only a look at the whole set shows: frames that two videos share, and what is worth knowing."""

from collections.abc import Iterator, Mapping, Sequence

from vis_projects.data.faults import NOTE, WARNING, Fault, is_int

COMPLETED = ("bboxes", "areas", "iscrowd")  # fields of an annotation that we can do without


def shared_frames(videos: Sequence[Mapping]) -> Iterator[Fault]:
    """A frame file that a video lists twice, or two videos list; the first of each pair stands for the others.

    Args:
        videos: records whose own fields are sound.
    """
    owner: dict[str, tuple[int, int]] = {}
    for video in videos:
        pairs: dict[int, list[tuple[int, int]]] = {}
        for t, name in enumerate(video["file_names"]):
            other, at = owner.setdefault(name, (video["id"], t))
            if (other, at) != (video["id"], t):
                pairs.setdefault(other, []).append((t, at))
        for other, frames in pairs.items():
            t, at = frames[0]
            where = f"frame {at} of the same video" if other == video["id"] else f"frame {at} of video {other}"
            more = f" (and so are {len(frames) - 1} more)" if len(frames) > 1 else ""
            yield Fault(video["id"], f"file_names[{t}]", f"{video['file_names'][t]} is {where} as well{more}",
                        "drop the copy, or correct the name", kind="shared frames", level=WARNING)


def set_notes(data: Mapping) -> Iterator[Fault]:
    """What is as it may be, but might not be meant so.

    Args:
        data: a json without fatal faults in videos and categories.
    """
    ids = sorted(category["id"] for category in data["categories"])
    if ids != list(range(1, len(ids) + 1)):
        yield _note("categories", f"{len(ids)} ids from {ids[0]} to {ids[-1]}, not 1 to {len(ids)}",
                    "leave them: they are used as they are, and results must carry the same ids", "category ids")
    annotations = [a for a in data.get("annotations") or () if isinstance(a, Mapping)]
    if not annotations:
        yield _note("annotations", "there are none",
                    "leave it so in a set to predict on; training and scores need some", "no annotations")
        return
    used = {a.get("category_id") for a in annotations if is_int(a.get("category_id"))}
    unused = [category for category in data["categories"] if category["id"] not in used]
    if unused:
        names = ", ".join(f"{category['name']} ({category['id']})" for category in unused[:5])
        yield _note("categories", f"{len(unused)} have no object: {names}{', ...' if len(unused) > 5 else ''}",
                    "leave them, or drop them to train on fewer classes", "class without objects")
    seen = {a.get("video_id") for a in annotations if is_int(a.get("video_id"))}
    empty = [video["id"] for video in data["videos"] if video["id"] not in seen]
    if empty:
        yield _note("videos", f"{len(empty)} have no annotation, the first is {empty[0]}",
                    "leave them if they show no object", "video without objects")
    if any(a.get("id") == 0 for a in annotations):
        yield _note("annotations", "one has the id 0: the official evaluator takes a match with it for a miss",
                    "number annotations from 1 on", "annotation id 0")
    for key in COMPLETED:
        count = sum(a.get(key) is None for a in annotations)
        if count:
            yield _note(f"annotations[].{key}", f"is missing in {count} of {len(annotations)}",
                        "leave it out here; other programs need it", "optional field")
    count = sum(video.get("length") is None for video in data["videos"])
    if count:
        yield _note("videos[].length", f"is missing in {count} of {len(data['videos'])}",
                    "leave it out here; other programs need it", "optional field")


def _note(field: str, message: str, remedy: str, kind: str) -> Fault:
    return Fault(None, field, message, remedy, kind=kind, level=NOTE)
