"""A `World` with its facts, from a ground-truth json and a results list."""

from vis_projects.evaluation.ground_truth import load_ground_truth
from vis_projects.evaluation.predictions import load_predictions
from vis_projects.evaluation.world import World


def loaded_world(results: list, gt: dict, *, iou_type: str = "segm", track_score: float = 0.3) -> World:
    truth = load_ground_truth(gt, iou_type)
    world = World(truth, load_predictions(results, truth, 100, iou_type), iou_type)
    world.facts = {video_id: world.look_at(video_id, track_score) for video_id in world.video_ids()}
    return world
