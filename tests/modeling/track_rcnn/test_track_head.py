"""The fully connected track head against the published code's printed values."""

import pytest
import torch
from detectron2.layers import ShapeSpec

from vis_projects.modeling.track_rcnn import TrackHead
from vis_projects.tracking import match_log_probs, match_logits


def worked_head(**kwargs):
    """Weights 0.3 sin(0.37 k + layer) and biases 0.1 cos(0.11 k + layer) over the flat index k."""
    head = TrackHead(ShapeSpec(channels=2, height=2, width=2), fc_dim=4, num_fc=2, **kwargs)
    with torch.no_grad():
        for i, layer in enumerate(head.fcs):
            k = torch.arange(layer.weight.numel(), dtype=torch.float64)
            layer.weight.copy_((0.3 * torch.sin(0.37 * k + i)).view_as(layer.weight))
            layer.bias.copy_(0.1 * torch.cos(0.11 * torch.arange(4, dtype=torch.float64) + i))
    return head


def worked_inputs():
    x = torch.cos(0.21 * torch.arange(24, dtype=torch.float64)).float().view(3, 2, 2, 2)
    reference = torch.sin(0.13 * torch.arange(16, dtype=torch.float64) + 1).float().view(2, 2, 2, 2)
    return x, reference


def test_no_rois_give_no_embeddings_and_zero_gradients():
    head = worked_head()
    embeddings = head(torch.zeros(0, 2, 2, 2))
    embeddings.sum().backward()
    assert embeddings.shape == (0, 4)
    assert all(p.grad is not None and p.grad.abs().sum() == 0 for p in head.parameters())


def test_worked_example():
    head, (x, reference) = worked_head(), worked_inputs()
    logits = match_logits(head(x), head(reference))
    expected = torch.tensor([[0, 0.911320, 0.479645], [0, 1.184966, 0.610248], [0, 0.450090, 0.235742]])
    assert torch.allclose(logits, expected, atol=2e-6)
    expected = torch.tensor(
        [[-1.629849, -0.718529, -1.150204], [-1.810166, -0.625200, -1.199918], [-1.343987, -0.893897, -1.108245]]
    )
    assert torch.allclose(match_log_probs(logits), expected, atol=2e-6)


def test_final_relu_is_a_switch():
    x, _ = worked_inputs()
    plain = worked_head()(x)
    assert plain.min() < 0
    assert torch.equal(worked_head(final_relu=True)(x), plain.relu())


def test_layers_and_their_start():
    torch.manual_seed(0)
    head = TrackHead(ShapeSpec(channels=256, height=7, width=7))
    # 12544 x 1024 + 1024 and 1024 x 1024 + 1024
    assert sum(p.numel() for p in head.parameters()) == 13_895_680
    assert list(head.state_dict()) == ["fcs.0.weight", "fcs.0.bias", "fcs.1.weight", "fcs.1.bias"]
    assert head.fcs[0].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert head.fcs[1].bias.abs().max() == 0


def test_a_head_without_layers_is_refused():
    with pytest.raises(ValueError, match="NUM_FC is 0"):
        TrackHead(ShapeSpec(channels=1, height=1, width=1), num_fc=0)
