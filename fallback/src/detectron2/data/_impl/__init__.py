"""Private parts of ``detectron2.data``, split off to keep the mirrored modules short."""
