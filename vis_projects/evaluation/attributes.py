"""Groups of tracks and videos by what a ground-truth json says about them beyond the standard fields."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence

from vis_projects.evaluation.errors import EvaluationInputError, shorten

OCCLUSION_WEIGHTS = {"no_occlusion": 0.0, "slight_occlusion": 0.25, "severe_occlusion": 0.75}
OCCLUSION_RANGES = (("light", 0.0, 0.25), ("medium", 0.25, 0.5), ("heavy", 0.5, 1.0))
LENGTH_BINS = ((0, 16), (17, 32), (33, 64), (65, None))
"""Video lengths in frames, the same for every data set so that tables can be compared."""
MAX_LEVELS = 6

Groups = dict[str, dict[str, set]]


def attribute_groups(records: Iterable[tuple[Hashable, Mapping | None]]) -> Groups:
    """Who has which value of which attribute.

    Text, whole numbers and truth values are groups; each entry of a list of texts is one. Other numbers are measures
    and no groups, unless at most `MAX_LEVELS` different ones occur, each of them twice on average.

    Args:
        records: (id, attributes) of each track or video; None for one without.

    Returns:
        attribute -> value as text -> ids, both in the order in which they are to be shown.
    """
    values: dict[str, dict[Hashable, object]] = {}
    for key, attributes in records:
        for name, value in (attributes or {}).items():
            values.setdefault(str(name), {})[key] = value
    groups: Groups = {}
    for name, by_id in values.items():
        if _is_measure(list(by_id.values())):
            continue
        found: dict[object, set] = {}
        for key, value in by_id.items():
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, (str, bool, int, float)):
                    found.setdefault(entry, set()).add(key)
        if found:
            groups[name] = {_spell(value): found[value] for value in sorted(found, key=lambda v: (str(type(v)), v))}
    return groups


def occlusion_groups(annotations: Sequence[Mapping]) -> dict[str, set]:
    """Tracks by how much they are occluded, after the OVIS evaluation: "light", "medium", "heavy" -> annotation ids.

    A frame without, with slight, with severe occlusion weighs 0, 0.25, 0.75; a track has the mean of the upper half of
    its frames (of 5 frames the 3 largest). The ranges [0, 0.25], [0.25, 0.5], [0.5, 1] include both ends, so that a
    track on a border belongs to two. Empty where no annotation carries `occlusion`.

    Raises:
        EvaluationInputError: an unknown word.
    """
    scores = {}
    for item in annotations:
        words = [word for word in item.get("occlusion") or () if word is not None]
        wrong = [word for word in words if word not in OCCLUSION_WEIGHTS]
        if wrong:
            raise EvaluationInputError(
                f"annotation {item.get('id')}: occlusion has {shorten(wrong[0])}; known are null and "
                f"{', '.join(OCCLUSION_WEIGHTS)}"
            )
        weights = sorted((OCCLUSION_WEIGHTS[word] for word in words), reverse=True)
        if weights:
            half = weights[: math.ceil(len(weights) / 2)]
            scores[item["id"]] = sum(half) / len(half)
    if not scores:
        return {}
    return {name: {k for k, score in scores.items() if low <= score <= high} for name, low, high in OCCLUSION_RANGES}


def length_groups(lengths: Mapping[Hashable, int]) -> dict[str, set]:
    """Videos by their number of frames, in `LENGTH_BINS`; bins without a video are left out."""
    groups = {}
    for low, high in LENGTH_BINS:
        inside = {key for key, length in lengths.items() if low <= length and (high is None or length <= high)}
        if inside:
            groups[f"{low} frames and more" if high is None else f"{max(low, 1)} to {high} frames"] = inside
    return groups


def _is_measure(values: list) -> bool:
    numbers = [value for value in values if isinstance(value, float)]
    different = len(set(numbers))
    return bool(numbers) and (different > MAX_LEVELS or 2 * different > len(numbers))


def _spell(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
