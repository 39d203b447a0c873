"""Every config of the zoo builds, trains two iterations and evaluates on a generated set, on a CPU."""

import argparse

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog

from tests.data.toy_cfg import register_toy_images
from tests.toy_ytvis import DEFAULT_CATEGORIES, write_toy_ytvis
from vis_projects import model_zoo, register_ytvis
from vis_projects.engine import VISTrainer, load_config, setup

NAME = "toy_for_every_config"


def leaf_configs() -> list[str]:
    """Configs that a user starts; Base-* files are only inherited from."""
    return [name for name in model_zoo.list_configs() if not name.split("/")[-1].startswith("Base-")]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("toy")
    register_ytvis(NAME, *write_toy_ytvis(root, videos=2, frames=3))
    yield NAME
    DatasetCatalog.remove(NAME)
    MetadataCatalog.remove(NAME)


@pytest.fixture(scope="module")
def image_dataset(tmp_path_factory):
    name = register_toy_images(tmp_path_factory.mktemp("toy_images"), DEFAULT_CATEGORIES)
    yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


# what makes a published config small enough for a test; the model itself stays as its yaml says
SMALL = [
    "MODEL.DEVICE", "cpu", "MODEL.WEIGHTS", "",
    "INPUT.MIN_SIZE_TRAIN", "(64,)", "INPUT.MAX_SIZE_TRAIN", "96", "INPUT.MIN_SIZE_TEST", "64",
    "INPUT.MAX_SIZE_TEST", "96", "INPUT.MIN_SIZE_TRAIN_SAMPLING", "choice", "SOLVER.IMS_PER_BATCH", "2",
    "SOLVER.NUM_EPOCHS", "0", "SOLVER.STEP_EPOCHS", "()", "SOLVER.MAX_ITER", "2", "SOLVER.STEPS", "()",
    "SOLVER.BASE_LR", "1e-5", "DATALOADER.NUM_WORKERS", "0", "TEST.EVAL_PERIOD", "0", "SEED", "1",
    "MODEL.STMASK.TEST.TOPK", "4",  # an untrained model finds hundreds, and follows each of them
    "MODEL.OSMN.FC_DIM", "64",
]  # fmt: skip


@pytest.mark.parametrize("config", leaf_configs())
def test_config_builds_trains_and_evaluates(config, dataset, image_dataset, tmp_path):
    test_sets = load_config(config).DATASETS.TEST
    trains_a_tracker, of_images = not test_sets, any(name.startswith("coco") for name in test_sets)
    name = image_dataset if of_images else dataset
    opts = [*SMALL, "DATASETS.TRAIN", f"('{name}',)", "DATASETS.TEST", f"('{name}',)", "OUTPUT_DIR", str(tmp_path)]
    if "ablation" in config:
        # these differ from their parent in matching weights only: a narrow backbone shows the same
        opts += ["MODEL.RESNETS.DEPTH", "18", "MODEL.RESNETS.RES2_OUT_CHANNELS", "64", "MODEL.STMASK.DCN_INTERVAL", "0"]
    # the network of a tracker: alone it finds nothing, and says what uses it
    if trains_a_tracker:
        opts += ["DATASETS.TEST", "()"]
    cfg = setup(argparse.Namespace(config_file=model_zoo.get_config_file(config), opts=opts, eval_only=False,
                                   resume=False))
    assert cfg.MODEL.ROI_HEADS.NUM_CLASSES == 3  # from the json, not from the yaml
    trainer = VISTrainer(cfg)
    trainer.resume_or_load(resume=False)
    trainer.train()
    assert trainer.iter == 2
    assert (tmp_path / "model_final.pth").is_file()
    if trains_a_tracker:
        with pytest.raises(RuntimeError, match="MODEL.VIS.TRACKER.WEIGHTS"):
            trainer.model.eval()([])
        return
    results = trainer.test(cfg, trainer.model)
    assert "AP" in str(results)


def test_leaf_configs_are_short():
    too_long = {}
    for name in leaf_configs():
        lines = len(open(model_zoo.get_config_file(name)).read().splitlines())
        if lines > 15:
            too_long[name] = lines
    assert leaf_configs() and not too_long
