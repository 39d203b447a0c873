"""The verbs on data and results files: generate, split. Faults of the input are one-line errors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vis_projects.data.builtin import datasets_root
from vis_projects.data.split import HALVES, SplitHalf, write_split
from vis_projects.data.standard_splits import STANDARD_SPLITS, split_standard
from vis_projects.data.synth import write_synthvis
from vis_projects.data.synth.stats import format_statistics, synth_statistics
from vis_projects.engine.errors import DataError, last_line


def split_file(
    json_file: str, *, val_fraction: float, seed: int, stratify: Sequence[str], out_dir: str | None
) -> str:
    """Writes a split, see `split_dataset`, and says what is in its files.

    Raises:
        DataError: the file is missing or broken, or the split impossible.
    """
    return _describe(_guard(write_split, _existing(json_file), val_fraction, seed, tuple(stratify), out_dir))


def split_reference(name: str, root: str | None = None) -> str:
    """Writes the reference split of a known training set, see `split_standard`, and says what is in its files.

    Args:
        name: "ytvis_2019", "ytvis_2021" or "ovis".
        root: folder of all data sets; None takes `DETECTRON2_DATASETS`, or `datasets`.

    Raises:
        DataError: an unknown name, or the file is missing, broken or not the released one.
    """
    halves = _guard(split_standard, name, datasets_root(root))
    registered = ", ".join(f"{name}_{half}_ref" for half in HALVES)
    return f"{_describe(halves)}\nregistered as {registered}; images: {STANDARD_SPLITS[name].images}"


def _describe(halves: Sequence[SplitHalf]) -> str:
    return "\n".join(f"{half.path}: {half.videos} videos, {half.objects} objects, sha256 of the video ids {half.sha256}"
                     for half in halves)


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
