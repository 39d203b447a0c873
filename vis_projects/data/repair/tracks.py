"""Repairs of one object: its masks, and boxes and areas after its masks."""

from collections.abc import Mapping

from vis_projects.data.convert.masks import text_rle
from vis_projects.data.faults import box_problem
from vis_projects.data.mask_faults import mask_problem
from vis_projects.data.repair.log import RepairLog
from vis_projects.data.repair.masks import repair_mask
from vis_projects.data.track_faults import (
    OUTSIDE_TOLERANCE_PX,
    TrackMasks,
    area_differs,
    box_differs,
    box_inside,
    is_area,
    measure_masks,
    outside_by,
)


def repair_track(annotation: Mapping, video: Mapping, log: RepairLog) -> Mapping | None:
    """The annotation with lists that fit together, None where it shows nothing at all.

    Masks that cannot be read stay as they are, with their boxes and areas, and so do lists of another length than the
    video: which frames are meant is not known.

    Args:
        annotation: of a sound video.
        video: its record.
        log: takes the repairs.
    """
    length, masks = len(video["file_names"]), annotation.get("segmentations")

    def done(field: str, text: str, count: int = 1) -> None:
        if count:
            log.add(field, text.format(frames=f"{count} frame{'s' if count > 1 else ''}"), video=video["id"],
                    annotation=annotation["id"])

    wrong = {key: video[key] for key in ("height", "width") if key in annotation and annotation[key] != video[key]}
    for key in wrong:
        done(key, f"became {video[key]}, as of the video")
    annotation = {**annotation, **wrong}
    if isinstance(masks, list) and len(masks) > length and not any(masks[length:]):
        done("segmentations", f"{len(masks) - length} empty entries beyond the last frame dropped")
        masks = masks[:length]
    if not isinstance(masks, list) or len(masks) != length:
        return annotation
    boxes = annotation.get("bboxes")
    whole = isinstance(boxes, list) and len(boxes) == length
    rewritten = [repair_mask(mask, video, boxes[t] if whole else None) for t, mask in enumerate(masks)]
    done("segmentations", "form corrected in {frames}", sum(a is not b for a, b in zip(masks, rewritten)))
    broken = {t for t, mask in enumerate(rewritten) if mask_problem(mask, video)}
    measured = measure_masks([None if t in broken else mask for t, mask in enumerate(rewritten)], video)
    broken |= measured.far
    masks = [mask if t in broken else _inside(t, mask, measured, video) for t, mask in enumerate(rewritten)]
    done("segmentations", "polygon drawn as RLE inside the frame in {frames}",
         sum(isinstance(a, list) and isinstance(b, Mapping) for a, b in zip(rewritten, masks)))
    done("segmentations", "mask without a pixel became null in {frames}",
         sum(bool(a) and b is None for a, b in zip(rewritten, masks)))
    boxed = any(boxes) if isinstance(boxes, list) else False
    if not any(masks) and not boxed:
        done("annotation", "dropped, the object is absent in every frame")
        return None
    if not any(masks):
        return annotation  # boxes alone: masks are wanted, not their loss
    return {**annotation, "segmentations": masks, "bboxes": _boxes(annotation, masks, broken, measured, video, done),
            "areas": _areas(annotation, masks, broken, measured, done)}


def _inside(t: int, mask: object, measured: TrackMasks, video: Mapping) -> object:
    if not mask or not measured.areas[t]:
        return None
    if isinstance(mask, list) and outside_by(mask, video) > OUTSIDE_TOLERANCE_PX:
        return text_rle(measured.rles[t])
    return mask


def _boxes(annotation: Mapping, masks: list, broken: set, measured: TrackMasks, video: Mapping, done) -> list:
    given = annotation.get("bboxes")
    is_list = isinstance(given, list) and len(given) == len(masks)
    boxes = list(given) if is_list else [None] * len(masks)
    written, dropped = 0, 0
    for t, mask in enumerate(masks):
        if t in broken:
            continue
        x1, y1, x2, y2 = tight = measured.boxes[t].tolist()
        if not mask:
            dropped += bool(boxes[t])
            boxes[t] = None
        elif not boxes[t] or box_problem(boxes[t]) or not box_inside(boxes[t], video) or box_differs(boxes[t], tight):
            boxes[t] = [x1, y1, x2 - x1, y2 - y1]
            written += 1
    done("bboxes", "written after the masks in {frames}", written)
    done("bboxes", "dropped in {frames} without a mask", dropped)
    return boxes


def _areas(annotation: Mapping, masks: list, broken: set, measured: TrackMasks, done) -> list:
    given = annotation.get("areas")
    is_list = isinstance(given, list) and len(given) == len(masks)
    areas = list(given) if is_list else [None] * len(masks)
    written = 0
    for t, mask in enumerate(masks):
        if t in broken:
            continue
        pixels, tight = measured.areas[t] if mask else 0, measured.boxes[t].tolist()
        if is_area(areas[t]) and bool(areas[t]) == bool(mask) and not area_differs(areas[t] or 0, mask, pixels, tight):
            continue
        areas[t] = pixels if mask else None
        written += 1
    done("areas", "written after the masks in {frames}", written)
    return areas
