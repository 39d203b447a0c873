"""Pictures, videos and an HTML page of annotations or of results: what `vis show-data` and `vis show-results` do."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import islice
from pathlib import Path

import numpy as np

from vis_projects.data import load_ytvis_json
from vis_projects.engine.errors import DataError, last_line
from vis_projects.engine.frame_reader import open_frames
from vis_projects.engine.overlay import FrameFiles, Side, write_overlay
from vis_projects.engine.progress import Progress
from vis_projects.evaluation import frame_marks
from vis_projects.structures import VideoResults
from vis_projects.visualization import contact_sheet, html_figure, html_table, truth_results, write_page

MARK_LEGEND = (
    "Red frame on the left: an object that no prediction overlaps by half (missed). Red on the right: a prediction on "
    "no object (false). Yellow on the right: the object had another id when it was last found (switch)."
)
MAX_SWITCHES = 4  # frames with an id switch that a contact sheet shows beside its regular ones


@dataclass
class ShownVideo:
    """One video to show.

    Attributes:
        frames: (H, W, 3) uint8 RGB, can be iterated over more than once.
        truth, found: annotations and predictions; one of them may be None.
        class_names: by contiguous class.
        fps: None where nobody knows.
        marks: for each frame those of the annotations and of the predictions; empty without one of the two.
    """

    video_id: int | str
    frames: Iterable[np.ndarray]
    truth: VideoResults | None
    found: VideoResults | None
    class_names: Sequence[str] = ()
    fps: float | None = None
    marks: list[tuple[dict[int, str], dict[int, str]]] = field(default_factory=list)

    @property
    def sides(self) -> list[Side]:
        """Annotations left, predictions right."""
        marks = list(zip(*self.marks)) or [(), ()]
        return [Side(side, side_marks) for side, side_marks in zip((self.truth, self.found), marks) if side is not None]


def show_data(
    json_file: str,
    image_root: str | None,
    out: str,
    *,
    videos: int = 4,
    video_ids: Sequence[str] = (),
    draw_text: bool = True,
) -> str:
    """Draws annotated videos.

    Args:
        json_file: YouTube-VIS json with annotations.
        image_root: folder that file_names are relative to; None takes JPEGImages beside the json.
        out: folder for index.html, sheets/ and videos/.
        videos: how many, evenly spread over the set.
        video_ids: these instead.
        draw_text: label the objects.

    Returns:
        what was written, as text.

    Raises:
        DataError: a file is missing or broken, no annotations, or an unknown video.
    """
    records, class_names = _records(json_file, image_root)
    if not any("annotations" in record for record in records):
        raise DataError(f"{json_file} has no annotations to show; `vis show-results` shows results without any")
    shown = (ShownVideo(record["video_id"], FrameFiles(record["file_names"]), truth_results(record), None, class_names,
                        record.get("fps")) for record in _choose(records, videos, video_ids, json_file))
    return _write(shown, Path(out), f"Annotations of {Path(json_file).name}", draw_text)


def show_results(
    results: str,
    out: str,
    *,
    gt: str | None = None,
    image_root: str | None = None,
    source: str | None = None,
    videos: int = 4,
    video_ids: Sequence[str] = (),
    score_threshold: float = 0.3,
    draw_text: bool = True,
) -> str:
    """Draws results, beside the ground truth where there is one, with misses, false finds and id switches marked.

    Args:
        results: YouTube-VIS results list of any program, or a file of `vis demo --results`.
        out: folder for index.html, sheets/ and videos/.
        gt: json of the data set, for a results list; it need not have annotations.
        image_root: as of `show_data`.
        source: the video of a `vis demo --results` file, as of `open_frames`.
        videos, video_ids, draw_text: as of `show_data`.
        score_threshold: tracks below it are not drawn and not counted.

    Returns:
        what was written, and the counts of the marks, as text.

    Raises:
        DataError: a file is missing or broken, or the arguments do not fit the kind of file.
        VideoError: `source` cannot be read.
    """
    content = _read(results)
    if isinstance(content, Mapping):
        if source is None:
            raise DataError(f"{results} holds the result of one video of your own: name that video with --input")
        shown = iter([_own_video(results, source)])
    elif gt is None:
        raise DataError(f"{results} is a results list: name the json of its data set with --gt")
    else:
        records, class_names = _records(gt, image_root)
        chosen = _choose(records, videos, video_ids, gt)
        shown = _with_results(chosen, content, _contiguous(gt), class_names, results)
    return _write((_confident(video, score_threshold) for video in shown), Path(out),
                  f"Results of {Path(results).name}", draw_text)


def _with_results(
    records: list[dict], content: list, contiguous: Mapping[int, int], class_names: Sequence[str], name: str
) -> Iterator[ShownVideo]:
    for record in records:
        try:
            found = VideoResults.from_records(
                content, video_id=record["video_id"], height=record["height"], width=record["width"],
                length=record["length"], contiguous=contiguous,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{name}: {last_line(error)}; `vis pack {name} --gt JSON` lists all faults") from error
        truth = truth_results(record) if "annotations" in record else None
        frames = FrameFiles(record["file_names"])
        yield ShownVideo(record["video_id"], frames, truth, found, class_names, record.get("fps"))


def _own_video(results: str, source: str) -> ShownVideo:
    try:
        found = VideoResults.load(results)
    except ValueError as error:
        raise DataError(last_line(error)) from error
    frames = _Stream(source, found.length, results)
    return ShownVideo(found.video_id, frames, None, found, (), open_frames(source).fps)


class _Stream:
    """The frames of a video of one's own in RGB, read again for each pass, one at a time."""

    def __init__(self, source: str, length: int, results: str) -> None:
        self._source, self._length, self._results = source, length, results

    def __iter__(self) -> Iterator[np.ndarray]:
        count = 0
        for frame in islice(open_frames(self._source), self._length):
            count += 1
            yield np.ascontiguousarray(frame[..., ::-1])
        if count < self._length:
            raise DataError(f"{self._results} has {self._length} frames, {self._source} {count}; it is the result of "
                            "another video")


