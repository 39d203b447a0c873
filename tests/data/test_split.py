"""split_dataset: both halves disjoint, reproducible and with every class, also where that is tight."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.data.toy_json import edited, write_json
from vis_projects.data.errors import DatasetError
from vis_projects.data.split import choose_validation, split_dataset, video_ids_sha256
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


def test_where_no_split_shows_every_class_twice_it_still_splits():
    # each of three classes is shared by two of three videos: one class must stay on one side
    labels = {1: {("class", 1), ("class", 2)}, 2: {("class", 1), ("class", 3)}, 3: {("class", 2), ("class", 3)}}
    val = choose_validation(labels, 0.3, np.random.default_rng(0))
    assert 0 < len(val) < 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sets(st.integers(1, 6), max_size=3), min_size=2, max_size=9), st.floats(0.05, 0.6), st.integers(0, 50)
)
def test_every_class_of_two_videos_is_in_both_halves_where_that_is_possible(classes, fraction, seed):
    labels = {i: {("class", c) for c in video} for i, video in enumerate(classes)}
    totals = Counter(label for video in labels.values() for label in video)
    bound = [label for label, count in totals.items() if count >= 2]

    def whole(val):
        counts = Counter(label for video in val for label in labels[video])
        return all(0 < counts[label] < totals[label] for label in bound)

    subsets = ({i for i in labels if code >> i & 1} for code in range(1, 2 ** len(labels) - 1))
    assume(any(whole(val) for val in subsets))
    val = choose_validation(labels, fraction, np.random.default_rng(seed))
    assert whole(val) and 0 < len(val) < len(labels)


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
