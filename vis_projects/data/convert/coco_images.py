"""COCO json of single images: each image becomes a video of one frame. Reader."""

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.coco_file import annotation_rle, load_coco, note_unread_fields
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.faults import is_int


def read_coco_images(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict; ids of images become ids of videos, ids of categories and annotations are kept.

    Raises:
        FileNotFoundError: the file is not there.
        DatasetError: a fault of the file.
    """
    coco = load_coco(source)
    builder = YtvisBuilder("COCO images", notes)
    for image in coco.images.values():
        builder.add_video([image["file_name"]], image["height"], image["width"], video_id=image["id"])
    for index in options.progress(range(len(coco.annotations)), "COCO images"):
        annotation = coco.annotations[index]
        own = annotation.get("id")
        own_id = own if is_int(own) and own > 0 else None
        builder.add_mask(annotation["image_id"], index, 0, annotation_rle(coco, index, options),
                         annotation["category_id"], crowd=bool(annotation.get("iscrowd", 0)), own_id=own_id)
    note_unread_fields(coco, notes)
    if options.images:
        notes.image_root = options.images
    return {**builder.build(coco.categories.records), "info": dict(coco.info)}
