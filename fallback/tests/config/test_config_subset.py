"""What the subset refuses although Detectron2 converts it."""

import pytest

from detectron2.config import get_cfg


@pytest.mark.parametrize(
    "text",
    ["VERSION: 1\nSEED: 1\n", "MODEL:\n  WEIGHT: a.pkl\n", "TEST:\n  AUG_ON: True\n"],
    ids=["mark", "weight", "aug"],
)
def test_files_of_version_1_are_named_as_such(tmp_path, text):
    path = tmp_path / "old.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"old\.yaml.*VERSION 1.*MODEL\.WEIGHTS"):
        get_cfg().merge_from_file(str(path))
