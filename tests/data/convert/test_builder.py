"""Masks put together: lists over frames, boxes and areas, ids, and what is left out."""

from tests.data.convert.worlds import picture, rle_of, shown
from vis_projects.data.convert.builder import YtvisBuilder, track_lists
from vis_projects.data.convert.notes import ConvertNotes

CATEGORIES = [{"id": 5, "name": "thing"}]
LEFT, RIGHT = rle_of(picture("11.. 1...")), rle_of(picture("...1 ...1"))


def built(entries, **video):
    """entries: (key, t, rle, own_id) in one video of four frames."""
    notes = ConvertNotes()
    builder = YtvisBuilder("test", notes)
    video_id = builder.add_video([f"v/{t}.jpg" for t in range(4)], 2, 4, **video)
    for key, t, rle, own_id in entries:
        builder.add_mask(video_id, key, t, rle, 5, own_id=own_id)
    return builder.build(CATEGORIES), notes


def test_object_leaves_and_returns():
    data, notes = built([("a", 3, RIGHT, None), ("a", 0, LEFT, None)])
    assert data["videos"] == [{"id": 1, "width": 4, "height": 2, "length": 4,
                               "file_names": ["v/0.jpg", "v/1.jpg", "v/2.jpg", "v/3.jpg"]}]
    (annotation,) = data["annotations"]
    assert shown(annotation) == ["11.. 1...", None, None, "...1 ...1"]
    assert annotation["bboxes"] == [[0.0, 0.0, 2.0, 2.0], None, None, [3.0, 0.0, 1.0, 2.0]]
    assert annotation["areas"] == [3, None, None, 2]
    assert {key: annotation[key] for key in ("id", "video_id", "category_id", "iscrowd", "height", "width", "length")
            } == {"id": 1, "video_id": 1, "category_id": 5, "iscrowd": 0, "height": 2, "width": 4, "length": 4}
    assert notes.lines() == []


def test_no_objects():
    data, notes = built([])
    assert data["annotations"] == [] and data["categories"] == CATEGORIES and notes.lines() == []


def test_parts_of_one_frame_are_united():
    data, _ = built([("a", 1, LEFT, None), ("a", 1, RIGHT, None)])
    assert shown(data["annotations"][0]) == [None, "11.1 1..1", None, None]


def test_empty_masks_are_counted():
    empty = rle_of(picture(".... ...."))
    data, notes = built([("a", 0, empty, None), ("b", 0, LEFT, None), ("b", 1, empty, None)])
    assert [shown(a) for a in data["annotations"]] == [["11.. 1...", None, None, None]]
    assert notes.lines() == ["left out: 2 masks without a pixel in the frame",
                             "left out: 1 objects without a single mask"]


def test_ids_are_kept_where_they_are_unique():
    assert [a["id"] for a in built([("a", 0, LEFT, 40), ("b", 0, LEFT, 7)])[0]["annotations"]] == [7, 40]
    data, notes = built([("a", 0, LEFT, 7), ("b", 0, LEFT, 7)])
    assert [a["id"] for a in data["annotations"]] == [1, 2]
    assert "numbered 1, 2" in notes.lines()[0]
    assert [a["id"] for a in built([("a", 0, LEFT, 7), ("b", 0, LEFT, None)])[0]["annotations"]] == [1, 2]


def test_videos_keep_order_ids_and_fields():
    builder = YtvisBuilder("test", ConvertNotes())
    assert builder.add_video(["a/0.jpg"], 2, 4, video_id=9, fps=6) == 9
    assert builder.add_video(["b/0.jpg"], 2, 4) == 10
    builder.add_mask(10, 1, 0, LEFT, 5)
    builder.add_mask(9, 1, 0, RIGHT, 5, crowd=True, source_id="track 1")
    data = builder.build(CATEGORIES)
    assert [video["id"] for video in data["videos"]] == [9, 10] and data["videos"][0]["fps"] == 6
    assert [(a["video_id"], a["iscrowd"], a.get("source_id")) for a in data["annotations"]] == [
        (9, 1, "track 1"), (10, 0, None)]


def test_lists_of_an_absent_object():
    nothing = {"segmentations": [None, None], "bboxes": [None, None], "areas": [None, None]}
    assert track_lists([None, None]) == (nothing, 0)
    assert track_lists([rle_of(picture("....")), None]) == (nothing, 1)
