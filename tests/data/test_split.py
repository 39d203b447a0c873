"""split_dataset: both halves disjoint, reproducible and with every class, also where that is tight."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.data.toy_json import edited, write_json
from vis_projects.data.errors import DatasetError
from vis_projects.data.split import split_dataset, video_ids_sha256
from vis_projects.data.ytvis_json import load_ytvis_json


def many_videos(classes_of_videos, lengths=None):
    """A json in which video i + 1 shows the given category ids."""
    categories = sorted({c for classes in classes_of_videos for c in classes} | {1})
    data = {"info": {"version": "1"}, "categories": [{"id": c, "name": f"c{c}"} for c in categories],
            "videos": [], "annotations": []}
    for i, classes in enumerate(classes_of_videos):
        length = lengths[i] if lengths else 1
        data["videos"].append({"id": i + 1, "height": 4, "width": 6, "length": length,
                               "file_names": [f"{i}/{t}.jpg" for t in range(length)]})
        for c in classes:
            data["annotations"].append({"id": len(data["annotations"]) + 1, "video_id": i + 1, "category_id": c,
                                        "segmentations": [[[0, 0, 2, 0, 2, 2]]] * length})
    return data


def halves(folder, data, **options):
    paths = split_dataset(write_json(folder, data), **options)
    return [json.loads(Path(path).read_text()) for path in paths]


def classes_in(half):
    return Counter(a["category_id"] for a in half["annotations"])


def test_two_videos_of_one_class_are_parted(tmp_path):
    train, val = halves(tmp_path, many_videos([[1], [1]]), val_fraction=0.01)
    assert len(train["videos"]) == len(val["videos"]) == 1
    assert len(train["annotations"]) == len(val["annotations"]) == 1


def test_no_video_is_in_both_and_none_is_lost(tmp_path):
    data = many_videos([[1 + i % 5] for i in range(50)])
    train, val = halves(tmp_path, data, val_fraction=0.2, seed=3)
    ids = [{video["id"] for video in half["videos"]} for half in (train, val)]
    assert ids[0] & ids[1] == set() and ids[0] | ids[1] == set(range(1, 51))
    assert len(ids[1]) == 10
    # ten videos of each of five classes: stratified, every class gives 2 of its 10
    assert classes_in(val) == {c: 2 for c in range(1, 6)}
    assert {a["video_id"] for a in val["annotations"]} == ids[1]
    assert train["categories"] == val["categories"] == data["categories"]


def test_lengths_are_spread_over_both_halves(tmp_path):
    data = many_videos([[1]] * 30, lengths=[2] * 10 + [5] * 10 + [9] * 10)
    _, val = halves(tmp_path, data, val_fraction=0.2, stratify=("length",))
    assert Counter(video["length"] for video in val["videos"]) == {2: 2, 5: 2, 9: 2}


def test_one_seed_gives_equal_files_and_another_one_others(tmp_path):
    source = write_json(tmp_path, many_videos([[1 + i % 3] for i in range(30)]))
    first, second = (split_dataset(source, seed=4, out_dir=str(tmp_path / name)) for name in ("a", "b"))
    assert all(Path(a).read_bytes() == Path(b).read_bytes() for a, b in zip(first, second))
    others = {Path(split_dataset(source, seed=s, out_dir=str(tmp_path / "c"))[1]).read_bytes() for s in range(5)}
    assert len(others) > 1


def test_the_split_is_listed_and_hashed(tmp_path):
    for half, name in zip(halves(tmp_path, many_videos([[1]] * 10), seed=2), ("train", "val")):
        ids = [video["id"] for video in half["videos"]]
        split = half["info"]["split"]
        assert split["video_ids"] == ids and split["seed"] == 2 and split["half"] == name
        assert split["source"] == "instances.json" and half["info"]["version"] == "1"
        text = "[" + ",".join(map(str, ids)) + "]"
        assert split["sha256"] == half["info"]["video_ids_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert video_ids_sha256([3, 1]) == video_ids_sha256({1, 3})


def test_the_halves_load_again(tmp_path):
    train, val = split_dataset(write_json(tmp_path, many_videos([[1, 2], [2], [1]])), val_fraction=0.3)
    assert Path(train).name == "instances_train.json" and Path(val).name == "instances_val.json"
    assert len(load_ytvis_json(train, "/x")) + len(load_ytvis_json(val, "/x")) == 3


@pytest.mark.parametrize("stratify", [(), ("length",), ("class", "length")])
def test_every_class_is_in_both_halves_whatever_is_balanced(tmp_path, stratify):
    classes = [[1]] * 16 + [[2, 1], [2], [3], [1, 3], [4, 2], [4]]
    train, val = halves(tmp_path, many_videos(classes), val_fraction=0.1, stratify=stratify)
    assert set(classes_in(train)) == set(classes_in(val)) == {1, 2, 3, 4}


def test_videos_that_share_a_frame_stay_together(tmp_path):
    data = many_videos([[1]] * 12, lengths=[3] * 12)
    # 1 and 4 overlap, 4 and 9 overlap: all three belong to one recording
    data["videos"][3]["file_names"][0] = data["videos"][0]["file_names"][2]
    data["videos"][8]["file_names"][0] = data["videos"][3]["file_names"][2]
    for seed in range(6):
        together = [{video["id"] for video in half["videos"]} & {1, 4, 9}
                    for half in halves(tmp_path, data, val_fraction=0.3, seed=seed)]
        assert set() in together and {1, 4, 9} in together
    for video in data["videos"]:
        video["file_names"] = data["videos"][0]["file_names"]
    with pytest.raises(DatasetError, match="all 12 videos have frame files in common"):
        split_dataset(write_json(tmp_path, data))


def test_the_order_of_the_file_plays_no_part(tmp_path):
    data = many_videos([[1 + i % 3] for i in range(30)])
    before = halves(tmp_path, data)[1]["info"]["video_ids_sha256"]
    data["videos"].reverse()
    assert halves(tmp_path, data)[1]["info"]["video_ids_sha256"] == before


def test_a_half_is_written_whole_or_not_at_all(tmp_path):
    split_dataset(write_json(tmp_path, many_videos([[1]] * 4)))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "instances.json", "instances_train.json", "instances_val.json"]


@pytest.mark.parametrize(("options", "word"), [
    ({"val_fraction": 0.0}, "val_fraction"), ({"val_fraction": 1.0}, "val_fraction"),
    ({"stratify": ("size",)}, "stratify"),
])
def test_options_that_make_no_sense_are_named(tmp_path, options, word):
    with pytest.raises(ValueError, match=word):
        split_dataset(write_json(tmp_path), **options)


def test_broken_unlabelled_and_single_video_jsons_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="category_id"):
        split_dataset(write_json(tmp_path, edited("annotations", 0, "category_id", value=8)))
    with pytest.raises(DatasetError, match="0 annotations"):
        split_dataset(write_json(tmp_path, edited("annotations", value=None)))
    with pytest.raises(DatasetError, match="1 videos"):
        split_dataset(write_json(tmp_path, many_videos([[1]])))
