"""The two layers of attention: within a frame, and to the frames before it (Figures 3 and 4 of the paper).

Letters as in `attention.py`; R reference frames.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vis_projects.methods.hitf.attention import HybridAttention


class IntraFrameLayer(nn.Module):
    """Code and pixels of one frame attend to each other, after the pixels have attended to themselves."""

    def __init__(self, *, pixel_attention: nn.Module | None = None, sequential: bool = False, **options: Any) -> None:
        """
        Args:
            pixel_attention: a `PixelAttention`, in the backbone's layers; None: none.
            sequential: pixels attend to the updated code instead of the layer's input.
            options: of `HybridAttention`.
        """
        super().__init__()
        self.pixel_attention = pixel_attention
        self.attention = HybridAttention(**options)
        self.sequential = sequential

    def forward(self, features: Tensor, code: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """
        Args:
            features: (B, C, H, W), not negative. code: (B, L, D).
            valid: bool (B, HW), False for pixels that the code must not attend to; None: none.

        Returns:
            both, updated.
        """
        if self.pixel_attention is not None:
            features = self.pixel_attention(features)
        attention, slots = self.attention, code.shape[1]
        pixels, tokens = attention.tokens(features, code)
        keys, values = attention.keys_values(pixels, tokens)
        mask = None
        if valid is not None:
            mask = torch.cat([valid.new_ones(valid.shape[0], slots), valid], dim=1)
        code = attention.update_code(code, tokens, keys, values, mask)
        keys, values = keys[:, :slots], values[:, :slots]
        if self.sequential:
            tokens = attention.norm_code(code)
            keys, values = attention.code_key(tokens), attention.code_value(tokens)
        return attention.update_pixels(features, pixels, keys, values, None), code


class InterFrameLayer(nn.Module):
    """Code and pixels of a frame attend to codes and pixels of the frames before it; one softmax over all of them.

    What it reads of a reference frame, `project`, does not depend on the frame that asks: positions are added when it
    is read, which gives the same numbers because keys and values are linear in the tokens. So a reference is projected
    once.
    """

    def __init__(self, **options: Any) -> None:
        """
        Args:
            options: of `HybridAttention`; without both updates the layer does nothing.
        """
        super().__init__()
        self.attention = HybridAttention(**options)

    def project(self, features: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, L + HW, ...) of frames without their positions, see `HybridAttention.keys_values`."""
        return self.attention.keys_values(*self.attention.tokens(features, code))

    def forward(
        self,
        features: Tensor,
        code: Tensor,
        references: tuple[Tensor, Tensor],
        target_positions: tuple[Tensor, Tensor],
        reference_positions: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """
        Args:
            features, code: (B, C, H, W), (B, L, D) of the frames that ask.
            references: of `project`, (B, R, L + HW, ...) each; R may be 0.
            target_positions: (HW, A) and (L, D), added to the tokens that ask.
            reference_positions: (R, HW, A) and (R, L, D), of the reference frames.
            mask: bool (B, R, L + HW), False for tokens of references that do not count; None: all count.

        Returns:
            features and code, updated; those of a frame without any reference as they came.
        """
        if references[0].shape[1] == 0:
            return features, code
        attention, slots, before = self.attention, code.shape[1], (features, code)
        pixels, tokens = attention.tokens(features, code)
        pixels, tokens = pixels + target_positions[0], tokens + target_positions[1]
        shifts = attention.shift(*reference_positions)
        keys, values = (kept + shift for kept, shift in zip(references, shifts, strict=True))
        if attention.code_update:
            code = attention.update_code(
                code, tokens, keys.flatten(1, 2), values.flatten(1, 2), None if mask is None else mask.flatten(1, 2)
            )
        if attention.pixel_update:
            of_codes = None if mask is None else mask[:, :, :slots].flatten(1, 2)
            keys, values = (x[:, :, :slots].flatten(1, 2) for x in (keys, values))
            features = attention.update_pixels(features, pixels, keys, values, of_codes)
        if mask is None:
            return features, code
        some = mask.flatten(1).any(dim=1)
        return (torch.where(some[:, None, None, None], features, before[0]),
                torch.where(some[:, None, None], code, before[1]))
