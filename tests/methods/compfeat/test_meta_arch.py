"""The whole model with random weights: training on clips, tracking online and offline, the state of a video."""

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.utils.events import EventStorage

from tests.methods.compfeat.clips import OFF, OUTPUT, clip, small_config, small_model, wake
from tests.methods.few_steps import totals_of_steps
from tests.methods.masktrack_rcnn.pairs import SIZE, frames
from vis_projects.methods.compfeat import CompFeat, CompFeatTracker

LOSSES = {"loss_rpn_cls", "loss_rpn_loc", "loss_cls", "loss_box_reg", "loss_mask", "loss_track", "loss_map"}
FDA_ONLY = ("MODEL.COMPFEAT.BDA.ENABLED", False, "MODEL.COMPFEAT.TRACK.HEAD", "dot_fc")
BDA_ONLY = ("MODEL.COMPFEAT.FDA.ENABLED", False, "MODEL.COMPFEAT.TRACK.HEAD", "dot_fc")
CM_ONLY = OFF[:4]
PAST = ("MODEL.COMPFEAT.TEST.SUPPORT", "uniform_past")


@pytest.fixture(scope="module")
def model():
    return wake(small_model())


def train_losses(model, batch):
    torch.manual_seed(0)
    with EventStorage():
        return model.train()(batch)


def results_of(model, images):
    return model.eval()([{"image": images, "video_id": 7, **OUTPUT}])[0]


def streamed(model, images):
    """frame -> (id, score, box) of each object, one frame at a time."""
    state, found = model.eval().init_state(OUTPUT), []
    for image in images:
        instances, state = model.step(image, state)
        rows = zip(instances.pred_ids.tolist(), instances.scores.tolist(), instances.pred_boxes.tensor.tolist())
        found.append(sorted((i, s, tuple(b)) for i, s, b in rows))
    return found


def by_frame(results):
    return [sorted((t.track_id, t.frame_scores[k], t.boxes[k]) for t in results.tracks if k in t.boxes)
            for k in range(results.length)]


def test_it_is_built_by_name(model):
    assert isinstance(model, CompFeat) and model.uses_supports
    assert isinstance(model.init_state(OUTPUT).tracker, CompFeatTracker)
    assert {key.split(".")[0] for key in model.state_dict()} == {
        "backbone", "proposal_generator", "roi_heads", "frame_attention"}


def test_a_mask_rcnn_checkpoint_fits(model):
    plain = build_model(small_config(
        "MODEL.META_ARCHITECTURE", "GeneralizedRCNN", "MODEL.ROI_HEADS.NAME", "StandardROIHeads",
        "MODEL.BACKBONE.NAME", "build_resnet_fpn_backbone"))
    missing, unexpected = small_model().load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    new = ("frame_attention.", "roi_heads.object_attention.", "roi_heads.track_head.")
    assert all(name.startswith(new) for name in missing)


