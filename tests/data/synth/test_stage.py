import numpy as np

from tests.data.synth.test_event_paths import generator, make_stage
from vis_projects.data.synth.stage import draw_clutter, draw_paths, draw_tracks, set_depth_and_scale, set_pose


def test_class_of_the_first_track_follows_the_video_number():
    for index in range(10):
        stage = make_stage()
        draw_tracks(generator(index), generator(1), stage, 2, index)
        assert stage.tracks[0].category_id == index % 8 + 1


def test_heights_are_in_the_range_of_the_preset():
    stage = make_stage()
    draw_tracks(generator(), generator(1), stage, 60, 0)
    low, high = stage.preset.object_height
    balls = [2 * track.size for track in stage.tracks if track.kind in ("ball", "box", "star", "ring", "walker")]
    assert low <= min(balls) and max(balls) <= high


def test_paths_and_poses_of_clutter_without_tracks():
    stage = make_stage()
    for _ in range(5):
        draw_clutter(generator(4), generator(1), stage)
    draw_paths(generator(), stage)
    set_depth_and_scale(stage)
    set_pose(generator(), stage)
    assert stage.props and all(prop.category_id == 0 for prop in stage.props)
    assert all(np.isfinite(prop.xy).all() and prop.xy.shape == (24, 2) for prop in stage.props)


def test_cars_look_where_they_go():
    stage = make_stage((0.5, 0.5))
    car = stage.tracks[0]
    car.kind = "car"
    car.xy[:, 0] = np.concatenate([np.linspace(0.3, 0.9, 12), np.linspace(0.85, 0.3, 12)])
    set_pose(generator(), stage)
    assert (car.mirror[1:12] == 1.0).all() and (car.mirror[13:] == -1.0).all()
