"""Tables of the classes of well-known data sets; the subset has none of them, only their names."""

from detectron2._impl.placeholders import placeholder_getattr

__getattr__ = placeholder_getattr(
    __name__,
    (
        "ADE20K_SEM_SEG_CATEGORIES",
        "CITYSCAPES_CATEGORIES",
        "COCO_CATEGORIES",
        "COCO_PERSON_KEYPOINT_FLIP_MAP",
        "COCO_PERSON_KEYPOINT_NAMES",
        "KEYPOINT_CONNECTION_RULES",
    ),
)
