"""What a user can say about a conversion beyond source and target."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


def without_progress(items: Sequence[Any], title: str) -> Iterable[Any]:
    """Shows nothing."""
    return items


@dataclass(frozen=True)
class ConvertOptions:
    """Settings that readers and writers share; each uses those that concern its format.

    Attributes:
        images: folder with the frames, `<images>/<video>/<frame>`, or with the frames of a single video.
        videos: YouTube-VIS json, with or without annotations, whose videos (ids, sizes, names of the frames) the labels
            belong to.
        categories: json with the names of the classes, see `CategoryMap.from_file`.
        boxes_as_masks: take a box without a mask as a filled rectangle.
        keep_overlaps: leave overlapping masks as they are where the format could order them.
        progress: wraps a list of work and its title, and yields the items as they are worked on.
    """

    images: str | None = None
    videos: str | None = None
    categories: str | None = None
    boxes_as_masks: bool = False
    keep_overlaps: bool = False
    progress: Callable[[Sequence[Any], str], Iterable[Any]] = without_progress
