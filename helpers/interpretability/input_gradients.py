"""How much each earlier token matters to a model, measured by gradients. Built in notebook 02, used for later models.

The gradient of the next token's log-probability with respect to the embedding of an earlier token says how much a tiny
change of that token would change the prediction now. Where it is 0, the token is forgotten, and nothing can be learned
from it either: this is the vanishing gradient (Bengio, Simard & Frasconi 1994).
"""

import numpy as np
import torch

from helpers.models.utils import evaluating


def input_gradient_norms(model: torch.nn.Module, ids, position: int | None = None) -> np.ndarray:
    """Return how much each token up to ``position`` matters for what comes next, float64 [position + 1].

    ``ids`` are token ids [T], a list or a tensor; ``position`` is from 0 and the last one if not given. Entry t is
    the L2 norm of the gradient of ``log p(ids[position + 1])`` with respect to the embedding of ``ids[t]``; at the last
    position, where no next token is known, of the likeliest token. The model reads nothing after ``position``.

    Works for any model with ``model(ids [B, T]) -> (logits [B, T, V], state)`` and an ``nn.Embedding`` called ``embed``.
    It computes in evaluation mode and leaves the model, its modes and its gradients as they were. Raises ValueError for
    no ids, a position outside them, or a model without embeddings.
    """
    ids = torch.as_tensor(ids, dtype=torch.long)
    if ids.ndim != 1 or not len(ids):
        raise ValueError(f"give one row of at least one token id; this has shape {tuple(ids.shape)}")
    position = len(ids) - 1 if position is None else position
    if not 0 <= position < len(ids):
        raise ValueError(f"there is no position {position} in {len(ids)} tokens; take 0 to {len(ids) - 1}")
    following = ids[position + 1 : position + 2]
    return _norms(model, ids[None, : position + 1], following if len(following) else None)[0]


def gradient_by_distance(model: torch.nn.Module, rows) -> np.ndarray:
    """Return how fast the gradient vanishes with the distance, float64 [T]; entry 0 is 1.

    ``rows`` are token ids [B, T]. Entry d is the mean over the rows of the gradient's norm d tokens before the last
    one (see ``input_gradient_norms``; the prediction is the likeliest next token), divided by that mean at the last token
    itself. Raises ValueError when ``rows`` is not such a table, and where the last token has no gradient at all.
    """
    rows = torch.as_tensor(rows, dtype=torch.long)
    if rows.ndim != 2 or not rows.numel():
        raise ValueError(f"give rows of token ids, [B, T]; this has shape {tuple(rows.shape)}")
    # The ratio of two means: a mean of ratios would be ruled by the few rows whose last token hardly matters.
    means = _norms(model, rows).mean(0)[::-1]
    if not means[0] > 0:
        raise ValueError("the last token has no gradient, so nothing can be compared with it: does the model read it?")
    return means / means[0]


def _norms(model, rows: torch.Tensor, following: torch.Tensor | None = None) -> np.ndarray:
    """Return the gradient's norm for each token of ``rows`` [B, T], float64 [B, T]; ``following`` is int64 [B]."""
    if not isinstance(getattr(model, "embed", None), torch.nn.Embedding):
        raise ValueError("the model needs an nn.Embedding called embed; the gradient with respect to it is measured")
    device = model.embed.weight.device
    read = []

    def watch(module, inputs, output):
        # A leaf in the embedding's place: gradients stop here, so no parameter is touched, trainable or frozen.
        read.append(output.detach().requires_grad_())
        return read[-1]

    handle = model.embed.register_forward_hook(watch)
    try:
        with evaluating(model), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            # cuDNN refuses gradients of recurrent layers in evaluation mode; torch's own kernels compute them.
            logits = model(rows.to(device))[0][:, -1]
            chosen = logits.argmax(-1) if following is None else following.to(device)
            total = logits.log_softmax(-1).gather(-1, chosen[:, None]).sum()  # rows do not meet: one backward for all
            gradients = torch.autograd.grad(total, read, allow_unused=True, materialize_grads=True)
    finally:
        handle.remove()
    norms = [gradient.double().norm(dim=-1).reshape(len(rows), -1) for gradient in gradients]
    norms = torch.cat(norms, dim=1)  # a model may read token by token
    if norms.shape != rows.shape:
        raise ValueError(f"the model embedded {norms.shape[1]} tokens a row, not the {rows.shape[1]} it was given")
    return norms.cpu().numpy()
