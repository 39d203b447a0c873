"""``TorchSerializedList``: a list of Python objects in one byte tensor."""

import logging
import pickle

import numpy as np
import torch

logger = logging.getLogger(__name__)


class TorchSerializedList:
    """A list that is kept pickled, item by item, in one uint8 tensor.

    Worker processes that fork share its memory; with a list of objects the reference counts alone would copy it.
    """

    def __init__(self, lst: list):
        pickled = [np.frombuffer(pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL), dtype=np.uint8) for item in lst]
        self._ends = torch.from_numpy(np.cumsum([len(item) for item in pickled], dtype=np.int64))
        self._bytes = torch.from_numpy(np.concatenate(pickled))
        logger.info("%d items are kept serialised in %.2f MiB.", len(lst), len(self._bytes) / 1024**2)

    def __len__(self):
        return len(self._ends)

    def __getitem__(self, idx):
        start = 0 if idx == 0 else int(self._ends[idx - 1])
        return pickle.loads(memoryview(self._bytes[start : int(self._ends[idx])].numpy()))
