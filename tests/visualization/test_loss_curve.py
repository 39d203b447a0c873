import json
import xml.etree.ElementTree as ElementTree

import pytest

from vis_projects.visualization.loss_curve import loss_curve_svg, read_losses


def log(path, *rows, end=""):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + end)
    return path


def test_an_empty_log(tmp_path):
    assert read_losses(log(tmp_path / "m.json")) == {}
    assert read_losses(log(tmp_path / "m.json", {"iteration": 3, "lr": 0.1}, {"AP": 3.0})) == {}


def test_losses_are_read_total_first(tmp_path):
    rows = [{"iteration": k, "loss_b": k + 1, "total_loss": 2 * k, "loss_a": 1, "time": 3} for k in (0, 20)]
    assert read_losses(log(tmp_path / "m.json", *rows)) == {
        "total_loss": [(0, 0), (20, 40)], "loss_a": [(0, 1), (20, 1)], "loss_b": [(0, 1), (20, 21)]
    }


def test_resumed_interrupted_and_not_finite(tmp_path):
    rows = [{"iteration": k, "total_loss": v} for k, v in ((0, 5), (10, 4), (20, 3), (10, 8), (30, float("nan")))]
    path = log(tmp_path / "m.json", *rows, end='{"iteration": 4')
    assert read_losses(path) == {"total_loss": [(0, 5), (10, 8), (20, 3)]}


@pytest.mark.parametrize("text, message", [("x\n{}\n", "line 1 is no json"), ("[1]\n{}\n", "line 1 is no json object")])
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_losses(tmp_path / "m.json")


@pytest.mark.parametrize("values", [
    [(5, 1.0)], [(0, 0.0), (1, 0.0)], [(0, -2.0), (9, 3.0)], [(k, k) for k in range(5000)]
])
def test_any_curve_stays_in_the_picture(values):
    svg = ElementTree.fromstring(loss_curve_svg({"total_loss": values, "loss_<x>": values}))
    _, _, width, height = map(float, svg.get("viewBox").split())
    lines = svg.findall("polyline")
    assert len(lines) == 2
    points = [tuple(map(float, point.split(","))) for point in lines[0].get("points").split()]
    assert 1 <= len(points) <= 400
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert any("loss_<x>" in text.text for text in svg.findall("text"))


def test_the_highest_value_is_at_the_top_and_the_last_iteration_on_the_right():
    svg = ElementTree.fromstring(loss_curve_svg({"total_loss": [(0, 4.0), (100, 1.0)]}))
    first, last = svg.find("polyline").get("points").split()
    assert first == "56.0,14.0"  # left and top margin
    assert last == "570.0,203.0"  # 760 - 190; 14 + 3/4 * (300 - 14 - 34)
