import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_projects.data.synth.motion import (
    CAMERA_KINDS,
    bounce_path,
    catmull_rom,
    draw_camera,
    fold,
    fold_into,
    orbit_path,
    pink_noise,
    waypoint_path,
)

REGION = (0.1, 0.2, 1.5, 0.8)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_fold_reflects_at_both_walls():
    values = fold(np.array([0.5, 1.25, -0.25, 2.5]), 0.0, 1.0)
    assert values == pytest.approx([0.5, 0.75, 0.25, 0.5])  # 1.25 -> 1 - 1/4, -0.25 -> 1/4, 2.5 -> 2.5 - 2


@given(st.floats(-50, 50), st.floats(-2, 2), st.floats(0.01, 3))
def test_fold_stays_between_the_walls(value, low, span):
    folded = float(fold(np.array([value]), low, low + span)[0])
    assert low - 1e-9 <= folded <= low + span + 1e-9


def test_spline_passes_through_its_points():
    points = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    assert catmull_rom(points, np.array([0.0, 1.0, 2.0])) == pytest.approx(points)


@pytest.mark.parametrize("length", [1, 2, 24])
@pytest.mark.parametrize("seed", range(5))
def test_paths_stay_in_the_region_and_keep_their_pace(length, seed):
    centre = np.tile([0.8, 0.5], (length, 1))
    paths = (waypoint_path(generator(seed), length, REGION, 0.05), bounce_path(generator(seed), length, REGION, 0.05),
             orbit_path(generator(seed), centre, 0.2, 0.05, REGION))
    for path in paths:
        assert path.shape == (length, 2)
        assert np.array_equal(path, fold_into(path, REGION)) or np.allclose(path, fold_into(path, REGION))
        steps = np.hypot(*np.diff(path, axis=0).T)
        assert length == 1 or steps.max() < 0.05 * 4


def test_cameras_of_all_kinds_are_drawn_and_moderate():
    cameras = [draw_camera(generator(seed), 24, 5 / 3) for seed in range(60)]
    assert {camera.kind for camera in cameras} == set(CAMERA_KINDS)
    for camera in cameras:
        assert camera.offset.shape == (24, 2) and camera.zoom.shape == (24,)
        assert np.abs(camera.offset).max() < 0.5 and 0.8 <= camera.zoom.min() <= camera.zoom.max() <= 1.25
        if camera.kind == "none":
            assert not camera.offset.any() and (camera.zoom == 1.0).all()


def test_fewer_waves_are_smoother():
    rough, smooth = (pink_noise(generator(1), 24, waves) for waves in (8, 1))
    assert np.abs(np.diff(smooth)).mean() < np.abs(np.diff(rough)).mean()
