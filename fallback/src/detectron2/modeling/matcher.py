"""Assignment of predictions (anchors or proposals) to ground truth by their overlap."""

from typing import List

import torch

from detectron2.layers import nonzero_tuple


class Matcher:
    """Gives every prediction its best ground truth and a label by how good the match is.

    Args:
        thresholds: ascending positive numbers that cut the quality axis into ranges.
        labels: for each range from low to high, 1 (foreground), 0 (background) or -1
            (ignored); one more than thresholds.
        allow_low_quality_matches: also label 1 all predictions that no other one beats
            for some ground truth, however low the quality.

    Raises:
        AssertionError: for thresholds or labels of another form.
    """

    def __init__(self, thresholds: List[float], labels: List[int], allow_low_quality_matches: bool = False):
        edges = list(thresholds)
        assert edges[0] > 0, f"thresholds={edges}: the first must be positive"
        edges = [-float("inf"), *edges, float("inf")]
        assert all(low <= high for low, high in zip(edges, edges[1:])), f"thresholds={thresholds} must ascend"
        assert all(label in (-1, 0, 1) for label in labels), f"labels={labels}: use -1, 0 and 1"
        assert len(labels) == len(edges) - 1, (
            f"{len(labels)} labels for {len(edges) - 2} thresholds; give one label more than thresholds"
        )
        self.thresholds = edges
        self.labels = labels
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix):
        """Matches.

        Args:
            match_quality_matrix: float (M, N) of qualities >= 0 between M ground truths
                and N predictions.

        Returns:
            (matches, labels): int64 (N,) the index of each prediction's ground truth, 0
            where there is none at all, and int8 (N,) in {-1, 0, 1}.

        Raises:
            AssertionError: when the matrix is not 2-d or has negative values.
        """
        quality = match_quality_matrix
        assert quality.dim() == 2, f"the match quality must be (M, N), got the shape {tuple(quality.shape)}"
        if quality.numel() == 0:
            count = quality.shape[1]
            matches = quality.new_zeros((count,), dtype=torch.int64)
            return matches, quality.new_full((count,), self.labels[0], dtype=torch.int8)
        assert torch.all(quality >= 0), "the match quality has negative values"

        best, matches = quality.max(dim=0)
        match_labels = torch.ones_like(matches, dtype=torch.int8)
        for label, low, high in zip(self.labels, self.thresholds, self.thresholds[1:]):
            match_labels[(best >= low) & (best < high)] = label
        if self.allow_low_quality_matches:
            self.set_low_quality_matches_(match_labels, quality)
        return matches, match_labels

    def set_low_quality_matches_(self, match_labels, match_quality_matrix):
        """Labels 1, in place, the predictions that tie for some ground truth's best.

        Args:
            match_labels: int8 (N,).
            match_quality_matrix: float (M, N).
        """
        per_truth = match_quality_matrix.max(dim=1, keepdim=True).values
        _, predictions = nonzero_tuple(match_quality_matrix == per_truth)
        match_labels[predictions] = 1
