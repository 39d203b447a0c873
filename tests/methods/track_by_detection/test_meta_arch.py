"""Any detector with any tracker behind it: streaming, whole videos, training."""

import logging

import pytest
import torch
from detectron2.modeling import build_model
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage

from tests.methods.track_by_detection.models import MASK_RCNN, OWN, RETINANET, SIZE, config, frames, video, zoo_files
from vis_projects.config import get_vis_cfg
from vis_projects.engine.tracker_choice import choose_tracker
from vis_projects.methods.track_by_detection.meta_arch import box_masks


def model(*args, **kwargs):
    torch.manual_seed(0)
    return build_model(config(*args, **kwargs)).eval()


def run(net, count=3):
    """Instances of each frame, streamed."""
    state, found = net.init_state(video(0)), []
    for frame in frames(count):
        instances, state = net.step(frame, state)
        found.append(instances)
    return found


def content(results):
    return [(t.track_id, t.category_id, t.segmentations, t.boxes, t.frame_scores) for t in results.tracks]


@pytest.mark.parametrize("path", zoo_files(), ids=lambda path: path.split("/")[-1])
def test_a_stock_config_runs_with_random_weights(path):
    cfg = get_vis_cfg()
    cfg.merge_from_file(path)
    cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS = "cpu", ""
    choose_tracker(cfg, "IoUTrackerPlus")
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = cfg.MODEL.RETINANET.SCORE_THRESH_TEST = 0.0
    torch.manual_seed(0)
    net = build_model(cfg).eval()
    with torch.no_grad():  # 16 random blocks on top of each other would leave no finite box
        for name, weight in net.named_parameters():
            if name.endswith("conv3.weight"):
                weight.zero_()
    assert type(net).__name__ == "TrackByDetection"
    for instances in run(net, count=2):
        assert len(instances) > 0 and instances.image_size == (2 * SIZE[0], 2 * SIZE[1])
        assert instances.pred_masks.shape == (len(instances), 2 * SIZE[0], 2 * SIZE[1])
        assert instances.pred_masks.dtype == torch.bool and instances.pred_ids.dtype == torch.int64
        assert len(instances.pred_ids.unique()) == len(instances)


@pytest.mark.parametrize("tracker", ["IoUTrackerPlus", "DeepSORTTracker"])
@pytest.mark.parametrize("name", [MASK_RCNN, OWN])
def test_streaming_equals_the_whole_video(tracker, name):
    net = model(name, tracker=tracker)
    builder_ids = [instances.pred_ids.tolist() for instances in run(net)]
    (results,) = net([video(3)])
    assert results.length == 3 and results.tracks and results.inference_mode == "online"
    assert sorted({k for row in builder_ids for k in row}) == [track.track_id for track in results.tracks]
    for t, row in enumerate(builder_ids):
        assert sorted(row) == [track.track_id for track in results.tracks if t in track.segmentations]


def test_detections_are_those_of_the_stock_model():
    net = model()
    stock = net.detector
    (alone,) = stock([{"image": frames(1)[0], "height": 2 * SIZE[0], "width": 2 * SIZE[1]}])
    (first,) = run(net, count=1)
    assert torch.equal(first.pred_boxes.tensor, alone["instances"].pred_boxes.tensor)
    assert torch.equal(first.pred_masks, alone["instances"].pred_masks)
    assert first.pred_ids.tolist() == list(range(len(first)))


def test_an_empty_video_and_a_video_without_objects():
    for tracker in ("IoUTrackerPlus", "SeqTracker", "DeepSORTTracker"):
        net = model(tracker=tracker, opts=("MODEL.ROI_HEADS.SCORE_THRESH_TEST", 1.1))
        for count in (0, 2):
            (results,) = net([video(count)])
            assert (results.length, results.tracks) == (count, [])


def test_an_offline_tracker_sees_the_whole_video():
    net = model(tracker="SeqTracker")
    (results,) = net([video(3)])
    assert results.length == 3 and results.tracks and results.inference_mode == "offline"
    state = net.init_state(video(0))
    for frame in frames(3):
        state = net.observe(frame, state)
    tracked = list(net.finish(state))
    assert len(tracked) == 3 == state.num_frames
    for t, instances in enumerate(tracked):
        # the masks come back in the order of the rows that the tracker kept
        for track_id, mask, score in zip(instances.pred_ids.tolist(), instances.pred_masks, instances.scores.tolist()):
            track = results.tracks[track_id]
            assert track.frame_scores[t] == score
            x0, y0, x1, y1 = track.boxes[t]
            ys, xs = torch.nonzero(mask, as_tuple=True)
            if len(ys):
                assert x0 - 1 <= xs.min() and xs.max() <= x1 + 1 and y0 - 1 <= ys.min() and ys.max() <= y1 + 1


@pytest.mark.parametrize("name, arch", [(MASK_RCNN, "TrackByDetection"), (OWN, "MaskTrackRCNN")])
def test_an_offline_tracker_cannot_be_streamed(name, arch):
    net = model(name, tracker="SeqTracker", opts=("MODEL.META_ARCHITECTURE", arch))
    with pytest.raises(RuntimeError, match="SeqTracker is an offline tracker.*TrackByDetection"):
        run(net, count=1)


