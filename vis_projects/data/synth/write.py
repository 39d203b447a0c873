"""Writes SynthVIS to disk: JPEG frames and one YouTube-VIS json per split."""

import json
import multiprocessing
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vis_projects.data.synth.annotate import VideoAnnotator, assemble, video_folder, video_record
from vis_projects.data.synth.masks import rasterise
from vis_projects.data.synth.presets import SPLITS, SceneOptions, get_preset
from vis_projects.data.synth.render import VideoRenderer
from vis_projects.data.synth.scene import draw_scene


def write_synthvis(preset: str, out_dir: str | Path, *, seed: int = 0, splits: Sequence[str] = SPLITS,
                   workers: int = 1, rle: str = "compressed", num_videos: int | Mapping[str, int] | None = None,
                   progress: bool = True, options: SceneOptions = SceneOptions()) -> dict[str, Path]:
    """Writes `<out_dir>/<split>/JPEGImages/v00000/00000.jpg ...` and `<out_dir>/<split>/instances.json`.

    The bytes depend on preset, split, seed and options only, not on `workers` or on how many videos are written.
    A json is written after all of its frames, under a temporary name first: where it exists, the split is complete.

    Args:
        preset: "tiny", "small" or "full".
        out_dir: folder to write to; made if missing.
        seed: seed of the whole set.
        splits: which of "train", "val" and "test" to write.
        workers: processes; 1 works in this process.
        rle: "compressed" or "list" (run lengths as in the released YouTube-VIS files).
        num_videos: videos per split, one number for all or a number by split; None takes the preset's.
        progress: show a bar with the time left.
        options: requests beyond the preset.

    Returns:
        Path of the json by split.

    Raises:
        ValueError: for an unknown preset, split or kind of RLE, or fewer than one worker.
    """
    chosen = get_preset(preset)
    unknown = [split for split in splits if split not in SPLITS]
    if unknown:
        raise ValueError(f"unknown SynthVIS splits {unknown}; choose among {', '.join(SPLITS)}")
    if rle not in ("compressed", "list"):
        raise ValueError(f"rle is {rle!r}; it must be 'compressed' or 'list'")
    if workers < 1:
        raise ValueError(f"workers is {workers}; at least one process has to write")
    paths = {}
    for split in splits:
        count = num_videos.get(split) if isinstance(num_videos, Mapping) else num_videos
        count = chosen.num_videos[split] if count is None else count
        folder = Path(out_dir) / split
        (folder / "JPEGImages").mkdir(parents=True, exist_ok=True)
        path = folder / "instances.json"
        path.unlink(missing_ok=True)
        job = partial(_write_video, preset, split, seed, options, rle, folder / "JPEGImages")
        bar = partial(tqdm, total=count, desc=f"SynthVIS {preset} {split}", unit="video", disable=not progress)
        truth = assemble(preset, split, seed, chosen.num_classes, bar(_in_order(job, count, workers)))
        unfinished = path.with_suffix(".json.part")
        unfinished.write_text(json.dumps(truth, separators=(",", ":")))
        unfinished.replace(path)
        paths[split] = path
    return paths


def _in_order(job, count: int, workers: int):
    """Results of job(0) ... job(count - 1) in order, by `workers` processes."""
    if workers == 1 or count < 2:
        yield from map(job, range(count))
        return
    with multiprocessing.Pool(min(workers, count)) as pool:
        yield from pool.imap(job, range(count))


def _write_video(preset: str, split: str, seed: int, options: SceneOptions, rle: str, images: Path,
                 index: int) -> tuple[dict, list[dict]]:
    """Writes the frames of one video and returns its json entries."""
    scene = draw_scene(preset, split, index, seed, options)
    renderer, annotator = VideoRenderer(scene), VideoAnnotator(scene, rle)
    folder = images / video_folder(index)
    folder.mkdir(exist_ok=True)
    for time in range(scene.length):
        masks = rasterise(scene, time)
        annotator.add(time, masks)
        _write_jpeg(folder / f"{time:05d}.jpg", renderer.frame(time, masks), renderer.jpeg_quality)
    return video_record(scene, index + 1), annotator.annotations(index + 1)


def _write_jpeg(path: Path, image: np.ndarray, quality: int) -> None:
    from PIL import Image

    Image.fromarray(image).save(path, format="JPEG", quality=quality)
