"""Keys of OSMN: ``MODEL.OSMN``. The defaults are the published operating point."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("OSMN")
def add_osmn_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.OSMN`` to ``cfg``, in place."""
    cfg.MODEL.OSMN = CfgNode()
    node = cfg.MODEL.OSMN
    _add_network_keys(node)
    _add_guide_keys(node)
    # Objects of a clip that one training step segments; which ones is drawn anew each time.
    node.MAX_TRAIN_OBJECTS = 4
    # What the propagated mask is compared with: the detection's "mask", or its "box" with the box around the mask.
    node.OVERLAP = "mask"
    # Probability from which on a pixel is part of the propagated mask.
    node.MASK_THRESH = 0.5
    # Objects that pass through the network at once; bounds the memory, not the number of objects.
    node.CHUNK = 16


def _add_network_keys(node: CfgNode) -> None:
    # Channels and number of 3x3 convolutions of the five stages, of the segmentation network and of the visual
    # modulator: those of VGG16. Modulated are the convolutions of the last three stages.
    node.WIDTHS = (64, 128, 256, 512, 512)
    node.CONVS = (2, 2, 3, 3, 3)
    # Normalisation behind each convolution, as MODEL.FPN.NORM; "": none, as in VGG16.
    node.NORM = ""
    # Channels that each stage but the first gives to the hyper-column.
    node.SIDE_CHANNELS = 16
    # Width of the two fully connected layers of the visual modulator.
    node.FC_DIM = 4096
    # Dropout behind each of them.
    node.DROPOUT = 0.5
    # The two modulators, each can be left out.
    node.VISUAL_MODULATOR = True
    node.SPATIAL_MODULATOR = True
    # Where each object is looked for: 0, in the whole frame, as published; above 0, in a window that reaches so many
    # spreads of the spatial guide from the object's last centre to each side, and that the modulated layers see
    # stretched to a square of WINDOW_SIZE pixels of the network's input, a multiple of 16.
    node.WINDOW_SPREADS = 0.0
    node.WINDOW_SIZE = 128


def _add_guide_keys(node: CfgNode) -> None:
    # Side of the crop that shows the object to the visual modulator, in pixels; a multiple of 32.
    node.GUIDE_SIZE = 224
    # Rim around the object's box in that crop, as a fraction of the box's sides.
    node.GUIDE_PAD = 0.03
    # In training: largest part that is cut off one side of the crop, largest rotation, and whether it is mirrored.
    node.GUIDE_CROP = 0.1
    node.GUIDE_ROTATION_DEG = 10.0
    node.GUIDE_FLIP = True
    # Centre and spread of the Gaussian: "median" and scaled median deviation of the mask's pixels, or "mean" and
    # standard deviation.
    node.LOCATION = "median"
    # Least spread of the Gaussian, in pixels of the network's input.
    node.MIN_STD_PX = 5.0
    # In training: largest shift of the Gaussian's centre, in spreads, and largest change x of the spread: a factor
    # between 1 / (1 + x) and 1 + x.
    node.CENTER_JITTER = 0.2
    node.STD_JITTER = 0.4
