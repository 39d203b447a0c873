"""Windows around the objects: where they lie, what they show, and that networks find in them as elsewhere."""

import pytest
import torch
from detectron2.modeling import build_model

from tests.methods.masktrack_rcnn.pairs import SIZE, frames, objects
from tests.methods.osmn.clips import IN_WINDOWS, small_config, stirred_model
from vis_projects.methods.osmn.windows import ObjectWindows

NOWHERE = [0.0, 0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def windows():
    return ObjectWindows(spreads=4.0, size=32)


@pytest.fixture(scope="module")
def net():
    return stirred_model(*IN_WINDOWS).propagator


def test_boxes_and_places(windows):
    locations = torch.tensor([[31.5, 15.5, 4.0, 2.0], NOWHERE])
    # centre 31.5 + 1/2 = 32, half width 4 * 4 = 16; centre 16, half height 4 * 2 = 8
    assert windows.boxes(locations)[0].tolist() == [16, 8, 48, 24]
    assert torch.equal(windows.boxes(locations)[1], torch.tensor([0.0, 0.0, 1.0, 1.0]))
    # the middle of 32 pixels is at 31/2, 4 spreads are 16 pixels
    assert windows.places(locations).tolist() == [[15.5, 15.5, 4.0, 4.0], NOWHERE]
    assert windows.boxes(locations[:0]).shape == windows.places(locations[:0]).shape == (0, 4)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_crop_shows_what_lies_in_the_window(windows, stride):
    """A ramp of x in the first frame, of y in the second; pixel k of stride s is the mean of positions."""
    height, width = 64 // stride, 96 // stride
    x = torch.arange(width).expand(height, width).float()
    y = torch.arange(height)[:, None].expand(height, width).float()
    locations = torch.tensor([[31.5, 15.5, 4.0, 2.0], [31.5, 15.5, 4.0, 2.0]])
    maps = torch.stack([x, y])[:, None]
    side = 32 // stride
    wide, high = windows.crop(maps, torch.tensor([0, 1]), locations, stride)
    # x from 16 to 48 in 32 / s steps of s pixels: 16 / s, 16 / s + 1, ...; y from 8 to 24 in steps of s / 2 pixels
    assert wide[0, 0].tolist() == pytest.approx([16 / stride + k for k in range(side)])
    assert high[0, :, 0].tolist() == pytest.approx([8 / stride - 0.5 + (k + 0.5) / 2 for k in range(side)])
    assert windows.crop(maps, torch.zeros(0, dtype=torch.int64), locations[:0], stride).shape == (0, 1, side, side)


def test_outside_the_frame_is_nothing(windows):
    corner = torch.tensor([[-0.5, -0.5, 4.0, 4.0]])  # the frame's corner in the middle of the window
    shown = windows.crop(torch.ones(1, 1, 64, 96), torch.zeros(1, dtype=torch.int64), corner)[0, 0]
    assert float(shown[:15].abs().max()) == float(shown[:, :15].abs().max()) == 0.0
    assert float(shown[17:, 17:].min()) == 1.0


def test_a_mask_that_is_cut_out_and_pasted_is_the_same(windows):
    y, x = torch.arange(64)[:, None], torch.arange(96)[None, :]
    disc = (((x - 40) / 12.0) ** 2 + ((y - 30) / 6.0) ** 2 <= 1)[None]
    location = torch.tensor([[40.0, 30.0, 5.0, 3.0]])
    seen = windows.crop(disc[:, None].float(), torch.zeros(1, dtype=torch.int64), location)[:, 0]
    pasted = windows.paste(seen, location, (64, 96), 0.5)
    assert pasted.dtype == torch.bool
    assert float((pasted & disc).sum() / (pasted | disc).sum()) > 0.97


def test_no_window_reaches_beyond_itself(windows):
    everywhere = windows.paste(torch.ones(2, 32, 32), torch.tensor([[31.5, 15.5, 4.0, 2.0], NOWHERE]), (64, 96), 0.5)
    expected = torch.zeros(64, 96, dtype=torch.bool)
    expected[8:24, 16:48] = True
    assert torch.equal(everywhere[0], expected)
    assert int(everywhere[1].sum()) <= 1


@pytest.mark.parametrize("key, value", [("WINDOW_SPREADS", -1.0), ("WINDOW_SIZE", 40), ("WINDOW_SIZE", 0)])
def test_wrong_keys_are_named(key, value):
    with pytest.raises(ValueError, match=f"MODEL.OSMN.{key} is {value}"):
        build_model(small_config(*IN_WINDOWS, f"MODEL.OSMN.{key}", value))


def found_in(net, masks, frame):
    images = net.prepare(frame)
    return net.propagate(images, tuple(frame.shape[1:]), net.describe(images, masks), net.locate(masks))


def test_no_object(net):
    assert found_in(net, torch.zeros(0, *SIZE, dtype=torch.bool), frames(1)[0]).shape == (0, *SIZE)


def test_an_object_is_found_alone_as_with_others(net):
    masks = objects(1, 2, 7).gt_masks.tensor
    with_empty = torch.cat([masks, torch.zeros_like(masks[:1])])
    together = found_in(net, with_empty, frames(1)[0])
    for mask, found in zip(masks, together):
        alone = found_in(net, mask[None], frames(1)[0])[0]
        # sums of products in another order may move a logit across the threshold
        assert float((alone != found).float().mean()) < 1e-3
    assert together.dtype == torch.bool and together.shape == (4, *SIZE)


def test_what_moves_with_its_place_is_found_moved(net):
    """Far from the frame's rim, by whole pixels of every shared map."""
    patch = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = []
    for x, y in ((32, 32), (48, 64)):
        frame = torch.full((3, 128, 128), 120, dtype=torch.uint8)
        frame[:, y : y + 32, x : x + 32] = patch
        mask = torch.zeros(1, 128, 128, dtype=torch.bool)
        mask[0, y + 8 : y + 24, x + 8 : x + 24] = True
        found.append(found_in(net, mask, frame)[0].roll((-y, -x), (0, 1)))
    assert 0 < int(found[0].sum()) < found[0].numel()
    assert float((found[0] != found[1]).float().mean()) < 1e-3
