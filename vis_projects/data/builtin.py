"""The known splits under `DETECTRON2_DATASETS`: YouTube-VIS 2019 and 2021, OVIS, reference splits, SynthVIS, COCO."""

import os

from detectron2.data import DatasetCatalog
from detectron2.data.datasets import register_coco_instances

from vis_projects.data.register import register_ytvis
from vis_projects.data.split import HALVES
from vis_projects.data.standard_splits import STANDARD_SPLITS

SPLITS = (("train", "train"), ("val", "valid"), ("test", "test"))
YOUTUBE_VIS = "Get it (registration) from https://youtube-vos.org/dataset/vis/ and unpack it there"
COCO = "Get it from https://cocodataset.org/#download and unpack it there"
OVIS = "Get it (registration) from https://songbai.site/ovis/ and unpack it there"


def datasets_root(root: str | None = None) -> str:
    """The folder of all data sets: the given one, else `DETECTRON2_DATASETS`, else `datasets`."""
    return os.path.expanduser(root or os.environ.get("DETECTRON2_DATASETS", "datasets"))


def builtin_splits(root: str) -> dict[str, tuple[str, str, str]]:
    """(json, image folder, how to get it) of each built-in split.

    Args:
        root: the folder of all data sets.
    """
    splits = {}
    for split, folder in SPLITS:
        splits[f"ytvis_2019_{split}"] = (f"ytvis_2019/{folder}.json", f"ytvis_2019/{folder}/JPEGImages", YOUTUBE_VIS)
        splits[f"ytvis_2021_{split}"] = (
            f"ytvis_2021/{folder}/instances.json", f"ytvis_2021/{folder}/JPEGImages", YOUTUBE_VIS)
        splits[f"ovis_{split}"] = (f"ovis/annotations_{folder}.json", f"ovis/{folder}", OVIS)
        for preset in ("tiny", "small", "full"):
            base = f"synthvis/{preset}/{split}"
            how = f"Make it with `vis synth --preset {preset} --seed 0 --out {os.path.join(root, 'synthvis', preset)}`"
            splits[f"synthvis_{preset}_{split}"] = (f"{base}/instances.json", f"{base}/JPEGImages", how)
    for name, standard in STANDARD_SPLITS.items():
        how = f"Make it with `vis split --standard {name} --root {root}` from {standard.source}"
        for half in HALVES:
            splits[f"{name}_{half}_ref"] = (standard.half(half), standard.images, how)
    return {
        name: (os.path.join(root, json_file), os.path.join(root, images), how)
        for name, (json_file, images, how) in splits.items()
    }


def coco_splits(root: str) -> dict[str, tuple[str, str, str]]:
    """(json, image folder, how to get it) of the splits of COCO 2017, images for pre-training and joint training."""
    return {
        f"coco_2017_{split}": (os.path.join(root, f"coco/annotations/instances_{split}2017.json"),
                               os.path.join(root, f"coco/{split}2017"), COCO)
        for split in ("train", "val")
    }


def register_builtin_splits(root: str | None = None) -> None:
    """Registers every built-in split; a name that another plugin has registered already is left to it.

    Args:
        root: folder of all data sets; None takes `DETECTRON2_DATASETS`, or `datasets` where that is not set.
    """
    root = datasets_root(root)
    taken = set(DatasetCatalog.list())
    for name, (json_file, images, how) in builtin_splits(root).items():
        if name not in taken:
            advice = (f"{how}, or set the environment variable DETECTRON2_DATASETS (now {root!r}) to the folder "
                      f"that holds {os.path.relpath(json_file, root)}.")
            register_ytvis(name, json_file, images, metadata={"how_to_get": advice})
    for name, (json_file, images, how) in coco_splits(root).items():
        if name not in taken:  # Detectron2 itself registers them, its subset does not
            register_coco_instances(name, {"how_to_get": how}, json_file, images)


register_builtin_splits()
