"""DAVIS palette png: hand-made pixels in, exact masks out, and back."""

import numpy as np
import pytest
from PIL import Image

from tests.data.convert.worlds import overlapping, picture, read, save, save_images, save_json, shown, synth, write
from vis_projects.data.convert.davis import palette, read_davis, write_davis
from vis_projects.data.errors import DatasetError

FRAMES = {"00000": "11.. 112.", "00005": ".... ..2.", "00010": "...1 ..2."}
CLASSES = {"clip": {"1": "dog", "2": "cat"}}


def davis(root, frames=FRAMES, video="clip", void=()):
    for stem, text in frames.items():
        values = picture(text).astype(np.uint8)
        for y, x in void:
            values[y, x] = 255
        save(values, root / video / f"{stem}.png", palette=True)
    return root


def test_masks_sizes_and_names(tmp_path):
    data, notes = read(read_davis, davis(tmp_path / "a"), tmp_path)
    assert data["videos"] == [{"id": 1, "width": 4, "height": 2, "length": 3,
                               "file_names": ["clip/00000.jpg", "clip/00005.jpg", "clip/00010.jpg"]}]
    assert [shown(a) for a in data["annotations"]] == [
        ["11.. 11..", None, "...1 ...."], [".... ..1.", ".... ..1.", ".... ..1."]]
    assert [(a["id"], a["source_id"], a["category_id"]) for a in data["annotations"]] == [(1, 1, 1), (2, 2, 1)]
    assert data["annotations"][0]["areas"] == [4, None, 1]
    assert [c["name"] for c in data["categories"]] == ["object"]
    assert any("one class 'object'" in line for line in notes.lines())
    assert any("<stem of the label file>.jpg" in line for line in notes.lines())


def test_classes_of_a_mapping(tmp_path):
    path = save_json(CLASSES, tmp_path / "davis_semantics.json")
    data, _ = read(read_davis, davis(tmp_path / "a"), tmp_path, categories=path)
    assert [(c["id"], c["name"]) for c in data["categories"]] == [(1, "cat"), (2, "dog")]
    assert [a["category_id"] for a in data["annotations"]] == [2, 1]
    save_json({"clip": {"1": "dog"}}, tmp_path / "davis_semantics.json")
    with pytest.raises(DatasetError, match=r"00000\.png: object 2 of video 'clip': has no class .* Remedy: add"):
        read(read_davis, davis(tmp_path / "a"), tmp_path, categories=path)


def test_void_is_left_out_and_counted(tmp_path):
    data, notes = read(read_davis, davis(tmp_path / "a", void=((0, 0), (1, 3))), tmp_path)
    assert shown(data["annotations"][0]) == [".1.. 11..", None, "...1 ...."]
    assert "left out: 6 void pixels (value 255)" in notes.lines()  # 2 in each of 3 frames


def test_binary_masks_are_object_1(tmp_path):
    source = davis(tmp_path / "a", {"0": ".... ....", "1": ".... ...."}, void=((0, 1),))
    data, notes = read(read_davis, source, tmp_path)
    assert [shown(a) for a in data["annotations"]] == [[".1.. ....", ".1.. ...."]]
    assert any("binary masks" in line for line in notes.lines())


def test_grey_png_and_a_single_video(tmp_path):
    save(picture("3.").astype(np.uint8), tmp_path / "clip" / "0.png")  # mode L
    data, _ = read(read_davis, tmp_path / "clip", tmp_path)
    assert data["videos"][0]["file_names"] == ["clip/0.jpg"] and data["annotations"][0]["source_id"] == 3


def test_no_objects(tmp_path):
    data, notes = read(read_davis, davis(tmp_path / "a", {"0": ".. .."}), tmp_path)
    assert data["annotations"] == [] and data["videos"][0]["length"] == 1
    assert not any("left out" in line for line in notes.lines())


def test_images_give_names_and_unlabelled_ones_are_counted(tmp_path):
    images = save_images(tmp_path / "JPEGImages" / "clip", ["00000.png", "00003.png", "00005.png", "00010.png"], (2, 4))
    data, notes = read(read_davis, davis(tmp_path / "a"), tmp_path, images=str(tmp_path / "JPEGImages"))
    assert data["videos"][0]["file_names"] == ["clip/00000.png", "clip/00005.png", "clip/00010.png"]
    assert notes.lines()[-1] == "left out: 1 images without a label file"
    assert notes.image_root == str(tmp_path / "JPEGImages")
    # the folder of the one video itself
    data, notes = read(read_davis, davis(tmp_path / "a"), tmp_path, images=images)
    assert data["videos"][0]["file_names"][0] == "clip/00000.png"
    assert notes.image_root == str(tmp_path / "JPEGImages")


def test_videos_json_chooses_frames_and_keeps_ids(tmp_path):
    given = {"categories": [{"id": 3, "name": "x"}], "videos": [
        {"id": 8, "height": 2, "width": 4, "fps": 6, "file_names": ["clip/00000.jpg", "clip/00010.jpg"]},
        {"id": 2, "height": 2, "width": 4, "file_names": ["other/00000.jpg"]}]}
    path = save_json(given, tmp_path / "given.json")
    data, notes = read(read_davis, davis(tmp_path / "a"), tmp_path, videos=path)
    assert data["videos"][0]["id"] == 8 and data["videos"][0]["fps"] == 6 and data["videos"][0]["length"] == 2
    assert shown(data["annotations"][0]) == ["11.. 11..", "...1 ...."]
    assert f"left out: 1 videos of {path} that the source does not have" in notes.lines()
    assert "left out: 1 label files of frames that --videos does not list" in notes.lines()


