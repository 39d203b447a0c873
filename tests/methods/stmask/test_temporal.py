"""TemporalNet: its map, its RoIs, one run for all pairs, and the shift of boxes and coefficients."""

import math

import pytest
import torch
from torch.nn import functional as F

from vis_projects.methods.stmask.frame import TemporalFeatures
from vis_projects.methods.stmask.temporal import TemporalNet

PATCH, CHANNELS, PROTOTYPES = 3, 4, 2


def small_net(**changes):
    settings = {"in_channels": CHANNELS, "num_prototypes": PROTOTYPES, "patch": PATCH, "conv_dims": (8, 8, 16)}
    return TemporalNet(**{**settings, **changes})


def random_features(pairs=1, size=(6, 10), channels=CHANNELS):
    return TemporalFeatures(torch.randn(pairs, channels, *size), torch.randn(pairs, channels, *size))


def constant_features(correlated, shared, size=(3, 4)):
    return TemporalFeatures(torch.full((1, 2, *size), correlated), torch.full((1, CHANNELS, *size), shared))


def answers(net, box_deltas, coefficient_changes):
    """Makes the network say the same of every object."""
    for layer, values in ((net.fc, box_deltas), (net.fc_coeff, coefficient_changes)):
        torch.nn.init.zeros_(layer.weight)
        layer.bias.data = torch.tensor(values)
    return net


