import json

import pytest

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.engine import fault_report, fix_data, list_faults
from vis_projects.engine.errors import DataError


@pytest.fixture
def broken(tmp_path):
    """A set whose first video has a wrong length and whose second annotation has a wrong box."""
    json_file, images = write_toy_ytvis(tmp_path, videos=1)
    data = json.loads(open(json_file).read())
    data["videos"][0]["length"] = 9
    (tmp_path / "instances.json").write_text(json.dumps(data))
    return json_file, images


def test_a_set_without_faults(tmp_path):
    json_file, images = write_toy_ytvis(tmp_path, videos=1)
    assert list_faults(json_file, images) == []
    report = fault_report(json_file, [])
    # the toy's categories are 7, 40 and 1001
    assert "no fault found" in report and "note: categories: 3 ids from 7 to 1001" in report


def test_faults_as_text_and_json(broken, tmp_path):
    faults = list_faults(*broken)
    report = fault_report(broken[0], faults, str(tmp_path / "out" / "faults.json"))
    assert "video 1, length: is 9" in report and "stops training" in report
    (entry,) = json.loads((tmp_path / "out" / "faults.json").read_text())
    assert (entry["video"], entry["field"], entry["fatal"]) == (1, "length", True) and entry["remedy"]


def test_a_copy_is_repaired(broken, tmp_path):
    text, left = fix_data(broken[0], str(tmp_path / "fixed.json"), broken[1])
    assert left == [] and "length: 9 became 4" in text and "1 repairs, 0 faults are left" in text
    with pytest.raises(DataError, match="to be repaired"):
        fix_data(broken[0], broken[0])


def test_what_is_missing_is_named(tmp_path):
    for call in (lambda: list_faults("nope.json"), lambda: fix_data("nope.json", "out.json")):
        with pytest.raises(DataError, match="nope.json: no such file"):
            call()
