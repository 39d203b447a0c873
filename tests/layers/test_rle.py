"""Run-length ops against hand-made masks, against pycocotools and against dense arithmetic.

The whole file runs on the lowest and on the highest instruction level of this CPU where the ops are compiled.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from vis_projects.layers import (
    has_native,
    mask_iou,
    rle_area,
    rle_boxes,
    rle_decode,
    rle_encode,
    rle_iou,
    to_compressed,
)
from vis_projects.layers.rle_reference import (
    read_runs,
    rle_area_reference,
    rle_boxes_reference,
    rle_decode_reference,
    rle_encode_reference,
    rle_iou_reference,
)

sides = st.one_of(st.just(1), st.integers(1, 90))  # 1: masks that are one pixel wide or high


@pytest.fixture(scope="module", params=[1, 4] if has_native("rle_area") else ["references"], autouse=True)
def cpu_level(request):
    if request.param == "references":
        yield
        return
    before = torch.ops.vis_projects.set_cpu_level(request.param)  # a level that the CPU lacks becomes its highest
    yield
    torch.ops.vis_projects.set_cpu_level(before)


def some_masks(height: int, width: int, count: int, seed: int) -> torch.Tensor:
    """bool (count, height, width): noise of all densities, empty and full ones too, and blocks."""
    rng = np.random.default_rng(seed)
    masks = rng.random((count, height, width)) < rng.choice([0.0, 0.02, 0.5, 0.98, 1.0], (count, 1, 1))
    for mask in masks:
        y, x = rng.integers(0, (height, width))
        mask[y : y + rng.integers(1, height + 1), x : x + rng.integers(1, width + 1)] ^= rng.random() < 0.5
    return torch.from_numpy(masks)


def dense_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    inter = (a[:, None] & b[None]).flatten(2).sum(2).double()
    union = (a[:, None] | b[None]).flatten(2).sum(2).double()
    return torch.where(union > 0, inter / union.clamp(min=1), torch.zeros_like(inter))


def dense_boxes(masks: torch.Tensor) -> list[list[int]]:
    found = [mask.nonzero().flip(1) for mask in masks]  # x, y of each pixel
    return [[*p.amin(0).tolist(), *(p.amax(0) + 1).tolist()] if len(p) else [0] * 4 for p in found]


def check_all(masks: torch.Tensor) -> None:
    """Every op on these masks, all pairs of them for the overlaps."""
    encoded = rle_encode(masks)
    assert encoded == rle_encode_reference(masks)
    assert torch.equal(rle_decode(encoded), masks)
    assert rle_area(encoded).tolist() == masks.flatten(1).sum(1).tolist()
    assert rle_boxes(encoded).tolist() == dense_boxes(masks)
    overlap = rle_iou(encoded, encoded)
    assert torch.equal(overlap, dense_iou(masks, masks))  # quotients of the same integers
    assert torch.equal(overlap, rle_iou_reference(encoded, encoded))


def test_encode_without_masks_gives_no_rle():
    assert rle_encode(torch.zeros(0, 4, 5, dtype=torch.bool)) == []


def test_nothing_in_nothing_out():
    assert rle_decode([]).shape == (0, 0, 0)
    assert rle_area([]).tolist() == [] and rle_area([]).dtype == torch.int64
    assert rle_boxes([]).shape == (0, 4)
    assert rle_iou([], rle_encode(torch.ones(2, 3, 3, dtype=torch.bool))).shape == (0, 2)
    assert rle_iou(rle_encode(torch.ones(2, 3, 3, dtype=torch.bool)), []).shape == (2, 0)


def test_masks_without_a_pixel_of_room():
    for size in ((0, 5), (5, 0), (0, 0)):
        encoded = rle_encode(torch.zeros(2, *size, dtype=torch.bool))
        assert encoded == [{"size": list(size), "counts": "0"}] * 2
        assert rle_decode(encoded).shape == (2, *size)
        assert rle_area(encoded).tolist() == [0, 0] and rle_boxes(encoded).tolist() == [[0] * 4] * 2
        assert rle_iou(encoded, encoded).tolist() == [[0, 0], [0, 0]]


def test_hand_made_mask_is_encoded_column_by_column():
    # 3 x 4 mask, columns 000 110 011 000 -> runs 3 background, 2 on, 2 off (end of column 1, top of column 2),
    # 2 on, 3 off. The text codes runs 0-2 as they are and later ones minus the run two before:
    # 3 2 2 (2-2=0) (3-2=1) -> characters 48 + value.
    mask = torch.tensor([[[0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]]], dtype=torch.bool)
    assert rle_encode(mask) == [{"size": [3, 4], "counts": "32201"}]
    assert rle_boxes(rle_encode(mask)).tolist() == [[1, 0, 3, 3]]


def test_foreground_in_the_first_pixel_starts_with_an_empty_run():
    assert rle_encode(torch.ones(1, 2, 2, dtype=torch.bool)) == [{"size": [2, 2], "counts": "04"}]


def test_an_object_that_spans_columns_has_their_full_height():
    # 4 rows: pixels 3 to 8 are row 3 of column 0, all of column 1, row 0 of column 2
    assert rle_boxes([{"size": [4, 3], "counts": [3, 6, 3]}]).tolist() == [[0, 0, 3, 4]]
    # pixels 4 to 7 are column 1 exactly
    assert rle_boxes([{"size": [4, 3], "counts": [4, 4, 4]}]).tolist() == [[1, 0, 2, 4]]


@settings(max_examples=80, deadline=None)
@given(sides, sides, st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_all_ops_equal_dense_arithmetic_and_the_references(height, width, count, seed):
    check_all(some_masks(height, width, count, seed))


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_masks_of_4k(seed):
    rng = np.random.default_rng(seed)
    masks = torch.zeros(3, 2160, 3840, dtype=torch.bool)
    masks[0] = bool(rng.random() < 0.5)
    for mask in masks[1:]:
        y, x = rng.integers(0, (2160, 3840))
        mask[y : y + 700, x : x + 900] = True
        mask[rng.integers(0, 2160, 500), rng.integers(0, 3840, 500)] ^= True
    check_all(masks)


def test_large_and_non_contiguous_masks_equal_the_reference():
    generator = torch.Generator().manual_seed(0)
    masks = (torch.rand(3, 540, 960, generator=generator) > 0.5).transpose(1, 2)
    assert rle_encode(masks) == rle_encode_reference(masks.contiguous())
    assert rle_encode(masks[:, ::2, ::3]) == rle_encode_reference(masks[:, ::2, ::3].contiguous())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int64])
def test_any_number_but_zero_is_foreground(dtype):
    masks = some_masks(33, 70, 3, seed=5)
    values = masks * torch.randint(1, 100, masks.shape, generator=torch.Generator().manual_seed(0))
    assert rle_encode(values.to(dtype)) == rle_encode(masks)
    assert rle_encode(values.numpy()) == rle_encode(masks)


def test_equal_results_with_one_and_two_threads():
    masks = some_masks(60, 80, 40, seed=3)
    encoded, results = rle_encode(masks), []
    threads = torch.get_num_threads()
    for count in (1, 2):
        torch.set_num_threads(count)
        results.append((rle_encode(masks), rle_decode(encoded), rle_area(encoded), rle_boxes(encoded),
                        rle_iou(encoded, encoded)))
    torch.set_num_threads(threads)
    assert results[0][0] == results[1][0]
    assert all(map(torch.equal, results[0][1:], results[1][1:]))


def test_encode_rejects_what_it_cannot_read():
    with pytest.raises(ValueError, match=r"\(N, H, W\)"):
        rle_encode(torch.zeros(1, 2, 2))
    with pytest.raises(ValueError, match=r"\(N, H, W\)"):
        rle_encode(torch.zeros(2, 2, dtype=torch.bool))
    if has_native("rle_encode"):
        with pytest.raises(RuntimeError, match="uint8"):
            torch.ops.vis_projects.rle_encode(torch.zeros(1, 2, 2))
        with pytest.raises(RuntimeError, match="dimensions"):
            torch.ops.vis_projects.rle_encode(torch.zeros(2, 2, dtype=torch.uint8))


def test_overlap_by_hand():
    # 2 x 3, one row each: a = columns 0 1, b = columns 1 2, c = nothing, d = all of both rows
    a, b, c, d = (torch.tensor(m, dtype=torch.bool) for m in (
        [[1, 1, 0], [0, 0, 0]], [[0, 1, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 1, 1]]))
    masks = torch.stack((a, b, c, d))
    expected = [[1, 1 / 3, 0, 2 / 6], [1 / 3, 1, 0, 2 / 6], [0, 0, 0, 0], [2 / 6, 2 / 6, 0, 1]]
    assert rle_iou(rle_encode(masks), rle_encode(masks)).tolist() == expected
    assert torch.allclose(mask_iou(masks, masks).double(), torch.tensor(expected).double(), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(sides, sides, st.integers(0, 2**32 - 1))
def test_areas_of_a_union_and_an_intersection_add_up(height, width, seed):
    a, b = some_masks(height, width, 2, seed)
    both, either = rle_area(rle_encode(torch.stack((a & b, a | b)))).tolist()
    assert both + either == rle_area(rle_encode(torch.stack((a, b)))).sum()
    overlap = rle_iou(rle_encode(a[None]), rle_encode(b[None])).item()
    assert overlap == (both / either if either else 0)


def test_uncompressed_counts_are_read_and_checked():
    rle = {"size": [2, 2], "counts": [1, 2, 1]}
    assert rle_decode([rle]).int().tolist() == [[[0, 1], [1, 0]]]
    assert rle_area([rle, {**rle, "counts": (4,)}, to_compressed(rle)]).tolist() == [2, 0, 2]
    for call in (to_compressed, lambda r: rle_decode([r]), lambda r: rle_area([r]), lambda r: rle_iou([r], [rle])):
        with pytest.raises(ValueError, match="add up to 3.*needs 4"):
            call({"size": [2, 2], "counts": [1, 2]})
        with pytest.raises(ValueError, match="runs >= 0"):
            call({"size": [2, 2], "counts": [5, -1]})
        with pytest.raises(ValueError, match="text or a list of run lengths"):
            call({"size": [2, 2], "counts": [0.5, 3.5]})
    for call in (to_compressed, lambda r: rle_decode([r]), lambda r: rle_area([r])):
        with pytest.raises(ValueError, match="'size' and 'counts'"):
            call({"counts": "04"})


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_empty_runs_anywhere_change_nothing(height, width, seed):
    # no encoder writes them; pycocotools' own overlap stops early at two of them
    rng = np.random.default_rng(seed)
    masks = some_masks(height, width, 3, seed)
    plain = [read_runs(rle["counts"]).tolist() for rle in rle_encode(masks)]
    written = []
    for runs in plain:
        for _ in range(rng.integers(1, 4)):
            k = int(rng.integers(0, len(runs) + 1))
            length = runs[k] if k < len(runs) else 0
            cut = int(rng.integers(0, length + 1))
            runs[k : k + 1] = [cut, 0, length - cut]  # at the end: a run of each kind, both empty, and one more
        counts = coco_mask.frPyObjects({"size": [height, width], "counts": runs}, height, width)["counts"]
        written.append({"size": [height, width], "counts": counts})
    assert torch.equal(rle_decode(written), masks)
    assert rle_area(written).tolist() == masks.flatten(1).sum(1).tolist()
    assert rle_boxes(written).tolist() == dense_boxes(masks) == rle_boxes_reference(written).tolist()
    assert torch.equal(rle_iou(written, written), dense_iou(masks, masks))
    assert torch.equal(rle_iou_reference(written, written), dense_iou(masks, masks))


@st.composite
def damaged_texts(draw):
    """(text, height, width): a real text with a few characters changed, dropped or added, or cut; or any bytes."""
    height, width = draw(sides), draw(sides)
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=60)), height, width
    text = bytearray(rle_encode(some_masks(height, width, 1, draw(st.integers(0, 2**32 - 1))))[0]["counts"].encode())
    for _ in range(draw(st.integers(0, 3))):
        at, what = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
        if what == 0:
            text[at : at + 1] = bytes([draw(st.integers(40, 120))])
        elif what == 1:
            text[at:at] = bytes([draw(st.integers(48, 111))])
        elif what == 2:
            del text[at : at + draw(st.integers(1, 3))]
        else:
            del text[at:]
    return bytes(text), height, width


@settings(max_examples=250, deadline=None)
@given(damaged_texts())
def test_damaged_texts_are_refused_or_read_as_pycocotools_reads_them(damaged):
    text, height, width = damaged
    rle = {"size": [height, width], "counts": text}
    try:
        runs = read_runs(text)
    except ValueError:
        runs = None
    if runs is None or runs.sum() != height * width or (runs < 0).any():
        for call in (rle_area, rle_decode, rle_boxes, rle_area_reference, lambda r: rle_iou(r, r),
                     lambda r: rle_decode_reference(r, height, width)):
            with pytest.raises(ValueError, match="counts|runs"):
                call([rle])
        return
    dense = torch.from_numpy(coco_mask.decode(rle)).bool()
    assert torch.equal(rle_decode([rle])[0], dense)
    assert rle_area([rle]).item() == dense.sum()
    assert rle_iou([rle], [rle]).item() == (1 if dense.any() else 0)


@pytest.mark.parametrize("text", [b"P", b"0P", b" ", b"\xff", b"0\0000", b"4PPPPPP0", b"o" * 300, b"O5", b"5O", "ä"])
def test_broken_texts(text):
    # P asks for a further digit, O is -1
    for call in (rle_area, rle_decode, rle_boxes):
        with pytest.raises(ValueError, match="counts|add up"):
            call([{"size": [2, 2], "counts": "04"}, {"size": [2, 2], "counts": text}])


def test_numbers_of_every_length_in_characters():
    # runs of 1, 2, 3, 4, 5 characters in every order, at every place of a block of sixteen characters
    rng = np.random.default_rng(0)
    for _ in range(200):
        runs = [int(rng.integers(1, 1 << rng.integers(1, 22))) for _ in range(rng.integers(1, 40))]
        rle = coco_mask.frPyObjects({"size": [1, sum(runs)], "counts": runs}, 1, sum(runs))
        assert read_runs(rle["counts"]).tolist() == runs
        assert rle_area([rle]).item() == sum(runs[1::2])


def test_tables_that_point_outside_the_buffer_are_refused():
    if not has_native("rle_area"):
        return
    buffer = torch.tensor(list(b"04"), dtype=torch.uint8)
    for begin, end in ((0, 3), (-1, 2), (2, 1), (2**62, 2**62 + 2)):
        for notation in range(6):
            with pytest.raises(RuntimeError, match="mask 0"):
                torch.ops.vis_projects.rle_area(buffer, torch.tensor([[notation, 2, 2, begin, end]]))
    with pytest.raises(RuntimeError, match="mask 0"):
        torch.ops.vis_projects.rle_area(buffer, torch.tensor([[1, 2**40, 2**40, 0, 2]]))
    assert torch.ops.vis_projects.rle_area(buffer, torch.tensor([[1, 2, 2, 0, 2]])).tolist() == [4]


def test_sizes_that_differ_are_named():
    a, b = rle_encode(torch.ones(1, 2, 2, dtype=torch.bool)), rle_encode(torch.ones(1, 2, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"\(2, 2\), \(2, 3\)"):
        rle_decode(a + b)
    with pytest.raises(ValueError, match="one size"):
        rle_iou(a, b)
    with pytest.raises(ValueError, match="one size"):
        mask_iou(torch.ones(1, 2, 2), torch.ones(1, 2, 3))
