"""Private parts of detectron2.checkpoint."""
