"""What a user imports: every name is there, and importing is silent and needs nothing special."""

import os
import subprocess
import sys

import pytest

import vis_projects


@pytest.mark.parametrize("name", vis_projects.__all__)
def test_name_can_be_imported(name):
    assert getattr(vis_projects, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        vis_projects.no_such_name


def test_import_is_silent_and_light():
    # in a fresh interpreter, with and without the compiled ops: nothing printed, no OpenCV, no CUDA start
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import sys, torch, detectron2.data, detectron2.evaluation\n"
        "from detectron2.modeling import META_ARCH_REGISTRY\n"
        "before = set(sys.modules)\n"
        "import vis_projects\n"
        "assert 'MaskTrackRCNN' in META_ARCH_REGISTRY\n"
        "assert 'cv2' not in set(sys.modules) - before and not torch.cuda.is_initialized()\n"
    )
    for environment in ({}, {"VIS_DISABLE_NATIVE": "1"}):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              env={**os.environ, **environment})
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""


def test_model_is_built_by_a_plain_detectron2_script():
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model

    cfg = get_cfg()
    vis_projects.add_vis_config(cfg)
    cfg.merge_from_file(
        vis_projects.model_zoo.get_config_file("quick_schedules/masktrack_rcnn_R_50_FPN_narrow_synthvis_tiny.yaml")
    )
    model = build_model(cfg)
    assert type(model).__name__ == "MaskTrackRCNN" and model.training
