"""Every format is registered; random data sets survive the ways there and back."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.convert.worlds import read, rle_of, same_tracks, write
from vis_projects.data.convert import READERS, TARGETS
from vis_projects.data.convert.builder import track_lists

CATEGORIES = [{"id": 7, "name": "bar"}, {"id": 1001, "name": "ball"}]


def test_names():
    assert set(READERS) == {"cvat", "labelme", "coco", "coco-images", "mots-png", "mots-txt", "davis", "ytvis"}
    assert {name: target.is_folder for name, target in TARGETS.items()} == {
        "ytvis": False, "coco": False, "mots-png": True, "mots-txt": True, "davis": True}


@st.composite
def data_sets(draw, overlaps):
    """One or two 3 x 4 videos of one to three frames with up to three objects each, absent in some frames.

    Without overlaps masks come from label maps, so that no two share a pixel.
    """
    videos, annotations = [], []
    for video_id in range(1, draw(st.integers(1, 2)) + 1):
        length, count = draw(st.integers(1, 3)), draw(st.integers(0, 3))
        videos.append({"id": video_id, "width": 4, "height": 3, "length": length,
                       "file_names": [f"v{video_id}/{5 * t:05d}.jpg" for t in range(length)]})
        bits = st.lists(st.booleans(), min_size=12, max_size=12)
        owners = st.lists(st.integers(0, count), min_size=12, max_size=12)
        frames = [np.array(draw(owners)).reshape(3, 4) for _ in range(length)]
        for number in range(1, count + 1):
            stack = [np.array(draw(bits)).reshape(3, 4) if overlaps else frame == number for frame in frames]
            if any(mask.any() for mask in stack):
                annotations.append({
                    "id": len(annotations) + 1, "video_id": video_id, "iscrowd": 0,
                    "category_id": draw(st.sampled_from([7, 1001])), "height": 3, "width": 4, "length": length,
                    **track_lists([rle_of(mask) if mask.any() else None for mask in stack])[0]})
    return {"info": {}, "licenses": [], "categories": CATEGORIES, "videos": videos, "annotations": annotations}


def there_and_back(kind, data, **options):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / ("out" if TARGETS[kind].is_folder else "out.json")
        notes = write(TARGETS[kind].write, data, out, **options)
        back, _ = read(READERS[kind], out, Path(folder))
        return back, notes


@settings(max_examples=25, deadline=None)
@given(data_sets(overlaps=False))
@pytest.mark.parametrize("kind", ["coco", "mots-png", "mots-txt"])
def test_data_sets_without_overlaps_come_back_whole(kind, data):
    back, notes = there_and_back(kind, data)
    assert same_tracks(data, back) and not notes.dropped
    names = [(video["id"], video["file_names"]) for video in data["videos"]]
    assert [(video["id"], video["file_names"]) for video in back["videos"]] == names
    assert [(c["id"], c["name"]) for c in back["categories"]] == [(7, "bar"), (1001, "ball")]


@settings(max_examples=25, deadline=None)
@given(data_sets(overlaps=True))
@pytest.mark.parametrize(("kind", "options"), [("coco", {}), ("mots-txt", {"keep_overlaps": True})])
def test_overlaps_come_back_where_the_format_holds_them(kind, options, data):
    back, notes = there_and_back(kind, data, **options)
    assert same_tracks(data, back) and not notes.dropped


@settings(max_examples=25, deadline=None)
@given(data_sets(overlaps=True))
@pytest.mark.parametrize("kind", ["mots-png", "mots-txt"])
def test_of_overlaps_one_owner_stays_and_the_rest_is_counted(kind, data):
    back, notes = there_and_back(kind, data)

    def pixels(d):
        return sum(area for annotation in d["annotations"] for area in annotation["areas"] if area)

    assert notes.dropped["pixels that a smaller object covers"] == pixels(data) - pixels(back)
    again, notes = there_and_back(kind, back)  # nothing overlaps any more
    assert same_tracks(back, again) and not notes.dropped.keys() - {"fields 'source_id' of annotations"}
