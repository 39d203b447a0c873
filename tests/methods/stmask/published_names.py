"""Names and shapes of the weights in released STMask checkpoints."""

NORM = ("weight", "bias", "running_mean", "running_var")
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
KERNELS = ((3, 3), (3, 5), (5, 3))


def with_bias(name, *shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def batch_norm(name, channels):
    return {f"{name}.{part}": (channels,) for part in NORM} | {f"{name}.num_batches_tracked": ()}


def resnet(depth, interval):
    """Backbone; from the second stage on every `interval`-th block is deformable."""
    shapes = {"backbone.conv1.weight": (64, 3, 7, 7)} | batch_norm("backbone.bn1", 64)
    into = 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        width = 64 * 2**stage
        for block in range(blocks):
            at = f"backbone.layers.{stage}.{block}"
            convs = ((width, into, 1), (width, width, 3), (4 * width, width, 1))
            for number, (out, inside, size) in enumerate(convs, 1):
                shapes[f"{at}.conv{number}.weight"] = (out, inside, size, size)
                shapes |= batch_norm(f"{at}.bn{number}", out)
            if stage > 0 and block % interval == 0:
                shapes[f"{at}.conv2.bias"] = (width,)
                shapes |= with_bias(f"{at}.conv2.conv_offset_mask", 27, width, 3, 3)
            if block == 0:
                shapes[f"{at}.downsample.0.weight"] = (4 * width, into, 1, 1)
                shapes |= batch_norm(f"{at}.downsample.1", 4 * width)
            into = 4 * width
    return shapes


def stmask(depth=50, interval=2, classes=41, calibrated=("conf",), adaptive=True):
    """A whole model with FCA and TF; FCB on the named branches."""
    shapes = resnet(depth, interval)
    for index, channels in enumerate((2048, 1024, 512)):
        shapes |= with_bias(f"fpn.lat_layers.{index}", 256, channels, 1, 1)
        shapes |= with_bias(f"fpn.pred_layers.{index}", 256, 256, 3, 3)
    for index in range(2):
        shapes |= with_bias(f"fpn.downsample_layers.{index}", 256, 256, 3, 3)
    for index in (0, 2, 4, 8):
        shapes |= with_bias(f"proto_net.{index}", 256, 256, 3, 3)
    shapes |= with_bias("proto_net.10", 32, 256, 1, 1)
    head = "prediction_layers.0"
    shapes |= with_bias(f"{head}.upfeature.0", 256, 256, 3, 3)
    for branch, size in (("bbox", 4), ("conf", classes), ("mask", 32), ("track", 128), ("centerness", 1)):
        for index in (0, 2):
            if branch != "centerness":
                shapes |= with_bias(f"{head}.{branch}_extra.{index}", 256, 256, 3, 3)
        for index, kernel in enumerate(KERNELS):
            at = f"{head}.{branch}_layer.{index}"
            if branch not in calibrated:
                shapes |= with_bias(at, size, 256, *kernel)
                continue
            shapes |= {f"{at}.conv_adaption.weight": (256, 256, *kernel)} | with_bias(f"{at}.conv", size, 256, *kernel)
            if adaptive:
                shapes[f"{at}.conv_offset.weight"] = (2 * kernel[0] * kernel[1], 4, 1, 1)
    for index, (out, into) in enumerate(((512, 633), (512, 512), (1024, 512)), 1):
        shapes |= with_bias(f"TemporalNet.conv{index}", out, into, 3, 3)
    return shapes | with_bias("TemporalNet.fc", 4, 1024) | with_bias("TemporalNet.fc_coeff", 32, 1024)


def parameters(shapes):
    """Scalars that were trained there, that is without running statistics."""
    count = 0
    for name, shape in shapes.items():
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            size = 1
            for side in shape:
                size *= side
            count += size
    return count
