"""SynthVIS videos in memory, without a file written."""

from collections.abc import Iterator

import numpy as np

from vis_projects.data.synth.annotate import VideoAnnotator, assemble, video_record
from vis_projects.data.synth.masks import rasterise
from vis_projects.data.synth.presets import CLASS_NAMES, SceneOptions, get_preset
from vis_projects.data.synth.render import VideoRenderer
from vis_projects.data.synth.scene import Scene, draw_scene


class SynthVIS:
    """A split of SynthVIS as a sequence of videos that are drawn when they are asked for.

    Args:
        preset: "tiny", "small" or "full".
        split: "train", "val" or "test".
        seed: seed of the whole set.
        num_videos: number of videos; None takes the preset's. Video i is the same for every number.
        options: requests beyond the preset.

    Item i is a dict with `image` (list of T (H, W, 3) uint8 RGB arrays), `annotations` (YouTube-VIS annotations of
    the video, ids counted from 1 within it), `video` (its `videos` entry), `video_id`, `height`, `width`, `length`.
    """

    def __init__(self, preset: str, split: str, seed: int = 0, *, num_videos: int | None = None,
                 options: SceneOptions = SceneOptions()):
        self.preset, self.split, self.seed, self.options = get_preset(preset), split, seed, options
        if split not in self.preset.num_videos:
            raise ValueError(f"unknown SynthVIS split {split!r}; choose one of {', '.join(self.preset.num_videos)}")
        self._count = self.preset.num_videos[split] if num_videos is None else num_videos

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        if not 0 <= index < len(self):
            raise IndexError(f"SynthVIS {self.preset.name} {self.split} has {len(self)} videos, none at {index}")
        scene = self.scene(index)
        renderer, annotator, images = VideoRenderer(scene), VideoAnnotator(scene), []
        for time in range(scene.length):
            masks = rasterise(scene, time)
            annotator.add(time, masks)
            images.append(renderer.frame(time, masks))
        annotations = [{"id": k + 1, **record} for k, record in enumerate(annotator.annotations(index + 1))]
        return {"image": images, "annotations": annotations, "video": video_record(scene, index + 1),
                "video_id": index + 1, "height": scene.height, "width": scene.width, "length": scene.length}

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; category id k is entry k - 1."""
        return CLASS_NAMES[:self.preset.num_classes]

    def scene(self, index: int) -> Scene:
        """Video `index` before rasterisation."""
        return draw_scene(self.preset.name, self.split, index, self.seed, self.options)

    def labels(self, index: int) -> np.ndarray:
        """(T, H, W) int16 owner of each pixel: 0 background, k the k-th sprite of `scene(index).sprites`."""
        scene = self.scene(index)
        return np.stack([rasterise(scene, time).owner for time in range(scene.length)])

    def ground_truth(self, rle: str = "compressed") -> dict:
        """The whole split as a YouTube-VIS dict; masks only, no pixel is rendered."""
        return assemble(self.preset.name, self.split, self.seed, self.preset.num_classes,
                        (annotate_scene(self.scene(index), index + 1, rle) for index in range(len(self))))


def annotate_scene(scene: Scene, video_id: int, rle: str = "compressed") -> tuple[dict, list[dict]]:
    """(`videos` entry, annotations without ids) of a scene."""
    annotator = VideoAnnotator(scene, rle)
    for time in range(scene.length):
        annotator.add(time, rasterise(scene, time))
    return video_record(scene, video_id), annotator.annotations(video_id)
