"""KeyFrameDataset: an epoch is each annotated frame once; videos are kept once."""

import pytest

from vis_projects.data.errors import DatasetError
from vis_projects.data.key_frames import KeyFrameDataset

OBJECT = {"id": 1, "iscrowd": 0}
CROWD = {"id": 2, "iscrowd": 1}


def video(video_id, *frames, size=(4, 6)):
    return {"video_id": video_id, "file_names": [f"{t}.jpg" for t in range(len(frames))], "length": len(frames),
            "height": size[0], "width": size[1], "annotations": list(frames)}


def image(image_id, *annotations):
    return {"image_id": image_id, "file_name": "x.jpg", "height": 6, "width": 4, "annotations": list(annotations)}


@pytest.mark.parametrize("sources", [[], [[]], [[video(1, [], [CROWD])]], [[image(1)]]])
def test_no_object_at_all_is_an_error(sources):
    with pytest.raises(DatasetError, match="DATASETS.TRAIN"):
        KeyFrameDataset(sources)


def test_each_frame_with_an_object_is_one_item():
    dataset = KeyFrameDataset([[video(1, [OBJECT], [], [CROWD], [OBJECT, CROWD]), video(2, []), video(3, [OBJECT])]])
    items = [dataset[i] for i in range(len(dataset))]
    assert [(item["video_id"], item["key_frame"]) for item in items] == [(1, 0), (1, 3), (3, 0)]
    assert items[0]["annotations"] == items[1]["annotations"]


def test_images_are_items_without_a_key_frame():
    dataset = KeyFrameDataset([[video(1, [OBJECT])], [image(7, OBJECT), image(8)]])
    assert dataset.set_sizes == [1, 1] and len(dataset) == 2
    assert dataset[1]["image_id"] == 7 and "key_frame" not in dataset[1]
    assert dataset.wide.tolist() == [True, False]


def test_empty_frames_count_on_request():
    assert len(KeyFrameDataset([[video(1, [], [OBJECT]), video(2, [])]], keep_empty=True)) == 3


def test_the_seed_travels_with_the_item():
    dataset = KeyFrameDataset([[video(1, [OBJECT])]])
    assert dataset[(0, (7, 12))]["rng_seed"] == [7, 12]
    assert "rng_seed" not in dataset[0]


def test_one_item_per_video_draws_its_key_frame():
    dataset = KeyFrameDataset([[video(1, [OBJECT], [], [OBJECT]), video(2, [OBJECT])]], epoch_unit="video")
    assert len(dataset) == 2
    keys = [dataset[(0, (7, draw))]["key_frame"] for draw in range(40)]
    assert set(keys) == {0, 2}
    assert keys == [dataset[(0, (7, draw))]["key_frame"] for draw in range(40)]


def test_unknown_units_and_missing_annotations_are_named():
    with pytest.raises(ValueError, match="INPUT.VIDEO.EPOCH_UNIT"):
        KeyFrameDataset([[video(1, [OBJECT])]], epoch_unit="second")
    unlabelled = {key: value for key, value in video(9, []).items() if key != "annotations"}
    with pytest.raises(DatasetError, match="9 has no annotations"):
        KeyFrameDataset([[unlabelled]])


def test_changing_an_item_leaves_the_dataset_alone():
    dataset = KeyFrameDataset([[video(1, [OBJECT])]])
    dataset[0]["annotations"][0].clear()
    assert dataset[0]["annotations"] == [[OBJECT]]
