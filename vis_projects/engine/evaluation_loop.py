"""Evaluation on data sets: whole videos per process, finished videos on disk at once, resumable."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from detectron2.evaluation import DatasetEvaluator, inference_context, print_csv_format
from detectron2.utils import comm
from torch import Tensor, nn

from vis_projects.data import DatasetError, build_image_test_loader, build_vis_test_loader, register_class_subset
from vis_projects.engine.errors import ConfigError, DataError, last_line
from vis_projects.engine.oracles import with_oracle
from vis_projects.engine.progress import CountedFrames, Progress
from vis_projects.evaluation import COCOImageEvaluator, EvaluationInputError, YTVISEvaluator

logger = logging.getLogger(__name__)


def evaluate_datasets(cfg: CfgNode, model: nn.Module, *, resume: bool = False) -> OrderedDict:
    """Evaluates a model on each set of DATASETS.TEST, in OUTPUT_DIR/inference/<data set>, with TEST.VIDEO.ORACLE in
    OUTPUT_DIR/inference/<data set>_<oracle>_oracle.

    Args:
        cfg: resolved config.
        model: meta-architecture, not wrapped; its mode is the same afterwards.
        resume: keep the videos that an earlier, interrupted evaluation of the same weights has finished.

    Returns:
        {task: {metric: number}} of the only set, or {data set: {task: ...}} of several. On processes other than the
        main one it is empty.

    Raises:
        ConfigError: a set that is neither a video set nor a COCO image set; images with an oracle or a class subset.
        DataError: a frame or an annotation cannot be read; with `resume`, the videos there come from other weights or
            settings.
    """
    results = OrderedDict()
    for name in cfg.DATASETS.TEST:
        kind = MetadataCatalog.get(name).get("evaluator_type")
        if kind not in EVALUATIONS:
            raise ConfigError(f"DATASETS.TEST: {name} is no video set that can be evaluated; register_ytvis makes one")
        with input_errors(f"evaluate {name}"):
            results[name] = EVALUATIONS[kind](cfg, model, name, resume)
        if comm.is_main_process() and results[name]:
            logger.info(f"results on {name}:")
            print_csv_format(results[name])
    return next(iter(results.values())) if len(results) == 1 else results


def _evaluate_videos(cfg: CfgNode, model: nn.Module, name: str, resume: bool) -> OrderedDict:
    if cfg.DATASETS.CLASS_SUBSET:
        name = register_class_subset(name, tuple(cfg.DATASETS.CLASS_SUBSET))
    evaluator = YTVISEvaluator(name, inference_folder(cfg, name), resume=resume, run_key=run_key(cfg))
    loader = build_vis_test_loader(cfg, name, skip_video_ids=evaluator.done_video_ids())
    runs, title = with_oracle(model, cfg.TEST.VIDEO.ORACLE, name), f"evaluate {name}"
    try:
        return run_evaluation(runs, loader, evaluator, title=title)
    except KeyboardInterrupt:
        logger.warning(f"{title}: interrupted; finished videos are kept, --eval-only --resume goes on with them")
        raise


def _evaluate_images(cfg: CfgNode, model: nn.Module, name: str, resume: bool) -> OrderedDict:
    for_videos = {"DATASETS.CLASS_SUBSET": cfg.DATASETS.CLASS_SUBSET, "TEST.VIDEO.ORACLE": cfg.TEST.VIDEO.ORACLE}
    for key, value in for_videos.items():
        if value:
            raise ConfigError(f"{key} is {value!r}, but {name} of DATASETS.TEST holds images; it is for videos alone")
    loader = build_image_test_loader(cfg, name)
    evaluator = COCOImageEvaluator(name, inference_folder(cfg, name))
    return run_evaluation(model, loader, evaluator, title=f"evaluate {name}", unit="image")


# by the evaluator_type of a data set
EVALUATIONS = {"ytvis": _evaluate_videos, "coco": _evaluate_images}


def inference_folder(cfg: CfgNode, dataset_name: str) -> Path:
    """Where the results on a data set go; those with an oracle do not replace those without."""
    oracle = cfg.TEST.VIDEO.ORACLE
    return Path(cfg.OUTPUT_DIR) / "inference" / (f"{dataset_name}_{oracle}_oracle" if oracle else dataset_name)


def run_evaluation(
    model: nn.Module, loader: Iterable[list[dict]], evaluator: DatasetEvaluator, *, title: str, unit: str = "video"
) -> OrderedDict:
    """Runs the model over this process's videos or images and evaluates those of all processes.

    Args:
        loader: batches of items; the `image` of an item is the tensor of an image or the frames of a video.
        title, unit: what the progress shows; the frames of a video are parts of its unit.
    """
    evaluator.reset()
    progress = Progress(len(loader), title=title, unit=unit)
    try:
        with inference_context(model):
            for items in loader:
                evaluator.process(items, model([_counted(item, progress) for item in items]))
                for _ in filter(_is_image, items):
                    progress.advance()
    finally:
        progress.close()
    comm.synchronize()
    return OrderedDict(evaluator.evaluate() or {})


def _is_image(item: Mapping) -> bool:
    return isinstance(item["image"], Tensor)


def _counted(item: Mapping, progress: Progress) -> Mapping:
    """The item; if it is a video, with frames that advance the progress."""
    return item if _is_image(item) else {**item, "image": CountedFrames(item["image"], progress)}


@contextmanager
def input_errors(title: str) -> Iterator[None]:
    """Turns the errors of frames, annotations and result files into one line.

    Raises:
        DataError: instead of them.
    """
    try:
        yield
    except (OSError, DatasetError, EvaluationInputError) as error:
        raise DataError(f"{title}: {last_line(error)}") from error


def run_key(cfg: CfgNode) -> str:
    """What tells apart runs whose finished videos must not be mixed: weights and settings."""
    return f"{weights_fingerprint(cfg)} {inference_fingerprint(cfg)}"


def weights_fingerprint(cfg: CfgNode) -> str:
    """Path, size and time of change of the weights, those of the tracker's network too; of a URL the URL alone."""
    files = (cfg.MODEL.WEIGHTS, cfg.MODEL.VIS.TRACKER.WEIGHTS)
    return " ".join(_file_fingerprint(path) for path in files if path)


def _file_fingerprint(weights: str) -> str:
    path = Path(weights)
    if not path.is_file():
        return weights
    return f"{path.resolve()}:{path.stat().st_size}:{path.stat().st_mtime_ns}"


def inference_fingerprint(cfg: CfgNode) -> str:
    """Hash of the config nodes that a result depends on."""
    nodes = [cfg.MODEL.clone(), cfg.INPUT, cfg.TEST, cfg.DATASETS.CLASS_SUBSET]
    nodes[0].defrost()
    nodes[0].WEIGHTS = nodes[0].DEVICE = ""
    return hashlib.sha256("\n".join(str(node) for node in nodes).encode()).hexdigest()
