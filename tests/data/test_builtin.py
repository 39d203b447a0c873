"""Built-in splits: their names, and what a missing one says."""

import os

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog

from vis_projects.data.builtin import builtin_splits, register_builtin_splits

NAMES = {f"{family}_{split}" for split in ("train", "val", "test")
         for family in ("ytvis_2019", "ytvis_2021", "ovis", "synthvis_tiny", "synthvis_small", "synthvis_full")}
NAMES |= {f"{family}_{half}_ref" for half in ("train", "val") for family in ("ytvis_2019", "ytvis_2021", "ovis")}


def test_all_splits_are_registered_as_video_sets():
    assert set(builtin_splits("x")) == NAMES
    assert NAMES <= set(DatasetCatalog.list())
    assert {MetadataCatalog.get(name).evaluator_type for name in NAMES} == {"ytvis"}


def test_paths_lie_under_the_root():
    splits = builtin_splits(os.path.join("some", "root"))
    root = os.path.join("some", "root", "")
    assert splits["ytvis_2019_val"][:2] == (f"{root}ytvis_2019/valid.json", f"{root}ytvis_2019/valid/JPEGImages")
    assert splits["synthvis_tiny_train"][0].endswith("synthvis/tiny/train/instances.json")
    assert splits["ovis_train"][0].endswith("ovis/annotations_train.json")
    assert splits["ytvis_2021_val_ref"][:2] == (f"{root}ytvis_2021/reference/val.json", splits["ytvis_2021_train"][1])


def test_registering_again_leaves_names_alone():
    before = MetadataCatalog.get("ytvis_2019_val").json_file
    register_builtin_splits("elsewhere")
    assert MetadataCatalog.get("ytvis_2019_val").json_file == before


@pytest.mark.parametrize(("name", "word"), [("ytvis_2021_val", "youtube-vos.org"), ("synthvis_tiny_val", "vis synth")])
def test_a_missing_split_says_where_it_should_be_and_how_to_get_it(name, word):
    if os.path.exists(MetadataCatalog.get(name).json_file):
        assert MetadataCatalog.get(name).json_file.endswith("instances.json")
        return
    with pytest.raises(FileNotFoundError, match=f"{name}.*instances.json.*{word}.*DETECTRON2_DATASETS"):
        DatasetCatalog.get(name)


def test_coco_is_registered_as_an_image_set():
    for split in ("train", "val"):
        metadata = MetadataCatalog.get(f"coco_2017_{split}")
        assert metadata.evaluator_type == "coco"
        assert metadata.json_file.endswith(f"coco/annotations/instances_{split}2017.json")
        assert metadata.image_root.endswith(f"coco/{split}2017")
