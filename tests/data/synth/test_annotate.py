import numpy as np
import pytest
from pycocotools import mask as coco_mask

from vis_projects.data.synth import CLASS_NAMES, SceneOptions, SynthVIS
from vis_projects.data.synth.annotate import VideoAnnotator, assemble, encode_mask, video_record
from vis_projects.data.synth.masks import FrameMasks, rasterise


def test_hand_made_rle():
    mask = np.array([[0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=bool)
    # Columns 000 110 100 001: runs 3 x 0, 2 x 1, 1 x 0, 1 x 1, 4 x 0, 1 x 1.
    assert encode_mask(mask, "list") == {"size": [3, 4], "counts": [3, 2, 1, 1, 4, 1]}
    assert encode_mask(~mask, "list") == {"size": [3, 4], "counts": [0, 3, 2, 1, 1, 4, 1]}
    assert np.array_equal(coco_mask.decode(encode_mask(mask)).astype(bool), mask)
    assert isinstance(encode_mask(mask)["counts"], str)


def make_annotator(owners, amodal=16, num_tracks=1, rle="compressed"):
    """An annotator fed with hand-made (T, H, W) owner maps."""
    options = SceneOptions(num_objects=num_tracks, length=len(owners), events={})
    scene = SynthVIS("tiny", "val", options=options).scene(0)
    annotator = VideoAnnotator(scene, rle)
    for time, owner in enumerate(owners):
        amodal_now = np.full(num_tracks, amodal, dtype=np.int64)
        annotator.add(time, FrameMasks(np.asarray(owner, dtype=np.int16), amodal_now, []))
    return annotator


def block(left):
    """An 8 x 8 map with a 4 x 4 block of track 1 whose first column is `left`."""
    owner = np.zeros((8, 8), dtype=np.int16)
    owner[2:6, left:left + 4] = 1
    return owner


def test_boxes_areas_visibility_and_speed():
    (record,) = make_annotator([block(0), block(1), block(4)], amodal=20).annotations(7)
    assert record["video_id"] == 7 and record["length"] == 3 and record["iscrowd"] == 0
    assert record["bboxes"] == [[0.0, 2.0, 4.0, 4.0], [1.0, 2.0, 4.0, 4.0], [4.0, 2.0, 4.0, 4.0]]
    assert record["areas"] == [16, 16, 16] and record["visibility"] == [0.8, 0.8, 0.8]  # 16 / 20
    attributes = record["attributes"]
    assert attributes["occ_mean"] == pytest.approx(0.2) and attributes["occ_level"] == "so"
    # Steps 1 and 3 over sqrt(16): 1/4 and 3/4; 90th percentile 1/4 + 0.9 * 1/2 = 0.7.
    assert attributes["speed"] == pytest.approx(0.7) and attributes["fast"] is True


def test_gaps_and_absent_frames():
    empty = np.zeros((8, 8), dtype=np.int16)
    (record,) = make_annotator([block(0), empty, block(0), empty, empty]).annotations(1)
    assert [s is not None for s in record["segmentations"]] == [True, False, True, False, False]
    assert record["areas"] == [16, None, 16, None, None] and record["bboxes"][1] is None
    assert record["attributes"]["gaps"] == 1 and record["attributes"]["reentry"] is True


@pytest.mark.parametrize("pixels,amodal,present", [(9, 100, False), (10, 100, True), (15, 800, False), (16, 800, True)])
def test_presence_needs_ten_pixels_and_two_percent(pixels, amodal, present):
    owner = np.zeros((8, 8), dtype=np.int16)
    owner.flat[:pixels] = 1
    assert len(make_annotator([owner, owner], amodal=amodal).annotations(1)) == int(present)


def test_tracks_of_one_frame_are_dropped_unless_the_video_has_no_more():
    empty = np.zeros((8, 8), dtype=np.int16)
    assert make_annotator([block(0), empty]).annotations(1) == []
    assert len(make_annotator([block(0)]).annotations(1)) == 1


def test_occlusion_levels_change_at_a_quarter_and_a_half():
    levels = [make_annotator([block(0)] * 2, amodal=amodal).annotations(1)[0]["attributes"]["occ_level"]
              for amodal in (16, 22, 30, 32, 40)]  # hidden share 0, 6/22, 14/30, 1/2, 3/5
    assert levels == ["so", "mo", "mo", "ho", "ho"]


def test_unknown_rle_is_refused():
    with pytest.raises(ValueError, match="polygon"):
        make_annotator([block(0)], rle="polygon")


def test_records_of_a_file():
    scene = SynthVIS("tiny", "val").scene(5)
    record = video_record(scene, 6)
    assert record["file_names"][:2] == ["v00005/00000.jpg", "v00005/00001.jpg"] and record["id"] == 6
    assert set(record["meta"]) == {"background", "camera", "ground", "exposure", "events"}
    truth = assemble("tiny", "val", 0, 4, [(record, [{"video_id": 6}]), (record, [{"video_id": 6}])])
    assert [a["id"] for a in truth["annotations"]] == [1, 2]
    assert [c["name"] for c in truth["categories"]] == list(CLASS_NAMES[:4])


def test_masks_of_a_frame_are_disjoint_and_match_their_boxes():
    scene = SynthVIS("tiny", "val").scene(1)
    annotator = VideoAnnotator(scene)
    owners = []
    for time in range(scene.length):
        masks = rasterise(scene, time)
        owners.append(masks.owner)
        annotator.add(time, masks)
    records = annotator.annotations(2)
    for time in range(scene.length):
        total = np.zeros((96, 160), dtype=int)
        for record in records:
            if record["segmentations"][time] is None:
                continue
            mask = coco_mask.decode(record["segmentations"][time])
            total += mask
            assert mask.sum() == record["areas"][time]
            assert coco_mask.toBbox(record["segmentations"][time]).tolist() == record["bboxes"][time]
        assert total.max() <= 1 and not total[owners[time] == 0].any()
