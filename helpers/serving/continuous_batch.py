"""Requests that share the steps of one GPT, joining and leaving at any of them (built in notebook 14).

Iteration-level scheduling: Yu et al. 2022 (Orca). The rows of a batch have read texts of different lengths; the caches are
padded at their beginnings, so that the new tokens of all rows stand in one column, and ``Cache.padding`` keeps the positions
right. The service's engine does the same with deadlines, threads and text; this is its core, to be read.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import torch
from torch.nn import functional

from helpers.models.gpt import Cache
from helpers.models.utils import device_of


def _padding(cache: Cache) -> torch.Tensor:
    return torch.zeros_like(cache.last) if cache.padding is None else cache.padding


def join_caches(caches: Sequence[Cache]) -> Cache:
    """Return one cache whose rows are those of all ``caches``, in order, padded with zeros at their beginnings.

    Each cache is what a GPT returned, of any number of rows and tokens; none is changed. Raises ValueError when there is none.
    """
    if not caches:
        raise ValueError("there is no cache to join: give one at least")
    longest = max(cache.length for cache in caches)
    missing = [longest - cache.length for cache in caches]

    def joined(parts):  # of each cache a tuple of layers
        return tuple(
            torch.cat([functional.pad(layer, (0, 0, fill, 0)) for layer, fill in zip(layers, missing)])
            for layers in zip(*parts)
        )

    return Cache(
        joined([cache.keys for cache in caches]),
        joined([cache.values for cache in caches]),
        torch.cat([_padding(cache) + fill for cache, fill in zip(caches, missing)]),
        torch.cat([cache.last for cache in caches]),
    )


def keep_rows(cache: Cache, rows: Sequence[int]) -> Cache:
    """Return the cache of these ``rows`` alone, in this order, without the padding that all of them have.

    Raises ValueError when no row is kept: then there is no cache.
    """
    if not rows:
        raise ValueError("no row is kept: a cache has one row at least")
    rows, padding = list(rows), _padding(cache)
    skip = int(padding[rows].min())
    keys, values = (tuple(layer[rows, :, skip:] for layer in parts) for parts in (cache.keys, cache.values))
    return Cache(keys, values, padding[rows] - skip, cache.last[rows])


class Running(Protocol):
    """A request, as a batch sees it."""

    ids: Sequence[int]  # its prompt, of two tokens at least
    done: bool

    @property
    def last(self) -> int:
        """The token that the model has not read yet: the prompt's last, then the one that was sampled last."""

    def push(self, logits: torch.Tensor) -> None:
        """Take the logits [V] of the next token and choose one."""


class ContinuousBatch:
    """Up to ``size`` requests that a GPT answers together.

    ``running`` are the requests, in the order of the rows of ``cache``; both are empty (None) at first. For several threads:
    only one may call ``step``.
    """

    def __init__(self, model, size: int = 8):
        self.model, self.size = model, size
        self.running: list[Running] = []
        self.cache: Cache | None = None

    @torch.no_grad()
    def step(self, waiting: deque) -> None:
        """Let those leave that are done, let those join that wait and fit in, and give each one more token.

        A joining request reads its prompt but for the last token, by itself; that one it reads in the step with all the
        others. With nobody there nothing is computed.
        """
        self.leave()
        while waiting and len(self.running) < self.size:
            self.join(waiting.popleft())
        self.advance()

    def leave(self) -> None:
        """Let go of those that are done; their rows cost nothing any more."""
        stay = [row for row, request in enumerate(self.running) if not request.done]
        if len(stay) < len(self.running):
            self.running = [self.running[row] for row in stay]
            self.cache = keep_rows(self.cache, stay) if stay else None

    @torch.no_grad()
    def join(self, request: Running) -> None:
        """Take in one more. Where the model fails on its prompt, nothing has changed."""
        read = self.model(torch.tensor([request.ids[:-1]], device=device_of(self.model)))[1]
        self.cache = read if self.cache is None else join_caches([self.cache, read])
        self.running.append(request)

    @torch.no_grad()
    def advance(self) -> None:
        """Give each one more token, by one call of the model for all."""
        if self.running:
            last = torch.tensor([[request.last] for request in self.running], device=device_of(self.model))
            logits, self.cache = self.model(last, self.cache)
            for request, row in zip(self.running, logits[:, -1].cpu()):
                request.push(row)


class OneAtATime:
    """The same for any other model of the course, such as a recurrent one: a "batch" of one request."""

    size = 1

    def __init__(self, model):
        self.model, self.running, self.state, self.unread = model, [], None, []

    def leave(self) -> None:
        self.running = [request for request in self.running if not request.done]

    def join(self, request: Running) -> None:
        self.running, self.state, self.unread = [request], None, list(request.ids)

    @torch.no_grad()
    def advance(self) -> None:
        for request in self.running:
            logits, self.state = self.model(torch.tensor([self.unread], device=device_of(self.model)), self.state)
            request.push(logits[0, -1].cpu())
            self.unread = list(request.ids) if self.state is None else [request.last]  # some keep no state
