"""The looks of each track: its latest embeddings (Wojke et al., Deep SORT, section 2.2)."""

import numpy as np


class AppearanceGallery:
    """Up to ``size`` unit vectors per track, the latest ones.

    Letters: G vectors over all tracks, D size of a vector.
    """

    def __init__(self, size: int) -> None:
        """
        Args:
            size: vectors kept per track, at least 1.
        """
        if size < 1:
            raise ValueError(f"MODEL.DEEPSORT.GALLERY_SIZE is {size}; a track needs at least 1 embedding")
        self.size = size
        self._vectors = np.zeros((0, 0), np.float32)
        self._owners = np.zeros(0, np.int64)  # (G,) ids of the tracks, each track's vectors in order of time

    def __len__(self) -> int:
        return len(self._owners)

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Adds one vector to each of n tracks: (n,) ids, each once, and (n, D) unit vectors."""
        if len(ids) == 0:
            return
        if len(self) == 0:
            self._vectors = np.zeros((0, vectors.shape[1]), np.float32)
        self._vectors = np.concatenate([self._vectors, vectors.astype(np.float32)])
        self._owners = np.concatenate([self._owners, ids])
        self._keep(_rank_from_last(self._owners) < self.size)

    def retain(self, ids: np.ndarray) -> None:
        """Forgets all tracks but these."""
        self._keep(np.isin(self._owners, ids))

    def distances(self, ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Smallest cosine distance of each vector to those of each track (eq. 3).

        Args:
            ids: (m,) tracks that have been added, each once.
            vectors: (n, D) unit vectors.

        Returns:
            (m, n) float64 in [0, 2].
        """
        if len(ids) == 0 or len(vectors) == 0:
            return np.zeros((len(ids), len(vectors)))
        order = np.argsort(self._owners, kind="stable")
        owners, starts = np.unique(self._owners[order], return_index=True)
        products = self._vectors[order].astype(np.float64) @ vectors.astype(np.float64).T
        nearest = 1.0 - np.maximum.reduceat(products, starts, axis=0)
        return nearest[np.searchsorted(owners, ids)].clip(0.0, 2.0)

    def _keep(self, mask: np.ndarray) -> None:
        if not mask.all():
            self._vectors, self._owners = self._vectors[mask], self._owners[mask]


def _rank_from_last(owners: np.ndarray) -> np.ndarray:
    """(G,): 0 for the last entry of each owner, 1 for the one before, and so on."""
    order = np.argsort(owners, kind="stable")
    _, starts, counts = np.unique(owners[order], return_index=True, return_counts=True)
    ranks = np.empty(len(owners), np.int64)
    ranks[order] = np.repeat(starts + counts, counts) - 1 - np.arange(len(owners))
    return ranks
