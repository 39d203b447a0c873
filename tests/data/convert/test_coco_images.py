"""COCO images: each a video of one frame."""

import pytest

from tests.data.convert.worlds import picture, read, rle_of, save_json, shown
from vis_projects.data.convert.coco_images import read_coco_images
from vis_projects.data.errors import DatasetError


def coco():
    return {
        "images": [{"id": 42, "file_name": "a.jpg", "height": 2, "width": 4},
                   {"id": 7, "file_name": "b/c.jpg", "height": 3, "width": 3}],
        "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}],
        "annotations": [
            {"id": 900, "image_id": 42, "category_id": 18, "iscrowd": 0, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]]},
            {"id": 901, "image_id": 42, "category_id": 18, "iscrowd": 1,
             "segmentation": {"size": [2, 4], "counts": [6, 2]}},
            {"id": 902, "image_id": 42, "category_id": 18, "segmentation": rle_of(picture("1... ...."))}],
    }


def test_each_image_is_a_video(tmp_path):
    data, notes = read(read_coco_images, save_json(coco(), tmp_path / "c.json"), tmp_path, images="frames")
    assert [(v["id"], v["file_names"], v["height"], v["width"], v["length"]) for v in data["videos"]] == [
        (42, ["a.jpg"], 2, 4, 1), (7, ["b/c.jpg"], 3, 3, 1)]
    assert [(a["id"], a["video_id"], a["iscrowd"], *shown(a)) for a in data["annotations"]] == [
        (900, 42, 0, ".11. .11."), (901, 42, 1, "...1 ...1"), (902, 42, 0, "1... ....")]
    assert data["categories"] == [{"id": 18, "name": "dog", "supercategory": "animal"}]
    assert notes.image_root == "frames" and notes.lines() == []


def test_no_annotations_and_missing_ids(tmp_path):
    source = coco()
    del source["annotations"][0]["id"]
    data, _ = read(read_coco_images, save_json(source, tmp_path / "c.json"), tmp_path)
    assert [a["id"] for a in data["annotations"]] == [1, 2, 3]
    source["annotations"] = []
    assert read(read_coco_images, save_json(source, tmp_path / "c.json"), tmp_path)[0]["annotations"] == []


@pytest.mark.parametrize("boxes", [None, [1, 2], [0, 0, "4", 2]])
def test_neither_mask_nor_box(tmp_path, boxes):
    source = coco()
    source["annotations"][1].update(segmentation=[], bbox=boxes)
    with pytest.raises(DatasetError, match=r"c\.json: annotations\[1\]\.segmentation: is \[\], bbox .* Remedy: draw"):
        read(read_coco_images, save_json(source, tmp_path / "c.json"), tmp_path, boxes_as_masks=True)


def test_a_box_without_area(tmp_path):
    source = coco()
    source["annotations"][1].update(segmentation=[], bbox=[0, 0, 0, 2])
    with pytest.raises(DatasetError, match=r"annotations\[1\]\.bbox: has width 0 and height 2\. Remedy: write"):
        read(read_coco_images, save_json(source, tmp_path / "c.json"), tmp_path, boxes_as_masks=True)
