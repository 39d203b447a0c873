"""CrossVIS and CondInst-VIS with random weights: training on pairs, tracking a video, what crossover costs at test."""

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.utils.events import EventStorage

from tests.methods.masktrack_rcnn.pairs import CONFIGS, frames, pair
from vis_projects.config import get_vis_cfg
from vis_projects.methods.crossvis import CondInstVIS, CrossVIS, CrossVISTracker

BASE = {"loss_fcos_cls", "loss_fcos_loc", "loss_fcos_ctr", "loss_mask", "loss_embedding"}
OUTPUT = {"height": 128, "width": 192}


def small_model(*overrides, name="crossvis", seed=0):
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / f"quick_schedules/{name}_R_50_FPN_narrow_synthvis_tiny.yaml"))
    cfg.merge_from_list(["MODEL.VIS.NUM_CLASSES", 3, "MODEL.VIS.NUM_IDENTITIES", 12, "MODEL.DEVICE", "cpu", *overrides])
    torch.manual_seed(seed)
    return build_model(cfg)


def item(key_ids, reference_ids):
    made = pair(key_ids, reference_ids)
    for image in made["instances"]:
        image.gt_identities = image.gt_ids.clone()
    return made


def train_losses(model, batch):
    torch.manual_seed(0)
    with EventStorage():
        return model.train()(batch)


@pytest.fixture(scope="module")
def model():
    return small_model()


def test_it_is_built_by_name(model):
    assert isinstance(model, CrossVIS) and isinstance(model.init_state(OUTPUT).tracker, CrossVISTracker)
    assert {key.split(".")[0] for key in model.state_dict()} == {
        "backbone", "proposal_generator", "mask_branch", "controller", "mask_head", "cls"}


@pytest.mark.parametrize(
    "batch",
    [
        [item((), ())],
        [item((1, 2), ())],
        [item((), (1, 2))],
        [item((3,), (3,))],
        [item((1,), (2,))],
        [item((1, 2, 3), (2, 4)), item((), (5,))],
    ],
    ids=["empty", "empty_reference", "empty_key", "one_object", "none_shared", "mixed"],
)
@pytest.mark.parametrize("name", ["crossvis", "condinst_vis"])
def test_every_pair_trains_and_reaches_every_parameter(name, batch):
    model = small_model(name=name)
    losses = train_losses(model, batch)
    assert set(losses) == (BASE | {"loss_cross"} if name == "crossvis" else BASE)
    assert all(torch.isfinite(value) and value.dim() == 0 for value in losses.values())
    sum(losses.values()).backward()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    shared = any(set(i["instances"][0].gt_ids.tolist()) & set(i["instances"][1].gt_ids.tolist()) for i in batch)
    if name == "crossvis":
        assert (losses["loss_cross"] > 0) == shared


@pytest.mark.parametrize("embedding", ["global", "pairwise"])
@pytest.mark.parametrize("loss", ["focal", "ce"])
def test_the_four_embedding_losses_train(embedding, loss):
    model = small_model("MODEL.CROSSVIS.EMBEDDING", embedding, "MODEL.CROSSVIS.EMBEDDING_LOSS", loss)
    assert hasattr(model, "cls") == (embedding == "global")
    assert train_losses(model, [item((1, 2), (1, 2))])["loss_embedding"] > 0


@pytest.mark.parametrize("how", ["random", "best", "all"])
def test_where_the_filters_stand_in_the_other_frame(how):
    model = small_model("MODEL.CROSSVIS.CROSS_LOC", how, "MODEL.CONDINST.MAX_PROPOSALS", 40)
    counts, original = [], model.mask_loss
    model.mask_loss = lambda f, q, m: counts.append(len(q)) or original(f, q, m)
    assert train_losses(model, [item((1, 2), (1, 2))])["loss_cross"] > 0
    of_frames, of_crossover = counts[:2], counts[2:]
    if how == "all":  # many more pairs than filters
        assert max(of_frames) < 40 and of_crossover == [40, 40]
    else:
        assert of_crossover == of_frames
    with pytest.raises(ValueError, match="MODEL.CROSSVIS.CROSS_LOC is 'none'"):
        small_model("MODEL.CROSSVIS.CROSS_LOC", "none")


