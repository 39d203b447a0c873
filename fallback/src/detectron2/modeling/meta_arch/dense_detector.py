"""Base of one-stage detectors, which predict at every point of the feature maps."""

from typing import Dict, List, Optional, Tuple

import torch
from torch import nn

from detectron2.layers import cat, move_device_like
from detectron2.structures import Boxes, ImageList, Instances

from .._impl.training_images import store_detections
from ..backbone import Backbone
from ..postprocessing import detector_postprocess


def permute_to_N_HWA_K(tensor, K: int):
    """Reorders dense predictions to one row for each anchor.

    Args:
        tensor: (N, A * K, H, W).
        K: numbers for each anchor.

    Returns:
        (N, H * W * A, K).
    """
    assert tensor.dim() == 4, f"dense predictions are (N, A * K, H, W), got the shape {tuple(tensor.shape)}"
    count, channels, height, width = tensor.shape
    per_anchor = tensor.view(count, channels // K, K, height, width)
    return per_anchor.permute(0, 3, 4, 1, 2).flatten(1, 3)


class DenseDetector(nn.Module):
    """Backbone and dense head; subclasses say how to train and how to decode.

    A subclass implements `forward_training` and `forward_inference`, both with the
    arguments (images, features, predictions), the former also `gt_instances`.

    Args:
        backbone: images -> named feature maps.
        head: list of maps -> tuple of lists of dense predictions.
        head_in_features: names of the maps; None takes all, from fine to coarse.
        pixel_mean: mean of each image channel, in the images' units.
        pixel_std: deviation of each channel.
    """

    def __init__(
        self, backbone: Backbone, head: nn.Module, head_in_features: Optional[List[str]] = None, *, pixel_mean,
        pixel_std
    ):
        super().__init__()
        self.backbone = backbone
        self.head = head
        if head_in_features is None:
            shapes = backbone.output_shape()
            head_in_features = sorted(shapes, key=lambda name: shapes[name].stride)
        self.head_in_features = head_in_features
        for name, values in (("pixel_mean", pixel_mean), ("pixel_std", pixel_std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)

    @property
    def device(self):
        """Device of the model."""
        return self.pixel_mean.device

    def forward(self, batched_inputs: List[Dict[str, torch.Tensor]]):
        """Runs the model.

        Args:
            batched_inputs: as in `GeneralizedRCNN.forward`.

        Returns:
            In training a dict of scalar losses; else for each image a dict with
            "instances", on its wanted size.
        """
        images = self.preprocess_image(batched_inputs)
        by_name = self.backbone(images.tensor)
        features = [by_name[name] for name in self.head_in_features]
        predictions = self.head(features)
        if self.training:
            assert "instances" in batched_inputs[0], "training needs 'instances' in the model's inputs"
            truth = [item["instances"].to(self.device) for item in batched_inputs]
            return self.forward_training(images, features, predictions, truth)
        outputs = []
        results = self.forward_inference(images, features, predictions)
        for found, item, (height, width) in zip(results, batched_inputs, images.image_sizes):
            size = item.get("height", height), item.get("width", width)
            outputs.append({"instances": detector_postprocess(found, *size)})
        return outputs

    def forward_training(self, images, features, predictions, gt_instances):
        """Computes the losses; for subclasses to implement."""
        raise NotImplementedError(f"{type(self).__name__} has no `forward_training`")

    def preprocess_image(self, batched_inputs: List[Dict[str, torch.Tensor]]):
        """Normalises, pads and batches the images into an ImageList on the model's device."""
        normalised = []
        for item in batched_inputs:
            image = self._move_to_current_device(item["image"])
            normalised.append((image - self.pixel_mean) / self.pixel_std)
        backbone = self.backbone
        constraints = backbone.padding_constraints
        return ImageList.from_tensors(normalised, backbone.size_divisibility, padding_constraints=constraints)

    def visualize_training(self, batched_inputs, results):
        """Puts the first image's ground truth and best results into the event storage.

        Args:
            batched_inputs: as in `forward`, with "instances".
            results: for each image, Instances with `pred_boxes`, best first.
        """
        assert len(batched_inputs) == len(results), f"{len(results)} results for {len(batched_inputs)} inputs"
        store_detections(batched_inputs, results, self.input_format)

    def _move_to_current_device(self, x):
        return move_device_like(x, self.pixel_mean)

    def _transpose_dense_predictions(
        self, predictions: List[List[torch.Tensor]], dims_per_anchor: List[int]
    ) -> List[List[torch.Tensor]]:
        """Applies `permute_to_N_HWA_K` to every map of every kind of prediction."""
        assert len(predictions) == len(dims_per_anchor), (
            f"{len(predictions)} kinds of predictions for {len(dims_per_anchor)} dimensions"
        )
        return [[permute_to_N_HWA_K(m, dim) for m in maps] for maps, dim in zip(predictions, dims_per_anchor)]

    def _ema_update(self, name: str, value: float, initial_value: float, momentum: float = 0.9):
        """Updates and returns the moving average that is kept in the attribute `name`."""
        average = momentum * getattr(self, name, initial_value) + (1 - momentum) * value
        setattr(self, name, average)
        return average

    def _decode_per_level_predictions(
        self, anchors: Boxes, pred_scores: torch.Tensor, pred_deltas: torch.Tensor, score_thresh: float,
        topk_candidates: int, image_size: Tuple[int, int]
    ) -> Instances:
        """Decodes the best predictions of one level.

        Args:
            anchors: R boxes.
            pred_scores: float (R, K).
            pred_deltas: float (R, 4).
            score_thresh: scores must be higher.
            topk_candidates: kept at most.
            image_size: (height, width) for the result.

        Returns:
            Instances with `pred_boxes`, `scores`, `pred_classes`.
        """
        high = pred_scores > score_thresh
        rows, classes = torch.nonzero(high, as_tuple=True)
        scores, order = pred_scores[high].topk(min(topk_candidates, rows.numel()))
        rows, classes = rows[order], classes[order]
        boxes = self.box2box_transform.apply_deltas(pred_deltas[rows], anchors.tensor[rows])
        return Instances(image_size, pred_boxes=Boxes(boxes), scores=scores, pred_classes=classes)

    def _decode_multi_level_predictions(
        self, anchors: List[Boxes], pred_scores: List[torch.Tensor], pred_deltas: List[torch.Tensor],
        score_thresh: float, topk_candidates: int, image_size: Tuple[int, int]
    ) -> Instances:
        """Decodes each level as `_decode_per_level_predictions` does and joins the results."""
        levels = [
            self._decode_per_level_predictions(*level, score_thresh, topk_candidates, image_size)
            for level in zip(anchors, pred_scores, pred_deltas)
        ]
        joined = Instances(image_size)
        joined.pred_boxes = Boxes.cat([level.pred_boxes for level in levels])
        joined.scores = cat([level.scores for level in levels])
        joined.pred_classes = cat([level.pred_classes for level in levels])
        return joined
