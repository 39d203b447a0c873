"""A training batch of clips as one padded image batch, with the frame roles that losses select by.

Letters: B clips, T frames of a clip, C channels, H, W padded size. Row b * T + t of every flat list or tensor is
frame t of clip b ("video-major").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from detectron2.structures import ImageList, Instances

from vis_projects.structures.image_batch import image_batch


@dataclass
class Clip:
    """B clips of T frames each on one device.

    Attributes:
        images: ImageList of B * T normalised float frames, video-major, padded to one size.
        instances: B lists of T `Instances` on the device of the images, or None where the batch has no ground truth.
        roles: T role names, the same for every clip of the batch.
        frame_indices: B lists of T frame numbers within the video.
        video_ids: B ids.
    """

    images: ImageList
    instances: list[list[Instances]] | None
    roles: list[str]
    frame_indices: list[list[int]]
    video_ids: list

    @classmethod
    def from_batch(
        cls,
        batch: Sequence[Mapping],
        device: torch.device | str,
        pixel_mean: torch.Tensor,
        pixel_std: torch.Tensor,
        size_divisibility: int = 0,
        padding_constraints: dict | None = None,
    ) -> "Clip":
        """Moves, normalises and pads the training items of the mappers.

        Args:
            batch: B items with `image` (T uint8 (C, H, W) tensors), `roles`, `frame_indices`, `video_id` and, with
                ground truth, `instances` (T `Instances`).
            device: where everything goes.
            pixel_mean, pixel_std: (C, 1, 1) float tensors on `device`, in the channel order of the images.
            size_divisibility, padding_constraints: what the backbone asks of the padded size, see `padding_of`.

        Raises:
            ValueError: if the batch is empty, or its clips differ in roles or number of frames.
        """
        if not batch:
            raise ValueError("Clip.from_batch needs at least one clip, the batch is empty")
        roles = list(batch[0]["roles"])
        for item in batch:
            if list(item["roles"]) != roles or len(item["image"]) != len(roles):
                raise ValueError(
                    f"all clips of a batch need the same frame roles: video {batch[0]['video_id']} has {roles}, "
                    f"video {item['video_id']} has {list(item['roles'])} for {len(item['image'])} frames"
                )
        with_truth = [item.get("instances") is not None for item in batch]
        if any(with_truth) and not all(with_truth):
            raise ValueError("some clips of the batch have instances and some have none")
        frames = [frame for item in batch for frame in item["image"]]
        instances = None
        if all(with_truth):
            instances = [[frame.to(device) for frame in item["instances"]] for item in batch]
        return cls(
            images=image_batch(frames, pixel_mean, pixel_std, size_divisibility, padding_constraints),
            instances=instances,
            roles=roles,
            frame_indices=[list(item["frame_indices"]) for item in batch],
            video_ids=[item["video_id"] for item in batch],
        )

    @property
    def num_videos(self) -> int:
        """B."""
        return len(self.video_ids)

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.roles)

    def rows(self, role: str) -> torch.Tensor:
        """int64 rows of `images` whose frame has this role, video-major: all of clip 0, then all of clip 1."""
        rows = [b * self.num_frames + t for b in range(self.num_videos) for t in self._positions(role)]
        return torch.as_tensor(rows, dtype=torch.int64, device=self.images.tensor.device)

    def instances_of(self, role: str) -> list[Instances]:
        """The instances of the frames that `rows(role)` selects, in the same order.

        Raises:
            ValueError: if the clip carries no instances.
        """
        if self.instances is None:
            raise ValueError("this clip has no instances: its items came without ground truth")
        return [self.instances[b][t] for b in range(self.num_videos) for t in self._positions(role)]

    def _positions(self, role: str) -> list[int]:
        return [t for t, name in enumerate(self.roles) if name == role]
