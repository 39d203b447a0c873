"""Attention against an explicit softmax, its empty cases, and what adding a vector to tokens does to keys, values."""

import pytest
import torch

from vis_projects.methods.hitf.attention import HybridAttention, TokenBatchNorm, attend

RNG = torch.Generator().manual_seed(0)


def explicit(query, key, value, scale, mask=None):
    """The same head by head, (B, N, V), with the weights (heads, B, N, S)."""
    heads, out, weights = len(scale), [], []
    parts = [x.chunk(heads, dim=2) for x in (query, key, value)]
    for head in range(heads):
        logits = scale[head] * parts[0][head] @ parts[1][head].transpose(1, 2)
        if mask is not None:
            logits = logits.masked_fill(~mask[:, None], float("-inf"))
        weights.append(logits.softmax(dim=-1))
        out.append(weights[-1] @ parts[2][head])
    return torch.cat(out, dim=2), torch.stack(weights)


def tensors(batch=2, queries=5, keys=7, key_dim=8, value_dim=12):
    shapes = ((batch, queries, key_dim), (batch, keys, key_dim), (batch, keys, value_dim))
    return [torch.randn(shape, generator=RNG, dtype=torch.float64) for shape in shapes]


@pytest.mark.parametrize("keys", [1, 7])
@pytest.mark.parametrize("masked", [False, True])
def test_it_equals_an_explicit_softmax_forward_and_backward(keys, masked):
    inputs = [x.requires_grad_() for x in tensors(keys=keys)]
    scale = torch.tensor([0.3, 1.7], dtype=torch.float64, requires_grad=True)
    mask = None
    if masked:
        mask = torch.rand(2, keys, generator=RNG) > 0.4
        mask[:, 0] = True
    expected, weights = explicit(*inputs, scale, mask)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(2, 2, 5, dtype=torch.float64))
    found = attend(*inputs, scale, mask)
    assert torch.allclose(found, expected)
    gradient = torch.randn(found.shape, generator=RNG, dtype=torch.float64)
    for a, b in zip(torch.autograd.grad(found, [*inputs, scale], gradient, retain_graph=True),
                    torch.autograd.grad(expected, [*inputs, scale], gradient)):
        assert torch.allclose(a, b)


def test_weights_sum_to_one_over_all_keys():
    query, key, _ = tensors(keys=20)
    ones = torch.ones(2, 20, 12, dtype=torch.float64)
    assert torch.allclose(attend(query, key, ones, torch.ones(2, dtype=torch.float64)), torch.ones(2, 5, 12).double())


def test_no_key_at_all_gives_zeros():
    query, key, value = tensors(keys=0)
    assert attend(query, key, value, torch.ones(4, dtype=torch.float64)).equal(torch.zeros(2, 5, 12).double())


def test_a_frame_whose_keys_are_all_masked_gives_zeros_and_finite_gradients():
    query, key, value = (x.requires_grad_() for x in tensors())
    mask = torch.ones(2, 7, dtype=torch.bool)
    mask[1] = False
    found = attend(query, key, value, torch.ones(2, dtype=torch.float64), mask)
    assert found[1].equal(torch.zeros(5, 12).double()) and found[0].abs().sum() > 0
    found.sum().backward()
    assert all(torch.isfinite(x.grad).all() for x in (query, key, value))


def test_a_shift_of_all_logits_of_a_head_changes_nothing():
    # appending a constant to every key and 1 to every query shifts a head's logits alike
    query, key, value = tensors(key_dim=4)
    wide_query = torch.cat([query, torch.ones(2, 5, 1)], dim=2)
    wide_key = torch.cat([key, torch.full((2, 7, 1), 3.5)], dim=2)
    one = torch.ones(1, dtype=torch.float64)
    assert torch.allclose(attend(query, key, value, one), attend(wide_query, wide_key, value, one))


def layer(**options):
    torch.manual_seed(0)
    sizes = {"channels": 6, "code_dim": 8, "attn_dim": 4, "key_dim": 4, "value_dim": 8, "heads": 2, "ffn_dim": 5}
    return HybridAttention(**{**sizes, **options})


@pytest.mark.parametrize("code_update", [False, True])
def test_keys_of_shifted_tokens_are_shifted_keys(code_update):
    attention = layer(code_update=code_update)
    pixels, code = torch.randn(2, 9, 4, generator=RNG), torch.randn(2, 3, 8, generator=RNG)
    moved = torch.randn(1, 9, 4, generator=RNG), torch.randn(1, 3, 8, generator=RNG)
    kept, shift = attention.keys_values(pixels, code), attention.shift(*moved)
    added = attention.keys_values(pixels + moved[0], code + moved[1])
    for a, b, c in zip(kept, shift, added):
        assert a.shape == (2, 12 if code_update else 3, c.shape[2]) and torch.allclose(a + b, c, atol=1e-6)


def test_at_the_start_an_update_changes_nothing():
    attention = layer()
    features, code = torch.rand(2, 6, 3, 3, generator=RNG), torch.randn(2, 3, 8, generator=RNG)
    pixels, tokens = attention.tokens(features, code)
    keys, values = attention.keys_values(pixels, tokens)
    assert attention.update_code(code, tokens, keys, values, None).equal(code)
    assert attention.update_pixels(features, pixels, keys, values, None).equal(features)


@pytest.mark.parametrize("kind, start, learns", [
    ("learned", 0.5 ** 0.5, True), ("sqrt", 0.5 ** 0.5, False), ("none", 1.0, False)
])
def test_logit_scales(kind, start, learns):
    scale = layer(logit_scale=kind).code_scale
    assert torch.allclose(scale, torch.full((2,), start)) and scale.requires_grad == learns


def test_parameters_exist_for_what_is_switched_on_alone():
    assert not hasattr(layer(code_update=False), "code_query") and not hasattr(layer(pixel_update=False), "pixel_query")
    assert layer().pixel_ffn is None and layer(pixel_ffn=True).pixel_ffn is not None


def test_batch_norm_of_tokens_is_over_frames_and_tokens():
    norm = TokenBatchNorm(2)
    x = torch.tensor([[[1.0, 0.0], [3.0, 0.0]], [[5.0, 0.0], [7.0, 8.0]]])
    # channel 0: mean 4, variance (9 + 1 + 1 + 9) / 4 = 5
    assert torch.allclose(norm(x)[..., 0], torch.tensor([[-3.0, -1.0], [1.0, 3.0]]) / 5**0.5, atol=1e-4)


@pytest.mark.parametrize("options, message", [
    ({"heads": 3}, "HEADS is 3"), ({"logit_scale": "half"}, "LOGIT_SCALE is 'half'"), ({"norm": "gn"}, "NORM is 'gn'")])
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        layer(**options)
