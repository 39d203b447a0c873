"""Functions behind the verbs on data: their texts, and one-line errors; the verbs are tested in tests/cli."""

import json

import pytest

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.engine.data_tools import generate_synthvis, split_file, synthvis_stats
from vis_projects.engine.errors import DataError


def test_generated_set_and_its_statistics(tmp_path):
    paths = generate_synthvis("tiny", 0, str(tmp_path), splits=["val"], videos=1).splitlines()
    assert paths == [str(tmp_path / "val" / "instances.json")]
    assert json.loads(open(paths[0]).read())["videos"][0]["length"] > 0
    assert "videos" in synthvis_stats(["stats", paths[0]])


@pytest.mark.parametrize(("splits", "workers"), [(["nope"], 1), (["val"], 0)])
def test_what_cannot_be_generated(tmp_path, splits, workers):
    with pytest.raises(DataError, match="nope|workers"):
        generate_synthvis("tiny", 0, str(tmp_path), splits=splits, workers=workers, videos=1)


def test_a_split_that_is_not_possible(tmp_path):
    json_file, _ = write_toy_ytvis(tmp_path, videos=1)
    with pytest.raises(DataError, match="two videos"):
        split_file(json_file, val_fraction=0.5, seed=0, stratify=("class",), out_dir=None)
    with pytest.raises(DataError, match="val_fraction is 2"):
        split_file(json_file, val_fraction=2.0, seed=0, stratify=("class",), out_dir=None)
