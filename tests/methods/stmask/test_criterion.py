"""The losses together: switches, ids of different videos, no positive anchor."""

from dataclasses import replace

import pytest
import torch

from tests.methods.stmask.test_head import head, levels
from vis_projects.methods.stmask.criterion import Criterion
from vis_projects.methods.stmask.matching import BACKGROUND, AnchorMatcher
from vis_projects.methods.stmask.targets import FrameTargets
from vis_projects.modeling.yolact import center_form, decode_boxes, encode_boxes

SIZE = (32, 48)
PLAIN = Criterion(matcher=AnchorMatcher(multi_gt_neutral=False, class_aware=False))


def targets(*boxes, first_id=0):
    count = len(boxes)
    masks = torch.zeros(count, *SIZE, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes):
        mask[int(y0 * SIZE[0]) : int(y1 * SIZE[0]), int(x0 * SIZE[1]) : int(x1 * SIZE[1])] = True
    boxes = torch.tensor(boxes).view(-1, 4)
    return FrameTargets(boxes, torch.arange(count) % 3, first_id + torch.arange(count), masks)


def losses(criterion, frames, outputs=None, clips=(0, 1)):
    torch.manual_seed(1)
    outputs = outputs or head()(levels((4, 6), (2, 3)))
    prototypes = torch.rand(2, 8, 12, 4)
    matched = criterion.match(outputs, frames)
    return criterion.frame_losses(outputs, prototypes, matched, frames, torch.tensor(clips)), matched


ONE, TWO = (0.1, 0.1, 0.6, 0.7), (0.5, 0.3, 0.9, 0.8)


@pytest.mark.parametrize(
    "frames", [(targets(), targets()), (targets(ONE), targets()), (targets(ONE), targets(TWO, ONE))],
    ids=["none", "one", "three"],
)
@pytest.mark.parametrize(
    "criterion",
    [
        Criterion(), PLAIN, replace(PLAIN, box_type="smooth_l1"), replace(PLAIN, mask_crop="gt"),
        replace(PLAIN, mask_crop="pred", ohem_weight_order="aligned", detach_center_target=True),
    ],
)
def test_losses_are_finite_and_reach_every_parameter(criterion, frames):
    model = head(fcb_type="ada", fcb_branches=("class",))
    found, matched = losses(criterion, frames, model(levels((4, 6), (2, 3))))
    assert set(found) == {"loss_cls", "loss_box", "loss_mask", "loss_track", "loss_center"}
    assert all(torch.isfinite(value) and value.dim() == 0 for value in found.values())
    sum(found.values()).backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    if all(len(frame) == 0 for frame in frames):
        assert (matched == BACKGROUND).all() and sum(found.values()) == 0


def test_one_positive_alone_has_no_track_loss():
    # one object with one anchor: a threshold that nothing but the forced match passes
    criterion = replace(PLAIN, matcher=AnchorMatcher(1.0, 1.0, multi_gt_neutral=False, class_aware=False))
    found, matched = losses(criterion, (targets(ONE), targets()))
    assert (matched >= 0).sum() == 1
    assert found["loss_track"] == 0 and found["loss_box"] > 0 and found["loss_mask"] > 0


def test_a_perfect_network_has_no_box_and_no_center_loss():
    frames = (targets(ONE), targets(TWO))
    outputs = head()(levels((4, 6), (2, 3)))
    outputs.centerness = torch.ones_like(outputs.centerness)
    outputs.deltas = torch.stack([encode_boxes(frame.boxes.expand(len(outputs.anchors), 4), outputs.anchors)
                                  for frame in frames])
    found, _ = losses(PLAIN, frames, outputs)
    assert found["loss_box"].item() == pytest.approx(0, abs=1e-5)
    assert found["loss_center"].item() == pytest.approx(0, abs=1e-6)
    found, _ = losses(replace(PLAIN, box_type="smooth_l1"), frames, outputs)
    assert found["loss_box"].item() == pytest.approx(0, abs=1e-6)


def test_equal_ids_of_two_videos_are_two_objects():
    frames = (targets(ONE), targets(ONE))
    outputs = head()(levels((4, 6), (2, 3)))
    outputs.embeddings = torch.ones_like(outputs.embeddings) / outputs.embeddings.shape[2] ** 0.5
    same, _ = losses(PLAIN, frames, outputs, clips=(0, 0))
    apart, _ = losses(PLAIN, frames, outputs, clips=(0, 1))
    assert same["loss_track"].item() == pytest.approx(0, abs=1e-5) and apart["loss_track"] > 5


def test_centerness_trains_boxes_unless_it_is_detached():
    frames = (targets(ONE), targets(TWO))
    for detach in (False, True):
        outputs = head()(levels((4, 6), (2, 3)))
        found, _ = losses(replace(PLAIN, detach_center_target=detach), frames, outputs)
        (gradient,) = torch.autograd.grad(found["loss_center"], outputs.deltas, allow_unused=True)
        assert (gradient is None or (gradient == 0).all()) == detach


def test_weights_and_the_switch_of_the_mask_shift():
    one = torch.tensor(1.0)
    criterion = Criterion(weights={"loss_box_shift": 5.0, "loss_mask_shift": 6.0})
    shifts = {"loss_box_shift": one, "loss_mask_shift": one}
    assert criterion.weighted(shifts) == {"loss_box_shift": 5, "loss_mask_shift": 6}
    assert replace(criterion, shift_mask_loss=False).weighted(shifts) == {"loss_box_shift": 5, "loss_mask_shift": 0}


def test_anchors_decode_back_to_objects():
    frames = (targets(ONE), targets(TWO))
    outputs = head()(levels((4, 6), (2, 3)))
    matched = PLAIN.match(outputs, frames)
    anchors = outputs.anchors[matched[0] >= 0]
    truth = frames[0].boxes.expand(len(anchors), 4)
    assert torch.allclose(decode_boxes(encode_boxes(truth, anchors), anchors), truth, atol=1e-6)
    assert torch.allclose(center_form(truth)[:, 2:], truth[:, 2:] - truth[:, :2])


@pytest.mark.parametrize("key", ["box_type", "mask_crop", "ohem_weight_order"])
def test_wrong_switches_are_named(key):
    with pytest.raises(ValueError, match=rf"MODEL\.STMASK\.LOSS\.{key.upper()} is 'x'"):
        Criterion(**{key: "x"})