@pytest.mark.parametrize(
    "batch",
    [
        [clip((), ())],
        [clip((1, 2), ())],
        [clip((), (1, 2))],
        [clip((3,), (3,), supports=1)],
        [clip((1, 2, 3), (2, 4), supports=3), clip((), (5,), supports=3)],
    ],
    ids=["empty", "empty_reference", "empty_key", "one_object", "mixed"],
)
def test_every_clip_trains_and_reaches_every_parameter(model, batch):
    model.zero_grad()
    losses = train_losses(model, batch)
    assert set(losses) == LOSSES
    assert all(torch.isfinite(value) and value.dim() == 0 for value in losses.values())
    sum(losses.values()).backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.parametrize(
    "overrides, absent",
    [
        (FDA_ONLY, {"loss_map"}),
        (BDA_ONLY, {"loss_map"}),
        (CM_ONLY, set()),
        (("MODEL.COMPFEAT.TRACK.USE_MAP", False), {"loss_map"}),
        (("MODEL.COMPFEAT.FDA.TEMPORAL", False, "MODEL.COMPFEAT.BDA.TEMPORAL", False), set()),
        (("MODEL.COMPFEAT.FDA.SPATIAL", False, "MODEL.COMPFEAT.BDA.SPATIAL", False), set()),
        (("MODEL.COMPFEAT.FDA.PLACEMENT", "fpn", "MODEL.COMPFEAT.FDA.STAGES", ("p4", "p5")), set()),
        (("MODEL.COMPFEAT.MASK_PADDING", True), set()),
        (("MODEL.COMPFEAT.SUPPORT_GRAD", False), set()),
        (("MODEL.COMPFEAT.BDA.APPLY_TO", ("mask",)), set()),
        (("MODEL.COMPFEAT.BDA.APPLY_TO", ("box", "mask"), "MODEL.COMPFEAT.BDA.KEY_LEVEL", "assigned"), set()),
        (("MODEL.COMPFEAT.TRACK.SEARCH_LEVEL", "scale", "MODEL.COMPFEAT.TRACK.MAP_LOSS", "focal"), set()),
        (("MODEL.COMPFEAT.TRACK.MEMORY_FEATS", "attended", "MODEL.COMPFEAT.TRACK.MAP_LOSS", "mse"), set()),
        (("MODEL.COMPFEAT.FDA.GATE", True, "MODEL.COMPFEAT.FDA.SHARE_KEY", True), set()),
    ],
    ids=["fda", "bda", "cm", "no_map", "spatial", "temporal", "fpn", "padding", "constant_supports", "mask_only",
         "assigned", "scale", "attended_memory", "gate"],
)
def test_every_switch_trains_and_tracks(overrides, absent):
    model = wake(small_model(*overrides))
    losses = train_losses(model, [clip((1, 2), (2, 3)), clip((4,), (4,))])
    assert set(losses) == LOSSES - absent
    sum(losses.values()).backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    results = results_of(model, frames(3))
    assert results.length == 3 and results.tracks


def test_gradients_reach_the_supports():
    model = wake(small_model()).train()
    model.backbone.eval()  # batch norm keeps frames apart
    item = clip((1, 2), (1, 2))
    images = torch.stack([image.float() for image in item["image"]]).requires_grad_()
    with EventStorage():
        torch.manual_seed(0)
        losses = model([{**item, "image": list(images)}])
    (gradient,) = torch.autograd.grad(losses["loss_cls"], images)
    assert [bool(g.abs().sum() > 0) for g in gradient] == [True, True, True, False]  # the reference has no part in it


def test_constant_supports_get_no_gradient_but_their_projections_learn():
    model = wake(small_model("MODEL.COMPFEAT.SUPPORT_GRAD", False)).train()
    model.backbone.eval()  # batch norm keeps frames apart
    item = clip((1, 2), (1, 2))
    images = torch.stack([image.float() for image in item["image"]]).requires_grad_()
    with EventStorage():
        loss = model([{**item, "image": list(images)}])["loss_cls"]
    loss.backward()
    assert [bool(g.abs().sum() > 0) for g in images.grad] == [True, False, False, False]
    levels = (model.frame_attention.stages["res4"], model.roi_heads.object_attention.attention)
    for temporal in (level.temporal for level in levels):
        assert temporal.key_conv.weight.grad.abs().sum() > 0


def test_the_order_of_supports_does_not_matter():
    model = wake(small_model())
    model.train(), model.backbone.eval()  # batch norm keeps frames apart
    item = clip((1, 2), (1, 2))
    swapped = {**item, "image": [item["image"][k] for k in (0, 2, 1, 3)]}
    found = []
    for given in (item, swapped):
        torch.manual_seed(0)
        with EventStorage():
            found.append(model([given]))
    for name in LOSSES:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "roles, message", [(["key", "reference"], "NUM_SUPPORT_FRAMES"), (["key", "support"], "CompFeatMapper"),
                       (["key", "key", "support", "reference"], "CompFeatMapper")])
def test_clips_of_another_shape_are_refused(model, roles, message):
    item = clip((1,), (1,))
    item = {**item, "roles": roles, "image": item["image"][: len(roles)], "instances": item["instances"][: len(roles)]}
    with pytest.raises(ValueError, match=message):
        train_losses(model, [item])


def test_a_few_steps_lower_the_loss():
    model, item = small_model(), clip((1, 2), (1, 2))
    totals = totals_of_steps(model, lambda: train_losses(model, [item]), 15)
    assert totals[-1] < 0.9 * totals[0]


