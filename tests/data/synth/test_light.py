import numpy as np

from vis_projects.data.synth.light import (
    Light,
    Sensor,
    apply_light,
    apply_sensor,
    draw_defocus,
    draw_light,
    draw_sensor,
)
from vis_projects.data.synth.presets import PRESETS


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_gain_stays_in_range_and_some_videos_go_dark_or_shadowed():
    lights = [draw_light(generator(seed), 24) for seed in range(200)]
    levels = np.array([light.gain[:, 1] for light in lights])
    dark = (levels == 0.3).any(axis=1)
    assert levels[~dark].min() >= 0.5 and levels.max() <= 1.6
    assert 0.08 < dark.mean() < 0.22
    assert 0.04 < np.mean([light.shadow is not None for light in lights]) < 0.16
    assert draw_light(generator(), 1).gain.shape == (1, 3)


def test_gain_multiplies_and_shadow_darkens_one_side():
    frame = np.full((4, 8, 3), 0.5, dtype=np.float32)
    gain = np.array([[1.0, 0.5, 2.0]])
    assert np.allclose(apply_light(frame, Light(gain, None), 0)[0, 0], [0.5, 0.25, 1.0])
    edge = Light(np.ones((1, 3)), np.array([[1.0, 0.0, 0.0]]))  # darkens x < middle of the frame
    lit = apply_light(frame, edge, 0)
    assert np.allclose(lit[:, 0], 0.5 * 0.55) and np.allclose(lit[:, -1], 0.5)


def test_sensor_without_noise_rounds_and_clips():
    sensor = Sensor(0.0, np.array([1]), 80)
    frame = np.array([[[-0.1, 0.5, 1.2]]], dtype=np.float32)
    assert apply_sensor(frame, sensor, 0).tolist() == [[[0, 128, 255]]]  # 127.5 rounds to even


def test_noise_has_its_sigma_and_is_repeatable():
    sensor = Sensor(4.0, np.array([1, 2]), 80)
    frame = np.full((64, 64, 3), 0.5, dtype=np.float32)
    first = apply_sensor(frame, sensor, 0)
    assert abs(first.astype(float).std() - 4.0) < 0.2
    assert np.array_equal(first, apply_sensor(frame, sensor, 0))
    assert not np.array_equal(first, apply_sensor(frame, sensor, 1))


def test_drawn_sensor_and_focus():
    sensors = [draw_sensor(generator(seed), PRESETS["tiny"], 5) for seed in range(20)]
    assert all(0 <= s.sigma <= 3.0 and 75 <= s.jpeg_quality <= 92 and len(s.seeds) == 5 for s in sensors)
    focus = [draw_defocus(generator(seed)) for seed in range(200)]
    assert 0.08 < np.mean([sigma > 0 for sigma in focus]) < 0.22 and max(focus) <= 1.2
