"""Which frames are missing, cut off or of another size than the json says, and which image files no video lists."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from PIL import Image

from vis_projects.data.faults import NOTE, Fault

# what the file ends with when it is whole; other formats are decoded to find out
END_MARKS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
END_BYTES = 64
SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
ORIENTATION, TURNED = 0x0112, frozenset((5, 6, 7, 8))  # EXIF tag, and the values that swap height and width


@dataclass(frozen=True)
class ImageLook:
    """What a look at an image file showed.

    Attributes:
        size: (height, width) as it is read, EXIF orientation applied; None where it cannot be.
        problem: "missing", "broken" with the reason, or "".
    """

    size: tuple[int, int] | None
    problem: str = ""


class ImageFolder:
    """The image files of a data set; each is looked at once."""

    def __init__(self, root: str) -> None:
        """
        Args:
            root: folder that `file_names` are relative to.
        """
        self.root = root
        self._looks: dict[str, ImageLook] = {}

    def path(self, name: str) -> str:
        """Where a frame is."""
        return os.path.join(self.root, name)

    def look(self, name: str) -> ImageLook:
        """Size and soundness of a frame, without decoding it where its end shows that it is whole."""
        path = self.path(name)
        if path not in self._looks:
            self._looks[path] = _look(path)
        return self._looks[path]

    def files(self) -> Iterator[str]:
        """Names of all image files below the root, folder by folder."""
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            for name in sorted(names):
                if os.path.splitext(name)[1].lower() in SUFFIXES:
                    yield os.path.normpath(os.path.relpath(os.path.join(folder, name), self.root))


def image_faults(video: Mapping, images: ImageFolder) -> list[Fault]:
    """Faults of the frames of a sound video record; of each kind, the first frame stands for the others."""
    found: dict[str, list[tuple[int, str]]] = {}
    for t, name in enumerate(video["file_names"]):
        look = images.look(name)
        if look.problem == "missing":
            found.setdefault("missing", []).append((t, "does not exist"))
        elif look.problem:
            found.setdefault("broken", []).append((t, f"cannot be decoded ({look.problem})"))
        elif look.size != (video["height"], video["width"]):
            height, width = look.size
            found.setdefault("size", []).append((t, f"is {height} x {width} (height x width), the video says "
                                                    f"{video['height']} x {video['width']}"))
    remedies = {
        "missing": ("image missing", "put the frame there or correct its name"),
        "broken": ("image broken", "copy or download it again"),
        "size": ("image size", "correct height and width of the video, or use the frames that the json was made for"),
    }
    faults = []
    for key, frames in found.items():
        kind, remedy = remedies[key]
        t, message = frames[0]
        more = f" (as {len(frames) - 1} more frames of the video)" if len(frames) > 1 else ""
        path = images.path(video["file_names"][t])
        faults.append(Fault(video["id"], f"file_names[{t}]", f"{path} {message}{more}", remedy, kind=kind))
    return faults


def unused_images(videos: Iterable[Mapping], images: ImageFolder) -> list[Fault]:
    """One note where image files belong to no video."""
    listed = {os.path.normpath(name) for video in videos for name in video["file_names"]}
    files = list(images.files())
    unused = [name for name in files if name not in listed]
    if not unused:
        return []
    return [Fault(None, "file_names", f"{len(unused)} of {len(files)} image files in {images.root} are listed by no "
                  f"video, the first is {unused[0]}", "add them to a video, or leave them", kind="unused images",
                  level=NOTE)]


def _look(path: str) -> ImageLook:
    if not os.path.isfile(path):
        return ImageLook(None, "missing")
    try:
        with Image.open(path) as image:
            width, height = image.size
            if not _is_whole(path, image.format):
                image.load()
            turned = image.getexif().get(ORIENTATION) in TURNED
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return ImageLook(None, str(error) or type(error).__name__)
    return ImageLook((width, height) if turned else (height, width))


def _is_whole(path: str, image_format: str | None) -> bool:
    mark = END_MARKS.get(image_format or "")
    if mark is None:
        return False
    with open(path, "rb") as file:
        file.seek(-min(END_BYTES, os.path.getsize(path)), os.SEEK_END)
        return mark in file.read()
