"""Wrong answers to notebook 14's batches: each is one mistake, with words of the message it must hear."""

import torch
from torch.nn import functional

from helpers.models.gpt import Cache
from helpers.serving import continuous_batch
from helpers.serving.continuous_batch import join_caches, keep_rows


# --- joining caches ----------------------------------------------------------------------------------------------------------
def joined(caches, end=False, values=True):
    longest = max(cache.length for cache in caches)

    def together(parts, pad_end):
        layers = zip(*parts)
        pad = [(0, 0, 0, longest - c.length) if pad_end else (0, 0, longest - c.length, 0) for c in caches]
        return tuple(torch.cat([functional.pad(one, p) for one, p in zip(layer, pad)]) for layer in layers)

    right = join_caches(caches)
    keys = together([cache.keys for cache in caches], end)
    return right._replace(keys=keys, values=together([cache.values for cache in caches], end and values))


def at_the_end(caches):
    return joined(caches, end=True)


def no_padding(caches):
    return join_caches(caches)._replace(padding=None)


def forgets(caches):
    right = join_caches(caches)
    return right._replace(padding=torch.zeros_like(right.padding))


def lengths(caches):
    right = join_caches(caches)
    return right._replace(padding=torch.tensor([cache.length for cache in caches for _ in cache.last]))


def loses_old_padding(caches):
    longest = max(cache.length for cache in caches)
    return join_caches(caches)._replace(
        padding=torch.tensor([longest - cache.length for cache in caches for _ in cache.last])
    )


def reversed_rows(caches):
    return join_caches(caches[::-1])


def first_last(caches):
    right = join_caches(caches)
    return right._replace(last=torch.zeros_like(right.last))


def keys_as_values(caches):
    right = join_caches(caches)
    return right._replace(values=right.keys)


def one_layer(caches):
    right = join_caches(caches)
    return right._replace(keys=(right.keys[0],) * 2)


def stacked(caches):
    right = join_caches(caches)
    return right._replace(keys=tuple(layer[None] for layer in right.keys))


def too_long(caches):
    right = join_caches(caches)
    keys, values = (tuple(functional.pad(one, (0, 0, 1, 0)) for one in part) for part in (right.keys, right.values))
    return Cache(keys, values, right.padding + 1, right.last)


def in_place(caches):
    right = join_caches(caches)
    for cache in caches:
        cache.keys[0].zero_()
    return right


JOIN = {
    at_the_end: "at the END",
    no_padding: "padding is None",
    forgets: "padding says 0 for both rows",
    lengths: "Row 0 has 3 tokens of padding",
    loses_old_padding: "the rows lost the padding they already had",
    reversed_rows: "in another order",
    first_last: "`last` is the token read last",
    keys_as_values: "must be those of its cache",
    one_layer: "not those of the second layer",
    stacked: "cat, not stack",
    too_long: "so together 5",
    in_place: "You changed a cache",
}


# --- the continuous batch --------------------------------------------------------------------------------------------------
class Batch(continuous_batch.ContinuousBatch):
    """The right one, in parts that a subclass may spoil."""

    def step(self, waiting):
        self.leave()
        while self.free(waiting):
            self.join(self.next(waiting))
        self.advance()

    def free(self, waiting):
        return waiting and len(self.running) < self.size

    def next(self, waiting):
        return waiting.popleft()


class Static(Batch):
    def step(self, waiting):
        self.leave()
        if not self.running:
            while waiting and len(self.running) < self.size:
                self.join(waiting.popleft())
        self.advance()


class OneJoins(Batch):
    def step(self, waiting):
        self.leave()
        if self.free(waiting):
            self.join(self.next(waiting))
        self.advance()


class WholePrompt(Batch):
    def join(self, request):
        read = self.model(torch.tensor([request.ids]))[1]
        self.cache = read if self.cache is None else join_caches([self.cache, read])
        self.running.append(request)


class OneByOne(Batch):
    def advance(self):
        for row, request in enumerate(self.running):
            logits, _ = self.model(torch.tensor([[request.last]]), keep_rows(self.cache, [row]))
            request.push(logits[0, -1])


class LastFirst(Batch):
    def next(self, waiting):
        return waiting.pop()


class TooMany(Batch):
    def free(self, waiting):
        return waiting and len(self.running) < max(3, self.size)


class NeverLeaves(Batch):
    def leave(self):
        if all(request.done for request in self.running):
            self.running, self.cache = [], None


class ForgetsCache(Batch):
    def advance(self):
        if self.running:
            last = torch.tensor([[request.last] for request in self.running])
            logits, _ = self.model(last, self.cache)
            for request, row in zip(self.running, logits[:, -1]):
                request.push(row)


class KeepsRows(Batch):
    def leave(self):
        stay = [row for row, request in enumerate(self.running) if not request.done]
        if len(stay) < len(self.running):
            self.running = [self.running[row] for row in stay]
            self.cache = keep_rows(self.cache, list(range(len(stay)))) if stay else None


class CallsWithoutRequests(Batch):
    def step(self, waiting):
        super().step(waiting)
        if not self.running:
            self.model(torch.tensor([[1]]))


class LeavesAtTheEnd(Batch):
    def step(self, waiting):
        while self.free(waiting):
            self.join(self.next(waiting))
        self.advance()
        self.leave()


class NeverCut(Batch):
    def leave(self):
        self.running = [request for request in self.running if not request.done]


class Overwrites(Batch):
    def join(self, request):
        self.cache = self.model(torch.tensor([request.ids[:-1]]))[1]
        self.running.append(request)


class AllLogits(Batch):
    def advance(self):
        if self.running:
            last = torch.tensor([[request.last] for request in self.running])
            logits, self.cache = self.model(last, self.cache)
            for request, row in zip(self.running, logits):
                request.push(row)


BATCH = {
    Static: "that is static batching",
    OneJoins: "all join in one step",
    WholePrompt: "You read the whole prompt",
    OneByOne: "called the model once for each request",
    LastFirst: "First come, first to join",
    TooMany: "At most size = 2 run at once",
    NeverLeaves: "A request that was done got another token",
    ForgetsCache: "Is the new cache kept?",
    KeepsRows: "keep_rows(cache, rows)",
    LeavesAtTheEnd: "Leave at the BEGINNING of a step",
    NeverCut: "those that have left still have rows",
    Overwrites: "those of the others are lost",
    CallsWithoutRequests: "step must not call the model",
    AllLogits: "the logits of one row at its last position",
}
