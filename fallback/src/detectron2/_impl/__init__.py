"""Private helpers of the subset; nothing outside ``detectron2`` may import from here."""
