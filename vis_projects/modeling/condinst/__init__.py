"""CondInst: Conditional Convolutions for Instance Segmentation, the mask half under CondInst-VIS and CrossVIS.

Letters: B images, P instances (locations that answer for an object), C channels, H, W size of a map at stride 8.
"""

from vis_projects.modeling.condinst.build import condinst_parts
from vis_projects.modeling.condinst.config import add_condinst_config
from vis_projects.modeling.condinst.mask_branch import MaskBranch
from vis_projects.modeling.condinst.mask_head import DynamicMaskHead, MaskQueries
from vis_projects.modeling.condinst.mask_loss import dice_loss, masks_at_stride
from vis_projects.modeling.condinst.network import CondInstNetwork, FrameHeads, FramePositives
from vis_projects.modeling.condinst.paste import paste_dynamic_masks

__all__ = [
    "CondInstNetwork", "DynamicMaskHead", "FrameHeads", "FramePositives", "MaskBranch", "MaskQueries", "dice_loss",
    "add_condinst_config", "condinst_parts", "masks_at_stride", "paste_dynamic_masks",
]
