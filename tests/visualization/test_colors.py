import colorsys

from hypothesis import given
from hypothesis import strategies as st

from vis_projects.visualization import color_of
from vis_projects.visualization.colors import NO_ID_COLOR


def test_no_id_is_grey():
    assert color_of(-1) == NO_ID_COLOR and len(set(NO_ID_COLOR)) == 1


def test_the_first_thousand_ids_differ():
    assert len({color_of(k) for k in range(1000)}) > 990


def test_neighbouring_ids_have_hues_far_apart():
    hues = [colorsys.rgb_to_hsv(*color_of(k))[0] for k in range(200)]
    apart = [min(abs(a - b), 1 - abs(a - b)) for a, b in zip(hues, hues[1:])]
    assert min(apart) > 0.35


@given(st.integers(0, 2**62))
def test_any_id_has_a_bright_colour(track_id):
    color = color_of(track_id)
    assert all(isinstance(c, int) and 0 <= c <= 255 for c in color)
    assert max(color) >= 178  # 0.7 * 255 = 178.5
    assert min(color) <= 0.45 * max(color) + 1  # saturation of at least 0.55