@pytest.mark.parametrize("mode", ["uniform_video", "uniform_past", "recent"])
def test_empty_and_one_frame_videos(mode):
    model = wake(small_model("MODEL.COMPFEAT.TEST.SUPPORT", mode))
    assert (results_of(model, []).length, results_of(model, []).tracks) == (0, [])
    one = results_of(model, frames(1))
    assert one.length == 1 and [t.track_id for t in one.tracks] == list(range(10))


FEW = ("MODEL.COMPFEAT.TEST.NUM_SUPPORT", 2, "MODEL.COMPFEAT.TEST.CACHE_FRAMES", 3)


@pytest.mark.parametrize(
    "overrides", [PAST, ("MODEL.COMPFEAT.TEST.SUPPORT", "recent"), (*PAST, *FDA_ONLY), (*PAST, *FEW)])
def test_streaming_equals_batch(overrides):
    model, images = wake(small_model(*overrides)), frames(6)
    batch = results_of(model, images)
    assert by_frame(batch) == streamed(model, images)
    assert batch.inference_mode == f"online, supports {model.support_options['mode']}"


def test_online_results_do_not_depend_on_later_frames():
    model, images = wake(small_model(*PAST)), frames(5)
    later = [255 - image for image in frames(3, seed=5)]
    assert by_frame(results_of(model, images))[:3] == by_frame(results_of(model, [*images[:3], *later]))[:3]


def test_offline_results_do_and_say_so(model):
    images = frames(5)
    results = results_of(model, images)
    assert results.inference_mode == "offline, supports uniform_video"
    other = results_of(model, [*images[:3], *(255 - image for image in images[3:])])
    assert by_frame(results)[0] != by_frame(other)[0]


def test_a_stream_of_an_offline_model_is_online():
    # fewer frames than the cache holds: its supports are those of the rule of the past
    images = frames(4)
    model, online = wake(small_model()), wake(small_model(*PAST))
    assert streamed(model, images) == streamed(online, images)
    assert model.init_state(OUTPUT).inference_mode == "online, supports uniform_past"
    assert small_model(*OFF).init_state(OUTPUT).inference_mode == "online"


def test_cached_supports_equal_those_made_anew():
    # each frame again with all of its supports projected for it
    model, images = wake(small_model("MODEL.COMPFEAT.TEST.SUPPORT", "recent")).eval(), frames(5)
    state = model.init_state(OUTPUT)
    for t, image in enumerate(images):
        with torch.no_grad():
            sites = [model._project_frame(x) for x in images[max(0, t - 4) : t] or [image]]
            anew = {name: tuple(torch.stack([s[name][k] for s in sites], 1) for k in (0, 1)) for name in sites[0]}
            cached = state.supports.supports_of(t, lambda image=image: model._project_frame(image), None)
        for name, pair in anew.items():
            for ours, theirs in zip(cached[name], pair):
                # the same frames, in another order, and with fewer than four some of them twice
                apart = (ours[:, :, None] - theirs[:, None]).abs().flatten(3).amax((0, 3))
                assert apart.amin(0).max() < 1e-5 and apart.amin(1).max() < 1e-5
        _, state = model.step(image, state)


def test_two_videos_side_by_side_do_not_disturb_each_other():
    model, images = wake(small_model(*PAST)).eval(), frames(3)
    alone, one, other, mixed = streamed(model, images), model.init_state(OUTPUT), model.init_state(OUTPUT), []
    for image in images:
        instances, one = model.step(image, one)
        mixed.append(sorted(instances.pred_ids.tolist()))
        _, other = model.step(255 - image, other)
    assert mixed == [sorted(i for i, _, _ in frame) for frame in alone]


def test_more_supports_than_in_training(model):
    for count in (1, 2, 3, 5):
        model.support_options = {**model.support_options, "count": count}
        assert results_of(model, frames(4)).tracks
    model.support_options = {**model.support_options, "count": 4}


