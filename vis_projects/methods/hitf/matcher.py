"""Which slot answers for which object (eqs. 6 to 8 of the paper).

Letters: K objects, L slots, F frames that count (t, or t and t - 1), h x w the map of mask logits.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vis_projects.methods.hitf.targets import FrameTargets

EPSILON = 1e-6


@torch.no_grad()
def similarities(class_probs: Sequence[Tensor], masks: Sequence[Tensor], targets: Sequence[FrameTargets]) -> Tensor:
    """Sim of eq. 6: the Dice coefficient of the masks of all frames together times the sum of class probabilities.

    The paper's "Dice loss" in eq. 7 is a similarity, so the coefficient is meant. An object that is absent at t - 1 has
    an empty mask and the empty class there, so it prefers a slot that was empty.

    Args:
        class_probs: of each frame (L, classes + 1), the empty class last.
        masks: of each frame (L, h, w), probabilities after the softmax over slots.
        targets: of each frame; pixels that do not count are left out.

    Returns:
        float32 (K, L).
    """
    common = total = chance = 0
    for probs, predicted, target in zip(class_probs, masks, targets, strict=True):
        predicted = (predicted * target.counted).flatten(1).float()
        wanted = (target.masks * target.counted).flatten(1)
        with torch.autocast(wanted.device.type, enabled=False):  # sums over thousands of pixels
            common = common + wanted @ predicted.T
        total = total + wanted.sum(dim=1)[:, None] + predicted.sum(dim=1)[None, :]
        chance = chance + probs[:, target.classes].T.float()
    return 2 * common / (total + EPSILON) * chance


def match_slots(similarity: Tensor) -> Tensor:
    """The assignment of slots with the largest sum of similarities.

    Args:
        similarity: (K, L), K at most L.

    Returns:
        int64 (K,) on the same device: the slot of each object, all different.

    Raises:
        FloatingPointError: a similarity is inf or nan.
        ValueError: more objects than slots.
    """
    table = similarity.detach().cpu().numpy()
    if table.shape[0] > table.shape[1]:
        raise ValueError(f"{table.shape[0]} objects for {table.shape[1]} slots; raise MODEL.HITF.NUM_SLOTS")
    if not np.isfinite(table).all():
        raise FloatingPointError("similarities of slots and objects are not finite: lower SOLVER.BASE_LR, or clip with "
                                 "SOLVER.CLIP_TOTAL_NORM")
    rows, columns = linear_sum_assignment(table, maximize=True)
    slots = np.full(len(table), -1, dtype=np.int64)
    slots[rows] = columns
    return torch.from_numpy(slots).to(similarity.device)
