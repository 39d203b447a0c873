"""The correlation-based tracking module (CM): object with object and object with frame, added, then scored.

Letters: B images, R current boxes and N reference objects of an image, C channels, h x w bins of a RoI, H x W a map.
"""

from collections.abc import Mapping, Sequence

import torch
from detectron2.structures import Boxes
from torch import Tensor, nn

from vis_projects.layers import PreciseROIAlign, depthwise_xcorr
from vis_projects.methods.compfeat.object_attention import image_numbers
from vis_projects.methods.compfeat.track_scores import CorrelationMaps, TrackScores
from vis_projects.tracking import with_new_column

SCALE_LEVELS = ("p3", "p4", "p5")
CHOICES = {"ADJUST": ("siamrpn", "none"), "CORR_NORM": ("mean", "sum"), "ROI_FROM": ("refined", "raw"),
           "REFINE_KERNEL": (1, 3)}


class CorrelationTrackHead(nn.Module):
    """Scores of pairs of objects from depth-wise correlations.

    u(r, n): the RoI of the current object with that of the reference object, channel by channel. w(r, n): RoIAlign at
    the current box on the correlation of the reference object with the whole current frame, refined by a convolution;
    a second one predicts where the reference object is. Score: two 1x1 layers on u + w.
    """

    def __init__(
        self,
        channels: int,
        resolution: int,
        strides: Mapping[str, int],
        *,
        adjust: str = "siamrpn",
        corr_norm: str = "mean",
        use_map: bool = True,
        search_level: str = "p4",
        refine_kernel: int = 1,
        roi_from: str = "refined",
        test_use_map_vector: bool = True,
    ) -> None:
        """
        Args:
            channels: C.
            resolution: h = w, odd.
            strides: of the levels that can be searched, in pixels.
            adjust: "siamrpn" or "none": what stands before a correlation.
            corr_norm: "mean" or "sum" over the cells of a template.
            use_map: correlate with the frame too.
            search_level: a name of `strides`, or "scale": one level above that of the reference object's box.
            refine_kernel: 1 or 3, side of the two convolutions behind the correlation with the frame.
            roi_from: "refined" or "raw" correlation features give w.
            test_use_map_vector: w counts in evaluation too.
        """
        super().__init__()
        given = {"ADJUST": adjust, "CORR_NORM": corr_norm, "ROI_FROM": roi_from, "REFINE_KERNEL": refine_kernel}
        for key, value in given.items():
            if value not in CHOICES[key]:
                raise ValueError(f"MODEL.COMPFEAT.TRACK.{key} is {value!r}; choose from {CHOICES[key]}")
        if resolution % 2 == 0:
            raise ValueError(f"MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION is {resolution}; a template needs an odd side")
        levels = SCALE_LEVELS if search_level == "scale" else (search_level,)
        if use_map and not set(levels) <= set(strides):
            raise ValueError(f"MODEL.COMPFEAT.TRACK.SEARCH_LEVEL is {search_level!r}; choose from {tuple(strides)} or "
                             f"'scale', which needs {SCALE_LEVELS}")
        self.levels, self.strides = levels, {name: strides[name] for name in levels if name in strides}
        self.norm = 1 / resolution**2 if corr_norm == "mean" else 1.0
        self.padding = resolution // 2
        self.roi_from, self.use_map, self.test_use_map_vector = roi_from, use_map, test_use_map_vector
        adjusted = adjust == "siamrpn"
        self.adjust_reference = _adjust(channels) if adjusted else nn.Identity()
        self.adjust_current = _adjust(channels) if adjusted else nn.Identity()
        if use_map:
            self.refine = nn.Conv2d(channels, channels, refine_kernel, padding=refine_kernel // 2)
            self.map_conv = nn.Conv2d(channels, 1, refine_kernel, padding=refine_kernel // 2)
            nn.init.kaiming_normal_(self.refine.weight, nonlinearity="relu")
            nn.init.zeros_(self.refine.bias)
            nn.init.normal_(self.map_conv.weight, std=0.01)
            nn.init.constant_(self.map_conv.bias, -2.19)  # sigmoid: 0.1, most of a map is empty
        # 1x1 convolutions on vectors
        self.score_hidden, self.score_out = nn.Linear(channels, channels), nn.Linear(channels, 1)
        nn.init.kaiming_normal_(self.score_hidden.weight, nonlinearity="relu")
        nn.init.zeros_(self.score_hidden.bias)
        nn.init.normal_(self.score_out.weight, std=0.01)
        nn.init.zeros_(self.score_out.bias)

    def describe(self, rois: Tensor) -> Tensor:
        """What is compared and remembered of RoIs: the RoI features themselves, (R, C, h, w)."""
        return rois

    def score(
        self,
        looks: Sequence[Tensor],
        boxes: Sequence[Boxes],
        references: Sequence[Tensor],
        reference_boxes: Sequence[Boxes],
        features: dict[str, Tensor],
    ) -> TrackScores:
        """Scores of all pairs within each image.

        Args:
            looks: B x (R, C, h, w) RoI features of current objects; R may be 0.
            boxes: B x R, where they were pooled, xyxy in network pixels.
            references: B x (N, C, h, w) RoI features of reference objects; N may be 0.
            reference_boxes: B x N, in network pixels; only "scale" reads them.
            features: levels of the current frames, name to (B, C, H, W).

        Returns:
            logits, and maps in training; in evaluation the maps are made only where their vector counts.
        """
        templates = self.adjust_reference(torch.cat(list(references)))
        rois = self.adjust_current(torch.cat(list(looks)))
        counts = [len(x) for x in references]
        vectors = [
            self.object_to_object(x, z)
            for x, z in zip(rois.split([len(x) for x in looks]), templates.split(counts), strict=True)
        ]
        maps: list[CorrelationMaps] = []
        if self.use_map and (self.training or self.test_use_map_vector):
            from_maps, maps = self._object_to_frame(templates, counts, boxes, reference_boxes, features)
            vectors = [u + w for u, w in zip(vectors, from_maps, strict=True)]
        tables = [self.score_out(self.score_hidden(v).relu()).squeeze(-1).float() for v in vectors]
        return TrackScores([with_new_column(table, 0.0) for table in tables], maps)

    def object_to_object(self, rois: Tensor, templates: Tensor) -> Tensor:
        """u: (R, C, h, w) and (N, C, h, w) to (R, N, C), channel by channel the product summed over the bins."""
        x, z = rois.flatten(2).transpose(0, 1), templates.flatten(2).permute(1, 2, 0)  # (C, R, hw), (C, hw, N)
        return torch.bmm(x, z).permute(1, 2, 0) * self.norm

    def correlate(self, search: Tensor, templates: Tensor, image_index: Tensor) -> Tensor:
        """g: maps (B, C, H, W) and templates (N, C, h, w), each with its map, to (N, C, H, W)."""
        return depthwise_xcorr(search, templates, self.padding, image_index) * self.norm

    def _object_to_frame(
        self,
        templates: Tensor,
        counts: list[int],
        boxes: Sequence[Boxes],
        reference_boxes: Sequence[Boxes],
        features: dict[str, Tensor],
    ) -> tuple[list[Tensor], list[CorrelationMaps]]:
        """w of each image, (R, N, C), and the maps of each level."""
        image_of = image_numbers(counts, templates.device)
        level_of = self._search_levels(reference_boxes, templates.device)
        maps, parts, columns = [], [[] for _ in counts], [[] for _ in counts]
        for k, name in enumerate(self.levels):
            chosen = (level_of == k).nonzero().squeeze(1)
            if len(chosen) == 0 and k + 1 < len(self.levels):
                continue  # the last level runs in any case, so that every parameter is in the graph
            search = self.adjust_current(features[name])
            raw = self.correlate(search, templates[chosen], image_of[chosen])
            refined = self.refine(raw).relu()
            maps.append(CorrelationMaps(chosen, self.map_conv(refined).squeeze(1), self.strides[name]))
            source = refined if self.roi_from == "refined" else raw
            for b, per_image in enumerate(boxes):
                places = (image_of[chosen] == b).nonzero().squeeze(1)
                parts[b].append(self._pool(source, places, per_image.tensor, self.strides[name]))
                columns[b].append(chosen[places])
        vectors = [torch.cat(part, 1)[:, torch.cat(column).argsort()] for part, column in zip(parts, columns)]
        return vectors, maps

    def _search_levels(self, reference_boxes: Sequence[Boxes], device: torch.device) -> Tensor:
        """Place in `levels` of each reference object's level, (sum N,)."""
        if len(self.levels) == 1:
            return torch.zeros(sum(len(x) for x in reference_boxes), dtype=torch.int64, device=device)
        area = torch.cat([x.area() for x in reference_boxes]).to(device)
        # RoIAlign's level of a box, floor(4 + log2(side / 224)), and one above it
        level = torch.floor(5 + torch.log2(area.sqrt() / 224 + 1e-8))
        return (level.clamp(3, 5) - 3).long()

    def _pool(self, maps: Tensor, places: Tensor, boxes: Tensor, stride: float) -> Tensor:
        """The mean of each of k maps in each of R boxes: (N, C, H, W) to (R, k, C)."""
        rows = places.repeat_interleave(len(boxes))
        rois = torch.cat([rows[:, None].to(boxes.dtype), boxes.repeat(len(places), 1)], 1)
        pooled = PreciseROIAlign((1, 1), 1 / stride, sampling_ratio=0, aligned=True)(maps, rois)
        return pooled.reshape(len(places), len(boxes), maps.shape[1]).transpose(0, 1)


def _adjust(channels: int) -> nn.Sequential:
    groups = next(g for g in (32, 16, 8, 4, 2, 1) if channels % g == 0)
    conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.GroupNorm(groups, channels), nn.ReLU())
