"""What every room asks of a model before it uses it: its device, and to be in evaluation mode (built for notebook 02)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(model) -> Iterator[None]:
    """Inside ``with evaluating(model):`` a network is in evaluation mode (no dropout); then every part is as before.

    A model that is no network, such as ``NGram``, stays as it is.
    """
    # Only the parts in training mode are touched: a bot does this for every token, and few of its models have any.
    with _evaluation([part for part in _modules(model) if part.training]):
        yield


@contextmanager
def without_dropout(model) -> Iterator[None]:
    """Inside it no unit is dropped, though the model trains: replies are scored by the model that wrote them.

    Unlike ``evaluating`` it leaves recurrent layers in training mode, which a GPU needs for their gradient.
    """
    with _evaluation([part for part in _modules(model) if isinstance(part, nn.Dropout) and part.training]):
        yield


@contextmanager
def _evaluation(parts: list) -> Iterator[None]:
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part in parts:
            part.training = True


def _modules(model) -> Iterator[nn.Module]:
    return model.modules() if isinstance(model, nn.Module) else iter(())


def device_of(model) -> torch.device:
    """Return where the model's parameters are; the CPU for a model without any."""
    first = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return torch.device("cpu") if first is None else first.device


def parameter_count(model) -> int:
    """Return how many numbers a model learned: what it says itself, for any other network those of its parameters, once each."""
    if hasattr(model, "parameter_count"):
        return model.parameter_count()
    return sum(parameter.numel() for parameter in model.parameters())


def set_dropout(model: nn.Module, share: float) -> None:
    """Give all dropout of a network this share, in place. Raises ValueError for one that is not from 0 to below 1."""
    if not 0 <= share < 1:
        raise ValueError(f"dropout is {share}: give a share from 0 to below 1, usually 0 to 0.3")
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
