"""CVAT for video: tracks to objects, depth, several tasks, frame names; broken files."""

import pytest

from tests.data.convert.worlds import read, save_images, save_json, shown
from vis_projects.data.convert.cvat import read_cvat
from vis_projects.data.errors import DatasetError

HEAD = """<meta><task><id>1</id><name>clip</name><size>{size}</size><start_frame>0</start_frame><frame_filter/>
<labels><label><name>car</name></label><label><name>person</name></label></labels>
<original_size><width>6</width><height>4</height></original_size></task></meta>"""


def poly(frame, points, *, outside=0, key=1, z=0):
    return (f'<polygon frame="{frame}" keyframe="{key}" outside="{outside}" occluded="0" points="{points}" '
            f'z_order="{z}"><attribute name="a">b</attribute></polygon>')


def track(number, label, *shapes, extra=""):
    return f'<track id="{number}" label="{label}" source="manual"{extra}>{"".join(shapes)}</track>'


def xml(tmp_path, *tracks, head=HEAD.format(size=4), name="annotations.xml"):
    path = tmp_path / "source" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{head}'
                    f'{"".join(tracks)}</annotations>')
    return path


def mask(frame, outside):
    return (f'<mask frame="{frame}" keyframe="1" outside="{outside}" rle="1, 2, 1" left="4" top="2" width="2" '
            'height="2"/>')


LEFT, RIGHT = "0,0;2,0;2,2;0,2", "4,0;6,0;6,2;4,2"
BOX = '<box frame="0" keyframe="1" outside="0" xtl="1" ytl="0" xbr="3" ybr="1" z_order="0"/>'


def test_a_full_export(tmp_path):
    """Object 0 is seen in frames 0 and 1, gone in 2, back in 3; a mask is object 1."""
    source = xml(
        tmp_path,
        track(0, "person", poly(0, LEFT), poly(1, "1,0;3,0;3,2;1,2", key=0), poly(2, LEFT, outside=1), poly(3, RIGHT)),
        track(1, "car", mask(1, 0), mask(2, 1)))
    data, notes = read(read_cvat, source, tmp_path)
    assert data["videos"] == [{"id": 1, "width": 6, "height": 4, "length": 4,
                               "file_names": [f"clip/{t:06d}.jpg" for t in range(4)]}]
    assert [(c["id"], c["name"]) for c in data["categories"]] == [(1, "car"), (2, "person")]
    assert {a["source_id"]: (a["category_id"], shown(a)) for a in data["annotations"]} == {
        "0": (2, ["11.... 11.... ...... ......", ".11... .11... ...... ......", None, "....11 ....11 ...... ......"]),
        "1": (1, [None, "...... ...... .....1 ....1.", None, None])}
    assert notes.lines() == ["note: no --images and no --videos given: frames are called <task>/<frame number>.jpg"]


def test_key_frames_only(tmp_path):
    source = xml(tmp_path, track(0, "car", poly(0, LEFT), poly(2, RIGHT)))
    data, notes = read(read_cvat, source.parent, tmp_path)  # the folder that CVAT's zip unpacks to
    # half way from columns 0-1 to 4-5 is 2-3; the last shape stays
    assert shown(data["annotations"][0]) == ["11.... 11.... ...... ......", "..11.. ..11.. ...... ......",
                                             "....11 ....11 ...... ......", "....11 ....11 ...... ......"]
    assert any("key frames only" in line for line in notes.lines())


def test_higher_z_order_covers_lower(tmp_path):
    low, high = poly(0, "0,0;4,0;4,2;0,2", z=0), poly(0, "2,0;6,0;6,1;2,1", z=1)
    source = xml(tmp_path, track(0, "car", high), track(1, "car", low), head=HEAD.format(size=1))
    data, notes = read(read_cvat, source, tmp_path)
    assert {a["source_id"]: shown(a)[0] for a in data["annotations"]} == {
        "0": "..1111 ...... ...... ......", "1": "11.... 1111.. ...... ......"}
    assert notes.dropped == {"pixels that an object of higher z_order covers": 2}
    data, notes = read(read_cvat, source, tmp_path, keep_overlaps=True)
    assert {a["source_id"]: shown(a)[0] for a in data["annotations"]}["1"] == "1111.. 1111.. ...... ......"
    assert not notes.dropped


def test_an_object_that_is_covered_altogether(tmp_path):
    source = xml(tmp_path, track(0, "car", poly(0, LEFT)), track(1, "car", poly(0, "0,0;6,0;6,4;0,4", z=2)),
                 head=HEAD.format(size=1))
    data, notes = read(read_cvat, source, tmp_path)
    assert [a["source_id"] for a in data["annotations"]] == ["1"]
    assert notes.dropped["objects without a single mask"] == 1


def test_boxes_only_where_they_are_asked_for(tmp_path):
    source = xml(tmp_path, track(0, "car", BOX), head=HEAD.format(size=1))
    with pytest.raises(DatasetError, match=r"xml: track 0: is drawn as boxes.* Remedy: draw .*--boxes-as-masks"):
        read(read_cvat, source, tmp_path)
    data, _ = read(read_cvat, source, tmp_path, boxes_as_masks=True)
    assert shown(data["annotations"][0]) == [".11... ...... ...... ......"]


def test_shapes_without_area_are_counted(tmp_path):
    source = xml(tmp_path, track(0, "car", '<points frame="0" points="1,1"/>', '<points frame="1" points="1,1"/>'))
    data, notes = read(read_cvat, source, tmp_path)
    assert data["annotations"] == [] and len(data["categories"]) == 2
    assert notes.dropped == {"shapes without an area (polyline, points, skeleton)": 2}


