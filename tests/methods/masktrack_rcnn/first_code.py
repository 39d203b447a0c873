"""A frame as the first code sees it, on weights under its names: boxes (x0, y0, x1, y1) hold their last pixel, the
background is class 0, RoIAlign has no half-pixel shift."""

import math

import torch
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops import nms, roi_align

STRIDES = (4, 8, 16, 32, 64)
WIDER = torch.tensor([0, 0, 1, 1])  # to boxes that end behind their last pixel


def detections(weights, image, size, *, inner, score_threshold=0.05, keep=10):
    """Detections of one normalised and padded image (1, 3, H, W), whose size before padding is `size`.

    Returns:
        boxes (n, 4), scores (n,), labels (n,) from 1 on, masks (n, 28, 28) in [0, 1], embeddings (n, D), by score.
    """
    maps, proposals, hidden = box_features(weights, image, size, inner)
    scores = linear(weights, "bbox_head.fc_cls", hidden).softmax(dim=1)
    deltas = linear(weights, "bbox_head.fc_reg", hidden)
    found = []
    for label in range(1, scores.shape[1]):
        good = scores[:, label] > score_threshold
        of_class = deltas[good, 4 * label:4 * label + 4] * torch.tensor([0.1, 0.1, 0.2, 0.2])
        boxes = decode(proposals[good], of_class, size)
        for row in nms(boxes + WIDER, scores[good, label], 0.5).tolist():
            found.append((scores[good, label][row], label, boxes[row]))
    found = sorted(found, key=lambda one: -one[0])[:keep]
    boxes = torch.stack([box for _, _, box in found])
    labels = torch.tensor([label for _, label, _ in found])
    masks = mask_logits(weights, pool(maps, boxes, 14))[torch.arange(len(found)), labels].sigmoid()
    return boxes, torch.stack([score for score, _, _ in found]), labels, masks, embed(weights, pool(maps, boxes, 7))


def box_features(weights, image, size, inner):
    """The five maps, the proposals (n, 4), and what the last two layers of the box head see of them, (n, D)."""
    maps = pyramid(weights, backbone(weights, image, inner))
    proposals = region_proposals(weights, maps, size)
    hidden = pool(maps, proposals, 7).flatten(1)
    for layer in ("shared_fcs.0", "shared_fcs.1"):
        hidden = linear(weights, f"bbox_head.{layer}", hidden).relu()
    return maps, proposals, hidden


def linear(weights, name, x):
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def conv(weights, name, x, **kwargs):
    return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], **kwargs)


def backbone(weights, image, inner):
    """Outputs of the four stages."""
    net = ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=inner)
    net.fc = torch.nn.Identity()
    net.load_state_dict({name.removeprefix("backbone."): value for name, value in weights.items()
                         if name.startswith("backbone.")})
    net.eval()
    x, outputs = net.maxpool(net.bn1(net.conv1(image)).relu()), []
    for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = stage(x)
        outputs.append(x)
    return outputs


def pyramid(weights, stages):
    """Five maps of strides 4 to 64."""
    sums = [conv(weights, f"neck.lateral_convs.{index}.conv", x) for index, x in enumerate(stages)]
    for index in (2, 1, 0):
        sums[index] = sums[index] + sums[index + 1].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    maps = [conv(weights, f"neck.fpn_convs.{index}.conv", x, padding=1) for index, x in enumerate(sums)]
    return [*maps, maps[-1][:, :, ::2, ::2]]


def base_anchors(stride):
    """Those of the first cell, (3, 4): wide, square, high."""
    rows, centre = [], (stride - 1) / 2
    for ratio in (0.5, 1.0, 2.0):
        half_w, half_h = (8 * stride / math.sqrt(ratio) - 1) / 2, (8 * stride * math.sqrt(ratio) - 1) / 2
        rows.append([round(centre - half_w), round(centre - half_h), round(centre + half_w), round(centre + half_h)])
    return torch.tensor(rows, dtype=torch.float32)


def region_proposals(weights, maps, size):
    boxes, scores = [], []
    for stride, x in zip(STRIDES, maps):
        hidden = conv(weights, "rpn_head.rpn_conv", x, padding=1).relu()
        # of each cell the three anchors, of each anchor its four deltas
        logits = conv(weights, "rpn_head.rpn_cls", hidden)[0].permute(1, 2, 0).reshape(-1)
        deltas = conv(weights, "rpn_head.rpn_reg", hidden)[0].permute(1, 2, 0).reshape(-1, 4)
        y, x0 = torch.meshgrid(*(torch.arange(side) * stride for side in x.shape[-2:]), indexing="ij")
        anchors = (torch.stack([x0, y, x0, y], dim=2)[:, :, None] + base_anchors(stride)).reshape(-1, 4)
        best = logits.argsort(descending=True)[:200]
        level = decode(anchors[best], deltas[best], size)
        kept = nms(level + WIDER, logits[best], 0.7)
        boxes.append(level[kept])
        scores.append(logits[best][kept])
    return torch.cat(boxes)[torch.cat(scores).argsort(descending=True)[:200]]


def decode(boxes, deltas, size):
    """Boxes moved by deltas (dx, dy, dw, dh), cut off at the image."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * deltas[:, :2]
    sides = sides * deltas[:, 2:].exp()
    last = torch.tensor([size[1] - 1, size[0] - 1])
    corners = (centres - (sides - 1) / 2, centres + (sides - 1) / 2)
    return torch.cat([corner.clamp(min=torch.zeros(2), max=last) for corner in corners], dim=1)


def pool(maps, boxes, side):
    """RoI features; a box of 112 pixels a side and more leaves the first level."""
    area = (boxes + WIDER)[:, 2:] - boxes[:, :2]
    levels = (area.prod(dim=1).sqrt() / 56 + 1e-6).log2().floor().clamp(0, 3)
    out = torch.zeros(len(boxes), maps[0].shape[1], side, side)
    for level in range(4):
        rows = levels == level
        rois = torch.cat([torch.zeros(int(rows.sum()), 1), (boxes + WIDER)[rows]], dim=1)
        out[rows] = roi_align(maps[level], rois, side, 1 / STRIDES[level], sampling_ratio=2, aligned=False)
    return out


def mask_logits(weights, x):
    for index in range(4):
        x = conv(weights, f"mask_head.convs.{index}.conv", x, padding=1).relu()
    x = F.conv_transpose2d(x, weights["mask_head.upsample.weight"], weights["mask_head.upsample.bias"], stride=2)
    return conv(weights, "mask_head.conv_logits", x.relu())


def embed(weights, pooled):
    return linear(weights, "track_head.fcs.1", linear(weights, "track_head.fcs.0", pooled.flatten(1)).relu())
