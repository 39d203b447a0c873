"""A tracker behind a config's model: the choice, the checkpoints of both parts, own videos, offline trackers."""

import logging

import numpy as np
import pytest
import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.modeling import build_model

from tests.engine.test_frame_reader import FakeCamera, write_folder
from tests.methods.track_by_detection.models import MASK_RCNN, OWN, RETINANET, SIZE, config, frames, video
from vis_projects.config import get_vis_cfg
from vis_projects.data import FrameTransform
from vis_projects.engine.checkpointer import VISCheckpointer
from vis_projects.engine.demo import run_demo
from vis_projects.engine.errors import CheckpointError, ConfigError, VideoError
from vis_projects.engine.evaluation_loop import weights_fingerprint
from vis_projects.engine.frame_reader import open_capture, open_frames
from vis_projects.engine.predictor import VideoPredictor, build_for_inference
from vis_projects.engine.stage_timer import StageTimer
from vis_projects.engine.tracker_choice import choose_tracker, load_tracker_network
from vis_projects.structures import VideoResults


def stock(name=MASK_RCNN, **kwargs):
    """The plain image model of a config."""
    cfg = config(name, **kwargs)
    cfg.MODEL.META_ARCHITECTURE = cfg.MODEL.TRACK_BY_DETECTION.DETECTOR
    return cfg


def bgr_frames(count):
    return [np.ascontiguousarray(frame.permute(1, 2, 0).numpy()) for frame in frames(count)]


def content(results):
    return [(t.track_id, t.category_id, t.score, t.segmentations) for t in results.tracks]


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_stock_config_becomes_track_by_detection():
    for name, arch in ((MASK_RCNN, "GeneralizedRCNN"), (RETINANET, "RetinaNet")):
        cfg = stock(name)
        cfg.MODEL.VIS.NUM_CLASSES = 0
        choose_tracker(cfg, "SeqTracker")
        assert cfg.MODEL.META_ARCHITECTURE == "TrackByDetection" and cfg.MODEL.TRACK_BY_DETECTION.DETECTOR == arch
        assert cfg.MODEL.VIS.TRACKER.NAME == "SeqTracker"
        assert cfg.MODEL.VIS.NUM_CLASSES == 3  # what the stock model has
        choose_tracker(cfg, "IoUTrackerPlus")  # a second choice replaces the first
        assert cfg.MODEL.TRACK_BY_DETECTION.DETECTOR == arch and cfg.MODEL.VIS.TRACKER.NAME == "IoUTrackerPlus"


def test_a_model_of_this_project_keeps_asking_for_its_classes():
    cfg = get_vis_cfg()
    cfg.MODEL.META_ARCHITECTURE = "MaskTrackRCNN"
    choose_tracker(cfg, "IoUTrackerPlus")
    assert cfg.MODEL.VIS.NUM_CLASSES == 0 and cfg.MODEL.TRACK_BY_DETECTION.DETECTOR == "MaskTrackRCNN"


def test_wrong_names():
    with pytest.raises(ConfigError, match="no such tracker; choose one of .*DeepSORTTracker.*SeqTracker"):
        choose_tracker(get_vis_cfg(), "Sort")
    cfg = get_vis_cfg()
    cfg.MODEL.META_ARCHITECTURE = "NoSuchModel"
    with pytest.raises(ConfigError, match="NoSuchModel"):
        choose_tracker(cfg, "SeqTracker")


@pytest.mark.parametrize("name", [MASK_RCNN, RETINANET, OWN])
@pytest.mark.parametrize("saver", [VISCheckpointer, DetectionCheckpointer])
def test_image_checkpoints_load_as_they_are(name, saver, tmp_path):
    torch.manual_seed(1)
    image_model = build_model(stock(name))
    saver(image_model, str(tmp_path)).save("image")
    cfg = config(name, tracker="DeepSORTTracker")
    wrapped = build_model(cfg)
    assert not same_weights(wrapped.detector, image_model)
    checkpointer = VISCheckpointer(wrapped, str(tmp_path), min_matched=1.0)
    checkpointer.load(str(tmp_path / "image.pth"))
    assert same_weights(wrapped.detector, image_model)
    assert checkpointer.report.fraction == 1.0 and not checkpointer.report.missing
    checkpointer.save("wrapped")
    back = build_model(stock(name))
    saver(back, str(tmp_path)).load(str(tmp_path / "wrapped.pth"))
    assert same_weights(back, image_model)


def test_another_number_of_classes_is_reported_as_for_the_image_model(tmp_path):
    VISCheckpointer(build_model(stock(opts=("MODEL.ROI_HEADS.NUM_CLASSES", 5))), str(tmp_path)).save("image")
    with pytest.raises(CheckpointError, match="6 of another shape"):
        VISCheckpointer(build_model(config()), min_matched=1.0).load(str(tmp_path / "image.pth"))
    cfg = config(opts=("MODEL.WEIGHTS", str(tmp_path / "image.pth")))
    loaded = build_model(cfg)
    VISCheckpointer(loaded, min_matched=0.5).load(cfg.MODEL.WEIGHTS)  # as the start of a training


