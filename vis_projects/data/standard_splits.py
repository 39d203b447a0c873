"""The reference protocol: held-out halves of the labelled training files of YouTube-VIS and OVIS, by rule.

The official validation files have no annotations. So one tenth of each training file is held out, with a fixed rule,
seed and strata (see `split_choice`), and anyone who has the file gets the same videos. Name the two hashes when you
report numbers on it.
"""

import os
from dataclasses import dataclass

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import json_faults
from vis_projects.data.split import HALVES, STRATA, SplitHalf, write_halves
from vis_projects.data.ytvis_json import read_ytvis_json

VAL_FRACTION, SEED = 0.1, 0


@dataclass(frozen=True)
class StandardSplit:
    """A training file that has a reference split.

    Attributes:
        title: name of the data set.
        source: its json, below the folder of all data sets.
        images: folder of its frames, below the same.
        videos, categories: how many it has.
    """

    title: str
    source: str
    images: str
    videos: int
    categories: int

    def half(self, name: str) -> str:
        """Json of the half "train" or "val", below the folder of all data sets."""
        return f"{self.source.partition('/')[0]}/reference/{name}.json"


STANDARD_SPLITS = {
    "ytvis_2019": StandardSplit("YouTube-VIS 2019 train", "ytvis_2019/train.json", "ytvis_2019/train/JPEGImages",
                                2238, 40),
    "ytvis_2021": StandardSplit("YouTube-VIS 2021 train", "ytvis_2021/train/instances.json",
                                "ytvis_2021/train/JPEGImages", 2985, 40),
    "ovis": StandardSplit("OVIS train", "ovis/annotations_train.json", "ovis/train", 607, 25),
}


def split_standard(name: str, root: str) -> tuple[SplitHalf, SplitHalf]:
    """Writes the reference split of a data set, registered as `<name>_train_ref` and `<name>_val_ref`.

    Args:
        name: of `STANDARD_SPLITS`.
        root: folder of all data sets.

    Raises:
        ValueError: an unknown name.
        FileNotFoundError: the training file is not there.
        DatasetError: it is broken, or not the released one.
    """
    if name not in STANDARD_SPLITS:
        raise ValueError(f"no standard split {name!r}; there are {', '.join(STANDARD_SPLITS)}")
    split = STANDARD_SPLITS[name]
    source = os.path.join(root, split.source)
    data = read_ytvis_json(source, f"{name}_train")
    for fault in json_faults(data):
        raise DatasetError(f"{source}: {fault} `vis check-data` lists all faults of a file.")
    seen, known = (len(data["videos"]), len(data["categories"])), (split.videos, split.categories)
    if seen != known:
        raise DatasetError(
            f"{source} has {seen[0]} videos and {seen[1]} categories, {split.title} has {known[0]} and {known[1]}: "
            "this is another release or a part of it, and its split would not be the reference. Remedy: put the "
            f"released file there; `vis split {source}` makes a split of this one."
        )
    return write_halves(data, source, [os.path.join(root, split.half(half)) for half in HALVES], VAL_FRACTION, SEED,
                        STRATA, name=f"{name}_ref")
