"""The reference protocol: fixed rule, registered names, and a refusal of files that are not the released ones."""

import json
import os

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog

from vis_projects.data import builtin
from vis_projects.data.builtin import builtin_splits
from vis_projects.data.errors import DatasetError
from vis_projects.data.split import video_ids_sha256
from vis_projects.data.standard_splits import STANDARD_SPLITS, split_standard
from vis_projects.data.ytvis_json import load_ytvis_json


def released(videos, categories):
    """A json with as many videos and categories as a released file, of 1 to 3 frames and 1 or 2 classes each."""
    data = {"info": {"version": "1"}, "videos": [], "annotations": [],
            "categories": [{"id": c, "name": f"class{c}"} for c in range(1, categories + 1)]}
    for v in range(1, videos + 1):
        length = 1 + v % 3
        data["videos"].append({"id": v, "height": 4, "width": 6, "length": length,
                               "file_names": [f"{v}/{t}.jpg" for t in range(length)]})
        for c in {1 + v * v % categories, 1 + v * 7 % categories}:
            data["annotations"].append({"id": len(data["annotations"]) + 1, "video_id": v, "category_id": c,
                                        "segmentations": [[[0, 0, 2, 0, 2, 2]]] * length})
    return data


def put(root, name, data):
    path = root / STANDARD_SPLITS[name].source
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


@pytest.fixture(scope="module")
def ovis(tmp_path_factory):
    """A root with the reference split of a file of OVIS's size."""
    root = tmp_path_factory.mktemp("root")
    put(root, "ovis", released(607, 25))
    return root, split_standard("ovis", str(root))


def test_the_known_numbers_of_videos_and_categories():
    known = {name: (split.videos, split.categories) for name, split in STANDARD_SPLITS.items()}
    assert known == {"ytvis_2019": (2238, 40), "ytvis_2021": (2985, 40), "ovis": (607, 25)}


def test_one_tenth_is_held_out(ovis):
    _, (train, val) = ovis
    # 61 = round(607 / 10)
    assert (train.videos, val.videos) == (546, 61)
    halves = [json.loads(open(half.path).read()) for half in (train, val)]
    ids = [{video["id"] for video in half["videos"]} for half in halves]
    assert not ids[0] & ids[1] and ids[0] | ids[1] == set(range(1, 608))
    assert all({a["category_id"] for a in half["annotations"]} == set(range(1, 26)) for half in halves)
    record = halves[1]["info"]["split"]
    assert record["name"] == "ovis_ref" and record["sha256"] == val.sha256 == video_ids_sha256(ids[1])
    rule = [record[key] for key in ("rule", "seed", "val_fraction", "stratify")]
    assert rule == [1, 0, 0.1, ["class", "length"]]


def test_the_rule_does_not_change(ovis):
    # another hash here means that numbers on the reference splits can no longer be compared: that needs a new rule
    # number
    _, (_, val) = ovis
    assert val.sha256 == "fc427085706f6603ad004478590ad1980445c2b51f19567b9346a7147add0c74"


def test_the_halves_are_where_the_registered_names_look(ovis):
    root, halves = ovis
    splits = builtin_splits(str(root))
    for name, half in zip(("ovis_train_ref", "ovis_val_ref"), halves):
        assert splits[name][:2] == (half.path, os.path.join(root, "ovis/train"))
        assert len(load_ytvis_json(*splits[name][:2])) == half.videos
        assert MetadataCatalog.get(name).evaluator_type == "ytvis"


@pytest.mark.parametrize("name", ["ytvis_2019_train_ref", "ytvis_2021_val_ref", "ovis_val_ref"])
def test_a_split_that_is_not_made_yet_names_the_command(name):
    set_name, root = name.rsplit("_", 2)[0], builtin.datasets_root()
    if not os.path.exists(MetadataCatalog.get(name).json_file):
        with pytest.raises(FileNotFoundError, match=f"vis split --standard {set_name} --root {root}"):
            DatasetCatalog.get(name)


@pytest.mark.parametrize(("videos", "categories"), [(606, 25), (607, 24)])
def test_another_release_is_refused(tmp_path, videos, categories):
    path = put(tmp_path, "ovis", released(videos, categories))
    message = f"has {videos} videos and {categories} categories, OVIS train has 607 and 25"
    with pytest.raises(DatasetError, match=message):
        split_standard("ovis", str(tmp_path))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_missing_broken_and_unknown_sets(tmp_path):
    with pytest.raises(FileNotFoundError, match="ovis_train.*annotations_train.json does not exist. Get it"):
        split_standard("ovis", str(tmp_path))
    data = released(607, 25)
    data["annotations"][0]["category_id"] = 99
    put(tmp_path, "ovis", data)
    with pytest.raises(DatasetError, match="category_id: is 99"):
        split_standard("ovis", str(tmp_path))
    with pytest.raises(ValueError, match="'coco'; there are ytvis_2019, ytvis_2021, ovis"):
        split_standard("coco", str(tmp_path))
