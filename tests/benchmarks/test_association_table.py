"""The tables of trackers: shared detections, rows, means."""

from types import SimpleNamespace

import pytest
import torch
from detectron2.modeling import build_model

from benchmarks.association_table import COEFFICIENTS, PARTS, TABLE_1, TABLE_2, TRACKED, row_config, tables, tracked
from benchmarks.detect_once import DetectOnce
from benchmarks.tracker_cost import MovingSquares, give_masks_of_last_frame
from tests.methods.track_by_detection.models import OWN, config, frames, video
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data import register_ytvis
from vis_projects.engine import load_config
from vis_projects.methods.osmn.guides import mask_boxes


def own_model():
    torch.manual_seed(0)
    cfg = config(OWN, tracker="MaskTrackRCNNTracker")
    cfg.MODEL.META_ARCHITECTURE = "MaskTrackRCNN"
    return build_model(cfg).eval()


def test_every_tracker_gets_the_same_detections_and_none_detects_anew():
    model = own_model()
    once = DetectOnce(model)
    for tracker in ("MaskTrackRCNNTracker", "IoUTrackerPlus", "DeepSORTTracker", "SeqTracker"):
        (results,) = tracked(once, config(OWN, tracker=tracker))([video(3)])
        assert results.length == 3 and results.tracks
        assert once.calls == 3
    # its own tracker behind the shared detections gives what the model itself gives
    (shared,) = tracked(once, config(OWN, tracker="MaskTrackRCNNTracker"))([video(3)])
    (alone,) = model([video(3)])
    assert [t.segmentations for t in shared.tracks] == [t.segmentations for t in alone.tracks]


def test_detections_handed_out_can_be_changed_without_harm():
    once = DetectOnce(own_model())
    item = {"image": frames(1)[0], "height": 96, "width": 128}
    (first,) = once([item])
    first["instances"].pred_ids = torch.arange(len(first["instances"]))
    (second,) = once([item])
    assert not second["instances"].has("pred_ids")


def test_rows_are_the_papers():
    assert len(TABLE_2) == 8 and len({opts[-1] for opts, _ in TABLE_2.values()}) == 8
    full = load_config(TRACKED, TABLE_2["x | x | x"][0]).MODEL.MASKTRACK.MATCH_COEFF
    assert tuple(full) == (1.0, 2.0, 10.0)
    assert tuple(load_config(TRACKED, TABLE_2["- | x | -"][0]).MODEL.MASKTRACK.MATCH_COEFF) == (0.0, 2.0, 0.0)
    assert COEFFICIENTS in TABLE_2["- | - | -"][0]
    assert {"IoUTracker+", "OSMN", "DeepSORT", "SeqTracker", "MaskTrack R-CNN"} <= set(TABLE_1)


@pytest.mark.parametrize("row", [row for row, (_, part) in TABLE_1.items() if part is not None])
def test_a_row_uses_the_network_that_its_part_trains(row):
    opts, part = TABLE_1[row]
    section = "REID" if part == "reid" else "OSMN"
    assert load_config(PARTS[part][0]).MODEL[section] == load_config(TRACKED, opts).MODEL[section]


def test_the_config_of_a_row(tmp_path):
    register_ytvis("toy_for_association", *write_toy_ytvis(tmp_path, videos=1, frames=2))
    weights = {"detector": tmp_path / "d.pth", "reid": tmp_path / "r.pth"}
    opts, part = TABLE_1["DeepSORT"]
    cfg = row_config([*opts, "DATASETS.TEST", "('toy_for_association',)"], weights, part, tmp_path / "row")
    assert cfg.MODEL.WEIGHTS == str(tmp_path / "d.pth") and cfg.MODEL.VIS.TRACKER.WEIGHTS == str(tmp_path / "r.pth")
    assert cfg.MODEL.ROI_HEADS.NUM_CLASSES == 3 and cfg.OUTPUT_DIR == str(tmp_path / "row")


def test_tables_hold_means_over_the_seeds():
    def row(ap):
        return {"AP": ap, "AP50": 0.5, "AP75": None, "AR1": 0.0, "AR10": 1.0, "HOTA": 0.25, "AssA": 0.5, "IDSW": 3}

    seeds = {k: {(1, "X"): row(ap), (2, "- | x | -"): row(ap), (3, "image"): row(ap)} for k, ap in ((1, 0.1), (2, 0.3))}
    text = tables(seeds)
    assert "| X | 20.0 | 50.0 | - | 0.0 | 100.0 | 25.0 | 50.0 | 3.0 | 10.0 / 30.0 |" in text
    assert "| Det | IoU | Cat | AP |" in text and "| - | x | - | 20.0 |" in text
    for part in text.split("\n\n"):
        lines = part.splitlines()
        if lines[0].startswith("|"):
            assert len({line.count("|") for line in lines}) == 1  # as many cells in each line


def test_moving_squares_replace_what_was_found():
    class Finder(torch.nn.Module):
        def forward(self, items):
            return [{"instances": [1, 2, 3]} for _ in items]

    squares = MovingSquares(Finder(), 20)
    item = {"image": torch.zeros(3, 90, 160, dtype=torch.uint8), "height": 360, "width": 640}
    (first,), (second,) = squares([item]), squares([item])
    assert squares.found == 6 and len(first["instances"]) == 20
    assert torch.equal(squares.shown[0], first["instances"].pred_masks) and len(squares.shown) == 2
    step = second["instances"].pred_boxes.tensor - first["instances"].pred_boxes.tensor
    assert torch.equal(step, torch.full((20, 4), 3.0))
    assert torch.equal(first["instances"].pred_masks, squares.masks(0))
    for found in (first["instances"], second["instances"]):  # the masks fill the boxes
        assert torch.equal(mask_boxes(found.pred_masks), found.pred_boxes.tensor)
        assert found.pred_masks.flatten(1).sum(1).tolist() == [2500] * 20


def test_a_network_of_random_weights_works_for_the_squares_that_it_would_have_to_find():
    squares, calls = MovingSquares(torch.nn.Identity(), 2), []
    network = SimpleNamespace(propagate=lambda images, size, factors, locations: calls.append(1) or locations)
    give_masks_of_last_frame(network, squares)
    squares.shown = [squares.masks(0), squares.masks(1)]  # in the second frame, after the detector
    assert torch.equal(network.propagate(None, None, None, torch.zeros(2, 4)), squares.masks(0)) and calls == [1]
    with pytest.raises(AssertionError, match="3 tracks of 2 squares"):
        network.propagate(None, None, None, torch.zeros(3, 4))
