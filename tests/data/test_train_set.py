"""load_train_set and count_train_items: several sets, class subsets, images beside videos, early errors."""

import json
import os

import pytest
from detectron2.data import MetadataCatalog

from tests.data.toy_cfg import register_toy, register_toy_images, toy_cfg
from vis_projects.data import count_train_items, load_train_set
from vis_projects.data.errors import DatasetError


def classes_of(dataset):
    return {a["category_id"] for i in range(len(dataset)) for frame in dataset[i]["annotations"]
            for a in (frame if isinstance(frame, list) else [frame])}


def test_no_training_set_is_an_error():
    with pytest.raises(ValueError, match="DATASETS.TRAIN is empty"):
        load_train_set(toy_cfg())


def test_items_are_the_annotated_frames(tmp_path):
    cfg = toy_cfg(register_toy(tmp_path, videos=2, frames=4))
    assert count_train_items(cfg) == 2 * 4
    cfg.INPUT.VIDEO.EPOCH_UNIT = "video"
    assert count_train_items(cfg) == 2


def test_a_set_is_read_once_until_its_file_changes(tmp_path):
    cfg = toy_cfg(register_toy(tmp_path, videos=1, frames=2))
    first = load_train_set(cfg)
    assert load_train_set(cfg) is first
    os.utime(MetadataCatalog.get(cfg.DATASETS.TRAIN[0]).json_file, ns=(1, 1))
    assert load_train_set(cfg) is not first


def test_a_class_subset_drops_other_frames_and_renumbers(tmp_path):
    cfg = toy_cfg(register_toy(tmp_path, videos=1, frames=4))
    cfg.DATASETS.CLASS_SUBSET = ("bar",)
    dataset = load_train_set(cfg)
    assert len(dataset) == 3  # the bar is absent in frame 0
    assert classes_of(dataset) == {0}


def test_an_unknown_class_of_the_subset_is_named(tmp_path):
    cfg = toy_cfg(register_toy(tmp_path))
    cfg.DATASETS.CLASS_SUBSET = ("unicorn",)
    with pytest.raises(DatasetError, match="unicorn"):
        load_train_set(cfg)


def test_images_join_videos_in_the_numbering_of_the_first_set(tmp_path):
    folders = [tmp_path / "v", tmp_path / "i"]
    for folder in folders:
        folder.mkdir()
    videos = register_toy(folders[0], videos=1, frames=2)
    images = register_toy_images(folders[1], categories=((5, "disc"), (6, "zebra")))
    dataset = load_train_set(toy_cfg(videos, images))
    assert dataset.set_sizes == [2, 3]
    # in the images disc is class 0, in the videos 1; zebra is no class of the videos
    assert {a["category_id"] for i in (2, 3, 4) for a in dataset[i]["annotations"]} == {1}


def test_a_missing_frame_folder_stops_at_once(tmp_path):
    name = register_toy(tmp_path, videos=1)
    os.rename(tmp_path / "JPEGImages" / "video0", tmp_path / "JPEGImages" / "elsewhere")
    with pytest.raises(DatasetError, match="video 1: the frame .*video0.*Remedy"):
        count_train_items(toy_cfg(name))


def test_a_set_without_annotations_is_named(tmp_path):
    name = register_toy(tmp_path)
    path = MetadataCatalog.get(name).json_file
    with open(path) as file:
        data = json.load(file)
    data["annotations"] = None
    with open(path, "w") as file:
        json.dump(data, file)
    with pytest.raises(DatasetError, match=f"{name} of DATASETS.TRAIN has no annotations"):
        load_train_set(toy_cfg(name))
