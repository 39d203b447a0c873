"""SynthVIS: a generated benchmark for video instance segmentation with exact masks, identities and attributes."""

from vis_projects.data.synth.dataset import SynthVIS
from vis_projects.data.synth.presets import CLASS_NAMES, EVENT_NAMES, PRESETS, SceneOptions
from vis_projects.data.synth.probes import probe, probe_effect
from vis_projects.data.synth.stats import format_statistics, synth_statistics
from vis_projects.data.synth.streams import SYNTH_VERSION
from vis_projects.data.synth.write import write_synthvis

__all__ = ["CLASS_NAMES", "EVENT_NAMES", "PRESETS", "SYNTH_VERSION", "SceneOptions", "SynthVIS", "format_statistics",
           "probe", "probe_effect", "synth_statistics", "write_synthvis"]
