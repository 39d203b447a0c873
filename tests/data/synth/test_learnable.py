import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from vis_projects.data.synth import SynthVIS


def test_a_small_network_learns_to_find_objects_on_tiny():
    data = SynthVIS("tiny", "train", num_videos=8)
    images, targets = [], []
    for index in range(len(data)):
        labels, scene = data.labels(index), data.scene(index)
        images += [image[::2, ::2] for image in data[index]["image"][::4]]
        targets += [((label > 0) & (label <= len(scene.tracks)))[::2, ::2] for label in labels[::4]]
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255 - 0.5
    y = torch.from_numpy(np.stack(targets)).float()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.Conv2d(16, 16, 5, padding=2, stride=2),
                          nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 1),
                          nn.Upsample(scale_factor=2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for step in range(50):
        rows = torch.arange(step * 8, step * 8 + 8) % len(x)
        loss = F.binary_cross_entropy_with_logits(model(x[rows])[:, 0], y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    base_rate = float(y.mean())
    constant = -(base_rate * np.log(base_rate) + (1 - base_rate) * np.log(1 - base_rate))
    assert np.mean(losses[-8:]) < 0.75 * constant
