"""Released checkpoints fit name by name; the bias of deformable convolutions moves into the batch norm."""

import pytest
import torch
from detectron2.modeling import build_model

from tests.methods.stmask import published_names
from vis_projects.engine import CheckpointError, convert_weights, load_config
from vis_projects.engine.convert_weights import compare, read_weights
from vis_projects.methods.stmask.weights import stmask

R50 = "stmask/stmask_ada_R_50_FPN_ytvis2019.yaml"


@pytest.fixture(scope="module")
def model():
    return build_model(load_config(R50, ["MODEL.DEVICE", "cpu"]))


def zeros(shapes):
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("options", "millions"),
    [
        # of the released models, counted by running them
        ({"calibrated": ()}, 47.647), ({}, 50.203),
        ({"depth": 101, "interval": 3, "calibrated": ()}, 66.827), ({"depth": 101, "interval": 3}, 69.383),
        ({"depth": 101, "interval": 3, "adaptive": False}, 69.382),
        ({"depth": 101, "interval": 3, "calibrated": ("conf", "mask")}, 71.939),
        ({"depth": 101, "interval": 3, "calibrated": ("conf", "mask", "track")}, 74.495),
        ({"depth": 101, "interval": 3, "calibrated": ("mask", "track"), "adaptive": False}, 71.938),
    ],
)
def test_the_list_of_published_names_has_the_published_number_of_parameters(options, millions):
    assert published_names.parameters(published_names.stmask(**options)) == pytest.approx(millions * 1e6, abs=500)


def test_every_released_name_and_shape_fits(model):
    report = compare(stmask(zeros(published_names.stmask())), model, "x")
    assert report.missing == report.unexpected == report.wrong_shape == ()
    assert report.fraction == 1.0
    # frozen norms are no parameters here, and the 7 deformable convolutions have no bias
    norms = 2 * sum(shape[0] for name, shape in published_names.resnet(50, 2).items() if name.endswith("running_mean"))
    biases = 2 * 128 + 3 * 256 + 2 * 512
    assert report.total == published_names.parameters(published_names.stmask()) - norms - biases


def test_an_interval_of_3_does_not_pass_for_one_of_2(model):
    report = compare(stmask(zeros(published_names.stmask(interval=3))), model, "x")
    offsets = [f"backbone.bottom_up.{block}.conv2_offset.{part}" for block in ("res3.2", "res4.2", "res4.4", "res5.2")
               for part in ("bias", "weight")]
    assert list(report.missing) == offsets
    assert {name.rsplit(".", 1)[0] for name in report.unexpected} == {
        f"backbone.bottom_up.{block}.conv2_offset" for block in ("res3.3", "res4.3")}


def test_a_bias_before_the_norm_comes_off_the_running_mean():
    at = "backbone.layers.1.0"
    weights = {f"{at}.conv2.bias": torch.tensor([1.0, -2.0]), f"{at}.bn2.running_mean": torch.tensor([5.0, 5.0]),
               f"{at}.bn1.running_mean": torch.tensor([3.0]), f"{at}.bn2.num_batches_tracked": torch.tensor(7)}
    converted = stmask(weights)
    assert set(converted) == {"backbone.bottom_up.res3.0.conv2.norm.running_mean",
                              "backbone.bottom_up.res3.0.conv1.norm.running_mean"}
    # (x + b - m) / s = (x - (m - b)) / s
    assert converted["backbone.bottom_up.res3.0.conv2.norm.running_mean"].tolist() == [4.0, 7.0]
    assert converted["backbone.bottom_up.res3.0.conv1.norm.running_mean"].tolist() == [3.0]


def test_a_file_converts_whole_and_another_one_does_not(tmp_path):
    path, out = tmp_path / "released.pth", tmp_path / "ours.pth"
    torch.save(zeros(published_names.stmask()), path)
    text = convert_weights(str(path), str(out), weight_format="stmask", config_file=R50)
    assert "(100.0 %); 0 names missing, 0 of another shape, 0 unexpected" in text
    assert "head.conf_layer.2.conv_adaption.weight" in read_weights(str(out))
    torch.save(zeros(published_names.stmask(calibrated=())), path)
    with pytest.raises(CheckpointError, match="Nothing was written"):
        convert_weights(str(path), str(tmp_path / "other.pth"), weight_format="stmask", config_file=R50)


def test_of_a_yolact_with_other_heads_the_shared_body_is_written(tmp_path):
    body = ("backbone.", "fpn.", "proto_net.", "prediction_layers.0.upfeature.")
    shapes = {name: shape for name, shape in published_names.stmask(interval=1).items() if name.startswith(body)}
    others = published_names.with_bias("prediction_layers.0.bbox_layer", 12, 256, 3, 3)
    others |= published_names.with_bias("semantic_seg_conv", 80, 256, 1, 1)
    path, out = tmp_path / "yolact.pth", tmp_path / "start.pth"
    torch.save(zeros(shapes | others), path)
    with pytest.raises(CheckpointError, match="Nothing was written"):
        convert_weights(str(path), str(out), weight_format="stmask", config_file=R50)
    convert_weights(str(path), str(out), weight_format="stmask", config_file=R50, partial=True)
    written = set(read_weights(str(out)))
    assert {name.split(".")[0] for name in written} == {"backbone", "proto_net", "head"}
    assert {name for name in written if name.startswith("head")} == {
        "head.upfeature.0.weight", "head.upfeature.0.bias"}
    # 13 deformable blocks there, 7 here
    assert len([name for name in written if name.endswith("conv2_offset.weight")]) == 7
