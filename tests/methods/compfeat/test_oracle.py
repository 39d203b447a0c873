"""Ground-truth boxes of every frame, followed by CompFeat's own association."""

import torch

from tests.methods.compfeat.clips import small_model
from tests.methods.masktrack_rcnn.pairs import frames
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data.ytvis_json import load_ytvis_json
from vis_projects.engine.oracles import OracleModel


def test_true_boxes_are_followed(tmp_path):
    (record,) = load_ytvis_json(*write_toy_ytvis(tmp_path, videos=1, frames=4))
    objects = {annotation["id"] for frame in record["annotations"] for annotation in frame}
    image = frames(1)[0]
    model = OracleModel(small_model().eval(), "image", [record]).eval()
    item = {key: record[key] for key in ("video_id", "height", "width")}
    with torch.no_grad():
        (results,) = model([{"image": [image] * 4, **item}])
    assert results.length == 4 and results.inference_mode == "offline, supports uniform_video"
    # cues of place and class alone tell the objects apart: untrained scores are near 0
    assert len(results.tracks) == len(objects) and all(track.score == 1 for track in results.tracks)
    shown = sum(len(frame) for frame in record["annotations"])
    assert sum(track.length for track in results.tracks) == shown
