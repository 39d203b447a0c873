"""Repairs what can be repaired in a YouTube-VIS json without guessing; `vis check-data --fix` writes the result."""

from vis_projects.data.repair.dataset import repair_dataset

__all__ = ["repair_dataset"]
