"""Writes `results.json` and the zip that evaluation servers take, one video in memory at a time."""

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

RESULTS_NAME = "results.json"
ZIP_NAME = "results.zip"


def write_results(folder: Path, videos: Iterable[Sequence[Mapping]]) -> tuple[Path, Path]:
    """Writes all records as one json list, and a zip with exactly that file at its root.

    Args:
        folder: where both go.
        videos: records of each video, in the order to write.

    Returns:
        paths of the json and of the zip.
    """
    results, archive = folder / RESULTS_NAME, folder / ZIP_NAME
    with results.open("w", encoding="utf-8") as file:
        file.write("[")
        separator = ""
        for records in videos:
            for record in records:
                file.write(separator + json.dumps(record, separators=(",", ":")))
                separator = ",\n"
        file.write("]\n")
    write_archive(results, archive)
    return results, archive


def write_archive(results: Path, archive: Path) -> None:
    """Zips a results file as `results.json` at the root, whatever its own name is."""
    part = archive.with_name(archive.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(results, RESULTS_NAME)
    part.replace(archive)
