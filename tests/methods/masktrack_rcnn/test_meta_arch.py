"""The whole model with random weights: training on pairs, tracking a video, broken weights."""

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.utils.events import EventStorage

from tests.methods.few_steps import totals_of_steps
from tests.methods.masktrack_rcnn.pairs import SIZE, frames, pair, small_config, small_model
from vis_projects.methods.masktrack_rcnn import MaskTrackRCNN, MaskTrackRCNNTracker

LOSSES = {"loss_rpn_cls", "loss_rpn_loc", "loss_cls", "loss_box_reg", "loss_mask", "loss_track"}
OUTPUT = {"height": 128, "width": 192}


@pytest.fixture(scope="module")
def model():
    return small_model()


def train_losses(model, batch):
    torch.manual_seed(0)
    with EventStorage():
        return model.train()(batch)


def results_of(model, images):
    return model.eval()([{"image": images, "video_id": 7, **OUTPUT}])[0]


def test_it_is_built_by_name(model):
    assert isinstance(model, MaskTrackRCNN)
    assert isinstance(model.init_state(OUTPUT).tracker, MaskTrackRCNNTracker)
    assert {key.split(".")[0] for key in model.state_dict()} == {"backbone", "proposal_generator", "roi_heads"}


def test_parameters_are_those_of_mask_rcnn_and_the_track_head(model):
    plain = build_model(
        small_config("MODEL.META_ARCHITECTURE", "GeneralizedRCNN", "MODEL.ROI_HEADS.NAME", "StandardROIHeads")
    )
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert missing == [f"roi_heads.track_head.fcs.{k}.{part}" for k in (0, 1) for part in ("weight", "bias")]


def test_switches_of_the_first_codes_conventions_train():
    model = small_model("MODEL.ROI_BOX_HEAD.POOLER_TYPE", "ROIAlign", "MODEL.RPN.BOUNDARY_THRESH", 0)
    assert set(train_losses(model, [pair((1, 2), (1,))])) == LOSSES


@pytest.mark.parametrize(
    "batch",
    [
        [pair((), ())],
        [pair((1, 2), ())],
        [pair((), (1, 2))],
        [pair((3,), (3,))],
        [pair((1, 2, 3), (2, 4)), pair((), (5,))],
    ],
    ids=["empty", "empty_reference", "empty_key", "one_object", "mixed"],
)
def test_every_pair_trains_and_reaches_every_parameter(model, batch):
    model.zero_grad()
    losses = train_losses(model, batch)
    assert set(losses) == LOSSES
    assert all(torch.isfinite(value) and value.dim() == 0 for value in losses.values())
    sum(losses.values()).backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


def test_the_track_loss_reaches_the_backbone_through_both_frames(model):
    item = pair((1, 2), (1, 2))
    for frame in (0, 1):
        images = torch.stack([image.float() for image in item["image"]]).requires_grad_()
        with EventStorage():
            loss = model.train()([{**item, "image": list(images)}])["loss_track"]
        (gradient,) = torch.autograd.grad(loss, images)
        assert gradient[frame].abs().sum() > 0


def test_the_reference_frame_has_no_detection_losses(model):
    # In eval mode batch norm keeps frames apart; the heads stay in training mode.
    def losses(item):
        model.train(), model.backbone.eval()
        torch.manual_seed(0)
        with EventStorage():
            return model([item])

    plain, other = pair((1, 2), (1,)), pair((1, 2), (1,))
    other["image"] = [other["image"][0], 255 - other["image"][1]]
    one, two = losses(plain), losses(other)
    for name in LOSSES - {"loss_track"}:
        assert one[name].item() == two[name].item()
    assert one["loss_track"].item() != two["loss_track"].item()


