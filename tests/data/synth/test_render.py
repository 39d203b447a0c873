import numpy as np
import pytest

from vis_projects.data.synth import SceneOptions, SynthVIS
from vis_projects.data.synth.masks import rasterise
from vis_projects.data.synth.render import VideoRenderer

CALM = SceneOptions(events={}, num_objects=2)


def rendered(scene, time):
    return VideoRenderer(scene).frame(time, rasterise(scene, time))


def test_frames_are_reproducible_in_any_order():
    scene = SynthVIS("tiny", "val").scene(2)
    renderer = VideoRenderer(scene)
    later = renderer.frame(5, rasterise(scene, 5))
    renderer.frame(1, rasterise(scene, 1))
    assert np.array_equal(later, rendered(scene, 5))
    assert later.dtype == np.uint8 and later.shape == (96, 160, 3)
    assert 75 <= renderer.jpeg_quality <= 92


def test_pixels_change_with_the_light_only_where_light_can():
    scenes = [SynthVIS("tiny", "val", options=SceneOptions(factor_seeds={"light": seed})).scene(0) for seed in (0, 1)]
    first, second = (rendered(scene, 3) for scene in scenes)
    assert not np.array_equal(first, second)
    assert np.array_equal(rasterise(scenes[0], 3).owner, rasterise(scenes[1], 3).owner)


def test_objects_stand_out_from_their_background():
    gaps = []
    for index in range(8):
        scene = SynthVIS("tiny", "val", options=CALM).scene(index)
        masks = rasterise(scene, 8)
        image = rendered(scene, 8).astype(float)
        if (masks.owner == 1).sum() > 50:
            gaps.append(np.abs(image[masks.owner == 1].mean(axis=0) - image[masks.owner == 0].mean(axis=0)).max())
    assert len(gaps) >= 6 and np.median(gaps) > 25


@pytest.mark.parametrize("preset", ["small", "full"])
def test_other_presets_render(preset):
    scene = SynthVIS(preset, "val", options=SceneOptions(scale=0.25)).scene(3)
    image = rendered(scene, 4)
    assert image.shape == (scene.height, scene.width, 3) and image.std() > 5


def test_exposure_smears_a_moving_object():
    scene = SynthVIS("small", "val", options=SceneOptions(num_objects=1, events={}, scale=0.5)).scene(0)
    scene.props.clear()
    scene.tracks[0].xy[:, 0] = 0.2 + 0.08 * np.arange(scene.length)
    scene.tracks[0].xy[:, 1] = 0.5
    sharp, smeared = (rendered(type(scene)(**{**vars(scene), "exposure": exposure}), 5).astype(float)
                      for exposure in (0.0, 0.9))
    changed = np.abs(sharp - smeared).max(axis=2) > 30
    assert changed.sum() > 40
    assert changed[:, :int(0.1 * scene.height)].sum() == 0  # nothing moves at the far left
