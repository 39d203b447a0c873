"""The frame-step protocol, on a model that finds the bright region of a frame."""

import pytest
import torch
from detectron2.modeling import Backbone
from detectron2.structures import Boxes, Instances

from vis_projects.modeling import OnlineVISModel

H, W = 8, 12


class PixelBackbone(Backbone):
    """Hands the image on; pads to multiples of 4."""

    size_divisibility = 4

    def forward(self, x):
        return {"pixels": x}


class CountingTracker:
    """Gives a running number to every detection."""

    def __init__(self):
        self.next_id = 0

    def update(self, instances):
        instances.pred_ids = torch.arange(self.next_id, self.next_id + len(instances))
        self.next_id += len(instances)
        return instances


class BrightRegion(OnlineVISModel):
    """One detection, of score = mean brightness, unless the frame is black."""

    def losses(self, clip):
        return {"loss_pixels": self.backbone(clip.images.tensor)["pixels"].sum()}

    def detect(self, images, state):
        h, w = images.image_sizes[0]
        pixels = self.backbone(images.tensor)["pixels"][0, :, :h, :w].mean(dim=0)
        self.autocast_seen = torch.is_autocast_enabled("cpu")
        found = Instances((state.height, state.width))
        mask = torch.nn.functional.interpolate(pixels[None, None], (state.height, state.width))[0] > 0
        n = int(mask.any())
        found.pred_boxes = Boxes(torch.tensor([[0.0, 0, state.width, state.height]])[:n])
        found.scores = (pixels.mean() / 255).reshape(1)[:n]
        found.pred_classes = torch.zeros(n, dtype=torch.int64)
        found.pred_masks = mask[:n]
        found.extra_field = torch.zeros(n)
        return found


def model(**kwargs):
    args = dict(
        backbone=PixelBackbone(), pixel_mean=(0.0,) * 3, pixel_std=(1.0,) * 3, tracker_factory=CountingTracker
    )
    return BrightRegion(**{**args, **kwargs}).eval()


def frame(value=0, h=H, w=W):
    return torch.full((3, h, w), value, dtype=torch.uint8)


def video(frames, **kwargs):
    return {"image": frames, "video_id": 5, "height": H, "width": W, **kwargs}


def test_empty_video():
    (results,) = model()([video([])])
    assert (results.video_id, results.length, results.tracks) == (5, 0, [])


def test_video_of_black_frames_has_no_track():
    (results,) = model()([video([frame(), frame()])])
    assert (results.length, results.tracks) == (2, [])


def test_one_frame():
    (results,) = model()([video([frame(51)])])
    (track,) = results.tracks
    assert track.score == pytest.approx(51 / 255) and track.category_id == 0
    assert list(track.segmentations) == [0] and track.segmentations[0]["size"] == [H, W]


def test_streaming_equals_batch():
    frames = [frame(10), frame(), frame(200)]
    streaming = model()
    state = streaming.init_state({"height": 16, "width": 24})
    steps = []
    for image in frames:
        instances, state = streaming.step(image, state)
        steps.append(instances)
    (results,) = model()([video(frames, height=16, width=24)])
    assert state.num_frames == 3
    assert [len(s) for s in steps] == [1, 0, 1]
    assert [t.track_id for t in results.tracks] == [s.pred_ids[0].item() for s in steps if len(s)]
    assert [t.frame_scores for t in results.tracks] == [{0: steps[0].scores.item()}, {2: steps[2].scores.item()}]


def test_step_returns_the_fields_of_the_protocol_at_output_size():
    net = model()
    instances, _ = net.step(frame(9, 6, 9), net.init_state({"height": H, "width": W}))
    assert set(instances.get_fields()) == {"pred_boxes", "scores", "pred_classes", "pred_masks", "pred_ids"}
    assert instances.image_size == (H, W)
    assert instances.pred_masks.shape == (1, H, W) and instances.pred_masks.dtype == torch.bool
    assert instances.pred_ids.dtype == torch.int64


def test_videos_of_a_batch_do_not_share_a_state():
    first, second = model()([video([frame(9)]), video([frame(9)])])
    assert first.tracks[0].track_id == second.tracks[0].track_id == 0


def test_frames_are_read_one_at_a_time():
    net, alive = model(), []

    def frames():
        for k in range(4):
            alive.append(k)
            assert len(alive) == 1
            yield frame(k + 1)
            alive.pop()

    assert net([video(frames())])[0].length == 4


