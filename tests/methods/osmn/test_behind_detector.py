"""OSMNTracker behind a small random Mask R-CNN: streaming, whole videos, true detections, one shared network."""

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances

from tests.methods.osmn.clips import small_config, stirred_model
from tests.methods.track_by_detection.models import SIZE, config, frames, video


@pytest.fixture(scope="module")
def model():
    cfg = config(tracker="OSMNTracker", opts=("TEST.DETECTIONS_PER_IMAGE", 8, "MODEL.IOU_TRACKER.MIN_IOU", 0.1))
    cfg.MODEL.OSMN = small_config().MODEL.OSMN
    torch.manual_seed(0)
    net = build_model(cfg).eval()
    net.tracker_network.load_state_dict(stirred_model().state_dict())
    return net


def streamed(model, given):
    state, found = model.init_state(video(0)), []
    for frame in given:
        instances, state = model.step(frame, state)
        found.append(instances)
    return found


def test_an_empty_video(model):
    (results,) = model([video(0)])
    assert (results.length, results.tracks) == (0, [])


def test_streaming_equals_the_whole_video(model):
    found = streamed(model, frames(3))
    (results,) = model([video(3)])
    assert results.length == 3 and len(found[0]) == 8
    for t, instances in enumerate(found):
        by_id = {track.track_id: track for track in results.tracks if t in track.segmentations}
        assert sorted(by_id) == sorted(instances.pred_ids.tolist())
        for row, track_id in enumerate(instances.pred_ids.tolist()):
            assert by_id[track_id].frame_scores[t] == float(instances.scores[row])
    (again,) = model([video(3)])  # nothing of the first video is left in the network
    assert [track.segmentations for track in again.tracks] == [track.segmentations for track in results.tracks]


def test_given_instances_are_followed(model):
    """What the image oracle does: true objects in place of detections."""
    state, ids = model.init_state(video(0)), []
    given = Instances((2 * SIZE[0], 2 * SIZE[1]))
    given.pred_boxes = Boxes(torch.tensor([[10.0, 20.0, 50.0, 60.0], [70.0, 30.0, 110.0, 80.0]]))
    given.pred_masks = torch.zeros(2, 2 * SIZE[0], 2 * SIZE[1], dtype=torch.bool)
    given.pred_masks[0, 20:60, 10:50] = given.pred_masks[1, 30:80, 70:110] = True
    given.scores, given.pred_classes = torch.ones(2), torch.tensor([0, 1])
    for t, frame in enumerate(frames(3)):
        tracked, state = model.step_with_given_instances(frame, given, state)
        ids.append(tracked.pred_ids.tolist())
        if t == 0:  # at half the size x from 5 to 24 and from 35 to 54
            assert state.tracker.locations[:, 0].tolist() == [14.0, 44.0]
    assert ids[0] == [0, 1] and all(len(set(row)) == len(row) == 2 for row in ids)


def test_the_network_is_shared_and_frozen(model):
    trackers = [model.init_state(video(0)).tracker for _ in range(2)]
    assert trackers[0] is not trackers[1] and trackers[0].propagator is trackers[1].propagator
    assert not any(p.requires_grad for p in model.tracker_network.parameters()) and not model.tracker_network.training
