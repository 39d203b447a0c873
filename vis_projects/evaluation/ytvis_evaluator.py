"""`YTVISEvaluator`: Detectron2's evaluator protocol for whole videos, resumable and without a gather of masks."""

import json
import logging
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from detectron2.data import MetadataCatalog
from detectron2.evaluation import DatasetEvaluator
from detectron2.utils import comm
from detectron2.utils.file_io import PathManager

from vis_projects.evaluation.errors import EvaluationInputError, NoGroundTruthError
from vis_projects.evaluation.evaluate import evaluate_json
from vis_projects.evaluation.ground_truth import read_json
from vis_projects.evaluation.shards import ShardIndex, ShardWriter, index_shards, remove_shards, shard_path
from vis_projects.evaluation.submission import write_results
from vis_projects.structures import VideoResults
from vis_projects.utils.hashing import sha256_of

logger = logging.getLogger(__name__)


class YTVISEvaluator(DatasetEvaluator):
    """Writes every finished video to a shard of its process at once; the main process merges and scores them.

    The folder of the results must be seen by all processes. Classes and their ids come from the metadata of the data
    set, so that a subset of classes is scored as such.
    """

    def __init__(
        self,
        dataset_name: str,
        output_dir: str | Path | None = None,
        *,
        distributed: bool = True,
        resume: bool = False,
        run_key: str = "",
    ):
        """
        Args:
            dataset_name: registered with `json_file` in its metadata.
            output_dir: gets `shards/`, `results.json`, `results.zip` and `inference_mode.json`; None: nothing is kept.
            distributed: False: this process is on its own, whatever others run beside it.
            resume: keep the finished videos of an earlier, interrupted run in `output_dir`.
            run_key: what else tells this run from others, such as a hash of the weights; resume refuses another one.

        Raises:
            EvaluationInputError: with `resume`, the shards there belong to another run, or one of them is broken.
            FileNotFoundError: the json of the data set is not there.
        """
        self.dataset_name = dataset_name
        self._rank = comm.get_rank() if distributed else 0
        self._world_size = comm.get_world_size() if distributed else 1
        self._json_file = _json_of(dataset_name)
        self._source = {"dataset": dataset_name, "json": _file_hash(self._json_file), "run_key": run_key}
        self._temporary = None
        self._folder = self._choose_folder(output_dir)
        self._kept: list[ShardIndex] = index_shards(self._folder / "shards", self._source) if resume else []
        self._synchronize()  # every process has read the shards before one of them writes
        self._category_ids: list[int] | None = None
        self._writer: ShardWriter | None = None
        self._processed: list[int | str] = []
        self._modes: set[str] = set()

    def done_video_ids(self) -> set[int | str]:
        """Videos that need not be run: those with a complete entry of an earlier run."""
        return {video_id for shard in self._kept for video_id in shard.entries}

    def reset(self) -> None:
        """Starts a round. The first one after `resume` goes on with what is there, any other starts anew."""
        self._close()
        own = shard_path(self._folder / "shards", self._rank)
        keep_bytes = sum(shard.end for shard in self._kept if shard.path == own)
        if not self._kept and self._rank == 0:
            remove_shards(own.parent, from_rank=self._world_size)
        self._writer = ShardWriter(own, self._source, keep_bytes=keep_bytes)
        self._processed, self._modes = [], set()

    def process(self, inputs: Sequence[Mapping], outputs: Sequence[VideoResults]) -> None:
        """Writes finished videos to the shard of this process.

        Args:
            inputs: the videos as the loader gave them.
            outputs: their results, in the same order.

        Raises:
            ValueError: a result is of another video or another number of frames than its input.
        """
        if self._writer is None:
            self.reset()
        for item, result in zip(inputs, outputs, strict=True):
            if result.video_id != item["video_id"] or result.length != item.get("length", result.length):
                raise ValueError(
                    f"{self.dataset_name}: the model gave the result of video {result.video_id!r} with {result.length} "
                    f"frames for video {item['video_id']!r} with {item.get('length')} frames"
                )
            self._writer.append(result.video_id, result.to_records(self._json_category_ids()))
            self._processed.append(result.video_id)
            self._modes.add(result.inference_mode)

    def evaluate(self) -> OrderedDict:
        """Merges the shards, writes `results.json`, `results.zip` and, beside them, how the videos were run (online, or
        what more was seen), and scores them where there is ground truth.

        Returns:
            {"segm": {"AP": ..., "AP50": ..., "AP-<class>": ...}} in percent; empty without ground truth and on all
            processes but the main one.

        Raises:
            EvaluationInputError: the folder does not hold the videos of all processes.
        """
        self._close()
        self._synchronize()
        done = (self._processed, self._modes)
        gathered = comm.gather(done) if self._world_size > 1 else [done]
        resumed, self._kept = bool(self._kept), []
        if self._rank != 0:
            return OrderedDict()
        processed = [ids for ids, _ in gathered]
        self._write_modes({mode for _, modes in gathered for mode in modes}, keep=resumed)
        return self._evaluate_shards({video_id for ids in processed for video_id in ids})

    def _write_modes(self, modes: set[str], *, keep: bool) -> None:
        """Writes how the videos were run; `keep` adds to what an earlier, interrupted run has written."""
        path = self._folder / "inference_mode.json"
        if keep and path.is_file():
            modes = modes | set(json.loads(path.read_text(encoding="utf-8")))
        if not modes:
            return
        path.write_text(json.dumps(sorted(modes)), encoding="utf-8")
        if modes - {"online"}:
            logger.info("%s: inference was %s", self.dataset_name, "; ".join(sorted(modes)))

    def _evaluate_shards(self, processed: set[int | str]) -> OrderedDict:
        shards = index_shards(self._folder / "shards", self._source)
        holder = {video_id: shard for shard in shards for video_id in shard.entries}
        if not processed <= set(holder):
            raise EvaluationInputError(
                f"{self._folder}: {len(processed - set(holder))} videos of other processes are not in it; output_dir "
                "must be a folder that all machines share"
            )
        content, _ = read_json(self._json_file, "ground truth")
        ordered = [video["id"] for video in content["videos"]]
        del content  # nothing of it is needed while the files are scored
        missing = [video_id for video_id in ordered if video_id not in holder]
        if missing:
            logger.warning("%s: %d of %d videos have no result, the first is %s; their objects count as missed",
                           self.dataset_name, len(missing), len(ordered), missing[0])
        videos = (holder[video_id].records(video_id) for video_id in ordered if video_id in holder)
        results, archive = write_results(self._folder, videos)
        if self._temporary is None:
            logger.info("wrote %s and, for an evaluation server, %s", results, archive)
        try:  # from both files, which the native engine reads by itself
            outcome = evaluate_json(results, self._json_file, category_ids=self._json_category_ids())
        except NoGroundTruthError:
            logger.warning("%s has no ground truth: %s holds videos without annotations; only the results were written",
                           self.dataset_name, self._json_file)
            return OrderedDict()
        logger.info("%s:\n%s", self.dataset_name, outcome.table())
        return OrderedDict(segm=outcome.to_percent())

    def _json_category_ids(self) -> list[int]:
        """Category id of the json for each contiguous class."""
        if self._category_ids is None:
            id_map = MetadataCatalog.get(self.dataset_name).get("thing_dataset_id_to_contiguous_id", None)
            if id_map is None:
                content, _ = read_json(self._json_file, "ground truth")
                self._category_ids = sorted(category["id"] for category in content["categories"])
            else:
                self._category_ids = sorted(id_map, key=id_map.__getitem__)
        return self._category_ids

    def _choose_folder(self, output_dir: str | Path | None) -> Path:
        if output_dir is not None:
            return Path(output_dir)
        name = None
        if self._rank == 0:
            self._temporary = tempfile.TemporaryDirectory(prefix="ytvis_")
            name = self._temporary.name
        return Path(comm.all_gather(name)[0] if self._world_size > 1 else name)

    def _synchronize(self) -> None:
        if self._world_size > 1:
            comm.synchronize()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _json_of(dataset_name: str) -> str:
    """Path of the json of a registered data set, there for sure."""
    metadata = MetadataCatalog.get(dataset_name)
    path = metadata.get("json_file", None)
    if path is None:
        raise EvaluationInputError(f"data set {dataset_name!r} has no json_file; register it with register_ytvis")
    if not PathManager.isfile(str(path)):
        advice = metadata.get("how_to_get", None) or "Correct the path of the json."
        raise FileNotFoundError(f"split {dataset_name!r}: the annotation file {path} does not exist. {advice}")
    return str(path)


def _file_hash(path: str) -> str:
    with PathManager.open(path, "rb") as file:
        return sha256_of(file)
