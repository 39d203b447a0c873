"""Stage times of a config on generated frames, with a header that says what they include."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vis_projects.engine.config_file import load_config
from vis_projects.engine.errors import ConfigError
from vis_projects.engine.frame_reader import open_frames
from vis_projects.engine.model_facts import ModelFacts
from vis_projects.engine.predictor import VideoPredictor
from vis_projects.engine.stage_timer import StageTimer

NUM_CLASSES_IF_UNKNOWN = 40  # as YouTube-VIS
NUM_SHAPES = 5


def bench_config(config_file: str, opts: Sequence[str], *, size: str, frames: int = 50, warmup: int = 5) -> str:
    """Times a config frame by frame, batch 1.

    Args:
        config_file, opts: as of `load_config`. Without MODEL.WEIGHTS the weights are random.
        size: of the frames, "HxW" in pixels, before the model's own resize.
        frames: timed frames.
        warmup: frames before, not timed.

    Returns:
        header and table.

    Raises:
        UserError: of config or checkpoint.
    """
    height, width = parse_size(size)
    if frames < 1 or warmup < 0:
        raise ConfigError(f"--frames {frames} must be at least 1 and --warmup {warmup} at least 0")
    cfg = load_config(config_file, opts)
    # weights given in opts are timed as they are; those of the yaml are a training's start
    if "MODEL.WEIGHTS" not in opts:
        cfg.MODEL.WEIGHTS = ""
    if not cfg.MODEL.VIS.NUM_CLASSES and not ModelFacts.from_checkpoint(cfg.MODEL.WEIGHTS).class_names:
        cfg.MODEL.VIS.NUM_CLASSES = NUM_CLASSES_IF_UNKNOWN
    predictor = VideoPredictor(cfg)
    predictor.timer = timer = StageTimer(device=predictor.model.device)
    with tempfile.TemporaryDirectory() as folder:
        write_frames(Path(folder), height, width, max(frames, warmup))
        if warmup:
            predictor.run(open_frames(folder), Path(folder) / "drawn", max_frames=warmup)
        results = predictor.run(open_frames(folder), Path(folder) / "drawn", max_frames=frames)
    weights = cfg.MODEL.WEIGHTS or "random (association, encode and draw depend on what is found)"
    network_size = tuple(predictor.frame_transform(np.zeros((height, width, 3), np.uint8)).shape[1:])
    found = sum(track.length for track in results.tracks) / results.length
    header = (
        f"{timer.num_frames} frames of {height}x{width}, network input {network_size[0]}x{network_size[1]}, batch 1, "
        f"{warmup} frames warm-up, {predictor.model.device}, weights: {weights}\n"
        f"decode: jpg from disk; preprocess: resize; model: to device, network, masks at frame size; associate: "
        f"tracker; encode: RLE; draw: overlay and jpg; CUDA waited for after each stage\n"
        f"{found:.1f} objects a frame, {1 / timer.seconds('wall').mean():.2f} frames/s over everything"
    )
    return f"{header}\n{timer.table()}"


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) of "HxW".

    Raises:
        ConfigError: it is something else.
    """
    height, _, width = text.lower().partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise ConfigError(f"--size {text!r}: give height x width in pixels, such as 360x640")
    return int(height), int(width)


def write_frames(folder: Path, height: int, width: int, count: int) -> None:
    """Writes jpg frames of discs that move over noise."""
    rng = np.random.default_rng(0)
    background = rng.integers(0, 80, (height, width, 3), dtype=np.uint8)
    centres = rng.uniform((0, 0), (height, width), (NUM_SHAPES, 2))
    steps = rng.uniform(-3, 3, (NUM_SHAPES, 2))
    colours = rng.integers(100, 255, (NUM_SHAPES, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    radius = min(height, width) / 8
    for t in range(count):
        image = background.copy()
        for (y, x), colour in zip((centres + t * steps) % (height, width), colours):
            image[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = colour
        Image.fromarray(image).save(folder / f"{t:05d}.jpg")
