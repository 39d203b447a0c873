"""One image that shows a video: every k-th frame, ground truth on the left, predictions on the right."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from vis_projects.structures import VideoResults
from vis_projects.visualization.painter import paint_label
from vis_projects.visualization.video_visualizer import VideoVisualizer

GAP_PIXELS = 4
BACKGROUND = 255


def contact_sheet(
    frames: Iterable[np.ndarray],
    gt: VideoResults | None,
    results: VideoResults,
    *,
    class_names: Sequence[str] = (),
    every: int = 0,
    max_rows: int = 6,
    also: Collection[int] = (),
    tile_width: int = 320,
    score_threshold: float = 0.0,
    marks: Sequence[tuple[Mapping[int, str], Mapping[int, str]]] = (),
    titles: tuple[str, str] = ("ground truth", "prediction"),
) -> np.ndarray:
    """Rows of one frame each: the ground truth on the left, the prediction on the right.

    Args:
        frames: (H, W, 3) uint8 RGB frames of the video in order; of a sequence only those shown are read.
        gt: ground truth, see `truth_results`; None leaves the left column out.
        results: predictions; their `length` is that of the video.
        class_names: by contiguous class.
        every: show frames 0, k, 2k, ...; 0 spreads `max_rows` frames over the video.
        max_rows: at most so many frames.
        also: frames to show beside those.
        tile_width: width of a shown frame in pixels; the height follows.
        score_threshold: tracks with a lower score are left out.
        marks: for each frame those of the ground truth and of the prediction, see `VideoVisualizer.draw_results`.
        titles: what the two columns are called.

    Returns:
        (rows, columns, 3) uint8 RGB; of a video without frames one blank row.

    Raises:
        ValueError: frames and results differ in size.
    """
    every = every or max(1, -(-results.length // max_rows))
    drawer = VideoVisualizer(class_names)
    wanted = {track.track_id for track in results.tracks if track.score >= score_threshold}
    rows = []
    chosen = sorted({*range(0, results.length, every)[:max_rows], *also})
    for t, frame in _pick(frames, chosen):
        tiles, names = [], [f"frame {t}: {title}" for title in titles[0 if gt is not None else 1 :]]
        gt_marks, result_marks = marks[t] if marks else ({}, {})
        if gt is not None:
            tiles.append(drawer.draw_results(frame, gt.frame(t), gt_marks))
        shown = [entry for entry in results.frame(t) if entry[0] in wanted]
        tiles.append(drawer.draw_results(frame, shown, result_marks))
        rows.append([_tile(tile, title, tile_width) for tile, title in zip(tiles, names)])
    if not rows:
        return np.full((GAP_PIXELS, tile_width, 3), BACKGROUND, dtype=np.uint8)
    return _join([_join(row, axis=1) for row in rows], axis=0)


def _pick(frames: Iterable[np.ndarray], wanted: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    if isinstance(frames, Sequence):
        yield from ((t, np.asarray(frames[t])) for t in wanted)
        return
    for t, frame in enumerate(frames):
        if t in wanted:
            yield t, np.asarray(frame)
        if not wanted or t >= wanted[-1]:
            return


def _tile(image: np.ndarray, title: str, width: int) -> np.ndarray:
    import cv2

    height = max(1, round(image.shape[0] * width / image.shape[1]))
    shrinks = width < image.shape[1]
    tile = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    paint_label(tile, title, (0, height), (32, 32, 32))
    return tile


def _join(images: list[np.ndarray], axis: int) -> np.ndarray:
    """Images in a row (axis 1) or a column (axis 0), a gap between them."""
    shape = list(images[0].shape)
    shape[axis] = GAP_PIXELS
    gap = np.full(shape, BACKGROUND, dtype=np.uint8)
    parts = [images[0]]
    for image in images[1:]:
        parts += [gap, image]
    return np.concatenate(parts, axis=axis)