def test_order_of_roles_does_not_matter(model):
    item, swapped = pair((1, 2), (2, 3)), pair((1, 2), (2, 3), roles=("reference", "key"))
    swapped["image"] = item["image"][::-1]
    one, two = train_losses(model, [item]), train_losses(model, [swapped])
    for name in LOSSES:
        assert one[name].item() == pytest.approx(two[name].item(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("roles", [("key", "key"), ("key", "support")])
def test_clips_of_another_shape_are_refused(model, roles):
    item = {**pair((1,), (1,)), "roles": list(roles)}
    with pytest.raises(ValueError, match="MaskTrackRCNNMapper"):
        train_losses(model, [item])


def test_a_few_steps_lower_the_loss():
    model, item = small_model(), pair((1, 2), (1, 2))
    totals = totals_of_steps(model, lambda: train_losses(model, [item]), 40)
    assert totals[-1] < 0.7 * totals[0]


def test_empty_and_one_frame_videos(model):
    assert (results_of(model, []).length, results_of(model, []).tracks) == (0, [])
    one = results_of(model, frames(1))
    assert one.length == 1 and [t.track_id for t in one.tracks] == list(range(len(one.tracks)))
    assert len(one.tracks) == 10


def test_video_without_detections():
    model = small_model("MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.999)
    results = results_of(model, frames(3))
    assert (results.length, results.tracks) == (3, [])


def test_streaming_equals_batch(model):
    images = frames(4)
    batch = results_of(model, images)
    state, streamed = model.init_state(OUTPUT), {}
    for t, image in enumerate(images):
        instances, state = model.step(image, state)
        assert instances.image_size == (OUTPUT["height"], OUTPUT["width"])
        assert instances.pred_masks.shape[1:] == instances.image_size
        for k, track_id in enumerate(instances.pred_ids.tolist()):
            row = (instances.scores[k].item(), tuple(instances.pred_boxes.tensor[k].tolist()))
            streamed.setdefault(track_id, {})[t] = row
    assert {t.track_id: {f: (t.frame_scores[f], t.boxes[f]) for f in t.boxes} for t in batch.tracks} == streamed


def test_two_videos_side_by_side_do_not_disturb_each_other(model):
    model.eval()
    images, alone, one, other = frames(3), [], model.init_state(OUTPUT), model.init_state(OUTPUT)
    state = model.init_state(OUTPUT)
    for image in images:
        instances, state = model.step(image, state)
        alone.append(instances.pred_ids.tolist())
    mixed = []
    for image in images:
        instances, one = model.step(image, one)
        mixed.append(instances.pred_ids.tolist())
        _, other = model.step(255 - image, other)
    assert mixed == alone


def test_results_do_not_depend_on_the_padding_of_other_sizes(model):
    image = frames(1)[0][:, :50, :70]
    instances, _ = model.eval().step(image, model.init_state({"height": 100, "width": 140}))
    boxes = instances.pred_boxes.tensor
    assert (boxes >= 0).all() and (boxes[:, [0, 2]] <= 140).all() and (boxes[:, [1, 3]] <= 100).all()


def test_given_boxes_get_the_embeddings_that_their_detection_has(model):
    # what was detected, given back at another output size: the same boxes in the network's pixels
    image = frames(1)[0]
    images = model.eval()._preprocess_frame(image)
    with torch.no_grad():
        detected = model.detect(images, model.init_state(OUTPUT))
        described = model.describe(images, detected, model.init_state(OUTPUT))
    assert len(detected) == 10
    torch.testing.assert_close(described.track_embeddings, detected.track_embeddings, rtol=1e-4, atol=1e-5)
    tracked, state = model.step_with_given_instances(image, detected, model.init_state(OUTPUT))
    again, _ = model.step_with_given_instances(image, detected, state)
    assert tracked.pred_ids.tolist() == list(range(10)) and set(again.pred_ids.tolist()) <= set(range(10))


def test_mixed_precision_runs():
    results = results_of(small_model("TEST.VIDEO.AMP", True), frames(2))
    assert results.length == 2 and results.tracks


def test_config_changes_after_building_do_not_reach_new_videos():
    cfg = small_config()
    built = build_model(cfg)
    cfg.MODEL.MASKTRACK.MATCH_COEFF = (0.0, 0.0, 0.0)
    assert built.init_state(OUTPUT).tracker.match_coeff == (1.0, 2.0, 10.0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_broken_weights(bad):
    model = small_model()
    with torch.no_grad():
        model.roi_heads.track_head.fcs[1].bias.fill_(bad)
    with pytest.raises(FloatingPointError, match="checkpoint"):
        results_of(model, frames(1))
    with torch.no_grad():
        model.backbone.fpn_output2.bias.fill_(bad)
    # Nothing finite is left to propose: a video without tracks, and an error in training.
    with torch.no_grad():
        for level in (3, 4, 5):
            getattr(model.backbone, f"fpn_output{level}").bias.fill_(bad)
    assert results_of(model, frames(2)).tracks == []
    with pytest.raises(FloatingPointError):
        train_losses(model, [pair((1,), (1,))])


def test_output_size_is_independent_of_the_frame_size(model):
    state = model.eval().init_state({"height": SIZE[0], "width": SIZE[1]})
    instances, _ = model.step(frames(1)[0], state)
    assert instances.pred_masks.shape[1:] == SIZE
