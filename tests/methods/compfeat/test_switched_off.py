"""Without its three additions CompFeat is MaskTrack R-CNN: equal losses and results from the same weights."""

import pytest
import torch
from detectron2.utils.events import EventStorage

from tests.methods.compfeat.clips import OFF, OUTPUT, clip, small_model
from tests.methods.masktrack_rcnn import pairs


@pytest.fixture(scope="module")
def models():
    masktrack = pairs.small_model()
    compfeat = small_model(*OFF, seed=7)
    compfeat.load_state_dict(masktrack.state_dict())  # strict: the same names and shapes
    return masktrack, compfeat


def losses_and_gradients(model, batch):
    model.train().zero_grad()
    torch.manual_seed(0)
    with EventStorage():
        losses = model(batch)
    sum(losses.values()).backward()
    return losses, {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("supports", [0, 2])
def test_losses_and_gradients_are_equal(models, supports):
    batch = [clip((1, 2, 3), (2, 4), supports), clip((5,), (5, 6), supports)]
    as_pairs = [{**item, "image": [item["image"][0], item["image"][-1]],
                 "instances": [item["instances"][0], item["instances"][-1]], "roles": ["key", "reference"]}
                for item in batch]
    masktrack, compfeat = models
    (expected, expected_grads), (found, grads) = (
        losses_and_gradients(masktrack, as_pairs), losses_and_gradients(compfeat, batch))
    assert set(found) == set(expected) and "loss_track" in found
    for name in expected:
        assert torch.equal(found[name], expected[name]), name
    assert set(grads) == set(expected_grads)
    for name in grads:
        assert torch.equal(grads[name], expected_grads[name]), name


def test_tracks_are_equal(models):
    item = {"image": pairs.frames(4), "video_id": 7, **OUTPUT}
    expected, found = (model.eval()([item])[0] for model in models)
    assert any(track.length > 1 for track in expected.tracks)
    assert found == expected and found.inference_mode == "online"


def test_given_boxes_are_tracked_alike(models):
    images, (masktrack, compfeat) = pairs.frames(2), models
    states = [model.eval().init_state(OUTPUT) for model in models]
    for image in images:
        given, _ = masktrack.step(image, masktrack.init_state(OUTPUT))
        given.remove("pred_ids")
        tracked = []
        for k, model in enumerate(models):
            instances, states[k] = model.step_with_given_instances(image, given, states[k])
            tracked.append(instances.pred_ids.tolist())
        assert tracked[0] == tracked[1] and tracked[0]
