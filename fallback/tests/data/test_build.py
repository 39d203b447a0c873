"""Records of several data sets, and loaders."""

import pickle
from itertools import islice

import numpy as np
import pytest
import torch
from detectron2.config import get_cfg
from detectron2.data import (
    DatasetCatalog,
    DatasetFromList,
    MetadataCatalog,
    build_batch_data_loader,
    build_detection_test_loader,
    build_detection_train_loader,
    get_detection_dataset_dicts,
)
from detectron2.data.build import (
    filter_images_with_few_keypoints,
    filter_images_with_only_crowd_annotations,
    load_proposals_into_dataset,
    print_instances_class_histogram,
    trivial_batch_collator,
    worker_init_reset_seed,
)
from detectron2.data.samplers import InferenceSampler, TrainingSampler
from torch.utils.data import IterableDataset

ITEMS = [{"id": i, "width": 2 if i % 2 else 1, "height": 1} for i in range(10)]


def thing(category, crowd=0):
    return {"category_id": category, "iscrowd": crowd}


@pytest.fixture(scope="module", autouse=True)
def data_sets():
    records = [
        {"file_name": "both", "annotations": [thing(0), thing(1, crowd=1)]},
        {"file_name": "crowd", "annotations": [thing(1, crowd=1)]},
        {"file_name": "none", "annotations": []},
    ]
    contents = {
        "build_a": (records, ["x", "y"]),
        "build_b": (records[:1], ["x", "y"]),
        "build_c": (records, ["x", "z"]),
    }
    contents |= {
        "build_empty": ([], None),
        "build_crowd": (records[1:2], None),
        "build_torch": (DatasetFromList(ITEMS), None),
    }
    for name, (loaded, classes) in contents.items():
        DatasetCatalog.register(name, lambda loaded=loaded: loaded)
        if classes:
            MetadataCatalog.get(name).thing_classes = classes
    yield
    for name in contents:
        DatasetCatalog.remove(name)
        MetadataCatalog.pop(name, None)


def ids(loader, count):
    return [[item["id"] for item in batch] for batch in islice(iter(loader), count)]


def names(records):
    return [record["file_name"] for record in records]


def test_records_are_chained_and_filtered():
    assert names(get_detection_dataset_dicts("build_a")) == ["both"]
    assert names(get_detection_dataset_dicts(["build_a", "build_b"], filter_empty=False)) == [
        "both",
        "crowd",
        "none",
        "both",
    ]
    assert len(get_detection_dataset_dicts("build_torch")) == 10


@pytest.mark.parametrize(
    "wanted, error",
    [
        ([], AssertionError),
        (["build_unknown"], KeyError),
        (["build_empty"], AssertionError),
        (["build_crowd"], AssertionError),
        (["build_a", "build_c"], ValueError),
    ],
)
def test_faulty_choices(wanted, error):
    with pytest.raises(error):
        get_detection_dataset_dicts(wanted)


def test_filters():
    records = [
        {"file_name": "a", "annotations": [thing(0, 1)]},
        {"file_name": "b", "annotations": [{"category_id": 0}]},
    ]
    assert names(filter_images_with_only_crowd_annotations(records)) == ["b"]
    visible = {"file_name": "v", "annotations": [{"keypoints": [1, 1, 2, 1, 1, 0]}, {"keypoints": [1, 1, 1]}]}
    assert filter_images_with_few_keypoints([visible], 2) == [visible]
    assert filter_images_with_few_keypoints([visible], 3) == []


def test_histogram_refuses_unknown_classes():
    assert print_instances_class_histogram([{"annotations": [thing(0), thing(1)]}], ["x", "y"]) is None
    with pytest.raises(AssertionError):
        print_instances_class_histogram([{"annotations": [thing(2)]}], ["x", "y"])


def test_proposals_are_added_best_first(tmp_path):
    content = {"ids": ["7"], "boxes": [np.arange(8.0).reshape(2, 4)], "objectness_logits": [np.array([1.0, 5.0])]}
    (tmp_path / "proposals.pkl").write_bytes(pickle.dumps({**content, "bbox_mode": 0}))
    (record,) = load_proposals_into_dataset([{"image_id": 7}], str(tmp_path / "proposals.pkl"))
    assert record["proposal_objectness_logits"].tolist() == [5, 1]
    assert record["proposal_boxes"][0].tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("workers", [0, 2])
def test_order_does_not_depend_on_the_workers(workers):
    loader = build_batch_data_loader(DatasetFromList(ITEMS), TrainingSampler(10, seed=3), 4, num_workers=workers)
    generator = torch.Generator().manual_seed(3)
    order = torch.randperm(10, generator=generator).tolist() + torch.randperm(10, generator=generator).tolist()
    assert ids(loader, 5) == [order[i : i + 4] for i in range(0, 20, 4)]