def broken_size(root):
    save(picture("1..").astype(np.uint8), root / "clip" / "00005.png", palette=True)


def colours(root):
    Image.new("RGB", (4, 2)).save(root / "clip" / "00005.png")


def sixteen_bits(root):
    save(picture("11.. 112."), root / "clip" / "00005.png")


def no_png(root):
    (root / "clip" / "00005.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")


def both_levels(root):
    save(picture("1").astype(np.uint8), root / "0.png", palette=True)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (broken_size, r"00005\.png: size: is 1 x 3 .* the video is 2 x 4\. Remedy: give every label map"),
        (colours, r"00005\.png: pixel format: is RGB .* Remedy: write an 8-bit palette"),
        (sixteen_bits, r"00005\.png: pixel format: is I;16 .* Remedy: write an 8-bit"),
        (no_png, r"00005\.png: image: cannot be decoded .* Remedy: write the file again"),
        (both_levels, r"folder: holds png files and folders with png files \(clip\)\. Remedy: give the folder of one"),
    ],
)
def test_broken_sources(tmp_path, break_it, message):
    break_it(davis(tmp_path))
    with pytest.raises(DatasetError, match=message):
        read(read_davis, tmp_path, tmp_path)


def test_frames_that_do_not_match(tmp_path):
    root = davis(tmp_path / "a")
    save_images(tmp_path / "images" / "clip", ["00000.png", "00005.png"], (2, 4))
    with pytest.raises(DatasetError, match=r"00010\.png: frame: no image is called 00010\. Remedy: put the image"):
        read(read_davis, root, tmp_path, images=str(tmp_path / "images"))
    with pytest.raises(DatasetError, match="is no folder. Remedy: name the folder with the frames"):
        read(read_davis, root, tmp_path, images=str(tmp_path / "nowhere"))
    (tmp_path / "images" / "clip").rename(tmp_path / "images" / "other")
    with pytest.raises(DatasetError, match=r"clip: frames: there is no image\. Remedy: put the frames"):
        read(read_davis, root, tmp_path, images=str(tmp_path / "images"))
    given = {"categories": [{"id": 3, "name": "x"}], "videos": [
        {"id": 8, "height": 2, "width": 4, "file_names": ["clip/00000.jpg", "clip/00001.jpg"]}]}
    with pytest.raises(DatasetError, match=r"00001\.png: frame: does not exist\. Remedy: put the label file"):
        read(read_davis, root, tmp_path, videos=save_json(given, tmp_path / "g.json"))
    given["videos"].append({"id": 9, "height": 2, "width": 4, "file_names": ["b/0.jpg"]})
    given["videos"][0]["file_names"] = ["a/0.jpg"]
    with pytest.raises(DatasetError, match=r"g\.json: videos: there is no 'clip' among a, b\. Remedy: give the json"):
        read(read_davis, root, tmp_path, videos=save_json(given, tmp_path / "g.json"))


def test_empty_folder(tmp_path):
    with pytest.raises(DatasetError, match="neither it nor a folder in it holds png files. Remedy: give the folder"):
        read(read_davis, tmp_path, tmp_path)


def test_writer_on_generated_videos(tmp_path):
    data = synth()
    notes = write(write_davis, data, tmp_path / "out")
    given = save_json({**data, "annotations": None}, tmp_path / "given.json")
    back, _ = read(read_davis, tmp_path / "out", tmp_path, videos=given)
    assert back["videos"] == [{key: video[key] for key in back["videos"][0]} for video in data["videos"]]
    # objects are numbered in the order of the annotations of their video
    position = {}
    for a in data["annotations"]:
        position[a["id"]] = (a["video_id"], 1 + sum(v == a["video_id"] for v, _ in position.values()))
    found = {(a["video_id"], a["source_id"]): a["segmentations"] for a in back["annotations"]}
    assert found == {position[a["id"]]: a["segmentations"] for a in data["annotations"]}
    assert f"left out: {len(data['categories'])} classes (DAVIS png has none)" in notes.lines()


def test_writer_counts_what_a_png_cannot_hold(tmp_path):
    notes = write(write_davis, overlapping(), tmp_path / "out")
    image = Image.open(tmp_path / "out" / "clip" / "5.png")
    # the square, 4 pixels, lies on the bar, 8 pixels; the crowd region is not written
    np.testing.assert_array_equal(np.asarray(image), picture("1111.. 1122.. ..22.. ......"))
    assert image.mode == "P"
    assert notes.dropped["pixels that a smaller object covers"] == 2
    assert notes.dropped["crowd regions (DAVIS png has none)"] == 1


def test_more_than_254_objects(tmp_path):
    data = overlapping()
    data["annotations"] = [{**data["annotations"][1], "id": number} for number in range(255)]
    with pytest.raises(DatasetError, match="video 3: annotations: has 255 objects, 8 bits hold 254 .* Remedy: convert"):
        write(write_davis, data, tmp_path / "out")


def test_palette_is_that_of_pascal_voc():
    colours = np.array(palette()).reshape(256, 3)
    assert colours[:4].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert colours[8].tolist() == [64, 0, 0] and colours[255].tolist() == [224, 224, 192]
    assert len({tuple(colour) for colour in colours.tolist()}) == 256
