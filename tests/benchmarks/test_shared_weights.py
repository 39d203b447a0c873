"""Only names with one of the prefixes are written, and a prefix without any is refused."""

import pytest
import torch

from benchmarks.shared_weights import shared_weights


def test_names_with_a_prefix_are_kept(tmp_path):
    names = ("backbone.a", "head.upfeature.0.bias", "head.bbox_layer.0.bias")
    torch.save({"model": {name: torch.ones(1) for name in names}, "iteration": 5}, tmp_path / "all.pth")
    out = tmp_path / "new" / "some.pth"
    assert shared_weights(tmp_path / "all.pth", out, ["backbone.", "head.upfeature."]) == 2
    assert list(torch.load(out, weights_only=True)["model"]) == list(names[:2])
    with pytest.raises(ValueError, match="begin with neck"):
        shared_weights(tmp_path / "all.pth", out, ["backbone.", "neck"])
