"""The loaders of a config: endless training batches, and whole videos or images for inference."""

from collections.abc import Callable, Collection

import torch
from detectron2.data import DatasetCatalog, build_detection_test_loader
from detectron2.data.build import trivial_batch_collator, worker_init_reset_seed
from detectron2.utils import comm
from torch.utils.data import DataLoader, Dataset

from vis_projects.data.clip_batch_sampler import ClipBatchSampler
from vis_projects.data.errors import DatasetError
from vis_projects.data.image_files import verify_images_exist
from vis_projects.data.inference_sampler import VideoInferenceSampler
from vis_projects.data.registry import build_vis_mapper
from vis_projects.data.train_set import load_train_set


def build_vis_train_loader(
    cfg, mapper: Callable[[dict], dict] | None = None, *, start_iter: int = 0, seed: int | None = None
) -> DataLoader:
    """Endless batches of training clips for this process.

    One batch is what one forward pass of this process takes: `SOLVER.IMS_PER_BATCH` divided by the number of processes
    and by `SOLVER.ACCUM_ITERS`. Batches depend on the seed only, not on the number of workers.

    Args:
        cfg: reads `DATASETS`, `DATALOADER`, `SOLVER`, `INPUT`, `SEED`.
        mapper: None builds the one of `MODEL.VIS.MAPPER`.
        start_iter: optimizer steps that a resumed run has done; the stream goes on behind them.
        seed: None takes `SEED`, or a random one that all processes share where that is negative.

    Raises:
        ValueError: for keys that do not fit together.
        DatasetError, FileNotFoundError: before the first batch, where the data sets are broken or missing.
    """
    if cfg.DATALOADER.SAMPLER_TRAIN != "TrainingSampler":
        raise ValueError(f"DATALOADER.SAMPLER_TRAIN is {cfg.DATALOADER.SAMPLER_TRAIN!r}; video training knows "
                         "'TrainingSampler' only, DATASETS.TRAIN_WEIGHTS weighs the sets")
    accum_iters, world_size = cfg.SOLVER.ACCUM_ITERS, comm.get_world_size()
    items_per_part, rest = divmod(cfg.SOLVER.IMS_PER_BATCH, accum_iters * world_size)
    if rest or items_per_part < 1:
        raise ValueError(f"SOLVER.IMS_PER_BATCH is {cfg.SOLVER.IMS_PER_BATCH}; use a multiple of "
                         f"{accum_iters * world_size} = SOLVER.ACCUM_ITERS {accum_iters} x {world_size} processes")
    if seed is None:
        seed = cfg.SEED if cfg.SEED >= 0 else comm.shared_random_seed()
    dataset = load_train_set(cfg)
    sampler = ClipBatchSampler(
        dataset.set_sizes, items_per_part, seed=seed, weights=tuple(cfg.DATASETS.TRAIN_WEIGHTS),
        groups=dataset.wide if cfg.DATALOADER.ASPECT_RATIO_GROUPING else None, start_part=start_iter * accum_iters,
    )
    return DataLoader(
        MappedItems(dataset, mapper or build_vis_mapper(cfg, is_train=True)),
        batch_sampler=sampler,
        num_workers=cfg.DATALOADER.NUM_WORKERS,
        collate_fn=trivial_batch_collator,
        worker_init_fn=worker_init_reset_seed,
        # for mappers of one's own that draw from numpy's global state, and to leave torch's own state alone
        generator=torch.Generator().manual_seed(seed + comm.get_rank()),
    )


def build_vis_test_loader(
    cfg, dataset_name: str, mapper: Callable[[dict], dict] | None = None, skip_video_ids: Collection = ()
) -> DataLoader:
    """One whole video per batch; this process gets its share of the videos, balanced by frames.

    Frames are decoded when the model asks for them, so there are no worker processes.

    Args:
        cfg: for the mapper.
        dataset_name: registered video data set.
        mapper: None builds the one of `MODEL.VIS.MAPPER`.
        skip_video_ids: videos that are done already.

    Raises:
        DatasetError: if frames are missing, or the data set holds images.
        FileNotFoundError: if the json is missing.
    """
    videos = []
    for record in DatasetCatalog.get(dataset_name):
        if "file_names" not in record:
            raise DatasetError(f"data set {dataset_name!r} holds images, not videos. Remedy: evaluate it with "
                               "Detectron2's own loader, or name a video data set in DATASETS.TEST.")
        if record["video_id"] not in skip_video_ids:
            videos.append({key: value for key, value in record.items() if key != "annotations"})
    verify_images_exist(videos)
    return build_detection_test_loader(
        VideoList(videos),
        mapper=mapper or build_vis_mapper(cfg, is_train=False),
        sampler=VideoInferenceSampler([video["length"] for video in videos]),
        num_workers=0,
        collate_fn=trivial_batch_collator,
    )


def build_image_test_loader(cfg, dataset_name: str, mapper: Callable[[dict], dict] | None = None) -> DataLoader:
    """One image per batch; this process gets its share of the images.

    Args:
        cfg: for the mapper and `DATALOADER.NUM_WORKERS`.
        dataset_name: registered image data set.
        mapper: None builds the one of `MODEL.VIS.MAPPER`, which must take image records (`ImageMapper`).

    Raises:
        DatasetError: if images are missing.
        FileNotFoundError: if the json is missing.
    """
    images = [{key: value for key, value in record.items() if key != "annotations"}
              for record in DatasetCatalog.get(dataset_name)]
    verify_images_exist(images)
    return build_detection_test_loader(
        VideoList(images),
        mapper=mapper or build_vis_mapper(cfg, is_train=False),
        sampler=VideoInferenceSampler([1] * len(images)),
        num_workers=cfg.DATALOADER.NUM_WORKERS,
        collate_fn=trivial_batch_collator,
    )


class MappedItems(Dataset):
    """A dataset seen through a mapper; keys go to the dataset as they are."""

    def __init__(self, dataset: Dataset, mapper: Callable[[dict], dict]):
        self.dataset = dataset
        self.mapper = mapper

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key) -> dict:
        return self.mapper(self.dataset[key])


class VideoList(Dataset):
    """Video or image records as a dataset, also none at all."""

    def __init__(self, videos: list[dict]):
        self.videos = videos

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> dict:
        return self.videos[index]
