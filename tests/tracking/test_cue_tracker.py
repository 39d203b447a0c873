"""What every tracker with cues shares beside what its methods test: the memory that a frame is scored against."""

import pytest
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.tracking import CueTracker


class ConstantTracker(CueTracker):
    """Every detection is as much like each track as its first number says."""

    section = "MODEL.TOY"
    memory_field = "looks"
    required_fields = (*CueTracker.required_fields, "looks")

    @classmethod
    def from_config(cls, cfg):
        return cls.arguments(cfg)

    def appearance_logits(self, instances):
        rows = instances.looks.flatten(1)[:, :1]
        return torch.cat([torch.zeros_like(rows), rows.expand(-1, len(self.memory))], 1)


def detection(look):
    found = Instances((40, 40))
    found.pred_boxes, found.scores = Boxes(torch.tensor([[0.0, 0, 10, 10]])), torch.tensor([0.9])
    found.pred_classes, found.looks = torch.tensor([0]), torch.full((1, 2, 3), look)
    return found


def test_an_empty_memory_is_recalled_as_such():
    assert len(ConstantTracker().recall()) == 0


def test_appearance_decides_and_the_memory_keeps_its_shape():
    tracker = ConstantTracker(match_coeff=(0, 0, 0))
    assert [tracker.update(detection(look)).pred_ids.tolist() for look in (1.0, 2.0, -1.0)] == [[0], [0], [1]]
    assert tracker.memory.embeddings.shape == (2, 2, 3)


def test_what_is_recalled_is_what_the_frame_is_matched_against():
    tracker = ConstantTracker(retain_frames=1)
    tracker.update(detection(1.0))
    assert len(tracker.recall()) == 1
    tracker.update(detection(1.0)[torch.tensor([False])])
    assert len(tracker.recall()) == 0 and len(tracker.memory) == 0
    assert tracker.update(detection(1.0)).pred_ids.tolist() == [1]


def test_errors_name_the_section_and_the_field():
    with pytest.raises(ValueError, match="MODEL.TOY.RETAIN_FRAMES is -1"):
        ConstantTracker(retain_frames=-1)
    frame = detection(1.0)
    frame.remove("looks")
    with pytest.raises(KeyError, match="ConstantTracker needs the fields .'looks'."):
        ConstantTracker().update(frame)
