"""DeepSORT: Kalman filter, appearance, matching cascade (Wojke et al., ICIP 2017), and SORT without appearance."""

from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Boxes, Instances
from torch import Tensor, nn

from vis_projects.tracking.assignment import assign_hungarian
from vis_projects.tracking.base import Tracker
from vis_projects.tracking.costs import pairwise_box_iou
from vis_projects.tracking.gallery import AppearanceGallery
from vis_projects.tracking.kalman import GATE, BoxKalmanFilter, boxes_to_measurements, measurements_to_boxes
from vis_projects.tracking.kalman_tracks import KalmanTracks
from vis_projects.tracking.registry import TRACKER_REGISTRY

REID_ARCH = "ReIDNetwork"


@TRACKER_REGISTRY.register()
class DeepSORTTracker(Tracker):
    """One-to-one matching in two stages, then births and deaths.

    1. Confirmed tracks, those seen last first (the cascade, listing 1): pairs within the gates of
       Mahalanobis distance, cosine distance and class, of least lambda d_motion + (1 - lambda) d_look.
    2. What is left of tentative tracks and of tracks seen in the frame before: pairs of least
       1 - IoU of detection and predicted box, at least ``min_iou``.
    A detection without a track starts one. Without a network there is no first stage and the second
    takes every track, which is SORT.
    """

    @configurable
    def __init__(
        self,
        *,
        network: nn.Module | None = None,
        min_score: float = 0.0,
        motion_weight: float = 0.0,
        max_cosine_distance: float = 0.2,
        gallery_size: int = 100,
        min_iou: float = 0.3,
        same_class: bool = True,
        num_init: int = 3,
        max_age_frames: int = 30,
        keep_tentative: bool = True,
        kalman: BoxKalmanFilter | None = None,
    ) -> None:
        """
        Args:
            network: ``embed(frame (C, h, w), boxes (n, 4) in frame pixels)`` to (n, D) unit vectors;
                None: SORT.
            min_score: detections of a lower score are left out.
            motion_weight: lambda of eq. 5, in [0, 1].
            max_cosine_distance: gate of the first stage, eq. 4.
            gallery_size: embeddings that a track keeps.
            min_iou: gate of the second stage.
            same_class: only detections and tracks of one class make a pair.
            num_init, max_age_frames: life of a track, see ``KalmanTracks``.
            keep_tentative: detections of tentative tracks are returned too.
            kalman: None: with the published constants.
        """
        if not 0 <= motion_weight <= 1:
            raise ValueError(f"MODEL.DEEPSORT.MOTION_WEIGHT is {motion_weight}; give a share between 0 and 1")
        self.network = network
        self.needs_frame = network is not None
        self.min_score = min_score
        self.motion_weight = motion_weight
        self.max_cosine_distance = max_cosine_distance
        self.min_iou = min_iou
        self.same_class = same_class
        self.keep_tentative = keep_tentative
        self.tracks = KalmanTracks(kalman or BoxKalmanFilter(), num_init=num_init, max_age_frames=max_age_frames)
        self.gallery = AppearanceGallery(gallery_size)
        self._seen_frame: Tensor | None = None

    @classmethod
    def network_arch(cls, cfg: CfgNode) -> str:
        """See ``Tracker.network_arch``."""
        return REID_ARCH if cfg.MODEL.DEEPSORT.APPEARANCE else ""

    @classmethod
    def from_config(cls, cfg: CfgNode, network: nn.Module | None = None) -> dict[str, Any]:
        node = cfg.MODEL.DEEPSORT
        return {
            "network": network,
            "min_score": node.MIN_SCORE,
            "motion_weight": node.MOTION_WEIGHT,
            "max_cosine_distance": node.MAX_COSINE_DISTANCE,
            "gallery_size": node.GALLERY_SIZE,
            "min_iou": node.MIN_IOU,
            "same_class": node.SAME_CLASS,
            "num_init": node.NUM_INIT,
            "max_age_frames": node.MAX_AGE_FRAMES,
            "keep_tentative": node.KEEP_TENTATIVE,
            "kalman": BoxKalmanFilter(position_std=node.POSITION_STD, velocity_std=node.VELOCITY_STD),
        }

    def see(self, frame: Tensor) -> None:
        """See ``Tracker.see``."""
        self._seen_frame = frame

    def update(self, instances: Instances) -> Instances:
        """See ``Tracker.update``.

        Raises:
            FloatingPointError: a box, a score or an embedding is inf or nan.
        """
        if not bool(instances.pred_boxes.tensor.isfinite().all() and instances.scores.isfinite().all()):
            raise FloatingPointError("DeepSORTTracker: a box or a score is inf or nan; check the checkpoint")
        instances = instances[instances.scores >= self.min_score]
        boxes = instances.pred_boxes.tensor.detach().cpu().numpy().astype(np.float64)
        measurements = boxes_to_measurements(boxes)
        labels = instances.pred_classes.cpu().numpy()
        vectors = self._embed(instances)
        self.tracks.predict()
        slots = self._match(boxes, measurements, labels, vectors)
        ids = self._live_on(slots, measurements, labels)
        if vectors is not None:
            self.gallery.add(ids, vectors)
            self.gallery.retain(self.tracks.ids)
        kept = np.full(len(ids), True)
        if not self.keep_tentative:
            kept = self.tracks.confirmed[np.searchsorted(self.tracks.ids, ids)]
        device = instances.scores.device
        tracked = instances[torch.from_numpy(kept).to(device)]
        tracked.pred_ids = torch.from_numpy(ids[kept]).to(device)
        return tracked

    def _embed(self, instances: Instances) -> np.ndarray | None:
        """(n, D) unit vectors of the detections' looks, or None without a network."""
        if self.network is None:
            return None
        if self._seen_frame is None:
            raise RuntimeError("DeepSORTTracker needs `see(frame)` before each `update`")
        frame, self._seen_frame = self._seen_frame, None
        height, width = instances.image_size
        boxes = Boxes(instances.pred_boxes.tensor.to(frame.device).float().clone())
        boxes.scale(frame.shape[2] / width, frame.shape[1] / height)
        with torch.no_grad():
            return self.network.embed(frame, boxes.tensor).float().cpu().numpy()

    def _match(
        self, boxes: np.ndarray, measurements: np.ndarray, labels: np.ndarray, vectors: np.ndarray | None
    ) -> np.ndarray:
        """(n,) slot of each detection's track, -1 without one."""
        tracks = self.tracks
        slots = np.full(len(boxes), -1, np.int64)
        allowed = np.full((len(tracks), len(boxes)), True)
        if self.same_class:
            allowed = tracks.labels[:, None] == labels[None, :]
        if vectors is None:
            candidates = np.arange(len(tracks))
        else:
            self._match_looks(slots, measurements, vectors, allowed)
            free = ~np.isin(np.arange(len(tracks)), slots)
            candidates = np.flatnonzero(free & (~tracks.confirmed | (tracks.misses == 1)))
        self._match_boxes(slots, candidates, boxes, allowed)
        return slots

    def _match_looks(
        self, slots: np.ndarray, measurements: np.ndarray, vectors: np.ndarray, allowed: np.ndarray
    ) -> None:
        """The cascade: confirmed tracks in the order of their last sight; fills ``slots``."""
        tracks, weight = self.tracks, self.motion_weight
        confirmed = np.flatnonzero(tracks.confirmed)
        motion = tracks.kalman.squared_distances(tracks.mean[confirmed], tracks.covariance[confirmed], measurements)
        looks = self.gallery.distances(tracks.ids[confirmed], vectors)
        within = (motion <= GATE) & (looks <= self.max_cosine_distance) & allowed[confirmed]
        cost = np.where(within, weight * motion + (1 - weight) * looks, np.inf)
        cost[np.isnan(motion) | np.isnan(looks)] = np.nan
        most = weight * GATE + (1 - weight) * self.max_cosine_distance
        for age in np.unique(tracks.misses[confirmed]):
            free = np.flatnonzero(slots < 0)
            of_age = np.flatnonzero(tracks.misses[confirmed] == age)
            rows, columns = assign_hungarian(cost[np.ix_(of_age, free)], most)
            slots[free[columns]] = confirmed[of_age[rows]]

    def _match_boxes(
        self, slots: np.ndarray, candidates: np.ndarray, boxes: np.ndarray, allowed: np.ndarray
    ) -> None:
        """Predicted boxes of the candidates against detections that are still free; fills ``slots``."""
        free = np.flatnonzero(slots < 0)
        predicted = measurements_to_boxes(self.tracks.mean[candidates, :4])
        ious = pairwise_box_iou(torch.from_numpy(predicted), torch.from_numpy(boxes[free])).numpy()
        cost = np.where(allowed[np.ix_(candidates, free)], 1.0 - ious, np.inf)
        rows, columns = assign_hungarian(cost, 1.0 - self.min_iou)
        slots[free[columns]] = candidates[rows]

    def _live_on(self, slots: np.ndarray, measurements: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Corrects, deletes and starts tracks; returns the ids of the detections (n,)."""
        seen = slots >= 0
        ids = np.full(len(slots), -1, np.int64)
        ids[seen] = self.tracks.ids[slots[seen]]
        self.tracks.see(slots[seen], measurements[seen], labels[seen])
        self.tracks.delete_lost()
        ids[~seen] = self.tracks.start(measurements[~seen], labels[~seen])
        return ids
