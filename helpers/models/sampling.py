"""From scores to a choice: the one sampler of the course (temperature and top-k in notebook 02, more later).

A model only has an opinion about the next token; what a bot says depends as much on how that opinion is read.
"""

from collections.abc import Container, Iterator, Sequence

import torch

from .modes import device_of, evaluating


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


def penalised(logits: torch.Tensor, said: Sequence[int], penalty: float) -> torch.Tensor:
    """Return logits with those of the tokens already said made smaller (Keskar et al. 2019): 1.0 changes nothing."""
    if penalty == 1.0 or not said:
        return logits
    logits, places = logits.clone(), torch.tensor(sorted(set(said)))
    scores = torch.log_softmax(logits, dim=-1)[places]  # never positive, so multiplying always lowers them
    logits[places] += scores * (penalty - 1)
    return logits


@torch.no_grad()
def generate(
    model,
    ids: Sequence[int],
    *,
    max_tokens: int = 200,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    stop: Container[int] = (),
    forbidden: Sequence[int] = (),
    seed: int | None = None,
) -> Iterator[int]:
    """Yield tokens that go on after ``ids``, one at a time, until one in ``stop`` (not yielded) or ``max_tokens``.

    ``model`` is called as ``logits, state = model(ids, state)`` with ids [1, T]: it reads the prompt once, and each
    new token as it comes, in evaluation mode. ``forbidden`` tokens are never drawn. The same ``seed`` draws the same
    tokens, without one the draw is fresh; torch's global generator is left alone. Raises ValueError when ``ids`` is empty
    and for a setting that makes no sense, as soon as the first token is asked for.
    """
    _check(temperature, top_k, top_p)
    if not 1 <= repetition_penalty < float("inf"):
        raise ValueError(
            f"repetition_penalty is {repetition_penalty}: give 1.0 (no penalty) or more, usually up to 1.3"
        )
    if not len(ids):
        raise ValueError("there is nothing to go on from: give one token at least, such as the tokenizer's <end>")
    random = torch.Generator()
    random.manual_seed(seed) if seed is not None else random.seed()
    device = device_of(model)
    forbidden = torch.tensor(list(forbidden), dtype=torch.long)
    said: list[int] = []
    read, state = torch.tensor([list(ids)], device=device), None
    for _ in range(max_tokens):
        with evaluating(model):  # a sample may be asked for in the middle of a training: no dropout then
            logits, state = model(read, state)
        scores = penalised(logits[0, -1].float().cpu(), said, repetition_penalty)
        scores = scores.index_fill(0, forbidden, float("-inf"))
        token = int(torch.multinomial(distribution(scores, temperature, top_k, top_p), 1, generator=random))
        if token in stop:
            return
        yield token
        said.append(token)
        read = torch.tensor([[token]], device=device)


def _check(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}: give 0 (always the likeliest) or more, usually 0.3 to 1.2")
    if top_k is not None and top_k < 0:
        raise ValueError(f"top_k is {top_k}: give how many tokens to keep, or None for all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: give a share of the probability above 0 and up to 1, or None")