def _confident(video: ShownVideo, score_threshold: float) -> ShownVideo:
    """Without the weak tracks, and with marks where there are annotations."""
    found = replace(video.found, tracks=[track for track in video.found.tracks if track.score >= score_threshold])
    return replace(video, found=found, marks=frame_marks(video.truth, found) if video.truth is not None else [])


def _write(videos: Iterator[ShownVideo], out: Path, title: str, draw_text: bool) -> str:
    body, lines, progress = [], [], Progress(None, title=title, unit="video")
    for video in videos:
        name = str(video.video_id).replace("/", "_")
        sheet, movie = out / "sheets" / f"{name}.jpg", out / "videos" / f"{name}.mp4"
        image = _sheet(video)
        _save_jpg(sheet, image)
        write_overlay(movie, video.frames, video.sides, video.class_names, draw_text=draw_text,
                      **({"fps": video.fps} if video.fps else {}))
        counts = _counts(video)
        body += [f"<h2>Video {escape(str(video.video_id))}</h2>", html_table(*_facts(video, counts)),
                 html_figure("annotations left, predictions right" if len(video.sides) > 1 else "", image),
                 f'<p><a href="videos/{escape(movie.name)}">video</a></p>']
        lines.append(f"video {video.video_id}: {sheet}, {movie}" + (f"; {_spell(counts)}" if video.marks else ""))
        progress.advance()
    progress.close()
    legend = [f"<p>{escape(MARK_LEGEND)}</p>"] if any("missed" in line for line in lines) else []
    lines.append(str(write_page(out / "index.html", title, legend + body)))
    return "\n".join(lines)


def _sheet(video: ShownVideo) -> np.ndarray:
    titles = ("ground truth", "prediction" if video.found is not None else "annotation")
    switches = [t for t, (_, marks) in enumerate(video.marks) if "switch" in marks.values()]
    shown = video.found if video.found is not None else video.truth
    return contact_sheet(video.frames, video.truth if video.found is not None else None, shown,
                         class_names=video.class_names, marks=video.marks, titles=titles, also=switches[:MAX_SWITCHES])


def _facts(video: ShownVideo, counts: Mapping[str, int]) -> tuple[list[str], list[list[str]]]:
    tracks = [str(len(side.tracks)) if side is not None else "\u2013" for side in (video.truth, video.found)]
    length = next(side.results.length for side in video.sides)
    head, row = ["frames", "annotated tracks", "predicted tracks"], [str(length), *tracks]
    if video.marks:
        head, row = [*head, *counts], [*row, *map(str, counts.values())]
    return head, [row]


def _counts(video: ShownVideo) -> dict[str, int]:
    """How often each mark occurs."""
    marks = [mark for pair in video.marks for side in pair for mark in side.values()]
    return {mark: marks.count(mark) for mark in ("missed", "false", "switch")}


def _spell(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {mark}" for mark, count in counts.items())


def _save_jpg(path: Path, image: np.ndarray) -> None:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image[..., ::-1]):
        raise DataError(f"cannot write {path}")


def _records(json_file: str, image_root: str | None) -> tuple[list[dict], list[str]]:
    """Video dicts and class names of a json."""
    if not Path(json_file).is_file():
        raise DataError(f"{json_file}: no such file")
    root = Path(image_root) if image_root else Path(json_file).parent / "JPEGImages"
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; name the one that file_names in {json_file} are relative to")
    try:
        records = load_ytvis_json(json_file, str(root))
    except (ValueError, OSError) as error:
        raise DataError(last_line(error)) from error
    categories = sorted(_read(json_file)["categories"], key=lambda category: category["id"])
    return records, [category["name"] for category in categories]


def _contiguous(json_file: str) -> dict[int, int]:
    ids = sorted(category["id"] for category in _read(json_file)["categories"])
    return {category_id: k for k, category_id in enumerate(ids)}


def _choose(records: list[dict], count: int, video_ids: Sequence[str], name: str) -> list[dict]:
    if not video_ids:
        count = min(count, len(records))
        return [records[k * len(records) // count] for k in range(count)]
    by_id = {str(record["video_id"]): record for record in records}
    unknown = [video_id for video_id in video_ids if video_id not in by_id]
    if unknown:
        raise DataError(f"{name} has no video {', '.join(unknown)}; it has {', '.join(list(by_id)[:10])} ...")
    return [by_id[video_id] for video_id in video_ids]


def _read(path: str) -> list | dict:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except ValueError as error:
        raise DataError(f"{path}: no json ({error})") from error
