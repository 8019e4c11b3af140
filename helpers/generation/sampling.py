"""From scores to a choice: the one sampler of the course (temperature and top-k in notebook 02, more later).

A model only has an opinion about the next token; what a bot says depends as much on how that opinion is read.
"""

from collections.abc import Container, Iterator, Sequence

import torch

from helpers.models.utils import device_of, evaluating


def distribution(
    logits: torch.Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> torch.Tensor:
    """Return the probabilities [V] from which the next token is drawn, given its logits [V].

    ``temperature`` divides the logits; 0 is greedy: all probability on the likeliest. ``top_k`` keeps the k likeliest
    tokens (Fan et al. 2018), ``top_p`` the fewest tokens that together have probability p (Holtzman et al. 2019), always
    one at least. What is cut off has probability 0, the rest is scaled to sum to 1. None, or 0 for ``top_k``, cuts nothing.
    Raises ValueError for values that make no sense, and when no logit is finite or one is no number.
    """
    _check(temperature, top_k, top_p)
    logits = logits.double()
    if not torch.isfinite(logits.max()):
        raise ValueError("no token can be drawn: every logit is -inf, or one is no number. Is every token forbidden?")
    if temperature == 0:
        return torch.zeros_like(logits).index_fill_(0, logits.argmax(), 1.0)
    # The largest logit becomes 0 before the division: a small temperature must not overflow.
    probabilities = torch.softmax((logits - logits.max()) / temperature, dim=-1)
    if not top_k and top_p is None:
        return probabilities
    order = probabilities.argsort(descending=True, stable=True)
    cut = torch.zeros_like(order, dtype=torch.bool)
    if top_k:
        cut[top_k:] = True
    if top_p is not None:
        before = probabilities[order].cumsum(0) - probabilities[order]
        cut |= before >= top_p
    cut[0] = False
    probabilities[order[cut]] = 0.0
    return probabilities / probabilities.sum()


def penalized(logits: torch.Tensor, said: Sequence[int], penalty: float) -> torch.Tensor:
    """Return logits with those of the tokens already said made smaller (Keskar et al. 2019): 1.0 changes nothing."""
    if penalty == 1.0 or not said:
        return logits
    logits, places = logits.clone(), torch.tensor(sorted(set(said)))
    scores = torch.log_softmax(logits, dim=-1)[places]  # never positive, so multiplying always lowers them
    logits[places] += scores * (penalty - 1)
    return logits


class TokenSampler:
    """Draws one token after the other from logits, with dice of its own: what ``generate`` does at every step.

    The arguments are those of ``generate``, and so are the errors.
    """

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        stop: Container[int] = (),
        forbidden: Sequence[int] = (),
        seed: int | None = None,
    ):
        _check(temperature, top_k, top_p)
        if not 1 <= repetition_penalty < float("inf"):
            raise ValueError(
                f"repetition_penalty is {repetition_penalty}: give 1.0 (no penalty) or more, usually up to 1.3"
            )
        self.dials, self.penalty, self.stop = (temperature, top_k, top_p), repetition_penalty, stop
        self.forbidden = torch.tensor(list(forbidden), dtype=torch.long)
        self.random, self.said = torch.Generator(), []
        self.random.manual_seed(seed) if seed is not None else self.random.seed()

    def draw(self, logits: torch.Tensor) -> int | None:
        """Return the next token, given its logits [V]; None when it is one at which to stop."""
        scores = penalized(logits.float().cpu(), self.said, self.penalty)
        if len(self.forbidden):
            scores = scores.index_fill(0, self.forbidden, float("-inf"))
        token = int(torch.multinomial(distribution(scores, *self.dials), 1, generator=self.random))
        if token in self.stop:
            return None
        self.said.append(token)
        return token


@torch.no_grad()
def generate(model, ids: Sequence[int], *, max_tokens: int = 200, cache: bool = True, **settings) -> Iterator[int]:
    """Yield tokens that go on after ``ids``, one at a time, until one in ``stop`` (not yielded) or ``max_tokens``.

    ``model`` is called as ``logits, state = model(ids, state)`` with ids [1, T]: it reads the prompt once, and each
    new token as it comes, in evaluation mode; with ``cache=False`` it reads everything again for each token, which gives
    the same. A model with a limited ``context`` that is full goes on from the latter half of it. Settings: ``temperature``,
    ``top_k``, ``top_p`` (see ``distribution``), ``repetition_penalty``, ``stop``, ``forbidden`` (never drawn) and ``seed``:
    the same one draws the same tokens, without one the draw is fresh; torch's global generator is left alone. Raises
    ValueError when ``ids`` is empty and for a setting that makes no sense, as soon as the first token is asked for.
    """
    chooser, device = TokenSampler(**settings), device_of(model)
    text, limit = list(ids), getattr(model, "context", None)
    if not text:
        raise ValueError("there is nothing to go on from: give one token at least, such as the tokenizer's <end>")
    read, state, begin = text, None, 0
    for _ in range(max_tokens):
        if limit is not None and len(text) - begin > limit:
            begin = len(text) - max(1, limit // 2)
            read, state = text[begin:], None
        with evaluating(model):  # a sample may be asked for in the middle of a training: no dropout then
            logits, state = model(torch.tensor([read], device=device), state)
        token = chooser.draw(logits[0, -1])
        if token is None:
            return
        yield token
        text.append(token)
        read, state = ([token], state) if cache else (text[begin:], None)


@torch.no_grad()
def generate_batch(
    model, rows: Sequence[Sequence[int]], *, max_tokens: int = 200, seeds: Sequence | None = None, **settings
) -> list[list[int]]:
    """Return what goes on after each of ``rows``, written side by side: the same as ``generate`` gives one by one.

    Row r is drawn with ``seeds[r]``. Shorter rows are filled at their beginning, so that all go on at the same place; the
    model must know how to overlook that, as a GPT does. Where it does not, or where the rows would outgrow its context,
    they are written one after the other. Raises ValueError as ``generate`` does, for every row.
    """
    seeds = [None] * len(rows) if seeds is None else seeds
    longest = max(map(len, rows), default=0)
    if (
        not getattr(model, "overlooks_padding", False)
        or longest + max_tokens > model.context
        or not all(map(len, rows))
    ):
        return [
            list(generate(model, row, max_tokens=max_tokens, seed=seed, **settings)) for row, seed in zip(rows, seeds)
        ]
    device, choosers = device_of(model), [TokenSampler(seed=seed, **settings) for seed in seeds]
    padding = torch.tensor([longest - len(row) for row in rows], device=device)
    read = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows], device=device)
    state, going = None, [True] * len(rows)
    for _ in range(max_tokens):
        with evaluating(model):
            logits, state = model(read, state, padding) if state is None else model(read, state)
        drawn = [chooser.draw(line) if on else None for chooser, line, on in zip(choosers, logits[:, -1], going)]
        going = [token is not None for token in drawn]
        if not any(going):
            break
        read = torch.tensor([[token or 0] for token in drawn], device=device)  # what a finished row reads is ignored
    return [chooser.said for chooser in choosers]


def _check(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: give 0 (always the likeliest) or more, usually 0.3 to 1.2")
    if top_k is not None and top_k < 0:
        raise ValueError(f"top_k is {top_k}: give how many tokens to keep, or None for all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: give a share of the probability above 0 and up to 1, or None")
