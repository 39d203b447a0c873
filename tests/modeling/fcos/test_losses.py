import pytest
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.modeling.fcos import FCOSLosses, FCOSOutputs, fcos_targets, level_locations, ltrb_iou
from vis_projects.modeling.fcos.losses import flatten_levels

STRIDES, SIZES = (8, 16), ((4, 4), (2, 2))
RANGES = ((-1, 64), (64, float("inf")))


def targets(*boxes):
    image = Instances((32, 32), gt_boxes=Boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)),
                      gt_classes=torch.zeros(len(boxes), dtype=torch.int64))
    points = [level_locations(size, stride) for size, stride in zip(SIZES, STRIDES)]
    return fcos_targets(points, STRIDES, [image], 2, level_ranges=RANGES)


def outputs(value: float = 0.0) -> FCOSOutputs:
    maps = {name: [torch.full((1, c, *size), value, requires_grad=True) for size in SIZES]
            for name, c in (("logits", 2), ("ltrb", 4), ("centerness", 1))}
    return FCOSOutputs(**maps)


def test_giou_by_hand():
    # areas 4 * 3 = 12 both; common (1 + 2) * (1 + 1) = 6, union 18, around (2 + 3) * (2 + 2) = 20
    iou, giou = ltrb_iou(torch.tensor([[1.0, 2, 3, 1]]), torch.tensor([[2.0, 1, 2, 2]]))
    assert iou.item() == pytest.approx(7 / 19) and giou.item() == pytest.approx(7 / 19 - 2 / 20)


def test_giou_of_equal_boxes_is_one_and_of_none_empty():
    box = torch.tensor([[1.0, 2, 3, 4]])
    assert [value.item() for value in ltrb_iou(box, box)] == [1, 1]
    assert [len(value) for value in ltrb_iou(box[:0], box[:0])] == [0, 0]


def test_rows_of_maps_follow_the_levels():
    maps = [torch.arange(8.0).reshape(2, 1, 2, 2), torch.tensor([[[[8.0]]], [[[9.0]]]])]
    assert flatten_levels(maps).flatten().tolist() == list(range(10))


def test_without_objects_there_is_only_the_class_loss():
    out = outputs()
    losses = FCOSLosses()(out, targets())
    # 20 cells, 2 classes, probability 1/2 on background: 40 * 0.75 * (1/2)^2 * ln 2, divided by max(0, 1)
    assert losses["loss_fcos_cls"].item() == pytest.approx(40 * 0.75 * 0.25 * 0.6931472)
    assert losses["loss_fcos_loc"].item() == 0 and losses["loss_fcos_ctr"].item() == 0
    sum(losses.values()).backward()
    assert all((level.grad == 0).all() for level in (*out.ltrb, *out.centerness))


def test_a_perfect_prediction_has_no_box_loss_and_small_others():
    box, out = targets((4, 4, 28, 28)), outputs()
    rows = box.positives
    assert len(rows) == 4  # (12 or 20, 12 or 20): within 12 px of (16, 16)
    flat = torch.zeros(20, 4)
    flat[rows] = box.ltrb[rows]
    out.ltrb = [flat[:16].T.reshape(1, 4, 4, 4), flat[16:].T.reshape(1, 4, 2, 2)]
    losses = FCOSLosses()(out, box)
    assert losses["loss_fcos_loc"].item() == pytest.approx(0, abs=1e-6)
    # distances 1 and 2 strides both ways: centerness sqrt(1/2 * 1/2) = 1/2; logit 0 says 1/2: ln 2 each
    assert losses["loss_fcos_ctr"].item() == pytest.approx(0.6931472)
    # 36 background terms 0.75 * 1/4 * ln 2 and 4 foreground terms 0.25 * 1/4 * ln 2, divided by 4
    assert losses["loss_fcos_cls"].item() == pytest.approx((36 * 0.75 + 4 * 0.25) / 16 * 0.6931472)


def test_box_loss_is_weighted_by_centerness():
    box, out = targets((4, 4, 28, 28)), outputs(1.0)
    rows = box.positives
    _, giou = ltrb_iou(torch.ones(4, 4), box.ltrb[rows])
    losses = FCOSLosses()(out, box)
    # the four weights are equal (1/2), so the loss is the plain mean
    assert losses["loss_fcos_loc"].item() == pytest.approx((1 - giou).mean().item())
