"""2,000 small frames: what is remembered of a video does not grow with it."""

from pathlib import Path

import torch
from detectron2.structures import Boxes, Instances

from tests.methods.compfeat.clips import wake
from vis_projects.methods.compfeat import CompFeatTracker, FrameAttention
from vis_projects.methods.compfeat.supports import SupportFrames

C, SIZE = 64, (12, 16)


def resident_megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def found_in(attended, tracks):
    """Two objects: what is there of them in the attended map, like no track that is remembered."""
    found = Instances((192, 256))
    found.pred_boxes = Boxes(torch.tensor([[0.0, 0, 48, 48], [96, 96, 144, 144]]))
    found.scores, found.pred_classes = torch.ones(2), torch.tensor([0, 1])
    found.memory_looks = torch.stack([attended[0, :, :3, :3], attended[0, :, 6:9, 6:9]])
    found.track_logits = torch.full((2, 1 + tracks), -30.0).index_fill(1, torch.tensor(0), 0.0)
    return found


def test_attention_and_tracking_of_2000_frames():
    attention, supports = wake(FrameAttention({"p4": C})), SupportFrames("uniform_past", 4, 6)
    tracker = CompFeatTracker(retain_frames=3)
    maps = torch.randn(7, 1, C, *SIZE, generator=torch.Generator().manual_seed(0))
    resident, state = {}, {}
    with torch.no_grad():
        for t in range(2000):
            features = {"p4": maps[t % 7]}
            own = lambda: attention.project(features)  # noqa: B023, E731
            attended = attention(features, supports.supports_of(t, own, None))["p4"]
            tracker.update(found_in(attended, len(tracker.recall())))
            supports.remember(t, own)
            if t in (199, 1999):
                resident[t] = resident_megabytes()
                state[t] = supports.nbytes + tracker.memory.embeddings.nbytes
    assert state[1999] == state[199] and tracker.memory.ids.tolist()[-1] == 3999  # every frame brought two new tracks
    # keys and values of a frame are 24 KB, two templates 5 KB: 52 MB if all of them were kept
    assert resident[1999] - resident[199] < 20
