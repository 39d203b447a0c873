"""Both loaders: same batches for any number of workers, resume, keys that do not fit, whole test videos."""

import os
from itertools import islice

import numpy as np
import pytest
import torch
from detectron2.data import DatasetCatalog

from tests.data.toy_cfg import register_toy, register_toy_images, toy_cfg
from vis_projects.data import build_vis_test_loader, build_vis_train_loader
from vis_projects.data.errors import DatasetError


@pytest.fixture
def cfg(tmp_path):
    name = register_toy(tmp_path, videos=2, frames=4)
    cfg = toy_cfg(name, test=(name,))
    cfg.INPUT.MIN_SIZE_TRAIN = (24, 32)
    cfg.INPUT.VIDEO.COLOR_JITTER = True
    return cfg


def batches(cfg, count, **options):
    return list(islice(build_vis_train_loader(cfg, **options), count))


def same(first, second):
    return len(first) == len(second) and all(
        a["frame_indices"] == b["frame_indices"]
        and a["video_id"] == b["video_id"]
        and all(torch.equal(x, y) for x, y in zip(a["image"], b["image"]))
        for x, y in zip(first, second) for a, b in zip(x, y)
    )


def test_a_batch_is_a_list_of_clips(cfg):
    batch = batches(cfg, 1)[0]
    assert len(batch) == 2
    assert all(clip["roles"] == ["key", "reference"] and len(clip["instances"]) == 2 for clip in batch)


def test_an_epoch_takes_each_frame_once_as_key(cfg):
    keys = [(clip["video_id"], clip["frame_indices"][0]) for batch in batches(cfg, 4) for clip in batch]
    assert sorted(keys) == [(video, t) for video in (1, 2) for t in range(4)]


def test_the_same_seed_gives_the_same_batches_for_any_number_of_workers(cfg):
    alone = batches(cfg, 5)
    assert same(alone, batches(cfg, 5))
    cfg.DATALOADER.NUM_WORKERS = 2
    assert same(alone, batches(cfg, 5))
    cfg.SEED = 8
    assert not same(alone, batches(cfg, 5))
    assert same(alone, batches(cfg, 5, seed=7))


def test_a_resumed_loader_goes_on_with_the_next_iteration(cfg):
    whole = batches(cfg, 6)
    assert same(whole[4:], batches(cfg, 2, start_iter=4))


def test_accumulation_cuts_the_batch_of_an_iteration(cfg):
    whole = batches(cfg, 2)
    cfg.SOLVER.ACCUM_ITERS = 2
    parts = batches(cfg, 4)
    assert [len(part) for part in parts] == [1, 1, 1, 1]
    assert same(whole, [parts[0] + parts[1], parts[2] + parts[3]])
    assert same(parts[2:], batches(cfg, 2, start_iter=1))


def test_the_random_state_of_torch_and_numpy_is_left_alone(cfg):
    torch.manual_seed(1)
    np.random.seed(1)
    batches(cfg, 1)
    after = torch.rand(1), np.random.rand()
    torch.manual_seed(1)
    np.random.seed(1)
    assert after == (torch.rand(1), np.random.rand())


def test_parts_hold_one_aspect_ratio(tmp_path):
    folders = [tmp_path / "wide", tmp_path / "tall"]
    names = [register_toy(folder, videos=1, frames=4, size=size) for folder, size in zip(folders, ((32, 48), (48, 32)))]
    cfg = toy_cfg(*names)
    for batch in batches(cfg, 8):
        assert len({clip["width"] > clip["height"] for clip in batch}) == 1
    cfg.DATALOADER.ASPECT_RATIO_GROUPING = False
    assert any(len({clip["width"] > clip["height"] for clip in batch}) == 2 for batch in batches(cfg, 8))


def test_images_and_videos_train_together_by_weight(tmp_path):
    (tmp_path / "i").mkdir()
    cfg = toy_cfg(register_toy(tmp_path / "v", videos=1, frames=3), register_toy_images(tmp_path / "i"))
    clips = [clip for batch in batches(cfg, 3) for clip in batch]
    assert sorted(clip["video_id"] for clip in clips) == [1, 1, 1, 100, 101, 102]
    cfg.DATASETS.TRAIN_WEIGHTS = (0.0, 1.0)
    assert all(clip["video_id"] >= 100 for batch in batches(cfg, 3) for clip in batch)


def test_keys_that_do_not_fit_are_named(cfg):
    cfg.SOLVER.ACCUM_ITERS = 4
    with pytest.raises(ValueError, match="SOLVER.IMS_PER_BATCH is 2; use a multiple of 4"):
        build_vis_train_loader(cfg)
    cfg.DATALOADER.SAMPLER_TRAIN = "RepeatFactorTrainingSampler"
    with pytest.raises(ValueError, match="DATALOADER.SAMPLER_TRAIN"):
        build_vis_train_loader(cfg)


def test_a_cut_off_frame_is_named_by_a_worker_too(cfg):
    for record in DatasetCatalog.get(cfg.DATASETS.TRAIN[0]):
        for path in record["file_names"]:
            with open(path, "r+b") as file:
                file.truncate(200)
    for workers in (0, 1):
        cfg.DATALOADER.NUM_WORKERS = workers
        with pytest.raises(DatasetError, match="cannot be decoded.*Remedy"):
            batches(cfg, 1)


def test_a_test_batch_is_one_whole_video(cfg):
    loader = build_vis_test_loader(cfg, cfg.DATASETS.TEST[0])
    assert len(loader) == 2
    items = [batch[0] for batch in loader]
    assert [item["video_id"] for item in items] == [1, 2]
    assert [len(list(item["image"])) for item in items] == [4, 4]
    assert "annotations" not in items[0] and "instances" not in items[0]


def test_videos_that_are_done_are_left_out(cfg):
    name = cfg.DATASETS.TEST[0]
    assert [b[0]["video_id"] for b in build_vis_test_loader(cfg, name, skip_video_ids={1})] == [2]
    nothing = build_vis_test_loader(cfg, name, skip_video_ids={1, 2})
    assert len(nothing) == 0 and list(nothing) == []


def test_missing_test_frames_stop_before_the_first_video(cfg):
    record = DatasetCatalog.get(cfg.DATASETS.TEST[0])[1]
    os.remove(record["file_names"][3])
    with pytest.raises(DatasetError, match="video 2: the frame .*00003.jpg"):
        build_vis_test_loader(cfg, cfg.DATASETS.TEST[0])


def test_an_image_set_is_refused_at_test_time(tmp_path):
    name = register_toy_images(tmp_path)
    with pytest.raises(DatasetError, match=f"{name}.*holds images"):
        build_vis_test_loader(toy_cfg(test=(name,)), name)
