"""The training of the appearance network, and its face to the tracker."""

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances

from tests.tracking.scenes import painted
from vis_projects.config import get_vis_cfg
from vis_projects.methods.deepsort import ReIDNetwork
from vis_projects.methods.deepsort.meta_arch import jitter_boxes

SIZE = (48, 64)
RED, GREEN = (250, 30, 30), (30, 250, 30)


def config(image_format="BGR"):
    cfg = get_vis_cfg()
    cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.DEVICE, cfg.INPUT.FORMAT = "ReIDNetwork", "cpu", image_format
    cfg.MODEL.REID.CROP_SIZE, cfg.MODEL.REID.WIDTH, cfg.MODEL.REID.EMBED_DIM = 16, 8, 8
    return cfg


def network(**kwargs):
    torch.manual_seed(0)
    return build_model(config(**kwargs))


def clip(*frames):
    """A training item; each frame is a list of (x, colour, identity) of squares of side 16."""
    item = {"image": [], "instances": [], "roles": ["key", "reference"], "frame_indices": [0, 1], "video_id": 1}
    for objects in frames:
        boxes = [(x, 8, x + 16, 24) for x, _, _ in objects]
        item["image"].append(painted(*zip(boxes, [colour for _, colour, _ in objects]), size=SIZE))
        truth = Instances(SIZE)
        truth.gt_boxes = Boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4))
        truth.gt_identities = torch.tensor([identity for *_, identity in objects], dtype=torch.int64)
        item["instances"].append(truth)
    return item


def test_clips_without_objects_give_a_zero_that_reaches_every_parameter():
    model = network()
    losses = model([clip([], []), clip([], [])])
    assert losses["loss_reid"] == 0
    losses["loss_reid"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() == 0 for p in model.parameters())


def test_it_learns_two_colours():
    model = network()
    batch = [clip([(4, RED, 0), (30, GREEN, 1)], [(10, RED, 0), (44, GREEN, 1)])]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    first = None
    for _ in range(15):
        loss = model(batch)["loss_reid"]
        first = first or loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5 * first
    model.eval()
    frame = batch[0]["image"][1]
    vectors = model.embed(frame, torch.tensor([[10.0, 8, 26, 24], [12, 9, 27, 25], [44, 8, 60, 24]]))
    cosines = vectors @ vectors.t()
    assert cosines[0, 1] > cosines[0, 2]


def test_embed_of_no_boxes():
    vectors = network().eval().embed(painted(size=SIZE), torch.zeros(0, 4))
    assert vectors.shape == (0, 8)


def test_the_channel_order_of_the_detector_does_not_matter():
    frame, box = painted(((10, 8, 26, 24), RED), size=SIZE), torch.tensor([[8.0, 6, 30, 28]])
    bgr, rgb = network(), network(image_format="RGB")
    rgb.load_state_dict(bgr.state_dict())
    assert torch.allclose(bgr.embed(frame, box), rgb.embed(frame.flip(0), box), atol=1e-6)


def test_the_normalisation_of_the_detector_does_not_matter():
    cfg = config()
    cfg.MODEL.PIXEL_STD = [57.0, 57.0, 58.0]
    torch.manual_seed(0)
    other = build_model(cfg)
    frame, box = painted(((10, 8, 26, 24), RED), size=SIZE), torch.tensor([[8.0, 6, 30, 28]])
    assert torch.equal(other.embed(frame, box), network().embed(frame, box))


def test_evaluation_names_the_remedy():
    with pytest.raises(RuntimeError, match="MODEL.VIS.TRACKER.WEIGHTS"):
        network().eval()([clip([], [])])


def test_other_channel_orders_are_refused():
    with pytest.raises(ValueError, match="INPUT.FORMAT is 'YUV-BT.601'"):
        network(image_format="YUV-BT.601")


def test_jitter_stays_within_its_fraction():
    boxes = torch.tensor([[0.0, 0, 10, 40]]).repeat(200, 1)
    away = (jitter_boxes(boxes, 0.1) - boxes).abs()
    assert away[:, [0, 2]].max() <= 1 and away[:, [1, 3]].max() <= 4 and away.max() > 3
    assert torch.equal(jitter_boxes(boxes, 0.0), boxes)
    assert jitter_boxes(torch.zeros(0, 4), 0.1).shape == (0, 4)


def test_it_is_registered_as_the_network_of_deepsort():
    from vis_projects.tracking import DeepSORTTracker

    assert DeepSORTTracker.network_arch(config()) == ReIDNetwork.__name__
