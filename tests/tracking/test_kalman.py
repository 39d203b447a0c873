"""The Kalman filter: one step in fractions, many steps against the closed form, distances pair by pair."""

import numpy as np
import pytest

from vis_projects.tracking.kalman import BoxKalmanFilter, boxes_to_measurements, measurements_to_boxes

HEIGHT = 20.0  # a position has standard deviation 1 then, a velocity 1/8


def measured(*us):
    return np.array([[u, 50.0, 1.0, HEIGHT] for u in us])


def test_no_tracks():
    kalman = BoxKalmanFilter()
    mean, covariance = kalman.start(np.zeros((0, 4)))
    mean, covariance = kalman.predict(mean, covariance)
    assert mean.shape == (0, 8) and covariance.shape == (0, 8, 8)
    mean, covariance = kalman.update(mean, covariance, np.zeros((0, 4)))
    assert kalman.squared_distances(mean, covariance, measured(1, 2)).shape == (0, 2)


def test_one_step_in_fractions():
    kalman = BoxKalmanFilter()
    mean, covariance = kalman.predict(*kalman.start(measured(100)))
    # position: 2^2 + (5/4)^2 + 1 = 105/16; velocity: (5/4)^2 + (1/8)^2 = 101/64; both: (5/4)^2
    assert covariance[0, 0, 0] == pytest.approx(105 / 16) and covariance[0, 4, 4] == pytest.approx(101 / 64)
    assert covariance[0, 0, 4] == pytest.approx(25 / 16) and mean[0, 0] == 100
    # the innovation has 105/16 + 1 = 121/16; 8 pixels away is 64 * 16 / 121
    assert kalman.squared_distances(mean, covariance, measured(108))[0, 0] == pytest.approx(1024 / 121)
    mean, covariance = kalman.update(mean, covariance, measured(108))
    assert mean[0, 0] == pytest.approx(100 + 8 * 105 / 121) and mean[0, 4] == pytest.approx(8 * 25 / 121)
    assert covariance[0, 0, 0] == pytest.approx(105 / 121) and covariance[0, 0, 4] == pytest.approx(25 / 121)
    assert covariance[0, 4, 4] == pytest.approx(101 / 64 - 625 / (16 * 121))


def closed_form(values, position_std, velocity_std):
    """Mean and covariance of (position, velocity) after all values, from the joint Gaussian of all of them at once."""
    count = len(values)
    motion = np.array([[1.0, 1.0], [0.0, 1.0]])
    # x_t = F^t x_0 + sum over s <= t of F^(t - s) w_s: one matrix from (x_0, w_1, ..., w_T) to x_t
    sizes = 2 * count
    spread = np.kron(np.eye(count), np.diag([position_std**2, velocity_std**2]))
    spread[:2, :2] = np.diag([(2 * position_std) ** 2, (10 * velocity_std) ** 2])
    reach = np.zeros((count, 2, sizes))
    for t in range(count):
        for s in range(t + 1):
            reach[t, :, 2 * s : 2 * s + 2] = np.linalg.matrix_power(motion, t - s)
    positions = reach[1:, 0]
    observed = positions @ spread @ positions.T + position_std**2 * np.eye(count - 1)
    last = reach[-1]
    gain = last @ spread @ positions.T @ np.linalg.inv(observed)
    mean = np.array([values[0], 0.0]) + gain @ (values[1:] - values[0])
    return mean, last @ spread @ last.T - gain @ positions @ spread @ last.T


@pytest.mark.parametrize("speed", [0.0, 3.0, -7.5])
def test_a_track_of_constant_velocity_equals_the_closed_form(speed):
    kalman = BoxKalmanFilter()
    values = 100 + speed * np.arange(12)
    mean, covariance = kalman.start(measured(values[0]))
    for value in values[1:]:
        mean, covariance = kalman.update(*kalman.predict(mean, covariance), measured(value))
    expected_mean, expected_covariance = closed_form(values, 1.0, 1 / 8)
    assert mean[0, [0, 4]] == pytest.approx(expected_mean, abs=1e-9)
    assert covariance[0][np.ix_([0, 4], [0, 4])] == pytest.approx(expected_covariance, abs=1e-9)
    # what does not move stays exactly where it is
    assert mean[0, [1, 2, 3, 5, 6, 7]] == pytest.approx([50, 1, HEIGHT, 0, 0, 0], abs=1e-9)
    assert np.linalg.eigvalsh(covariance[0]).min() > 0


def test_the_velocity_is_learned():
    kalman = BoxKalmanFilter()
    mean, covariance = kalman.start(measured(0))
    for t in range(1, 60):
        mean, covariance = kalman.update(*kalman.predict(mean, covariance), measured(4.0 * t))
    assert mean[0, 4] == pytest.approx(4.0, abs=1e-3)
    assert kalman.predict(mean, covariance)[0][0, 0] == pytest.approx(240, abs=0.01)


def test_tracks_do_not_touch_each_other_and_distances_are_pairwise():
    kalman, rng = BoxKalmanFilter(), np.random.default_rng(0)
    seen = [np.column_stack([rng.uniform(0, 99, (5, 2)), rng.uniform(0.5, 2, 5), rng.uniform(10, 60, 5)])
            for _ in range(3)]
    mean, covariance = kalman.start(seen[0])
    mean, covariance = kalman.update(*kalman.predict(mean, covariance), seen[1])
    found = kalman.squared_distances(mean, covariance, seen[2][:4])
    assert found.shape == (5, 4)
    for k in range(5):
        alone = kalman.update(*kalman.predict(*kalman.start(seen[0][k : k + 1])), seen[1][k : k + 1])
        assert alone[0][0] == pytest.approx(mean[k]) and alone[1][0] == pytest.approx(covariance[k])
        expected, innovation = kalman.project(*alone)
        for n in range(4):
            away = seen[2][n] - expected[0]
            assert found[k, n] == pytest.approx(away @ np.linalg.inv(innovation[0]) @ away)


def test_boxes_and_measurements():
    boxes = np.array([[10, 20, 30, 60], [0, 0, 5, 5]])
    assert boxes_to_measurements(boxes).tolist() == [[20, 40, 0.5, 40], [2.5, 2.5, 1, 5]]
    assert measurements_to_boxes(boxes_to_measurements(boxes)) == pytest.approx(boxes)
    assert boxes_to_measurements(np.zeros((0, 4))).shape == (0, 4)
    assert boxes_to_measurements(np.array([[3, 4, 3, 4]])).tolist() == [[3, 4, 0, 1]]  # no division by 0


@pytest.mark.parametrize("key", ["position_std", "velocity_std"])
def test_settings_are_checked(key):
    with pytest.raises(ValueError, match=key.upper()):
        BoxKalmanFilter(**{key: 0.0})
