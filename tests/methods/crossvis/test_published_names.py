"""Published checkpoints of CondInst and CrossVIS fit name by name, whole or as the start of a training."""

import pytest
import torch
from detectron2.modeling import build_model

from tests.methods.crossvis import published_names
from vis_projects.engine import CheckpointError, VISCheckpointer, convert_weights, load_config
from vis_projects.engine.convert_weights import compare, read_weights
from vis_projects.modeling.weight_formats import WEIGHT_FORMATS

CONDINST = "condinst/condinst_R_50_FPN_ms_1x_coco.yaml"
CROSSVIS = "crossvis/crossvis_R_50_FPN_1x_ytvis2019.yaml"


@pytest.fixture(scope="module")
def crossvis():
    opts = ["MODEL.DEVICE", "cpu", "MODEL.WEIGHTS", "", "MODEL.VIS.NUM_IDENTITIES", "3774"]
    return build_model(load_config(CROSSVIS, opts))


@pytest.fixture(scope="module")
def condinst_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "condinst.pth"
    torch.save({"model": published_names.weights(published_names.condinst(80)), "iteration": 89999}, path)
    return str(path)


def test_the_number_of_parameters_is_the_published_one(crossvis):
    assert sum(parameter.numel() for parameter in crossvis.parameters()) == 37_417_569
    assert sum(parameter.numel() for parameter in crossvis.cls.parameters()) == 969_918


def test_every_name_and_shape_of_crossvis_is_the_published_one(crossvis):
    expected = published_names.crossvis(40, 3774)
    assert {name: tuple(value.shape) for name, value in crossvis.state_dict().items()} == expected
    report = compare(WEIGHT_FORMATS.get("adelaidet")(published_names.weights(expected)), crossvis, "x")
    assert report.fraction == 1.0
    assert report.missing == report.unexpected == report.wrong_shape == ()


def test_a_condinst_converts_whole(condinst_file, tmp_path):
    out = tmp_path / "ours.pth"
    text = convert_weights(condinst_file, str(out), weight_format="adelaidet", config_file=CONDINST)
    assert "(100.0 %); 0 names missing, 0 of another shape, 0 unexpected" in text and text.endswith(str(out))
    expected = published_names.condinst(80)
    assert {name: tuple(value.shape) for name, value in read_weights(str(out)).items()} == expected
    with pytest.raises(CheckpointError, match="exists"):
        convert_weights(condinst_file, str(out), weight_format="adelaidet", config_file=CONDINST)


def test_a_condinst_starts_a_crossvis_and_the_report_names_the_rest(crossvis, condinst_file):
    checkpointer = VISCheckpointer(crossvis, min_matched=0.5)
    checkpointer.load(condinst_file, checkpointables=[])
    report = checkpointer.report
    head = "proposal_generator.fcos_head"
    assert {name for name, _, _ in report.wrong_shape} == {f"{head}.cls_logits.weight", f"{head}.cls_logits.bias"}
    branch = set(published_names.crossvis(40, 3774)) - set(published_names.condinst(40))
    assert set(report.missing) == branch - {f"{head}.reid_pred_bn.num_batches_tracked"}
    assert {name.split(".")[-2] for name in branch} >= {"reid_pred", "reid_pred_bn", "cls"}
    assert report.fraction > 0.9


def test_a_crossvis_is_no_condinst_and_nothing_is_written(tmp_path):
    path, out = tmp_path / "crossvis.pth", tmp_path / "ours.pth"
    torch.save(published_names.weights(published_names.crossvis(40, 3774)), path)
    with pytest.raises(CheckpointError, match=r"2 of another shape, \d+ unexpected(?s:.)*Nothing was written.*CLASSES"):
        convert_weights(str(path), str(out), weight_format="adelaidet", config_file=CONDINST)
    assert not out.exists()
    text = convert_weights(str(path), str(out), weight_format="adelaidet", config_file=CONDINST, partial=True)
    assert "reid_pred" in text and "cls.weight" not in read_weights(str(out))
