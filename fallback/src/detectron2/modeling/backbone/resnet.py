"""ResNet (arXiv 1512.03385) as a detection backbone, and its builder from a config."""

from torch import nn

from detectron2.layers import CNNBlockBase

from .._impl.initializers import normal_fill
from .._impl.resnet_blocks import BasicBlock, BasicStem, BottleneckBlock, DeformBottleneckBlock
from .backbone import Backbone
from .build import BACKBONE_REGISTRY

__all__ = [
    "ResNetBlockBase",
    "BasicBlock",
    "BottleneckBlock",
    "DeformBottleneckBlock",
    "BasicStem",
    "ResNet",
    "make_stage",
    "build_resnet_backbone",
]

ResNetBlockBase = CNNBlockBase

_BLOCKS_BY_DEPTH = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
_BASIC_DEPTHS = (18, 34)


class ResNet(Backbone):
    """A stem followed by stages `res2`, `res3`, ... and, if asked, a classifier `linear`.

    Args:
        stem: block that takes the images.
        stages: list of stages, each a non-empty list of blocks (CNNBlockBase). Stages
            after the last one in `out_features` are dropped.
        num_classes: outputs of the classifier; None builds none.
        out_features: names out of "stem", "res2", ..., "linear"; None means the last
            thing built.
        freeze_at: as in `freeze`.

    Raises:
        AssertionError: for an empty stage, a block of another type, or a name in
            `out_features` that is not there.
    """

    def __init__(self, stem, stages, num_classes=None, out_features=None, freeze_at=0):
        super().__init__()
        self.stem = stem
        self.num_classes = num_classes
        stride, channels = stem.stride, stem.out_channels
        self._out_feature_strides = {"stem": stride}
        self._out_feature_channels = {"stem": channels}

        if out_features is not None:
            ordinal = {f"res{i}": i - 1 for i in range(2, len(stages) + 2)}
            stages = stages[: max(ordinal.get(name, 0) for name in out_features)]
        self.stage_names = tuple(f"res{i}" for i in range(2, len(stages) + 2))
        self.stages = []
        for name, blocks in zip(self.stage_names, stages):
            _check_stage(name, blocks)
            stage = nn.Sequential(*blocks)
            self.add_module(name, stage)
            self.stages.append(stage)
            for block in blocks:
                stride *= block.stride
            channels = blocks[-1].out_channels
            self._out_feature_strides[name] = stride
            self._out_feature_channels[name] = channels

        last = self.stage_names[-1] if self.stage_names else "stem"
        if num_classes is not None:
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.linear = nn.Linear(channels, num_classes)
            normal_fill(self.linear, std=0.01)
            last = "linear"
        self._out_features = [last] if out_features is None else out_features
        children = {name for name, _ in self.named_children()}
        for name in self._out_features:
            assert name in children, f"out_features names {name!r}; available are {sorted(children)}"
        self.freeze(freeze_at)

    def forward(self, x):
        """Runs the network.

        Args:
            x: float images (N, C, H, W).

        Returns:
            Dict of the wanted features: float (N, C_i, H/stride_i, W/stride_i);
            "linear" is (N, num_classes).
        """
        assert x.dim() == 4, f"ResNet needs images (N, C, H, W), got the shape {tuple(x.shape)}"
        wanted, outputs = set(self._out_features), {}
        x = self.stem(x)
        if "stem" in wanted:
            outputs["stem"] = x
        for name, stage in zip(self.stage_names, self.stages):
            x = stage(x)
            if name in wanted:
                outputs[name] = x
        if self.num_classes is not None:
            logits = self.linear(self.avgpool(x).flatten(1))
            if "linear" in wanted:
                outputs["linear"] = logits
        return outputs

    def output_shape(self):
        """Returns a dict: feature name -> ShapeSpec with channels and stride."""
        return super().output_shape()

    def freeze(self, freeze_at=0):
        """Fixes the first parts: parameters get no gradient, batch norms become frozen.

        Args:
            freeze_at: 0 nothing, 1 the stem, 2 also res2, 3 also res3, and so on.

        Returns:
            This network.
        """
        if freeze_at >= 1:
            self.stem.freeze()
        for stage in self.stages[: max(freeze_at - 1, 0)]:
            for block in stage:
                block.freeze()
        return self

    @staticmethod
    def make_stage(block_class, num_blocks, *, in_channels, out_channels, **kwargs):
        """Builds the blocks of one stage; only the first takes `in_channels`.

        Args:
            block_class: class of the blocks.
            num_blocks: how many.
            in_channels: channels that enter the stage.
            out_channels: channels of every block's output.
            **kwargs: arguments of all blocks; under a name with the suffix
                `_per_block`, a list with one value for each.

        Returns:
            List of blocks.

        Raises:
            AssertionError: when a `_per_block` list has another length, or when the same
                argument is given both ways.
        """
        shared, varying = {}, {}
        for key, value in kwargs.items():
            if not key.endswith("_per_block"):
                shared[key] = value
                continue
            name = key[: -len("_per_block")]
            assert len(value) == num_blocks, (
                f"{key} has {len(value)} values for num_blocks={num_blocks}; give one a block"
            )
            assert name not in kwargs, f"give either {name} or {key}, not both"
            varying[name] = value
        blocks = []
        for i in range(num_blocks):
            own = {name: values[i] for name, values in varying.items()}
            width = out_channels if i else in_channels
            blocks.append(block_class(in_channels=width, out_channels=out_channels, **shared, **own))
        return blocks

    @staticmethod
    def make_default_stages(depth, block_class=None, **kwargs):
        """Builds the four stages of a standard ResNet.

        Args:
            depth: 18, 34, 50, 101 or 152.
            block_class: class of the blocks; by default BasicBlock for 18 and 34, else
                BottleneckBlock.
            **kwargs: further arguments of `make_stage`, the same for all stages.

        Returns:
            List of four lists of blocks.

        Raises:
            KeyError: for another depth.
        """
        counts = _BLOCKS_BY_DEPTH[depth]
        basic = depth in _BASIC_DEPTHS
        if block_class is None:
            block_class = BasicBlock if basic else BottleneckBlock
        width, stages = 64, []
        for index, count in enumerate(counts):
            out_channels = 64 * 2**index * (1 if basic else 4)
            own = dict(kwargs)
            if not basic:
                own["bottleneck_channels"] = out_channels // 4
            strides = [2 if index and not i else 1 for i in range(count)]
            stages.append(
                ResNet.make_stage(
                    block_class=block_class,
                    num_blocks=count,
                    stride_per_block=strides,
                    in_channels=width,
                    out_channels=out_channels,
                    **own,
                )
            )
            width = out_channels
        return stages


