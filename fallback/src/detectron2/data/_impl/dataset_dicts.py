"""Records of registered data sets: loading, filtering, adding proposals, and a table of the classes in them."""

import itertools
import logging
import pickle

import numpy as np
import torch.utils.data as torchdata
from tabulate import tabulate
from termcolor import colored

from detectron2.data.catalog import DatasetCatalog, MetadataCatalog
from detectron2.data.detection_utils import check_metadata_consistency
from detectron2.structures import BoxMode
from detectron2.utils.file_io import PathManager
from detectron2.utils.logger import log_first_n

logger = logging.getLogger("detectron2.data.build")


def get_detection_dataset_dicts(names, filter_empty=True, min_keypoints=0, proposal_files=None, check_consistency=True):
    """Load the records of one or several registered data sets.

    Args:
        names: a name or several.
        filter_empty: leave out images without any annotation that is not a crowd.
        min_keypoints: leave out images with fewer visible keypoints.
        proposal_files: files of precomputed proposals, one a data set.
        check_consistency: check that the classes agree, and log how often each occurs.

    Returns:
        list of records; for a registered torch data set this itself (several are chained).

    Raises:
        KeyError: unknown name.
        AssertionError: no name, an empty data set, nothing left, or another number of proposal files.
        ValueError: the classes differ.
    """
    names = [names] if isinstance(names, str) else names
    assert len(names), "no data set is named; set DATASETS.TRAIN or DATASETS.TEST"
    loaded = [DatasetCatalog.get(name) for name in names]
    if isinstance(loaded[0], torchdata.Dataset):
        return loaded[0] if len(loaded) == 1 else torchdata.ConcatDataset(loaded)
    for name, records in zip(names, loaded):
        assert len(records), f"data set {name!r} is empty"
    if proposal_files is not None:
        assert len(names) == len(
            proposal_files
        ), f"{len(names)} data sets need as many proposal files, there are {len(proposal_files)}"
        loaded = [load_proposals_into_dataset(*pair) for pair in zip(loaded, proposal_files)]
    records = list(itertools.chain.from_iterable(loaded))
    if "annotations" in records[0]:
        records = _filter_and_report(records, names, filter_empty, min_keypoints, check_consistency)
    assert len(records), f"nothing is left of the data sets {', '.join(names)}"
    return records


def _filter_and_report(records, names, filter_empty, min_keypoints, check_consistency):
    if filter_empty:
        records = filter_images_with_only_crowd_annotations(records)
    if min_keypoints > 0:
        records = filter_images_with_few_keypoints(records, min_keypoints)
    if check_consistency:
        metadata = [MetadataCatalog.get(name) for name in names]
        # Data sets without class names, such as proposals only, cannot be compared.
        if all(hasattr(each, "thing_classes") for each in metadata):
            check_metadata_consistency("thing_classes", names)
            print_instances_class_histogram(records, metadata[0].thing_classes)
    return records


def filter_images_with_only_crowd_annotations(dataset_dicts):
    """Return the records with at least one annotation that is not a crowd."""
    kept = [record for record in dataset_dicts if any(anno.get("iscrowd", 0) == 0 for anno in record["annotations"])]
    logger.info(
        "%d images without usable annotations are left out, %d stay.", len(dataset_dicts) - len(kept), len(kept)
    )
    return kept


def filter_images_with_few_keypoints(dataset_dicts, min_keypoints_per_image):
    """Return the records with at least this many visible keypoints in all their annotations."""

    def visible(record):
        # Every third number is a visibility.
        return sum(
            int((np.asarray(anno["keypoints"][2::3]) > 0).sum())
            for anno in record["annotations"]
            if "keypoints" in anno
        )

    kept = [record for record in dataset_dicts if visible(record) >= min_keypoints_per_image]
    logger.info("%d images with too few keypoints are left out.", len(dataset_dicts) - len(kept))
    return kept


def load_proposals_into_dataset(dataset_dicts, proposal_file):
    """Add precomputed proposals to records, in place.

    Args:
        dataset_dicts: records with "image_id".
        proposal_file: pickle of a dict with "ids" (or "indexes"), "boxes" and "objectness_logits" (or "scores"),
            a list each, and "bbox_mode" (XYXY_ABS if missing).

    Returns:
        the records with "proposal_boxes", "proposal_objectness_logits" (best first) and "proposal_bbox_mode".
    """
    logger.info("Loading proposals from %s", proposal_file)
    with PathManager.open(proposal_file, "rb") as file:
        proposals = pickle.load(file, encoding="latin1")
    for old, new in (("indexes", "ids"), ("scores", "objectness_logits")):
        if old in proposals:
            proposals[new] = proposals.pop(old)
    wanted = {str(record["image_id"]) for record in dataset_dicts}
    place_of = {str(key): i for i, key in enumerate(proposals["ids"]) if str(key) in wanted}
    mode = BoxMode(proposals["bbox_mode"]) if "bbox_mode" in proposals else BoxMode.XYXY_ABS
    for record in dataset_dicts:
        place = place_of[str(record["image_id"])]
        logits = proposals["objectness_logits"][place]
        best_first = logits.argsort()[::-1]
        record["proposal_boxes"] = proposals["boxes"][place][best_first]
        record["proposal_objectness_logits"] = logits[best_first]
        record["proposal_bbox_mode"] = mode
    return dataset_dicts


def print_instances_class_histogram(dataset_dicts, class_names):
    """Log how many objects of each class there are, crowds left out.

    Args:
        dataset_dicts: records with "annotations".
        class_names: names by contiguous class number.

    Raises:
        AssertionError: a class number outside the names.
    """
    counts = np.zeros(len(class_names), dtype=int)
    for record in dataset_dicts:
        for anno in record["annotations"]:
            if anno.get("iscrowd", 0):
                continue
            category = int(anno["category_id"])
            assert 0 <= category < len(class_names), (
                f"class number {category} in {record.get('file_name', 'a record')!r} is not below {len(class_names)}, "
                "the number of classes"
            )
            counts[category] += 1
    if not len(class_names):
        return
    columns = min(6, 2 * len(class_names))
    # Long names would make the table wider than a screen.
    cells = [cell for name, count in zip(class_names, counts) for cell in (_shortened(name), int(count))]
    if len(class_names) > 1:
        cells += [None] * (-len(cells) % columns) + ["total", int(counts.sum())]
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    table = tabulate(
        rows, headers=["category", "#instances"] * (columns // 2), tablefmt="pipe", numalign="left", stralign="center"
    )
    log_first_n(
        logging.INFO,
        f"Objects of the {len(class_names)} classes:\n" + colored(table, "cyan"),
        key="message",
        name="detectron2.data.build",
    )


def _shortened(name: str) -> str:
    return name if len(name) <= 13 else name[:11] + ".."
