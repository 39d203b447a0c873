"""The timing of a config on generated frames."""

import pytest

from tests.engine import toy_model
from vis_projects.engine.bench import bench_config, parse_size, write_frames
from vis_projects.engine.errors import ConfigError
from vis_projects.engine.frame_reader import open_frames

OPTS = ["MODEL.META_ARCHITECTURE", toy_model.ToyVIS.__name__, "MODEL.DEVICE", "cpu", "INPUT.MIN_SIZE_TEST", "0"]


def test_header_and_every_stage():
    text = bench_config("", OPTS, size="32x48", frames=3, warmup=1)
    assert "3 frames of 32x48, network input 32x48, batch 1, 1 frames warm-up, cpu" in text
    assert all(word in text for word in ("decode", "preprocess", "model", "associate", "encode", "draw", "wall", "p95"))
    assert "100.0 %" in text


@pytest.mark.parametrize("size", ["big", "3x", "0x5", "3x4x5"])
def test_broken_size(size):
    with pytest.raises(ConfigError, match="HxW|height x width"):
        parse_size(size)


def test_no_frames():
    with pytest.raises(ConfigError, match="--frames 0"):
        bench_config("", OPTS, size="8x8", frames=0)


def test_generated_frames(tmp_path):
    write_frames(tmp_path, 16, 24, 2)
    assert [frame.shape for frame in open_frames(tmp_path)] == [(16, 24, 3)] * 2
