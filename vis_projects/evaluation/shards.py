"""Finished videos on disk: one file per process, one line per video, so that an interruption loses at most one.

A shard is `rank<r>.jsonl`. Its first line says which run it belongs to; every other line is
`{"video_id": ..., "records": [...]}` with the result records of one video.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vis_projects.evaluation.errors import EvaluationInputError

logger = logging.getLogger(__name__)


@dataclass
class ShardIndex:
    """Where the complete entries of one shard are.

    Attributes:
        path: of the shard.
        entries: video id -> position of its line in bytes.
        end: bytes of the complete lines; what follows is half written.
    """

    path: Path
    entries: dict[int | str, int] = field(default_factory=dict)
    end: int = 0

    def records(self, video_id: int | str) -> list[dict]:
        """Result records of a video that this shard holds."""
        with self.path.open("rb") as file:
            file.seek(self.entries[video_id])
            return json.loads(file.readline())["records"]


class ShardWriter:
    """Appends the videos of one process to its shard; each is on disk when `append` returns."""

    def __init__(self, path: Path, source: Mapping, *, keep_bytes: int = 0):
        """
        Args:
            path: file to write; its folder is made.
            source: what tells this run from others; the first line.
            keep_bytes: complete lines of an earlier run of the same source to continue after, 0 to start anew.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("r+b" if keep_bytes else "wb")
        self._file.seek(keep_bytes)
        self._file.truncate()
        if not keep_bytes:
            self._write({"source": dict(source)})

    def append(self, video_id: int | str, records: Sequence[Mapping]) -> None:
        """Writes one finished video."""
        self._write({"video_id": video_id, "records": list(records)})

    def close(self) -> None:
        """Ends the shard; closing twice is fine."""
        self._file.close()

    def _write(self, line: Mapping) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()


def shard_path(folder: Path, rank: int) -> Path:
    """File of one process."""
    return folder / f"rank{rank}.jsonl"


def index_shards(folder: Path, source: Mapping) -> list[ShardIndex]:
    """Index of every shard in a folder, in the order of their names; a half-written last line is reported.

    Raises:
        EvaluationInputError: a shard of another run, or a broken line before the last one.
    """
    return [_index_shard(path, dict(source)) for path in sorted(folder.glob("rank*.jsonl"))]


def remove_shards(folder: Path, *, from_rank: int) -> None:
    """Deletes what an earlier run with more processes has left."""
    for path in folder.glob("rank*.jsonl"):
        number = path.stem.removeprefix("rank")
        if number.isdigit() and int(number) >= from_rank:
            path.unlink()


def _index_shard(path: Path, source: dict) -> ShardIndex:
    index = ShardIndex(path)
    for position, line in _complete_lines(path):
        try:
            content = json.loads(line)
            if position == 0:
                _check_source(path, content["source"], source)
            else:
                index.entries[content["video_id"]] = position
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise EvaluationInputError(
                f"{path}: the line at byte {position} is broken ({error!r}); delete the file, or evaluate without "
                "resume"
            ) from error
        index.end = position + len(line)
    if index.end < path.stat().st_size:
        logger.warning("%s: the last entry is only half written; its video is run again", path)
    return index


def _complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    position = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield position, line
            position += len(line)


def _check_source(path: Path, found: object, expected: dict) -> None:
    if found != expected:
        raise EvaluationInputError(
            f"{path}: belongs to another run ({found}, this one is {expected}); give this run a folder of its own, or "
            "evaluate without resume to start over"
        )
