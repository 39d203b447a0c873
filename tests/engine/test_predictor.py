"""The same video from any source, streamed or as a batch, gives the same ids and masks."""

import itertools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.engine.test_frame_reader import FakeCamera, write_folder
from tests.engine.toy_model import ToyVIS, toy_cfg, toy_frames
from vis_projects.data import FrameTransform, LazyFrames
from vis_projects.engine.checkpointer import VISCheckpointer
from vis_projects.engine.errors import ConfigError, VideoError
from vis_projects.engine.frame_reader import open_capture
from vis_projects.engine.frame_writer import FrameWriter
from vis_projects.engine.model_facts import ModelFacts
from vis_projects.engine.predictor import VideoPredictor
from vis_projects.engine.stage_timer import OTHER, STAGES, StageTimer
from vis_projects.structures import VideoResults

ROOT = Path(__file__).resolve().parents[2]


def predictor(**kwargs) -> VideoPredictor:
    return VideoPredictor(ToyVIS(), FrameTransform(0, 0, "RGB"), class_names=("red", "green", "blue"), **kwargs)


def content(results: VideoResults) -> list:
    return [(t.track_id, t.category_id, t.score, t.segmentations) for t in results.tracks]


def test_every_source_gives_equal_ids_and_masks(tmp_path):
    frames = toy_frames(8)
    with FrameWriter(tmp_path / "clip.avi", codec="FFV1") as writer:
        for frame in frames:
            writer.write(frame)
    write_folder(tmp_path / "clip", frames)
    camera = open_capture(0, capture_factory=lambda number: FakeCamera(frames))
    sources = [tmp_path / "clip.avi", tmp_path / "clip", (f for f in frames), frames, camera]
    found = [content(predictor().run(source)) for source in sources]
    # red (class 0) is away in frames 3 and 7
    assert [(track[0], sorted(track[3])) for track in found[0]] == [(0, [0, 1, 2, 4, 5, 6]), (2, list(range(8)))]
    assert all(other == found[0] for other in found[1:])


def test_streaming_equals_the_batch(tmp_path):
    write_folder(tmp_path / "clip", toy_frames(5))
    model, transform = ToyVIS().eval(), FrameTransform(24, 64, "RGB")
    paths = sorted(str(p) for p in (tmp_path / "clip").iterdir())
    item = {"image": LazyFrames(paths, transform), "video_id": 1, "height": 48, "width": 64}
    (batch,) = model([item])
    assert content(VideoPredictor(model, transform).run(tmp_path / "clip")) == content(batch)


def test_stream_yields_frame_by_frame_and_takes_no_more_than_it_needs():
    taken = []

    def camera():
        for t, frame in enumerate(itertools.cycle(toy_frames(2))):
            taken.append(t)
            yield frame

    stream = predictor().stream(camera())
    first = next(stream)
    assert taken == [0] and first.pred_ids.tolist() == [0, 2] and first.image_size == (48, 64)
    next(stream)
    assert taken == [0, 1]


def test_two_streams_at_once_do_not_mix():
    one = predictor()
    pairs = list(zip(one.stream(toy_frames(4)), one.stream(toy_frames(4)[::-1])))
    assert [(len(a), len(b)) for a, b in pairs] == [(2, 1), (2, 2), (2, 2), (1, 2)]


def test_score_threshold_and_classes_apply():
    frames = toy_frames(1)
    # scores: class 0 has 1/2, class 2 has 1/2 + 2/8 = 3/4
    assert next(predictor(score_threshold=0.6).stream(frames)).pred_classes.tolist() == [2]
    assert next(predictor(classes=("red",)).stream(frames)).pred_classes.tolist() == [0]
    assert next(predictor(classes=("2",)).stream(frames)).pred_classes.tolist() == [2]
    assert len(next(predictor(classes=("green",)).stream(frames))) == 0


def test_unknown_class_lists_the_known_ones():
    with pytest.raises(ConfigError, match="no class cat; it has red, green, blue"):
        predictor(classes=("cat",))


def test_a_video_without_frames():
    assert list(predictor().stream([])) == []
    with pytest.raises(VideoError, match="not one frame"):
        predictor().run([])


def test_a_frame_without_objects():
    results = predictor().run([np.zeros((48, 64, 3), np.uint8)] * 2)
    assert results.tracks == [] and results.length == 2


def test_max_frames_and_output(tmp_path):
    seen = []
    results = predictor().run(toy_frames(6), tmp_path / "out", max_frames=4, on_frame=lambda f, i: seen.append(len(i)))
    assert results.length == 4 and seen == [2, 2, 2, 1]
    drawn = sorted((tmp_path / "out").iterdir())
    assert len(drawn) == 4 and cv2.imread(str(drawn[0])).shape == (48, 64, 3)


def test_interruption_keeps_the_results():
    def camera():
        yield from toy_frames(3)
        raise KeyboardInterrupt

    assert predictor().run(camera()).length == 3


def test_stages_add_up_to_the_wall_time(tmp_path):
    timer = StageTimer()
    predictor(timer=timer).run(toy_frames(4), tmp_path / "out")
    assert timer.num_frames == 4
    assert sum(timer.seconds(name) for name in (*STAGES, OTHER)) == pytest.approx(timer.seconds("wall"), abs=1e-9)
    assert all(timer.seconds(name).sum() > 0 for name in STAGES)


def test_from_a_config_with_the_classes_of_its_checkpoint(tmp_path):
    cfg = toy_cfg("none", tmp_path)
    cfg.MODEL.VIS.NUM_CLASSES = 0
    with pytest.raises(ConfigError, match="number of classes is unknown"):
        VideoPredictor(cfg)
    VISCheckpointer(ToyVIS(), str(tmp_path), facts=ModelFacts(("a", "b", "c"))).save("w")
    cfg.MODEL.WEIGHTS = str(tmp_path / "w.pth")
    made = VideoPredictor(cfg, classes=("c",))
    assert made.facts.class_names == ("a", "b", "c")
    assert next(made.stream(toy_frames(1))).pred_classes.tolist() == [2]
    assert cfg.MODEL.VIS.NUM_CLASSES == 0


def test_a_model_needs_a_frame_transform():
    with pytest.raises(ConfigError, match="frame_transform"):
        VideoPredictor(ToyVIS())


PEAK = """
import resource, sys
import torch
from tests.engine.toy_model import toy_frames
from tests.engine.test_predictor import predictor
frames = toy_frames(20, (64, 64))
results = predictor().run(frames[t % 20] for t in range(int(sys.argv[1])))
assert results.length == int(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length_of_the_video():
    def peak(frames: int) -> int:
        run = subprocess.run([sys.executable, "-W", "ignore", "-c", PEAK, str(frames)], cwd=ROOT, check=True,
                             capture_output=True, text=True)
        return int(run.stdout.split()[-1])

    short, long = peak(200), peak(2000)
    assert long <= 1.05 * short
