"""Results on frames in colours that belong to ids, contact sheets, and the HTML report of a run."""

from vis_projects.visualization.colors import color_of
from vis_projects.visualization.contact_sheet import contact_sheet
from vis_projects.visualization.ground_truth import truth_results
from vis_projects.visualization.html_page import html_figure, html_table, write_page
from vis_projects.visualization.report import write_report
from vis_projects.visualization.video_visualizer import VideoVisualizer

__all__ = [
    "VideoVisualizer", "color_of", "contact_sheet", "html_figure", "html_table", "truth_results", "write_page",
    "write_report",
]
