"""Runs a config on a video of one's own, with progress: what `vis demo` does."""

from collections.abc import Sequence
from pathlib import Path

from vis_projects.engine.config_file import load_config
from vis_projects.engine.frame_reader import open_frames
from vis_projects.engine.predictor import VideoPredictor
from vis_projects.engine.progress import Progress
from vis_projects.engine.tracker_choice import choose_tracker


def run_demo(
    config_file: str,
    opts: Sequence[str],
    source: str,
    *,
    tracker: str | None = None,
    output: str | None = None,
    results: str | None = None,
    score_threshold: float = 0.0,
    classes: Sequence[str] = (),
    max_frames: int | None = None,
) -> str:
    """Builds the predictor of a config and runs it.

    Args:
        config_file, opts: as of `load_config`.
        source: as of `open_frames`.
        tracker: gives the objects that the config's model finds their ids, see `choose_tracker`; None: the config's
            own.
        output: video file or folder for the drawn frames, or None.
        results: json file for the tracks, or None.
        score_threshold, classes: objects to keep, as of `VideoPredictor`.
        max_frames: stop after so many.

    Returns:
        one line on what was found and written.

    Raises:
        UserError: of config, checkpoint or video.
    """
    video = open_frames(source)
    cfg = load_config(config_file, opts)
    if tracker is not None:
        choose_tracker(cfg, tracker)
    predictor = VideoPredictor(cfg, score_threshold=score_threshold, classes=classes)
    known = [n for n in (video.length, max_frames) if n is not None]
    progress = Progress(min(known, default=None), title=Path(video.name).name)
    # an offline tracker reads the video twice, a camera must not be opened twice
    frames = source if predictor.offline else video
    found = predictor.run(
        frames, output, on_frame=lambda frame, instances: progress.advance(), max_frames=max_frames
    )
    progress.close()
    if results is not None:
        Path(results).parent.mkdir(parents=True, exist_ok=True)
        found.save(results)
    written = ", ".join(str(path) for path in (output, results) if path) or "nothing written (--output, --results)"
    return f"{video.name}: {found.length} frames, {len(found.tracks)} tracks; {written}"
