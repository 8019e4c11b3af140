"""Best-of-n sampling: what the best of n is worth, and its distance from the model (built in notebook 09)."""

import math

import torch


def best_of(scores: torch.Tensor, n: int, other: torch.Tensor | None = None) -> float:
    """Return what the best of n replies scores on average, from N ≥ n replies to each of C contexts, ``scores`` [C, N].

    Exact over all choices of n of the N (Nakano et al. 2021), so no luck in the choosing. ``other`` [C, N] are scores of
    another reward model: then the replies are chosen by ``scores`` and rated by ``other``. Raises ValueError for n outside 1 … N.
    """
    scores = torch.as_tensor(scores).double()
    size = scores.shape[1]
    if not 1 <= n <= size:
        raise ValueError(f"n is {n}, and there are {size} replies to choose from: give 1 to {size}")
    order = scores.argsort(dim=1)
    rated = scores if other is None else torch.as_tensor(other).double()
    # In order, number k (from 0) is the best of its n when the other n − 1 come from the k before it.
    weights = torch.tensor([math.comb(k, n - 1) / math.comb(size, n) for k in range(size)], dtype=torch.double)
    return float((rated.gather(1, order) * weights).sum(1).mean())


def best_of_kl(n: int) -> float:
    """Return how far choosing the best of n moves a bot, in nats: at most ln n − (n − 1) / n (Stiennon et al. 2020)."""
    return math.log(n) - (n - 1) / n
