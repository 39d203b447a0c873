"""The published checkpoint fits name by name, and after conversion a frame gives what the first code gave."""

import pytest
import torch
from detectron2.modeling import build_anchor_generator, build_model
from detectron2.structures import Boxes, ImageList, Instances

from tests.methods.masktrack_rcnn import first_code, published_names
from tests.methods.stmask import published_names as stmask_names
from vis_projects.cli.main import main
from vis_projects.engine import CheckpointError, VISCheckpointer, convert_weights, load_config
from vis_projects.engine.convert_weights import compare, read_weights
from vis_projects.methods.masktrack_rcnn.weights import masktrack_rcnn

R50 = "masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml"
PUBLISHED = "masktrack_rcnn/masktrack_rcnn_R_50_FPN_published_ytvis2019.yaml"
NARROW, NARROW_OPTS = published_names.NARROW, [str(part) for part in published_names.NARROW_OPTS]
PREDICTOR = "roi_heads.box_predictor"


def built(*opts, config=PUBLISHED):
    return build_model(load_config(config, ["MODEL.DEVICE", "cpu", *map(str, opts)])).eval()


@pytest.fixture(scope="module")
def narrow():
    return built(*NARROW_OPTS)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    path = tmp_path_factory.mktemp("released") / "epoch_12.pth"
    published_names.save(published_names.random(published_names.masktrack_rcnn(**NARROW)), path)
    return str(path)


def convert(source, out, *opts, **kwargs):
    kwargs = {"weight_format": "masktrack_rcnn", "config_file": PUBLISHED} | kwargs
    return convert_weights(str(source), str(out), opts=[*NARROW_OPTS, *opts], **kwargs)


def test_the_list_of_published_names_has_the_parameters_of_its_layers():
    # ResNet-50 without its classifier 25,557,032 - 2,049,000 = 23,508,032
    # FPN (256 + 512 + 1024 + 2048) * 256 + 4 * 256 + 4 * (9 * 256^2 + 256) = 984,064 + 2,360,320 = 3,344,384
    # RPN 590,080 + 3 * 257 + 12 * 257 = 593,935
    # boxes 12544 * 1024 + 1024 + 1024 * 1025 + 41 * 1025 + 164 * 1025 = 12,846,080 + 1,049,600 + 210,125 = 14,105,805
    # masks 4 * 590,080 + 4 * 256^2 + 256 + 41 * 257 = 2,360,320 + 262,400 + 10,537 = 2,633,257
    # tracks 12,846,080 + 1,049,600 = 13,895,680
    assert published_names.parameters(published_names.masktrack_rcnn()) == 58_081_093
    assert published_names.parameters(published_names.resnet50()) == 23_508_032
    heads = {name: shape for name, shape in published_names.masktrack_rcnn().items() if name.startswith("track_head")}
    assert published_names.parameters(heads) == 13_895_680


@pytest.mark.parametrize("config", [R50, PUBLISHED])
def test_every_published_name_and_shape_fits(config):
    shapes = published_names.masktrack_rcnn()
    report = compare(masktrack_rcnn(published_names.zeros(shapes)), built(config=config), "x")
    assert report.missing == report.unexpected == report.wrong_shape == ()
    assert report.fraction == 1.0
    # the frozen norms of 26,560 channels are no parameters here; the background has no box (4 * 1025), no mask (257)
    assert report.total == 58_081_093 - 2 * 26_560 - 4100 - 257


def test_a_file_of_its_time_converts_whole_and_loads(released, narrow, tmp_path, capsys):
    out = tmp_path / "ours.pth"
    argv = ["convert-weights", released, str(out), "--format", "masktrack_rcnn", "--config-file", PUBLISHED, "--opts"]
    assert main([*argv, *NARROW_OPTS]) == 0
    assert "(100.0 %); 0 names missing, 0 of another shape, 0 unexpected" in capsys.readouterr().out
    checkpointer = VISCheckpointer(narrow, min_matched=1.0)
    checkpointer.load(str(out), checkpointables=[])
    assert checkpointer.report.missing == checkpointer.report.unexpected == checkpointer.report.wrong_shape == ()


