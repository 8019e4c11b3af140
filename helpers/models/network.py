"""What the networks of the course share: a count of their parameters, and hook points where activations are read or replaced.

Names and use of the hook points follow TransformerLens (Nanda & Bloom 2022): ``run_with_cache`` keeps activations,
``hooks`` puts functions in their way. Where no function is hooked nothing else is computed than without hook points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Protocol

import torch
from torch import nn

Hook = Callable[[torch.Tensor], torch.Tensor | None]


class LanguageModel(Protocol):
    """What bots, samplers and measurements ask of a model: the course's own networks, ``NGram``, or anything alike."""

    context: int | None  # tokens it can see at once; None: no limit
    ignores_left_padding: bool  # whether it can be called with a third argument, the padding at each row's beginning [B]

    def __call__(self, ids: torch.Tensor, state=None) -> tuple[torch.Tensor, object]:
        """Read ids [B, T] int64; return logits [B, T, V] for the token after each, and the state to go on from.

        ``state`` is that of an earlier call, None at the beginning; it is never changed in place.
        """


class Network(nn.Module):
    """A module that counts its parameters and whose activations have names.

    A subclass lists the names of its own activations in ``hook_points`` and passes each through ``self.hook(name, x)``. From
    outside the name of the part comes first: "hook_embed" of a GPT, "blocks.0.attention.hook_pattern" of its first layer.
    """

    hook_points: tuple[str, ...] = ()
    context: int | None = None  # see ``LanguageModel``
    ignores_left_padding = False

    def __init__(self):
        super().__init__()
        self.hooked: dict[str, list[Hook]] = {}

    @classmethod
    def from_config(cls, config: dict):
        """Return an untrained network with the arguments that ``config`` lists, as a checkpoint's card keeps them."""
        return cls(**config)

    def parameter_count(self) -> int:
        """Return how many numbers are learned; a matrix that is used twice counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def hook(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Return the activation ``x`` as the functions hooked to ``name`` leave it."""
        if self.hooked:
            for function in self.hooked.get(name, ()):
                replaced = function(x)
                x = x if replaced is None else replaced
        return x

    def hook_names(self) -> list[str]:
        """Return the full names of all hook points, in the order of the parts."""
        return list(self._hook_points())

    @contextmanager
    def hooks(self, functions: Mapping[str, Hook]):
        """Inside ``with model.hooks({name: function}):`` each activation called ``name`` is given to its function.

        The function returns what takes the activation's place, of the same shape, or None to leave it; it may change it in
        place only where no gradient is needed. Contexts may be nested: the outer one's functions come first. Afterwards, also
        after an error, nothing is hooked that was not before. Raises ValueError for a name that no hook point has.
        """
        points = self._hook_points()
        for name in functions:
            if name not in points:
                alike = [known for known in points if name.rpartition(".")[2] in known] or get_close_matches(name, points)
                known = ", ".join(alike[:3] or points) or "none: this network has no hook points"
                raise ValueError(f"there is no hook point {name!r}; known are {known}")
        for name, function in functions.items():
            part, point = points[name]
            part.hooked.setdefault(point, []).append(function)
        try:
            yield self
        finally:
            for name in functions:
                part, point = points[name]
                part.hooked[point].pop()
                if not part.hooked[point]:
                    del part.hooked[point]

    def run_with_cache(self, *inputs, names: Iterable[str] | None = None):
        """Return ``self(*inputs)``, for a language model logits and state, and its activations, {name: tensor}.

        Of all hook points, or of ``names`` alone. The activations are detached; they are those after other hooks. In a model
        that is called several times they are those of the last time. Raises ValueError for a name that no hook point has.
        """
        cache: dict[str, torch.Tensor] = {}

        def keep(name: str) -> Hook:
            return lambda x: cache.update({name: x.detach()})

        with self.hooks({name: keep(name) for name in (self.hook_names() if names is None else names)}):
            return self(*inputs), cache

    def _hook_points(self) -> dict[str, tuple[Network, str]]:
        parts = ((path, part) for path, part in self.named_modules() if isinstance(part, Network))
        return {f"{path}.{point}".lstrip("."): (part, point) for path, part in parts for point in part.hook_points}
