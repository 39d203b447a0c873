"""Private parts of detectron2.engine."""
