import torch

from vis_projects.modeling.condinst import paste, paste_dynamic_masks


def test_no_instance():
    assert paste_dynamic_masks(torch.zeros(0, 4, 6), 4, (16, 24), (33, 50)).shape == (0, 33, 50)


def test_padding_is_cut_before_the_resize():
    # stride 4, padded input 16 x 16, image 16 x 8: the right half of the logits belongs to the padding
    logits = torch.full((1, 4, 4), -20.0)
    logits[:, :, 2:] = 20.0
    masks = paste_dynamic_masks(logits, 4, (16, 8), (32, 16))
    # the step lies between places 4 * 1 + 2 = 6 and 4 * 2 + 2 = 10 of the input, at 8: nothing of it is in the image
    assert not masks.any()
    wide = paste_dynamic_masks(logits, 4, (16, 16), (16, 16))
    assert wide[0, :, 9:].all() and not wide[0, :, :8].any()


def test_chunks_give_the_same_masks(monkeypatch):
    logits = torch.randn(7, 6, 5, generator=torch.Generator().manual_seed(0))
    whole = paste_dynamic_masks(logits, 4, (22, 19), (40, 31))
    monkeypatch.setattr(paste, "CHUNK_PIXELS", 3 * 40 * 31)
    assert torch.equal(paste_dynamic_masks(logits, 4, (22, 19), (40, 31)), whole)
