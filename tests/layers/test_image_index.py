import pytest
import torch

from vis_projects.layers.image_index import check_entries, check_image_index

MAPS = torch.zeros(3, 2)


def check(image_index, shared=MAPS, count=4):
    check_image_index("op", image_index, shared, "search", "map", count, "templates")


def test_what_fits():
    check(None, MAPS[:1])
    check(None, MAPS, count=3)
    check(None, MAPS[:1], count=0)
    check(torch.tensor([0, 2, 2, 1]))
    check(torch.zeros(0, dtype=torch.int64), count=0)


@pytest.mark.parametrize("image_index, message", [
    (None, "op: search must have 1 map or one for each of the 4 templates, got 3; give image_index"),
    (torch.tensor([0, 1]), r"int64 with one entry for each of the 4 templates, got torch.int64 \(2,\)"),
    (torch.zeros(4), r"must be int64 .* got torch.float32 \(4,\)"),
    (torch.zeros(4, dtype=torch.int64, device="meta"), "image_index is on meta, search on cpu; move one of them"),
])
def test_what_does_not_fit_is_named(image_index, message):
    with pytest.raises(ValueError, match=message):
        check(image_index)


@pytest.mark.parametrize("entry", [-1, 3])
def test_entries_outside_are_named(entry):
    check_entries("op", torch.tensor([0, 2]), 3, "search maps")
    check_entries("op", torch.zeros(0, dtype=torch.int64), 3, "search maps")
    with pytest.raises(RuntimeError, match=f"op: image_index has {entry}, but there are 3 search maps"):
        check_entries("op", torch.tensor([0, entry]), 3, "search maps")
