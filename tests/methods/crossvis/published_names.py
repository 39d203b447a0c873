"""Names and shapes of the weights in published CondInst and CrossVIS checkpoints (ResNet-50)."""

import torch

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
NORM = ("weight", "bias", "running_mean", "running_var")


def resnet50():
    """Backbone without FPN: stem and the four stages with frozen batch norm."""
    shapes = {"stem.conv1.weight": (64, 3, 7, 7), **{f"stem.conv1.norm.{name}": (64,) for name in NORM}}

    def conv(name, out, into, size):
        shapes[f"{name}.weight"] = (out, into, size, size)
        shapes.update({f"{name}.norm.{part}": (out,) for part in NORM})

    into = 64
    for stage, blocks in BLOCKS.items():
        width = 64 * 2 ** (stage - 2)
        for block in range(blocks):
            at = f"res{stage}.{block}"
            if block == 0:
                conv(f"{at}.shortcut", 4 * width, into, 1)
            conv(f"{at}.conv1", width, into, 1)
            conv(f"{at}.conv2", width, width, 3)
            conv(f"{at}.conv3", 4 * width, width, 1)
            into = 4 * width
    return {f"backbone.bottom_up.{name}": shape for name, shape in shapes.items()}


def with_bias(name, *shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def condinst(num_classes):
    """All of CondInst."""
    shapes = resnet50()
    for level, into in ((3, 512), (4, 1024), (5, 2048)):
        shapes |= with_bias(f"backbone.fpn_lateral{level}", 256, into, 1, 1)
        shapes |= with_bias(f"backbone.fpn_output{level}", 256, 256, 3, 3)
    for name in ("p6", "p7"):
        shapes |= with_bias(f"backbone.top_block.{name}", 256, 256, 3, 3)
    head = "proposal_generator.fcos_head"
    shapes |= tower(f"{head}.cls_tower") | tower(f"{head}.bbox_tower")
    for name, channels in (("cls_logits", num_classes), ("bbox_pred", 4), ("ctrness", 1)):
        shapes |= with_bias(f"{head}.{name}", channels, 256, 3, 3)
    shapes |= {f"{head}.scales.{level}.scale": (1,) for level in range(5)}
    for k in range(3):
        shapes |= {f"mask_branch.refine.{k}.0.weight": (128, 256, 3, 3)} | batch_norm(f"mask_branch.refine.{k}.1", 128)
    for k in range(4):
        shapes |= {f"mask_branch.tower.{k}.0.weight": (128, 128, 3, 3)} | batch_norm(f"mask_branch.tower.{k}.1", 128)
    shapes |= with_bias("mask_branch.tower.4", 8, 128, 1, 1) | with_bias("controller", 169, 256, 3, 3)
    return shapes | {"mask_head.sizes_of_interest": (5,), "mask_head._iter": (1,)}


def crossvis(num_classes, num_identities):
    """CondInst with the embedding branch and the classifier of the identities."""
    head = "proposal_generator.fcos_head"
    shapes = condinst(num_classes) | tower(f"{head}.reid_tower") | with_bias(f"{head}.reid_pred", 256, 256, 1, 1)
    return shapes | batch_norm(f"{head}.reid_pred_bn", 256) | with_bias("cls", num_identities, 256)


def tower(name):
    shapes = {}
    for k in (0, 3, 6, 9):
        shapes |= with_bias(f"{name}.{k}", 256, 256, 3, 3) | with_bias(f"{name}.{k + 1}", 256)
    return shapes


def batch_norm(name, channels):
    return {f"{name}.{part}": (channels,) for part in NORM} | {f"{name}.num_batches_tracked": ()}


def weights(shapes):
    """Zeros of these shapes, with the constants that old checkpoints hold beside them."""
    old = {"pixel_mean": torch.zeros(3, 1, 1), "pixel_std": torch.ones(3, 1, 1)}
    return {name: torch.zeros(shape) for name, shape in shapes.items()} | old
