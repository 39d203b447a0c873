"""Kalman filter on boxes: constant velocity, 8 states, all tracks at once (Wojke et al., Deep SORT, section 2.1).

Letters: m tracks, n measurements. A measurement is (u, v, a, h): centre in pixels, aspect ratio
width / height, height in pixels. A state is a measurement and its four velocities per frame.
"""

import numpy as np

# Spread of the aspect ratio, which does not grow with the box: noise of a step, of its velocity, of a measurement.
ASPECT_STD, ASPECT_VELOCITY_STD, ASPECT_MEASURED_STD = 1e-2, 1e-5, 1e-1
# Spread of a new track against that of one step: it is known from one sight, and its velocity not at all.
NEW_POSITION_FACTOR, NEW_VELOCITY_FACTOR = 2.0, 10.0
# 0.95 quantile of the chi-square distribution with 4 degrees of freedom: the gate on squared distances.
GATE = 9.4877


class BoxKalmanFilter:
    """The constants of the filter; states are arrays that the caller keeps.

    A state of m tracks is ``mean`` (m, 8) and ``covariance`` (m, 8, 8), both float64.
    """

    def __init__(self, *, position_std: float = 0.05, velocity_std: float = 0.00625) -> None:
        """
        Args:
            position_std: standard deviation of a position per frame, as a fraction of the box height.
            velocity_std: standard deviation of a velocity per frame, likewise.
        """
        for name, value in (("POSITION_STD", position_std), ("VELOCITY_STD", velocity_std)):
            if value <= 0:
                raise ValueError(f"MODEL.DEEPSORT.{name} is {value}; give a positive fraction of the box height")
        self.position_std = position_std
        self.velocity_std = velocity_std
        self._motion = np.eye(8)
        self._motion[:4, 4:] = np.eye(4)

    def start(self, measurements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of tracks seen once: at rest, (n, 4) to (n, 8) and (n, 8, 8)."""
        mean = np.concatenate([measurements, np.zeros_like(measurements)], axis=1)
        std = self._step_std(measurements[:, 3])
        std[:, [0, 1, 3]] *= NEW_POSITION_FACTOR
        std[:, [4, 5, 7]] *= NEW_VELOCITY_FACTOR
        return mean, _diagonal(std**2)

    def predict(self, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The state one frame later: F x, F P F^T + Q."""
        noise = _diagonal(self._step_std(mean[:, 3]) ** 2)
        return mean @ self._motion.T, self._motion @ covariance @ self._motion.T + noise

    def project(self, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What a measurement is expected to be: (m, 4) and its covariance H P H^T + R, (m, 4, 4)."""
        std = np.repeat(self.position_std * mean[:, 3:4], 4, axis=1)
        std[:, 2] = ASPECT_MEASURED_STD
        return mean[:, :4], covariance[:, :4, :4] + _diagonal(std**2)

    def update(
        self, mean: np.ndarray, covariance: np.ndarray, measurements: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The state after one measurement (m, 4) per track: x + K y, P - K S K^T."""
        expected, innovation = self.project(mean, covariance)
        # K = P H^T S^-1, solved as S K^T = H P
        gain = np.linalg.solve(innovation, covariance[:, :4, :]).transpose(0, 2, 1)
        mean = mean + (gain @ (measurements - expected)[:, :, None])[:, :, 0]
        return mean, covariance - gain @ innovation @ gain.transpose(0, 2, 1)

    def squared_distances(
        self, mean: np.ndarray, covariance: np.ndarray, measurements: np.ndarray
    ) -> np.ndarray:
        """Squared Mahalanobis distance of each measurement from each track's expectation (eq. 1): (m, n)."""
        expected, innovation = self.project(mean, covariance)
        # with S = L L^T the distance is |L^-1 y|^2: no pair needs a solve of its own
        whitening = np.linalg.inv(np.linalg.cholesky(innovation))
        away = measurements[None] - expected[:, None]
        return ((away @ whitening.transpose(0, 2, 1)) ** 2).sum(axis=2)

    def _step_std(self, height: np.ndarray) -> np.ndarray:
        """Standard deviations of one step's noise, (m,) to (m, 8)."""
        std = np.empty((len(height), 8))
        std[:, :4] = self.position_std * height[:, None]
        std[:, 4:] = self.velocity_std * height[:, None]
        std[:, 2], std[:, 6] = ASPECT_STD, ASPECT_VELOCITY_STD
        return std


def boxes_to_measurements(boxes: np.ndarray) -> np.ndarray:
    """(n, 4) xyxy to (n, 4) float64 (u, v, a, h); a box without height counts as one pixel high."""
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    width, height = boxes[:, 2] - boxes[:, 0], np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.column_stack([centre, width / height, height])


def measurements_to_boxes(measurements: np.ndarray) -> np.ndarray:
    """(n, 4) (u, v, a, h) to (n, 4) xyxy."""
    height = measurements[:, 3]
    half = np.column_stack([measurements[:, 2] * height, height]) / 2
    return np.concatenate([measurements[:, :2] - half, measurements[:, :2] + half], axis=1)


def _diagonal(values: np.ndarray) -> np.ndarray:
    """(m, k) to (m, k, k) diagonal matrices."""
    return values[:, :, None] * np.eye(values.shape[1])
