"""The two places of the attention: ResNet stages or FPN levels of a frame, and RoIs against support maps."""

import pytest
import torch
from detectron2.structures import Boxes

from tests.methods.compfeat.clips import wake
from tests.methods.compfeat.test_temporal_attention import random
from vis_projects.methods.compfeat.frame_attention import FrameAttention
from vis_projects.methods.compfeat.object_attention import ObjectAttention
from vis_projects.methods.compfeat.valid_cells import ValidCells

LEVELS = ("p2", "p3", "p4", "p5")
C, P, T = 8, 5, 2


def pyramid(count, seed=0):
    return {f"p{k}": random(count, C, 64 >> k, 96 >> k, seed=seed + k) for k in (2, 3, 4, 5)}


def with_frames(sites, count):
    """Rows of support frames, (B * T, ...), as (B, T, ...)."""
    return {name: tuple(x.unflatten(0, (-1, count)) for x in pair) for name, pair in sites.items()}


def boxes_of(*counts):
    """Squares of 10 to 90 pixels; RoIAlign takes them from p2 (all are below 112)."""
    return [Boxes(torch.tensor([[0.0, 0, 10 + 20 * k, 10 + 20 * k] for k in range(n)]).reshape(-1, 4)) for n in counts]


def objects(**options):
    return wake(ObjectAttention(C, **{"key_level": "p4", "levels": LEVELS, **options})).double()


def test_frame_attention_changes_the_chosen_stages_only():
    attention = wake(FrameAttention({"p4": C, "p5": C})).double()
    features = pyramid(1)
    sites = with_frames(attention.project(pyramid(T, seed=9)), T)
    attended = attention(features, sites)
    assert set(sites) == {"frame.p4", "frame.p5"} and attention.uses_supports
    assert attended["p2"] is features["p2"] and attended["p3"] is features["p3"]
    assert all((attended[name] - features[name]).abs().max() > 1e-3 for name in ("p4", "p5"))


def test_frame_attention_without_temporal_half_needs_no_supports():
    attention = wake(FrameAttention({"p4": C}, temporal=False)).double()
    assert attention.project(pyramid(1)) == {} and not attention.uses_supports
    assert attention(pyramid(1), {})["p4"].shape == (1, C, 4, 6)


def test_padding_can_be_left_out():
    # the image is 40 x 60 in 64 x 96: on p4 (stride 16) rows 0, 1, 2 and columns 0..3 hold a part of it
    valid = ValidCells([(40, 60)], (64, 96))
    cells = valid.of(pyramid(1)["p4"])[0, 0]
    assert cells[:3, :4].all() and cells.sum() == 12
    attention = wake(FrameAttention({"p4": C})).double()
    both = ValidCells([(40, 60)] * T, (64, 96))
    results = []
    for filler in (0.0, 100.0):
        features, supports = pyramid(1), pyramid(T, seed=9)
        for maps in (features["p4"], supports["p4"]):
            maps[..., 3:, :], maps[..., 4:] = filler, filler
        sites = with_frames(attention.project(supports, both), T)
        results.append(attention(features, sites, valid)["p4"][..., :3, :4])
    torch.testing.assert_close(results[0], results[1], rtol=1e-10, atol=1e-10)
    assert ValidCells([(40, 60), (64, 96)], (64, 96)).rows(torch.tensor([1])).image_sizes == [(64, 96)]


@pytest.mark.parametrize("key_level", ["p4", "p3", "p4+p5", "assigned"])
def test_no_proposals_give_none(key_level):
    attention = objects(key_level=key_level)
    sites = with_frames(attention.project(pyramid(T)), T)
    out = attention(torch.zeros(0, C, 7, 7, dtype=torch.float64), boxes_of(0), sites)
    assert out.shape == (0, C, 7, 7)


@pytest.mark.parametrize("key_level", ["p4", "p4+p5", "assigned"])
def test_one_call_equals_a_loop_over_proposals(key_level):
    attention, rois = objects(key_level=key_level), random(P, C, 7, 7)
    boxes, sites = boxes_of(P), with_frames(attention.project(pyramid(T)), T)
    together = attention(rois, boxes, sites)
    for k in range(P):
        alone = attention(rois[k : k + 1], [boxes[0][k : k + 1]], sites)
        torch.testing.assert_close(together[k : k + 1], alone, rtol=1e-10, atol=1e-12)
    assert (together - rois).abs().max() > 1e-3


@pytest.mark.parametrize("key_level", ["p4", "p4+p5", "assigned"])
def test_proposals_attend_to_the_supports_of_their_image(key_level):
    attention, rois = objects(key_level=key_level), random(P, C, 7, 7)
    sites = with_frames(attention.project(pyramid(2 * T)), T)
    together = attention(rois, boxes_of(2, 3), sites)
    for b, rows in enumerate((slice(0, 2), slice(2, 5))):
        own = {name: tuple(x[b : b + 1] for x in pair) for name, pair in sites.items()}
        alone = attention(rois[rows], [boxes_of(2, 3)[b]], own)
        torch.testing.assert_close(together[rows], alone, rtol=1e-10, atol=1e-12)


def test_joined_levels_are_one_set_of_keys():
    joined, rois = objects(key_level="p4+p5"), random(P, C, 7, 7)
    maps = pyramid(T)
    sites = with_frames(joined.project(maps), T)
    ((key, _),) = sites.values()
    assert key.shape == (1, T, C // 4, 1, 4 * 6 + 2 * 3)
    # the same positions in one made-up level
    flat = {"p4": torch.cat([maps["p4"].flatten(2), maps["p5"].flatten(2)], -1)[:, :, None]}
    single = objects(key_level="p4")
    expected = single(rois, boxes_of(P), with_frames(single.project(flat), T))
    torch.testing.assert_close(joined(rois, boxes_of(P), sites), expected, rtol=1e-10, atol=1e-12)


def test_assigned_takes_the_level_of_the_box():
    attention = objects(key_level="assigned")
    maps = pyramid(T)
    # sides 100, 150, 300, 500: floor(4 + log2(side / 224)) = 2, 3, 4, 5
    boxes = [Boxes(torch.tensor([[0.0, 0, side, side] for side in (100, 150, 300, 500)]))]
    rois, sites = random(4, C, 7, 7), with_frames(attention.project(maps), T)
    out = attention(rois, boxes, sites)
    for k, name in enumerate(LEVELS):
        single = objects(key_level=name)
        expected = single(rois[k : k + 1], [boxes[0][k : k + 1]], with_frames(single.project(maps), T))
        torch.testing.assert_close(out[k : k + 1], expected, rtol=1e-10, atol=1e-12)


def test_spatial_half_alone_needs_no_supports():
    attention = objects(temporal=False)
    assert attention.project(pyramid(1)) == {} and not attention.uses_supports
    assert attention(random(P, C, 7, 7), boxes_of(P), {}).shape == (P, C, 7, 7)


def test_an_unknown_level_names_its_key():
    with pytest.raises(ValueError, match="KEY_LEVEL is 'p4.p6'"):
        objects(key_level="p4+p6")
