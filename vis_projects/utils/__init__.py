"""Environment report and small compatibility helpers without domain knowledge."""

from vis_projects.utils.env_report import describe_detectron2, env_report

__all__ = ["describe_detectron2", "env_report"]