def test_no_objects_and_their_gradient():
    net = small_net()
    deltas, change = net(random_features(2), random_features(2), torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    assert deltas.shape == (0, 4) and change.shape == (0, PROTOTYPES)
    (deltas.sum() + change.sum()).backward()
    assert all(p.grad is None or not p.grad.any() for p in net.parameters())
    boxes, coefficients = net.shift(random_features(), random_features(), torch.zeros(0, 4), torch.zeros(0, PROTOTYPES))
    assert boxes.shape == (0, 4) and coefficients.shape == (0, PROTOTYPES)


def test_size_and_names_are_those_of_the_published_weights():
    net = TemporalNet()
    layers = ("conv1", "conv2", "conv3", "fc", "fc_coeff")
    names = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    assert [name for name, _ in net.named_parameters()] == names
    # 121 + 2 * 256 = 633 channels in; 9 (633 * 512 + 512 * 512 + 512 * 1024) + 1024 (4 + 32) weights and
    # 512 + 512 + 1024 + 4 + 32 biases
    assert net.conv1.in_channels == 633 and sum(p.numel() for p in net.parameters()) == 10_033_700


def test_map_is_correlation_then_earlier_then_later_without_negative_values():
    net = small_net()
    maps = net.fuse(constant_features(2.0, 5.0), constant_features(3.0, -7.0))
    assert maps.shape == (1, PATCH**2 + 2 * CHANNELS, 3, 4)
    # two channels of 2 * 3, divided by two channels; the middle of a 3 x 3 patch is channel 4
    assert torch.equal(maps[0, 4], torch.full((3, 4), 6.0))
    # channel 0 looks one up and one to the left: outside of the map in row 0 and column 0
    assert maps[0, 0].tolist() == [[0, 0, 0, 0], [0, 6, 6, 6], [0, 6, 6, 6]]
    assert torch.equal(maps[0, 9:13], torch.full((4, 3, 4), 5.0)) and not maps[0, 13:].any()
    negative = net.fuse(constant_features(2.0, 5.0), constant_features(-3.0, 1.0))
    assert not negative[0, :9].any()


def test_boxes_in_cells_of_the_map():
    boxes = torch.tensor([[0.25, 0.5, 0.75, 1.5], [-0.5, 0.75, 0.5, 0.25], [2.0, 2.0, 3.0, 3.0]])
    # 40 columns, 24 rows; cut to the map; corners in the wrong order are put right; what lies outside has no extent
    expected = [[10, 12, 30, 24], [0, 6, 20, 18], [40, 24, 40, 24]]
    assert small_net().in_cells(boxes, (24, 40)).tolist() == expected
    # 6/5 of the width 1/2 and of the height 1/4 around the centre (1/2, 3/8): (1/5, 9/40, 4/5, 21/40)
    enlarged = small_net(box_expand=1.2).in_cells(torch.tensor([[0.25, 0.25, 0.75, 0.5]]), (40, 40))
    assert enlarged[0].tolist() == pytest.approx([8, 9, 32, 21])


def test_a_region_is_read_by_averaged_samples_of_its_bins():
    net = small_net(roi_size=2)
    ramp = torch.arange(8.0).expand(1, 1, 4, 8)
    rois = torch.cat([torch.zeros(1, 1), net.in_cells(torch.tensor([[0.25, 0.0, 0.75, 1.0]]), (4, 8))], dim=1)
    # cells 2 to 6, two bins of two cells; cell k has its centre at k + 1/2, so the bins hold the values 2, 3 and 4, 5
    assert net.pooler(ramp, rois)[0, 0].tolist() == [[2.5, 4.5], [2.5, 4.5]]


def test_all_objects_of_all_pairs_go_through_in_one_run():
    torch.manual_seed(0)
    net, runs = small_net().eval(), []
    for layer in (net.conv1, net.pooler):
        layer.register_forward_hook(lambda module, args, out: runs.append(type(module).__name__))
    earlier, later = random_features(3), random_features(3)
    boxes = torch.tensor([[0.1, 0.1, 0.6, 0.5], [0.3, 0.2, 0.9, 0.9], [0.0, 0.0, 1.0, 1.0]])
    pair_index = torch.tensor([2, 0, 2])
    together = net(earlier, later, boxes, pair_index)
    assert sorted(runs) == ["Conv2d", "PreciseROIAlign"]
    for row, pair in enumerate(pair_index):
        one = [TemporalFeatures(f.correlated[pair, None], f.shared[pair, None]) for f in (earlier, later)]
        alone = net(*one, boxes[row, None], torch.zeros(1, dtype=torch.int64))
        for a, b in zip(together, alone):
            torch.testing.assert_close(a[row], b[0], rtol=1e-4, atol=1e-5)


def test_shift_by_hand():
    # centre (1/2, 1/2) + 0.1 (2, -1) * (1/5, 2/5) = (27/50, 23/50);
    # sides (1/5, 2/5) * exp(0.2 * (5 ln 2, 0)) = (2/5, 2/5)
    net = answers(small_net(), [2.0, -1.0, 5 * math.log(2), 0.0], [0.5, -1.0])
    boxes, coefficients = net.shift(
        random_features(), random_features(), torch.tensor([[0.4, 0.3, 0.6, 0.7]]), torch.tensor([[3.0, 4.0]])
    )
    assert boxes[0].tolist() == pytest.approx([0.34, 0.26, 0.74, 0.66])
    assert coefficients.tolist() == [[3.5, 3.0]]


def test_an_object_shifted_for_ever_stays_finite():
    net = answers(small_net(), [3.0, 3.0, 2.0, -2.0], [0.1, 0.1]).eval()
    earlier, later = random_features(), random_features()
    boxes, coefficients = torch.tensor([[0.4, 0.4, 0.6, 0.6]]), torch.zeros(1, 2)
    with torch.no_grad():
        for _ in range(300):
            boxes, coefficients = net.shift(earlier, later, boxes, coefficients)
    assert boxes.isfinite().all() and boxes.abs().max() <= 10 and coefficients.isfinite().all()


def test_gradients_reach_both_frames_but_not_through_the_region():
    net = small_net()
    earlier, later = random_features(), random_features()
    maps = [x.requires_grad_() for f in (earlier, later) for x in (f.correlated, f.shared)]
    deltas, change = net(earlier, later, torch.tensor([[0.1, 0.1, 0.9, 0.9]]), torch.tensor([0]))
    (deltas.square().sum() + change.square().sum()).backward()
    assert all(x.grad.abs().sum() > 0 for x in maps)


def test_it_learns_which_way_a_texture_moves():
    torch.manual_seed(0)
    net = small_net(in_channels=8, patch=5, conv_dims=(32, 32, 64))
    optimizer, losses = torch.optim.Adam(net.parameters(), 1e-3), []
    height, width, pairs, box = 12, 20, 8, [0.25, 0.25, 0.75, 0.75]
    for _ in range(60):
        texture = 3 * F.avg_pool2d(torch.randn(pairs, 8, height + 8, width + 8), 3, 1, 1)
        moves = torch.randint(-2, 3, (pairs, 2))  # cells to the right and down
        moved = [t[:, 4 - y :, 4 - x :] for t, (x, y) in zip(texture, moves.tolist())]
        frames = [torch.stack([t[:, :height, :width] for t in views]) for views in (list(texture[:, :, 4:, 4:]), moved)]
        deltas, _ = net(*(TemporalFeatures(f, f) for f in frames), torch.tensor([box] * pairs), torch.arange(pairs))
        # the box has half of the sides of the map, and 0.1 is the variance of centres
        target = moves / torch.tensor([width, height]) / 0.5 / 0.1
        loss = F.smooth_l1_loss(deltas[:, :2], target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((loss.item(), F.smooth_l1_loss(torch.zeros_like(target), target).item()))
    learnt, standstill = (sum(column) for column in zip(*losses[-10:]))
    assert learnt < standstill / 3


def test_mixed_precision():
    net = small_net()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        boxes, coefficients = net.shift(
            random_features(), random_features(), torch.tensor([[0.1, 0.1, 0.9, 0.9]]), torch.zeros(1, PROTOTYPES)
        )
    assert boxes.dtype == coefficients.dtype == torch.float32 and boxes.isfinite().all()


@pytest.mark.parametrize("wrong, key", [({"patch": 4}, "TF.PATCH"), ({"conv_dims": (8, 8)}, "TF.CONV_DIMS")])
def test_wrong_settings_name_their_key(wrong, key):
    with pytest.raises(ValueError, match=key):
        small_net(**wrong)
