"""The small validation split, generated once per test process, and scores on it."""

from collections.abc import Callable
from functools import cache

from vis_projects.data.synth import SceneOptions, SynthVIS
from vis_projects.evaluation import evaluate_json


@cache
def ground_truth() -> dict:
    """YouTube-VIS dict of small val, seed 0; callers must not edit it."""
    return SynthVIS("small", "val").ground_truth()


def tracks_by_video() -> list[list[dict]]:
    """Annotations of each video, in video order."""
    truth = ground_truth()
    return [[a for a in truth["annotations"] if a["video_id"] == v["id"]] for v in truth["videos"]]


@cache
def half_size_images(index: int) -> list:
    """Frames of one video at half the size of the masks."""
    return SynthVIS("small", "val", options=SceneOptions(scale=0.5))[index]["image"]


def score(records: list[dict], selected: Callable[[dict], bool] = lambda attributes: True):
    """`evaluate_json` of records; tracks that are not selected are ignored, not removed."""
    truth = ground_truth()
    annotations = [{**a, "iscrowd": 0 if selected(a["attributes"]) else 1} for a in truth["annotations"]]
    return evaluate_json([dict(record) for record in records], {**truth, "annotations": annotations}).stats
