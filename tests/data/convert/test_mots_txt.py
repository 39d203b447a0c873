"""MOTS txt: lines in, exact masks out; broken lines; round trips."""

import pytest

from tests.data.convert.worlds import (
    masks,
    overlapping,
    picture,
    read,
    rle_of,
    same_tracks,
    save_images,
    save_json,
    shown,
    synth,
    write,
)
from vis_projects.data.convert.mots_txt import read_mots_txt, write_mots_txt
from vis_projects.data.errors import DatasetError

A, B = rle_of(picture("11.. 1..."))["counts"], rle_of(picture("...1 ...1"))["counts"]


def mots(root, *lines, name="0002"):
    (root / "instances_txt").mkdir(parents=True, exist_ok=True)
    (root / "instances_txt" / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    return root


def test_masks_and_frames_from_the_file_alone(tmp_path):
    source = mots(tmp_path / "a", f"2 1005 1 2 4 {A}", "", f"4 1005 1 2 4 {B}", f"2 10000 10 2 4 {B}")
    data, notes = read(read_mots_txt, source, tmp_path)
    # no frame 0: numbers start at 1 as in MOTSChallenge
    assert data["videos"][0]["file_names"] == [f"0002/{number:06d}.jpg" for number in (1, 2, 3, 4)]
    assert [(a["category_id"], a["iscrowd"], *shown(a)) for a in data["annotations"]] == [
        (1, 0, None, "11.. 1...", None, "...1 ...1"), (1, 1, None, "...1 ...1", None, None)]
    assert any("0002 has frames 1 to 4" in line for line in notes.lines())
    data, _ = read(read_mots_txt, mots(tmp_path / "b", f"0 1005 1 2 4 {A}") / "instances_txt" / "0002.txt", tmp_path)
    assert data["videos"][0]["file_names"] == ["0002/000000.jpg"]


def test_images_give_length_names_and_numbers(tmp_path):
    source = mots(tmp_path / "a", f"5 2001 2 2 4 {A}")
    save_images(tmp_path / "images" / "0002", ["img_0.png", "img_5.png", "img_10.png"], (2, 4))
    data, _ = read(read_mots_txt, source, tmp_path, images=str(tmp_path / "images"))
    assert data["videos"][0]["file_names"] == ["0002/img_0.png", "0002/img_5.png", "0002/img_10.png"]
    assert shown(data["annotations"][0]) == [None, "11.. 1...", None]


def test_a_video_without_objects(tmp_path):
    source = mots(tmp_path / "a")
    with pytest.raises(DatasetError, match=r"0002\.txt: lines: there is none.* Remedy: give the frames with --images"):
        read(read_mots_txt, source, tmp_path)
    save_images(tmp_path / "images" / "0002", ["0.png", "1.png"], (2, 4))
    data, _ = read(read_mots_txt, source, tmp_path, images=str(tmp_path / "images"))
    assert data["annotations"] == [] and data["videos"][0]["length"] == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([f"0 1005 1 2 {A}"], r"line 1: has 5 fields\. Remedy: write `frame object"),
        ([f"0 1005 1 2 4 {A}", f"1 1005 x 2 4 {A}"], r"line 2, class: is 'x'\. Remedy"),
        ([f"-1 1005 1 2 4 {A}"], r"line 1, frame: is '-1'\. Remedy"),
        (["0 1005 1 2 4 ~~"], r"line 1, rle: .*is not compressed RLE text\. Remedy: encode the mask"),
        ([f"0 1005 1 2 5 {A}"], r"line 1, rle: .* runs of 8 pixels in all, the frame has 10\. Remedy"),
        ([f"0 1005 1 2 4 {A}", f"0 1005 1 2 4 {B}"], r"line 2: object 1005 is in frame 0 twice\. Remedy: unite"),
        ([f"0 1005 1 2 4 {A}", f"1 1005 2 2 4 {B}"], r"line 2: object 1005 has class 2, before it was 1\. Remedy"),
        ([f"0 3005 3 2 4 {A}"], r"line 1: has class 3, MOTS has \[1, 2\]\. Remedy"),
        ([f"0 1005 1 2 4 {A}", f"1 1005 1 4 2 {A}"], r"line 2, height and width: are \[4, 2\], the video is \[2, 4\]"),
    ],
)
def test_broken_lines(tmp_path, lines, message):
    with pytest.raises(DatasetError, match=rf"0002\.txt: {message}"):
        read(read_mots_txt, mots(tmp_path / "a", *lines), tmp_path)


