"""One numbering of all annotated objects of the training sets, for models that learn to tell them apart."""

from collections.abc import Mapping, Sequence

from vis_projects.data.pseudo_video import is_image_record

NO_IDENTITY = -1  # objects of still images, which have no identity over time


def number_identities(sources: Sequence[Sequence[Mapping]]) -> list[list[dict]]:
    """Copies of the records whose annotations carry `identity`.

    Annotation ids of a json may have gaps and repeat between sets; identities do neither: they run from 0 over the
    objects of the first set in ascending id, then on over those of the next one.

    Args:
        sources: lists of video or image records. Objects of image records get -1.
    """
    numbered, first = [], 0
    for records in sources:
        ids = sorted({a["id"] for r in records if not is_image_record(r) for frame in r["annotations"] for a in frame})
        index = {annotation_id: first + k for k, annotation_id in enumerate(ids)}
        first += len(ids)
        numbered.append([_numbered(record, index) for record in records])
    return numbered


def _numbered(record: Mapping, index: Mapping[int, int]) -> dict:
    if is_image_record(record):
        annotations = [{**a, "identity": NO_IDENTITY} for a in record["annotations"]]
    else:
        annotations = [[{**a, "identity": index[a["id"]]} for a in frame] for frame in record["annotations"]]
    return {**record, "annotations": annotations}
