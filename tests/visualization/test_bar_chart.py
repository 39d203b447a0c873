import numpy as np
import pytest

from vis_projects.visualization.bar_chart import LEFT, PALETTE, WIDTH, bar_chart, nice_step


def columns_of(image, color):
    """Columns in which a pixel has this colour, right of the names and below the legend."""
    return np.flatnonzero((image[60:] == color).all(axis=2).any(axis=0))


def test_without_rows_title_and_axis_are_there():
    image = bar_chart("nothing", ("AP",), {})
    assert image.dtype == np.uint8 and image.shape[1:] == (WIDTH, 3) and (image < 128).any()


def test_lengths_go_with_the_values():
    image = bar_chart("gains", ("AP", "AP50"), {"a": [10, 5], "b": [0, 0]})
    long, short = columns_of(image, PALETTE[0]), columns_of(image, PALETTE[1])
    # both begin at the axis, which has its own colour
    assert long[0] == short[0] == LEFT + 1
    assert (len(long) + 1) / (len(short) + 1) == pytest.approx(2, abs=0.02)


def test_negative_values_go_to_the_left_of_zero():
    image = bar_chart("gains", ("AP",), {"up": [4], "down": [-4]})
    found = columns_of(image, PALETTE[0])
    zero = (found[0] + found[-1]) / 2
    assert zero > LEFT + 50 and found[0] < zero < found[-1]
    rows = np.flatnonzero((image[60:, : int(zero) - 5] == PALETTE[0]).all(axis=2).any(axis=1))
    others = np.flatnonzero((image[60:, int(zero) + 5 :] == PALETTE[0]).all(axis=2).any(axis=1))
    assert others.max() < rows.min(), "one row each"


def test_all_zero_and_tiny_values():
    assert not len(columns_of(bar_chart("t", ("AP",), {"a": [0.0]}), PALETTE[0]))
    assert len(columns_of(bar_chart("t", ("AP",), {"a": [1e-6]}), PALETTE[0])) > 100


def test_steps_are_round():
    assert [nice_step(span) for span in (0, 4, 10, 26, 100, 0.3)] == pytest.approx([1, 1, 2, 5, 20, 0.05])


@pytest.mark.parametrize("row", [[1], [1, 2, 3], [1, float("nan")]])
def test_wrong_rows_are_named(row):
    with pytest.raises(ValueError, match="row 'miss' has the values .*give 2 finite numbers"):
        bar_chart("t", ("AP", "AP50"), {"miss": row})
