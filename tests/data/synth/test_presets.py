import pytest

from vis_projects.data.synth.presets import CLASS_NAMES, EVENT_NAMES, PRESETS, SPLITS, SceneOptions, get_preset


def test_presets_have_the_sizes_of_the_benchmark():
    sizes = {name: (p.width, p.height, p.length, p.num_classes, p.min_tracks, p.max_tracks)
             for name, p in PRESETS.items()}
    assert sizes == {"tiny": (160, 96, 16, 4, 2, 4), "small": (320, 192, 24, 8, 2, 7), "full": (640, 360, 36, 8, 3, 10)}
    assert CLASS_NAMES[:4] == ("ball", "box", "star", "ring")
    assert all(set(p.num_videos) == set(SPLITS) and set(p.events) == set(EVENT_NAMES) for p in PRESETS.values())


def test_unknown_names_list_what_exists():
    with pytest.raises(ValueError, match="tiny, small, full"):
        get_preset("huge")
    with pytest.raises(ValueError, match="explode"):
        SceneOptions(events={"explode": 1.0})
    with pytest.raises(ValueError, match="all_leave"):
        SceneOptions(absence="gone")
    with pytest.raises(ValueError, match="at least one frame"):
        SceneOptions(length=0)
