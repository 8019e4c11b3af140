"""From scores to a choice: the one sampler of the course (temperature and top-k in notebook 02, more later).

A model only gives scores for the next token; what a bot says depends as much on how they are read. Chat, reinforcement
learning and evaluation all sample with ``sample_tokens``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.models.utils import device_of, evaluating


def distribution(
    logits: torch.Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    dtype: torch.dtype = torch.float64,
) -> torch.Tensor:
    """Return the probabilities [..., V] from which the next token is sampled, given its logits [..., V], in ``dtype``.

    ``temperature`` divides the logits; 0 is greedy: all probability on the likeliest. ``top_k`` keeps the k likeliest
    tokens (Fan et al. 2018), ``top_p`` the fewest tokens whose probabilities sum to p (Holtzman et al. 2019), always
    one at least. What is cut off has probability 0, the rest is scaled to sum to 1. None, or 0 for ``top_k``, cuts nothing.
    Raises ValueError for values that make no sense, and, on a CPU, when no logit is finite or one is no number.
    """
    _check(temperature, top_k, top_p)
    logits = logits.to(dtype)
    largest = logits.amax(-1, keepdim=True)
    if logits.device.type == "cpu" and not torch.isfinite(largest).all():  # asking a GPU would make it wait
        raise ValueError("no token can be sampled: every logit is -inf, or one is no number. Is every token forbidden?")
    if temperature == 0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    # The largest logit becomes 0 before the division: a small temperature must not overflow.
    probabilities = torch.softmax((logits - largest) / temperature, dim=-1)
    if not top_k and top_p is None:
        return probabilities
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
    cut = torch.zeros_like(order, dtype=torch.bool)
    if top_k:
        cut[..., top_k:] = True
    if top_p is not None:
        cut |= ordered.cumsum(-1) - ordered >= top_p
    cut[..., 0] = False
    probabilities = probabilities.masked_fill(cut.scatter(-1, order, cut), 0.0)
    return probabilities / probabilities.sum(-1, keepdim=True)


def repetition_penalized(logits: torch.Tensor, previous: torch.Tensor, penalty: float) -> torch.Tensor:
    """Return logits [B, V] with those of the tokens ``previous`` [B, T] lowered (Keskar et al. 2019).

    A penalty of 1.0 changes nothing.
    """
    if penalty == 1.0 or not previous.numel():
        return logits
    scores = torch.log_softmax(logits, dim=-1).gather(-1, previous)  # never positive: multiplying always lowers them
    return logits.scatter(-1, previous, logits.gather(-1, previous) + scores * (penalty - 1))


class TokenSampler:
    """Chooses the next token of each of B texts from the logits: the one place where the course samples.

    Settings as in ``generate``; ``forbidden`` tokens are never sampled. It keeps what it has chosen, for the penalty on
    repetition. Samples are taken on the device of ``generator``, with probabilities in ``dtype``. Raises ValueError for
    settings that make no sense.
    """

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        forbidden: Iterable[int] = (),
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        distribution: Callable | None = None,
    ):
        _check(temperature, top_k, top_p)
        if not 1 <= repetition_penalty < float("inf"):
            raise ValueError(
                f"repetition_penalty is {repetition_penalty}: give 1.0 (no penalty) or more, usually up to 1.3"
            )
        self.settings, self.distribution = (temperature, top_k, top_p, dtype), distribution
        self.penalty, self.generator = repetition_penalty, generator
        self.forbidden, self.previous = torch.tensor(sorted(set(forbidden)), dtype=torch.int64), []

    def __call__(self, logits: torch.Tensor, without: torch.Tensor | None = None) -> torch.Tensor:
        """Return the next tokens, int64 [B], given their logits [B, V]; none of ``without``, int64 [N], is chosen."""
        logits = logits.float()
        logits = logits if self.generator is None else logits.to(self.generator.device)
        if self.previous:
            logits = repetition_penalized(logits, torch.stack(self.previous, dim=1), self.penalty)
        for ids in (self.forbidden, without):
            if ids is not None and len(ids):
                logits = logits.index_fill(-1, ids.to(logits.device), float("-inf"))
        probabilities = _probabilities(self.distribution, logits, *self.settings)
        tokens = torch.multinomial(probabilities, 1, generator=self.generator)[:, 0]
        if self.penalty != 1.0:
            self.previous.append(tokens)
        return tokens


@torch.no_grad()
def sample_tokens(
    read: Callable[[torch.Tensor | None], torch.Tensor],
    *,
    max_tokens: int,
    stop: Iterable[int] = (),
    min_tokens: int = 0,
    check_every: int = 1,
    **settings,
) -> Iterator[torch.Tensor]:
    """Yield the next tokens of B texts, int64 [B], step by step, until every text has ended or has ``max_tokens``.

    ``read(tokens)`` gives the model the tokens [B] sampled last (None at the first step) and returns the logits [B, V] of the
    next ones. A text ends with a token of ``stop``, which is yielded; from then on its row is −100. No text ends before it has
    ``min_tokens``. Whether all have ended is asked every ``check_every`` steps: on a GPU the question costs more than a step.
    The other settings, and the errors, are those of ``TokenSampler``; its ``distribution`` may be a function of one's own,
    called as ``distribution(logits [V], temperature, top_k, top_p)`` for each text.
    """
    sampler, stop = TokenSampler(**settings), torch.tensor(sorted(set(stop)), dtype=torch.int64)
    tokens, running = None, None
    for step in range(1, max_tokens + 1):
        tokens = sampler(read(tokens), without=stop if step <= min_tokens else None)
        if running is None:
            stop, running = stop.to(tokens.device), torch.ones_like(tokens, dtype=torch.bool)
        if not len(stop):
            yield tokens
            continue
        yield tokens.where(running, IGNORED)
        running = running & ~torch.isin(tokens, stop)
        if step % check_every == 0 and not running.any():
            return


def generate(
    model,
    ids: Sequence[int],
    *,
    max_tokens: int = 200,
    cache: bool = True,
    stop: Iterable[int] = (),
    seed: int | None = None,
    **settings,
) -> Iterator[int]:
    """Yield tokens that go on after ``ids``, one at a time, until one in ``stop`` (not yielded) or ``max_tokens``.

    ``model`` is called as ``logits, state = model(ids, state)`` with ids [1, T]: it reads the prompt once, and each
    new token as it comes, in evaluation mode; with ``cache=False``, or when its state is None, it reads everything again for
    each token, which gives the same. A model with a limited ``context`` that is full goes on from the latter half of it.
    Settings: ``temperature``, ``top_k``, ``top_p`` (see ``distribution``), ``repetition_penalty``, ``forbidden`` (never
    sampled) and ``distribution`` (see ``sample_tokens``). The same ``seed`` gives the same tokens on every device, without
    one they differ each time; torch's global generator is left alone. Raises ValueError when ``ids`` is empty and for a
    setting that makes no sense, as soon as the first token is asked for.
    """
    rng, device, limit = torch.Generator(), device_of(model), getattr(model, "context", None)
    rng.manual_seed(seed) if seed is not None else rng.seed()
    text, unread, state, stop = list(ids), list(ids), None, set(stop)
    if not text:
        raise ValueError("there is nothing to go on from: give one token at least, such as the tokenizer's <end>")
    begin = 0  # of what the model sees

    def read(tokens):
        nonlocal unread, state, begin
        if tokens is not None:
            text.append(int(tokens))
            unread, state = (text[-1:], state) if cache and state is not None else (text[begin:], None)
        if limit is not None and len(text) - begin > limit:
            begin = len(text) - max(1, limit // 2)
            unread, state = text[begin:], None
        with evaluating(model):  # a sample may be asked for in the middle of a training: no dropout then
            logits, state = model(torch.tensor([unread], device=device), state)
        return logits[:, -1]

    for tokens in sample_tokens(read, max_tokens=max_tokens, stop=stop, generator=rng, **settings):
        if (token := int(tokens)) in stop:
            return
        yield token


def _probabilities(own: Callable | None, logits: torch.Tensor, temperature, top_k, top_p, dtype) -> torch.Tensor:
    """Return the probabilities [B, V] from which tokens are sampled, by the course's ``distribution`` or by one's own."""
    if own is None:
        return distribution(logits, temperature, top_k, top_p, dtype)
    return torch.stack([own(row.to(dtype), temperature, top_k, top_p) for row in logits])


def _check(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: give 0 (always the likeliest) or more, usually 0.3 to 1.2")
    if top_k is not None and top_k < 0:
        raise ValueError(f"top_k is {top_k}: give how many tokens to keep, or None for all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: give a share of the probability above 0 and up to 1, or None")
