"""Formats by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vis_projects.data.convert.coco import read_coco, write_coco
from vis_projects.data.convert.coco_images import read_coco_images
from vis_projects.data.convert.cvat import read_cvat
from vis_projects.data.convert.davis import read_davis, write_davis
from vis_projects.data.convert.labelme import read_labelme
from vis_projects.data.convert.mots_png import read_mots_png, write_mots_png
from vis_projects.data.convert.mots_txt import read_mots_txt, write_mots_txt
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.convert.ytvis import read_ytvis, write_ytvis

Reader = Callable[[str, ConvertOptions, ConvertNotes], dict]
Writer = Callable[[Mapping, str, ConvertOptions, ConvertNotes], None]


@dataclass(frozen=True)
class Target:
    """A format to write.

    Attributes:
        write: takes the YouTube-VIS dict and the path.
        is_folder: whether the path is a folder; otherwise it is a json file.
    """

    write: Writer
    is_folder: bool


READERS: dict[str, Reader] = {
    "cvat": read_cvat,
    "labelme": read_labelme,
    "coco": read_coco,
    "coco-images": read_coco_images,
    "mots-png": read_mots_png,
    "mots-txt": read_mots_txt,
    "davis": read_davis,
    "ytvis": read_ytvis,
}
TARGETS: dict[str, Target] = {
    "ytvis": Target(write_ytvis, is_folder=False),
    "coco": Target(write_coco, is_folder=False),
    "mots-png": Target(write_mots_png, is_folder=True),
    "mots-txt": Target(write_mots_txt, is_folder=True),
    "davis": Target(write_davis, is_folder=True),
}
