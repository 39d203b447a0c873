"""`VideoVisualizer`: draws tracked objects on frames."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from detectron2.structures import Instances

from vis_projects.visualization.colors import color_of
from vis_projects.visualization.drawn_object import DrawnObject, box_around, from_entries, from_instances
from vis_projects.visualization.painter import paint_box, paint_label, paint_line, paint_mask
from vis_projects.visualization.trails import Trails

MARK_COLORS = {"missed": (255, 40, 40), "false": (255, 40, 40), "switch": (255, 215, 0)}
MARK_PIXELS = 3  # thickness of the frame around a marked object


class VideoVisualizer:
    """Draws masks, outlines, boxes and labels; the colour of an object depends on its id alone.

    With trails one object serves one video, `reset` starts the next; without them it remembers nothing.
    """

    def __init__(
        self,
        class_names: Sequence[str] = (),
        *,
        draw_text: bool = True,
        draw_boxes: bool = True,
        draw_trails: bool = False,
        alpha: float = 0.5,
    ):
        """
        Args:
            class_names: by contiguous class; a class beyond them is labelled by its number.
            draw_text: label with class, id and score.
            draw_boxes: outline the boxes.
            draw_trails: draw where the centres of the boxes were in the last 30 frames.
            alpha: weight of the colour in a mask, in [0, 1].
        """
        self.class_names = tuple(class_names)
        self.draw_text = draw_text
        self.draw_boxes = draw_boxes
        self.draw_trails = draw_trails
        self.alpha = alpha
        self._trails = Trails()

    def reset(self) -> None:
        """Forgets the trails."""
        self._trails = Trails()

    def draw(self, image: np.ndarray, instances: Instances) -> np.ndarray:
        """A copy of a frame with its objects.

        Args:
            image: (H, W, 3) uint8 RGB.
            instances: at the size of the image, with any of `pred_ids`, `pred_classes`, `scores`, `pred_masks`,
                `pred_boxes`.

        Raises:
            ValueError: image and instances differ in size.
        """
        if tuple(instances.image_size) != image.shape[:2]:
            raise ValueError(
                f"the image has size {image.shape[:2]}, the instances {tuple(instances.image_size)}; draw on the frame "
                "at output size"
            )
        return self._draw(image, from_instances(instances))

    def draw_results(
        self,
        image: np.ndarray,
        entries: Sequence[tuple[int, int, float, Mapping]],
        marks: Mapping[int, str] | None = None,
    ) -> np.ndarray:
        """A copy of a frame with its objects.

        Args:
            image: (H, W, 3) uint8 RGB.
            entries: (track id, class, score, RLE) as `VideoResults.frame(t)` gives them.
            marks: track id -> "missed", "false" or "switch": framed in the colour of that mark, and named in the label.

        Raises:
            ValueError: a mask has another size than the image, or a mark is unknown.
        """
        marks = marks or {}
        unknown = set(marks.values()) - set(MARK_COLORS)
        if unknown:
            raise ValueError(f"unknown marks {sorted(unknown)}; known are {sorted(MARK_COLORS)}")
        for track_id, *_, rle in entries:
            if tuple(rle["size"]) != image.shape[:2]:
                raise ValueError(
                    f"the image has size {image.shape[:2]}, the mask of track {track_id} {tuple(rle['size'])}; the "
                    "results belong to another video or to frames of another size"
                )
        return self._draw(image, from_entries(entries), marks)

    def _draw(
        self, image: np.ndarray, objects: list[DrawnObject], marks: Mapping[int, str] = MappingProxyType({})
    ) -> np.ndarray:
        image = np.array(image, order="C")  # a copy
        colors = [color_of(item.track_id) for item in objects]
        for item, color in zip(objects, colors):
            if item.mask is not None:
                paint_mask(image, item.mask, color, self.alpha)
        if self.draw_trails:
            self._draw_trails(image, objects)
        for item, color in zip(objects, colors):
            if self.draw_boxes and item.box is not None:
                paint_box(image, item.box, color)
        for item in objects:
            if item.track_id in marks and _box_of(item) is not None:
                paint_box(image, _box_of(item), MARK_COLORS[marks[item.track_id]], MARK_PIXELS)
        if self.draw_text:
            for item, color in zip(objects, colors):
                box, label = _box_of(item), self._label(item, marks.get(item.track_id))
                if box is not None and label:
                    paint_label(image, label, box[:2], color)
        return image

    def _draw_trails(self, image: np.ndarray, objects: list[DrawnObject]) -> None:
        boxes = {item.track_id: _box_of(item) for item in objects if item.track_id >= 0}
        self._trails.add({i: ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for i, b in boxes.items() if b is not None})
        for track_id in boxes:
            paint_line(image, self._trails.points(track_id), color_of(track_id))

    def _label(self, item: DrawnObject, mark: str | None) -> str:
        parts = [f"{mark}:"] if mark else []
        if item.category_id is not None:
            known = 0 <= item.category_id < len(self.class_names)
            parts.append(self.class_names[item.category_id] if known else f"class {item.category_id}")
        if item.track_id >= 0:
            parts.append(f"#{item.track_id}")
        if item.score is not None:
            parts.append(f"{item.score:.2f}")
        return " ".join(parts)


def _box_of(item: DrawnObject) -> tuple[float, float, float, float] | None:
    if item.box is None and item.mask is not None:
        return box_around(item.mask)
    return item.box
