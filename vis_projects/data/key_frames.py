"""The training set as a list of key frames: an epoch takes each annotated frame once."""

from collections.abc import Mapping, Sequence

import numpy as np
from detectron2.data import DatasetFromList
from torch.utils.data import Dataset

from vis_projects.data.errors import DatasetError
from vis_projects.data.frame_annotations import valid_frames
from vis_projects.data.pseudo_video import is_image_record

EPOCH_UNITS = ("frame", "video")


class KeyFrameDataset(Dataset):
    """Items are video records with a `key_frame`, or image records.

    Every video is kept once, pickled, however many of its frames are key frames; the items are two integers each.

    Attributes:
        set_sizes: number of items that come from each source; items are in this order.
        wide: bool (N,), whether the frames of an item are wider than high.
    """

    def __init__(self, sources: Sequence[Sequence[Mapping]], *, epoch_unit: str = "frame", keep_empty: bool = False):
        """
        Args:
            sources: lists of video or image records.
            epoch_unit: "frame": each frame with objects is an item; "video": each video is one, its key frame drawn.
            keep_empty: whether frames and images without objects count too.

        Raises:
            DatasetError: if a record has no annotations, or no item is left.
            ValueError: for an unknown epoch unit.
        """
        if epoch_unit not in EPOCH_UNITS:
            raise ValueError(f"INPUT.VIDEO.EPOCH_UNIT is {epoch_unit!r}, known are {EPOCH_UNITS}")
        records, items, self.set_sizes = [], [], []
        for source in sources:
            before = len(items)
            for record in source:
                frames = _key_frames(record, keep_empty)
                if frames:
                    items += [(len(records), t) for t in (frames if epoch_unit == "frame" else [-1])]
                    records.append(record)
            self.set_sizes.append(len(items) - before)
        if not items:
            raise DatasetError("no frame of the training sets has an object. Remedy: check DATASETS.TRAIN, "
                               "DATASETS.CLASS_SUBSET and the annotations (`vis check-data`).")
        self._keep_empty = keep_empty
        self._items = np.array(items, dtype=np.int32)
        self.wide = np.array([record["width"] > record["height"] for record in records])[self._items[:, 0]]
        self._records = DatasetFromList(records, copy=False)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, key: int | tuple[int, Sequence[int]]) -> dict:
        """The record of an item.

        Args:
            key: index, or (index, seed of all random draws for this item), which comes back as `rng_seed`.
        """
        index, seed = key if isinstance(key, tuple) else (key, None)
        record_index, frame = self._items[index].tolist()
        record = dict(self._records[record_index])
        if seed is not None:
            record["rng_seed"] = list(seed)
        if not is_image_record(record):
            record["key_frame"] = frame if frame >= 0 else self._draw_key(record)
        return record

    def _draw_key(self, record: Mapping) -> int:
        # a stream of its own, so that the key frame does not shift the draws of the mapper
        seed = record.get("rng_seed")
        rng = np.random.default_rng(np.random.randint(0, 2**31) if seed is None else [*seed, 1])
        return int(rng.choice(_key_frames(record, self._keep_empty)))


def _key_frames(record: Mapping, keep_empty: bool) -> list[int]:
    """Frames of a record that may be key frames; [0] stands for an image."""
    if "annotations" not in record:
        owner = record.get("video_id", record.get("image_id"))
        raise DatasetError(f"video or image {owner} has no annotations. Remedy: train on a split with ground truth.")
    image = is_image_record(record)
    frames = [record["annotations"]] if image else record["annotations"]
    return list(range(len(frames))) if keep_empty else valid_frames(frames)