def test_a_frame_that_the_video_does_not_have(tmp_path):
    save_images(tmp_path / "images" / "0002", ["1.png", "2.png"], (2, 4))
    with pytest.raises(DatasetError, match="line 1: is of frame 3, the video has 2 frames from 1 to 2. Remedy"):
        read(read_mots_txt, mots(tmp_path / "a", f"3 1005 1 2 4 {A}"), tmp_path, images=str(tmp_path / "images"))


def test_not_text_and_no_file(tmp_path):
    (mots(tmp_path / "a") / "instances_txt" / "0002.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="text: is not plain text .* Remedy: give a MOTS txt file"):
        read(read_mots_txt, tmp_path / "a", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="folder: holds no txt file. Remedy: give the folder"):
        read(read_mots_txt, tmp_path / "empty", tmp_path)


def test_round_trip_of_generated_videos(tmp_path):
    data = synth()
    write(write_mots_txt, data, tmp_path / "out")
    back, _ = read(read_mots_txt, tmp_path / "out", tmp_path)
    assert same_tracks(data, back) and back["videos"] == data["videos"]
    # without what our writer left beside the labels, from the original json
    (tmp_path / "out" / "videos.json").unlink()
    given = save_json({**data, "annotations": None}, tmp_path / "given.json")
    again, _ = read(read_mots_txt, tmp_path / "out", tmp_path, videos=given)
    assert again == back


def test_overlaps_are_cut_or_kept(tmp_path):
    data = overlapping()
    notes = write(write_mots_txt, data, tmp_path / "cut")
    assert notes.dropped == {"pixels that a smaller object covers": 2}
    lines = (tmp_path / "cut" / "instances_txt" / "clip.txt").read_text().splitlines()
    # frames are called after the numbers of their files, 5 and 10
    assert [line.split()[:5] for line in lines] == [
        ["5", "1001", "1", "4", "6"], ["5", "7001", "7", "4", "6"], ["5", "10000", "10", "4", "6"],
        ["10", "1001", "1", "4", "6"]]
    back, _ = read(read_mots_txt, tmp_path / "cut", tmp_path)
    objects = {a["category_id"]: a for a in back["annotations"] if not a["iscrowd"]}
    assert shown(objects[7]) == ["1111.. 11.... ...... ......", None]
    notes = write(write_mots_txt, data, tmp_path / "kept", keep_overlaps=True)
    assert not notes.dropped
    back, _ = read(read_mots_txt, tmp_path / "kept", tmp_path)
    assert same_tracks({**data, "annotations": data["annotations"][:2]},
                       {**back, "annotations": [a for a in back["annotations"] if not a["iscrowd"]]})


def test_crowd_regions_of_a_frame_are_united(tmp_path):
    data = overlapping()
    other = rle_of(picture("...... ...... ...... 11...."))
    data["annotations"].append({**data["annotations"][2], "id": 11, "segmentations": [other, None], "areas": [2, None],
                                "bboxes": [[0.0, 3.0, 2.0, 1.0], None]})
    write(write_mots_txt, data, tmp_path / "out")
    back, _ = read(read_mots_txt, tmp_path / "out", tmp_path)
    crowd = next(a for a in back["annotations"] if a["iscrowd"])
    assert (masks(crowd)[0] == (picture(".....1 .....1 .....1 11...1"))).all()
