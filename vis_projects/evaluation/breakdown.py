"""AP and AR of parts of a data set: by size, by length of the video, by occlusion, by any attribute of its json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from vis_projects.evaluation.attributes import attribute_groups, length_groups, occlusion_groups
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.summary import range_stats
from vis_projects.evaluation.world import World

COLUMNS = ("AP", "AP50", "AP75", "AR1", "AR10")
IGNORED = "tracks of other groups are ignored: a find of one is neither right nor wrong"
APART = "videos of other groups are left out"


@dataclass
class Breakdown:
    """One table.

    Attributes:
        title: what the rows differ in.
        note: how the other tracks or videos are treated.
        rows: name of the group -> `tracks`, the annotated tracks that count, and `COLUMNS` as fractions, -1 where
            undefined.
    """

    title: str
    note: str
    rows: dict[str, dict[str, float]]

    def text(self) -> str:
        """The table in percent."""
        rows = [[name, row["tracks"], *(row[c] * 100 if row[c] > -1 else None for c in COLUMNS)]
                for name, row in self.rows.items()]
        table = tabulate(rows, ("", "tracks", *COLUMNS), floatfmt=".1f", missingval="-", disable_numparse=[0])
        return f"Per {self.title}, in percent ({self.note}):\n{table}"


def breakdowns(world: World, json: Mapping) -> list[Breakdown]:
    """Every table that the ground truth has the facts for.

    Args:
        world: with its facts.
        json: the ground truth as parsed, for `occlusion` and `attributes` of annotations and `meta` of videos.
    """
    annotations, videos = json["annotations"], json["videos"]
    tables = [_by_area(world)]
    lengths = {video_id: world.truth.videos[video_id][2] for video_id in world.truth.videos}
    tables.append(Breakdown("length of the video", APART, _by_video(world, length_groups(lengths))))
    occlusion = occlusion_groups(annotations)
    if occlusion:
        tables.append(Breakdown("occlusion", IGNORED, _by_track(world, occlusion)))
    for title, records, key, rows_of, note in (
        ("attribute of the track", annotations, "attributes", _by_track, IGNORED),
        ("attribute of the video", videos, "meta", _by_video, APART),
    ):
        groups = attribute_groups(_attributes(records, key))
        flat = {f"{name} {value}": ids for name, by_value in groups.items() for value, ids in by_value.items()}
        if flat:
            tables.append(Breakdown(title, note, rows_of(world, flat)))
    return tables


def _attributes(records: Sequence[Mapping], key: str) -> list[tuple]:
    return [(item["id"], item[key]) for item in records if isinstance(item.get(key), Mapping)]


def _by_area(world: World) -> Breakdown:
    """The usual ranges."""
    rows = {named[0]: _row(world, EvalParams(area_ranges=(named,))) for named in EvalParams().area_ranges[1:]}
    return Breakdown("size", "mean area up to 128^2, to 256^2, above; tracks, finds of other sizes are ignored", rows)


def _by_video(world: World, groups: Mapping[str, set]) -> dict[str, dict]:
    return {name: _row(world, EvalParams(), video_ids=ids) for name, ids in groups.items()}


def _by_track(world: World, groups: Mapping[str, set]) -> dict[str, dict]:
    return {
        name: _row(world, EvalParams(), selected=lambda track, ids=ids: track.annotation_id in ids)
        for name, ids in groups.items()
    }


def _row(world: World, params: EvalParams, **part) -> dict[str, float]:
    (precision, recall, _), counts = world.score(params, **part)
    stats = range_stats(precision, recall, params)
    return {"tracks": sum(counts), **{name: stats[name] for name in COLUMNS}}
