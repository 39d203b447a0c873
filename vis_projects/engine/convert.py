"""What `vis convert` does: guesses the format, reads, writes whole or not at all, checks, reports."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vis_projects.data import check_dataset
from vis_projects.data.convert import READERS, TARGETS, ConvertNotes, ConvertOptions, guess_format
from vis_projects.engine.errors import DataError, last_line
from vis_projects.engine.progress import Progress

SOURCE_FORMATS, TARGET_FORMATS = tuple(READERS), tuple(TARGETS)
COMPLETE = ("coco", "coco-images", "ytvis")  # sources that say all about their videos and classes


def convert_labels(
    source: str,
    out: str,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    images: str | None = None,
    videos: str | None = None,
    categories: str | None = None,
    boxes_as_masks: bool = False,
    keep_overlaps: bool = False,
) -> str:
    """Converts labels of one format into another.

    Args:
        source: file or folder.
        out: file or folder to write; it must not exist.
        source_format: one of `SOURCE_FORMATS`; None guesses.
        target_format: one of `TARGET_FORMATS`; None takes "ytvis".
        images, videos, categories, boxes_as_masks, keep_overlaps: see `ConvertOptions`.

    Returns:
        a report: formats, counts, what was assumed, and what was left out.

    Raises:
        DataError: a fault of the source, or something that the target cannot hold; nothing is written then.
    """
    options = ConvertOptions(images, videos, categories, boxes_as_masks, keep_overlaps, _with_progress)
    notes = ConvertNotes()
    if os.path.lexists(out):
        raise DataError(f"{out}: exists already; give another name, or remove it first")
    try:
        source_format, origin = _format_of(source, source_format)
        target_format = target_format or "ytvis"
        if source_format == target_format:
            raise DataError(f"{source}: is {source_format} already; choose the target with --to "
                            f"({', '.join(name for name in TARGET_FORMATS if name != source_format)})")
        for name, value in (("--videos", videos), ("--categories", categories)):
            if value and source_format in COMPLETE:
                raise DataError(f"{name} {value}: {source_format} has its own; leave the option out")
        data = READERS[source_format](source, options, notes)
        _write(data, out, target_format, options, notes)
    except (ValueError, OSError) as error:
        raise DataError(last_line(error)) from error
    return "\n".join([
        f"source: {source} ({source_format}{origin})",
        f"written: {out} ({target_format}): {_counts(data)}",
        *([f"images: file_names are relative to {notes.image_root}"] if notes.image_root else ()),
        *notes.lines(),
    ])


def _format_of(source: str, given: str | None) -> tuple[str, str]:
    """Format and what it was guessed by, if it was."""
    if given is None:
        guessed, reason = guess_format(source)
        return guessed, f", guessed from {reason}"
    if not os.path.exists(source):
        raise DataError(f"{source}: no such file or folder")
    return given, ""


def _write(data: dict, out: str, target_format: str, options: ConvertOptions, notes: ConvertNotes) -> None:
    """Writes beside the target first, checks a YouTube-VIS json there, and renames."""
    target, path = TARGETS[target_format], Path(out)
    if not target.is_folder and path.suffix.lower() != ".json":
        raise DataError(f"{out}: {target_format} is written as one file; give a name that ends in .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        written = os.path.join(draft, path.name)
        target.write(data, written, options, notes)
        if target_format == "ytvis":
            _check(written, out, notes)
        os.replace(written, out)
    finally:
        shutil.rmtree(draft)


def _check(written: str, out: str, notes: ConvertNotes) -> None:
    beside = Path(out).absolute().parent / "JPEGImages"  # where vis check-data looks for the frames by itself
    found = check_dataset(written, notes.image_root or (str(beside) if beside.is_dir() else None))
    faults = [fault for fault in found if fault.fatal]
    if faults:
        more = f" ({len(faults)} faults in all)" if len(faults) > 1 else ""
        raise DataError(f"{out}: not written, it would have this fault{more}: {faults[0]}")
    for fault in found:  # for example frames that two videos of the source share
        notes.assume(str(fault))


class _ItemProgress(Progress):
    """Progress over work that is not counted in frames."""

    def line(self) -> str:
        """As for frames, with the unit's name in the rate."""
        return super().line().replace(" frames/s", f" {self.unit}s/s")


def _with_progress(items: Sequence[Any], title: str) -> Iterator[Any]:
    progress = _ItemProgress(len(items), title=title, unit="item")
    for item in items:
        yield item
        progress.advance()
    progress.close()


def _counts(data: dict) -> str:
    frames = sum(len(video["file_names"]) for video in data["videos"])
    masks = sum(mask is not None for annotation in data["annotations"] for mask in annotation["segmentations"])
    return (f"{len(data['videos'])} videos, {frames} frames, {len(data['annotations'])} objects, {masks} masks, "
            f"{len(data['categories'])} categories")
