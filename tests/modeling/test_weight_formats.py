"""torchvision's names of a ResNet become Detectron2's, and no other name changes."""

import pytest
from detectron2.layers import ShapeSpec
from detectron2.modeling import build_resnet_backbone
from torchvision.models import resnet50

from vis_projects.config import get_vis_cfg
from vis_projects.modeling.weight_formats import COUNTER, bottom_up_name


def test_all_of_a_resnet_has_the_names_and_shapes_of_detectron2():
    cfg = get_vis_cfg()
    cfg.merge_from_list(["MODEL.RESNETS.OUT_FEATURES", ["res5"]])
    theirs = {bottom_up_name(f"backbone.{name}"): value.shape for name, value in resnet50().state_dict().items()
              if not name.endswith(COUNTER) and not name.startswith("fc.")}
    ours = build_resnet_backbone(cfg, ShapeSpec(channels=3)).state_dict()
    assert theirs == {f"backbone.bottom_up.{name}": value.shape for name, value in ours.items()}


@pytest.mark.parametrize(
    "name", ["conv1.weight", "backbone.fpn_lateral2.bias", "backbone.conv2.weight", "backbone.layer1.weight",
             "head.backbone.bn1.bias", "backbone.layers.0.0.conv1.weight"]
)  # fmt: skip
def test_other_names_stay(name):
    assert bottom_up_name(name) == name
