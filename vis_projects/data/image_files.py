"""Reading frames, and finding out early which are missing."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from detectron2.data.detection_utils import read_image
from detectron2.utils.file_io import PathManager

from vis_projects.data.errors import DatasetError


def read_frame(path: str, image_format: str, *, video_id: object, size: tuple[int, int] | None = None) -> np.ndarray:
    """Decodes one frame.

    Args:
        path: image file.
        image_format: channel order, for example "BGR".
        video_id: for the error.
        size: (height, width) that the data set states, checked where given.

    Returns:
        uint8 (H, W, C).

    Raises:
        DatasetError: if the file is missing, cut off or no image, or has another size than stated.
    """
    try:
        image = read_image(path, format=image_format)
    except FileNotFoundError as error:
        raise DatasetError(
            f"video {video_id}: the frame {path} does not exist. Remedy: put the file there, or correct the image "
            "folder that the data set was registered with."
        ) from error
    except (OSError, SyntaxError) as error:  # what Pillow raises for truncated and unknown files
        raise DatasetError(
            f"video {video_id}: the frame {path} cannot be decoded ({error}). Remedy: the file is cut off or no image; "
            "copy or download it again."
        ) from error
    if size is not None and image.shape[:2] != tuple(size):
        raise DatasetError(
            f"video {video_id}: the frame {path} is {image.shape[0]} x {image.shape[1]} (height x width), the data set "
            f"says {size[0]} x {size[1]}. Remedy: correct height and width in the json, or use the frames that it was "
            "made for."
        )
    return image


def verify_images_exist(dicts: Sequence[Mapping], sample: int | None = None) -> None:
    """Raises for the first missing frame, so that training stops before its first iteration.

    Each folder is listed once, which is faster than asking for each file.

    Args:
        dicts: video records (`file_names`) or image records (`file_name`).
        sample: look at this many records only, evenly spread; None looks at all.

    Raises:
        DatasetError: naming the first missing file and how many are missing.
    """
    if sample is not None and 0 < sample < len(dicts):
        dicts = [dicts[i * len(dicts) // sample] for i in range(sample)]
    missing = missing_images(dicts)
    if missing:
        owner, path = missing[0]
        raise DatasetError(
            f"{owner}: the frame {path} does not exist ({len(missing)} of the checked files are missing). Remedy: put "
            "the images there, or correct the image folder that the data set was registered with."
        )


def missing_images(dicts: Sequence[Mapping]) -> list[tuple[str, str]]:
    """(owner, path) of each file that is not there; the owner is "video <id>" or "image <id>"."""
    listings: dict[str, set[str]] = {}
    missing = []
    for record in dicts:
        is_video = "file_names" in record
        owner = f"video {record['video_id']}" if is_video else f"image {record.get('image_id')}"
        for path in record["file_names"] if is_video else [record["file_name"]]:
            folder, name = os.path.split(path)
            if folder not in listings:
                listings[folder] = set(PathManager.ls(folder)) if PathManager.isdir(folder) else set()
            if name not in listings[folder]:
                missing.append((owner, path))
    return missing
