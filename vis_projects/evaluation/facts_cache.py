"""Facts on finished videos on disk, so that an evaluation that is cut off goes on where it was."""

import logging
from collections.abc import Mapping
from pathlib import Path

from vis_projects.evaluation.errors import EvaluationInputError
from vis_projects.evaluation.shards import ShardIndex, ShardWriter, index_shards, shard_path
from vis_projects.evaluation.video_facts import VideoFacts

logger = logging.getLogger(__name__)

FORMAT = "video facts 1"
"""Changes whenever the same inputs give other facts."""


class FactsCache:
    """One line per video in `<folder>/rank0.jsonl`; the first line says which inputs and options they belong to.

    Lines of other inputs or options, and a file that is broken, are reported and replaced; a half-written last line is
    reported and its video looked at again.
    """

    def __init__(self, folder: str | Path, source: Mapping):
        """
        Args:
            folder: made where it is missing.
            source: what the facts depend on, such as hashes of both files and the options.
        """
        folder, source = Path(folder), {"format": FORMAT, **source}
        self._kept: ShardIndex | None = None
        try:
            self._kept = next((index for index in index_shards(folder, source) if index.entries), None)
        except EvaluationInputError as error:
            logger.warning("%s; not used, every video is looked at again", error)
        keep_bytes = self._kept.end if self._kept else 0
        self._writer = ShardWriter(shard_path(folder, 0), source, keep_bytes=keep_bytes)

    def load(self, video_id: int | str) -> VideoFacts | None:
        """Facts on a finished video; None if there are none, or, which is reported, if they cannot be read."""
        if self._kept is None or video_id not in self._kept.entries:
            return None
        try:
            return VideoFacts.from_json(self._kept.records(video_id)[0])
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            logger.warning("%s: the entry of video %s is broken (%r); the video is looked at again",
                           self._kept.path, video_id, error)
            return None

    def store(self, video_id: int | str, facts: VideoFacts) -> None:
        """Writes a finished video; it is on disk when this returns."""
        self._writer.append(video_id, [facts.to_json()])

    def close(self) -> None:
        """Ends the file; closing twice is fine."""
        self._writer.close()
