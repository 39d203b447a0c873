"""The ROI heads of MaskTrack R-CNN: losses, gradients, detections with embeddings."""

import pytest
import torch
from detectron2.layers import ShapeSpec
from detectron2.modeling import build_roi_heads
from detectron2.structures import Boxes, ImageList, Instances
from detectron2.utils.events import EventStorage

from tests.methods.masktrack_rcnn.pairs import SIZE, objects, small_config, small_model


def features_and_proposals(heads_count):
    rng = torch.Generator().manual_seed(1)
    features = {
        f"p{k}": torch.randn(heads_count, 64, SIZE[0] >> k, SIZE[1] >> k, generator=rng) for k in (2, 3, 4, 5)
    }
    proposals = []
    for _ in range(heads_count):
        per_image = Instances(SIZE)
        corner = torch.rand(12, 2, generator=rng) * 40
        per_image.proposal_boxes = Boxes(torch.cat([corner, corner + 20], dim=1))
        per_image.objectness_logits = torch.zeros(12)
        proposals.append(per_image)
    images = ImageList(torch.zeros(heads_count, 3, *SIZE), [SIZE] * heads_count)
    return images, features, proposals


@pytest.fixture(scope="module")
def roi_heads():
    return small_model().roi_heads


def with_pids(instances, *pids):
    instances.gt_pids = torch.tensor(pids, dtype=torch.int64)
    return instances


def test_without_a_reference_it_trains_as_plain_mask_rcnn(roi_heads):
    images, features, proposals = features_and_proposals(1)
    with EventStorage():
        _, losses = roi_heads.train()(images, features, proposals, [objects(1, 2)])
    assert set(losses) == {"loss_cls", "loss_box_reg", "loss_mask"}


def test_training_without_targets_is_refused(roi_heads):
    images, features, proposals = features_and_proposals(1)
    with pytest.raises(ValueError, match="targets"):
        roi_heads.train()(images, features, proposals)


@pytest.mark.parametrize("references", [(2, 1), (0, 2), (0, 0)])
@pytest.mark.parametrize("empty_key", [False, True])
def test_every_parameter_gets_a_gradient(roi_heads, references, empty_key):
    images, features, proposals = features_and_proposals(2)
    targets = [with_pids(objects(1), 0), with_pids(objects(), *()) if empty_key else with_pids(objects(2), 0)]
    embeddings = [roi_heads.track_head(torch.randn(m, 64, 7, 7)) for m in references]
    roi_heads.train().zero_grad()
    with EventStorage() as storage:
        _, losses = roi_heads(images, features, proposals, targets, embeddings)
        logged = set(storage.latest())
    sum(losses.values()).backward()
    assert torch.isfinite(losses["loss_track"])
    assert [name for name, p in roi_heads.named_parameters() if p.grad is None] == []
    assert "masktrack/track_accuracy" in logged


def test_track_loss_is_that_of_the_foreground_rois_only(roi_heads):
    # No proposal near the object: the appended ground-truth box is the one foreground RoI. With a
    # zero reference embedding both columns have logit 0, so the loss is ln 2.
    images, features, proposals = features_and_proposals(1)
    proposals[0].proposal_boxes.tensor[:] = torch.tensor([70.0, 40, 90, 60])
    with EventStorage():
        _, losses = roi_heads.train()(
            images, features, proposals, [with_pids(objects(0), 1)], [torch.zeros(1, 128)]
        )
    assert losses["loss_track"].item() == pytest.approx(0.693147, abs=1e-5)


def test_stricter_positives_are_a_switch(roi_heads):
    foreground = Instances(SIZE)
    foreground.gt_boxes = Boxes(torch.tensor([[0.0, 0, 10, 10]] * 2))
    foreground.proposal_boxes = Boxes(torch.tensor([[0.0, 0, 10, 6], [0, 0, 10, 8]]))  # IoU 0.6, 0.8
    strict = small_model("MODEL.MASKTRACK.TRACK_POS_IOU", 0.7).roi_heads
    foreground.gt_classes, foreground.gt_pids = torch.tensor([0, 0]), torch.tensor([1, 0])
    rows, reference = torch.tensor([[30.0], [0.0]]), torch.tensor([[1.0]])
    # Row 0 is sure of column 1 (logit 30), its target: 0. Row 1 is undecided: ln 2.
    assert roi_heads.track_loss(rows, [foreground], [reference]).item() == pytest.approx(0.693147 / 2, abs=1e-5)
    assert strict.track_loss(rows, [foreground], [reference]).item() == pytest.approx(0.693147, abs=1e-5)


def test_detections_carry_masks_and_embeddings(roi_heads):
    images, features, proposals = features_and_proposals(2)
    with torch.no_grad():
        found, losses = roi_heads.eval()(images, features, proposals)
    assert losses == {} and len(found) == 2
    for per_image in found:
        n = len(per_image)
        assert n == 10 and per_image.track_embeddings.shape == (n, 128)
        assert per_image.pred_masks.shape == (n, 1, 28, 28)


def test_embeddings_are_those_of_the_final_boxes(roi_heads):
    images, features, proposals = features_and_proposals(1)
    with torch.no_grad():
        (found,), _ = roi_heads.eval()(images, features, proposals)
        expected = roi_heads.embed(features, [found.pred_boxes])
    assert torch.equal(found.track_embeddings, expected)


@pytest.mark.parametrize(
    "overrides, key",
    [
        (("MODEL.MASK_ON", False), "MASK_ON"),
        (("MODEL.KEYPOINT_ON", True), "KEYPOINT_ON"),
        (("MODEL.ROI_BOX_HEAD.TRAIN_ON_PRED_BOXES", True), "TRAIN_ON_PRED_BOXES"),
    ],
)
def test_settings_it_cannot_serve_are_refused(overrides, key):
    shapes = {f"p{k}": ShapeSpec(channels=64, stride=2**k) for k in (2, 3, 4, 5)}
    with pytest.raises(ValueError, match=key):
        build_roi_heads(small_config(*overrides), shapes)
