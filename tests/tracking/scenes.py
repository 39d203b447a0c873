"""Hand-made detections of moving squares, for tests of trackers."""

import torch
from detectron2.structures import Boxes, Instances

SIZE = (200, 600)
SIDE = 20.0


def detections(*rows, size=SIZE):
    """Instances of rows (box, score, class)."""
    found = Instances(size)
    found.pred_boxes = Boxes(torch.tensor([r[0] for r in rows], dtype=torch.float32).reshape(-1, 4))
    found.scores = torch.tensor([float(r[1]) for r in rows])
    found.pred_classes = torch.tensor([r[2] for r in rows], dtype=torch.int64)
    return found


def square(x, score=0.9, label=0, y=0.0, side=SIDE):
    """A row: a square whose left upper corner is (x, y)."""
    return ((x, y, x + side, y + side), score, label)


def ids(tracker, *rows, frame=None):
    """pred_ids of one frame of an online tracker; ``frame`` is shown to it first."""
    if frame is not None:
        tracker.see(frame)
    return tracker.update(detections(*rows)).pred_ids.tolist()


def grid(count, per_row=25, step=23.0, shift=0.0):
    """``count`` squares that do not touch, all moved by ``shift`` pixels."""
    return [square(shift + step * (k % per_row), y=shift + step * (k // per_row)) for k in range(count)]


def painted(*rows, size=SIZE):
    """A (3, h, w) uint8 frame with rows (box, colour) painted over each other."""
    frame = torch.zeros(3, *size, dtype=torch.uint8)
    for (x0, y0, x1, y1), colour in rows:
        frame[:, int(y0) : int(y1), int(x0) : int(x1)] = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    return frame


class ColourNet(torch.nn.Module):
    """Stands for a re-identification network: the embedding of a box is the direction of its middle's colour."""

    def embed(self, frame, boxes):
        middle = (boxes[:, :2] + boxes[:, 2:]).div(2).long()
        colours = frame[:, middle[:, 1], middle[:, 0]].t().float()
        return torch.nn.functional.normalize(colours, dim=1)
