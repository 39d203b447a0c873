"""Oracles on a model whose detections and identities are known: what they lend and what they leave to the model."""

import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.modeling import META_ARCH_REGISTRY, Backbone
from detectron2.structures import BitMasks, Boxes, Instances

from tests.engine.toy_model import ToyVIS, register_toy_set, toy_cfg
from tests.methods.masktrack_rcnn.pairs import small_model
from vis_projects.engine.errors import ConfigError, DataError
from vis_projects.engine.evaluation_loop import evaluate_datasets
from vis_projects.engine.oracles import OracleModel, with_true_ids
from vis_projects.layers import rle_decode
from vis_projects.modeling import OnlineVISModel

SIZE = (8, 12)


class Pixels(Backbone):
    size_divisibility = 1

    def forward(self, x):
        return {"pixels": x}


class ByClass:
    """A tracker that gives the objects of class c the id c, in every third frame the id 9 - c."""

    def __init__(self):
        self.frame = -1

    def update(self, instances):
        self.frame += 1
        ids = instances.pred_classes
        kept = Instances(instances.image_size, **instances.get_fields())
        kept.pred_ids = 9 - ids if self.frame % 3 == 2 else ids.clone()
        return kept


class Channels(OnlineVISModel):
    """Detects one object of class c per channel c: where it is not black; its score is 0.5 + c / 10."""

    def losses(self, clip):
        raise NotImplementedError

    def detect(self, images, state):
        bright = images.tensor[0] > 0
        found = torch.nonzero(bright.flatten(1).any(1)).flatten()
        return Instances(
            (state.height, state.width), pred_masks=bright[found], pred_classes=found, scores=0.5 + found / 10,
            pred_boxes=Boxes(torch.zeros(len(found), 4)),
        )


def channels(tracker=ByClass, **kwargs):
    means = {"pixel_mean": (0.0,) * 3, "pixel_std": (1.0,) * 3}
    return Channels(backbone=Pixels(), **means, tracker_factory=tracker, **kwargs).eval()


def mask(start, stop):
    found = torch.zeros(SIZE, dtype=torch.bool)
    found[2:4, start:stop] = True
    return found


def frame(*bars):
    """A frame with (class, start, stop) bars."""
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    for c, start, stop in bars:
        image[c][mask(start, stop)] = 200
    return image


def truth(annotation_id, category, start, stop):
    return {"id": annotation_id, "category_id": category, "bbox": [start, 2, stop - start, 2], "bbox_mode": 1,
            "iscrowd": 0, "segmentation": [[start, 2, stop, 2, stop, 4, start, 4]]}


def run(oracle, frames, annotations, model=None):
    record = {"video_id": 7, "height": SIZE[0], "width": SIZE[1], "length": len(frames), "annotations": annotations}
    oracle = OracleModel(model or channels(), oracle, [record]).eval()
    (results,) = oracle([{"image": frames, "video_id": 7, "height": SIZE[0], "width": SIZE[1]}])
    assert results.length == len(frames)
    return results


def areas(track):
    return {t: int(rle_decode([rle]).sum()) for t, rle in track.segmentations.items()}


@pytest.mark.parametrize("oracle", ["image", "identity"])
def test_empty_videos_and_frames(oracle):
    assert run(oracle, [], []).tracks == []
    assert run(oracle, [frame(), frame()], [[], []]).tracks == []


def test_image_oracle_tracks_the_truth_with_the_models_own_association():
    # the frames are black: the model alone would find nothing. Two objects; in frame 2 the tracker changes the ids.
    annotations = [[truth(31, 0, 0, 4), truth(32, 1, 6, 9)]] * 3
    results = run("image", [frame()] * 3, annotations)
    assert [track.track_id for track in results.tracks] == [0, 1, 8, 9]
    first, second, eight, nine = results.tracks
    assert areas(first) == {0: 8, 1: 8} and areas(second) == {0: 6, 1: 6}
    assert areas(nine) == {2: 8} and areas(eight) == {2: 6}
    assert first.score == 1 and first.category_id == nine.category_id == 0 and second.category_id == 1
    assert first.boxes[0] == (0, 2, 4, 4)


def test_identity_oracle_gives_the_models_masks_true_identities():
    # class 0 is found one column too wide, in frame 2 under another id
    annotations = [[truth(31, 0, 0, 4), truth(32, 1, 6, 9)]] * 3
    results = run("identity", [frame((0, 0, 5), (1, 6, 9))] * 3, annotations)
    assert [areas(track) for track in results.tracks] == [{0: 10, 1: 10, 2: 10}, {0: 6, 1: 6, 2: 6}]
    assert [track.score for track in results.tracks] == pytest.approx([0.5, 0.6])
    assert [track.category_id for track in results.tracks] == [0, 1]