def test_the_background_moves_from_the_first_class_to_the_last():
    weights = {"bbox_head.fc_cls.weight": torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
               "bbox_head.fc_cls.bias": torch.tensor([9.0, 10.0, 11.0]),
               "bbox_head.fc_reg.bias": torch.arange(12.0),
               "mask_head.conv_logits.bias": torch.tensor([7.0, 8.0, 9.0])}
    converted = masktrack_rcnn(weights)
    assert converted[f"{PREDICTOR}.cls_score.weight"].tolist() == [[2, 3], [4, 5], [0, 1]]
    assert converted[f"{PREDICTOR}.cls_score.bias"].tolist() == [10, 11, 9]
    assert converted[f"{PREDICTOR}.bbox_pred.bias"].tolist() == [4, 5, 6, 7, 8, 9, 10, 11]
    assert converted["roi_heads.mask_head.predictor.bias"].tolist() == [8, 9]


def test_a_classifier_of_known_logits_says_the_same(narrow):
    # logits log 5 of the background, log 2 of class 1, log 3 of class 2, nothing (-100) of the 38 others
    bias = torch.full((41,), -100.0)
    bias[:3] = torch.tensor([5.0, 2.0, 3.0]).log()
    deltas = torch.zeros(41, 4)
    deltas[2] = torch.tensor([1.0, 0.0, 0.0, 0.0])  # times 0.1: class 2 moves a tenth of its width to the right
    weights = published_names.zeros(published_names.masktrack_rcnn(**NARROW))
    weights |= {"bbox_head.fc_cls.bias": bias, "bbox_head.fc_reg.bias": deltas.flatten()}
    narrow.load_state_dict(masktrack_rcnn(weights), strict=False)
    proposals = Instances((64, 96))
    proposals.proposal_boxes = Boxes(torch.tensor([[10.0, 10, 30, 50]]))
    predictor = narrow.roi_heads.box_predictor
    predictions = predictor(torch.zeros(1, 32))
    (probabilities,), (boxes,) = predictor.predict_probs(predictions, [proposals]), predictor.predict_boxes(
        predictions, [proposals])
    # of a sum of 10
    assert probabilities[0, [0, 1, 2, 40]].tolist() == pytest.approx([0.2, 0.3, 0, 0.5], abs=1e-6)
    assert boxes.view(40, 4)[0].tolist() == pytest.approx([10, 10, 30, 50])
    assert boxes.view(40, 4)[1].tolist() == pytest.approx([12, 10, 32, 50])


def test_anchors_come_in_the_order_of_the_proposal_network(narrow):
    cfg = load_config(PUBLISHED)
    shapes = narrow.backbone.output_shape()
    generator = build_anchor_generator(cfg, [shapes[name] for name in cfg.MODEL.RPN.IN_FEATURES])
    found = [boxes.tensor for boxes in generator([torch.zeros(1, 1, 2, 2) for _ in range(5)])]
    # stride 4, centre 2: 32 * sqrt 2 = 45.25 wide and 22.63 high is 46 x 22, then 32 x 32, then 22 x 46
    assert found[0][:3].tolist() == [[-21, -9, 25, 13], [-14, -14, 18, 18], [-9, -21, 13, 25]]
    assert found[0][3:6].tolist() == [[-17, -9, 29, 13], [-10, -14, 22, 18], [-5, -21, 17, 25]]
    for stride, boxes in zip(first_code.STRIDES, found):
        assert torch.equal(boxes[:3], first_code.base_anchors(stride) + first_code.WIDER)
    # row k of the logits, and rows 4 k to 4 k + 3 of the deltas, stay with anchor k
    weights = {"rpn_head.rpn_cls.bias": torch.arange(3.0), "rpn_head.rpn_reg.bias": torch.arange(12.0)}
    converted = masktrack_rcnn(weights)
    assert converted["proposal_generator.rpn_head.objectness_logits.bias"].tolist() == [0, 1, 2]
    assert converted["proposal_generator.rpn_head.anchor_deltas.bias"].tolist() == list(range(12))


