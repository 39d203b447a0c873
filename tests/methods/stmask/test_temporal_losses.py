"""Losses of temporal fusion: who counts, by hand, and the empty cases."""

import math

import pytest
import torch

from vis_projects.methods.stmask.frame import TemporalFeatures
from vis_projects.methods.stmask.targets import FrameTargets
from vis_projects.methods.stmask.temporal import TemporalNet
from vis_projects.methods.stmask.temporal_losses import pair_positives, temporal_losses

SIZE = (16, 32)  # padded image
WHOLE, LEFT, RIGHT = (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)
K = 2


def frame(*objects):
    """Objects (id, box); their masks fill the whole image."""
    return FrameTargets(
        boxes=torch.tensor([box for _, box in objects]).reshape(-1, 4),
        classes=torch.zeros(len(objects), dtype=torch.int64),
        ids=torch.tensor([i for i, _ in objects], dtype=torch.int64),
        masks=torch.ones(len(objects), *SIZE, dtype=torch.bool),
    )


def positives_of(anchor_object, earlier, later):
    anchors = [torch.tensor(rows, dtype=torch.int64) for rows in anchor_object]
    shape = (len(anchors), len(anchors[0]))
    boxes = (torch.arange(math.prod(shape) * 4.0).reshape(*shape, 4) / 32).requires_grad_()
    coefficients = torch.arange(math.prod(shape) * K * 1.0).reshape(*shape, K).requires_grad_()
    return pair_positives(anchors, boxes, coefficients, earlier, later)


def features(pairs):
    torch.manual_seed(0)
    maps = [torch.randn(pairs, 3, 4, 8, requires_grad=True) for _ in range(4)]
    return TemporalFeatures(*maps[:2]), TemporalFeatures(*maps[2:])


def small_net(box_deltas=None):
    torch.manual_seed(0)
    net = TemporalNet(in_channels=3, num_prototypes=K, patch=3, conv_dims=(16, 16, 32))
    if box_deltas is not None:
        for layer, values in ((net.fc, box_deltas), (net.fc_coeff, [0.0] * K)):
            torch.nn.init.zeros_(layer.weight)
            layer.bias.data = torch.tensor(values)
    return net


def losses_of(anchor_object, earlier, later, net=None, prototypes=None):
    net = net or small_net()
    pairs = len(earlier)
    if prototypes is None:
        prototypes = torch.ones(pairs, 4, 8, K)
    positives = positives_of(anchor_object, earlier, later)
    masks = torch.cat([x.masks for x in later])
    return net, temporal_losses(net, *features(pairs), positives, prototypes, masks)


@pytest.mark.parametrize(
    "anchor_object, earlier, later",
    [
        ([[-1, -1]], [frame()], [frame()]),
        ([[-1, -1]], [frame()], [frame((1, LEFT))]),
        ([[0, -1]], [frame((1, LEFT))], [frame()]),
        ([[-1, -1]], [frame((1, LEFT))], [frame((1, LEFT))]),
        ([[0, 0]], [frame((1, LEFT))], [frame((2, LEFT))]),
        ([[0, 0]], [frame((-1, LEFT))], [frame((-1, LEFT))]),
        ([[0, 0]], [frame((1, (0.5, 0.5, 0.5, 1.0)))], [frame((1, LEFT))]),
        ([[0, 0]], [frame((1, LEFT))], [frame((1, (0.5, 0.5, 0.7, 0.5)))]),
        ([[0, -1], [-1, -1]], [frame((1, LEFT)), frame()], [frame((2, LEFT)), frame((1, LEFT))]),
    ],
    ids=["nothing at all", "empty earlier frame", "empty later frame", "no positive", "no shared object", "no ids",
         "no extent earlier", "no extent later", "two pairs, the id in the other pair"],
)
def test_without_positives_both_losses_are_zero_and_every_parameter_has_a_gradient(anchor_object, earlier, later):
    net, losses = losses_of(anchor_object, earlier, later)
    assert {name: value.item() for name, value in losses.items()} == {"loss_box_shift": 0.0, "loss_mask_shift": 0.0}
    sum(losses.values()).backward()
    assert all(p.grad is not None and not p.grad.any() for p in net.parameters())


def test_one_positive_is_finite_and_trains_every_parameter():
    net, losses = losses_of([[0, -1]], [frame((1, LEFT))], [frame((1, RIGHT))])
    assert all(value.isfinite() and value > 0 for value in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())
    assert net.conv1.weight.grad.any() and net.fc.weight.grad.any() and net.fc_coeff.weight.grad.any()


