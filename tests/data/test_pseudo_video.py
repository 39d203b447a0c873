"""RandomAffine draws within its ranges; image records become one-frame videos with ids."""

import numpy as np
import pytest
from detectron2.structures import BoxMode

from vis_projects.data.pseudo_video import RandomAffine, image_as_video, is_image_record


def rng(seed=0):
    return np.random.default_rng(seed)


def test_zero_ranges_give_the_identity():
    view = RandomAffine(0, 0, 0, (1, 1)).draw(20, 30, rng())
    assert view.matrix == pytest.approx(np.eye(2, 3))


def test_draws_stay_in_their_ranges():
    for seed in range(60):
        matrix = RandomAffine(15, 0.1, 10, (0.8, 1.2)).draw(20, 30, rng(seed)).matrix
        linear = matrix[:, :2]
        # shear along x leaves the first column a rotated, scaled unit vector and the determinant scale^2
        scale = np.sqrt(np.linalg.det(linear))
        assert 0.8 <= scale <= 1.2
        assert abs(np.rad2deg(np.arctan2(linear[1, 0], linear[0, 0]))) <= 15 + 1e-9
        center = np.array([15.0, 10.0])
        shift = linear @ center + matrix[:, 2] - center
        assert abs(shift[0]) <= 3 + 1e-9 and abs(shift[1]) <= 2 + 1e-9


def test_same_seed_same_view():
    draw = RandomAffine(15, 0.1, 10, (0.8, 1.2)).draw
    assert np.array_equal(draw(20, 30, rng(4)).matrix, draw(20, 30, rng(4)).matrix)
    assert not np.array_equal(draw(20, 30, rng(4)).matrix, draw(20, 30, rng(5)).matrix)


def test_records_are_told_apart_by_their_fields():
    assert is_image_record({"file_name": "a.jpg"})
    assert not is_image_record({"file_names": ["a.jpg"]})


def test_an_image_is_a_video_of_one_frame():
    base = {"bbox": [0, 0, 2, 2], "bbox_mode": BoxMode.XYWH_ABS, "category_id": 0}
    masked = {**base, "segmentation": [[0, 0, 2, 0, 2, 2]]}
    record = {"file_name": "a.jpg", "image_id": 9, "height": 4, "width": 6,
              "annotations": [masked, base, {**masked, "id": 70}]}
    video = image_as_video(record)
    assert (video["file_names"], video["length"], video["video_id"]) == (["a.jpg"], 1, 9)
    # numbered by place, an id of its own is kept, the box without a mask is left out
    assert [annotation["id"] for annotation in video["annotations"][0]] == [0, 70]
    assert "id" not in record["annotations"][0]


def test_an_image_without_annotations_stays_without():
    assert "annotations" not in image_as_video({"file_name": "a.jpg", "height": 4, "width": 6})
