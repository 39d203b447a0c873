"""``Keypoints``: annotated points of objects, as data only (the subset has no keypoint head)."""

import numpy as np
import torch

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(__name__, ("heatmaps_to_keypoints",))


class Keypoints:
    """N x K x 3 float32 tensor of (x, y, visibility); visibility 0 not labelled, 1 hidden, 2 visible.

    Attributes:
        tensor: the N x K x 3 tensor.
    """

    def __init__(self, keypoints: torch.Tensor | np.ndarray | list[list[float]]):
        device = keypoints.device if isinstance(keypoints, torch.Tensor) else torch.device("cpu")
        tensor = torch.as_tensor(keypoints, dtype=torch.float32, device=device)
        assert tensor.dim() == 3 and tensor.shape[2] == 3, f"expected the shape N x K x 3, got {tuple(tensor.shape)}"
        self.tensor = tensor

    def __len__(self) -> int:
        return self.tensor.shape[0]

    def to(self, *args, **kwargs) -> "Keypoints":
        """Return the keypoints after ``Tensor.to``."""
        return Keypoints(self.tensor.to(*args, **kwargs))

    @property
    def device(self) -> torch.device:
        """Device of the tensor."""
        return self.tensor.device

    def to_heatmap(self, boxes: torch.Tensor, heatmap_size: int) -> torch.Tensor:
        """Return the cell of a square heatmap over each box that each point falls into.

        Args:
            boxes: N x 4 tensor XYXY_ABS.
            heatmap_size: cells on a side, S.

        Returns:
            Two int64 tensors N x K: the cell ``y * S + x`` (0 where invalid), and 1 where the point is labelled and
            inside. Without boxes both are flat and empty.
        """
        if boxes.numel() == 0:
            return torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
        scale = heatmap_size / (boxes[:, 2:] - boxes[:, :2])
        offset, far = boxes[:, None, :2], boxes[:, None, 2:]
        points = self.tensor[..., :2]
        cells = ((points - offset) * scale[:, None]).floor().long()
        # The far border belongs to the last cell.
        cells = torch.where(points == far, torch.full_like(cells, heatmap_size - 1), cells)
        inside = ((cells >= 0) & (cells < heatmap_size)).all(dim=2)
        valid = (inside & (self.tensor[..., 2] > 0)).long()
        return (cells[..., 1] * heatmap_size + cells[..., 0]) * valid, valid

    def __getitem__(self, item) -> "Keypoints":
        """Select objects; an int gives one object."""
        return Keypoints(self.tensor[[item]] if isinstance(item, int) else self.tensor[item])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_instances={len(self.tensor)})"

    @staticmethod
    def cat(keypoints_list: list["Keypoints"]) -> "Keypoints":
        """Concatenate at least one set of keypoints."""
        assert isinstance(keypoints_list, (list, tuple)), f"expected a list, got {type(keypoints_list).__name__}"
        assert len(keypoints_list) > 0, "expected at least one item"
        assert all(isinstance(keypoints, Keypoints) for keypoints in keypoints_list), "expected Keypoints only"
        return Keypoints(torch.cat([keypoints.tensor for keypoints in keypoints_list], dim=0))
