"""CondInst on images: training on any number of objects, several images at once, and from data set to AP."""

import argparse

import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.modeling import build_model
from detectron2.structures import PolygonMasks

from tests.data.toy_cfg import register_toy_images
from tests.engine.toy_model import logging_restored
from tests.methods.masktrack_rcnn.pairs import CONFIGS, frames, objects
from vis_projects.config import get_vis_cfg
from vis_projects.data import build_vis_mapper
from vis_projects.engine import VISTrainer, setup
from vis_projects.methods.condinst import CondInst

LOSSES = {"loss_fcos_cls", "loss_fcos_loc", "loss_fcos_ctr", "loss_mask"}
QUICK = str(CONFIGS / "quick_schedules/condinst_vis_R_50_FPN_narrow_synthvis_tiny.yaml")
IMAGES = ["MODEL.META_ARCHITECTURE", "CondInst", "MODEL.VIS.MAPPER", "ImageMapper", "MODEL.VIS.TRACKER.NAME", ""]
ALL_SCORES = ["MODEL.FCOS.SCORE_THRESH_TEST", 0.0, "MODEL.FCOS.POST_NMS_TOPK_TEST", 5]


def small_model(*overrides):
    cfg = get_vis_cfg()
    cfg.merge_from_file(QUICK)
    cfg.merge_from_list([*IMAGES, "MODEL.VIS.NUM_CLASSES", 3, "MODEL.DEVICE", "cpu", *overrides])
    torch.manual_seed(0)
    return build_model(cfg)


def item(*ids):
    return {"image": frames(1, seed=len(ids))[0], "instances": objects(*ids), "height": 64, "width": 96}


@pytest.mark.parametrize("batch", [[item()], [item(1)], [item(1, 2, 3), item()]], ids=["empty", "one", "two_images"])
def test_every_batch_trains_and_reaches_every_parameter(batch):
    model = small_model().train()
    assert isinstance(model, CondInst)
    losses = model(batch)
    assert set(losses) == LOSSES and all(torch.isfinite(value) for value in losses.values())
    sum(losses.values()).backward()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


def test_images_of_a_batch_do_not_mix():
    model = small_model(*ALL_SCORES).eval()
    batch = [{"image": image, "height": 128, "width": 192} for image in frames(3)]
    with torch.no_grad():
        together, alone = model(batch), [model([one])[0] for one in batch]
    for a, b in zip(together, alone, strict=True):
        a, b = a["instances"], b["instances"]
        assert a.image_size == (128, 192) and a.pred_masks.shape == (len(a), 128, 192) and len(a) == len(b) > 0
        assert torch.allclose(a.pred_boxes.tensor, b.pred_boxes.tensor, atol=1e-3)
        assert torch.allclose(a.scores, b.scores, atol=1e-5)
        # a pixel whose probability is the threshold may fall either way
        assert (a.pred_masks != b.pred_masks).float().mean() < 1e-3
        assert set(a.get_fields()) == {"pred_boxes", "scores", "pred_classes", "pred_masks"}


@pytest.mark.parametrize("training", [True, False])
def test_images_are_padded_to_the_square_that_the_backbone_asks_for(training, monkeypatch):
    model, seen = small_model().train(training), []
    monkeypatch.setattr(type(model.backbone), "padding_constraints", {"square_size": 160})
    model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape)))
    outcome = model([item(1), item(2, 3)])
    assert seen == [(2, 3, 160, 160)]  # of images of 64 x 96
    assert training or [found["instances"].image_size for found in outcome] == [(64, 96)] * 2


def test_the_output_has_the_size_of_the_image_where_none_is_asked_for():
    found = small_model(*ALL_SCORES).eval()([{"image": frames(1)[0]}])[0]["instances"]
    assert found.image_size == (64, 96)


def test_videos_and_polygons_are_refused():
    model = small_model()
    with pytest.raises(TypeError, match="list; a video needs a model that tracks"):
        model.eval()([{"image": frames(2)}])
    broken = item(1)
    broken["instances"].gt_masks = PolygonMasks([[[5.0, 5, 20, 5, 20, 20]]])
    with pytest.raises(TypeError, match="PolygonMasks; set INPUT.MASK_FORMAT"):
        model.train()([broken])


@pytest.fixture
def dataset(tmp_path):
    name = register_toy_images(tmp_path / "images")
    with logging_restored():
        yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


def test_it_trains_and_evaluates_on_a_coco_set(dataset, tmp_path):
    opts = [*IMAGES, "DATASETS.TRAIN", f"('{dataset}',)", "DATASETS.TEST", f"('{dataset}',)",
            "OUTPUT_DIR", str(tmp_path), "SOLVER.MAX_ITER", "2", "SOLVER.IMS_PER_BATCH", "2",
            "DATALOADER.NUM_WORKERS", "0", "SEED", "1"]
    cfg = setup(argparse.Namespace(config_file=QUICK, opts=[str(o) for o in opts], eval_only=False, resume=False))
    trainer = VISTrainer(cfg)
    results = trainer.train()
    assert trainer.iter == 2 and set(results) == {"bbox", "segm"} and "AP-disc" in results["segm"]
    assert (tmp_path / "inference" / dataset / "results.json").is_file()


def test_the_mapper_gives_images(dataset):
    cfg = get_vis_cfg()
    cfg.merge_from_file(QUICK)
    cfg.MODEL.VIS.MAPPER = "ImageMapper"
    record = DatasetCatalog.get(dataset)[1]
    made = build_vis_mapper(cfg, is_train=True)({**record, "rng_seed": [0, 1]})
    assert made["image"].shape[0] == 3 and made["image_id"] == record["image_id"]
    assert len(made["instances"]) == 2 and made["instances"].gt_masks.tensor.shape[1:] == made["image"].shape[1:]
    shown = build_vis_mapper(cfg, is_train=False)({k: v for k, v in record.items() if k != "annotations"})
    assert shown["image"].shape == (3, 96, 128) and (shown["height"], shown["width"]) == (48, 64)