def test_given_boxes_are_scored_as_their_detection_is():
    model, image = wake(small_model(*PAST)).eval(), frames(1)[0]
    images = model._preprocess_frame(image)
    with torch.no_grad():
        detected = model.detect(images, model.init_state(OUTPUT))
        described = model.describe(images, detected, model.init_state(OUTPUT))
    assert len(detected) == 10 and detected.memory_looks.shape == (10, 64, 7, 7)
    torch.testing.assert_close(described.memory_looks, detected.memory_looks, rtol=1e-3, atol=1e-4)
    tracked, state = model.step_with_given_instances(image, detected, model.init_state(OUTPUT))
    again, _ = model.step_with_given_instances(image, detected, state)
    assert tracked.pred_ids.tolist() == list(range(10)) and len(again) > 0


def test_the_memory_keeps_features_without_attention_or_with_it():
    image = frames(1)[0]
    raw, attended = (wake(small_model(*PAST, "MODEL.COMPFEAT.TRACK.MEMORY_FEATS", kind)).eval()
                     for kind in ("raw", "attended"))
    kept = []
    for model in (raw, attended):
        _, state = model.step(image, model.init_state(OUTPUT))
        kept.append(state.tracker.memory.embeddings)
    assert kept[0].shape == kept[1].shape and (kept[0] - kept[1]).abs().max() > 1e-2


def test_the_state_of_a_video_stays_small():
    model = wake(small_model(*PAST, "MODEL.COMPFEAT.TEST.CACHE_FRAMES", 6, "MODEL.COMPFEAT.TRACK.RETAIN_FRAMES", 3))
    model.eval()
    state, sizes = model.init_state(OUTPUT), []
    for image in frames(20):
        _, state = model.step(image, state)
        sizes.append(state.supports.nbytes + state.tracker.memory.embeddings.nbytes)
    # ten detections a frame are remembered for at most four frames
    assert max(sizes) <= sizes[0] + 40 * 64 * 49 * 4
    assert set(map(len, state.supports._caches.values())) == {6}


def test_mixed_precision_runs():
    results = results_of(wake(small_model("TEST.VIDEO.AMP", True)), frames(2))
    assert results.length == 2 and results.tracks


def test_config_changes_after_building_do_not_reach_new_videos():
    cfg = small_config()
    built = build_model(cfg)
    cfg.MODEL.COMPFEAT.TRACK.MATCH_COEFF = (0.0, 0.0, 0.0)
    assert built.init_state(OUTPUT).tracker.match_coeff == (1.0, 2.0, 10.0)


def test_broken_weights():
    model = small_model()
    with torch.no_grad():
        model.roi_heads.track_head.score_out.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="checkpoint"):
        results_of(model, frames(2))


@pytest.mark.parametrize(
    "override, message",
    [
        (("MODEL.BACKBONE.NAME", "build_resnet_fpn_backbone"), "build_split_resnet_fpn_backbone"),
        (("MODEL.COMPFEAT.FDA.PLACEMENT", "neck"), "PLACEMENT is 'neck'|STAGES"),
        (("MODEL.COMPFEAT.FDA.STAGES", ("p4",)), "FDA.STAGES"),
        (("MODEL.COMPFEAT.TRACK.MEMORY_FEATS", "all"), "MEMORY_FEATS"),
        (("MODEL.COMPFEAT.TRACK.HEAD", "fc"), "TRACK.HEAD"),
        (("MODEL.COMPFEAT.TRACK.MAP_LOSS", "l1"), "MAP_LOSS"),
        (("MODEL.COMPFEAT.BDA.APPLY_TO", ("cls",)), "APPLY_TO"),
        (("MODEL.COMPFEAT.TEST.SUPPORT", "all"), "TEST.SUPPORT"),
        (("MODEL.COMPFEAT.TEST.NUM_SUPPORT", 0), "NUM_SUPPORT"),
        (("MODEL.COMPFEAT.TEST.CACHE_FRAMES", 2), "CACHE_FRAMES"),
        (("MODEL.MASK_ON", False), "MASK_ON"),
    ],
)
def test_settings_it_cannot_serve_are_refused(override, message):
    with pytest.raises(ValueError, match=message):
        small_model(*override)


def test_output_size_is_independent_of_the_frame_size(model):
    instances, _ = model.eval().step(frames(1)[0][:, :50, :70], model.init_state({"height": SIZE[0], "width": SIZE[1]}))
    assert instances.pred_masks.shape[1:] == SIZE
