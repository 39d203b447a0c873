import numpy as np
import pytest

from vis_projects.data.synth.presets import SceneOptions
from vis_projects.data.synth.scene import draw_scene


def poses(scene):
    return np.concatenate([
        np.column_stack([s.xy, s.scale, s.angle, s.phase, s.mirror, s.depth]) for s in scene.sprites
    ])


def test_a_scene_depends_on_its_key_only():
    assert np.array_equal(poses(draw_scene("small", "val", 3)), poses(draw_scene("small", "val", 3)))
    other = draw_scene("small", "val", 3, seed=1)
    assert poses(other).shape != poses(draw_scene("small", "val", 3)).shape or not np.array_equal(
        poses(other), poses(draw_scene("small", "val", 3)))


@pytest.mark.parametrize("factor", ["light", "noise", "blur", "background", "looks"])
def test_factors_without_geometry_leave_it_alone(factor):
    options = SceneOptions(factor_seeds={factor: 99}, events={"cross": 1.0, "leave": 0.5})
    plain = SceneOptions(events={"cross": 1.0, "leave": 0.5})
    assert np.array_equal(poses(draw_scene("small", "val", 0, options=options)),
                          poses(draw_scene("small", "val", 0, options=plain)))


@pytest.mark.parametrize("preset", ["tiny", "small", "full"])
def test_counts_and_sizes_are_those_of_the_preset(preset):
    for index in range(12):
        scene = draw_scene(preset, "train", index)
        known = scene.preset
        assert known.min_tracks <= len(scene.tracks) <= known.max_tracks
        assert (scene.width, scene.height, scene.length) == (known.width, known.height, known.length)
        assert all(1 <= track.category_id <= known.num_classes for track in scene.tracks)
        assert all(prop.category_id == 0 for prop in scene.props)


def test_first_class_rotates_so_that_each_occurs():
    scenes = (draw_scene("small", "test", k, options=SceneOptions(events={})) for k in range(8))
    categories = {scene.tracks[0].category_id for scene in scenes}
    assert categories == set(range(1, 9))


def test_ground_scenes_put_the_lower_foot_in_front():
    scenes = (draw_scene("small", "val", k, options=SceneOptions(events={})) for k in range(9))
    scene = next(scene for scene in scenes if scene.ground)
    track = scene.tracks[0]
    assert np.ptp(track.depth) > 0.0


def test_degenerate_requests():
    assert draw_scene("tiny", "val", 0, options=SceneOptions(num_objects=0)).tracks == []
    assert draw_scene("tiny", "val", 0, options=SceneOptions(length=1)).length == 1
    assert (draw_scene("tiny", "val", 0, options=SceneOptions(absence="never")).tracks[0].xy[:, 0] < -1).all()
    half = draw_scene("tiny", "val", 0, options=SceneOptions(scale=0.5))
    assert (half.width, half.height) == (80, 48)


def test_unknown_preset_and_split_list_the_known_ones():
    with pytest.raises(ValueError, match="tiny, small, full"):
        draw_scene("huge", "val", 0)
    with pytest.raises(ValueError, match="train, val, test"):
        draw_scene("tiny", "valid", 0)
