"""The hybrid encoder: nothing but a ResNet at the start, sizes of s k + 1, where the layers sit, names of weights."""

import pytest
import torch
from detectron2.modeling import build_backbone, build_resnet_backbone
from detectron2.layers import ShapeSpec

from tests.methods.hitf.clips import small_config, stir_weights
from vis_projects.methods.hitf.pixel_attention import AxialPair


def encoder(*overrides):
    torch.manual_seed(0)
    return build_backbone(small_config(*overrides)).eval()


def images(batch=2, size=(60, 90), seed=0):
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(seed))


def close(a, b):
    """Equal up to rounding at the scale of the values, which random residual branches make large."""
    return bool((a - b).abs().max() <= 1e-5 * b.abs().max().clamp(min=1.0))


@pytest.mark.parametrize("attention", ["none", "axial", "global"])
def test_at_the_start_it_is_the_resnet_and_the_learned_code(attention):
    model = encoder("MODEL.HITF.PIXEL_ATTN", attention)
    resnet = build_resnet_backbone(small_config(), ShapeSpec(channels=3)).eval()
    resnet.load_state_dict(model.bottom_up.state_dict())
    outputs = model(images(size=(65, 97)))
    plain = resnet(images(size=(65, 97)))
    assert torch.equal(outputs["res5"], plain["res5"]) and torch.equal(outputs["res2"], plain["res2"])
    assert torch.equal(outputs["code"], model.code.expand(2, -1, -1))


def test_sides_become_multiples_of_the_stride_plus_one():
    model = encoder()
    assert model.stride == 16
    assert model.padded_size((641, 641)) == (641, 641) and model.padded_size((60, 98)) == (65, 113)
    assert model.padded_size((1, 1)) == (17, 17)
    shapes = {name: tuple(x.shape[-2:]) for name, x in model(images(size=(60, 98))).items() if name != "code"}
    # 65 -> 33 -> 17 -> 9 -> 5 and 113 -> 57 -> 29 -> 15 -> 8
    assert shapes == {"res2": (17, 29), "res3": (9, 15), "res5": (5, 8)}


def test_the_square_canvas_of_training_and_evaluation():
    model = encoder("MODEL.HITF.SQUARE_CANVAS", True, "INPUT.MAX_SIZE_TRAIN", 97, "INPUT.MAX_SIZE_TEST", 129)
    assert model.padding_constraints == {"square_size": 129}
    assert model.train().padding_constraints == {"square_size": 97}
    assert encoder().padding_constraints == {}


def test_stride_32_without_dilation():
    model = encoder("MODEL.RESNETS.RES5_DILATION", 1)
    assert model.stride == 32 and model.padded_size((60, 98)) == (65, 129)
    assert model(images())["res5"].shape[-2:] == (3, 4)


@pytest.mark.parametrize("count, order", [(1, "bbbL"), (2, "bbLbL"), (3, "bLbLbL"), (5, "bLbLbLLL"), (0, "bbb")])
def test_layers_follow_the_last_blocks(count, order):
    model = encoder("MODEL.HITF.NUM_INTRA", count)
    seen = []
    for mark, modules in (("b", model.bottom_up.res5), ("L", model.intra)):
        for module in modules:
            module.register_forward_hook(lambda *_, mark=mark: seen.append(mark))
    model(images())
    assert "".join(seen) == order


def test_multi_grid():
    model = encoder("MODEL.HITF.RES5_MULTI_GRID", (1, 2, 4))
    assert [block.conv2.dilation for block in model.bottom_up.res5] == [(2, 2), (4, 4), (8, 8)]
    assert model(images())["res5"].shape[-2:] == (5, 7)


def test_axial_attention_in_the_place_of_convolutions():
    model = encoder("MODEL.HITF.PIXEL_ATTN", "axial", "MODEL.HITF.PIXEL_ATTN_MODE", "replace")
    assert all(isinstance(block.conv2[0], AxialPair) for block in model.bottom_up.res5)
    assert all(layer.pixel_attention is None for layer in model.intra)
    outputs = model(images())
    assert torch.isfinite(outputs["res5"]).all() and outputs["res5"].shape[-2:] == (5, 7)


def test_a_frame_does_not_depend_on_the_others_of_the_batch():
    model = encoder("MODEL.HITF.PIXEL_ATTN", "axial")
    stir_weights(model)
    both, one = model(images()), model(images()[:1])
    assert all(close(both[name][:1], one[name]) for name in both)


def test_slots_permute():
    model = encoder("MODEL.HITF.P2C_SEQUENTIAL", True, "MODEL.HITF.PIXEL_FFN", True)
    stir_weights(model)
    before = model(images())
    order = torch.tensor([3, 1, 0, 5, 4, 2])
    with torch.no_grad():
        model.code.copy_(model.code[order])
    after = model(images())
    assert close(after["res5"], before["res5"]) and close(after["code"], before["code"][:, order])
    assert not torch.allclose(before["code"][0, 0], before["code"][0, 1])


def test_codes_do_not_read_masked_padding():
    model = encoder("MODEL.HITF.MASK_PADDING", True)
    stir_weights(model)
    # one of two frames is 33 pixels wide: cells at 0, 16 and 32 of 0 .. 96
    valid = model.valid_cells([(65, 97), (65, 33)], (65, 97)).view(2, 5, 7)
    assert valid[0].all() and valid[1].all(dim=0).tolist() == [True] * 3 + [False] * 4
    layer, features = model.intra[0], torch.rand(2, 512, 5, 7)
    code = model.code.expand(2, -1, -1)
    changed = features.clone()
    changed[1, :, :, 3:] += 1.0
    for flat, same in ((valid.flatten(1), True), (None, False)):
        one, two = (layer(x, code, flat)[1] for x in (features, changed))
        assert torch.allclose(one, two, atol=1e-6) == same
    assert encoder().valid_cells([(65, 33)], (65, 97)) is None


@pytest.mark.parametrize("opts, message", [
    (("MODEL.HITF.PIXEL_ATTN", "rows"), "PIXEL_ATTN is 'rows'"),
    (("MODEL.HITF.PIXEL_ATTN_MODE", "swap"), "PIXEL_ATTN_MODE is 'swap'"),
    (("MODEL.HITF.PIXEL_ATTN", "global", "MODEL.HITF.PIXEL_ATTN_MODE", "replace"), "needs PIXEL_ATTN 'axial'"),
    (("MODEL.HITF.RES5_MULTI_GRID", (1, 2)), "RES5_MULTI_GRID"),
    (("MODEL.RESNETS.OUT_FEATURES", ["res4", "res5"]), "res2"),
])
def test_wrong_options_are_named(opts, message):
    with pytest.raises(ValueError, match=message):
        encoder(*opts)
