"""The frames of a video, decoded one by one as they are needed."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from vis_projects.data.frame_transform import FrameTransform
from vis_projects.data.image_files import read_frame

PREFETCH_FRAMES = 3


class LazyFrames(Sequence):
    """T frames as uint8 (C, H, W) tensors. Indexing decodes one frame; iterating decodes a few ahead in one thread.

    Nothing is kept, so memory does not grow with the length of the video.
    """

    def __init__(
        self,
        file_names: Sequence[str],
        frame_transform: FrameTransform,
        *,
        video_id: object = None,
        size: tuple[int, int] | None = None,
    ):
        """
        Args:
            file_names: T image files.
            frame_transform: resize of each frame; its `image_format` is the channel order.
            video_id: for errors.
            size: (height, width) that every frame must have, unchecked where None.
        """
        self.file_names = list(file_names)
        self.frame_transform = frame_transform
        self.video_id = video_id
        self.size = size

    def __len__(self) -> int:
        return len(self.file_names)

    def __getitem__(self, t):
        """Frame t, or the lazy sub-sequence of a slice.

        Raises:
            DatasetError: if the file is missing, broken or of another size.
        """
        if isinstance(t, slice):
            return LazyFrames(self.file_names[t], self.frame_transform, video_id=self.video_id, size=self.size)
        image_format = self.frame_transform.image_format
        image = read_frame(self.file_names[t], image_format, video_id=self.video_id, size=self.size)
        return self.frame_transform(image)

    def __iter__(self) -> Iterator[torch.Tensor]:
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="frames")
        pending: deque = deque()
        try:
            for t in range(len(self)):
                pending.append(pool.submit(self.__getitem__, t))
                if len(pending) > PREFETCH_FRAMES:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
