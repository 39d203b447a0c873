"""Configs by name: the yaml files of configs/, from a checkout or from an installed package."""

from vis_projects.model_zoo.model_zoo import get_config, get_config_file, list_configs

__all__ = ["get_config", "get_config_file", "list_configs"]