def test_identity_oracle_keeps_false_tracks_and_drops_stray_frames():
    # class 2 is nowhere near an object; class 0 leaves its object in frame 1
    annotations = [[truth(31, 0, 0, 4)]] * 2
    results = run("identity", [frame((0, 0, 4), (2, 9, 12)), frame((0, 6, 8), (2, 9, 12))], annotations)
    assert [(areas(track), track.category_id) for track in results.tracks] == [({0: 8}, 0), ({0: 6, 1: 6}, 2)]


def test_limits_of_the_model_hold():
    annotations = [[truth(31, 0, 0, 4)]] * 2
    assert run("image", [frame()] * 2, annotations, channels(min_track_len_frames=3)).tracks == []
    assert len(run("identity", [frame((0, 0, 4))] * 2, annotations, channels(score_floor=0.4)).tracks) == 1
    assert run("identity", [frame((0, 0, 4))] * 2, annotations, channels(score_floor=0.6)).tracks == []


def test_crowds_are_not_lent():
    assert run("image", [frame()], [[{**truth(31, 0, 0, 4), "iscrowd": 1}]]).tracks == []


def test_relabelling_leaves_the_instances_alone():
    instances = Instances(
        SIZE, pred_masks=torch.stack([mask(6, 9), mask(0, 4)]), pred_classes=torch.tensor([1, 0]),
        scores=torch.tensor([0.9, 0.8]), pred_ids=torch.tensor([4, 2]), pred_boxes=Boxes(torch.zeros(2, 4)),
    )
    objects = Instances(SIZE, gt_masks=BitMasks(mask(0, 4)[None]), gt_classes=torch.tensor([0]))
    objects.gt_ids = torch.tensor([55])
    paired = set()
    relabelled = with_true_ids(instances, objects, [50, 55], paired)
    # object 55 is the second one; what has no object keeps its id behind the two
    assert relabelled.pred_ids.tolist() == [2 + 4, 1] and paired == {2} and instances.pred_ids.tolist() == [4, 2]


def test_what_cannot_be_asked():
    with pytest.raises(ConfigError, match="TEST.VIDEO.ORACLE is 'mask'; choose one of image, identity"):
        OracleModel(channels(), "mask", [])
    with pytest.raises(ConfigError, match="needs a model of this project, not ToyVIS"):
        OracleModel(ToyVIS(), "image", [])
    with pytest.raises(DataError, match="video 3 has no annotations"):
        OracleModel(channels(), "identity", [{"video_id": 3}])


def test_a_tracker_that_asks_for_more_is_named():
    class Demanding(ByClass):
        def update(self, instances):
            raise KeyError("needs the fields ['embeddings']")

    with pytest.raises(ConfigError, match=r"cannot run Channels.*needs the fields \['embeddings'\].*`describe`"):
        run("image", [frame()], [[truth(31, 0, 0, 4)]], channels(Demanding))


def test_masktrack_rcnn_follows_true_objects():
    # an untrained model: appearance and place of an object that stands still are those of the frame before
    record = {"video_id": 1, "height": 64, "width": 96, "annotations": [[
        {**truth(5, 1, 10, 30), "segmentation": [[10, 5, 30, 5, 30, 25, 10, 25]], "bbox": [10, 5, 20, 20]},
        {**truth(6, 1, 60, 90), "segmentation": [[60, 30, 90, 30, 90, 60, 60, 60]], "bbox": [60, 30, 30, 30]},
    ]] * 3}
    image = torch.randint(0, 256, (3, 64, 96), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    model = OracleModel(small_model().eval(), "image", [record]).eval()
    (results,) = model([{"image": [image] * 3, "video_id": 1, "height": 64, "width": 96}])
    assert [(t.length, t.score, t.category_id) for t in results.tracks] == [(3, 1, 1), (3, 1, 1)]


@META_ARCH_REGISTRY.register()
class ToyChannels(Channels):
    """`Channels` from a config."""

    def __init__(self, cfg):
        super().__init__(backbone=Pixels(), pixel_mean=(0.0,) * 3, pixel_std=(1.0,) * 3, tracker_factory=ByClass)


@pytest.fixture
def toy_set(tmp_path):
    name = register_toy_set(tmp_path / "data", "toy_oracles", videos=2, frames=2)
    yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


def test_as_an_option_of_evaluation(toy_set, tmp_path):
    # two frames, in which the tracker does not change ids: true masks give AP 100, whatever the model sees
    cfg = toy_cfg(toy_set, tmp_path, opts=["TEST.VIDEO.ORACLE", "image"])
    model = ToyChannels(cfg).train()
    assert evaluate_datasets(cfg, model)["segm"]["AP"] == pytest.approx(100)
    assert model.training, "the mode of the model is kept"
    assert (tmp_path / "inference" / f"{toy_set}_image_oracle" / "results.json").is_file()
    assert not (tmp_path / "inference" / toy_set).exists(), "results without an oracle have a folder of their own"
    cfg.TEST.VIDEO.ORACLE = "mask"
    with pytest.raises(ConfigError, match="TEST.VIDEO.ORACLE is 'mask'"):
        evaluate_datasets(cfg, model)
