"""Feeds a `YTVISEvaluator` by hand, in this process or as one of two; importable by the processes of launch."""

import json

import torch
from detectron2.data import MetadataCatalog
from detectron2.utils import comm

from tests.evaluation.worlds import bar, rle
from vis_projects.evaluation import YTVISEvaluator
from vis_projects.structures import Track, VideoResults

FULL = bar(0, 10)


def item(video_id: int) -> dict:
    """What a loader gives of a video of two frames."""
    return {"video_id": video_id, "length": 2}


def result(video_id: int, category: int) -> VideoResults:
    """One object that fills the first row in both frames."""
    return VideoResults(video_id, 4, 10, 2, [Track(0, category, 0.9, {0: rle(FULL), 1: rle(FULL)})])


def run(evaluator: YTVISEvaluator, videos) -> dict:
    """A round over (video id, contiguous class) pairs."""
    evaluator.reset()
    for video_id, category in videos:
        evaluator.process([item(video_id)], [result(video_id, category)])
    return evaluator.evaluate()


def evaluate_part(name: str, json_file: str, folder: str) -> None:
    """Body of one of two processes: once into `folder/two`, once without a folder.

    Writes what it got to `folder/metrics<rank>.json`.
    """
    torch.set_num_threads(1)
    MetadataCatalog.get(name).set(json_file=json_file, thing_dataset_id_to_contiguous_id={7: 0, 40: 1})
    videos = [[(3, 1)], [(2, 0), (1, 0)]][comm.get_rank()]
    metrics = [run(YTVISEvaluator(name, output_dir), videos) for output_dir in (f"{folder}/two", None)]
    with open(f"{folder}/metrics{comm.get_rank()}.json", "w") as file:
        json.dump(metrics, file)
    comm.synchronize()
    torch.distributed.destroy_process_group()
