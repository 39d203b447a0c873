import hashlib

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from vis_projects.data.synth import SceneOptions, SynthVIS

MASK_HASHES = {
    "train": "2a6b587c6f72c773a3ff984eaa5cb54b906031e716ec567e7538e6280704c28c",
    "val": "cec0c8af70ef800ef6d86dd71ea96e393e82935908372a5a96c49998fe043daa",
    "test": "86d0ff9fa47032d87de86e6935c4158b0a81cbb943c1efefcc473b6139dd39cd",
}


def mask_hash(truth):
    """SHA-256 of all masks as packed bits, in the order of the json."""
    digest = hashlib.sha256()
    for annotation in truth["annotations"]:
        for rle in annotation["segmentations"]:
            if rle is not None:
                digest.update(np.packbits(coco_mask.decode(rle)).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("split", MASK_HASHES)
def test_tiny_masks_are_pinned(split):
    assert mask_hash(SynthVIS("tiny", split).ground_truth()) == MASK_HASHES[split]


def test_another_seed_gives_other_masks():
    first, second = (SynthVIS("tiny", "val", seed, num_videos=2).ground_truth() for seed in (0, 1))
    assert mask_hash(first) != mask_hash(second)


def test_video_does_not_depend_on_the_number_of_videos():
    few, many = (SynthVIS("tiny", "val", num_videos=n).ground_truth() for n in (2, 3))
    assert few["videos"] == many["videos"][:2]
    assert few["annotations"] == [a for a in many["annotations"] if a["video_id"] <= 2]


@pytest.mark.parametrize("factor", ["light", "noise"])
def test_light_and_noise_leave_the_json_untouched_but_not_the_pixels(factor):
    plain = SynthVIS("tiny", "val", num_videos=2)
    other = SynthVIS("tiny", "val", num_videos=2, options=SceneOptions(factor_seeds={factor: 5}))
    assert plain.ground_truth() == other.ground_truth()
    assert not np.array_equal(plain[0]["image"][0], other[0]["image"][0])


def test_item_has_frames_and_annotations():
    data = SynthVIS("tiny", "val")
    item = data[3]
    assert len(data) == 16 and data.class_names == ("ball", "box", "star", "ring")
    assert [image.shape for image in item["image"]] == [(96, 160, 3)] * 16 and item["image"][0].dtype == np.uint8
    assert item["video_id"] == item["video"]["id"] == 4 and item["length"] == 16
    truth = [a for a in data.ground_truth()["annotations"] if a["video_id"] == 4]
    assert [{**a, "id": 0} for a in item["annotations"]] == [{**a, "id": 0} for a in truth]
    assert np.array_equal(data[3]["image"][7], item["image"][7])


def test_labels_agree_with_annotations():
    data = SynthVIS("tiny", "val")
    labels, item = data.labels(2), data[2]
    assert labels.shape == (16, 96, 160)
    assert item["annotations"][0]["areas"][0] in [(labels[0] == k).sum() for k in np.unique(labels[0])]


def test_iteration_and_bounds():
    data = SynthVIS("tiny", "val", num_videos=2, options=SceneOptions(length=2))
    assert [item["video_id"] for item in data] == [1, 2]
    with pytest.raises(IndexError, match="has 2 videos"):
        data[2]
    with pytest.raises(ValueError, match="unknown SynthVIS split"):
        SynthVIS("tiny", "valid")


@pytest.mark.parametrize("options", [SceneOptions(num_objects=0), SceneOptions(length=1),
                                     SceneOptions(absence="all_leave"),
                                     SceneOptions(num_objects=1, absence="never", events={})],
                         ids=["no objects", "one frame", "all leave", "never appears"])
def test_degenerate_videos_are_valid(options):
    item = SynthVIS("tiny", "val", num_videos=1, options=options)[0]
    assert len(item["image"]) == item["length"] == len(item["video"]["file_names"])
    assert all(len(a["segmentations"]) == item["length"] for a in item["annotations"])
    if options.num_objects is not None:
        assert item["annotations"] == []
    if options.absence == "all_leave":
        assert all(a["bboxes"][-1] is None for a in item["annotations"])