def make_stage(*args, **kwargs):
    """Same as `ResNet.make_stage`."""
    return ResNet.make_stage(*args, **kwargs)


@BACKBONE_REGISTRY.register()
def build_resnet_backbone(cfg, input_shape):
    """Builds the ResNet that MODEL.RESNETS and MODEL.BACKBONE.FREEZE_AT describe.

    Args:
        cfg: a config node.
        input_shape: ShapeSpec of the images; only its channels are used.

    Returns:
        The ResNet, with the stages up to the last of OUT_FEATURES.

    Raises:
        AssertionError: for a RES5_DILATION other than 1 and 2, and for options that
            depths 18 and 34 do not have.
        KeyError: for an unknown DEPTH.
    """
    node = cfg.MODEL.RESNETS
    stem = BasicStem(input_shape.channels, node.STEM_OUT_CHANNELS, node.NORM)
    assert node.RES5_DILATION in (1, 2), f"MODEL.RESNETS.RES5_DILATION={node.RES5_DILATION}: use 1 or 2"
    counts = _BLOCKS_BY_DEPTH[node.DEPTH]
    if node.DEPTH in _BASIC_DEPTHS:
        _check_basic_options(node)

    in_channels, out_channels = node.STEM_OUT_CHANNELS, node.RES2_OUT_CHANNELS
    # All four, though ResNet may drop some: what a seed gives the rest of the model then
    # does not depend on OUT_FEATURES.
    stages = []
    for index in range(4):
        options = _stage_options(node, index)
        stages.append(
            ResNet.make_stage(
                num_blocks=counts[index],
                in_channels=in_channels,
                out_channels=out_channels,
                **options,
            )
        )
        in_channels, out_channels = out_channels, 2 * out_channels
    return ResNet(stem, stages, out_features=node.OUT_FEATURES, freeze_at=cfg.MODEL.BACKBONE.FREEZE_AT)


def _stage_options(node, index):
    """Arguments of `make_stage` for the stage with this index (0 is res2)."""
    dilation = node.RES5_DILATION if index == 3 else 1
    # res2 keeps the stem's size; a dilated res5 keeps that of res4.
    halves = index > 0 and dilation == 1
    strides = [2 if halves else 1] + [1] * (_BLOCKS_BY_DEPTH[node.DEPTH][index] - 1)
    options = {"stride_per_block": strides, "norm": node.NORM}
    if node.DEPTH in _BASIC_DEPTHS:
        return {"block_class": BasicBlock, **options}
    options.update(
        block_class=BottleneckBlock,
        bottleneck_channels=node.NUM_GROUPS * node.WIDTH_PER_GROUP * 2**index,
        num_groups=node.NUM_GROUPS,
        stride_in_1x1=node.STRIDE_IN_1X1,
        dilation=dilation,
    )
    if node.DEFORM_ON_PER_STAGE[index]:
        options.update(
            block_class=DeformBottleneckBlock,
            deform_modulated=node.DEFORM_MODULATED,
            deform_num_groups=node.DEFORM_NUM_GROUPS,
        )
    return options


def _check_basic_options(node):
    """Depths 18 and 34 have neither bottlenecks nor what hangs on them."""
    what = f"MODEL.RESNETS.DEPTH={node.DEPTH} needs "
    assert node.RES2_OUT_CHANNELS == 64, f"{what}RES2_OUT_CHANNELS=64, not {node.RES2_OUT_CHANNELS}"
    assert not any(node.DEFORM_ON_PER_STAGE), f"{what}DEFORM_ON_PER_STAGE all False"
    assert node.RES5_DILATION == 1, f"{what}RES5_DILATION=1, not {node.RES5_DILATION}"
    assert node.NUM_GROUPS == 1, f"{what}NUM_GROUPS=1, not {node.NUM_GROUPS}"


def _check_stage(name, blocks):
    assert len(blocks) > 0, f"the stage {name} has no block"
    for block in blocks:
        assert isinstance(block, CNNBlockBase), f"{name} holds a {type(block).__name__}, which is no CNNBlockBase"
