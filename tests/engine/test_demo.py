"""The demo on a folder of images, from a config and a checkpoint."""

import pytest

from tests.engine.test_frame_reader import write_folder
from tests.engine.toy_model import ToyVIS, toy_frames
from vis_projects.engine.checkpointer import VISCheckpointer
from vis_projects.engine.demo import run_demo
from vis_projects.engine.errors import CheckpointError, ConfigError, VideoError
from vis_projects.engine.frame_reader import open_frames
from vis_projects.engine.model_facts import ModelFacts
from vis_projects.structures import VideoResults

OPTS = ["MODEL.META_ARCHITECTURE", "ToyVIS", "MODEL.DEVICE", "cpu", "INPUT.FORMAT", "RGB", "INPUT.MIN_SIZE_TEST", "0"]


@pytest.fixture
def weights(tmp_path):
    VISCheckpointer(ToyVIS(), str(tmp_path), facts=ModelFacts(("red", "green", "blue"))).save("w")
    return ["MODEL.WEIGHTS", str(tmp_path / "w.pth")]


def test_writes_video_and_results(tmp_path, weights):
    write_folder(tmp_path / "clip", toy_frames(5))
    out, results = tmp_path / "out.mp4", tmp_path / "r" / "out.json"
    line = run_demo("", [*OPTS, *weights], str(tmp_path / "clip"), output=str(out), results=str(results), max_frames=3)
    assert "3 frames, 2 tracks" in line and str(out) in line
    assert len(list(open_frames(out))) == 3
    loaded = VideoResults.load(results)
    assert loaded.length == 3 and [track.category_id for track in loaded.tracks] == [0, 2]


def test_threshold_and_classes_apply_to_the_results(tmp_path, weights):
    write_folder(tmp_path / "clip", toy_frames(2))
    results = tmp_path / "out.json"
    run_demo("", [*OPTS, *weights], str(tmp_path / "clip"), results=str(results), classes=("blue",))
    assert [track.category_id for track in VideoResults.load(results).tracks] == [2]
    run_demo("", [*OPTS, *weights], str(tmp_path / "clip"), results=str(results), score_threshold=0.9)
    assert VideoResults.load(results).tracks == []


def test_mistakes(tmp_path, weights):
    write_folder(tmp_path / "clip", toy_frames(1))
    clip = str(tmp_path / "clip")
    with pytest.raises(VideoError, match="nowhere"):
        run_demo("", [*OPTS, *weights], "nowhere")
    with pytest.raises(ConfigError, match="cat"):
        run_demo("", [*OPTS, *weights], clip, classes=("cat",))
    with pytest.raises(CheckpointError, match="none.pth"):
        run_demo("", [*OPTS, "MODEL.WEIGHTS", str(tmp_path / "none.pth")], clip)