def test_batches_by_orientation():
    loader = build_batch_data_loader(DatasetFromList(ITEMS), InferenceSampler(10), 2, aspect_ratio_grouping=True)
    assert ids(loader, 9) == [[0, 2], [1, 3], [4, 6], [5, 7]]
    counted = build_batch_data_loader(
        DatasetFromList(ITEMS), InferenceSampler(10), 2, aspect_ratio_grouping=True, collate_fn=len
    )
    assert list(counted) == [2, 2, 2, 2]


def test_batch_sizes():
    for wrong in (0, -2):
        with pytest.raises(AssertionError):
            build_batch_data_loader(ITEMS, InferenceSampler(10), wrong)
    with pytest.raises(ValueError):
        build_batch_data_loader(ITEMS, InferenceSampler(10), 2, single_gpu_batch_size=2)
    single = build_batch_data_loader(ITEMS, InferenceSampler(10), None, single_gpu_batch_size=5)
    assert ids(single, 9) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    rest = build_batch_data_loader(ITEMS, InferenceSampler(10), 4, drop_last=False)
    assert [len(batch) for batch in rest] == [4, 4, 2]


def test_streams_take_no_sampler():
    class Stream(IterableDataset):
        def __iter__(self):
            yield from ITEMS

    loader = build_detection_train_loader(Stream(), mapper=None, total_batch_size=5, aspect_ratio_grouping=False)
    assert ids(loader, 2) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    with pytest.raises(AssertionError):
        build_detection_train_loader(Stream(), mapper=None, total_batch_size=5, sampler=InferenceSampler(3))


def test_train_loader_shuffles_without_end():
    np.random.seed(0)
    loader = build_detection_train_loader(
        ITEMS, mapper=lambda item: {**item, "id": -item["id"]}, total_batch_size=5, aspect_ratio_grouping=False
    )
    seen = ids(loader, 4)
    assert sorted(seen[0] + seen[1]) == list(range(-9, 1)) == sorted(seen[2] + seen[3])
    with pytest.raises(AssertionError):
        build_detection_train_loader(ITEMS, mapper=None, total_batch_size=5, sampler=[1, 2])


def test_test_loader_gives_each_record_once():
    loader = build_detection_test_loader(ITEMS, mapper=None)
    assert len(loader) == 10 and ids(loader, 99) == [[i] for i in range(10)]
    assert [len(b) for b in build_detection_test_loader(ITEMS, mapper=None, batch_size=4, num_workers=1)] == [4, 4, 2]


def test_loaders_from_a_config():
    cfg = get_cfg()
    cfg.DATASETS.TRAIN, cfg.DATALOADER.NUM_WORKERS, cfg.SOLVER.IMS_PER_BATCH = ("build_a",), 0, 2
    cfg.DATALOADER.ASPECT_RATIO_GROUPING = False
    (batch,) = islice(build_detection_train_loader(cfg, mapper=lambda record: record["file_name"]), 1)
    assert batch == ["both", "both"]
    tested = build_detection_test_loader(cfg, "build_a", mapper=lambda record: record["file_name"])
    assert list(tested) == [["both"], ["crowd"], ["none"]]
    cfg.DATALOADER.SAMPLER_TRAIN = "RepeatFactorTrainingSampler"
    cfg.DATALOADER.REPEAT_THRESHOLD = 0.5
    (batch,) = islice(build_detection_train_loader(cfg, mapper=lambda record: record["file_name"]), 1)
    assert batch == ["both", "both"]
    cfg.DATALOADER.SAMPLER_TRAIN = "other"
    with pytest.raises(ValueError):
        build_detection_train_loader(cfg)


def test_seed_of_a_config_decides_the_order():
    cfg = get_cfg()
    cfg.DATASETS.TRAIN, cfg.DATALOADER.NUM_WORKERS, cfg.SOLVER.IMS_PER_BATCH = ("build_torch",), 0, 10
    cfg.DATALOADER.ASPECT_RATIO_GROUPING, cfg.SEED = False, 11
    loader = build_detection_train_loader(cfg, mapper=lambda item: item)
    assert ids(loader, 1) == [torch.randperm(10, generator=torch.Generator().manual_seed(11)).tolist()]


def test_worker_seeds():
    torch.manual_seed(5)
    worker_init_reset_seed(2)
    first = (np.random.rand(), torch.rand(1).item())
    np.random.seed(7)  # 5 + 2
    torch.manual_seed(7)
    assert first == (np.random.rand(), torch.rand(1).item())
    assert trivial_batch_collator([1]) == [1]
