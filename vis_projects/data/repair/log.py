"""What was repaired."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Repair:
    """One repair.

    Attributes:
        video: id of the video after the repairs, None where it concerns no single video.
        annotation: id of the annotation after the repairs, None where it concerns none.
        field: what was changed, for example `bboxes`.
        done: what was done to it.
    """

    video: int | None
    annotation: int | None
    field: str
    done: str

    def __str__(self) -> str:
        places = [f"video {self.video}"] if self.video is not None else []
        places += [f"annotation {self.annotation}"] if self.annotation is not None else []
        return f"{', '.join([*places, self.field])}: {self.done}"


class RepairLog:
    """Collects repairs in the order in which they are made."""

    def __init__(self) -> None:
        self.repairs: list[Repair] = []

    def add(self, field: str, done: str, *, video: int | None = None, annotation: int | None = None) -> None:
        """Enters a repair; see `Repair`."""
        self.repairs.append(Repair(video, annotation, field, done))
