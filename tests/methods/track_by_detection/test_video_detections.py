"""Detections of a whole video: rows, masks and frames stay together through an offline tracker."""

import torch
from detectron2.structures import Boxes, Instances

from vis_projects.methods.track_by_detection.video_detections import VideoDetections

SIZE = (6, 8)


def frame(*columns):
    """One object per column k: its mask is column k, its score k / 10."""
    found = Instances(SIZE)
    found.pred_masks = torch.zeros(len(columns), *SIZE, dtype=torch.bool)
    for row, k in enumerate(columns):
        found.pred_masks[row, :, k] = True
    found.pred_boxes = Boxes(torch.tensor([[float(k), 0, k + 1, 6] for k in columns]).reshape(-1, 4))
    found.scores = torch.tensor([k / 10 for k in columns])
    found.pred_classes = torch.tensor(columns, dtype=torch.int64)
    found.something_else = torch.zeros(len(columns))
    return found


class LastFirst:
    """Keeps rows with an odd class; the id is the class."""

    def track(self, frames):
        self.fields = [sorted(instances.get_fields()) for instances in frames]
        kept = [instances[instances.pred_classes % 2 == 1] for instances in frames]
        for instances in kept:
            instances.pred_ids = instances.pred_classes.clone()
        return kept


def test_no_frames():
    assert list(VideoDetections().tracked_by(LastFirst())) == []


def test_masks_follow_their_rows():
    detections, tracker = VideoDetections(), LastFirst()
    for columns in ((0, 1, 2, 3), (), (2,), (5, 0, 3)):
        detections.append(frame(*columns))
    assert len(detections) == 4
    tracked = list(detections.tracked_by(tracker))
    assert [instances.pred_ids.tolist() for instances in tracked] == [[1, 3], [], [], [5, 3]]
    for instances in tracked:
        assert instances.pred_masks.dtype == torch.bool and instances.pred_masks.shape == (len(instances), *SIZE)
        for mask, k, score in zip(instances.pred_masks, instances.pred_ids.tolist(), instances.scores.tolist()):
            assert torch.nonzero(mask.any(0)).flatten().tolist() == [k] and score == torch.tensor(k / 10).item()
    assert "pred_masks" not in tracker.fields[0] and "something_else" not in tracker.fields[0]
