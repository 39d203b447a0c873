"""Training on three frames: empty clips first, what the loss sees, and one video learnt by heart."""

import pytest
import torch
from detectron2.modeling import build_model
from torch import nn

from tests.methods.masktrack_rcnn.pairs import SIZE, objects
from tests.methods.osmn.clips import IN_WINDOWS, clip_item, small_config, small_model
from vis_projects.methods.osmn import OSMN
from vis_projects.structures.clip import Clip

ALL = (1, 2, 3)


def loss_of(model, batch):
    torch.manual_seed(0)
    return model.train()(batch)["loss_mask"]


@pytest.mark.parametrize(
    "batch",
    [
        [clip_item((), (), ())],
        [clip_item((), ALL, ALL)],
        [clip_item(ALL, (), ALL)],
        [clip_item(ALL, ALL, ())],
        [clip_item((1,), (2,), (3,))],
        [clip_item((1,), (1,), (1,))],
        [clip_item(ALL, (2, 1), (3, 1)), clip_item((), (), ())],
    ],
    ids=["empty", "empty_key", "empty_previous", "empty_guide", "none_shared", "one_object", "mixed"],
)
@pytest.mark.parametrize("windows", [(), IN_WINDOWS], ids=["whole_frames", "windows"])
def test_every_clip_trains_and_reaches_every_parameter(batch, windows):
    model = small_model(*windows)
    loss = loss_of(model, batch)
    loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()] == []
    shared = [set.intersection(*(set(frame.gt_ids.tolist()) for frame in item["instances"])) for item in batch]
    assert (float(loss.detach()) > 0) == any(shared)
    assert any(float(p.grad.abs().sum()) > 0 for p in model.parameters()) == any(shared)


def clip_of(model, *items):
    net = model.propagator
    return Clip.from_batch(items, "cpu", net.pixel_mean, net.pixel_std, net.segmentation.size_divisibility)


def test_objects_are_matched_by_identity_over_the_three_frames():
    model = small_model("MODEL.OSMN.MAX_TRAIN_OBJECTS", 9)
    batch = [clip_item((4, 2, 7), (7, 4, 2), (9, 2, 4)), clip_item((5,), (5,), (5,))]
    clips, masks = model._objects(clip_of(model, *batch))
    assert clips.tolist() == [0, 0, 1]
    truth = {k: objects(k).gt_masks.tensor[0] for k in (2, 4, 5)}
    for role in ("key", "previous", "guide"):
        assert masks[role].dtype == torch.bool
        found = [next(k for k in truth if torch.equal(mask, truth[k])) for mask in masks[role]]
        assert found[2] == 5 and sorted(found[:2]) == [2, 4]
        order = found if role == "key" else order
        assert found == order


def test_no_more_objects_than_asked_for_and_all_in_turn():
    model = small_model("MODEL.OSMN.MAX_TRAIN_OBJECTS", 2)
    clip = clip_of(model, clip_item((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4)))
    seen = set()
    for _ in range(30):
        clips, masks = model._objects(clip)
        assert len(clips) == 2 and not torch.equal(masks["key"][0], masks["key"][1])
        seen.add(tuple(masks["key"].flatten(1).float().argmax(1).tolist()))
    assert len({k for pair in seen for k in pair}) == 4


def test_padding_of_a_batch_does_not_change_the_loss():
    options = ("MODEL.OSMN.GUIDE_CROP", 0.0, "MODEL.OSMN.GUIDE_ROTATION_DEG", 0.0, "MODEL.OSMN.GUIDE_FLIP", False,
               "MODEL.OSMN.CENTER_JITTER", 0.0, "MODEL.OSMN.STD_JITTER", 0.0)
    model = small_model(*options)
    item = clip_item((1,), (1,), (1,))
    valid = model._valid(clip_of(model, item, {**item, "image": [torch.zeros(3, 80, 128, dtype=torch.uint8)] * 3}))
    assert valid.shape == (2, 80, 128)
    assert int(valid[0].sum()) == SIZE[0] * SIZE[1] and bool(valid[0, : SIZE[0], : SIZE[1]].all())
    assert bool(valid[1].all())


def test_the_same_seed_gives_the_same_loss():
    batch = [clip_item(ALL, ALL, ALL)]
    assert float(loss_of(small_model(), batch).detach()) == float(loss_of(small_model(), batch).detach())


@pytest.mark.parametrize("windows", [(), IN_WINDOWS], ids=["whole_frames", "windows"])
def test_loss_falls_on_one_video(windows):
    """Two rectangles of noise in noise: which one is meant, the place tells."""
    model = small_model("MODEL.OSMN.CENTER_JITTER", 0.0, "MODEL.OSMN.STD_JITTER", 0.0, *windows)
    batch = [clip_item((1, 7), (1, 7), (1, 7))]
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    torch.manual_seed(0)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = model.train()(batch)["loss_mask"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(0.693, abs=0.01)  # log 2: nothing is known
    assert sum(losses[-5:]) / 5 < 0.25


def test_it_does_not_evaluate_by_itself():
    with pytest.raises(RuntimeError, match="MODEL.VIS.TRACKER.WEIGHTS"):
        small_model().eval()([clip_item((), (), ())])


def test_another_mapper_is_named():
    item = clip_item((1,), (1,), (1,), roles=("key", "previous", "guide"))
    with pytest.raises(ValueError, match="OSMNMapper"):
        small_model().train()([{**item, "roles": ["key", "reference", "guide"]}])


@pytest.mark.parametrize(
    "key, value, message",
    [("INPUT.FORMAT", "L", "INPUT.FORMAT"), ("MODEL.OSMN.LOCATION", "mode", "LOCATION"),
     ("MODEL.OSMN.CHUNK", 0, "CHUNK")],
)
def test_wrong_keys_are_named(key, value, message):
    with pytest.raises(ValueError, match=message):
        build_model(small_config(key, value))


@torch.no_grad()
def test_channel_order_of_the_frames_does_not_matter():
    frame = torch.randint(0, 256, (3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    bgr, rgb = (small_model("INPUT.FORMAT", order).propagator for order in ("BGR", "RGB"))
    torch.testing.assert_close(bgr.prepare(frame.flip(0)), rgb.prepare(frame))
    # a pixel of the mean colour is 0
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1).expand(3, 16, 16)
    assert float(rgb.prepare(mean).abs().max()) < 1e-6


def test_it_is_a_registered_architecture_that_reads_its_own_section_only():
    cfg = small_config("MODEL.BACKBONE.NAME", "no such backbone", "MODEL.RESNETS.DEPTH", 0, "MODEL.PIXEL_MEAN", [1.0])
    model = build_model(cfg)
    assert isinstance(model, OSMN) and isinstance(model, nn.Module)
    assert {name.split(".")[1] for name in model.state_dict()} == {"segmentation", "visual", "spatial"}
