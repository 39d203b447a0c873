"""All objects of a frame as one batch, whatever the chunk; nothing is remembered between calls."""

import copy

import pytest
import torch

from tests.methods.masktrack_rcnn.pairs import SIZE, frames, objects
from tests.methods.osmn.clips import stirred_model


@pytest.fixture(scope="module")
def net():
    return stirred_model().propagator


def found_in(net, masks, frame):
    images = net.prepare(frame)
    return net.propagate(images, SIZE, net.describe(images, masks), net.locate(masks))


def test_no_object(net):
    masks = torch.zeros(0, *SIZE, dtype=torch.bool)
    images = net.prepare(frames(1)[0])
    assert net.describe(images, masks).shape == (0, net.num_factors)
    assert found_in(net, masks, frames(1)[0]).shape == (0, *SIZE)


def test_an_object_of_no_area_stands_for_itself(net):
    """Neither its place nor its look is known; the others do not notice it."""
    masks = objects(1, 2).gt_masks.tensor
    with_empty = torch.cat([masks[:1], torch.zeros_like(masks[:1]), masks[1:]])
    frame = frames(1)[0]
    together, alone = found_in(net, with_empty, frame), found_in(net, masks, frame)
    assert torch.equal(together[[0, 2]], alone) and together.dtype == torch.bool


def test_all_objects_pass_through_each_network_at_once(net):
    calls = {"segmentation": [], "visual": []}
    hooks = [
        net.segmentation.register_forward_hook(lambda m, args, out: calls["segmentation"].append(len(out))),
        net.visual.register_forward_hook(lambda m, args, out: calls["visual"].append(len(out))),
    ]
    net.chunk, before = 32, net.chunk
    found_in(net, objects(*range(20)).gt_masks.tensor, frames(1)[0])
    net.chunk = before
    for hook in hooks:
        hook.remove()
    assert calls == {"segmentation": [20], "visual": [20]}


def test_chunks_bound_a_batch_and_change_nothing(net):
    small = copy.copy(net)
    small.chunk = 3
    masks, sizes = objects(*range(8)).gt_masks.tensor, []
    hook = net.segmentation.register_forward_hook(lambda m, args, out: sizes.append(len(out)))
    whole, parts = found_in(net, masks, frames(1)[0]), found_in(small, masks, frames(1)[0])
    hook.remove()
    assert sizes == [8, 3, 3, 2]
    # sums of products in another order may move a logit across the threshold
    assert float((whole != parts).float().mean()) < 1e-3


def test_no_video_is_remembered(net):
    masks, (first, other) = objects(1, 2, 3).gt_masks.tensor, frames(2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    alone = found_in(net, masks, first)
    found_in(net, masks.flip(0), other)
    assert torch.equal(found_in(net, masks, first), alone)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_frame_of_odd_size_is_padded_and_cut_again(net):
    frame = torch.randint(0, 256, (3, 37, 53), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 37, 53, dtype=torch.bool)
    mask[0, 5:20, 10:30] = True
    images = net.prepare(frame)
    assert images.shape == (1, 3, 48, 64)
    assert net.propagate(images, (37, 53), net.describe(images, mask), net.locate(mask)).shape == (1, 37, 53)


def test_weights_that_are_not_finite_are_reported():
    model = stirred_model()
    with torch.no_grad():
        model.propagator.segmentation.fuse[0].bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="MODEL.VIS.TRACKER.WEIGHTS"):
        found_in(model.propagator, objects(1).gt_masks.tensor, frames(1)[0])
