"""What every room asks of a model before it uses it: where it is, and to stand still (built for notebook 02)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def evaluating(model) -> Iterator[None]:
    """Inside ``with evaluating(model):`` a network is in evaluation mode (no dropout); then every part is as before.

    A model that is no network, such as ``NGram``, stays as it is.
    """
    # Only the parts that train are touched: a bot asks for every token, and most models it asks are at rest.
    with _at_rest([part for part in model.modules() if part.training] if hasattr(model, "modules") else []):
        yield


@contextmanager
def without_dropout(model) -> Iterator[None]:
    """Inside it no unit is dropped, though the model trains: replies are scored by the model that said them.

    Unlike ``evaluating`` it leaves recurrent layers in training mode, which a GPU needs for their gradient.
    """
    with _at_rest([part for part in model.modules() if isinstance(part, torch.nn.Dropout) and part.training]):
        yield


@contextmanager
def _at_rest(busy: list) -> Iterator[None]:
    for part in busy:
        part.training = False
    try:
        yield
    finally:
        for part in busy:
            part.training = True


def device_of(model) -> torch.device:
    """Return where the model's parameters are; the CPU for a model without any."""
    first = next(model.parameters(), None) if hasattr(model, "parameters") else None
    return torch.device("cpu") if first is None else first.device


def set_dropout(model, share: float) -> None:
    """Give all dropout of a network this share, in place. Raises ValueError for one that is not from 0 to below 1."""
    from torch import nn

    if not 0 <= share < 1:
        raise ValueError(f"dropout is {share}: give a share from 0 to below 1, usually 0 to 0.3")
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
