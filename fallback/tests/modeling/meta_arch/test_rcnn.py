"""Tests of `detectron2.modeling.meta_arch.rcnn`."""

import pytest
import torch

from detectron2.modeling import GeneralizedRCNN, ProposalNetwork, build_model
from detectron2.structures import Boxes, Instances

LOSSES = ["loss_cls", "loss_box_reg", "loss_mask", "loss_rpn_cls", "loss_rpn_loc"]


@pytest.fixture
def model(cfg):
    torch.manual_seed(0)
    return build_model(cfg)


def test_images_without_truth(model, make_inputs, storage):
    losses = model(make_inputs(0, 0))
    assert list(losses) == LOSSES
    assert losses["loss_mask"].item() == losses["loss_box_reg"].item() == losses["loss_rpn_loc"].item() == 0
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_a_step_of_training(model, make_inputs, storage):
    losses = model(make_inputs(2, 1))
    assert list(losses) == LOSSES and all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    assert model.backbone.bottom_up.res3[0].conv1.weight.grad.abs().sum() > 0
    assert model.backbone.bottom_up.res2[0].conv1.weight.grad is None
    assert set(storage.latest()) == {
        "rpn/num_pos_anchors", "rpn/num_neg_anchors", "roi_head/num_fg_samples", "roi_head/num_bg_samples",
        "fast_rcnn/cls_accuracy", "fast_rcnn/fg_cls_accuracy", "fast_rcnn/false_negative",
        "mask_rcnn/accuracy", "mask_rcnn/false_positive", "mask_rcnn/false_negative"}


def test_one_seed_gives_one_model_and_one_loss(cfg, model, make_inputs, storage):
    torch.manual_seed(0)
    again = build_model(cfg)
    for (name, first), second in zip(model.state_dict().items(), again.state_dict().values()):
        assert torch.equal(first, second), name
    totals = []
    for net in (model, again):
        torch.manual_seed(1)
        totals.append(sum(net(make_inputs(2, 1)).values()).item())
    assert totals[0] == totals[1]


def test_results_have_the_wanted_size(model, make_inputs):
    first, second = make_inputs(0, 0)
    first.update(height=128, width=100)
    with torch.no_grad():
        outputs = model.eval()([first, second])
    assert [o["instances"].image_size for o in outputs] == [(128, 100), (64, 96)]
    found = outputs[0]["instances"]
    assert found.pred_masks.shape == (len(found), 128, 100) and found.pred_masks.dtype == torch.bool
    raw = model.inference([first], do_postprocess=False)
    assert raw[0].image_size == (64, 96) and raw[0].pred_masks.shape[1:] == (1, 28, 28)


def test_given_detections_only_get_masks(model, make_inputs):
    given = Instances((64, 96), pred_boxes=Boxes(torch.tensor([[4.0, 8, 40, 50]])), pred_classes=torch.tensor([1]))
    (output,) = model.eval().inference(make_inputs(0), detected_instances=[given])
    assert output["instances"].pred_boxes.tensor.tolist() == [[4, 8, 40, 50]]
    assert output["instances"].pred_masks.shape == (1, 64, 96)


def test_normalisation_and_padding(model, make_inputs):
    inputs = make_inputs(0, 0)
    inputs[1]["image"] = inputs[1]["image"][:, :40, :50]
    batch = model.preprocess_image(inputs)
    assert batch.image_sizes == [(64, 96), (40, 50)] and batch.tensor.shape == (2, 3, 64, 96)
    mean = torch.tensor([103.53, 116.28, 123.675]).view(3, 1, 1)
    assert torch.allclose(batch[1], inputs[1]["image"] - mean)
    assert not batch.tensor[1, :, 40:].any() and not batch.tensor[1, :, :, 50:].any()


def test_bad_images_stop_training_and_are_harmless_in_testing(model, make_inputs, storage):
    inputs = make_inputs(1)
    inputs[0]["image"] = inputs[0]["image"].float()
    inputs[0]["image"][0, 0, 0] = float("inf")
    with pytest.raises(FloatingPointError):
        model(inputs)
    with torch.no_grad():
        assert len(model.eval()(inputs)[0]["instances"]) == 0


def test_proposals_can_come_with_the_inputs(model, make_inputs, storage):
    network = GeneralizedRCNN(backbone=model.backbone, proposal_generator=None, roi_heads=model.roi_heads,
                              pixel_mean=[0.0, 0.0, 0.0], pixel_std=[1.0, 1.0, 1.0])
    inputs = make_inputs(1)
    with pytest.raises(AssertionError):
        network(inputs)
    inputs[0]["proposals"] = Instances((64, 96), proposal_boxes=Boxes(torch.tensor([[4.0, 8, 40, 50]])),
                                       objectness_logits=torch.zeros(1))
    assert list(network(inputs)) == LOSSES[:3]
    with torch.no_grad():
        assert len(network.eval()(inputs)[0]["instances"]) == 3


def test_the_state_leaves_out_pixel_statistics(model):
    names = list(model.state_dict())
    assert names[0] == "backbone.fpn_lateral2.weight"
    assert not any("pixel" in name or "anchors" in name for name in names)
    assert model.device == torch.device("cpu")


def test_misuse_is_refused(model, make_inputs):
    with pytest.raises(AssertionError):
        model.inference(make_inputs(0))
    parts = {"backbone": model.backbone, "proposal_generator": None, "roi_heads": model.roi_heads}
    with pytest.raises(AssertionError):
        GeneralizedRCNN(**parts, pixel_mean=[0.0, 0.0], pixel_std=[1.0])
    with pytest.raises(AssertionError):
        GeneralizedRCNN(**parts, pixel_mean=[0.0], pixel_std=[1.0], vis_period=1)


def test_proposal_network(cfg, make_inputs, storage):
    cfg.MODEL.META_ARCHITECTURE = "ProposalNetwork"
    network = build_model(cfg)
    assert isinstance(network, ProposalNetwork)
    assert list(network(make_inputs(1))) == ["loss_rpn_cls", "loss_rpn_loc"]
    inputs = make_inputs(0)
    inputs[0]["height"] = 128
    with torch.no_grad():
        proposals = network.eval()(inputs)[0]["proposals"]
    assert proposals.image_size == (128, 96) and proposals.has("objectness_logits")


def test_pictures_of_the_training_on_request(cfg, make_inputs, storage):
    cfg.VIS_PERIOD = 1
    build_model(cfg)(make_inputs(1, 2))
    pictures = {name: image.shape for name, image, _ in storage._vis_data}
    # The image twice, side by side.
    assert pictures["Left: GT bounding boxes;  Right: Predicted proposals"] == (3, 64, 2 * 96)
