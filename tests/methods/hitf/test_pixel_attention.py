"""Axial and global attention of pixels: against explicit sums, identity at the start, every size of map."""

import pytest
import torch

from vis_projects.methods.hitf.pixel_attention import AxialAttention, AxialPair, PixelAttention, resize_table


def test_axial_attention_equals_explicit_sums():
    torch.manual_seed(0)
    attention = AxialAttention(3, span=3, heads=2, key_dim=4, value_dim=6)
    x = torch.randn(1, 3, 2, 4)  # rows of 4: distances of 3 share the entry of distance 2
    q, k, v = (attention.project.weight[part, :, 0, 0] for part in (slice(0, 4), slice(4, 8), slice(8, 14)))
    expected = torch.zeros(1, 6, 2, 4)
    for row in range(2):
        for head in range(2):
            kept, values = slice(2 * head, 2 * head + 2), slice(3 * head, 3 * head + 3)
            query, key, value = ((w @ x[0, :, row]).T for w in (q[kept], k[kept], v[values]))
            query = query / 2**0.5
            for i in range(4):
                entry = [min(max(j - i, -2), 2) + 2 for j in range(4)]
                logits = torch.stack([
                    query[i] @ key[j] + query[i] @ attention.query_position[entry[j]]
                    + key[j] @ attention.key_position[entry[j]]
                    for j in range(4)])
                weights = logits.softmax(dim=0)
                expected[0, values, row, i] = sum(
                    weights[j] * (value[j] + attention.value_position[entry[j]]) for j in range(4))
    assert torch.allclose(attention(x), expected, atol=1e-5)


def test_after_columns_and_rows_every_pixel_has_seen_the_whole_map():
    torch.manual_seed(0)
    pair = AxialPair(2, grid=(4, 5), heads=1, key_dim=2, value_dim=2)
    x = torch.randn(1, 2, 4, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(pair(x)[0, :, 1, 2].sum(), x)
    assert (gradient.abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("kind", ["axial", "global"])
@pytest.mark.parametrize("size", [(4, 4), (1, 1), (2, 7)])
def test_it_changes_nothing_at_the_start_and_takes_every_size(kind, size):
    torch.manual_seed(0)
    attention = PixelAttention(channels=6, kind=kind, grid=(4, 4), heads=2, key_dim=4, value_dim=8)
    features = torch.rand(2, 6, *size)
    assert attention(features).equal(features)
    torch.nn.init.normal_(attention.expand.weight)
    assert (attention(features) - features).abs().max() > 0


def test_a_table_at_its_own_size_is_itself_and_keeps_its_corners_at_others():
    table = torch.arange(6.0).view(1, 1, 2, 3)
    assert resize_table(table, (2, 3)) is table
    wide = resize_table(table, (3, 5))[0, 0]
    assert wide[[0, 0, 2, 2], [0, 4, 0, 4]].tolist() == [0.0, 2.0, 3.0, 5.0]
    assert wide[1].tolist() == [1.5, 2.0, 2.5, 3.0, 3.5]
