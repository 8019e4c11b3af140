"""Looking for the likeliest reply instead of drawing one, and choosing among many (built in notebook 03).

Beam search keeps the few likeliest beginnings at every step (Sutskever, Vinyals & Le 2014). The likeliest reply is often
the dullest one, so ``rerank`` prefers what is likely *here* over what is likely everywhere: maximum mutual information,
in the form of Li et al. 2015 that subtracts log p(reply).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch

from helpers.models.utils import device_of, evaluating


class Candidate(NamedTuple):
    """A reply that was found: its tokens without the one that closes it."""

    tokens: list[int]
    log_probability: float  # in nats, of all its tokens and of its closing
    score: float  # what it was ranked by
    finished: bool = True  # False: it was cut at the largest number of tokens


@torch.no_grad()
def beam_search(
    model,
    ids: Sequence[int],
    *,
    width: int = 5,
    max_tokens: int = 60,
    stop: Iterable[int] = (),
    forbidden: Iterable[int] = (),
    length_penalty: float = 0.0,
) -> list[Candidate]:
    """Return the likeliest replies that were found to go on after ``ids``, the best first, at most ``width``.

    Of all continuations of the ``width`` beginnings the ``width`` likeliest are kept at each step; one that ends in a token
    of ``stop`` is a reply (which token closes it does not matter: their probabilities are added). The score is the log
    probability divided by (number of tokens, the closing one too) to the power ``length_penalty``: at 0 the sum, which
    favors short replies, at 1 the mean. Width 1 is greedy. ``forbidden`` tokens are never said.

    ``model`` is called as ``generate`` calls it. If it can ``pick`` rows of its state, each step reads one token a row;
    otherwise all is read again. Replies longer than ``max_tokens`` are cut and come after the finished ones. Raises
    ValueError for no ids, or settings that make no sense.
    """
    if not len(ids):
        raise ValueError("there is nothing to go on from: give one token at least, such as the tokenizer's <end>")
    if width < 1 or max_tokens < 1 or not length_penalty >= 0:
        raise ValueError(
            f"width={width}, max_tokens={max_tokens}, length_penalty={length_penalty}: give at least 1, 1 and 0"
        )
    reader, stop, forbidden = _Reader(model, ids), sorted(set(stop)), sorted(set(forbidden))
    begun, sums, done = [[]], torch.zeros(1, dtype=torch.float64), []
    while begun and len(begun[0]) < max_tokens:
        nats = reader.log_probabilities()
        ends = torch.logsumexp(nats[:, stop], -1) if stop else nats.new_full((len(begun),), float("-inf"))
        nats[:, [*stop, *forbidden]] = float("-inf")
        totals = sums[:, None] + torch.cat([nats, ends[:, None]], dim=1)  # [beams, V + 1]: the last column closes
        best, places = totals.flatten().sort(descending=True, stable=True)  # of equals the first, as argmax has it
        best, places = best[:width], places[:width]
        rows, choices, kept = places // totals.shape[1], places % totals.shape[1], []
        for place, (row, token, total) in enumerate(zip(rows.tolist(), choices.tolist(), best.tolist())):
            if total == float("-inf"):
                continue
            if token == nats.shape[1]:
                done.append(_candidate(begun[row], total, length_penalty, True))
            else:
                kept.append(place)
        done = sorted(done, key=_score, reverse=True)[:width]
        begun = [[*begun[row], token] for row, token in zip(rows[kept].tolist(), choices[kept].tolist())]
        sums = best[kept]
        if not begun or (
            len(done) == width and done[-1].score >= float(sums.max()) / (max_tokens + 1) ** length_penalty
        ):
            return done  # a sum only falls as a reply grows: none of those begun can overtake
        reader.go_on(rows[kept], choices[kept])
    cut = [_candidate(tokens, total, length_penalty, False) for tokens, total in zip(begun, sums.tolist())]
    return (done + sorted(cut, key=_score, reverse=True))[:width]


@torch.no_grad()
def reply_log_probabilities(
    model, ids: Sequence[int], replies: Sequence[Sequence[int]], stop: Iterable[int]
) -> list[float]:
    """Return log p(reply | ids) in nats for each of ``replies``: of all its tokens, and that a token of ``stop`` follows.

    All replies are read side by side. Raises ValueError when there is no reply, or nothing to close it with.
    """
    stop = sorted(set(stop))
    if not stop or not len(replies):
        raise ValueError("give one reply at least, and the tokens that may close one: stop=[tokenizer.end, ...]")
    longest = max(map(len, replies))
    # No model looks ahead, so what fills a shorter row changes nothing before it.
    rows = torch.tensor([[*ids, *reply, *[0] * (longest - len(reply))] for reply in replies])
    with evaluating(model):
        nats = model(rows.to(device_of(model)))[0][:, -longest - 1 :].double().log_softmax(-1).cpu()
    said = nats[:, :-1].gather(2, rows[:, len(ids) :, None])[..., 0]  # [replies, longest]
    return [
        float(line[: len(reply)].sum() + after[len(reply), stop].logsumexp(-1))
        for reply, line, after in zip(replies, said, nats)
    ]


def rerank(candidates: Sequence[Candidate], anywhere: Sequence[float], strength: float = 0.5) -> list[Candidate]:
    """Return candidates ordered by log p(reply | context) − ``strength`` · log p(reply), the best first (Li et al. 2015).

    ``anywhere`` holds log p(reply) of each candidate: how likely it is whatever was said before. ``strength`` 0 leaves the
    order of the log probabilities. Raises ValueError when there is not one number for each candidate.
    """
    if len(candidates) != len(anywhere):
        raise ValueError(f"give log p(reply) for each of the {len(candidates)} candidates; got {len(anywhere)} numbers")
    scored = [
        found._replace(score=found.log_probability - strength * float(prior))
        for found, prior in zip(candidates, anywhere)
    ]
    return sorted(scored, key=_score, reverse=True)


def _candidate(tokens: list[int], total: float, length_penalty: float, finished: bool) -> Candidate:
    return Candidate(tokens, total, total / (len(tokens) + finished) ** length_penalty, finished)


def _score(candidate: Candidate) -> float:
    return candidate.score


class _Reader:
    """What a model says after several texts at once, which grow by a token each."""

    def __init__(self, model, ids: Sequence[int]):
        self.model, self.device = model, device_of(model)
        self.rows = torch.tensor([list(ids)])  # [beams, tokens so far]
        self.read, self.state = self.rows, None

    def log_probabilities(self) -> torch.Tensor:
        """Return those of the next token, float64 [beams, V]."""
        with evaluating(self.model):
            logits, self.state = self.model(self.read.to(self.device), self.state)
        return logits[:, -1].double().log_softmax(-1).cpu()

    def go_on(self, rows: torch.Tensor, tokens: torch.Tensor) -> None:
        """Go on with some of the texts, perhaps one several times, each with a new token."""
        self.rows = torch.cat([self.rows[rows], tokens[:, None]], dim=1)
        if hasattr(self.model, "pick"):
            self.read, self.state = tokens[:, None], self.model.pick(self.state, rows.to(self.device))
        else:
            self.read, self.state = self.rows, None
