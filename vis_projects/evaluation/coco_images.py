"""`COCOImageEvaluator`: box and mask AP of images by pycocotools, in Detectron2's evaluator protocol."""

import contextlib
import io
import itertools
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from detectron2.data import MetadataCatalog
from detectron2.evaluation import DatasetEvaluator
from detectron2.structures import Instances
from detectron2.utils import comm
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vis_projects.evaluation.errors import EvaluationInputError

logger = logging.getLogger(__name__)

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")


class COCOImageEvaluator(DatasetEvaluator):
    """Scores detections on a COCO image set. Every process keeps its own as RLE; the main one gathers and scores."""

    def __init__(self, dataset_name: str, output_dir: str | Path) -> None:
        """
        Args:
            dataset_name: registered with `json_file` and `thing_dataset_id_to_contiguous_id` in its metadata.
            output_dir: gets `results.json` in COCO's form.
        """
        metadata = MetadataCatalog.get(dataset_name)
        id_map = metadata.get("thing_dataset_id_to_contiguous_id", None)
        if not metadata.get("json_file", None) or not id_map:
            raise EvaluationInputError(
                f"data set {dataset_name!r} has no json_file or no classes in its metadata; register it with "
                "register_coco_instances and load it once"
            )
        self._dataset_name, self._json_file, self._folder = dataset_name, metadata.json_file, Path(output_dir)
        self._class_names = metadata.thing_classes
        self._category_ids = sorted(id_map, key=id_map.__getitem__)
        self._found: list[dict] = []

    def reset(self) -> None:
        """Starts a round."""
        self._found = []

    def process(self, inputs: Sequence[Mapping], outputs: Sequence[Mapping[str, Instances]]) -> None:
        """Keeps the detections of images.

        Args:
            inputs: with `image_id`.
            outputs: with `instances` at the size of the annotated image: `pred_boxes`, `scores`, `pred_classes` and
                maybe `pred_masks` bool (n, H, W).
        """
        for item, output in zip(inputs, outputs, strict=True):
            self._found += coco_results(output["instances"].to("cpu"), item["image_id"], self._category_ids)

    def evaluate(self) -> OrderedDict:
        """Gathers and scores.

        Returns:
            {"bbox": {"AP": ..., "AP-<class>": ...}, "segm": ...} in percent, nan where undefined, "segm" only where
            masks were given; empty on all processes but the main one, and for a json without annotations.
        """
        gathered = comm.gather(self._found)
        if not comm.is_main_process():
            return OrderedDict()
        found = list(itertools.chain.from_iterable(gathered))
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "results.json").write_text(json.dumps(found), encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(self._json_file)
        if "annotations" not in truth.dataset:
            logger.warning("%s has no ground truth; only the results were written", self._dataset_name)
            return OrderedDict()
        kinds = ["bbox", "segm"] if not found or "segmentation" in found[0] else ["bbox"]
        return OrderedDict((kind, self._score(truth, found, kind)) for kind in kinds)

    def _score(self, truth: COCO, found: list[dict], kind: str) -> dict[str, float]:
        names = [*METRICS, *(f"AP-{name}" for name in self._class_names)]
        if not found:
            return dict.fromkeys(names, 0.0)
        # areas of masks come from the masks, those of boxes from the boxes
        other = "bbox" if kind == "segm" else "segmentation"
        part = [{key: value for key, value in entry.items() if key != other} for entry in found]
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            evaluation = COCOeval(truth, truth.loadRes(part), kind)
            evaluation.params.catIds = self._category_ids
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        logger.info("%s, %s:\n%s", self._dataset_name, kind, text.getvalue())
        precision = evaluation.eval["precision"][:, :, :, 0, -1]  # all areas, most detections
        per_class = [precision[:, :, k] for k in range(len(self._category_ids))]
        scores = [*evaluation.stats[: len(METRICS)], *(_mean_of_defined(values) for values in per_class)]
        return {name: 100 * float(score) if score > -1 else float("nan") for name, score in zip(names, scores)}


def coco_results(instances: Instances, image_id: int | str, category_ids: Sequence[int]) -> list[dict]:
    """The detections of one image in COCO's form.

    Args:
        instances: on the CPU.
        image_id: of the json.
        category_ids: category id of each contiguous class.
    """
    boxes = instances.pred_boxes.tensor.clone()
    boxes[:, 2:] -= boxes[:, :2]
    rows = [
        {"image_id": image_id, "category_id": category_ids[label], "bbox": box, "score": score}
        for label, box, score in zip(instances.pred_classes.tolist(), boxes.tolist(), instances.scores.tolist())
    ]
    if instances.has("pred_masks"):
        for row, mask in zip(rows, instances.pred_masks.numpy()):
            rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
            row["segmentation"] = {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}
    return rows


def _mean_of_defined(precision: np.ndarray) -> float:
    defined = precision[precision > -1]
    return float(defined.mean()) if defined.size else -1.0
