"""The tracker's rules by hand behind a network that moves masks in a known way, then behind a real one."""

import pytest
import torch
from detectron2.structures import Boxes
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.methods.osmn.clips import small_config, stirred_model
from tests.methods.osmn.mover import SIZE, Mover, detections, moved, tracker
from vis_projects.methods.osmn import OSMNTracker
from vis_projects.tracking import IoUTrackerPlus, build_tracker

A, B, C = (4, 4, 14, 14), (30, 20, 40, 30), (60, 4, 70, 14)


def ids(tracker, *rows, brightness=0):
    tracker.see(torch.full((3, *SIZE), brightness, dtype=torch.uint8))
    return tracker.update(detections(*rows)).pred_ids.tolist()


def test_empty_frames_before_between_and_after():
    videos = tracker()
    assert ids(videos) == [] and ids(videos) == []
    assert ids(videos, (A, 0.9, 1)) == [0]
    assert ids(videos) == [] and ids(videos) == []
    assert ids(videos, (A, 0.9, 1)) == [0]
    assert ids(videos) == []


def test_empty_result_has_ids_of_the_right_type():
    videos = tracker()
    videos.see(torch.zeros(3, *SIZE, dtype=torch.uint8))
    empty = videos.update(detections())
    assert len(empty) == 0 and empty.pred_ids.dtype == torch.int64


def test_overlap_of_masks_by_hand():
    videos = tracker()
    assert ids(videos, (A, 0.9, 1), (B, 0.8, 1)) == [0, 1]
    videos.see(torch.zeros(3, *SIZE, dtype=torch.uint8))
    videos._images = videos.propagator.prepare(videos._pixels)
    # 10 x 10 px, 5 px to the right: 50 shared, 150 in all; 6 px down: 40 of 160; its own place: all
    rows = detections((moved(A, 5), 1, 1), (moved(B, 0, 6), 1, 1), (B, 1, 1))
    expected = torch.tensor([[1 / 3, 0], [0, 1 / 4], [0, 1]])
    torch.testing.assert_close(videos.overlaps(rows), expected)


def test_least_overlap_is_30_percent():
    videos = tracker()
    assert ids(videos, (A, 0.9, 1)) == [0]
    assert ids(videos, (moved(A, 5), 0.9, 1)) == [0]  # 1/3
    assert ids(videos, (moved(A, 11), 0.9, 1)) == [1]  # 6 px from where it was last: 40 of 160


def test_a_fast_object_is_found_by_its_propagated_mask_and_lost_by_its_box():
    """12 px a frame, 10 px wide: consecutive boxes do not touch."""
    fast, plain = tracker(Mover(velocity=(12, 0))), IoUTrackerPlus()
    for t in range(4):
        box = moved(A, 12 * t)
        assert ids(fast, (box, 0.9, 1)) == [0]
        assert plain.update(detections((box, 0.9, 1))).pred_ids.tolist() == [t]


def test_an_occluded_object_is_followed_while_it_is_unseen():
    videos = tracker(Mover(velocity=(8, 0)))
    assert ids(videos, (A, 0.9, 1)) == [0]
    assert ids(videos) == [] and ids(videos) == []
    assert ids(videos, (moved(A, 24), 0.9, 1)) == [0]


def test_an_object_that_is_found_nowhere_stays_where_it_was():
    mover = Mover()
    videos = tracker(mover)
    assert ids(videos, (A, 0.9, 1)) == [0]
    before = videos.locations.clone()
    mover.blind = True
    assert ids(videos) == [] and ids(videos, (B, 0.9, 1)) == [1]
    assert torch.equal(videos.locations[:1], before)
    mover.blind = False
    assert ids(videos, (A, 0.9, 1)) == [0]


def test_an_object_that_leaves_the_frame():
    videos = tracker(Mover(velocity=(30, 0)))
    assert ids(videos, (C, 0.9, 1)) == [0]
    for _ in range(3):
        assert ids(videos) == []
    assert ids(videos, (A, 0.9, 1)) == [1]


