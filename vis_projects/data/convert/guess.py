"""Which format a source has, from its file names and the first of its files."""

import os
from collections.abc import Mapping

from PIL import Image

from vis_projects.data.convert.coco import TRACK_KEYS
from vis_projects.data.convert.cvat import XML_NAME
from vis_projects.data.convert.files import files_in, folders_in, source_error
from vis_projects.data.convert.mots import VIDEOS_FILE
from vis_projects.data.convert.mots_png import FOLDER as PNG_FOLDER
from vis_projects.data.convert.mots_png import MODES as MOTS_MODES
from vis_projects.data.convert.mots_txt import FOLDER as TXT_FOLDER
from vis_projects.data.ytvis_json import read_ytvis_json


def guess_format(source: str) -> tuple[str, str]:
    """(format, what it was seen by).

    Raises:
        DatasetError: the source is not there, could be several formats, or none.
    """
    if os.path.isdir(source):
        return _guess_folder(source)
    if not os.path.isfile(source):
        raise source_error(source, "source", "does not exist", "correct the path")
    suffix = os.path.splitext(source)[1].lower()
    if suffix == ".xml":
        return "cvat", "the suffix .xml"
    if suffix == ".txt":
        return "mots-txt", "the suffix .txt"
    if suffix == ".json":
        return _guess_json(source)
    if suffix == ".zip":
        raise source_error(source, "source", "is a zip file", "unpack it and give the folder")
    raise source_error(source, "source", f"the suffix {suffix!r} is none of .json, .xml and .txt",
                       "name the format with --from")


def _guess_json(source: str) -> tuple[str, str]:
    data = read_ytvis_json(source)
    data = data if isinstance(data, Mapping) else {}
    videos, annotations = data.get("videos"), data.get("annotations")
    if isinstance(data.get("images"), list):
        tracked = isinstance(annotations, list) and any(
            key in annotation for annotation in annotations if isinstance(annotation, Mapping) for key in TRACK_KEYS)
        return ("coco", "annotations with track ids") if tracked else ("coco-images", "images without track ids")
    if isinstance(videos, list) and any(isinstance(video, Mapping) and "file_names" in video for video in videos):
        return "ytvis", "videos with file_names"
    if "shapes" in data:
        raise source_error(source, "shapes", "this is labelme's file of one frame", "give the folder that holds it")
    raise source_error(source, "json", "has neither videos with file_names nor images", "name the format with --from")


def _guess_folder(source: str) -> tuple[str, str]:
    """The formats whose files the folder or a folder in it holds; more than one is an error."""
    found: dict[str, str] = {}
    if os.path.isfile(os.path.join(source, XML_NAME)):
        found["cvat"] = XML_NAME
    for folder in (source, *(os.path.join(source, name) for name in folders_in(source))):
        below = [os.path.join(folder, name) for name in folders_in(folder)]
        own_png = os.path.basename(folder) == PNG_FOLDER
        for place in (folder, *(below if own_png else ())):
            for png in files_in(place, (".png",))[:1]:
                kind = _guess_png(os.path.join(place, png))
                if kind:
                    found.setdefault(kind, os.path.join(place, png))
        texts = files_in(folder, (".txt",))
        if texts and (folder == source or os.path.basename(folder) == TXT_FOLDER):
            found.setdefault("mots-txt", os.path.join(folder, texts[0]))
        for name in files_in(folder, (".json",)):
            if name != VIDEOS_FILE and "labelme" not in found and _is_labelme(os.path.join(folder, name)):
                found["labelme"] = os.path.join(folder, name)
    if "labelme" in found:
        found.pop("davis", None)  # the png are the frames
    if len(found) != 1:
        seen = "; ".join(f"{kind} by {file}" for kind, file in found.items()) or "no file of a known format"
        raise source_error(source, "folder", f"the format is not clear: {seen}", "name it with --from")
    return next(iter(found.items()))


def _guess_png(path: str) -> str | None:
    """Format of a label map, None where it is a picture or broken."""
    try:
        with Image.open(path) as image:
            return "mots-png" if image.mode in MOTS_MODES else "davis" if image.mode in ("P", "L") else None
    except (OSError, SyntaxError):
        return None


def _is_labelme(path: str) -> bool:
    data = read_ytvis_json(path)
    return isinstance(data, Mapping) and "shapes" in data
