"""From vectors to a few numbered ones: the k-means codes by which pictures and sounds become tokens (notebook 16).

The codebook of a VQ-VAE (van den Oord et al. 2017, 1711.00937), without the network around it: a patch of a picture, or a
frame of a sound, is replaced by the nearest of K codes (Lloyd 1957, published 1982).
"""

import torch


def nearest_code(vectors: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Return the number of the nearest code for each of ``vectors`` [..., D]: int64 [...]; ``codes`` is [K, D].

    Nearest by the Euclidean distance; of two that are as near, the first. Raises ValueError when D is not the same.
    """
    if vectors.shape[-1:] != codes.shape[-1:]:
        raise ValueError(f"vectors have {vectors.shape[-1]} numbers and codes {codes.shape[-1]}: they must be as many")
    flat = vectors.reshape(-1, vectors.shape[-1])
    # By differences, not by ‖v‖² − 2 v·c + ‖c‖²: that rounds, and a code would not always be nearest to itself.
    distances = torch.cdist(flat, codes, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.argmin(-1).reshape(vectors.shape[:-1])


def kmeans_step(vectors: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Return codes [K, D], each moved to the mean of the ``vectors`` [M, D] nearest to it; one without any stays where it is."""
    number = nearest_code(vectors, codes)
    counts = number.bincount(minlength=len(codes))[:, None]
    sums = torch.zeros_like(codes).index_add_(0, number, vectors)
    return torch.where(counts > 0, sums / counts.clamp(min=1), codes)


def kmeans(vectors: torch.Tensor, k: int = 64, steps: int = 30, seed: int = 0) -> torch.Tensor:
    """Return ``k`` codes [k, D] for ``vectors`` [M, D] float32: Lloyd's steps from k different vectors chosen at random.

    It ends early when no code moves. Raises ValueError when there are fewer than k different vectors.
    """
    different = vectors.unique(dim=0)
    if not 1 <= k <= len(different):
        raise ValueError(f"k is {k}, and there are {len(different)} different vectors: give 1 to as many")
    chosen = torch.randperm(len(different), generator=torch.Generator().manual_seed(seed))[:k]
    codes = different[chosen].clone()
    for _ in range(steps):
        moved = kmeans_step(vectors, codes)
        if torch.equal(moved, codes):
            break
        codes = moved
    return codes
