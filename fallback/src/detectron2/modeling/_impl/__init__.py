"""Private parts of `detectron2.modeling`; import them through the public modules."""