def test_no_tracks(tmp_path):
    data, notes = read(read_cvat, xml(tmp_path), tmp_path)
    assert data["annotations"] == [] and data["videos"][0]["length"] == 4 and not notes.dropped


def test_images_give_the_names(tmp_path):
    source = xml(tmp_path, track(0, "car", poly(0, LEFT), poly(1, LEFT, outside=1)))
    images = save_images(tmp_path / "frames", ["b.png", "a.png", "d.png", "c.png"])
    data, notes = read(read_cvat, source, tmp_path, images=images)
    assert data["videos"][0]["file_names"] == ["frames/a.png", "frames/b.png", "frames/c.png", "frames/d.png"]
    assert notes.image_root == str(tmp_path)
    # more images than frames: by their numbers
    images = save_images(tmp_path / "more" / "clip", [f"{number:02d}.png" for number in range(6)])
    data, notes = read(read_cvat, source, tmp_path, images=str(tmp_path / "more"))
    assert data["videos"][0]["file_names"][-1] == "clip/03.png"
    assert notes.dropped == {"images of frames that the task does not have": 2}


def test_images_that_do_not_match(tmp_path):
    source = xml(tmp_path, track(0, "car", poly(0, LEFT)))
    images = save_images(tmp_path / "frames", ["1.png", "2.png", "3.png"])
    with pytest.raises(DatasetError, match="meta, size: .* has 4 frames, 3 are given, none .* number 0. Remedy: give"):
        read(read_cvat, source, tmp_path, images=images)
    images = save_images(tmp_path / "large", [f"{t}.png" for t in range(4)], (8, 12))
    with pytest.raises(DatasetError, match=r"original_size: is 4 x 6 .* the frames are 8 x 12\. Remedy: give"):
        read(read_cvat, source, tmp_path, images=images)


def test_size_from_images_only(tmp_path):
    head = HEAD.format(size=1).replace("<original_size><width>6</width><height>4</height></original_size>", "")
    source = xml(tmp_path, track(0, "car", poly(0, LEFT)), head=head)
    with pytest.raises(DatasetError, match="meta, original_size: is missing. Remedy: give the frames with --images"):
        read(read_cvat, source, tmp_path)
    data, _ = read(read_cvat, source, tmp_path, images=save_images(tmp_path / "frames", ["0.png"]))
    assert (data["videos"][0]["height"], data["videos"][0]["width"]) == (4, 6)


PROJECT = """<meta><project><tasks>
<task><id>8</id><name>one</name><size>2</size><original_size><width>6</width><height>4</height></original_size></task>
<task><id>9</id><name>two</name><size>1</size><original_size><width>3</width><height>2</height></original_size></task>
</tasks><labels><label><name>car</name></label></labels></project></meta>"""


def test_project_with_two_tasks(tmp_path):
    source = xml(tmp_path, track(0, "car", poly(1, LEFT), extra=' task_id="8" subset="default"'),
                 track(1, "car", poly(2, "0,0;1,0;1,1;0,1"), extra=' task_id="9" subset="default"'), head=PROJECT)
    data, _ = read(read_cvat, source, tmp_path)
    assert [(v["height"], v["length"], v["file_names"][0]) for v in data["videos"]] == [
        (4, 2, "one/000000.jpg"), (2, 1, "two/000002.jpg")]
    assert [(a["video_id"], shown(a)) for a in data["annotations"]] == [
        (1, [None, "11.... 11.... ...... ......"]), (2, ["1.. ..."])]
    source = xml(tmp_path, track(0, "car", poly(1, LEFT), extra=' task_id="7"'), head=PROJECT)
    with pytest.raises(DatasetError, match="track 0, task_id: is '7', the head has 8, 9. Remedy"):
        read(read_cvat, source, tmp_path)
    source = xml(tmp_path, head=PROJECT.replace("two", "one"))
    with pytest.raises(DatasetError, match="two tasks of the project have one name. Remedy"):
        read(read_cvat, source, tmp_path)


def test_given_categories(tmp_path):
    source = xml(tmp_path, track(0, "car", poly(0, LEFT)))
    data, _ = read(read_cvat, source, tmp_path, categories=save_json({"car": 40}, tmp_path / "c.json"))
    assert [c["id"] for c in data["categories"]] == [40] and data["annotations"][0]["category_id"] == 40


BROKEN = [
    ([track(0, "bus", poly(0, LEFT))], r"track 0, label: is 'bus', .* has car, person\. Remedy"),
    ([track(0, "car", poly(0, LEFT), poly(0, RIGHT))], r"track 0, <polygon> of frame 0: .* two shapes .* Remedy"),
    ([track(0, "car", poly(4, LEFT))], r"track 0, <polygon> of frame 4: the video 'clip' has frames 0 to 3 .* Remedy"),
    ([track(0, "car", "<cuboid frame='0'/>")], r"track 0: has a <cuboid>\. Remedy: draw the object as polygon"),
    ([track(0, "car", poly(0, "0,0;1"))], r"points: is '0,0;1'\. Remedy"),
]


@pytest.mark.parametrize(("tracks", "message"), BROKEN)
def test_broken_tracks(tmp_path, tracks, message):
    with pytest.raises(DatasetError, match=rf"annotations\.xml: {message}|annotations\.xml: .*{message}"):
        read(read_cvat, xml(tmp_path, *tracks), tmp_path)


def test_no_labels_and_no_frames(tmp_path):
    with pytest.raises(DatasetError, match="meta, labels: there is none. Remedy: name the classes with --categories"):
        read(read_cvat, xml(tmp_path, head=""), tmp_path)
    with pytest.raises(DatasetError, match="meta, size: the video 'clip' has no frame. Remedy"):
        read(read_cvat, xml(tmp_path, head=HEAD.format(size=0)), tmp_path)
