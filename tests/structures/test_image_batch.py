import pytest
import torch
from detectron2.modeling import Backbone

from vis_projects.structures.image_batch import image_batch, padding_of

MEAN, STD = torch.tensor([10.0, 20.0, 30.0]).view(3, 1, 1), torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)


class PlainBackbone(Backbone):
    size_divisibility = 4

    def forward(self, x):
        return {"pixels": x}


class SquareBackbone(PlainBackbone):
    padding_constraints = {"square_size": 14}


@pytest.mark.parametrize("backbone, size", [(PlainBackbone, (8, 8)), (SquareBackbone, (16, 16))])
def test_images_are_normalised_and_padded_as_the_backbone_asks(backbone, size):
    # the largest height 5 and width 6, or the square size 14 in place of both, rounded up to a multiple of 4
    images = [torch.full((3, 4, 6), 40, dtype=torch.uint8), torch.full((3, 5, 3), 50, dtype=torch.uint8)]
    batch = image_batch(images, MEAN, STD, **padding_of(backbone()))
    assert batch.tensor.shape == (2, 3, *size) and batch.tensor.dtype == torch.float32
    assert batch.image_sizes == [(4, 6), (5, 3)]
    # (40 - 10) / 1, (40 - 20) / 2, (40 - 30) / 4
    assert batch.tensor[0, :, 3, 5].tolist() == [30, 10, 2.5]
    assert batch.tensor[0, :, 4:].abs().sum() == batch.tensor[1, :, :, 3:].abs().sum() == 0
