import numpy as np
import pytest
import torch

from vis_projects.layers.rle_table import ABSENT, COUNTS, MAX_PIXELS, TEXT, pack_masks


def test_nothing():
    table = pack_masks([])
    assert table.rows.shape == (0, 5) and table.buffer.shape == (0,)


def test_every_notation_has_its_row():
    table = pack_masks([{"size": [2, 2], "counts": "04"}, None, {"size": [3, 1], "counts": [1, 2]},
                        {"size": [2, 3], "counts": b"6"}, {}])
    absent = [ABSENT, 0, 0, 0, 0]
    assert table.rows.tolist() == [[TEXT, 2, 2, 0, 2], absent, [COUNTS, 3, 1, 2, 10], [TEXT, 2, 3, 10, 11], absent]
    content = table.buffer.numpy().tobytes()
    assert content == b"04" + np.array([1, 2], dtype=np.uint32).tobytes() + b"6"
    assert table.buffer.dtype == torch.uint8 and table.rows.dtype == torch.int64


@pytest.mark.parametrize("rle", [
    {"size": [2, 2]},
    {"counts": "04"},
    {"size": [2], "counts": "04"},
    {"size": [2, 2, 1], "counts": "04"},
    {"size": 4, "counts": "04"},
    {"size": [2.0, 2], "counts": "04"},
    {"size": [True, 4], "counts": "04"},
    {"size": [-2, -2], "counts": "04"},
    {"size": [1, MAX_PIXELS + 1], "counts": "0"},
    {"size": [2, 2], "counts": "0ä"},
    {"size": [2, 2], "counts": None},
    {"size": [2, 2], "counts": 4},
    {"size": [2, 2], "counts": [0.5, 3.5]},
    {"size": [2, 2], "counts": [True, 3]},
    {"size": [2, 2], "counts": [2**70]},
    {"size": [2, 2], "counts": [5, -1]},
    {"size": [2, 2], "counts": ["0", "4"]},
    [[0, 0, 1, 0, 1, 1]],
    7,
], ids=repr)
def test_what_is_not_plain_is_not_packed(rle):
    assert pack_masks([None, rle]) is None
