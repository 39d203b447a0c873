"""`torch.export` of the network of one frame: it runs, equals eager, and drives a whole video."""

import pytest
import torch

from tests.methods.hitf.clips import OUTPUT, small_model
from tests.methods.masktrack_rcnn.pairs import frames
from vis_projects.methods.hitf.references import ReferenceRing


@pytest.mark.parametrize("attention", ["none", "axial"])
def test_the_exported_network_equals_eager_over_a_video(attention):
    model = small_model("MODEL.HITF.PIXEL_ATTN", attention, "MODEL.HITF.NUM_ALT", 2)
    images = [model._preprocess_frame(image).tensor for image in frames(4)]
    network = model.frame_network().eval()
    with torch.no_grad():
        encoded = model.backbone(images[0])
        own = model.fusion.project(encoded["res5"], encoded["code"])
        example = (images[0], *ReferenceRing(2).references(own))
        exported = torch.export.export(network, example).module()
        ring, state = ReferenceRing(2), model.init_state(OUTPUT)
        for index, image in enumerate(images):
            # the first frame is its own reference: its keys do not depend on the references that it is given
            own = network(image, *example[1:])[2:] if index == 0 else None
            references = ring.references(own)
            eager = network(image, *references)
            for one, other in zip(exported(image, *references), eager, strict=True):
                assert torch.allclose(one, other, atol=1e-5)
            stepped = model.predict(model._preprocess_frame(frames(4)[index]), state)
            assert torch.allclose(eager[0], stepped.class_logits, atol=1e-6)
            assert torch.allclose(eager[1], stepped.mask_logits, atol=1e-6)
            ring.push(eager[2:])
