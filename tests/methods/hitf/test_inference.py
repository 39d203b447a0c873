"""From slots to masks at output size: exact places, padding cut off, disjoint masks, empty slots."""

import pytest
import torch
from detectron2.structures import Boxes, Instances
from torch.nn import functional as F

from vis_projects.methods.hitf.heads import SlotPredictions
from vis_projects.methods.hitf.inference import given_slots, output_probabilities, slot_instances


def logits(channels=4, size=(5, 9), seed=0):
    return 3 * torch.randn(channels, *size, generator=torch.Generator().manual_seed(seed))


def test_enlarged_probabilities_at_every_fourth_pixel_are_those_of_the_logits():
    values = logits()
    probs = output_probabilities(values, (17, 33), (17, 33))
    assert torch.allclose(probs[:, ::4, ::4], values.softmax(dim=0), atol=1e-6)
    assert torch.allclose(probs.sum(dim=0), torch.ones(17, 33), atol=1e-5)
    # half-pixel centres would not keep them
    other = F.interpolate(values.softmax(dim=0)[None], size=(17, 33), mode="bilinear", align_corners=False)[0]
    assert not torch.allclose(other[:, ::4, ::4], values.softmax(dim=0), atol=1e-3)


@pytest.mark.parametrize("content, output", [((9, 33), (18, 66)), ((17, 9), (34, 18)), ((17, 17), (17, 17))],
                         ids=["landscape", "portrait", "square"])
def test_content_at_the_corner_of_the_canvas_comes_out_whole(content, output):
    # slot 0 owns the content, slot 1 the padding
    values = torch.full((2, 5, 9), -20.0)
    inner = (slice(0, (content[0] - 1) // 4 + 1), slice(0, (content[1] - 1) // 4 + 1))
    values[1] = 20.0
    values[0][inner], values[1][inner] = 20.0, -20.0
    probs = output_probabilities(values, content, output)
    assert probs.shape[1:] == output and (probs[0] > 0.99).all()


def predictions(class_probs, mask_logits):
    return SlotPredictions(torch.tensor(class_probs).log()[None], mask_logits[None], torch.zeros(0))


def test_masks_are_disjoint_and_empty_slots_have_none():
    values = logits()
    # slot 0: class 1; slot 1: empty; slot 2: class 0; then the background
    classes = [[0.2, 0.5, 0.3], [0.3, 0.2, 0.5], [0.6, 0.1, 0.3]]
    found = slot_instances(predictions(classes, values), (17, 33), (17, 33))
    assert found.slots.tolist() == [0, 2] and found.pred_classes.tolist() == [1, 0]
    assert found.scores.tolist() == pytest.approx([0.5, 0.6])
    assert found.pred_masks.sum(dim=0).max() == 1
    owner = output_probabilities(values, (17, 33), (17, 33)).argmax(dim=0)
    assert torch.equal(found.pred_masks[1], owner == 2)
    ys, xs = found.pred_masks[0].nonzero().T
    assert found.pred_boxes.tensor[0].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_the_threshold_rule_keeps_a_part_of_the_masks():
    classes = [[0.6, 0.4]] * 3
    wide, narrow = (
        slot_instances(predictions(classes, logits()), (17, 33), (17, 33), rule=r) for r in ("argmax", "thr")
    )
    assert wide.slots.tolist() == narrow.slots.tolist()
    assert not (narrow.pred_masks & ~wide.pred_masks).any() and narrow.pred_masks.sum() < wide.pred_masks.sum()


def test_a_slot_without_a_pixel_and_a_frame_without_instances():
    values = logits()
    values[1] -= 100.0
    assert slot_instances(predictions([[0.6, 0.4]] * 3, values), (17, 33), (20, 30)).slots.tolist() == [0, 2]
    none = slot_instances(predictions([[0.4, 0.6]] * 3, values), (17, 33), (20, 30))
    assert len(none) == 0 and none.pred_masks.shape == (0, 20, 30) and none.pred_boxes.tensor.shape == (0, 4)


def test_mask_score_is_the_mean_probability_of_the_slots_pixels():
    values = torch.zeros(2, 2, 2)
    values[0, 0, 0] = torch.log(torch.tensor(3.0))  # probability 3/4 in one corner, 1/2 elsewhere
    values[1, 1, 1] = torch.log(torch.tensor(7.0))
    plain, scored = (
        slot_instances(predictions([[0.8, 0.2]], values), (5, 5), (5, 5), mask_score=m) for m in (False, True)
    )
    probs = output_probabilities(values, (5, 5), (5, 5))
    expected = 0.8 * probs[0][plain.pred_masks[0]].mean()
    assert plain.scores.item() == pytest.approx(0.8)
    assert scored.scores.item() == pytest.approx(expected.item(), abs=1e-6)


def test_given_instances_get_the_slots_that_show_them():
    values = torch.full((4, 5, 5), -9.0)
    values[2, :, :2], values[0, :, 3:], values[3, :, 2] = 9.0, 9.0, 9.0
    given = Instances((17, 17), pred_boxes=Boxes(torch.zeros(2, 4)), pred_classes=torch.tensor([0, 1]))
    given.pred_masks = torch.zeros(2, 17, 17, dtype=torch.bool)
    given.pred_masks[0, :, 10:], given.pred_masks[1, :, :7] = True, True
    probs = [[0.5, 0.4, 0.1]] * 3
    assert given_slots(predictions(probs, values), given, (17, 17)).tolist() == [0, 2]


def test_more_given_instances_than_slots():
    given = Instances((17, 17), pred_classes=torch.zeros(3, dtype=torch.int64))
    given.pred_masks = torch.zeros(3, 17, 17, dtype=torch.bool)
    for k, width in enumerate((3, 1, 2)):
        given.pred_masks[k, k, :width] = True
    found = given_slots(predictions([[0.6, 0.4]] * 2, logits(3, (5, 5))), given, (17, 17))
    assert found[1] == -1 and sorted(found[[0, 2]].tolist()) == [0, 1]
    nothing = given_slots(predictions([[0.6, 0.4]] * 2, logits(3, (5, 5))), given[torch.zeros(3) > 0], (17, 17))
    assert nothing.shape == (0,)
