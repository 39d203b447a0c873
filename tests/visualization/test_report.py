import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from tests.visualization.scenes import frame
from vis_projects.visualization import write_report


class Result:
    """As an evaluation gives it; class cat has ground truth, class dog has none."""

    stats = {"AP": 0.125, "AP50": 0.5, "AP75": -1.0, "AR1": 0.25, "AR10": 1.0}
    per_class = {"cat<b>": stats, "dog": dict.fromkeys(stats, -1.0)}
    num_truth = {"cat<b>": 3, "dog": 0}


class Tags(HTMLParser):
    """Open tags have to be closed in order; collects all tags and attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "line", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in ("line", "polyline") or self.open.pop() == tag


def parse(text):
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.seen


def test_a_report_of_nothing_says_what_is_missing(tmp_path):
    path = write_report(tmp_path / "new" / "report.html", title="Empty", metrics_json=tmp_path / "none.json")
    text = path.read_text()
    parse(text)
    for sentence in ("No training log.", "No ground truth: there are no scores.", "No pictures."):
        assert sentence in text
    assert "torch" in text, "the environment is asked for"


def test_everything_is_inside_the_file(tmp_path):
    losses = [{"iteration": k, "total_loss": 2.0 - k / 20, "loss_cls": 1.0} for k in range(0, 21, 5)]
    (tmp_path / "metrics.json").write_text("".join(json.dumps(entry) + "\n" for entry in losses))
    path = write_report(
        tmp_path / "report.html", title="Run <1>", metrics_json=tmp_path / "metrics.json", eval_result=Result(),
        contact_sheets={"video <3>": frame(), "video 4": frame(7)}, class_names=["cat<b>", "dog"],
        environment="cpu & more",
    )
    text = path.read_text()
    tags = parse(text)
    names = [name for name, _ in tags]
    assert "script" not in names and "link" not in names and names.count("svg") == 1
    assert not re.search(r"https?://", text)
    sources = [attrs["src"] for name, attrs in tags if name == "img"]
    data = [base64.b64decode(source.removeprefix("data:image/jpeg;base64,")) for source in sources]
    images = [np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in data]
    assert [image.shape for image in images] == [(40, 60, 3)] * 2
    assert [round(float(image.mean())) for image in images] == [100, 7]
    for piece in ("Run &lt;1&gt;", "video &lt;3&gt;", "cat&lt;b&gt;", "cpu &amp; more", "<td>12.5</td>", "<td>–</td>",
                  "total_loss: 2 at iteration 0, 1 at iteration 20."):
        assert piece in text
    assert "<td>dog</td>" not in text, "no scores of a class without ground truth"


def test_pictures_without_captions_are_numbered(tmp_path):
    text = write_report(tmp_path / "r.html", title="x", contact_sheets=[frame()], environment="").read_text()
    assert "video 1" in text and "No pictures." not in text


def test_a_log_without_losses(tmp_path):
    (tmp_path / "metrics.json").write_text('{"iteration": 1, "lr": 0.1}\n')
    path = write_report(tmp_path / "r.html", title="x", metrics_json=tmp_path / "metrics.json", environment="")
    text = path.read_text()
    assert "The training log has no losses." in text