def test_more_positives_than_allowed_share_one_subset():
    few, many = (small_model("MODEL.CONDINST.MAX_PROPOSALS", n) for n in (2, 0))
    batch = [item((1, 2, 3), (1, 2, 3))]
    for model in (few, many):
        seen = []
        original = model.mask_loss
        model.mask_loss = lambda f, q, m, original=original, seen=seen: seen.append(len(q)) or original(f, q, m)
        train_losses(model, batch)
        assert (max(seen) <= 2) == (model is few) and min(seen) >= 1


def test_the_backbone_gradient_is_scaled_and_the_forward_pass_is_not():
    full, scaled = small_model(), small_model("MODEL.CROSSVIS.BACKBONE_GRAD_SCALE", 0.1)
    batch, gradients = [item((1, 2), (1, 2))], []
    for model in (full, scaled):
        losses = train_losses(model, batch)
        sum(losses.values()).backward()
        gradients.append((losses, model.backbone.fpn_output3.weight.grad, model.controller.weight.grad))
    for name in gradients[0][0]:
        assert torch.allclose(gradients[0][0][name], gradients[1][0][name], atol=1e-5)
    assert torch.allclose(0.1 * gradients[0][1], gradients[1][1], atol=1e-5)
    assert torch.allclose(gradients[0][2], gradients[1][2], atol=1e-5)


def test_crossover_costs_nothing_at_test_time():
    options = ("MODEL.FCOS.SCORE_THRESH_TEST", 0.0, "MODEL.FCOS.POST_NMS_TOPK_TEST", 5)
    cross = small_model(*options)
    plain = small_model(*options, "MODEL.META_ARCHITECTURE", "CondInstVIS")
    assert type(plain) is CondInstVIS
    assert list(cross.state_dict()) == list(plain.state_dict())
    plain.load_state_dict(cross.state_dict())
    calls = []
    for model in (cross, plain):
        count = 0

        def hook(*_):
            nonlocal count
            count += 1

        handles = [module.register_forward_hook(hook) for module in model.modules()]
        results = model.eval()([{"image": frames(3), "video_id": 7, **OUTPUT}])[0]
        calls.append((count, results))
        for handle in handles:
            handle.remove()
    assert calls[0][0] == calls[1][0] > 0
    assert [(t.track_id, t.score, t.segmentations) for t in calls[0][1].tracks] == [
        (t.track_id, t.score, t.segmentations) for t in calls[1][1].tracks]


def test_streaming_equals_batch_and_masks_have_the_output_size():
    model = small_model("MODEL.FCOS.SCORE_THRESH_TEST", 0.0, "MODEL.FCOS.POST_NMS_TOPK_TEST", 6).eval()
    images = frames(3)
    whole = model([{"image": images, "video_id": 7, **OUTPUT}])[0]
    state, seen = model.init_state(OUTPUT), {}
    for t, image in enumerate(images):
        instances, state = model.step(image, state)
        assert instances.pred_masks.shape == (len(instances), 128, 192) and instances.image_size == (128, 192)
        seen[t] = set(instances.pred_ids.tolist())
    for track in whole.tracks:
        assert all(track.track_id in seen[t] for t in track.segmentations)


def test_a_model_of_other_identities_loads_without_its_classifier():
    trained, other = small_model(), small_model("MODEL.VIS.NUM_IDENTITIES", 0)
    assert not hasattr(other, "cls")
    _, unexpected = other.load_state_dict(trained.state_dict(), strict=False)
    assert sorted(unexpected) == ["cls.bias", "cls.weight"]
    with pytest.raises(ValueError, match="NUM_IDENTITIES is 0"):
        train_losses(other, [item((1,), (1,))])


def test_wrong_switches_are_named():
    with pytest.raises(ValueError, match="EMBEDDING is 'both'"):
        small_model("MODEL.CROSSVIS.EMBEDDING", "both")
    with pytest.raises(ValueError, match="CrossVISMapper"):
        bad = item((1,), (1,))
        train_losses(small_model(), [{**bad, "roles": ["key", "support"]}])
    with pytest.raises(ValueError, match="strides"):
        small_model("MODEL.FCOS.STRIDES", (8, 16, 64))
