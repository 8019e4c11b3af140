"""Everyone holds a part: how ``fit`` keeps a model under FSDP2, torch's ``fully_shard`` (Zhao et al. 2023; notebook 13).

Rajbhandari et al. (2019) called it ZeRO, stage 3: parameters, gradients and what the optimizer remembers are cut in as many
parts as there are processes; a layer is put together when it is needed, and forgotten after it.
"""

import warnings

import torch
from torch import nn


def shard_model(model: nn.Module, device: torch.device, size: int) -> None:
    """Leave this process 1/``size`` of each parameter, in place. A layer of a stack (nn.ModuleList) is gathered at a time."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(device.type, (size,))
    layers = [layer for stack in model.modules() if isinstance(stack, nn.ModuleList) for layer in stack]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for layer in (*layers, model):
            fully_shard(layer, mesh=mesh)
    if hasattr(model, "read"):  # what an encoder–decoder is called by
        register_fsdp_forward_method(model, "read")


def whole_tensors(value):
    """Return ``value`` (a tensor, or dicts, lists and tuples of anything) with whole tensors in place of parts.

    All processes must call it, as they put them together.
    """
    if isinstance(value, dict):
        return {name: whole_tensors(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(whole_tensors(part) for part in value)
    return value.full_tensor() if hasattr(value, "full_tensor") else value


def split_tensors(tensors: dict, model: nn.Module) -> dict:
    """Return whole tensors {name: tensor} cut as the tensors of ``model`` with these names are."""
    stored = model.state_dict()
    return {name: _split_like(value, stored.get(name)) for name, value in tensors.items()}


def split_optimizer(optimizer) -> None:
    """Cut what an optimizer has loaded for its parameters as these are cut, in place."""
    for part in getattr(optimizer, "parts", (optimizer,)):
        for parameter, state in part.state.items():
            for name, value in state.items():
                if torch.is_tensor(value) and value.shape == parameter.shape:
                    state[name] = _split_like(value, parameter)


def held(model: nn.Module) -> int:
    """Return how many numbers of the parameters this process holds: all of them, or its part."""
    parameters = [value.detach() for value in model.parameters()]  # a shared one comes once
    return sum((value.to_local() if hasattr(value, "to_local") else value).numel() for value in parameters)


def _split_like(value: torch.Tensor, like):
    from torch.distributed.tensor import distribute_tensor

    if not hasattr(like, "placements"):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
