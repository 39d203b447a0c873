"""Runs models: set-up, training, evaluation, prediction on one's own videos, timing."""

from vis_projects.engine.bench import bench_config
from vis_projects.engine.check_data import fault_report, fix_data, list_faults
from vis_projects.engine.checkpointer import LoadReport, VISCheckpointer
from vis_projects.engine.config_file import load_config
from vis_projects.engine.convert import convert_labels
from vis_projects.engine.convert_weights import convert_weights
from vis_projects.engine.data_tools import generate_synthvis, split_file, split_reference, synthvis_stats
from vis_projects.engine.demo import run_demo
from vis_projects.engine.errors import CheckpointError, ConfigError, DataError, UserError, VideoError, exit_code_of
from vis_projects.engine.evaluate_results import evaluate_results
from vis_projects.engine.evaluation_loop import evaluate_datasets, run_evaluation
from vis_projects.engine.frame_reader import FrameSource, open_frames
from vis_projects.engine.frame_writer import FrameWriter
from vis_projects.engine.launcher import launch_run
from vis_projects.engine.pack import pack_results
from vis_projects.engine.predictor import VideoPredictor
from vis_projects.engine.report import write_run_report
from vis_projects.engine.run_setup import setup
from vis_projects.engine.show import show_data, show_results
from vis_projects.engine.stage_timer import StageTimer
from vis_projects.engine.trainer import VISTrainer

__all__ = [
    "CheckpointError", "ConfigError", "DataError", "FrameSource", "FrameWriter", "LoadReport", "StageTimer",
    "UserError", "VISCheckpointer", "VISTrainer", "VideoError", "VideoPredictor", "bench_config", "convert_labels",
    "convert_weights",
    "evaluate_datasets", "evaluate_results", "exit_code_of", "fault_report", "fix_data", "generate_synthvis",
    "launch_run", "list_faults", "load_config", "open_frames", "pack_results", "run_demo", "run_evaluation",
    "setup", "show_data", "show_results", "split_file", "split_reference",
    "synthvis_stats", "write_run_report",
]
