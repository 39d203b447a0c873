import numpy as np
import pytest

from vis_projects.data.synth import sdf

SQUARE = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]


def at(function, x, y, *arguments):
    return float(function(np.array([float(x)]), np.array([float(y)]), *arguments)[0])


def test_hand_made_distances():
    assert at(sdf.circle, 3, 4, (0, 0), 2) == 3.0  # hypot(3, 4) - 2
    assert at(sdf.capsule, 0, 1, (-1, 0), (1, 0), 0.25) == 0.75
    assert at(sdf.capsule, 4, 4, (-1, 0), (1, 0), 0.25) == 4.75  # nearest point is (1, 0): hypot(3, 4) - 1/4
    assert at(sdf.rectangle, 0, 0, (0, 0), (2, 1)) == -1.0
    assert at(sdf.rectangle, 5, 5, (0, 0), (2, 1)) == 5.0  # corner (2, 1): hypot(3, 4)
    assert at(sdf.ellipse, 2, 0, (0, 0), (2, 1)) == 0.0


@pytest.mark.parametrize("function", [sdf.polygon, sdf.convex])
def test_square_as_polygon(function):
    assert at(function, 0, 0, SQUARE) == -1.0
    assert at(function, 0.5, 0.25, SQUARE) == -0.5
    assert at(function, 3, 0, SQUARE) == 2.0


def test_polygon_knows_its_notch():
    arrow = [(-1.0, -1.0), (1.0, 0.0), (-1.0, 1.0), (0.0, 0.0)]
    assert at(sdf.polygon, -0.5, 0, arrow) > 0.0
    assert at(sdf.polygon, 0.5, 0, arrow) < 0.0
