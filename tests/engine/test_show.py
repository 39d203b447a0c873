"""Pictures and videos of annotations and results: what is written, what is marked, what is refused."""

import json

import pytest

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.engine import show_data, show_results
from vis_projects.engine.errors import DataError
from vis_projects.engine.frame_reader import open_frames
from vis_projects.structures import VideoResults


@pytest.fixture
def toy(tmp_path):
    """(json path, image root, parsed json) of two videos with three objects, four frames of 48 x 64."""
    json_file, images = write_toy_ytvis(tmp_path / "toy")
    return json_file, images, json.loads(open(json_file).read())


def perfect(data: dict) -> list[dict]:
    return [{"video_id": a["video_id"], "category_id": a["category_id"], "score": 0.9,
             "segmentations": list(a["segmentations"])} for a in data["annotations"]]


def save(path, content) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def test_annotations_are_drawn(toy, tmp_path):
    text = show_data(toy[0], None, str(tmp_path / "out"), videos=1)
    out = tmp_path / "out"
    assert str(out / "index.html") in text and (out / "sheets" / "1.jpg").is_file()
    frames = list(open_frames(out / "videos" / "1.mp4"))
    assert len(frames) == 4 and frames[0].shape == (48, 64, 3)
    page = (out / "index.html").read_text()
    assert "Video 1" in page and "Video 2" not in page and 'href="videos/1.mp4"' in page and "missed" not in page


def test_perfect_results_have_no_mark(toy, tmp_path):
    results = save(tmp_path / "results.json", perfect(toy[2]))
    text = show_results(results, str(tmp_path / "out"), gt=toy[0], image_root=toy[1])
    assert text.count("0 missed, 0 false, 0 switch") == 2
    # two sides of 64 px and a strip of 4 px
    assert next(iter(open_frames(tmp_path / "out" / "videos" / "2.mp4"))).shape == (48, 132, 3)


def test_misses_false_finds_and_switches_are_counted(toy, tmp_path):
    found = perfect(toy[2])
    # object 0 of video 1: found by one track in frames 0 and 1, by another one in frames 2 and 3 -> 1 switch
    first, second = dict(found[0]), dict(found[0])
    first["segmentations"] = [*found[0]["segmentations"][:2], None, None]
    second["segmentations"] = [None, None, *found[0]["segmentations"][2:]]
    # object 1 of video 1: never found -> 4 missed; object 2 of video 1 is there in 3 of 4 frames and found
    # video 2: all three found, and a track in the upper left corner, where nothing is -> 4 false
    runs = {"size": [48, 64], "counts": [0, 3, 45, 3, 45, 3, 45 + 61 * 48]}
    spurious = {"video_id": 2, "category_id": 7, "score": 0.8, "segmentations": [runs] * 4}
    weak = {"video_id": 2, "category_id": 7, "score": 0.1, "segmentations": [runs] * 4}
    results = save(tmp_path / "results.json", [first, second, *found[2:], spurious, weak])
    text = show_results(results, str(tmp_path / "out"), gt=toy[0], image_root=toy[1])
    assert "4 missed, 0 false, 1 switch" in text and "0 missed, 4 false, 0 switch" in text
    assert "Yellow on the right" in (tmp_path / "out" / "index.html").read_text()


def test_results_without_ground_truth_are_drawn_alone(toy, tmp_path):
    results = save(tmp_path / "results.json", perfect(toy[2]))
    bare = save(tmp_path / "valid.json", {**toy[2], "annotations": None})
    text = show_results(results, str(tmp_path / "out"), gt=bare, image_root=toy[1], video_ids=["2"])
    assert "missed" not in text and "video 2" in text and "video 1:" not in text
    assert next(iter(open_frames(tmp_path / "out" / "videos" / "2.mp4"))).shape == (48, 64, 3)


def test_result_of_a_video_of_ones_own(toy, tmp_path):
    found = VideoResults.from_records(perfect(toy[2]), video_id=1, height=48, width=64, length=4)
    found.save(tmp_path / "own.json")
    text = show_results(str(tmp_path / "own.json"), str(tmp_path / "out"), source=toy[1] + "/video0", draw_text=False)
    assert (tmp_path / "out" / "videos" / "1.mp4").is_file() and "video 1" in text
    found.length = 5
    found.save(tmp_path / "long.json")
    with pytest.raises(DataError, match="has 5 frames, .*video0 4"):
        show_results(str(tmp_path / "long.json"), str(tmp_path / "out2"), source=toy[1] + "/video0")


def test_what_does_not_fit_is_named(toy, tmp_path):
    out, results = str(tmp_path / "out"), save(tmp_path / "results.json", perfect(toy[2]))
    VideoResults(1, 48, 64, 4).save(tmp_path / "own.json")
    for call, message in (
        (lambda: show_results(results, out), "name the json of its data set with --gt"),
        (lambda: show_results(str(tmp_path / "own.json"), out), "name that video with --input"),
        (lambda: show_results(results, out, gt=toy[0], image_root="nowhere"), "nowhere: no such folder"),
        (lambda: show_results(results, out, gt=toy[0], video_ids=["9"]), "has no video 9; it has 1, 2"),
        (lambda: show_results(toy[1] + "/video0/00000.jpg", out, gt=toy[0]), "00000.jpg: no json"),
        (lambda: show_data("nope.json", None, out), "nope.json: no such file"),
        (lambda: show_data(save(tmp_path / "toy" / "valid.json", {**toy[2], "annotations": None}), None, out),
         "has no annotations to show"),
    ):
        with pytest.raises(DataError, match=message):
            call()
    broken = perfect(toy[2])
    broken[0]["segmentations"] = broken[0]["segmentations"][:2]
    with pytest.raises(DataError, match="has 2 segmentations, the video has 4.*vis pack"):
        show_results(save(tmp_path / "short.json", broken), out, gt=toy[0])