def test_short_and_weak_tracks_are_left_out_on_request():
    frames = [frame(51), frame(255)]
    assert len(model()([video(frames)])[0].tracks) == 2
    assert len(model(score_floor=0.5)([video(frames)])[0].tracks) == 1
    assert len(model(min_track_len_frames=2)([video(frames)])[0].tracks) == 0


def test_training_returns_the_losses_of_a_normalised_clip():
    net = model(pixel_mean=(1.0, 1.0, 1.0), pixel_std=(2.0, 2.0, 2.0)).train()
    item = {"image": [frame(5, 4, 4)] * 2, "roles": ["key", "reference"], "frame_indices": [0, 1], "video_id": 1}
    losses = net([item])
    # (5 - 1) / 2 = 2 at 2 frames x 3 channels x 16 pixels
    assert losses["loss_pixels"].item() == 2 * 2 * 3 * 16


@pytest.mark.parametrize("amp", [False, True])
def test_mixed_precision_is_a_switch(amp):
    net = model(amp=amp)
    net([video([frame(3)])])
    assert net.autocast_seen is amp


def test_weights_hold_no_video():
    net = model()
    before = set(vars(net)), set(net.state_dict())
    net([video([frame(3)] * 3)])
    assert before == (set(vars(net)) - {"autocast_seen"}, set(net.state_dict()))


def test_step_in_training_mode_says_what_to_do():
    net = model()
    state = net.init_state({"height": H, "width": W})
    with pytest.raises(RuntimeError, match=r"model\.eval\(\)"):
        net.train().step(frame(1), state)


@pytest.mark.parametrize(
    "bad, error, words",
    [
        (torch.zeros(3, H, W), TypeError, "uint8"),
        (torch.zeros(H, W, 3, dtype=torch.uint8), ValueError, r"\(3, height, width\), not \(8, 12, 3\)"),
        (torch.zeros(H, W, dtype=torch.uint8), ValueError, "FrameTransform"),
    ],
)
def test_wrong_frames_are_refused(bad, error, words):
    net = model()
    with pytest.raises(error, match=words):
        net.step(bad, net.init_state({"height": H, "width": W}))


def given(n=1, size=(H, W)):
    found = Instances(size)
    found.pred_boxes, found.scores = Boxes(torch.zeros(n, 4)), torch.ones(n)
    found.pred_classes, found.pred_masks = torch.full((n,), 2), torch.ones(n, *size, dtype=torch.bool)
    return found


def test_given_instances_are_tracked_instead_of_detected_ones():
    net = model()
    state = net.init_state({"height": H, "width": W})
    first, state = net.step_with_given_instances(frame(9), given(2), state)
    second, state = net.step(frame(9), state)
    third, state = net.step_with_given_instances(frame(), given(0), state)
    assert [x.pred_ids.tolist() for x in (first, second, third)] == [[0, 1], [2], []] and state.num_frames == 3
    assert first.pred_classes.tolist() == [2, 2] and second.pred_classes.tolist() == [0]
    assert set(first.get_fields()) == {"pred_boxes", "scores", "pred_classes", "pred_masks", "pred_ids"}


def test_given_instances_are_described_for_the_tracker_and_not_changed():
    class Described(BrightRegion):
        def describe(self, images, instances, state):
            assert images.tensor.shape[-2:] == (H, W) and torch.is_autocast_enabled("cpu")
            return instances[instances.scores > 0.5]

    net = Described(backbone=PixelBackbone(), pixel_mean=(0.0,) * 3, pixel_std=(1.0,) * 3,
                    tracker_factory=CountingTracker, amp=True).eval()
    instances = given(2)
    instances.scores[0] = 0.2
    tracked, _ = net.step_with_given_instances(frame(9), instances, net.init_state({"height": H, "width": W}))
    assert len(tracked) == 1 and len(instances) == 2 and not instances.has("pred_ids")


def test_given_instances_must_have_output_size():
    net = model()
    state = net.init_state({"height": H, "width": W})
    with pytest.raises(ValueError, match=r"of size \(4, 4\), the video's output has \(8, 12\)"):
        net.step_with_given_instances(frame(9), given(1, (4, 4)), state)
    with pytest.raises(RuntimeError, match=r"model\.eval\(\)"):
        net.train().step_with_given_instances(frame(9), given(), state)
    with pytest.raises(TypeError, match="uint8"):
        net.eval().step_with_given_instances(torch.zeros(3, H, W), given(), state)


def test_state_needs_the_output_size():
    with pytest.raises(KeyError, match="height"):
        model().init_state({"width": 3})


def test_mean_and_std_must_agree():
    with pytest.raises(ValueError, match="PIXEL_STD"):
        model(pixel_std=(1.0,))
