"""Temporal fusion: M times an inter-frame layer, then an intra-frame layer.

Letters as in `layers.py`; M alternate layers.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vis_projects.methods.hitf.layers import InterFrameLayer, IntraFrameLayer
from vis_projects.methods.hitf.positions import TemporalPositions


class TemporalFusion(nn.Module):
    """A pure function of the current frame and of what it reads of the frames before it."""

    def __init__(
        self,
        *,
        num_layers: int,
        num_references: int,
        num_slots: int,
        grid: tuple[int, int],
        c2c_c2p: bool = True,
        p2c: bool = True,
        encoding: str = "factorised",
        shared_encoding: bool = True,
        sequential: bool = False,
        **options: Any,
    ) -> None:
        """
        Args:
            num_layers: M.
            num_references: R that the tables of positions are made for.
            num_slots: L.
            grid: (H, W) that the tables of positions are made for.
            c2c_c2p, p2c: kinds of inter-frame attention; without both the inter-frame layers are left out.
            encoding: kind of `TemporalPositions`.
            shared_encoding: one for all layers, or one each.
            sequential: of `IntraFrameLayer`.
            options: of `HybridAttention`, the same for all layers.
        """
        super().__init__()
        self.num_slots, self.num_references = num_slots, num_references
        self.intra = nn.ModuleList(IntraFrameLayer(sequential=sequential, **options) for _ in range(num_layers))
        wanted = num_layers if c2c_c2p or p2c else 0
        self.inter = nn.ModuleList(
            InterFrameLayer(**options, code_update=c2c_c2p, pixel_update=p2c) for _ in range(wanted)
        )
        self.positions = nn.ModuleList(
            TemporalPositions(
                num_references=num_references, num_slots=num_slots, code_dim=options["code_dim"],
                attn_dim=options["attn_dim"], grid=grid, kind=encoding,
            )
            for _ in range(min(wanted, 1) if shared_encoding else wanted)
        )

    def project(self, features: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """What later frames read of these ones: all that has to be kept of them.

        Args:
            features: (B, C, H, W). code: (B, L, D); of the encoder, before any fusion.

        Returns:
            keys (B, M, L + HW, K) and values (B, M, L + HW, V); M is 0 where both kinds of attention are off.
        """
        pairs = [layer.project(features, code) for layer in self.inter]
        if not pairs:
            nothing = features.new_zeros(features.shape[0], 0, 0, 0)
            return nothing, nothing
        return torch.stack([keys for keys, _ in pairs], dim=1), torch.stack([values for _, values in pairs], dim=1)

    def forward(
        self,
        features: Tensor,
        code: Tensor,
        references: tuple[Tensor, Tensor],
        deltas: Tensor | None = None,
        present: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """
        Args:
            features, code: of the encoder, (B, C, H, W), (B, L, D).
            references: `project` of R frames each: (B, R, M, L + HW, K) and (B, R, M, L + HW, V); R may be 0.
            deltas: int64 (R,) how many frames back each one is; None: 1 .. R.
            present: bool (B, R), False for references that do not count; None: all do.
            valid: bool (B, HW), False for padding that the code must not attend to, here and in the references.

        Returns:
            features and code after fusion.
        """
        count, size = references[0].shape[1], features.shape[-2:]
        if deltas is None:
            deltas = torch.arange(1, count + 1, device=features.device)
        mask = _token_mask(present, valid, (features.shape[0], count, references[0].shape[3]), self.num_slots)
        here = torch.zeros(1, dtype=torch.int64, device=features.device)
        for index, intra in enumerate(self.intra):
            if self.inter and count > 0:
                positions = self.positions[index if len(self.positions) > 1 else 0]
                target = tuple(table[0] for table in positions(here, size))
                kept_here = tuple(kept[:, :, index] for kept in references)
                features, code = self.inter[index](
                    features, code, kept_here, target, positions(deltas, size), mask
                )
            features, code = intra(features, code, valid)
        return features, code


def _token_mask(
    present: Tensor | None, valid: Tensor | None, shape: tuple[int, int, int], slots: int
) -> Tensor | None:
    """bool (B, R, S): which of the S tokens of each reference count, the code's first; None: all of them."""
    if present is None and valid is None:
        return None
    some = next(x for x in (present, valid) if x is not None)
    mask = some.new_ones(shape)
    if present is not None:
        mask = mask & present[:, :, None]
    if valid is not None:
        tokens = torch.cat([valid.new_ones(shape[0], slots), valid], dim=1)
        mask = mask & tokens[:, None, : shape[2]]
    return mask