def test_detections_of_no_area():
    videos = tracker()
    nothing = (5, 5, 5, 5)
    videos.propagator.describe = lambda images, masks: torch.zeros(len(masks), 1)  # there is no mean of no pixel
    assert ids(videos, (nothing, 0.9, 1), (B, 0.9, 1)) == [0, 1]
    assert videos.locations[0].tolist() == [0.0] * 4
    assert ids(videos, (nothing, 0.9, 1), (B, 0.9, 1)) == [2, 1]


def test_crossing_objects_of_two_classes_keep_their_ids():
    """They stand on the same pixels in the middle; the class decides, 10 against 2 IoU."""
    videos = tracker()
    for t in range(5):
        left, right = moved(A, 4 * t), moved(A, 16 - 4 * t)
        assert ids(videos, (left, 0.9, 1), (right, 0.9, 2)) == [0, 1]


def test_of_two_detections_of_one_object_the_better_stays():
    videos = tracker()
    assert ids(videos, (A, 0.9, 1)) == [0]
    videos.see(torch.zeros(3, *SIZE, dtype=torch.uint8))
    kept = videos.update(detections((moved(A, 1), 0.5, 1), (A, 0.9, 1)))
    assert kept.pred_ids.tolist() == [0] and kept.scores.tolist() == pytest.approx([0.9])


def test_an_object_is_described_once_at_its_first_sight():
    videos = tracker()
    ids(videos, (A, 0.9, 1), brightness=10)
    ids(videos, (A, 0.9, 1), (B, 0.9, 1), brightness=20)
    ids(videos, (A, 0.9, 1), (B, 0.9, 1), brightness=30)
    assert videos.factors.flatten().tolist() == [10, 20]
    assert videos.propagator.seen[1:] == [1, 1, 0]  # after the empty start


def test_forgotten_tracks_leave_and_the_others_keep_their_rows():
    videos = tracker(retain_frames=1)
    assert ids(videos, (A, 0.9, 1), (B, 0.9, 1), brightness=10) == [0, 1]
    assert ids(videos, (B, 0.9, 1), brightness=20) == [1]
    assert ids(videos, (B, 0.9, 1), brightness=20) == [1]
    assert ids(videos, (A, 0.9, 1), (B, 0.9, 1), brightness=30) == [2, 1]
    assert videos.memory.ids.tolist() == [1, 2] and videos.factors.flatten().tolist() == [10, 30]
    ids(videos), ids(videos), ids(videos)
    assert len(videos.memory) == 0 and ids(videos, (C, 0.9, 1), brightness=40) == [3]
    assert videos.factors.flatten().tolist() == [40]


def test_overlap_of_boxes_by_hand():
    videos = tracker(overlap="box")
    assert ids(videos, (A, 0.9, 1)) == [0]
    hollow = detections((moved(A, 5), 0.9, 1))
    hollow.pred_masks[:] = False  # the box alone counts: 50 of 150
    videos.see(torch.zeros(3, *SIZE, dtype=torch.uint8))
    assert videos.update(hollow).pred_ids.tolist() == [0]
    assert ids(videos, (A, 0.9, 1)) == [0]  # an empty mask moved nothing


@pytest.mark.parametrize("overlap", ["mask", "box"])
def test_output_of_another_size_than_the_input(overlap):
    """Detections at twice the size: what is 10 px there is 5 px in the network's frame."""
    videos = tracker(overlap=overlap)
    for shift, expected in ((0, 0), (5, 0), (11, 1)):
        box = moved((8, 8, 28, 28), 2 * shift)
        videos.see(torch.zeros(3, *SIZE, dtype=torch.uint8))
        assert videos.update(detections((box, 0.9, 1), size=(80, 160))).pred_ids.tolist() == [expected]
    assert videos.locations[0, :2].tolist() == pytest.approx([4 + 5 + 4.5, 4 + 4.5])


