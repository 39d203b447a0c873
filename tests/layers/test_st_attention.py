"""Spatial-temporal attention: the shared checks of fused ops, weights by hand, shared keys, rings of frames."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.layers.op_tester import OpCase, OpTester, assert_close
from vis_projects.layers import SupportCache, has_native, st_attention
from vis_projects.layers.st_attention import st_attention_reference


def _case(name, maps, size, sets, frames, key_size, channels, value_channels, scale=1.0, image_index=None):
    def make(generator):
        draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
        # logits of deviation 1 before the scale
        query = draw(maps, channels, *size) / channels**0.5
        index = None if image_index is None else torch.tensor(image_index, dtype=torch.int64)
        key, value = (draw(sets, frames, count, *key_size) for count in (channels, value_channels))
        return query, key, value, scale, index

    return OpCase(name, make)


class TestStAttention(OpTester):
    op = "st_attention"
    face = st_attention
    reference = st_attention_reference
    cases = (
        _case("no proposal", 0, (7, 7), 1, 2, (3, 4), 8, 8),
        _case("no image", 0, (5, 6), 0, 2, (3, 4), 8, 8),
        _case("empty map", 2, (0, 5), 1, 2, (3, 4), 8, 8),
        _case("one pixel, one key", 1, (1, 1), 1, 1, (1, 1), 1, 1),
        _case("one frame's map", 1, (9, 13), 1, 1, (9, 13), 16, 16),
        _case("odd sizes, other channels of values", 1, (7, 11), 1, 3, (5, 17), 13, 29, scale=0.7),
        _case("a key set for each image", 3, (5, 6), 3, 2, (4, 7), 8, 12),
        _case("key sets by index, one without queries", 5, (3, 5), 4, 2, (6, 7), 12, 8, image_index=[2, 0, 0, 3, 2]),
        _case("more keys than a block", 2, (6, 9), 1, 4, (11, 13), 20, 20, scale=-1.5),
        _case("wide channels", 1, (4, 5), 1, 2, (8, 9), 270, 140),
        _case("proposals over shared keys", 6, (7, 7), 1, 2, (9, 16), 16, 16, scale=2.0),
    )
    grad_cases = (
        _case("two maps, shared keys", 2, (2, 2), 1, 2, (1, 3), 2, 3),
        _case("index", 3, (1, 2), 3, 1, (2, 2), 3, 2, scale=0.5, image_index=[1, 1, 0]),
    )


def _fixed(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def test_weights_of_two_keys_by_hand():
    # logits ln 3 * (1, 0): weights 3/4 and 1/4; values (4, 8) and (0, 16): 4 * 3/4 = 3, 8 * 3/4 + 16 / 4 = 10
    query = torch.tensor([math.log(3)]).reshape(1, 1, 1, 1)
    key = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 1, 2)
    value = torch.tensor([[4.0, 0.0], [8.0, 16.0]]).reshape(1, 1, 2, 1, 2)
    assert st_attention(query, key, value).flatten().tolist() == pytest.approx([3.0, 10.0], rel=1e-6)
    # scale 2: logits ln 9 and 0, weights 9/10 and 1/10: 4 * 9/10 = 3.6, 8 * 9/10 + 16/10 = 8.8
    assert st_attention(query, key, value, 2.0).flatten().tolist() == pytest.approx([3.6, 8.8], rel=1e-6)


def test_the_softmax_runs_over_all_frames_at_once():
    # two frames of one position, logits ln 1 and ln 4: weights 1/5 and 4/5 of values 10 and 20: 2 + 16 = 18.
    # A softmax in each frame would give 10 and 20, mean 15.
    key = torch.tensor([0.0, math.log(4)]).reshape(1, 2, 1, 1, 1)
    value = torch.tensor([10.0, 20.0]).reshape(1, 2, 1, 1, 1)
    assert st_attention(torch.ones(1, 1, 1, 1), key, value).item() == pytest.approx(18.0, rel=1e-6)


def test_gradients_by_hand():
    # q = 0, keys a = (1, -1): weights 1/2, 1/2. out = sum w v = (6 + 2) / 2 = 4; D = 4.
    # d value = w = 1/2; d logit = w (v - D) = (1/2 * 2, 1/2 * -2) = (1, -1);
    # d q = scale * (1 * 1 + -1 * -1) = 3 * 2 = 6; d key = scale * d logit * q = 0
    query = torch.zeros(1, 1, 1, 1, requires_grad=True)
    key = torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1, 1).requires_grad_()
    value = torch.tensor([6.0, 2.0]).reshape(1, 2, 1, 1, 1).requires_grad_()
    st_attention(query, key, value, 3.0).sum().backward()
    assert query.grad.item() == pytest.approx(6.0, rel=1e-6)
    assert key.grad.flatten().tolist() == [0.0, 0.0]
    assert value.grad.flatten().tolist() == pytest.approx([0.5, 0.5], rel=1e-6)


def test_equal_keys_give_the_mean_of_the_values():
    value = _fixed(1, 3, 5, 4, 6)
    out = st_attention(_fixed(1, 2, 3, 3, seed=1), torch.ones(1, 3, 2, 4, 6), value)
    assert_close(out, value.mean((1, 3, 4))[:, :, None, None].expand(1, 5, 3, 3), 1e-6, "mean")


def test_one_key_gives_its_value_exactly():
    value = _fixed(1, 1, 5, 1, 1)
    out = st_attention(_fixed(1, 2, 3, 3, seed=1), _fixed(1, 1, 2, 1, 1, seed=2), value)
    assert torch.equal(out, value[0].expand(1, 5, 3, 3))


@pytest.mark.parametrize("deviation", [20, 100])
def test_large_logits_stay_exact_and_finite(deviation):
    query = _fixed(1, 64, 9, 16, dtype=torch.float64) / 8
    key, value = deviation * _fixed(1, 2, 64, 9, 16, seed=1, dtype=torch.float64), _fixed(1, 2, 64, 9, 16, seed=2)
    # the oracle sees the rounding of the inputs; what is left is that of the products and of the softmax
    given = [x.float().requires_grad_() for x in (query, key, value)]
    oracle = [x.detach().double().requires_grad_() for x in given]
    got, expected = st_attention(*given), st_attention_reference(*oracle)
    assert_close(got, expected, 4e-4, "output")
    weights = _fixed(*expected.shape, seed=3, dtype=torch.float64)
    for name, a, b in zip(("query", "key", "value"), torch.autograd.grad(got, given, weights.float()),
                          torch.autograd.grad(expected, oracle, weights)):
        assert_close(a, b, 4e-4, f"gradient of {name}")


def test_logits_beyond_the_range_of_exp_stay_finite():
    query, key = torch.full((1, 1, 1, 2), 1e4), torch.tensor([1e4, -1e4, 9e3]).reshape(1, 1, 1, 1, 3)
    value = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 1, 1, 3)
    assert st_attention(query, key, value).flatten().tolist() == [1.0, 1.0]


def test_nan_comes_through():
    query, key, value = _fixed(1, 4, 2, 3), _fixed(1, 2, 4, 3, 3, seed=1), _fixed(1, 2, 4, 3, 3, seed=2)
    query[0, 1, 0, 2] = float("nan")
    out = st_attention(query, key, value)
    assert out[0, :, 0, 2].isnan().all() and out.isnan().sum() == 4  # that query alone
    query, key = _fixed(1, 4, 2, 3), key.clone()
    key[0, 1, 0, 2, 2] = float("nan")
    assert st_attention(query, key, value).isnan().all()


def test_half_inputs_have_float32_logits():
    # logits 256 + 1/2 and 256: bfloat16 would round both to 256. Weights e^(1/2) / (1 + e^(1/2)) and the rest.
    query = torch.tensor([16.0, 0.5], dtype=torch.bfloat16).reshape(1, 2, 1, 1)
    key = torch.tensor([[16.0, 16.0], [1.0, 0.0]], dtype=torch.bfloat16).reshape(1, 1, 2, 1, 2)
    value = torch.tensor([1.0, 0.0], dtype=torch.bfloat16).reshape(1, 1, 1, 1, 2)
    expected = math.exp(0.5) / (1 + math.exp(0.5))
    assert st_attention(query, key, value).item() == pytest.approx(expected, abs=2**-9)  # half a step of bfloat16


def test_frames_and_pixels_of_the_supports_may_be_permuted():
    query, key, value = _fixed(1, 8, 5, 6), _fixed(1, 3, 8, 4, 7, seed=1), _fixed(1, 3, 8, 4, 7, seed=2)
    expected = st_attention(query, key, value)
    order = [2, 0, 1]
    assert_close(st_attention(query, key[:, order], value[:, order]), expected, 1e-6, "frames")
    pixels = torch.randperm(28, generator=torch.Generator().manual_seed(3))
    permuted = (x.flatten(3)[..., pixels].unflatten(3, (4, 7)) for x in (key, value))
    assert_close(st_attention(query, *permuted), expected, 1e-6, "pixels")
    repeated = (x.repeat(1, 2, 1, 1, 1) for x in (key, value))
    assert_close(st_attention(query, *repeated), expected, 1e-6, "repeated")


def test_proposals_over_shared_keys_equal_a_loop_and_are_independent():
    query, key, value = _fixed(9, 8, 7, 7), _fixed(1, 2, 8, 6, 10, seed=1), _fixed(1, 2, 12, 6, 10, seed=2)
    together = st_attention(query, key, value)
    assert_close(together, torch.cat([st_attention(q[None], key, value) for q in query]), 1e-6, "loop")
    assert torch.equal(st_attention(query[[4, 7]], key, value), together[[4, 7]])


def test_proposals_of_several_images_equal_a_loop_over_images():
    query, key, value = _fixed(5, 8, 3, 3), _fixed(2, 2, 8, 6, 5, seed=1), _fixed(2, 2, 8, 6, 5, seed=2)
    index = torch.tensor([1, 0, 1, 1, 0])
    together = st_attention(query, key, value, 1.0, index)
    for image in range(2):
        alone = st_attention(query[index == image], key[image : image + 1], value[image : image + 1])
        assert_close(together[index == image], alone, 1e-6, f"image {image}")


def test_wanted_gradients_alone_are_computed_and_equal():
    inputs = (_fixed(2, 8, 5, 4), _fixed(1, 2, 8, 6, 5, seed=1), _fixed(1, 2, 9, 6, 5, seed=2))
    together = [x.clone().requires_grad_() for x in inputs]
    gradients = torch.autograd.grad(st_attention(*together).square().sum(), together)
    for which in range(3):
        alone = [x.clone().requires_grad_(k == which) for k, x in enumerate(inputs)]
        (gradient,) = torch.autograd.grad(st_attention(*alone).square().sum(), [alone[which]])
        assert torch.equal(gradient, gradients[which])


def test_second_output_of_the_op_is_the_logarithm_of_the_sum():
    if not has_native("st_attention"):
        pytest.skip("the op is not compiled here: there is only the reference")
    query, key, value = _fixed(2, 4, 3, 5), _fixed(1, 2, 4, 3, 3, seed=1), _fixed(1, 2, 4, 3, 3, seed=2)
    _, log_sum = torch.ops.vis_projects.st_attention(query, key, value, 0.5)
    logits = 0.5 * torch.einsum("bdhw,tdij->bhwtij", query, key[0])
    assert_close(log_sum, logits.flatten(3).logsumexp(-1) / math.log(2), 1e-6, "log_sum")


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 40), st.integers(1, 3), st.integers(1, 90), st.integers(1, 20),
    st.integers(1, 20), st.integers(0, 2**16),
)
def test_any_size_equals_the_reference(maps, pixels, frames, places, channels, value_channels, seed):
    query = _fixed(maps, channels, 1, pixels, seed=seed)
    key, value = (_fixed(1, frames, c, places, 1, seed=seed + k + 1) for k, c in enumerate((channels, value_channels)))
    expected = st_attention_reference(query.double(), key.double(), value.double(), 0.3)
    assert_close(st_attention(query, key, value, 0.3), expected, 1e-5, "output")


LAYOUTS = {
    "leading frames of a ring": lambda x: torch.cat([x, torch.full_like(x, float("nan"))], 1)[:, : x.shape[1]],
    "every other frame": lambda x: torch.stack([x, torch.full_like(x, float("nan"))], 2).flatten(1, 2)[:, ::2],
    "frames behind channels": lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
    "one set seen many times": lambda x: x[:1].expand_as(x),
    "a crop": lambda x: torch.nn.functional.pad(x, (1, 2, 3, 1), value=float("nan"))[..., 3:-1, 1:-2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_keys_and_values_are_read_from_any_layout(layout):
    query, key, value = _fixed(2, 8, 5, 4), _fixed(2, 3, 8, 6, 5, seed=1), _fixed(2, 3, 9, 6, 5, seed=2)
    laid_out = [LAYOUTS[layout](x).requires_grad_() for x in (key, value)]
    plain = [x.detach().contiguous().requires_grad_() for x in laid_out]
    outputs = [st_attention(query, *inputs) for inputs in (laid_out, plain)]
    assert torch.equal(*outputs)
    grads = [torch.autograd.grad(out.square().sum(), inputs) for out, inputs in zip(outputs, (laid_out, plain))]
    for a, b in zip(*grads):
        assert torch.equal(a, b)


def test_support_cache_equals_projecting_all_frames_again():
    weights = [_fixed(c, 6, 1, 1, seed=c) for c in (4, 5)]
    frames = [_fixed(2, 6, 3, 7, seed=k) for k in range(7)]
    query = _fixed(2, 4, 3, 7, seed=99)
    cache = SupportCache(3)
    for now, frame in enumerate(frames):
        cache.append(*(torch.nn.functional.conv2d(frame, w).relu() for w in weights))
        latest = frames[max(0, now - 2) : now + 1]
        again = [torch.stack([torch.nn.functional.conv2d(f, w).relu() for f in latest], 1) for w in weights]
        assert len(cache) == len(latest) == cache.keys.shape[1] == cache.values.shape[1]
        assert_close(st_attention(query, cache.keys, cache.values), st_attention(query, *again), 1e-6, f"frame {now}")


def test_support_cache_writes_in_place_and_holds_no_graph():
    cache = SupportCache(2)
    cache.append(torch.ones(1, 2, 1, 1, requires_grad=True), torch.ones(1, 3, 1, 1))
    place = cache.keys.data_ptr()
    for number in (2.0, 3.0):
        cache.append(torch.full((1, 2, 1, 1), number), torch.full((1, 3, 1, 1), number))
    assert cache.keys.data_ptr() == place and not cache.keys.requires_grad
    assert cache.keys[0, :, 0, 0, 0].tolist() == [3.0, 2.0] and cache.values[0, :, 2, 0, 0].tolist() == [3.0, 2.0]


def test_support_cache_with_slots_of_ones_own():
    cache = SupportCache(4)
    frames = {slot: (_fixed(1, 2, 2, 3, seed=slot), _fixed(1, 3, 2, 3, seed=9 + slot)) for slot in (0, 2, 1)}
    for slot, pair in frames.items():
        cache.put(slot, *pair)
        assert len(cache) == max(3 if slot == 1 else slot + 1, 1)
    for slots in ((0,), (1, 0), (2, 0), (0, 1, 2), (1, 1, 2)):
        taken = cache.take(slots)
        for which, maps in enumerate(taken):
            assert torch.equal(maps, torch.stack([frames[slot][which] for slot in sorted(slots)], 1))
    assert cache.take((1, 0))[0].data_ptr() == cache.keys.data_ptr()  # the first slots are read in place
    cache.put(1, *frames[2])
    assert torch.equal(cache.take((1,))[0], cache.take((2,))[0])


def test_support_cache_errors():
    with pytest.raises(ValueError, match="frames must be 1 or more, got 0"):
        SupportCache(0)
    cache = SupportCache(2)
    with pytest.raises(ValueError, match="empty; append a frame first"):
        _ = cache.keys
    cache.append(torch.zeros(1, 2, 3, 4), torch.zeros(1, 5, 3, 4))
    with pytest.raises(ValueError, match=r"value is \(1, 5, 3, 5\).*take a new cache"):
        cache.append(torch.zeros(1, 2, 3, 4), torch.zeros(1, 5, 3, 5))
    for slots in ((), (1,), (-1,)):
        with pytest.raises(ValueError, match="in use are 1"):
            cache.take(slots)
    with pytest.raises(ValueError, match="slot 2 of 2 does not exist"):
        cache.put(2, torch.zeros(1, 2, 3, 4), torch.zeros(1, 5, 3, 4))
    with pytest.raises(ValueError, match="key is .* torch.float64"):
        cache.append(torch.zeros(1, 2, 3, 4, dtype=torch.float64), torch.zeros(1, 5, 3, 4))
    assert len(cache) == 1


def _arguments(**changes):
    base = {"query": torch.zeros(2, 3, 4, 4), "key": torch.zeros(1, 2, 3, 5, 5), "value": torch.zeros(1, 2, 6, 5, 5)}
    return {**base, **changes}


@pytest.mark.parametrize("changes, message", [
    ({"query": torch.zeros(3, 4, 4)}, r"needs query \(B, d, H, W\).*got \(3, 4, 4\)"),
    ({"key": torch.zeros(1, 2, 3, 5, 5).double()}, "key torch.float64.*cast them to one dtype"),
    ({"query": torch.zeros(2, 7, 4, 4)}, "query has 7 channels, key 3"),
    ({"value": torch.zeros(1, 2, 6, 5, 4)}, "may differ in channels only"),
    ({"key": torch.zeros(1, 0, 3, 5, 5), "value": torch.zeros(1, 0, 6, 5, 5)}, "no position to attend to"),
    ({"value": torch.zeros(1, 2, 0, 5, 5)}, "need a channel, got 3 and 0"),
    ({"key": torch.zeros(3, 2, 3, 5, 5), "value": torch.zeros(3, 2, 6, 5, 5)}, "2 query maps, got 3; give image_index"),
    ({"image_index": torch.zeros(2)}, "image_index must be int64"),
    ({"image_index": torch.zeros(3, dtype=torch.int64)}, r"each of the 2 query maps, got torch.int64 \(3,\)"),
    ({name: torch.zeros(shape, dtype=torch.int32) for name, shape in
      (("query", (2, 3, 4, 4)), ("key", (1, 2, 3, 5, 5)), ("value", (1, 2, 6, 5, 5)))}, "needs floating tensors"),
])
def test_errors_name_the_argument(changes, message):
    with pytest.raises(ValueError, match=message):
        st_attention(**_arguments(**changes))


def test_an_index_outside_of_the_sets_is_refused():
    with pytest.raises(RuntimeError, match=r"image_index.* 1, but there are 1 key sets"):
        st_attention(**_arguments(image_index=torch.tensor([0, 1])))


def test_the_op_checks_what_the_face_would():
    if not has_native("st_attention"):
        pytest.skip("the op is not compiled here: there is only the reference")
    op = torch.ops.vis_projects.st_attention
    base = _arguments()
    with pytest.raises(RuntimeError, match="query has 7 channels, key 3"):
        op(torch.zeros(2, 7, 4, 4), base["key"], base["value"])
    with pytest.raises(RuntimeError, match="key has no position to attend to"):
        op(base["query"], base["key"][:, :0], base["value"][:, :0])
    with pytest.raises(RuntimeError, match="float64, float32, bfloat16 or float16"):
        op(*(x.int() for x in base.values()))
    out, log_sum = op(*base.values())
    with pytest.raises(RuntimeError, match="grad and output must have the shape of the output"):
        torch.ops.vis_projects.st_attention_backward(
            out[..., :3], *base.values(), out, log_sum, 1.0, None, True, True, True
        )
