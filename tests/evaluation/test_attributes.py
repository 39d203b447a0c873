import pytest

from vis_projects.evaluation.attributes import attribute_groups, length_groups, occlusion_groups
from vis_projects.evaluation.errors import EvaluationInputError


def test_nothing_gives_no_groups():
    assert attribute_groups([]) == attribute_groups([(1, None), (2, {})]) == {}
    assert occlusion_groups([]) == occlusion_groups([{"id": 1}, {"id": 2, "occlusion": None}]) == {}
    assert length_groups({}) == {}


def test_words_numbers_and_truth_values():
    groups = attribute_groups([
        (1, {"level": "so", "fast": True, "gaps": 0}), (2, {"level": "ho", "fast": False, "gaps": 2}),
        (3, {"level": "so", "fast": True, "gaps": 10}), (4, None),
    ])
    assert groups == {"level": {"ho": {2}, "so": {1, 3}}, "fast": {"no": {2}, "yes": {1, 3}},
                      "gaps": {"0": {1}, "2": {2}, "10": {3}}}
    assert list(groups["gaps"]) == ["0", "2", "10"], "numbers in their order"


def test_lists_put_a_track_into_several_groups():
    groups = attribute_groups([(1, {"events": ["cross", "late"]}), (2, {"events": ["late"]}), (3, {"events": []})])
    assert groups == {"events": {"cross": {1}, "late": {1, 2}}}


def test_measures_are_no_groups_but_a_few_levels_are():
    assert attribute_groups([(k, {"speed": 0.1 * k}) for k in range(9)]) == {}
    assert attribute_groups([(1, {"exposure": 0.3}), (2, {"exposure": 0.6})]) == {}, "each level once: a measure"
    levels = [(k, {"exposure": (0.0, 0.3)[k % 2]}) for k in range(4)]
    assert attribute_groups(levels) == {"exposure": {"0.0": {0, 2}, "0.3": {1, 3}}}
    assert attribute_groups([(1, {"box": {"x": 3}})]) == {}, "nested values are no groups"


def test_occlusion_is_the_mean_of_the_upper_half():
    no, slight, severe = "no_occlusion", "slight_occlusion", "severe_occlusion"
    groups = occlusion_groups([
        {"id": 1, "occlusion": [no, no, None, no]},
        # 5 frames, the 3 largest: (0.75 + 0.25 + 0.25) / 3 = 5/12
        {"id": 2, "occlusion": [severe, slight, no, slight, no, None]},
        {"id": 3, "occlusion": [severe]},
        # 2 frames, the larger one: 0.25, on the border
        {"id": 4, "occlusion": [slight, no]},
        {"id": 5, "occlusion": [None, None]},
        {"id": 6},
        # (0.75 + 0.25) / 2 = 0.5, on the other border
        {"id": 7, "occlusion": [severe, slight, no]},
    ])
    assert groups == {"light": {1, 4}, "medium": {2, 4, 7}, "heavy": {3, 7}}
    message = "annotation 8: occlusion has 'half'; known are null and no_occlusion"
    with pytest.raises(EvaluationInputError, match=message):
        occlusion_groups([{"id": 8, "occlusion": ["half"]}])


def test_lengths():
    lengths = {1: 1, 2: 16, 3: 17, 4: 64, 5: 500}
    assert length_groups(lengths) == {
        "1 to 16 frames": {1, 2}, "17 to 32 frames": {3}, "33 to 64 frames": {4}, "65 frames and more": {5},
    }
