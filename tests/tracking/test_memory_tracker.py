"""What all trackers with a memory share: fields, ages, births and sights."""

import pytest
import torch

from tests.tracking.scenes import detections, square
from vis_projects.tracking import MemoryTracker


class ByPlace(MemoryTracker):
    """Prefers the track whose remembered left side is nearest, "new" beyond 10 pixels; keeps the score as look."""

    section = "MODEL.TEST"
    required_fields = (*MemoryTracker.required_fields, "extra")

    def scores(self, instances):
        away = (instances.pred_boxes.tensor[:, :1] - self.memory.boxes[None, :, 0]).abs()
        return torch.cat([torch.full((len(instances), 1), -10.0), -away], dim=1)

    def looks(self, instances):
        return instances.scores[:, None]


def ids(tracker, *rows):
    found = detections(*rows)
    found.extra = torch.zeros(len(found))
    return tracker.update(found).pred_ids.tolist()


def test_the_interface_alone_cannot_be_built():
    with pytest.raises(TypeError, match="looks.*scores"):
        MemoryTracker()


def test_births_sights_and_losers():
    tracker = ByPlace()
    assert ids(tracker) == []
    assert ids(tracker, square(0), square(50)) == [0, 1]
    # both want track 0, the nearer one keeps it; the third is new
    assert ids(tracker, square(4), square(1, score=0.7), square(90)) == [0, 2]
    assert tracker.memory.embeddings[:, 0].tolist() == pytest.approx([0.7, 0.9, 0.9])
    assert tracker.memory.boxes[:, 0].tolist() == [1, 50, 90]


def test_recall_forgets_in_time_for_the_next_frame():
    tracker = ByPlace(retain_frames=2)
    ids(tracker, square(0))
    assert len(tracker.recall()) == 1
    ids(tracker)
    assert len(tracker.recall()) == 1  # the next frame is the second after the sight
    ids(tracker)
    assert len(tracker.recall()) == 0 and ids(tracker, square(0)) == [1]


def test_missing_fields_are_named():
    with pytest.raises(KeyError, match="ByPlace needs the fields \\['extra'\\]"):
        ByPlace().update(detections(square(0)))


@pytest.mark.parametrize("key, value", [("memory_label", "best"), ("retain_frames", -1)])
def test_settings_are_checked_under_the_name_of_the_section(key, value):
    with pytest.raises(ValueError, match=f"MODEL.TEST.{key.upper()}"):
        ByPlace(**{key: value})
