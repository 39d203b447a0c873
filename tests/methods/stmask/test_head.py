"""The head: order of its outputs, receptive fields of FCA, subsets of FCB."""

import itertools

import pytest
import torch

from vis_projects.methods.stmask.anchors import anchor_shapes
from vis_projects.methods.stmask.head import PredictionHead

FCA = ((3, 3), (3, 5), (5, 3))
RATIOS = (1.0, 0.5, 2.0)


def head(kernels=FCA, scales=(1.0,), mode="kernel", **options):
    torch.manual_seed(0)
    shapes = anchor_shapes(kernels, mode, RATIOS, scales)
    base = {"in_channels": 8, "num_classes": 3, "num_prototypes": 4, "embed_dim": 6, "tower_convs": 1}
    return PredictionHead(kernels=kernels, shapes=shapes, **{**base, **options})


def levels(*sizes):
    return [torch.randn(2, 8, *size) for size in sizes]


def test_shapes_and_ranges():
    out = head()(levels((4, 6), (2, 3)))
    anchors = 3 * (24 + 6)
    assert out.deltas.shape == (2, anchors, 4) and out.logits.shape == (2, anchors, 4)
    assert out.coefficients.shape == (2, anchors, 4) and out.anchors.shape == (anchors, 4)
    assert torch.allclose(out.embeddings.norm(dim=2), torch.ones(2, anchors))
    assert out.centerness.shape == (2, anchors) and (out.centerness.abs() < 1).all()
    assert [tuple(shared.shape) for shared in out.shared] == [(2, 8, 4, 6), (2, 8, 2, 3)]


@pytest.mark.parametrize("kernel", range(3))
def test_receptive_field_of_a_last_layer_is_the_footprint_of_its_anchor(kernel):
    model = head()
    feature = torch.randn(1, 8, 9, 11, requires_grad=True)
    for layers in (model.bbox_layer, model.conf_layer, model.mask_layer, model.track_layer, model.centerness_layer):
        (gradient,) = torch.autograd.grad(layers[kernel](feature)[0, :, 4, 5].sum(), feature)
        rows, columns = (gradient[0].abs().sum(0) > 0).nonzero(as_tuple=True)
        height, width = int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1
        assert (height, width) == FCA[kernel] and len(rows) == height * width
        assert (rows.float().mean(), columns.float().mean()) == (4, 5)
        assert model.shapes[kernel] == ((float(width), float(height)),)


def test_outputs_go_cell_by_cell_then_kernel_by_kernel():
    model = head()
    with torch.no_grad():
        for kernel, layer in enumerate(model.bbox_layer):
            layer.weight.zero_()
            layer.bias.copy_(torch.arange(4.0) + 10 * kernel)
    out = model(levels((2, 3)))
    expected = torch.tensor([[0.0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]).repeat(6, 1)
    assert torch.equal(out.deltas[0], expected)


@pytest.mark.parametrize("order", ["kernel_major", "anchor_major"])
def test_order_of_centerness(order):
    model = head(centerness_order=order)
    with torch.no_grad():
        for layer, value in zip(model.centerness_layer, (0.1, 0.5, 1.0)):
            layer.weight.zero_()
            layer.bias.fill_(value)
    out = model(levels((6, 10), (1, 2)))
    values = torch.tensor([0.1, 0.5, 1.0]).tanh()
    if order == "kernel_major":  # indices 0 to 59 of the 6 x 10 map are the first kernel's
        expected = torch.cat([values.repeat_interleave(60), values.repeat_interleave(2)])
    else:
        expected = values.repeat(62)
    assert torch.allclose(out.centerness[1], expected)


@pytest.mark.parametrize("kind", ["ada", "ali"])
@pytest.mark.parametrize(
    "branches", [b for n in range(4) for b in itertools.combinations(("class", "mask", "track"), n)], ids="-".join
)
def test_fcb_on_any_subset_of_branches(kind, branches):
    model = head(fcb_type=kind, fcb_branches=branches)
    layers = {"class": "conf_layer", "mask": "mask_layer", "track": "track_layer"}
    aligned = {branch for branch, name in layers.items() if hasattr(getattr(model, name)[0], "conv_adaption")}
    assert aligned == set(branches)
    out = model(levels((3, 4)))
    total = out.logits.sum() + out.coefficients.sum() + out.embeddings[..., 0].sum() + out.deltas.sum()
    (total + out.centerness.sum()).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("kind", ["none", "ada", "ali"])
def test_several_scales_per_kernel(kind):
    out = head(scales=(1.0, 2 ** (1 / 3), 2 ** (2 / 3)), fcb_type=kind, fcb_branches=("class",))(levels((3, 4)))
    assert out.deltas.shape == (2, 9 * 12, 4) == (2, len(out.anchors), 4)
    assert out.logits.shape[1] == out.centerness.shape[1] == 9 * 12


def test_kernels_of_even_size_keep_the_size_of_the_level():
    out = head(kernels=((3, 3), (3, 2), (2, 3)))(levels((3, 4), (1, 1)))
    assert out.deltas.shape == (2, 3 * 13, 4) and out.centerness.shape == (2, 3 * 13)


def test_no_centerness():
    assert head(centerness=False)(levels((2, 2))).centerness is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"centerness_order": "x"}, "CENTERNESS_ORDER is 'x'"),
        ({"fcb_branches": ("box",)}, r"BRANCHES holds \['box'\]"),
        ({"fcb_type": "x"}, "FCB.TYPE is 'x'"),
    ],
)
def test_errors_name_the_key(options, message):
    with pytest.raises(ValueError, match=message):
        head(**options)
