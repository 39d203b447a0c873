"""The verbs on data and results files: generate, split, check, score. Faults of the input are one-line errors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vis_projects.data import check_dataset, split_dataset
from vis_projects.data.synth import write_synthvis
from vis_projects.data.synth.stats import format_statistics, synth_statistics
from vis_projects.engine.errors import DataError, last_line
from vis_projects.evaluation import evaluate_json


def score_results(results: str, gt: str, *, iou_type: str = "segm") -> str:
    """AP table of a results file, see `evaluate_json`.

    Raises:
        DataError: a file is missing or broken.
    """
    return _guard(evaluate_json, _existing(results), _existing(gt), iou_type=iou_type).table()


def split_file(
    json_file: str, *, val_fraction: float, seed: int, stratify: Sequence[str], out_dir: str | None
) -> str:
    """Writes a split, see `split_dataset`, and names its files.

    Raises:
        DataError: the file is missing or broken, or the split impossible.
    """
    paths = _guard(split_dataset, _existing(json_file), val_fraction, seed, tuple(stratify), out_dir)
    return "\n".join(str(path) for path in paths)


def list_faults(json_file: str, image_root: str | None = None) -> list[str]:
    """One line per fault of a data set, see `check_dataset`.

    Raises:
        DataError: the file or the folder is not there.
    """
    if image_root is not None and not Path(image_root).is_dir():
        raise DataError(f"{image_root}: no such folder; give the one that file_names in {json_file} are relative to")
    return [str(fault) for fault in _guard(check_dataset, _existing(json_file), image_root)]


def generate_synthvis(
    preset: str,
    seed: int,
    out_dir: str | None,
    *,
    workers: int = 1,
    splits: Sequence[str] = ("train", "val"),
    videos: int | None = None,
) -> str:
    """Writes a SynthVIS set with progress, see `write_synthvis`, and names its files.

    Raises:
        DataError: no folder is given or it cannot be written, or an unknown split.
    """
    if not out_dir:
        raise DataError("vis synth: where to? Give a folder with --out, or `vis synth stats JSON` for statistics")
    paths = _guard(write_synthvis, preset, out_dir, seed=seed, splits=tuple(splits), workers=workers, num_videos=videos)
    return "\n".join(str(path) for path in paths.values())


def synthvis_stats(words: Sequence[str]) -> str:
    """Statistics table of a json.

    Args:
        words: "stats" and the path of a json with annotations.

    Raises:
        DataError: other words, or the file is missing or broken.
    """
    if len(words) != 2 or words[0] != "stats":
        raise DataError(f"vis synth {' '.join(words)}: did you mean `vis synth stats JSON`?")
    return format_statistics(_guard(synth_statistics, _existing(words[1])))


def _existing(path: str) -> str:
    if not Path(path).is_file():
        raise DataError(f"{path}: no such file")
    return path


def _guard(function: Callable, *args: Any, **kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except (ValueError, OSError) as error:
        raise DataError(last_line(error)) from error
