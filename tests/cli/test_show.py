"""`vis show-data` and `vis show-results`: the lines of their help run on a generated set."""

import json
import shlex
from pathlib import Path

from vis_projects.cli import show_data, show_results
from vis_projects.cli.main import main
from vis_projects.structures import VideoResults


def test_lines_of_the_help_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["synth", "--preset", "tiny", "--seed", "0", "--videos", "1", "--splits", "val", "--out", "."]) == 0
    for name in ("instances.json", "JPEGImages"):
        Path("val", name).rename(name)
    data = json.loads(Path("instances.json").read_text())
    results = [{"video_id": a["video_id"], "category_id": a["category_id"], "score": 0.5,
                "segmentations": a["segmentations"]} for a in data["annotations"]]
    Path("results.json").write_text(json.dumps(results))
    video = data["videos"][0]
    size = {key: video[key] for key in ("height", "width", "length")}
    VideoResults.from_records(results, video_id=video["id"], **size).save("out.json")
    Path("JPEGImages", video["file_names"][0]).parent.rename("clip.mp4")  # a folder of frames is a video too
    lines = [line.strip().split("   ")[0] for verb in (show_data, show_results) for line in verb.__doc__.splitlines()
             if line.startswith("  vis ")]
    assert len(lines) == 3
    own = [line for line in lines if "--input" in line]
    assert main(shlex.split(own[0])[1:]) == 0
    Path("clip.mp4").rename(Path("JPEGImages", video["file_names"][0]).parent)
    for line in lines:
        if line not in own:
            assert main(shlex.split(line)[1:]) == 0
    assert Path("shown/index.html").is_file() and list(Path("shown/videos").iterdir())