def test_positives_are_those_whose_object_both_frames_show():
    earlier = [frame((7, LEFT), (8, RIGHT)), frame((5, WHOLE))]
    later = [frame((9, WHOLE), (8, LEFT)), frame((4, LEFT), (5, RIGHT))]
    found = positives_of([[0, 1, -1, 1], [-1, -1, 0, -1]], earlier, later)
    # anchors 1 and 3 of pair 0 (object 8), anchor 2 of pair 1 (object 5); object 7 has left
    assert found.pair_index.tolist() == [0, 0, 1] and len(found) == 3
    assert (32 * found.boxes[:, 0]).tolist() == [4, 12, 24]  # 4 numbers an anchor, 4 anchors a pair
    assert found.coefficients[:, 0].tolist() == [2, 6, 12]
    assert found.earlier_boxes.tolist() == [list(RIGHT), list(RIGHT), list(WHOLE)]
    assert found.later_boxes.tolist() == [list(LEFT), list(LEFT), list(RIGHT)]
    assert found.later_index.tolist() == [1, 1, 3]  # the later frames hold 9, 8, 4, 5
    assert not found.boxes.requires_grad and not found.coefficients.requires_grad


def test_box_loss_by_hand():
    # From LEFT (centre 1/4, width 1/2) to RIGHT (3/4, 1/2): dx = (3/4 - 1/4) / (1/2) / 0.1 = 10, all else 0.
    # From WHOLE to LEFT: dx = (1/4 - 1/2) / 1 / 0.1 = -5/2, dw = ln(1/2) / 0.2 = -5 ln 2.
    # The network says (0, 1/2, 0, 0) of each. Smooth L1 is |x| - 1/2 from 1 on and x^2 / 2 below:
    # first motion 10 - 1/2 + 1/8 = 77/8, second 5/2 - 1/2 + 5 ln 2 - 1/2 + 1/8 = 13/8 + 5 ln 2.
    earlier = [frame((1, LEFT), (2, WHOLE)), frame((3, LEFT)), frame()]
    later = [frame((1, RIGHT), (2, LEFT)), frame((3, RIGHT)), frame()]
    rows = [[0, 0, 1], [-1, 0, -1], [-1, -1, -1]]
    net, losses = losses_of(rows, earlier, later, small_net([0.0, 0.5, 0.0, 0.0]))
    # pair 0 has two positives of the first motion and one of the second, pair 1 one of the first, pair 2 none
    expected = ((2 * 77 / 8 + 13 / 8 + 5 * math.log(2)) / 3 + 77 / 8) / 3
    assert losses["loss_box_shift"].item() == pytest.approx(expected, rel=1e-5)


def test_mask_loss_by_hand():
    # Prototypes of 0 give the probability 1/2 in the box and 0 outside. The box of the later frame is the whole image,
    # its mask too: ln 2 a pixel, all pixels, over the area of the box, which is all pixels: ln 2. Of two pairs: mean.
    whole = [frame((1, WHOLE)), frame((1, WHOLE))]
    _, losses = losses_of([[0, 0], [-1, 0]], whole, whole, prototypes=torch.zeros(2, 4, 8, K))
    assert losses["loss_mask_shift"].item() == pytest.approx(math.log(2), rel=1e-5)


def test_mask_loss_cuts_by_the_later_box():
    # The later object fills the image by its mask, but its box is the left half: 4 of 8 cells and one more. A cell is
    # 4 pixels wide, so the probability is 1/2 in columns 0 to 17, 0 from 22 on, where a pixel costs 100, and between
    # (7, 5, 3, 1) / 16. All 16 rows are alike; the box has 16 * 16 pixels.
    earlier, later = [frame((1, WHOLE))], [frame((1, LEFT))]
    _, losses = losses_of([[0, -1]], earlier, later, prototypes=torch.zeros(1, 4, 8, K))
    between = 4 * math.log(16) - math.log(7) - math.log(5) - math.log(3)
    expected = (18 * math.log(2) + between + 10 * 100) / 16
    assert losses["loss_mask_shift"].item() == pytest.approx(expected, rel=1e-5)


def test_no_gradient_into_prototypes_and_frame_predictions():
    prototypes = torch.rand(1, 4, 8, K, requires_grad=True)
    earlier, later = [frame((1, LEFT))], [frame((1, RIGHT))]
    boxes, coefficients = torch.rand(1, 1, 4, requires_grad=True), torch.rand(1, 1, K, requires_grad=True)
    positives = pair_positives([torch.tensor([0])], boxes, coefficients, earlier, later)
    before, after = features(1)
    losses = temporal_losses(small_net(), before, after, positives, prototypes, later[0].masks)
    sum(losses.values()).backward()
    assert prototypes.grad is None and boxes.grad is None and coefficients.grad is None
    assert all(x.grad is not None for f in (before, after) for x in (f.correlated, f.shared))


def test_all_pairs_share_one_run_of_the_network():
    net, runs = small_net(), []
    net.conv1.register_forward_hook(lambda module, args, out: runs.append(len(args[0])))
    frames = [frame((1, LEFT)), frame((2, RIGHT)), frame((3, WHOLE))]
    losses_of([[0, 0], [0, -1], [0, 0]], frames, frames, net)
    assert runs == [5]
