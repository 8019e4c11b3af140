"""Looking for the likeliest reply instead of sampling one, and choosing among many (built in notebook 03).

Beam search keeps the few likeliest beginnings at every step (Sutskever, Vinyals & Le 2014). The likeliest reply is often
the dullest one, so ``rerank`` prefers what is likely *here* over what is likely everywhere: maximum mutual information,
in the form of Li et al. 2015 that subtracts log p(reply).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch

from helpers.models.utils import device_of, evaluating


class Candidate(NamedTuple):
    """One of the replies: its tokens without the one that closes it."""

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
    """Return the likeliest replies after ``ids`` that the search meets, the best first, at most ``width``.

    Of all continuations of the ``width`` beginnings the ``width`` likeliest are kept at each step; one that ends in a token
    of ``stop`` is a reply (which token closes it does not matter: their probabilities are added). The score is the log
    probability divided by (number of tokens, the closing one too) to the power ``length_penalty``: at 0 the sum, which
    favors short replies, at 1 the mean. Width 1 is greedy. ``forbidden`` tokens never occur.

    ``model`` is called as ``generate`` calls it. If it can ``select_rows`` of its state, each step reads one token a row;
    otherwise all is read again. Replies longer than ``max_tokens`` are cut and come after the finished ones. Raises
    ValueError for no ids, or settings that make no sense.
    """
    if not len(ids):
        raise ValueError("there is nothing to go on from: give one token at least, such as the tokenizer's <end>")
    if width < 1 or max_tokens < 1 or not length_penalty >= 0:
        raise ValueError(
            f"width={width}, max_tokens={max_tokens}, length_penalty={length_penalty}: give at least 1, 1 and 0"
        )
    beams, stop, forbidden = _Beams(model, ids), sorted(set(stop)), sorted(set(forbidden))
    replies, sums, done = [[]], torch.zeros(1, dtype=torch.float64), []
    while replies and len(replies[0]) < max_tokens:
        log_p = beams.log_probabilities()
        ends = torch.logsumexp(log_p[:, stop], -1) if stop else log_p.new_full((len(replies),), float("-inf"))
        log_p[:, [*stop, *forbidden]] = float("-inf")
        totals = sums[:, None] + torch.cat([log_p, ends[:, None]], dim=1)  # [beams, V + 1]: the last column closes
        best, order = totals.flatten().sort(descending=True, stable=True)  # of equals the first, as argmax has it
        best, order = best[:width], order[:width]
        rows, tokens, kept = order // totals.shape[1], order % totals.shape[1], []
        for index, (row, token, total) in enumerate(zip(rows.tolist(), tokens.tolist(), best.tolist())):
            if total == float("-inf"):
                continue
            if token == log_p.shape[1]:
                done.append(_candidate(replies[row], total, length_penalty, True))
            else:
                kept.append(index)
        done = sorted(done, key=_score, reverse=True)[:width]
        replies = [[*replies[row], token] for row, token in zip(rows[kept].tolist(), tokens[kept].tolist())]
        sums = best[kept]
        # A sum only falls as a reply grows: is there a beam that can still overtake, were it closed at its longest for free?
        if not replies or len(done) == width and done[-1].score >= float(sums.max()) / max_tokens**length_penalty:
            return done
        beams.extend(rows[kept], tokens[kept])
    cut = [_candidate(tokens, total, length_penalty, False) for tokens, total in zip(replies, sums.tolist())]
    return (done + sorted(cut, key=_score, reverse=True))[:width]


def rerank(candidates: Sequence[Candidate], prior: Sequence[float], strength: float = 0.5) -> list[Candidate]:
    """Return candidates ordered by log p(reply | context) − ``strength`` · log p(reply), the best first (Li et al. 2015).

    ``prior`` holds log p(reply) of each candidate: how likely it is after any context. ``strength`` 0 leaves the
    order of the log probabilities. Raises ValueError when there is not one number for each candidate.
    """
    if len(candidates) != len(prior):
        raise ValueError(f"give log p(reply) for each of the {len(candidates)} candidates; got {len(prior)} numbers")
    scored = [
        candidate._replace(score=candidate.log_probability - strength * float(log_p))
        for candidate, log_p in zip(candidates, prior)
    ]
    return sorted(scored, key=_score, reverse=True)


def _candidate(tokens: list[int], total: float, length_penalty: float, finished: bool) -> Candidate:
    return Candidate(tokens, total, total / (len(tokens) + finished) ** length_penalty, finished)


def _score(candidate: Candidate) -> float:
    return candidate.score


class _Beams:
    """What a model expects after several texts at once, which grow by a token each."""

    def __init__(self, model, ids: Sequence[int]):
        self.model, self.device = model, device_of(model)
        self.ids = torch.tensor([list(ids)])  # [beams, tokens so far]
        self.unread, self.state = self.ids, None

    def log_probabilities(self) -> torch.Tensor:
        """Return those of the next token, float64 [beams, V]."""
        with evaluating(self.model):
            logits, self.state = self.model(self.unread.to(self.device), self.state)
        return logits[:, -1].cpu().double().log_softmax(-1)

    def extend(self, rows: torch.Tensor, tokens: torch.Tensor) -> None:
        """Go on with some of the texts, perhaps one several times, each with a new token."""
        self.ids = torch.cat([self.ids[rows], tokens[:, None]], dim=1)
        if hasattr(self.model, "select_rows"):
            self.unread, self.state = tokens[:, None], self.model.select_rows(self.state, rows.to(self.device))
        else:
            self.unread, self.state = self.ids, None
