"""The support frames of one video: chosen, projected once, cached.

"Sites" are the places of the model that look at support frames: name -> (keys, values), (N, d, H', W') of N frames or
(1, T, d, H', W') of the T supports of a frame.
"""

import logging
from collections.abc import Callable, Sequence

from torch import Tensor

from vis_projects.data.support_sampler import support_frames
from vis_projects.layers import SupportCache
from vis_projects.methods.compfeat.kept_frames import KeptFrames

Sites = dict[str, tuple[Tensor, Tensor]]
WHOLE_VIDEO, PAST_MODES = "uniform_video", ("uniform_past", "recent")
MODES = (WHOLE_VIDEO, *PAST_MODES)

logger = logging.getLogger(__name__)


class SupportFrames:
    """Keys and values of support frames. It belongs to the state of a video and holds a bounded number of frames.

    "uniform_video" needs all frames of the video and projects those that are supports of any other, at most 2 T; the
    other modes see the past only. Without a candidate a frame supports itself.

    Attributes:
        mode: the one that is used: without the frames of the video, as in a stream, "uniform_video" becomes
            "uniform_past".
    """

    def __init__(
        self, mode: str, count: int, capacity: int, frames: Sequence[Tensor] | None = None, *, name: object = None
    ) -> None:
        """
        Args:
            mode: of `MODES`.
            count: supports of a frame, T.
            capacity: slots of "uniform_past".
            frames: all frames of the video, uint8, or None where they come one by one.
            name: of the video, for the log.
        """
        if mode not in MODES:
            raise ValueError(f"MODEL.COMPFEAT.TEST.SUPPORT is {mode!r}; choose from {MODES}")
        if mode == WHOLE_VIDEO and frames is None:
            logger.warning("%s: its later frames are not known, so supports are spread over the past ('uniform_past') "
                           "and not over the whole video (MODEL.COMPFEAT.TEST.SUPPORT %r)", name, mode)
            mode = "uniform_past"
        self.mode = mode
        self._count = count
        self._frames = frames if mode == WHOLE_VIDEO else None
        self._kept = KeptFrames("uniform_past" if mode == WHOLE_VIDEO else mode, count, capacity)
        self._planned: dict[int, int] = {}  # frame -> slot, of the whole video
        if self._frames is not None and len(self._frames) > 1:
            # A frame's supports are those of the last frame, each moved by one where the frame comes before it.
            ends = (0, len(self._frames) - 1)
            planned = {s for t in ends for s in support_frames(len(self._frames), t, count, "uniform")}
            self._planned = {frame: slot for slot, frame in enumerate(sorted(planned))}
        self._capacity = len(self._planned) or self._kept.capacity
        self._caches: dict[str, SupportCache] = {}
        self._there: set[int] = set()

    @property
    def description(self) -> str:
        """For the results: whether they are online or offline, and by which rule."""
        kind = "offline" if self.mode == WHOLE_VIDEO else "online"
        return f"{kind}, supports {self.mode}"

    @property
    def nbytes(self) -> int:
        """Bytes of the caches, which are made when the first frame is kept and stay as they are."""
        return sum(cache.nbytes for cache in self._caches.values())

    def supports_of(self, frame: int, own: Callable[[], Sites], project: Callable[[Tensor], Sites]) -> Sites:
        """Keys and values of the supports of a frame, as (1, T, d, H', W').

        Args:
            frame: its index; frames come in order.
            own: projects the frame itself.
            project: projects another frame of the video.
        """
        if self._planned:
            chosen = support_frames(len(self._frames), frame, self._count, "uniform")
            for other in chosen:
                if other not in self._there:
                    self._store(self._planned[other], project(self._frames[other]))
                    self._there.add(other)
            slots = [self._planned[other] for other in chosen]
        else:
            slots = self._kept.choose() if self._frames is None else []
        if not slots:
            return {name: (key[:, None], value[:, None]) for name, (key, value) in own().items()}
        return {name: cache.take(slots) for name, cache in self._caches.items()}

    def remember(self, frame: int, own: Callable[[], Sites]) -> None:
        """Keeps a frame that is done, where a later one may want it."""
        if self._frames is not None:
            return
        slot = self._kept.keep(frame)
        if slot is not None:
            self._store(slot, own())

    def _store(self, slot: int, sites: Sites) -> None:
        for name, (key, value) in sites.items():
            self._caches.setdefault(name, SupportCache(self._capacity)).put(slot, key, value)
