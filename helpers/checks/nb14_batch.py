"""Checks of notebook 14's batches: caches joined at their ends, and a batch that requests join and leave at any step."""

from collections import deque
from collections.abc import Callable

from helpers.checks import Untouched, Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, same

CHANGED = "You changed a cache that you were given: it is still needed. Build a new one."


def small_gpt():
    """Return a GPT of 2 layers in which positions and the token read last matter."""
    import torch

    from helpers.models.gpt import GPT, GPTConfig

    torch.manual_seed(3)
    sizes = {"context": 48, "n_embd": 16, "n_layer": 2, "n_head": 2, "bigram_rows": 31, "zero_output": False}
    model = GPT(GPTConfig.modern(24, **sizes)).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.6)
    return model


# -- joining caches ----------------------------------------------------------------------------------------------------
@exercise
def check_join_caches(join_caches: Callable) -> str:
    """Build: one cache of several, padded at their beginnings."""
    import torch

    model = small_gpt()
    prompts = [[1, 5, 9], [2, 7, 3, 8, 4, 6], [3, 11]]
    caches = [model(torch.tensor([ids[:-1]]))[1] for ids in prompts]
    two = _cache(call(join_caches, caches[:2], changed=CHANGED), 2)
    _check_layout(two, caches)
    last = torch.tensor([[ids[-1]] for ids in prompts])
    alone = torch.cat([model(last[i : i + 1], cache)[0] for i, cache in enumerate(caches)])[:, 0]
    logits = model(last[:2], two)[0][:, 0]
    if not same(logits, alone[:2], 1e-4):
        raise Wrong(f"After your cache the next logits are others than alone: {difference(logits, alone[:2])}.")
    three = _cache(join_caches([two, caches[2]]), 3)
    if three.padding.tolist() == [0, 0, 4] or three.padding.tolist() == [0, 0, 3]:
        raise Wrong("Joined again, the rows lost the padding they already had. Add the new padding to `cache.padding`.")
    logits = model(last, three)[0][:, 0]
    if three.padding.tolist() != [3, 0, 4] or not same(logits, alone, 1e-4):
        raise Wrong(
            f"A joined cache can be joined again: then the paddings are [3, 0, 4], and yours are {three.padding.tolist()}."
        )
    after = model(torch.tensor([[4], [2], [9]]), model(last, three)[1])[0][:, 0]
    steps = [model(last[i : i + 1], cache)[1] for i, cache in enumerate(caches)]
    wanted = torch.cat([model(torch.tensor([[token]]), state)[0] for token, state in zip((4, 2, 9), steps)])[:, 0]
    if not same(after, wanted, 1e-4):
        raise Wrong("One step later the rows are no longer what they are alone.")
    return "Side by side they compute what each computes alone."


def _cache(answer, rows: int):
    import torch

    from helpers.models.gpt import Cache

    if not isinstance(answer, Cache):
        raise Wrong(f"I expected a Cache(keys, values, padding, last) and got {kind(answer)}.")
    for name in ("keys", "values"):
        layers = getattr(answer, name)
        if not isinstance(layers, list | tuple) or len(layers) != 2 or not all(map(torch.is_tensor, layers)):
            raise Wrong(f"`{name}` has a tensor for each of the 2 layers, and yours is {kind(layers)}.")
        if any(layer.ndim != 4 for layer in layers):
            raise Wrong(
                f"A layer's {name} are [B, heads, T, size], and yours have {layers[0].ndim} dimensions: cat, not stack."
            )
        if any(layer.shape[0] != rows for layer in layers):
            raise Wrong(f"Together there are {rows} rows, and your {name} have {layers[0].shape[0]}.")
    if answer.padding is None:
        raise Wrong(
            "padding is None: then padding counts as text, and each row believes it is longer. Say how much it is."
        )
    for name in ("padding", "last"):
        part = getattr(answer, name)
        if not torch.is_tensor(part) or part.shape != (rows,) or part.is_floating_point():
            raise Wrong(f"`{name}` is one whole number per row, int64 [{rows}], and yours is {kind(part)}.")
    return answer


