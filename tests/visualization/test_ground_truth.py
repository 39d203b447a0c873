import numpy as np

from vis_projects.layers import rle_decode, rle_encode
from vis_projects.visualization import truth_results

RECORD = {"video_id": 4, "height": 6, "width": 8, "length": 2}


def test_without_annotations():
    for record in (RECORD, {**RECORD, "annotations": [[], []]}):
        found = truth_results(record)
        assert (found.video_id, found.height, found.width, found.length, found.tracks) == (4, 6, 8, 2, [])


def test_all_notations():
    dense = np.zeros((6, 8), bool)
    dense[1:3, 2:5] = True
    rle = rle_encode(dense[None])[0]
    plain = {"size": [6, 8], "counts": [13, 2, 4, 2, 4, 2, 21]}
    polygon = [[2, 1, 5, 1, 5, 3, 2, 3]]
    annotations = [
        [{"id": 8, "category_id": 1, "segmentation": rle}, {"id": 3, "category_id": 0, "segmentation": plain}],
        [{"id": 3, "category_id": 0, "segmentation": polygon}],
    ]
    found = truth_results({**RECORD, "annotations": annotations})
    assert [(t.track_id, t.category_id, t.score, list(t.segmentations)) for t in found.tracks] == [
        (3, 0, 1.0, [0, 1]), (8, 1, 1.0, [0])
    ]
    for track in found.tracks:
        for t, mask in track.segmentations.items():
            np.testing.assert_array_equal(rle_decode([mask])[0].numpy(), dense)
            assert track.boxes[t] == (2, 1, 5, 3)