def test_a_tracker_that_needs_the_frame_is_shown_the_network_input():
    net, seen = model(), []

    class Watching(type(net.tracker_factory())):
        needs_frame = True

        def see(self, frame):
            seen.append(frame)

        def update(self, instances):
            assert len(seen) == calls + 1  # before each update
            return super().update(instances)

    net.tracker_factory = Watching
    state = net.init_state(video(0))
    for calls, frame in enumerate(frames(2)):
        _, state = net.step(frame, state)
        assert torch.equal(seen[-1], frame)
    calls = 2
    given = Instances((2 * SIZE[0], 2 * SIZE[1]))
    given.pred_boxes, given.scores = Boxes(torch.tensor([[1.0, 2, 30, 40]])), torch.ones(1)
    given.pred_classes, given.pred_masks = torch.zeros(1, dtype=torch.int64), torch.ones(1, 96, 128, dtype=torch.bool)
    tracked, state = net.step_with_given_instances(frames(1)[0], given, state)
    assert len(tracked) == 1 and len(seen) == 3


def test_the_network_of_the_tracker_is_shared_and_frozen():
    net = model(tracker="DeepSORTTracker")
    one, other = net.init_state(video(0)).tracker, net.init_state(video(0)).tracker
    assert one is not other and one.network is other.network is net.tracker_network
    assert not any(p.requires_grad for p in net.tracker_network.parameters())
    assert any(p.requires_grad for p in net.detector.parameters())
    assert net.checkpointed is net.detector
    sort = model(tracker="DeepSORTTracker", opts=("MODEL.DEEPSORT.APPEARANCE", False))
    assert sort.tracker_network is None


def test_boxes_become_masks_where_the_detector_has_none(caplog):
    logging.getLogger("vis_projects").propagate = True
    net = model(RETINANET)
    with caplog.at_level(logging.WARNING):
        first, second = run(net, count=2)
    assert sum("RetinaNet gives no masks" in record.message for record in caplog.records) == 1
    assert len(first) > 0
    expected = box_masks(first.pred_boxes, *first.image_size)
    assert torch.equal(first.pred_masks, expected) and len(second) > 0


def test_box_masks_by_hand():
    # pixel centres at 0.5, 1.5, 2.5: x from 0.6 to 2.5 holds the middle one only, y from 0 to 1 the first row
    masks = box_masks(Boxes(torch.tensor([[0.6, 0.0, 2.5, 1.0], [0.0, 0.0, 0.0, 0.0]])), 2, 3)
    assert masks.int().tolist() == [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert box_masks(Boxes(torch.zeros(0, 4)), 2, 3).shape == (0, 2, 3)


def test_the_association_of_a_model_of_this_project_is_off():
    net = model(OWN)
    own = net.detector
    state = net.init_state(video(0))
    assert type(state.detector_state.tracker).__name__ == "_NoTracker"
    instances, state = net.step(frames(1)[0], state)
    assert state.detector_state.num_frames == state.num_frames == 1
    images = own._preprocess_frame(frames(1)[0])
    alone = own.detect(images, own.init_state(video(0)))
    assert torch.equal(instances.pred_boxes.tensor, alone.pred_boxes.tensor)
    assert torch.equal(instances.scores, alone.scores)


def test_a_model_that_asks_its_own_tracker_is_named():
    net = model(OWN)
    net.detector.detect = lambda images, state: state.tracker.recall()
    with pytest.raises(AttributeError, match="asks its own tracker for `recall`.*MODEL.TRACK_BY_DETECTION.DETECTOR"):
        run(net, count=1)


def test_frames_are_checked():
    net = model()
    with pytest.raises(TypeError, match="uint8"):
        net.step(frames(1)[0].float(), net.init_state(video(0)))
    with pytest.raises(RuntimeError, match="eval"):
        net.train().step(frames(1)[0], net.init_state(video(0)))


@pytest.mark.parametrize("detector", ["", "TrackByDetection"])
def test_a_detector_must_be_named(detector):
    with pytest.raises(ValueError, match="MODEL.TRACK_BY_DETECTION.DETECTOR"):
        model(opts=("MODEL.TRACK_BY_DETECTION.DETECTOR", detector))


def test_a_model_without_instances_is_named():
    net = model()

    class NoInstances(torch.nn.Module):
        def forward(self, items):
            return [{"sem_seg": torch.zeros(1)} for _ in items]

    net.detector = NoInstances()
    with pytest.raises(TypeError, match="NoInstances gives \\['sem_seg'\\]"):
        run(net, count=1)


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("name, losses", [
    (MASK_RCNN, {"loss_rpn_cls", "loss_rpn_loc", "loss_cls", "loss_box_reg", "loss_mask"}),
    (RETINANET, {"loss_cls", "loss_box_reg"}),
])
def test_a_stock_detector_trains_on_every_frame_of_a_clip(name, losses, empty):
    net = model(name).train()
    truth = Instances(SIZE)
    masks = torch.zeros(0 if empty else 1, *SIZE, dtype=torch.bool)
    masks[:, 10:30, 10:40] = True
    truth.gt_masks = BitMasks(masks)
    truth.gt_boxes = Boxes(torch.tensor([[10.0, 10, 40, 30]])[: len(masks)])
    truth.gt_classes = torch.zeros(len(masks), dtype=torch.int64)
    item = {"image": frames(2), "instances": [truth, truth], "height": 96, "width": 128, "roles": ["key", "other"]}
    with EventStorage():
        found = net([item])
    assert set(found) == losses and all(value.isfinite() for value in found.values())
    sum(found.values()).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in net.detector.parameters())
    image = {"image": item["image"][0], "instances": truth, "height": 96, "width": 128}  # of ImageMapper
    with EventStorage():
        assert set(net([image])) == losses
