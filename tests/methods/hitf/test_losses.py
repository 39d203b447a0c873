"""Losses of one frame by hand, the edges of eq. 9, and which gradient goes where."""

import math

import pytest
import torch

from vis_projects.methods.hitf.criterion import HITFCriterion
from vis_projects.methods.hitf.heads import SlotPredictions
from vis_projects.methods.hitf.losses import (
    dice_coefficient,
    discrimination_loss,
    instance_losses,
    mask_id_loss,
    semantic_loss,
)
from vis_projects.methods.hitf.matcher import similarities
from vis_projects.methods.hitf.targets import FrameTargets

EMPTY, BIG = 2, 30.0  # two classes; a logit that decides


def target(*masks, classes, counted=None, width=4):
    masks = torch.tensor(masks, dtype=torch.float32).reshape(len(classes), 1, width)
    counted = [True] * width if counted is None else counted
    return FrameTargets(masks, torch.tensor(classes, dtype=torch.int64), torch.tensor([counted]))


def slots(*values):
    return torch.tensor(values, dtype=torch.int64)


def test_dice_by_hand():
    # common 1 + 0.5 = 1.5, sizes 2.0 and 2: (2 * 1.5 + 1) / (2 + 2 + 1) = 4/5; the last pixel does not count
    masks = torch.tensor([[[1, 0.5, 0.5, 0.7]]])
    shown = target([1, 1, 0, 1], classes=[0], counted=[True, True, True, False])
    assert dice_coefficient(masks, shown.masks, shown.counted).tolist() == pytest.approx([4 / 5])
    assert dice_coefficient(shown.masks, shown.masks, shown.counted).item() == 1.0
    empty = torch.zeros(1, 1, 4)
    assert dice_coefficient(empty, empty, shown.counted).item() == 1.0


def test_instance_losses_by_hand():
    # slot 1 answers for an object of class 0 with probability 1/2, slots 0 and 2 are empty with 1/4 and 1/2
    probs = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
    masks = torch.zeros(3, 1, 4)
    masks[1, 0] = torch.tensor([1, 0.5, 0.5, 0])
    shown = target([1, 1, 0, 0], classes=[0])
    # Dice (3 + 1) / (4 + 1) = 4/5; everything divided by L = 3
    found = instance_losses(probs.log(), masks, shown, slots(1), dynamic=False, floor=1e-5)
    assert found["mask"].item() == pytest.approx((1 / 5) / 3, abs=1e-6)
    assert found["cls"].item() == pytest.approx(math.log(2) / 3, abs=1e-6)
    assert found["neg"].item() == pytest.approx((math.log(4) + math.log(2)) / 3, abs=1e-6)
    # k_mask = 1/2, k_cls = 4/5
    weighted = instance_losses(probs.log(), masks, shown, slots(1), dynamic=True, floor=1e-5)
    assert weighted["mask"].item() == pytest.approx((1 / 2) * (1 / 5) / 3, abs=1e-6)
    assert weighted["cls"].item() == pytest.approx((4 / 5) * math.log(2) / 3, abs=1e-6)
    # a floor of 3/4 replaces the 1/2
    floored = instance_losses(probs.log(), masks, shown, slots(1), dynamic=True, floor=0.75)
    assert floored["mask"].item() == pytest.approx((3 / 4) * (1 / 5) / 3, abs=1e-6)