def _check_layout(two, caches) -> None:
    short, long = caches[0], caches[1]
    if two.length != 5:
        raise Wrong(f"The longer cache holds 5 tokens, the shorter 2, so together 5. Yours holds {two.length}.")
    for name in ("keys", "values"):
        layer, first, second = (getattr(cache, name)[0] for cache in (two, short, long))
        if same(layer[:1, :, :2], first) and not same(layer[:1, :, 3:], first):
            raise Wrong(
                f"You padded the {name} at the END. The new token comes there: it must stand beside the last one read."
            )
        if same(layer[1:], first) or same(layer[1:, :, 3:], first):
            raise Wrong("The rows are in another order than the caches that were given.")
        if not same(layer[:1, :, 3:], first) or not same(layer[1:], second):
            raise Wrong(f"The {name} of a row must be those of its cache, at the end of the row.")
        if not same(getattr(two, name)[1][:1, :, 3:], getattr(short, name)[1]):
            raise Wrong(f"The second layer's {name} are not those of the second layer.")
    if two.padding.tolist() == [0, 0]:
        raise Wrong("You padded, and padding says 0 for both rows: then the positions are wrong. Row 0 has 3.")
    if two.padding.tolist() != [3, 0]:
        raise Wrong(f"Row 0 has 3 tokens of padding, row 1 none: [3, 0]. Yours says {two.padding.tolist()}.")
    if two.last.tolist() != [5, 4]:
        raise Wrong(
            f"`last` is the token read last in each row, [5, 4], and yours is {two.last.tolist()}: the pair table needs it."
        )


# -- the continuous batch ----------------------------------------------------------------------------------------------
class Asked:
    """A request that takes the likeliest token each time, and notes what should not happen."""

    def __init__(self, ids, length: int):
        self.ids, self.length, self.tokens, self.late = list(ids), length, [], False

    @property
    def done(self) -> bool:
        return len(self.tokens) >= self.length

    @property
    def last(self) -> int:
        return (self.tokens or self.ids)[-1]

    def push(self, logits) -> None:
        if logits.ndim != 1:
            raise Wrong(f"push takes the logits of one row at its last position, [V], and got {list(logits.shape)}.")
        self.late |= self.done
        self.tokens.append(int(logits.argmax()))


class Counted:
    """A model that notes the shape of all that it is asked to read."""

    def __init__(self, model):
        self.model, self.context, self.prompts, self.rows = model, model.context, [], []

    def __call__(self, ids, state=None):
        if state is None:
            self.prompts.append(ids[0].tolist())
        else:
            self._fit(len(ids), len(state.last))
            self.rows.append(len(ids))
        return self.model(ids, state)

    def _fit(self, asked: int, cached: int) -> None:
        if asked < cached:
            raise Wrong(
                f"The cache has {cached} rows, and {asked} run: those that have left still have rows. Cut the cache with "
                "keep_rows; when no request stays it is None."
            )
        if asked > cached:
            raise Wrong(
                f"{asked} run, and the cache has {cached} rows: those of the others are lost. A newcomer's is joined to it."
            )


PROMPTS = [[1, 5, 9], [2, 7, 3, 8, 4, 6], [3, 11], [4, 4, 2, 9], [5, 1, 13, 6, 2]]


@exercise
def check_ContinuousBatch(ContinuousBatch: Callable) -> str:  # noqa: N802, N803
    """Build: requests join and leave between two steps."""
    model = small_gpt()
    alone = [_alone(model, ids, 6) for ids in PROMPTS]
    counted = Counted(model)
    batch = tried(ContinuousBatch(counted, 3))
    if not callable(getattr(batch, "step", None)):
        raise Wrong(
            f"ContinuousBatch(model, size) must give something with a method step: a class. I got {kind(batch)}."
        )
    requests = [Asked(ids, 6) for ids in PROMPTS[:3]]
    waiting = deque(requests)
    batch.step(waiting)
    if not counted.prompts and not any(request.tokens for request in requests):
        raise Untouched
    _check_first_step(counted, requests, waiting)
    for _ in range(5):
        batch.step(waiting)
    for number, request in enumerate(requests):
        if request.tokens != alone[number]:
            raise Wrong(
                f"Three requests side by side: number {number} writes {request.tokens}, alone {alone[number]}. Do the rows of "
                "the cache and the list `running` have the same order? Is the new cache kept?"
            )
    _check_leaving(ContinuousBatch, model, alone)
    _check_hanging_up(ContinuousBatch, model)
    counted = Counted(model)
    ContinuousBatch(counted, 2).step(deque())
    if counted.rows or counted.prompts:
        raise Wrong("With no request waiting or running, step must not call the model.")
    return "What is done leaves, what waits joins, and no request notices the others."


