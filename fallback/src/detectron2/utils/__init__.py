"""Helpers without knowledge of detection: processes, logging, events, files."""
