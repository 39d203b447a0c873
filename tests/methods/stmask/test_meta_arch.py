"""STMask with random weights: every variant trains on every kind of pair, streams, and serves other trackers."""

import pytest
import torch

from tests.methods.masktrack_rcnn.pairs import SIZE, frames, objects
from tests.methods.stmask.models import OUTPUT, eager_model, item, small_config, small_model, train_losses
from vis_projects.methods.stmask import STMask, STMaskTracker
from vis_projects.tracking import build_tracker

FRAME = {"loss_cls", "loss_box", "loss_mask", "loss_track", "loss_center"}
SHIFT = {"loss_box_shift", "loss_mask_shift"}
BASELINE = ("MODEL.STMASK.FCA.KERNELS", ((3, 3), (3, 3), (3, 3)), "MODEL.STMASK.ANCHOR.MODE", "sqrt_ratio",
            "MODEL.STMASK.FCB.TYPE", "none", "MODEL.STMASK.TF.ENABLED", False)
VARIANTS = {
    "baseline": BASELINE,
    "fca": ("MODEL.STMASK.FCB.TYPE", "none", "MODEL.STMASK.TF.ENABLED", False),
    "fca_even": (*BASELINE, "MODEL.STMASK.FCA.KERNELS", ((3, 3), (3, 2), (2, 3)), "MODEL.STMASK.ANCHOR.MODE", "kernel"),
    "ada": (*BASELINE, "MODEL.STMASK.FCB.TYPE", "ada", "MODEL.STMASK.FCB.BRANCHES", ("class", "mask", "track")),
    "ali": (*BASELINE, "MODEL.STMASK.FCB.TYPE", "ali", "MODEL.STMASK.FCB.BRANCHES", ("mask", "track")),
    "tf": (*BASELINE, "MODEL.STMASK.TF.ENABLED", True),
    "tf_p3": ("MODEL.STMASK.TF.LEVEL", "p3", "MODEL.STMASK.TF.PATCH", 13),
    "tf_no_mask": ("MODEL.STMASK.TF.SHIFT_MASK_LOSS", False),
    "full_ada": (),
    "full_ali": ("MODEL.STMASK.FCB.TYPE", "ali"),
    "deformable": ("MODEL.STMASK.DCN_INTERVAL", 3),
    "nine_anchors": ("MODEL.STMASK.ANCHOR.SCALES_PER_KERNEL", (1.0, 1.26, 1.5874)),
    "paper": ("MODEL.STMASK.HEAD.CENTERNESS", False, "MODEL.STMASK.LOSS.MASK_CROP", "pred",
              "MODEL.STMASK.MATCHER.CLASS_AWARE", False, "MODEL.STMASK.MATCHER.MULTI_GT_NEUTRAL", False,
              "MODEL.STMASK.ANCHOR.MODE", "area_ratio", "MODEL.STMASK.LOSS.OHEM_WEIGHT_ORDER", "aligned"),
}


@pytest.fixture(scope="module")
def model():
    return small_model()


def test_it_is_built_by_name(model):
    assert isinstance(model, STMask) and isinstance(model.init_state(OUTPUT).tracker, STMaskTracker)
    assert {key.split(".")[0] for key in model.state_dict()} == {"backbone", "proto_net", "head", "temporal_net"}


@pytest.mark.parametrize(
    "batch",
    [
        [item((), ())], [item((1, 2), ())], [item((), (1, 2))], [item((3,), (3,))], [item((1,), (2,))],
        [item((1, 2, 3), (2, 4)), item((), (5,))],
    ],
    ids=["empty", "empty_later", "empty_earlier", "one_object", "none_shared", "mixed"],
)
def test_every_pair_trains_and_reaches_every_parameter(batch):
    model = small_model()
    losses = train_losses(model, batch)
    assert set(losses) == FRAME | SHIFT
    assert all(torch.isfinite(value) and value.dim() == 0 for value in losses.values())
    sum(losses.values()).backward()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    shared = any(set(i["instances"][0].gt_ids.tolist()) & set(i["instances"][1].gt_ids.tolist()) for i in batch)
    assert (losses["loss_box_shift"] > 0) == (losses["loss_mask_shift"] > 0) == shared


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_trains_and_runs(name):
    model = eager_model(*VARIANTS[name])
    losses = train_losses(model, [item((1, 2), (1, 2))])
    assert set(losses) == (FRAME if name != "paper" else FRAME - {"loss_center"}) | (
        SHIFT if model.temporal_net is not None else set())
    assert all(torch.isfinite(value) for value in losses.values())
    if name == "tf_no_mask":
        assert losses["loss_mask_shift"] == 0
    sum(losses.values()).backward()
    missing = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert missing == []
    (results,) = model.eval()([{"image": frames(2), "video_id": 7, **OUTPUT}])
    assert len(results.tracks) > 0


def test_temporal_fusion_runs_once_on_all_rois_of_a_batch():
    model, calls = small_model(), []
    model.temporal_net.conv1.register_forward_hook(lambda module, inputs, output: calls.append(len(inputs[0])))
    train_losses(model, [item((1, 2), (1, 2)), item((3,), (3,)), item((4,), ())])
    assert len(calls) == 1 and calls[0] >= 3
    train_losses(model, [item((1,), (2,))])
    assert len(calls) == 1  # nothing is shared