def _alone(model, ids, number: int) -> list[int]:
    import torch

    tokens: list[int] = []
    for _ in range(number):
        tokens.append(int(model(torch.tensor([[*ids, *tokens]]))[0][0, -1].argmax()))
    return tokens


def _check_first_step(counted: Counted, requests: list, waiting: deque) -> None:
    if waiting:
        raise Wrong(f"Three rows are free and three wait: all join in one step. After yours {len(waiting)} still wait.")
    if [request.ids for request in requests] == counted.prompts:
        raise Wrong(
            "You read the whole prompt, and then its last token a second time. Read ids[:-1]; the last one comes with the step."
        )
    if sorted(counted.prompts) != sorted(request.ids[:-1] for request in requests):
        raise Wrong(f"Of each joining request ids[:-1] is read, once, by itself. Yours read {counted.prompts}.")
    if counted.rows == [1, 1, 1]:
        raise Wrong("You called the model once for each request. One call for all: last is [B, 1].")
    if counted.prompts != [request.ids[:-1] for request in requests]:
        raise Wrong("First come, first to join: waiting.popleft().")
    if counted.rows != [3]:
        raise Wrong(f"One step is one call for all 3 rows. Yours made calls with {counted.rows} rows.")
    if any(len(request.tokens) != 1 for request in requests):
        raise Wrong(
            f"After one step each has one token, and yours have {[len(request.tokens) for request in requests]}."
        )


def _check_hanging_up(ContinuousBatch: Callable, model) -> None:  # noqa: N803
    batch, requests = ContinuousBatch(model, 2), [Asked(ids, 6) for ids in PROMPTS[:2]]
    batch.step(deque(requests))
    requests[0].length = 1  # its client hung up: it is done, and nobody told the batch
    batch.step(deque())
    if requests[0].late:
        raise Wrong(
            "A client hung up between two steps, and its request was still there. Leave at the BEGINNING of a step."
        )


def _check_leaving(ContinuousBatch: Callable, model, alone: list) -> None:  # noqa: N803
    counted, lengths = Counted(model), [2, 5, 3, 1, 4]
    requests = [Asked(ids, length) for ids, length in zip(PROMPTS, lengths)]
    waiting, batch, steps = deque(requests), ContinuousBatch(counted, 2), 0
    while not all(request.done for request in requests) and steps < 40:
        batch.step(waiting)
        steps += 1
    if max(counted.rows) > 2:
        raise Wrong(f"At most size = 2 run at once, and yours had {max(counted.rows)} rows.")
    if any(request.late for request in requests):
        raise Wrong("A request that was done got another token. Let it leave first, at the beginning of the step.")
    if steps == 40:
        raise Wrong("After 40 steps some requests are not done. Does the place of one that has left go to the next?")
    if counted.rows == [2, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1]:
        raise Wrong(
            "Newcomers waited until all the others were done: that is static batching. A free row is given at once."
        )
    for number, (request, length) in enumerate(zip(requests, lengths)):
        if request.tokens != alone[number][:length]:
            raise Wrong(
                f"With others leaving and joining, number {number} writes {request.tokens}, alone {alone[number][:length]}. When "
                "requests leave, the cache keeps the rows of those that stay: keep_rows(cache, rows)."
            )
    if counted.rows != [2, 2, 2, 2, 2, 2, 1, 1, 1]:
        raise Wrong(
            "[2, 5, 3, 1, 4] tokens, two requests at a time, take six steps of 2 rows and three of 1. Yours took steps of "
            f"{counted.rows} rows."
        )
