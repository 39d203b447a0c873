"""What pulls the crops of one object together and all others apart."""

import torch
from torch import Tensor


def identity_loss(embeddings: Tensor, identities: Tensor, temperature: float) -> Tensor:
    """Cross entropy of finding, among all other crops, one of the same object.

    For crop i with positives P(i), the other crops of its object: the mean over p in P(i) of
    -log(exp(c_ip / temperature) / sum over j != i of exp(c_ij / temperature)), c the cosines; then the mean over the
    crops that have a positive.

    Args:
        embeddings: (n, D) unit vectors.
        identities: (n,) int64; -1 is nobody's: such a crop is a negative only.
        temperature: divides the cosines.

    Returns:
        Scalar float32, connected to every embedding; 0 where no object has two crops.
    """
    embeddings = embeddings.float()
    same, other = _pairs(identities)
    logits = (embeddings @ embeddings.t() / temperature).masked_fill(~other, float("-inf"))
    count = same.sum(dim=1)
    rows = count > 0
    if not bool(rows.any()):
        return embeddings.sum() * 0.0
    log_probs = logits[rows].log_softmax(dim=1)
    return -(log_probs.masked_fill(~same[rows], 0.0).sum(dim=1) / count[rows]).mean()


@torch.no_grad()
def nearest_accuracy(embeddings: Tensor, identities: Tensor) -> float | None:
    """Share of the crops with a positive whose nearest other crop shows the same object; None without any."""
    same, other = _pairs(identities)
    rows = same.any(dim=1)
    if not bool(rows.any()):
        return None
    cosines = (embeddings @ embeddings.t()).masked_fill(~other, float("-inf"))
    return identities[cosines[rows].argmax(dim=1)].eq(identities[rows]).float().mean().item()


def _pairs(identities: Tensor) -> tuple[Tensor, Tensor]:
    """(n, n) bool: pairs of crops of one object, and all pairs of two crops."""
    other = ~torch.eye(len(identities), dtype=torch.bool, device=identities.device)
    same = (identities[:, None] == identities[None, :]) & (identities[:, None] >= 0) & other
    return same, other
