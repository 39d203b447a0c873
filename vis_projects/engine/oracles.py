"""A model with a part of the ground truth in its hands: how good are its masks, how good is its association?

Yang et al., Video Instance Segmentation, section 6.4 and table 3. Both run whole videos in place of the model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from detectron2.data import DatasetCatalog
from detectron2.data.transforms import TransformList
from detectron2.structures import Instances
from torch import nn

from vis_projects.data.frame_annotations import frame_instances
from vis_projects.engine.errors import ConfigError, DataError
from vis_projects.evaluation.identity_oracle import match_identities
from vis_projects.layers import mask_iou
from vis_projects.modeling import OnlineVISModel
from vis_projects.structures import VideoResults, VideoResultsBuilder

ORACLES = ("image", "identity")


class OracleModel(nn.Module):
    """Stands in for a model in evaluation: items of the mapper in, one `VideoResults` each out.

    "image": true boxes, masks and classes of score 1 in each frame, followed by the method's own association.
    "identity": the method's own tracks, frame by frame given the identities of the ground truth, by the rules of
    `vis_projects.evaluation.identity_oracle`; class and score of a track come from its frames, as always.
    """

    def __init__(self, model: OnlineVISModel, oracle: str, records: Sequence[Mapping]) -> None:
        """
        Args:
            model: whose association or whose masks are asked about.
            oracle: "image" or "identity".
            records: video dicts with annotations, as the data set gives them, with the classes of the model.

        Raises:
            ConfigError: an unknown oracle, or a model that is no `OnlineVISModel`.
            DataError: a video has no annotations.
        """
        super().__init__()
        if oracle not in ORACLES:
            raise ConfigError(f"TEST.VIDEO.ORACLE is {oracle!r}; choose one of {', '.join(ORACLES)}, or '' for none")
        if not isinstance(model, OnlineVISModel):
            raise ConfigError(f"the {oracle} oracle needs a model of this project, not {type(model).__name__}")
        bare = [record["video_id"] for record in records if "annotations" not in record]
        if bare:
            raise DataError(f"the {oracle} oracle needs ground truth, video {bare[0]} has no annotations")
        self.model = model
        self.oracle = oracle
        self._records = {record["video_id"]: record for record in records}

    def forward(self, items: Sequence[Mapping[str, Any]]) -> list[VideoResults]:
        """Runs whole videos, one frame in memory at a time."""
        return [self._run(item, self._records[item["video_id"]]) for item in items]

    def _run(self, item: Mapping[str, Any], record: Mapping) -> VideoResults:
        state = self.model.init_state(item)
        builder = VideoResultsBuilder(
            item["video_id"], state.height, state.width, min_track_len_frames=self.model.min_track_len_frames,
            score_floor=self.model.score_floor, inference_mode=state.inference_mode,
        )
        objects = sorted({annotation["id"] for frame in record["annotations"] for annotation in frame})
        paired: set[int] = set()
        for t, frame in enumerate(item["image"]):
            truth = frame_instances(record["annotations"][t], TransformList([]), (state.height, state.width))
            if self.oracle == "image":
                instances, state = self._given_step(frame, truth, state)
            else:
                instances, state = self.model.step(frame, state)
                instances = with_true_ids(instances, truth, objects, paired)
            builder.add_frame(instances)
        results = builder.finish()
        # of a predicted track that is an object somewhere, the frames in which it is none do not count
        results.tracks = [track for track in results.tracks if track.track_id - len(objects) not in paired]
        return results

    def _given_step(self, frame: torch.Tensor, truth: Instances, state: Any) -> tuple[Instances, Any]:
        given = Instances(
            truth.image_size, pred_boxes=truth.gt_boxes, pred_classes=truth.gt_classes,
            pred_masks=truth.gt_masks.tensor, scores=torch.ones(len(truth)),
        )
        try:
            return self.model.step_with_given_instances(frame, given, state)
        except KeyError as error:
            raise ConfigError(
                f"the image oracle cannot run {type(self.model).__name__}: its tracker asks for more than boxes, masks "
                f"and classes ({error.args[0]}); the method has to add it in `describe`"
            ) from error


def with_true_ids(instances: Instances, truth: Instances, objects: Sequence[int], paired: set[int]) -> Instances:
    """The predictions of a frame with the identities of the ground truth.

    Args:
        instances: of `step`.
        truth: the frame's objects, see `frame_instances`.
        objects: annotation ids of the video, ascending; the new id of a prediction is the place of its object here,
            that of a prediction without an object its own id behind all of these.
        paired: gets the own ids of the predictions with an object.
    """
    overlap = mask_iou(truth.gt_masks.tensor.to(instances.pred_masks.device), instances.pred_masks).cpu().double()
    same_class = truth.gt_classes[:, None] == instances.pred_classes.cpu()[None, :]
    found = match_identities(overlap.numpy(), same_class.numpy(), instances.scores.cpu().numpy())
    places = [objects.index(annotation_id) for annotation_id in truth.gt_ids.tolist()]
    own = instances.pred_ids.tolist()
    ids = [places[g] if g >= 0 else len(objects) + k for g, k in zip(found.tolist(), own)]
    paired.update(k for g, k in zip(found.tolist(), own) if g >= 0)
    relabelled = Instances(instances.image_size, **instances.get_fields())
    relabelled.pred_ids = torch.tensor(ids, dtype=torch.int64, device=instances.pred_ids.device)
    return relabelled


def with_oracle(model: nn.Module, oracle: str, dataset_name: str) -> nn.Module:
    """The model itself without an oracle, else an `OracleModel` with the annotations of a registered set."""
    return OracleModel(model, oracle, DatasetCatalog.get(dataset_name)) if oracle else model
