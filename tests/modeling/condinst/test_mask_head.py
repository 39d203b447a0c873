"""Vector 8.1 of the CrossVIS fact sheet, and how queries choose features, centre and unit."""

import pytest
import torch

from vis_projects.modeling.condinst import DynamicMaskHead, MaskQueries

# logits of vector 8.1 at stride 4: P[i] = sin(0.05 k) over (2, 169), features cos(0.1 k) over (2, 8, 2, 3)
EXPECTED_FIRST = [
    [9.644112, 9.644112, 9.459660, 9.275207, 9.120462, 8.965719],
    [9.644112, 9.644112, 9.459660, 9.275207, 9.120462, 8.965719],
    [9.287552, 9.287552, 9.164658, 9.041763, 8.930966, 8.820169],
    [8.930992, 8.930992, 8.869657, 8.808321, 8.741470, 8.674621],
]
EXPECTED_SECOND = {
    0: [-1.341737, -1.341737, -1.321417, -1.301097, -1.273961, -1.246825],
    1: [-1.341737, -1.341737, -1.321417, -1.301097, -1.273961, -1.246825],
    3: [-1.229538, -1.229538, -1.189284, -1.149029, -1.102603, -1.056176],
}


def vector() -> tuple[torch.Tensor, MaskQueries]:
    features = torch.cos(0.1 * torch.arange(96.0)).reshape(2, 8, 2, 3)
    params = torch.sin(0.05 * torch.arange(338.0)).reshape(2, 169)
    locations = torch.tensor([[12.0, 4.0], [20.0, 12.0]])
    return features, MaskQueries(params, locations, torch.tensor([0, 2]), torch.tensor([0, 1]))


def test_the_vector_of_the_fact_sheet():
    logits = DynamicMaskHead()(*vector())
    assert logits.shape == (2, 4, 6)
    assert torch.allclose(logits[0], torch.tensor(EXPECTED_FIRST), atol=1e-5)
    for row, expected in EXPECTED_SECOND.items():
        assert torch.allclose(logits[1, row], torch.tensor(expected), atol=1e-5)


def test_no_query_gives_no_mask_and_still_a_gradient():
    features, queries = vector()
    features.requires_grad_()
    none = DynamicMaskHead()(features, queries[torch.zeros(0, dtype=torch.int64)])
    assert none.shape == (0, 4, 6)
    none.sum().backward()
    assert (features.grad == 0).all()


def test_level_decides_the_unit_and_image_index_the_features():
    features, queries = vector()
    base = DynamicMaskHead()(features, queries)
    queries.levels = torch.tensor([4, 2])
    other_unit = DynamicMaskHead()(features, queries)
    assert not torch.allclose(other_unit[0], base[0]) and torch.equal(other_unit[1], base[1])
    # a head whose levels all have the unit of level 4 gives the same first mask at any level
    queries.levels = torch.tensor([0, 0])
    assert torch.equal(DynamicMaskHead(sizes_of_interest=(1024,))(features, queries)[0], other_unit[0])
    queries.image_index = torch.tensor([0, 0])
    assert not torch.allclose(DynamicMaskHead()(features, queries)[1], base[1])


def test_buffers_are_those_of_published_checkpoints():
    assert set(DynamicMaskHead().state_dict()) == {"sizes_of_interest", "_iter"}


def test_strides_must_fit():
    with pytest.raises(ValueError, match="MASK_OUT_STRIDE is 3"):
        DynamicMaskHead(out_stride=3)