@pytest.mark.parametrize("name", ["full_ada", "baseline"])
def test_streaming_equals_batch_and_masks_have_the_output_size(name):
    model = eager_model(*VARIANTS[name]).eval()
    images = frames(4)
    (whole,) = model([{"image": images, "video_id": 7, **OUTPUT}])
    state, seen, scores = model.init_state(OUTPUT), {}, {}
    for t, image in enumerate(images):
        instances, state = model.step(image, state)
        assert instances.pred_masks.shape == (len(instances), 128, 192) and instances.image_size == (128, 192)
        seen[t] = set(instances.pred_ids.tolist())
        for key, score in zip(instances.pred_ids.tolist(), instances.scores.tolist()):
            scores.setdefault(key, []).append(score)
    assert len(whole.tracks) > 0
    for track in whole.tracks:
        assert {t for t in seen if track.track_id in seen[t]} == set(track.segmentations)
    assert {track.track_id for track in whole.tracks} == set(scores)


def test_mixed_precision_finds_objects_too():
    counts = []
    for amp in (False, True):
        model = eager_model("TEST.VIDEO.AMP", amp).eval()
        state = model.init_state(OUTPUT)
        for image in frames(2):
            instances, state = model.step(image, state)
        assert instances.scores.dtype == torch.float32 and torch.isfinite(instances.pred_boxes.tensor).all()
        counts.append(len(instances) > 0)
    assert counts == [True, True]


def test_two_videos_do_not_know_of_each_other():
    model = eager_model().eval()
    first, second = frames(2), frames(2, seed=5)
    alone = model([{"image": second, "video_id": 2, **OUTPUT}])[0]
    both = model([{"image": first, "video_id": 1, **OUTPUT}, {"image": second, "video_id": 2, **OUTPUT}])[1]
    assert [(t.track_id, t.score, t.segmentations) for t in alone.tracks] == [
        (t.track_id, t.score, t.segmentations) for t in both.tracks]


def test_an_object_that_is_missed_is_shown_for_some_frames():
    model = eager_model().eval()
    for layer in (model.temporal_net.fc, model.temporal_net.fc_coeff):
        torch.nn.init.zeros_(layer.weight)  # nothing moves
    image = frames(1)[0]
    state = model.init_state(OUTPUT)
    first, state = model.step(image, state)
    assert len(first) > 0
    model.selector = type(model.selector)(score_threshold=1.0)  # from now on nothing is found
    counts = []
    for _ in range(12):
        shown, state = model.step(image, state)
        assert set(shown.pred_ids.tolist()) <= set(first.pred_ids.tolist())
        counts.append(len(shown))
    assert counts == [len(first)] * 10 + [0, 0]


def test_without_detections_nothing_is_shown():
    model = small_model("MODEL.STMASK.TEST.SCORE_THRESH", 1.0).eval()
    instances, _ = model.step(frames(1)[0], model.init_state(OUTPUT))
    assert len(instances) == 0 and instances.pred_masks.shape == (0, 128, 192)


@pytest.mark.parametrize("tracker", ["MaskTrackRCNNTracker", "CrossVISTracker"])
def test_another_tracker_serves_too(tracker):
    model = eager_model("MODEL.VIS.TRACKER.NAME", tracker).eval()
    (results,) = model([{"image": frames(3), "video_id": 7, **OUTPUT}])
    assert len(results.tracks) > 0


@pytest.mark.parametrize("tracker", ["STMaskTracker", "MaskTrackRCNNTracker"])
def test_given_instances_are_tracked(tracker):
    model = small_model("MODEL.VIS.TRACKER.NAME", tracker).eval()
    state = model.init_state({"height": SIZE[0], "width": SIZE[1]})
    ids = []
    for image, present in zip(frames(3), [(1, 2), (), (1, 2)], strict=True):
        truth = objects(*present)
        given = type(truth)(SIZE, pred_boxes=truth.gt_boxes, scores=torch.ones(len(truth)),
                            pred_classes=truth.gt_classes, pred_masks=truth.gt_masks.tensor)
        tracked, state = model.step_with_given_instances(image, given, state)
        ids.append(tracked.pred_ids.tolist())
        if len(ids) == 1:
            assert (tracked.pred_masks == given.pred_masks).float().mean() > 0.97
    assert ids[0] == [0, 1] and all(k >= 0 for frame in ids for k in frame)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="STMaskMapper"):
        train_losses(small_model(), [{**item((1,), (1,)), "roles": ["earlier", "support"]}])
    with pytest.raises(ValueError, match=r"MODEL\.STMASK\.TF\.LEVEL is 'p2'; the backbone gives"):
        small_model("MODEL.STMASK.TF.LEVEL", "p2")


def test_a_model_without_temporal_fusion_takes_the_weights_of_one_with_it(model):
    other = small_model("MODEL.STMASK.TF.ENABLED", False, seed=3)
    missing, unexpected = other.load_state_dict(model.state_dict(), strict=False)
    assert missing == [] and all(name.startswith("temporal_net.") for name in unexpected)
    assert type(build_tracker(small_config())) is STMaskTracker
