"""Tests of `detectron2.modeling.roi_heads.box_head`."""

import pytest
import torch
from torch import nn

from detectron2.layers import ShapeSpec
from detectron2.modeling import build_box_head
from detectron2.modeling.roi_heads import FastRCNNConvFCHead

SHAPE = ShapeSpec(channels=3, height=2, width=2)


def test_no_rois():
    head = FastRCNNConvFCHead(SHAPE, conv_dims=[4], fc_dims=[5])
    assert head(torch.zeros(0, 3, 2, 2)).shape == (0, 5)


def test_layers_and_output_shapes():
    head = FastRCNNConvFCHead(SHAPE, conv_dims=[4], fc_dims=[5, 6])
    assert [name for name, _ in head.named_children()] == [
        "conv1", "flatten", "fc1", "fc_relu1", "fc2", "fc_relu2"]
    assert head.output_shape == ShapeSpec(channels=6)
    # Four channels of 2 x 2 pixels.
    assert head.fc1.in_features == 4 * 2 * 2
    convs = FastRCNNConvFCHead(SHAPE, conv_dims=[32], fc_dims=[], conv_norm="GN")
    assert convs.output_shape == ShapeSpec(channels=32, height=2, width=2)
    assert list(convs.state_dict()) == ["conv1.weight", "conv1.norm.weight", "conv1.norm.bias"]


def test_a_head_needs_a_layer():
    with pytest.raises(AssertionError):
        FastRCNNConvFCHead(SHAPE, conv_dims=[], fc_dims=[])


def test_draw_order():
    torch.manual_seed(2)
    head = FastRCNNConvFCHead(SHAPE, conv_dims=[4], fc_dims=[5])
    torch.manual_seed(2)
    conv, fc = nn.Conv2d(3, 4, 3), nn.Linear(16, 5)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    nn.init.kaiming_uniform_(fc.weight, a=1)
    assert torch.equal(head.conv1.weight, conv.weight) and torch.equal(head.fc1.weight, fc.weight)
    assert not head.conv1.bias.any() and not head.fc1.bias.any()


def test_built_from_a_config(cfg):
    head = build_box_head(cfg, SHAPE)
    assert isinstance(head, FastRCNNConvFCHead) and head.fc1.out_features == 16
