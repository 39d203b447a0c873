"""What `vis check-data` does: lists faults with a count of each kind, for people and machines, and repairs a copy."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from vis_projects.data import DatasetError, Fault, check_dataset, dataset_notes, repair_dataset
from vis_projects.data.check import find_images
from vis_projects.engine.errors import DataError, last_line
from vis_projects.engine.progress import Progress


def list_faults(json_file: str, image_root: str | None = None) -> list[Fault]:
    """Faults of a data set with progress, see `check_dataset`.

    Raises:
        DataError: the file or the folder is not there.
    """
    _need(json_file, image_root)
    progress = _FrameProgress()
    faults = check_dataset(json_file, image_root, on_progress=progress.advance_to)
    progress.close()
    return faults


def fault_report(
    json_file: str, faults: Sequence[Fault], out: str | None = None, image_root: str | None = None
) -> str:
    """All faults, the notes and the number of each kind, as text.

    Args:
        json_file: the checked file.
        faults: of it.
        out: json to write with the faults, for machines: a list of objects with the fields of `Fault` and `fatal`.
        image_root: as of `check_dataset`, for the notes.

    Raises:
        DataError: the json is the checked file, or cannot be written.
    """
    if out is not None:
        _write_faults(out, json_file, faults)
    lines = [str(fault) for fault in faults]
    lines += [f"note: {note}" for note in dataset_notes(json_file, image_root)]
    if not faults:
        return "\n".join([*lines, f"{json_file}: no fault found"])
    counts = Counter((not fault.fatal, fault.kind) for fault in faults)
    fatal = sum(fault.fatal for fault in faults)
    lines.append(f"{json_file}: {len(faults)} faults, {fatal} of which keep it from being used:")
    lines += [f"  {count} x {kind} ({'can be used all the same' if usable else 'stops training'})"
              for (usable, kind), count in sorted(counts.items())]
    return "\n".join(lines)


def fix_data(json_file: str, out: str, image_root: str | None = None) -> tuple[str, list[Fault]]:
    """Writes a repaired copy, see `repair_dataset`, and checks it.

    Args:
        json_file: the json, which is not changed.
        out: json to write; it must not exist.
        image_root: as of `check_dataset`.

    Returns:
        the repairs as text, and the faults that are left.

    Raises:
        DataError: a file is missing or cannot be repaired, or `out` is there already.
    """
    _need(json_file, image_root)
    if Path(out).exists() and not Path(out).samefile(json_file):
        raise DataError(f"{out}: exists already; give another name, or remove it first")
    images = find_images(json_file, image_root)
    root = images.root if images else None
    try:
        repairs = repair_dataset(json_file, out, root)
    except (DatasetError, OSError) as error:
        raise DataError(last_line(error)) from error
    left = list_faults(out, root)
    lines = [f"repaired: {line}" for line in repairs]
    return "\n".join([*lines, f"{out}: {len(repairs)} repairs, {len(left)} faults are left"]), left


class _FrameProgress:
    """Progress over frames whose number is known when the json has been read."""

    def __init__(self) -> None:
        self._progress: Progress | None = None

    def advance_to(self, done: int, total: int) -> None:
        """Enters all frames up to this one."""
        if self._progress is None:
            self._progress = Progress(total, title="check-data")
        for _ in range(done - int(self._progress.done)):
            self._progress.advance()

    def close(self) -> None:
        """Ends it."""
        if self._progress is not None:
            self._progress.close()


def _need(json_file: str, image_root: str | None) -> None:
    if not Path(json_file).is_file():
        raise DataError(f"{json_file}: no such file")
    if image_root is not None and not Path(image_root).is_dir():
        raise DataError(f"{image_root}: no such folder; give the one that file_names in {json_file} are relative to")


def _write_faults(out: str, json_file: str, faults: Sequence[Fault]) -> None:
    path = Path(out)
    if path.exists() and path.samefile(json_file):
        raise DataError(f"{out}: is the file that was checked; give another name for the faults")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([{**asdict(fault), "fatal": fault.fatal} for fault in faults], indent=1) + "\n",
                        encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error})") from error
