"""Registers a video data set of one's own, or one restricted to some of its classes, in one call."""

from collections.abc import Mapping, Sequence
from functools import partial

from detectron2.data import DatasetCatalog, MetadataCatalog

from vis_projects.data.class_map import class_index_map, remap_classes
from vis_projects.data.ytvis_json import load_ytvis_json

COPIED_METADATA = ("evaluator_type", "json_file", "image_root", "how_to_get")


def register_ytvis(name: str, json_file: str, image_root: str, *, metadata: Mapping | None = None) -> None:
    """Makes a YouTube-VIS json known to Detectron2 under a name.

    Nothing is read before `DatasetCatalog.get(name)`; then classes, their ids and the number of identities come from
    the json.

    Args:
        name: name for `DATASETS.TRAIN` and `DATASETS.TEST`, not registered before.
        json_file: path of the annotations.
        image_root: folder that `file_names` are relative to.
        metadata: further entries for `MetadataCatalog.get(name)`.
    """
    DatasetCatalog.register(name, partial(load_ytvis_json, json_file, image_root, name))
    MetadataCatalog.get(name).set(
        evaluator_type="ytvis", json_file=json_file, image_root=image_root, **(metadata or {})
    )


def register_class_subset(name: str, classes: Sequence[str]) -> str:
    """Registers a data set that holds only some classes of another, renumbered in the given order.

    The json stays the same; annotations of other classes are dropped, and the id map of the new name lists only the
    given classes, so that an evaluator that reads it scores these only.

    Returns:
        the new name, `<name>@<class>+<class>`; asking twice registers once.
    """
    subset = f"{name}@{'+'.join(classes)}"
    if subset not in DatasetCatalog.list():
        DatasetCatalog.register(subset, partial(_load_subset, name, tuple(classes), subset))
        source = MetadataCatalog.get(name)
        MetadataCatalog.get(subset).set(
            **{key: source.get(key) for key in COPIED_METADATA if source.get(key, None) is not None}
        )
    return subset


def _load_subset(name: str, classes: tuple[str, ...], subset: str) -> list[dict]:
    records, source = DatasetCatalog.get(name), MetadataCatalog.get(name)
    index_map = class_index_map(source.thing_classes, classes, dataset_name=name, require_all=True)
    MetadataCatalog.get(subset).set(
        thing_classes=list(classes),
        thing_dataset_id_to_contiguous_id={
            json_id: index_map[old] for json_id, old in source.thing_dataset_id_to_contiguous_id.items()
            if index_map[old] >= 0
        },
    )
    return remap_classes(records, index_map)
