import numpy as np
import pytest

from tests.evaluation.worlds import bar, ground_truth, rle, truth
from vis_projects.evaluation.errors import EvaluationInputError
from vis_projects.evaluation.ground_truth import load_ground_truth


def test_ids_are_sorted_and_other_videos_and_categories_dropped():
    gt = ground_truth([truth(1, [bar(0, 2)], video=2), truth(2, [None], video=9), truth(3, [None], category=9)],
                      videos=2, categories=(5, 1))
    gt["videos"].reverse()
    loaded = load_ground_truth(gt)
    assert list(loaded.videos.items()) == [(1, (4, 10, 4)), (2, (4, 10, 4))]
    assert list(loaded.categories.items()) == [(1, "class1"), (5, "class5")]
    assert list(loaded.cells) == [(2, 1)]


def test_missing_crowd_flag_and_areas():
    item = truth(1, [bar(0, 2), None, bar(0, 4)])
    del item["iscrowd"], item["areas"]
    track = load_ground_truth(ground_truth([item])).cells[1, 1][0]
    assert not track.is_crowd
    assert track.mean_area == 3  # (2 + 4) / 2


def test_areas_come_from_the_json_and_skip_null_and_zero():
    item = truth(1, [bar(0, 2)] * 4, areas=[10, 0, None, 30])
    track = load_ground_truth(ground_truth([item])).cells[1, 1][0]
    assert track.mean_area == 20
    assert track.areas.tolist() == [2] * 4


def test_all_notations_of_a_mask_are_read_alike():
    # a polygon covers whole pixels here: columns 2, 3 and rows 1, 2
    dense = np.zeros((4, 10), bool)
    dense[1:3, 2:4] = True
    polygons = [[2, 1, 4, 1, 4, 3, 2, 3]]
    item = truth(1, [dense, dense, dense, None])
    item["segmentations"][1:] = [rle(dense), polygons, []]
    track = load_ground_truth(ground_truth([item])).cells[1, 1][0]
    assert track.areas.tolist() == [4, 4, 4, 0]
    assert track.shapes[0] == track.shapes[1] == track.shapes[2] and track.shapes[3] is None


BROKEN = {
    "no object": ([], "give a YouTube-VIS object"),
    "videos": ({"videos": None, "categories": []}, "videos is None"),
    "twice": ({"videos": [{"id": 1}, {"id": 1}], "categories": []}, "videos has an id twice"),
    "mixed": ({"videos": [], "categories": [{"id": 1}, {"id": "1"}]}, "categories mixes ids"),
    "size": ({"videos": [{"id": 1, "height": 4}], "categories": []}, r"video 1: height, width are \(4, None\)"),
}


@pytest.mark.parametrize("gt, message", BROKEN.values(), ids=BROKEN)
def test_broken_files_are_refused(gt, message):
    with pytest.raises(EvaluationInputError, match=message):
        load_ground_truth(gt)


BROKEN_ANNOTATIONS = {
    "text": ("x", r"annotations\[1\] is 'x'"),
    "no id": ({**truth(2, [None]), "id": None}, r"annotations\[1\]: id is None"),
    "used id": (truth(1, [None]), r"annotations\[1\]: id 1 is used twice"),
    "no masks": ({**truth(2, [None]), "segmentations": None}, r"annotations\[1\] \(id 2\).segmentations is None"),
    "areas": ({**truth(2, [None]), "areas": ["5"]}, r"areas is \['5'\]"),
}


@pytest.mark.parametrize("item, message", BROKEN_ANNOTATIONS.values(), ids=BROKEN_ANNOTATIONS)
def test_broken_annotations_are_refused(item, message):
    with pytest.raises(EvaluationInputError, match=message):
        load_ground_truth(ground_truth([truth(1, [None]), item]))