def test_300_objects_in_a_frame():
    boxes = [(4 * (k % 20), 2 * (k // 20), 4 * (k % 20) + 3, 2 * (k // 20) + 2) for k in range(300)]
    videos = tracker()
    for _ in range(2):
        assert ids(videos, *((box, 0.9, 1) for box in boxes)) == list(range(300))


def test_a_frame_must_be_seen_before_each_update():
    videos = tracker()
    with pytest.raises(RuntimeError, match="see"):
        videos.update(detections())
    ids(videos, (A, 0.9, 1))
    with pytest.raises(RuntimeError, match="see"):
        videos.update(detections())


def test_wrong_key_is_named():
    with pytest.raises(ValueError, match="MODEL.OSMN.OVERLAP"):
        tracker(overlap="pixels")


BOXES = [A, B, C, moved(A, 3), moved(B, 4, 2), (0, 0, 0, 0)]
ROWS = st.tuples(st.sampled_from(BOXES), st.floats(0.05, 1), st.integers(0, 2))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(ROWS, max_size=5), max_size=8), st.sampled_from([0, 1, 2]), st.sampled_from(["mask", "box"]))
def test_ids_are_unique_and_never_reused(video, retain, overlap):
    mover = Mover(velocity=(1, 0))
    mover.describe = lambda images, masks: torch.zeros(len(masks), 1)
    videos = tracker(mover, retain_frames=retain, overlap=overlap)
    last_seen, given = {}, -1
    for t, rows in enumerate(video):
        found = ids(videos, *rows)
        assert len(set(found)) == len(found) and min(found, default=0) >= 0
        for track in found:
            if track in last_seen:
                assert retain == 0 or t - last_seen[track] <= retain + 1
            else:
                assert track == given + 1  # new ids count up
                given = track
            last_seen[track] = t
        assert len(videos.factors) == len(videos.locations) == len(videos.memory)


# behind a real network


@pytest.fixture(scope="module")
def network():
    return stirred_model()


def video(seed, frames=4):
    rng = torch.Generator().manual_seed(seed)
    for t in range(frames):
        rows = [(moved(box, 2 * t), 0.9, k) for k, box in enumerate((A, B, C)) if (seed + t + k) % 4]
        yield torch.randint(0, 256, (3, *SIZE), generator=rng, dtype=torch.uint8), detections(*rows)


def run(network, seed):
    videos = build_tracker(small_config(), network=network)
    for frame, found in video(seed):
        videos.see(frame)
        yield videos.update(found).pred_ids.tolist(), videos.locations.clone()


def test_the_config_builds_it(network):
    built = build_tracker(small_config("MODEL.OSMN.OVERLAP", "box", "MODEL.IOU_TRACKER.MIN_IOU", 0.4), network=network)
    assert isinstance(built, OSMNTracker) and built.needs_frame
    assert (built.overlap, built.min_iou, built.propagator) == ("box", 0.4, network.propagator)
    assert OSMNTracker.network_arch(small_config()) == "OSMN"


def test_videos_side_by_side_equal_one_after_the_other(network):
    alone = {seed: list(run(network, seed)) for seed in (1, 2)}
    together = list(zip(run(network, 1), run(network, 2)))
    for t, pair in enumerate(together):
        for seed, (found, locations) in zip((1, 2), pair):
            assert found == alone[seed][t][0] and torch.equal(locations, alone[seed][t][1])


def test_detections_are_not_modified(network):
    videos = build_tracker(small_config(), network=network)
    for frame, found in video(3):
        fields = {name: value.tensor.clone() if isinstance(value, Boxes) else value.clone()
                  for name, value in found.get_fields().items()}
        videos.see(frame)
        videos.update(found)
        assert found.get_fields().keys() == fields.keys()
        assert torch.equal(found.pred_masks, fields["pred_masks"])
        assert torch.equal(found.pred_boxes.tensor, fields["pred_boxes"])
