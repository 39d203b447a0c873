"""Slot head and semantic head: the softmax over slots, the start, the permutation of slots, geometry."""

import math

import pytest
import torch

from tests.methods.hitf.clips import stir_weights
from vis_projects.methods.hitf.heads import SlotHead
from vis_projects.methods.hitf.semantic_head import SemanticHead
from vis_projects.modeling.deeplab import DeepLabV3PlusDecoder

SLOTS, CODE, CLASSES = 4, 8, 3


def head(stir=True, **options):
    torch.manual_seed(0)
    decoder = DeepLabV3PlusDecoder(6, [(5, 3)], channels=7, rates=(1, 2))
    made = SlotHead(decoder, decoder_channels=7, num_classes=CLASSES, code_dim=CODE, mask_dim=9, **options).eval()
    if stir:
        stir_weights(made)
    return made


def inputs(batch=2):
    rng = torch.Generator().manual_seed(1)
    return (torch.rand(batch, 6, 3, 4, generator=rng), torch.randn(batch, SLOTS, CODE, generator=rng),
            torch.rand(batch, 5, 9, 13, generator=rng))


@pytest.mark.parametrize("background", ["filter", "none"])
@pytest.mark.parametrize("logit_norm", ["bn", "scale"])
def test_shapes_and_the_softmax_over_slots(background, logit_norm):
    found = head(background=background, logit_norm=logit_norm)(*inputs())
    channels = SLOTS + (background == "filter")
    assert found.class_logits.shape == (2, SLOTS, CLASSES + 1) and found.mask_logits.shape == (2, channels, 9, 13)
    assert torch.allclose(found.mask_logits.softmax(dim=1).sum(dim=1), torch.ones(2, 9, 13))
    assert torch.allclose(found.embeddings.norm(dim=1), torch.ones(2, 9, 13), atol=1e-4)


def test_every_slot_starts_nine_tenths_empty():
    classes = head(stir=False).classify
    probabilities = classes[2].bias.softmax(dim=0)
    # bias ln(3 * 0.9 / 0.1) against 3 classes at 0: 27 / (27 + 3)
    assert probabilities[-1].item() == pytest.approx(27 / 30, abs=1e-6)
    assert classes[2].bias[-1].item() == pytest.approx(math.log(27), abs=1e-6)


def test_slots_permute_and_the_background_stays():
    module, (features, code, low) = head(), inputs()
    order = torch.tensor([2, 0, 3, 1])
    one, two = module(features, code, low), module(features, code[:, order], low)
    assert torch.allclose(two.class_logits, one.class_logits[:, order], atol=1e-5)
    assert torch.allclose(two.mask_logits[:, :-1], one.mask_logits[:, :-1][:, order], atol=1e-5)
    assert torch.allclose(two.mask_logits[:, -1], one.mask_logits[:, -1], atol=1e-5)


def test_the_batch_norm_of_logits_sees_the_background_too():
    module = head(stir=False, logit_norm="bn").train()
    logits = module(*inputs()).mask_logits
    # normalised with gain 0.1: standard deviation 0.1 over everything
    assert logits.std(unbiased=False).item() == pytest.approx(0.1, rel=1e-3)
    assert logits.mean().item() == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("kind", ["light", "deeplab"])
def test_semantic_head(kind):
    torch.manual_seed(0)
    module = SemanticHead({"res2": 5, "res3": 4, "res5": 6}, CLASSES, kind=kind, width=8, rates=(1, 2))
    features, _, low = inputs()
    encoded = {"res2": low, "res3": torch.rand(2, 4, 5, 7), "res5": features}
    logits = module(encoded, (9, 13))
    assert logits.shape == (2, CLASSES + 1, 9, 13)
    logits.sum().backward()
    assert all(p.grad is not None for p in module.parameters())


@pytest.mark.parametrize("options, message", [
    ({"logit_norm": "ln"}, "LOGIT_NORM is 'ln'"), ({"background": "one"}, "BG_SLOT is 'one'")
])
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        head(**options)
    with pytest.raises(ValueError, match="SEM_TYPE is 'fcn'"):
        SemanticHead({"res5": 6}, CLASSES, kind="fcn")
