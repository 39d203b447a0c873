"""ResNets with deformable bottlenecks at an interval, as Yolact++ has them."""

from collections.abc import Collection

from detectron2.config import CfgNode
from detectron2.layers import CNNBlockBase, ShapeSpec
from detectron2.modeling.backbone import ResNet, build_resnet_backbone
from detectron2.modeling.backbone.resnet import BasicStem, BottleneckBlock

from vis_projects.modeling.deform_bottleneck import DeformBottleneck

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # depth -> blocks of res2 to res5


def deform_resnet(cfg: CfgNode, input_shape: ShapeSpec, interval: int, stages: Collection[str]) -> ResNet:
    """The ResNet of ``MODEL.RESNETS`` with modulated deformable convolutions in some of its blocks.

    Args:
        cfg: with ``MODEL.RESNETS`` and ``MODEL.BACKBONE``.
        input_shape: of the images.
        interval: in each of the stages, block i is deformable where i is a multiple of it; 0: none is.
        stages: some of "res2" to "res5".

    Raises:
        ValueError: the depth has no bottlenecks, or a stage or the interval is none.
    """
    node = cfg.MODEL.RESNETS
    unknown = sorted(set(stages) - {f"res{k}" for k in range(2, 6)})
    if unknown or interval < 0:
        raise ValueError(f"deformable convolutions at interval {interval} in stages {tuple(stages)}: stages are res2 "
                         "to res5, the interval is 0 (none) or more")
    if interval == 0:
        return build_resnet_backbone(cfg, input_shape)
    if node.DEPTH not in BLOCKS:
        raise ValueError(f"MODEL.RESNETS.DEPTH is {node.DEPTH}, which has no bottlenecks to make deformable; choose "
                         f"from {tuple(BLOCKS)}, or switch deformable convolutions off")
    in_channels, out_channels = node.STEM_OUT_CHANNELS, node.RES2_OUT_CHANNELS
    built = []
    for index, count in enumerate(BLOCKS[node.DEPTH]):
        deformable = range(0, count, interval) if f"res{index + 2}" in stages else ()
        built.append(_stage(node, index, count, in_channels, out_channels, deformable))
        in_channels, out_channels = out_channels, 2 * out_channels
    stem = BasicStem(input_shape.channels, node.STEM_OUT_CHANNELS, node.NORM)
    return ResNet(stem, built, out_features=list(node.OUT_FEATURES), freeze_at=cfg.MODEL.BACKBONE.FREEZE_AT)


def _stage(
    node: CfgNode, index: int, count: int, in_channels: int, out_channels: int, deformable: Collection[int]
) -> list[CNNBlockBase]:
    dilation = node.RES5_DILATION if index == 3 else 1
    blocks = []
    for block in range(count):
        kind = DeformBottleneck if block in deformable else BottleneckBlock
        blocks.append(kind(
            in_channels, out_channels, bottleneck_channels=node.NUM_GROUPS * node.WIDTH_PER_GROUP * 2**index,
            # res2 keeps the size of the stem, a dilated res5 that of res4
            stride=2 if block == 0 and index > 0 and dilation == 1 else 1,
            num_groups=node.NUM_GROUPS, norm=node.NORM, stride_in_1x1=node.STRIDE_IN_1X1, dilation=dilation,
        ))
        in_channels = out_channels
    return blocks
