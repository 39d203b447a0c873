"""A data set frame by frame."""

from tests.data.convert.worlds import overlapping
from vis_projects.data.convert.dataset_frames import DatasetFrames, note_other_fields, objects_by_video
from vis_projects.data.convert.notes import ConvertNotes


def test_frames_in_order_with_the_objects_in_them():
    data = overlapping()
    data["videos"].append({"id": 1, "height": 4, "width": 6, "file_names": ["empty/0.jpg"]})
    frames = DatasetFrames(data)
    assert len(frames) == 3
    assert [(video["id"], t, [a["id"] for a, _ in present]) for video, t, present in frames] == [
        (3, 0, [4, 9, 10]), (3, 1, [9]), (1, 0, [])]
    assert frames[1][2][0][1] is data["annotations"][1]["segmentations"][1]


def test_objects_by_video():
    data = overlapping()
    data["videos"].append({"id": 1, "file_names": []})
    assert {key: [a["id"] for a in value] for key, value in objects_by_video(data).items()} == {3: [4, 9, 10], 1: []}


def test_other_fields_are_counted():
    data, notes = overlapping(), ConvertNotes()
    data["annotations"][0]["visibility"] = data["annotations"][1]["visibility"] = [1.0, None]
    note_other_fields(data, notes)
    assert notes.lines() == ["left out: 2 fields 'visibility' of annotations"]
