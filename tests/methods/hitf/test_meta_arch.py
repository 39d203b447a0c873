"""HITF with random weights: training on every clip, streaming against one pass, what a frame depends on."""

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.structures import Boxes, ImageList, Instances
from detectron2.utils.events import EventStorage

from tests.methods.hitf.clips import OUTPUT, clip_item, small_config, small_model
from tests.methods.masktrack_rcnn.pairs import frames
from vis_projects.methods.hitf import HITF, HITFTracker

ALL = {"loss_mask", "loss_cls", "loss_neg", "loss_mask_id", "loss_inst_disc", "loss_sem"}


def train_losses(model, batch):
    torch.manual_seed(0)
    with EventStorage():
        return model.train()(batch)


def test_it_is_built_by_name():
    model = small_model()
    assert isinstance(model, HITF) and isinstance(model.init_state(OUTPUT).tracker, HITFTracker)
    assert {key.split(".")[0] for key in model.state_dict()} == {"backbone", "fusion", "head", "semantic_head"}
    assert any(key.startswith("backbone.bottom_up.res5.0.conv1") for key in model.state_dict())


CLIPS = {
    "empty": [clip_item((), (), (), ())],
    "steady": [clip_item((1, 2), (1, 2), (1, 2), (1, 2))],
    "newborn": [clip_item((), (), (), (3,))],
    "gone": [clip_item((1,), (1,), (1, 2), ())],
    "seven_in_six_slots": [clip_item(*[(1, 2, 3, 4, 5, 6, 7)] * 4)],
    "first_frame": [clip_item((1,), (1,), (1,), (1,), key=0)],
    "mixed": [clip_item((1, 2), (2,), (2, 3), (1, 3)), clip_item((), (), (), ())],
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("loss_frames", ["t", "both"])
def test_every_clip_trains_and_reaches_every_parameter(name, loss_frames):
    model = small_model("MODEL.HITF.LOSS_FRAMES", loss_frames, stir=False)
    losses = train_losses(model, CLIPS[name])
    assert set(losses) == ALL and all(torch.isfinite(v) and v.dim() == 0 for v in losses.values())
    sum(losses.values()).backward()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.parametrize("options", [
    ("INTER.P2C", False), ("INTER.C2C_C2P", False), ("INTER.P2C", False, "INTER.C2C_C2P", False), ("NUM_ALT", 3),
    ("NUM_SLOTS", 9), ("N_REF", 2, "REF_PAD", "mask"), ("BG_SLOT", "none"), ("NORM", "bn"), ("LOGIT_SCALE", "none"),
    ("LOGIT_NORM", "bn"), ("P2C_SEQUENTIAL", True), ("PIXEL_FFN", True), ("PE", "full"),
    ("PE_SHARED", False, "NUM_ALT", 2), ("MASK_PADDING", True), ("PQ_WEIGHTS", "const"), ("AUX.SEM_TYPE", "deeplab"),
    ("PIXEL_ATTN", "axial"),
    ("PIXEL_ATTN", "global"), ("PIXEL_ATTN", "axial", "PIXEL_ATTN_MODE", "replace"), ("SQUARE_CANVAS", True),
    ("REF_GRAD", False), ("LOSS_FRAMES", "t"),
], ids=lambda options: "-".join(str(x) for x in options))
def test_every_switch_trains_and_tracks(options):
    keys = [f"MODEL.HITF.{x}" if k % 2 == 0 else x for k, x in enumerate(options)]
    model = small_model(*keys, stir=False)
    losses = train_losses(model, CLIPS["mixed"])
    sum(losses.values()).backward()
    assert all(torch.isfinite(v) for v in losses.values())
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    (results,) = model.eval()([{"image": frames(2), "video_id": 1, **OUTPUT}])
    assert results.length == 2


def test_auxiliary_losses_can_be_off():
    model = small_model("MODEL.HITF.AUX.SEM", 0.0, "MODEL.HITF.AUX.MASK_ID", 0.0, "MODEL.HITF.AUX.INST_DISC", 0.0)
    assert model.semantic_head is None
    assert set(train_losses(model, CLIPS["steady"])) == {"loss_mask", "loss_cls", "loss_neg"}


def test_without_pairs_a_clip_is_shorter():
    model = small_model("MODEL.HITF.PM", False, "MODEL.HITF.LOSS_FRAMES", "t")
    assert set(train_losses(model, [clip_item((1,), (1,), (1, 2), pair=False)])) == ALL
    with pytest.raises(ValueError, match="HITFMapper"):
        train_losses(model, CLIPS["steady"])


def test_reference_gradients_change_gradients_and_no_loss():
    found = {}
    for switch in (True, False):
        frozen = ("MODEL.RESNETS.NORM", "FrozenBN", "MODEL.HITF.LOSS_FRAMES", "t")
        model = small_model("MODEL.HITF.REF_GRAD", switch, *frozen)
        losses = train_losses(model, CLIPS["steady"])
        sum(losses.values()).backward()
        found[switch] = ({n: v.item() for n, v in losses.items()}, model.backbone.bottom_up.res5[2].conv1.weight.grad)
    assert found[True][0] == pytest.approx(found[False][0], rel=1e-4)
    assert not torch.allclose(found[True][1], found[False][1], rtol=1e-3)


# inference


def stepped(model, images):
    """Predictions of each frame, step by step."""
    state, found = model.init_state(OUTPUT), []
    with torch.no_grad():
        for image in images:
            found.append(model.predict(model._preprocess_frame(image), state))
    return found


@pytest.mark.parametrize("padding", ["repeat", "mask"])
def test_frame_by_frame_equals_one_pass_over_the_video(padding):
    model = small_model("MODEL.HITF.REF_PAD", padding)
    images = frames(6)
    whole = ImageList.from_tensors([(x.float() - model.pixel_mean) / model.pixel_std for x in images], 0,
                                   padding_constraints=model.backbone.padding_constraints)
    count = model.fusion.num_references
    with torch.no_grad():
        encoded = model.backbone(whole.tensor)
        kept = model.fusion.project(encoded["res5"], encoded["code"])
        back = torch.arange(len(images))[:, None] - torch.arange(1, count + 1)[None]
        present = (back >= 0) if padding == "mask" else None
        # the first frame repeats, also as its own reference
        references = tuple(x[back.clamp(min=0)] for x in kept)
        at_once = model._fuse_and_predict(encoded, references, present, None)
    for t, one in enumerate(stepped(model, images)):
        assert torch.allclose(one.class_logits[0], at_once.class_logits[t], atol=1e-5)
        assert torch.allclose(one.mask_logits[0], at_once.mask_logits[t], atol=1e-5)


def test_streaming_equals_the_whole_video_model():
    model = small_model()
    images = frames(5)
    (whole,) = model([{"image": images, "video_id": 7, **OUTPUT}])
    state, seen = model.init_state(OUTPUT), {}
    for t, image in enumerate(images):
        instances, state = model.step(image, state)
        assert instances.image_size == (128, 192) and instances.pred_masks.shape[1:] == (128, 192)
        for k, identity in enumerate(instances.pred_ids.tolist()):
            seen.setdefault(identity, {})[t] = instances.scores[k].item()
    assert seen and {track.track_id: track.frame_scores for track in whole.tracks} == seen


def test_a_frame_depends_on_itself_and_its_references_alone():
    model = small_model()
    images, other = frames(6), frames(1, seed=9)[0]
    plain = stepped(model, images)[4]
    # two references: frames 2 and 3 count for frame 4, frames 0, 1 and 5 do not
    for t in range(6):
        changed = [other if k == t else image for k, image in enumerate(images)]
        same = torch.equal(stepped(model, changed)[4].class_logits, plain.class_logits)
        assert same == (t in (0, 1, 5))


@pytest.mark.parametrize("padding, start", [("repeat", 0), ("mask", 2)])
def test_a_still_video_gives_the_same_masks_and_identities(padding, start):
    model = small_model("MODEL.HITF.REF_PAD", padding)
    image = frames(1)[0]
    found = stepped(model, [image] * 5)
    for one in found[start:]:
        assert torch.allclose(one.mask_logits, found[-1].mask_logits, atol=1e-5)
    state, ids = model.init_state(OUTPUT), []
    for _ in range(5):
        instances, state = model.step(image, state)
        ids.append(instances.pred_ids.tolist())
    assert ids[-1] and all(x == ids[-1] for x in ids[start:])


def test_without_inter_frame_attention_frames_do_not_know_each_other():
    model = small_model("MODEL.HITF.INTER.P2C", False, "MODEL.HITF.INTER.C2C_C2P", False)
    images = frames(3)
    alone = stepped(model, [images[2]])[0]
    assert torch.equal(stepped(model, images)[2].mask_logits, alone.mask_logits)
    assert not any(".inter." in name or ".positions." in name for name in model.state_dict())


def test_a_videos_state_holds_its_last_references_alone():
    model = small_model()
    state = model.init_state(OUTPUT)
    for image in frames(8):
        _, state = model.step(image, state)
    assert len(state.ring) == 2 and state.num_frames == 8
    assert len(model.init_state(OUTPUT).ring) == 0


def test_mixed_precision_gives_results():
    model = small_model("TEST.VIDEO.AMP", True)
    (results,) = model([{"image": frames(2), "video_id": 7, **OUTPUT}])
    assert results.length == 2


def test_given_instances_are_followed():
    model, state = small_model(), None
    state = model.init_state(OUTPUT)
    ids = []
    for image in frames(3):
        given = Instances((128, 192), pred_boxes=Boxes(torch.tensor([[0.0, 0, 60, 60], [90, 60, 190, 120]])),
                          scores=torch.ones(2), pred_classes=torch.tensor([0, 2]))
        given.pred_masks = torch.zeros(2, 128, 192, dtype=torch.bool)
        given.pred_masks[0, :60, :60], given.pred_masks[1, 60:120, 90:190] = True, True
        tracked, state = model.step_with_given_instances(image, given, state)
        ids.append(tracked.pred_ids.tolist())
    assert ids == [[0, 1]] * 3


def test_another_projects_config_builds_it():
    import vis_projects
    from detectron2.config import get_cfg

    cfg = get_cfg()
    vis_projects.add_vis_config(cfg)
    cfg.merge_from_other_cfg(small_config())
    assert isinstance(build_model(cfg), HITF)


@pytest.mark.parametrize("opts, message", [
    (("MODEL.HITF.LOSS_FRAMES", "t-1"), "LOSS_FRAMES is 't-1'"),
    (("MODEL.HITF.PM", False, "MODEL.HITF.LOSS_FRAMES", "both"), "needs MODEL.HITF.PM"),
    (("MODEL.HITF.TEST.MASK_RULE", "max"), "MASK_RULE is 'max'"),
    (("MODEL.HITF.REF_PAD", "zero"), "REF_PAD is 'zero'"),
    (("MODEL.BACKBONE.NAME", "build_resnet_backbone"), "build_hybrid_encoder"),
])
def test_wrong_switches_are_named(opts, message):
    with pytest.raises(ValueError, match=message):
        small_model(*opts)
