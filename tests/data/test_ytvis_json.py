"""load_ytvis_json: all mask kinds, absent entries, ids, missing ground truth, and errors before training."""

import uuid

import pytest
from detectron2.data import MetadataCatalog
from detectron2.structures import BoxMode

from tests.data.toy_json import edited, rle, small_json, write_json
from vis_projects.data.errors import DatasetError
from vis_projects.data.ytvis_json import load_ytvis_json


def load(folder, data=None, **options):
    return load_ytvis_json(write_json(folder, data), "/images", **options)


@pytest.mark.parametrize("value", [..., None], ids=["missing", "null"])
def test_a_json_without_ground_truth_has_no_annotations(tmp_path, value):
    videos = load(tmp_path, edited("annotations", value=value))
    assert len(videos) == 2
    assert all("annotations" not in video for video in videos)


def test_an_empty_list_means_frames_without_objects(tmp_path):
    videos = load(tmp_path, edited("annotations", value=[]))
    assert [video["annotations"] for video in videos] == [[[], [], []], [[]]]


def test_a_video_is_one_record(tmp_path):
    first, second = load(tmp_path)
    assert first["file_names"] == ["/images/a/0.jpg", "/images/a/1.jpg", "/images/a/2.jpg"]
    assert (first["height"], first["width"], first["length"], first["video_id"], first["fps"]) == (4, 6, 3, 3, 6.0)
    assert (second["length"], "fps" in second) == (1, False)


def test_annotations_are_sorted_by_frame_and_absent_objects_have_no_entry(tmp_path):
    first, second = load(tmp_path)
    assert [[a["id"] for a in frame] for frame in first["annotations"]] == [[11], [12], [11, 12]]
    # contiguous ids follow the sorted ids 7, 40, 1001
    assert [[a["category_id"] for a in frame] for frame in first["annotations"]] == [[0], [1], [0, 1]]
    assert second["annotations"][0][0]["category_id"] == 2
    entry = first["annotations"][0][0]
    assert entry["bbox"] == [1.0, 1.0, 2.0, 1.0] and entry["bbox_mode"] == BoxMode.XYWH_ABS
    assert entry["iscrowd"] == 0


def test_plain_counts_become_text_and_polygons_stay(tmp_path):
    first, second = load(tmp_path)
    assert first["annotations"][1][0]["segmentation"] == rle((0, 0))
    assert second["annotations"][0][0]["segmentation"] == [[1, 1, 4, 1, 4, 3, 1, 3]]


def test_missing_boxes_are_those_of_the_masks(tmp_path):
    polygon = load(tmp_path)[1]["annotations"][0][0]
    assert polygon["bbox"] == [1.0, 1.0, 3.0, 2.0]
    masks = load(tmp_path, edited("annotations", 0, "bboxes", value=...))[0]["annotations"]
    assert [frame[0]["bbox"] for frame in (masks[0], masks[2])] == [[1.0, 1.0, 2.0, 1.0], [5.0, 3.0, 1.0, 1.0]]


@pytest.mark.parametrize("box", [None, [], [1, 1, 0, 1], [1, 1, 2, 0.5]])
def test_an_entry_without_a_real_box_is_absent(tmp_path, box):
    videos = load(tmp_path, edited("annotations", 0, "bboxes", 0, value=box))
    assert videos[0]["annotations"][0] == []


def test_missing_length_is_the_number_of_files(tmp_path):
    assert load(tmp_path, edited("videos", 0, "length", value=...))[0]["length"] == 3


def test_crowd_is_kept_as_a_mark(tmp_path):
    assert load(tmp_path, edited("annotations", 0, "iscrowd", value=1))[0]["annotations"][0][0]["iscrowd"] == 1


def test_metadata_comes_from_the_json(tmp_path):
    name = f"toy_{uuid.uuid4()}"
    load(tmp_path, dataset_name=name)
    metadata = MetadataCatalog.get(name)
    assert metadata.thing_classes == ["cat", "dog", "bird"]
    assert metadata.thing_dataset_id_to_contiguous_id == {7: 0, 40: 1, 1001: 2}
    assert metadata.num_identities == 3


def test_a_broken_field_stops_with_file_place_value_and_remedy(tmp_path):
    data = edited("annotations", 0, "segmentations", 2, value=rle((0, 0), size=(5, 6)))
    with pytest.raises(DatasetError) as caught:
        load(tmp_path, data)
    for word in ("instances.json", "video 3", "annotation 11", "segmentations[2].size", "[5, 6]", "Remedy"):
        assert word in str(caught.value)


def test_a_file_that_is_no_json_names_itself(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{"videos": [')
    with pytest.raises(DatasetError, match="broken.json is not a json file"):
        load_ytvis_json(str(path), "/images")


def test_a_missing_file_names_path_split_and_how_to_get_it(tmp_path):
    name = f"toy_{uuid.uuid4()}"
    MetadataCatalog.get(name).how_to_get = "Ask the librarian."
    with pytest.raises(FileNotFoundError, match=f"{name}.*nowhere.json does not exist. Ask the librarian"):
        load_ytvis_json(str(tmp_path / "nowhere.json"), "/images", name)
    with pytest.raises(FileNotFoundError, match="nowhere.json"):
        load_ytvis_json(str(tmp_path / "nowhere.json"), "/images")


def test_loading_leaves_the_records_of_a_second_load_alone(tmp_path):
    assert load(tmp_path, small_json()) == load(tmp_path, small_json())
