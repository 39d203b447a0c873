"""Names, numbers and sizes of frame files, and the error that names a place in a source."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from PIL import Image

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import Fault

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def source_error(path: str | os.PathLike, field: str, message: str, remedy: str) -> DatasetError:
    """A fault of a source: the file, the place in it, what is wrong with the value seen, and what to do."""
    return DatasetError(f"{path}: {Fault(None, field, message, remedy)}")


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts `frame2` before `frame10`."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"([0-9]+)", name) if piece]


def files_in(folder: str, suffixes: Sequence[str]) -> list[str]:
    """Names of the files in a folder with one of the suffixes (lower case), in natural order."""
    names = [entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")]
    return sorted((name for name in names if name.lower().endswith(tuple(suffixes))), key=natural_key)


def folders_in(folder: str) -> list[str]:
    """Names of the folders in a folder, in natural order."""
    names = [entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    return sorted(names, key=natural_key)


def stem_of(name: str) -> str:
    """File name without folder and suffix."""
    return os.path.splitext(os.path.basename(name))[0]


def base_name(folder: str) -> str:
    """Last component of a folder's path, also of `.` and of a path with a slash at its end."""
    return os.path.basename(os.path.abspath(folder))


def image_size(path: str) -> tuple[int, int]:
    """(height, width) of an image, from its header.

    Raises:
        DatasetError: the file is no image.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, SyntaxError) as error:  # PIL reports a broken png header as SyntaxError
        raise source_error(path, "image", f"cannot be decoded ({error})", "copy or download the file again") from error


def frame_numbers(file_names: Sequence[str]) -> list[int]:
    """The number at the end of each file's stem where these rise from frame to frame, otherwise 0, 1, 2, ...

    For example 0, 5, 10 for `v/00000.jpg`, `v/00005.jpg`, `v/00010.jpg`.
    """
    found = [re.search(r"([0-9]+)$", stem_of(name)) for name in file_names]
    numbers = [int(match.group(1)) for match in found if match]
    rising = all(a < b for a, b in zip(numbers, numbers[1:]))
    return numbers if len(numbers) == len(file_names) and rising else list(range(len(file_names)))


def frame_stems(file_names: Sequence[str]) -> list[str]:
    """Stem of each frame's file where they all differ, otherwise the number of the frame in six digits."""
    stems = [stem_of(name) for name in file_names]
    return stems if len(set(stems)) == len(stems) else [f"{t:06d}" for t in range(len(stems))]


def video_folders(videos: Sequence[Mapping]) -> dict[int, str]:
    """Name of each video by id: the folder that holds its frames, or `video_<id>` where that is not one of its own."""
    names = {video["id"]: _folder_of(video["file_names"]) for video in videos}
    counts = Counter(names.values())
    return {key: name if name and counts[name] == 1 else f"video_{key}" for key, name in names.items()}


def _folder_of(file_names: Sequence[str]) -> str | None:
    folders = {os.path.dirname(name) for name in file_names}
    name = os.path.basename(folders.pop()) if len(folders) == 1 else None
    return None if name in (None, "", ".", "..") else name
