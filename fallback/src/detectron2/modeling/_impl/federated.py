"""Class sampling of the federated loss (arXiv 2101.08765)."""

import torch


def federated_weights_from_config(cfg):
    """Returns a function that computes the sampling weights of the training sets' classes."""

    def compute():
        # Only runs with ROI_BOX_HEAD.USE_FED_LOSS, which most models never set.
        from detectron2.data.detection_utils import get_fed_loss_cls_weights

        return get_fed_loss_cls_weights(
            dataset_names=cfg.DATASETS.TRAIN,
            freq_weight_power=cfg.MODEL.ROI_BOX_HEAD.FED_LOSS_FREQ_WEIGHT_POWER,
        )

    return compute


def draw_federated_classes(gt_classes, count, num_classes, weight):
    """Joins the classes that are there with others drawn by weight.

    Args:
        gt_classes: int64 (R,) in [0, num_classes].
        count: number of classes wanted; more come back where more are there.
        num_classes: K.
        weight: float (K,) sampling weights.

    Returns:
        int64 (C,), distinct; the classes that are there come first.
    """
    present = torch.unique(gt_classes)
    missing = count - len(present)
    if missing <= 0:
        return present
    # The background has a column too, but is never drawn.
    odds = torch.cat([weight.float(), weight.new_zeros(1).float()]).to(present.device)
    odds[present] = 0
    return torch.cat([present, torch.multinomial(odds, missing, replacement=False)])