def test_the_network_of_the_tracker_has_a_checkpoint_of_its_own(tmp_path, caplog):
    logging.getLogger("vis_projects").propagate = True
    cfg = config(tracker="DeepSORTTracker")
    training = cfg.clone()
    training.MODEL.META_ARCHITECTURE = "ReIDNetwork"
    torch.manual_seed(2)
    network = build_model(training)
    VISCheckpointer(network, str(tmp_path)).save("reid")
    net = build_model(cfg)
    with caplog.at_level(logging.WARNING):
        load_tracker_network(cfg, net)
    assert "MODEL.VIS.TRACKER.WEIGHTS is empty: the ReIDNetwork of DeepSORTTracker" in caplog.text
    cfg.MODEL.VIS.TRACKER.WEIGHTS = str(tmp_path / "reid.pth")
    load_tracker_network(cfg, net)
    assert same_weights(net.tracker_network, network)
    assert "reid.pth" in weights_fingerprint(cfg)
    model, _ = build_for_inference(cfg)
    assert same_weights(model.tracker_network, network)
    cfg.MODEL.REID.WIDTH = 16
    with pytest.raises(CheckpointError, match="another model"):
        load_tracker_network(cfg, build_model(cfg))


def demo_opts(tmp_path, tracker="IoUTrackerPlus"):
    """A yaml of a stock model and its checkpoint."""
    cfg = stock(tracker=tracker)
    cfg.MODEL.VIS.NUM_CLASSES = 0
    cfg.MODEL.VIS.TRACKER.NAME = ""
    cfg.INPUT.MIN_SIZE_TEST = 0
    (tmp_path / "stock.yaml").write_text(cfg.dump())
    torch.manual_seed(0)
    DetectionCheckpointer(build_model(cfg), str(tmp_path)).save("image")
    return str(tmp_path / "stock.yaml"), ["MODEL.WEIGHTS", str(tmp_path / "image.pth")]


@pytest.mark.parametrize("tracker", ["IoUTrackerPlus", "SeqTracker"])
def test_the_demo_gives_a_stock_model_ids(tracker, tmp_path):
    config_file, opts = demo_opts(tmp_path)
    write_folder(tmp_path / "clip", bgr_frames(3))
    line = run_demo(config_file, opts, str(tmp_path / "clip"), tracker=tracker, output=str(tmp_path / "out"),
                    results=str(tmp_path / "r.json"))
    assert "3 frames" in line and len(list(open_frames(tmp_path / "out"))) == 3
    results = VideoResults.load(tmp_path / "r.json")
    assert results.length == 3


def offline_predictor(**kwargs):
    torch.manual_seed(0)
    net = build_model(config(tracker="SeqTracker")).eval()
    return VideoPredictor(net, FrameTransform(0, 0, "BGR"), **kwargs)


def test_an_offline_tracker_reads_the_video_twice_and_equals_the_batch(tmp_path):
    write_folder(tmp_path / "clip", bgr_frames(3))
    predictor, shown = offline_predictor(), []
    assert predictor.offline
    found = predictor.run(
        tmp_path / "clip", tmp_path / "out", on_frame=lambda _, instances: shown.append(len(instances))
    )
    assert found.length == 3 == len(shown) and found.tracks
    assert sum(shown) == sum(track.length for track in found.tracks)
    item = video(0)
    item["image"] = [FrameTransform(0, 0, "BGR")(frame) for frame in open_frames(tmp_path / "clip")]
    (batch,) = predictor.model([{**item, "height": SIZE[0], "width": SIZE[1]}])
    assert content(found) == content(batch)
    assert predictor.run(tmp_path / "clip", max_frames=2).length == 2
    assert content(predictor.run(bgr_frames(3))) == content(offline_predictor().run(bgr_frames(3)))


def test_an_offline_tracker_takes_no_source_that_is_read_once():
    predictor = offline_predictor()
    with pytest.raises(VideoError, match="offline and reads a video twice"):
        predictor.run(frame for frame in bgr_frames(2))
    with pytest.raises(VideoError, match="offline"):
        predictor.run(open_capture(0, capture_factory=lambda number: FakeCamera(bgr_frames(2))))
    with pytest.raises(RuntimeError, match="offline tracker"):
        list(predictor.stream(bgr_frames(2)))
    with pytest.raises(VideoError, match="not one frame"):
        predictor.run([])


@pytest.mark.parametrize("tracker", ["IoUTrackerPlus", "SeqTracker"])
def test_the_time_of_the_tracker_is_counted(tracker):
    torch.manual_seed(0)
    net = build_model(config(tracker=tracker)).eval()
    timer = StageTimer()
    VideoPredictor(net, FrameTransform(0, 0, "BGR"), timer=timer).run(bgr_frames(3))
    assert timer.num_frames == 3 and timer.seconds("associate").sum() > 0 and timer.seconds("model").sum() > 0