def test_an_object_that_is_absent_here_makes_its_slot_a_negative():
    probs = torch.tensor([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
    shown = target([0, 0, 0, 0], classes=[EMPTY])
    found = instance_losses(probs.log(), torch.zeros(2, 1, 4), shown, slots(1), dynamic=False, floor=1e-5)
    assert found["mask"].item() == found["cls"].item() == 0
    assert found["neg"].item() == pytest.approx((math.log(4) + math.log(2)) / 2, abs=1e-6)


def test_mask_id_by_hand_with_and_without_a_background_filter():
    shown = target([1, 0, 0, 0], classes=[0], counted=[True, True, True, False])
    probs = torch.tensor([[0.5, 0.25, 0.5, 0.1], [0.25, 0.5, 0.25, 0.1], [0.25, 0.25, 0.25, 0.8]])[:, None]
    # slot 1 owns pixel 0: 1/4; background pixels 1, 2: the last channel, 1/4 each
    found = mask_id_loss(probs.log(), shown, slots(1), with_background=True)
    assert found.item() == pytest.approx(math.log(4), abs=1e-6)
    # without: slots 0 and 2 are free, together 1/2 at pixel 1 and 3/4 at pixel 2
    found = mask_id_loss(probs.log(), shown, slots(1), with_background=False)
    assert found.item() == pytest.approx((math.log(4) + math.log(2) + math.log(4 / 3)) / 3, abs=1e-6)


def test_mask_id_without_a_free_slot_counts_objects_alone():
    shown = target([1, 0, 0, 0], [0, 1, 0, 0], classes=[0, 1])
    probs = torch.tensor([[0.5, 0.5, 0.9, 0.9], [0.5, 0.5, 0.1, 0.1]])[:, None]
    assert mask_id_loss(probs.log(), shown, slots(0, 1), with_background=False).item() == pytest.approx(math.log(2))


def test_discrimination_by_hand():
    # two objects of one pixel each along x and y, background along -x; temperature 1/2
    embeddings = torch.tensor([[[1.0, 0, -1, -1]], [[0.0, 1, 0, 0]]])
    shown = target([1, 0, 0, 0], [0, 1, 0, 0], classes=[0, 1])
    # pixel 0: logits (2, 0, -2); pixel 1: (0, 2, 0)
    first = math.log(math.exp(2) + 1 + math.exp(-2)) - 2
    second = math.log(math.exp(2) + 2) - 2
    assert discrimination_loss(embeddings, shown, 0.5).item() == pytest.approx((first + second) / 2, abs=1e-5)


def test_sums_over_pixels_are_exact_in_mixed_precision_too():
    # 4097 pixels of weight 1 are 4096 in float16 and bfloat16; Dice of a perfect mask is
    # (2 * 4097 + 1) / (2 * 4097 + 1)
    shown = target([1] * 4097 + [0], classes=[0], width=4098)
    masks = shown.masks.clone()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert dice_coefficient(masks, shown.masks, shown.counted).item() == 1.0
        probs = torch.tensor([[1.0, 0.0, 0.0]])
        assert similarities([probs], [masks], [shown]).item() == pytest.approx(1.0, abs=1e-6)


def test_discrimination_without_objects_or_background():
    embeddings = torch.nn.functional.normalize(torch.randn(3, 1, 4), dim=0).requires_grad_()
    none = FrameTargets(torch.zeros(0, 1, 4), slots(), torch.ones(1, 4, dtype=torch.bool))
    assert discrimination_loss(embeddings, none, 0.3).item() == 0
    full = target([1, 1, 0, 0], [0, 0, 1, 1], classes=[0, 1])
    discrimination_loss(embeddings, full, 0.3).backward()
    assert torch.isfinite(embeddings.grad).all()


def test_semantic_by_hand():
    probs = torch.tensor([[0.5, 0.25, 0.25, 0.1], [0.25, 0.5, 0.25, 0.1], [0.25, 0.25, 0.5, 0.8]])[:, None]
    shown = target([1, 0, 0, 0], [0, 1, 0, 0], classes=[1, 1], counted=[True, True, True, False])
    # class 1 at pixels 0 and 1: 1/4 and 1/2; background, the last class, at pixel 2: 1/2
    assert semantic_loss(probs.log(), shown).item() == pytest.approx((math.log(4) + 2 * math.log(2)) / 3, abs=1e-6)


def perfect(shown, matched, num_slots=3, background=True):
    """Predictions that say exactly what is there, of one clip."""
    class_logits = torch.full((1, num_slots, EMPTY + 1), -BIG)
    class_logits[..., EMPTY] = BIG
    channels = num_slots + background
    mask_logits = torch.full((1, channels, 1, 4), -BIG)
    owners = shown.owners()
    for k, slot in enumerate(matched.tolist()):
        class_logits[0, slot] = -BIG
        class_logits[0, slot, shown.classes[k]] = BIG
        mask_logits[0, slot, owners == k] = BIG
    if background:
        mask_logits[0, -1, owners == len(matched)] = BIG
    embeddings = torch.nn.functional.normalize(torch.eye(4)[:, owners[0]][None, :, None], dim=1)
    return SlotPredictions(class_logits, mask_logits, embeddings)


@pytest.mark.parametrize("weights", ["dynamic", "const"])
def test_a_perfect_prediction_has_no_instance_loss_and_matches_itself(weights):
    criterion = HITFCriterion(with_background=True, pq_weights=weights)
    shown = target([1, 1, 0, 0], [0, 0, 1, 0], classes=[1, 0])
    frame = perfect(shown, slots(2, 0))
    matched = criterion.match([frame, frame], [[shown, shown]])
    assert matched[0].tolist() == [2, 0]
    losses = criterion.losses(frame, [shown], matched, None)
    assert set(losses) == {"loss_mask", "loss_cls", "loss_neg", "loss_mask_id", "loss_inst_disc"}
    for name in ("loss_mask", "loss_cls", "loss_neg", "loss_mask_id"):
        assert losses[name].item() == pytest.approx(0, abs=1e-6)


def random_frame(shown, channels=5, batch=1, seed=0):
    rng = torch.Generator().manual_seed(seed)
    width = shown.counted.shape[1]
    make = lambda *shape: torch.randn(*shape, generator=rng).requires_grad_()  # noqa: E731
    return SlotPredictions(make(batch, 4, EMPTY + 1), make(batch, channels, 1, width), make(batch, 3, 1, width))


def losses_of(frame, shown, matched, semantic=None, **options):
    criterion = HITFCriterion(**{"with_background": True, **options})
    return criterion.losses(frame, [shown], [matched], semantic)


def test_the_order_of_objects_changes_nothing():
    one = target([1, 1, 0, 0], [0, 0, 1, 0], classes=[1, 0])
    two = target([0, 0, 1, 0], [1, 1, 0, 0], classes=[0, 1])
    frame, criterion = random_frame(one), HITFCriterion(with_background=True)
    matched = [criterion.match([frame], [[shown]])[0] for shown in (one, two)]
    assert matched[0].tolist() == matched[1].flip(0).tolist()
    for name, value in losses_of(frame, one, matched[0]).items():
        assert value.item() == pytest.approx(losses_of(frame, two, matched[1])[name].item(), abs=1e-6)


def test_without_objects_the_empty_class_and_the_background_are_learned():
    none = FrameTargets(torch.zeros(0, 1, 4), slots(), torch.ones(1, 4, dtype=torch.bool))
    losses = losses_of(random_frame(none), none, slots(), torch.randn(1, EMPTY + 1, 1, 4))
    assert {name for name, value in losses.items() if value.item() > 0} == {"loss_neg", "loss_mask_id", "loss_sem"}
    assert all(torch.isfinite(value) for value in losses.values())


def test_padding_changes_no_loss():
    shown = target([1, 0, 0, 0], classes=[0], counted=[True, True, True, False])
    frame, semantic = random_frame(shown), torch.randn(1, EMPTY + 1, 1, 4)
    before = losses_of(frame, shown, slots(1), semantic)
    with torch.no_grad():
        for value in (frame.mask_logits, frame.embeddings, semantic):
            value[..., 3] += 7.0
    after = losses_of(frame, shown, slots(1), semantic)
    before, after = ({name: value.item() for name, value in losses.items()} for losses in (before, after))
    assert before == after


def test_every_slot_taken():
    shown = target(*torch.eye(4).tolist(), classes=[0, 1, 0, 1])
    for background, channels in ((True, 5), (False, 4)):
        frame = random_frame(shown, channels)
        losses = losses_of(frame, shown, slots(3, 1, 0, 2), with_background=background)
        assert losses["loss_neg"].item() == 0 and all(torch.isfinite(value) for value in losses.values())


def test_gradients_of_eq_9():
    shown = target([1, 1, 0, 0], classes=[1])
    frame = random_frame(shown)
    losses = losses_of(frame, shown, slots(2))
    classes, masks = torch.autograd.grad(losses["loss_neg"], [frame.class_logits, frame.mask_logits], allow_unused=True,
                                         retain_graph=True)
    # empty slots learn their class and nothing about masks
    assert masks is None and classes[0, [0, 1, 3]].abs().sum() > 0 and classes[0, 2].abs().sum() == 0
    classes, masks = torch.autograd.grad(losses["loss_mask"], [frame.class_logits, frame.mask_logits],
                                         allow_unused=True, retain_graph=True)
    # k_mask carries no gradient; the masks of other slots move through the softmax only: all gradients of a pixel
    # cancel
    assert classes is None and masks[0, 2].abs().sum() > 0
    assert torch.allclose(masks[0].sum(dim=0), torch.zeros(1, 4), atol=1e-6)
    (masks,) = torch.autograd.grad(losses["loss_cls"], [frame.mask_logits], allow_unused=True)
    assert masks is None


def test_weights_and_switches():
    shown = target([1, 1, 0, 0], classes=[1])
    frame = random_frame(shown)
    plain = losses_of(frame, shown, slots(2), lambda_inst=0.5, pq_weight=2.0)
    other = losses_of(frame, shown, slots(2), lambda_inst=0.75, pq_weight=4.0, mask_id=0, discrimination=0)
    # positive 2 * 1/2 = 1 against 4 * 3/4 = 3, negative 2 * 1/2 = 1 against 4 * 1/4 = 1
    assert other["loss_mask"].item() == pytest.approx(3 * plain["loss_mask"].item())
    assert other["loss_neg"].item() == pytest.approx(plain["loss_neg"].item())
    assert set(other) == {"loss_mask", "loss_cls", "loss_neg"}
    with pytest.raises(ValueError, match="PQ_WEIGHTS is 'fixed'"):
        HITFCriterion(with_background=True, pq_weights="fixed")
