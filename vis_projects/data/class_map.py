"""Brings the classes of several data sets into one numbering, by name.

The numbering is that of `DATASETS.CLASS_SUBSET` where it is set, else that of the first training set. Other sets keep
the classes that they share with it; their other annotations are dropped.
"""

from collections.abc import Mapping, Sequence

from vis_projects.data.errors import DatasetError

# names of one thing in COCO, YouTube-VIS 2019, 2021 and OVIS; used only where the name itself is unknown
SYNONYMS = (("car", "sedan"), ("motorcycle", "motorbike"), ("airplane", "aeroplane"))


def class_index_map(
    source: Sequence[str],
    target: Sequence[str],
    *,
    dataset_name: str,
    require_all: bool = False,
) -> list[int]:
    """Target index for each source class, -1 where the target does not have it.

    Case, spaces, hyphens and underscores in names do not count.

    Args:
        source, target: class names.
        dataset_name: for the error.
        require_all: whether every target class must be in the source.

    Raises:
        DatasetError: if nothing is shared, or a target class is missing although all are required.
    """
    by_name = {_normal(name): index for index, name in enumerate(target)}
    index_map = [_find(_normal(name), by_name) for name in source]
    missing = [name for index, name in enumerate(target) if index not in index_map]
    if (require_all and missing) or all(index < 0 for index in index_map):
        raise DatasetError(
            f"data set {dataset_name!r} has no class named {missing}; it has {list(source)}. Remedy: correct "
            "DATASETS.CLASS_SUBSET, or train on sets that share classes."
        )
    return index_map


def remap_classes(records: Sequence[Mapping], index_map: Sequence[int]) -> list[dict]:
    """Copies of video or image records with renumbered classes, without annotations whose class maps to -1."""
    if list(index_map) == list(range(len(index_map))):
        return list(records)

    def kept(annotations: list[dict]) -> list[dict]:
        return [
            {**annotation, "category_id": index_map[annotation["category_id"]]}
            for annotation in annotations
            if index_map[annotation["category_id"]] >= 0
        ]

    remapped = []
    for record in records:
        if "annotations" in record:
            per_frame = "file_names" in record
            annotations = record["annotations"]
            record = {**record, "annotations": [kept(a) for a in annotations] if per_frame else kept(annotations)}
        remapped.append(dict(record))
    return remapped


def _normal(name: str) -> str:
    return name.lower().replace("_", " ").replace("-", " ").strip()


def _find(name: str, by_name: Mapping[str, int]) -> int:
    if name in by_name:
        return by_name[name]
    for group in SYNONYMS:
        if name in group:
            return next((by_name[other] for other in group if other in by_name), -1)
    return -1
