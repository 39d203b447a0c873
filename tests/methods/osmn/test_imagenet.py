"""A VGG16 of ImageNet in torchvision's names fills both networks."""

import torch
from torch import nn

from tests.methods.osmn.clips import small_model
from vis_projects.engine.checkpointer import VISCheckpointer

VGG = ("MODEL.OSMN.WIDTHS", (4, 4, 8, 8, 8), "MODEL.OSMN.CONVS", (1, 1, 2, 1, 1), "MODEL.OSMN.NORM", "",
       "MODEL.OSMN.FC_DIM", 6, "MODEL.OSMN.GUIDE_SIZE", 32)


def vgg_state():
    """Names and shapes of such a file: convolutions at odd places of `features`, three layers in `classifier`."""
    torch.manual_seed(1)
    state, channels = {}, 3
    for k, width in zip((0, 3, 6, 8, 11, 14), (4, 4, 8, 8, 8, 8)):
        layer = nn.Conv2d(channels, width, 3)
        state |= {f"features.{k}.weight": layer.weight.detach(), f"features.{k}.bias": layer.bias.detach()}
        channels = width
    for k, (inner, outer) in {0: (8, 6), 3: (6, 6), 6: (6, 1000)}.items():
        state |= {f"classifier.{k}.weight": torch.rand(outer, inner), f"classifier.{k}.bias": torch.rand(outer)}
    return state


def test_each_layer_goes_to_its_place(tmp_path):
    state, model = vgg_state(), small_model(*VGG)
    torch.save(state, tmp_path / "vgg.pth")
    loader = VISCheckpointer(model)
    loader.load(str(tmp_path / "vgg.pth"), checkpointables=[])
    net = model.propagator
    for part in (net.segmentation, net.visual):
        assert torch.equal(part.stages[0][0].weight, state["features.0.weight"])
        assert torch.equal(part.stages[2][1].weight, state["features.8.weight"])
        assert torch.equal(part.stages[4][0].bias, state["features.14.bias"])
    assert torch.equal(net.visual.fc6.weight, state["classifier.0.weight"])
    assert torch.equal(net.visual.fc7.bias, state["classifier.3.bias"])
    assert torch.equal(net.visual.fc8.bias, torch.ones(32))  # 2 x 8 + 8 + 8 factors, not taken from the classes
    missing = {name.split(".")[1] + "." + name.split(".")[2] for name in loader.report.missing}
    assert missing == {"segmentation.sides", "segmentation.fuse", "visual.fc8", "spatial.layers"}
    assert not loader.report.unexpected


def test_a_layer_of_another_shape_stays_as_it_is(tmp_path):
    state, model = vgg_state(), small_model(*VGG)
    before = model.propagator.segmentation.stages[0][0].weight.clone()
    state["features.0.weight"] = torch.rand(5, 3, 3, 3)
    torch.save(state, tmp_path / "vgg.pth")
    loader = VISCheckpointer(model)
    loader.load(str(tmp_path / "vgg.pth"), checkpointables=[])
    assert torch.equal(model.propagator.segmentation.stages[0][0].weight, before)
    assert "propagator.segmentation.stages.0.0.weight" in loader.report.missing


def test_without_visual_modulator_and_own_checkpoints():
    state, model = vgg_state(), small_model(*VGG, "MODEL.OSMN.VISUAL_MODULATOR", False)
    model.load_state_dict(state, strict=False)
    assert torch.equal(model.propagator.segmentation.stages[1][0].weight, state["features.3.weight"])
    own = {name: torch.full_like(value, 0.5) for name, value in model.state_dict().items()}
    model.load_state_dict(own, strict=True)
    assert all(float(value.min()) == 0.5 for value in model.state_dict().values())
