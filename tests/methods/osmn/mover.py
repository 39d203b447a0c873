"""A stand-in for OSMN's network that moves masks in a known way, and detections whose masks fill their boxes."""

from types import SimpleNamespace

import torch
from detectron2.structures import Boxes, Instances

from vis_projects.methods.osmn import OSMNTracker
from vis_projects.methods.osmn.guides import locate

SIZE = (40, 80)


class Mover:
    """Stands in for a `MaskPropagator`: a rectangle of the known place, moved by `velocity`, or nothing at all.

    A filled rectangle of side 2 a has the standard deviation sqrt((4 a^2 - 1) / 12) in pixels.
    """

    chunk = 2

    def __init__(self, velocity=(0, 0), blind=False):
        self.velocity, self.blind, self.seen = velocity, blind, []

    def prepare(self, frame):
        return frame[None].float()

    def locate(self, masks):
        return locate(masks, "mean", 0.01)

    def describe(self, images, masks):
        """Mean colour under each mask, to know later which frame an object was described in."""
        self.seen.append(len(masks))
        means = [images[0, 0][mask].mean() for mask in masks]
        return torch.stack(means).view(-1, 1) if means else torch.zeros(0, 1)

    def propagate(self, images, size, factors, locations):
        assert len(factors) == len(locations)
        y, x = torch.arange(size[0])[None, :, None], torch.arange(size[1])[None, None, :]
        half = ((12 * locations[:, 2:] ** 2 + 1).sqrt() / 2)[:, :, None, None]
        center = (locations[:, :2] + torch.tensor(self.velocity))[:, :, None, None]
        known = (locations[:, 2] > 0)[:, None, None] & (not self.blind)
        return ((x - center[:, 0]).abs() < half[:, 0]) & ((y - center[:, 1]).abs() < half[:, 1]) & known


def detections(*rows, size=SIZE):
    """Rows (box, score, class): the mask fills the box."""
    found = Instances(size)
    boxes = torch.tensor([row[0] for row in rows], dtype=torch.float32).reshape(-1, 4)
    found.pred_boxes = Boxes(boxes)
    found.scores = torch.tensor([float(row[1]) for row in rows])
    found.pred_classes = torch.tensor([row[2] for row in rows], dtype=torch.int64)
    y, x = torch.arange(size[0])[None, :, None], torch.arange(size[1])[None, None, :]
    x0, y0, x1, y1 = boxes.t()[:, :, None, None]
    found.pred_masks = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return found


def tracker(mover=None, **options):
    return OSMNTracker(network=SimpleNamespace(propagator=mover or Mover()), **options)


def moved(box, x, y=0):
    return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)