def test_rois_are_read_without_the_half_pixel_shift(narrow):
    # a map whose values are their columns; from column 8 / 4 = 2 on, bins of one column each: centres 2.5, 3.5, ...
    ramp = torch.arange(24.0).expand(1, 16, 16, 24)
    maps = {f"p{level}": ramp[:, :, : 64 >> level, : 96 >> level] for level in (2, 3, 4, 5)}
    pooled = narrow.roi_heads.pool_boxes(maps, [Boxes(torch.tensor([[8.0, 0, 36, 28]]))])
    assert pooled[0, 0, 0].tolist() == pytest.approx([2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5])
    pooled = narrow.roi_heads.pool_masks(maps, [Boxes(torch.tensor([[8.0, 0, 64, 56]]))])
    assert pooled[0, 0, 0].tolist() == pytest.approx([2.5 + k for k in range(14)])


def frame_of_both(seed, *opts):
    """A random frame and random weights: detections of the first code, and ours after conversion."""
    weights = published_names.random(published_names.masktrack_rcnn(classes=4, **NARROW), seed)
    weights["rpn_head.rpn_reg.weight"] *= 0.3  # boxes stay in the frame
    frame = torch.randint(0, 256, (3, 120, 150), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    # RGB, normalised as torchvision's weights want it, padded to a multiple of 32
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    image = torch.zeros(1, 3, 128, 160)
    image[0, :, :120, :150] = (frame - mean[:, None, None]) / std[:, None, None]
    # logits around zero, of a spread of 2
    hidden = first_code.box_features(weights, image, (120, 150), inner=8)[2]
    weights["bbox_head.fc_cls.weight"] *= 2 / (hidden @ weights["bbox_head.fc_cls.weight"].t()).std(dim=0)[:, None]
    weights["bbox_head.fc_cls.bias"] = -weights["bbox_head.fc_cls.weight"] @ hidden.mean(dim=0)
    model = built(*NARROW_OPTS, "MODEL.ROI_HEADS.NUM_CLASSES", 3, *opts)
    missing, unexpected = model.load_state_dict(masktrack_rcnn(weights), strict=False)
    assert not missing and not unexpected
    images = ImageList.from_tensors([(frame - model.pixel_mean) / model.pixel_std], 32)
    features = model.backbone(images.tensor)
    proposals, _ = model.proposal_generator(images, features, None)
    (found,), _ = model.roi_heads(images, features, proposals, None)
    return first_code.detections(weights, image, (120, 150), inner=8), found


@torch.no_grad()
@pytest.mark.parametrize("seed", [0, 1])
def test_a_frame_gives_what_the_first_code_gave(seed):
    (boxes, scores, labels, masks, embeddings), found = frame_of_both(seed)
    assert len(found) == len(boxes) == 10 and len(set(labels.tolist())) > 1
    assert torch.equal(found.pred_classes, labels - 1)
    # a box that ends with its last pixel ends one further here
    torch.testing.assert_close(found.pred_boxes.tensor, boxes + first_code.WIDER, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(found.scores, scores, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.pred_masks[:, 0], masks, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.track_embeddings, embeddings, rtol=1e-3, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize(
    ("opts", "of_masks"),
    [
        (("MODEL.PIXEL_MEAN", "(103.53, 116.28, 123.675)"), False), (("MODEL.PIXEL_STD", "(1.0, 1.0, 1.0)"), False),
        (("MODEL.ANCHOR_GENERATOR.NAME", "DefaultAnchorGenerator"), False),
        (("MODEL.ANCHOR_GENERATOR.OFFSET", "0.0"), False), (("MODEL.RESNETS.STRIDE_IN_1X1", "True"), False),
        (("MODEL.ROI_BOX_HEAD.POOLER_TYPE", "ROIAlignV2"), False),
        (("MODEL.ROI_MASK_HEAD.POOLER_TYPE", "ROIAlignV2"), True),
    ],
)
def test_each_setting_of_the_published_config_is_needed(opts, of_masks):
    (_, scores, _, masks, _), found = frame_of_both(0, *opts)
    ours, theirs = (found.pred_masks[:, 0], masks) if of_masks else (found.scores, scores)
    assert ours.shape != theirs.shape or (ours - theirs).abs().max() > 1e-3


def test_the_published_config_reads_rgb():
    assert load_config(PUBLISHED).INPUT.FORMAT == "RGB"


def test_a_mask_rcnn_of_mmdetection_starts_a_training(tmp_path):
    path, out = tmp_path / "coco.pth", tmp_path / "start.pth"
    published_names.save(published_names.zeros(published_names.mask_rcnn(classes=81, **NARROW)), path)
    with pytest.raises(CheckpointError, match="4 names missing, 6 of another shape, 0 unexp(?s:.)*Nothing was written"):
        convert(path, out)
    text = convert(path, out, partial=True)
    assert "roi_heads.track_head.fcs.0.weight" in text
    assert f"{PREDICTOR}.cls_score.weight (81, 32) in the file, (41, 32) in the model" in text
    written = set(read_weights(str(out)))
    assert {"roi_heads.box_head.fc2.bias", "roi_heads.mask_head.deconv.weight"} <= written
    assert not [name for name in written if "predictor" in name or "track_head" in name]


def test_another_number_of_classes_is_told_and_taken_where_the_options_say_it(tmp_path):
    path = tmp_path / "w.pth"
    published_names.save(published_names.zeros(published_names.masktrack_rcnn(classes=26, **NARROW)), path)
    with pytest.raises(CheckpointError, match="0 names missing, 6 of another shape, 0 un(?s:.)*MODEL.VIS.NUM_CLASSES"):
        convert(path, tmp_path / "o.pth")
    assert "0 of another shape" in convert(path, tmp_path / "o.pth", "MODEL.VIS.NUM_CLASSES", "25")


def test_a_checkpoint_of_another_method_or_program_is_refused_by_its_names(released, tmp_path):
    torch.save(published_names.zeros(stmask_names.resnet(50, 2)), tmp_path / "stmask.pth")
    with pytest.raises(CheckpointError, match=r"unexpected: backbone\.layers\.0\.0\.bn1\.bias(?s:.)*Nothing was"):
        convert(tmp_path / "stmask.pth", tmp_path / "o.pth")
    # mmdetection 2 nests its heads, and has its background last
    later = {f"detector.roi_head.{name}": value for name, value in read_weights(released).items()}
    published_names.save(later, tmp_path / "later.pth")
    with pytest.raises(CheckpointError, match=r"filled 0 of .*(?s:.)*unexpected: detector\.roi_head\."):
        convert(tmp_path / "later.pth", tmp_path / "o.pth", partial=True)
    with pytest.raises(CheckpointError, match=r"filled 0 of .*(?s:.)*unexpected: backbone\.bn1\.bias"):
        convert(released, tmp_path / "o.pth", weight_format="adelaidet")
    assert not (tmp_path / "o.pth").exists()


def test_the_first_upload_with_one_layer_in_its_track_head_is_refused(released, tmp_path):
    weights = {name: value for name, value in read_weights(released).items() if not name.startswith("track_head")}
    weights |= published_names.zeros(published_names.with_bias("track_head.fc", 32, 49 * 16))
    published_names.save(weights, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"4 names missing.*2 unexpected(?s:.)*unexpected: track_head\.fc\.bias"):
        convert(tmp_path / "w.pth", tmp_path / "o.pth")


def test_a_damaged_file_is_told(released, tmp_path):
    content = open(released, "rb").read()
    (tmp_path / "half.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="half.pth: broken"):
        convert(tmp_path / "half.pth", tmp_path / "o.pth")
    weights = read_weights(released)
    del weights["backbone.layer3.5.bn2.running_var"]
    weights |= {"bbox_head.fc_cls.bias": torch.tensor(1.0), "bbox_head.fc_reg.bias": torch.zeros(4)}
    published_names.save(weights, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"missing: backbone.bottom_up.res4.5.conv2.norm.running_var") as refused:
        convert(tmp_path / "w.pth", tmp_path / "o.pth")
    assert f"{PREDICTOR}.cls_score.bias () in the file, (41,) in the model" in str(refused.value)
    assert f"{PREDICTOR}.bbox_pred.bias (4,) in the file, (160,) in the model" in str(refused.value)


def test_layers_without_classes_keep_their_rows():
    weights = {"bbox_head.fc_reg.bias": torch.arange(4.0), "mask_head.conv_logits.bias": torch.ones(1)}
    converted = masktrack_rcnn(weights)
    assert converted[f"{PREDICTOR}.bbox_pred.bias"].tolist() == [0, 1, 2, 3]
    assert converted["roi_heads.mask_head.predictor.bias"].tolist() == [1]
