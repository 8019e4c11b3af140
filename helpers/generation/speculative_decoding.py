"""Speculative decoding: a cheap draft proposes several tokens, the model checks them all in one call (built in notebook 12).

Leviathan, Kalman & Matias (2022), arXiv 2211.17192. What comes out is what the model alone would have written: greedily the
same tokens, sampled the same distribution. A bad draft only makes it slower.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from helpers.generation.sampling import distribution
from helpers.models.utils import device_of, evaluating


@dataclass
class Counts:
    """What ``speculative_generate`` counts while it runs."""

    target_calls: int = 0  # of the model
    proposed: int = 0  # tokens by the draft, each a call of it
    accepted: int = 0  # of these
    rejected: int = 0  # at most one a call: what was proposed after it is not looked at
    tokens: int = 0  # yielded

    @property
    def acceptance_rate(self) -> float:
        """α of the paper: the share of the proposed tokens looked at that were accepted; no number before the first."""
        return self.accepted / seen if (seen := self.accepted + self.rejected) else float("nan")

    @property
    def calls_per_token(self) -> float:
        """How often the model was called for a token; 1 without a draft, and no number before the first token."""
        return self.target_calls / self.tokens if self.tokens else float("nan")


def residual(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Return (p − q)₊ scaled to sum to 1: what a rejected token is replaced from; p, the model's, and q, the draft's, are [V].

    The draft has already proposed where q is large. Sampling from p here would count that probability twice. Where p = q
    nothing is ever rejected; then p is returned.
    """
    rest = (p - q).clamp(min=0)
    total = rest.sum()
    return rest / total if total > 0 else p


def accept(p: torch.Tensor, q: torch.Tensor, proposed: Sequence[int], rng: torch.Generator) -> list[int]:
    """Return the first of the ``proposed`` tokens that stay, and one token more: 1 to K + 1 tokens.

    ``proposed`` are K tokens, the k-th sampled from the draft's probabilities ``q[k]``; q is [K, V]. ``p`` [K + 1, V] are the
    model's probabilities at the same positions and at the one after them. Token x stays with probability min(1, p(x) / q(x));
    the first one that does not is replaced by a sample from ``residual`` and ends the list. If all stay, a sample of the last
    row of p follows. Each token is then distributed as p says (theorem in appendix A.1 of the paper). Raises ValueError when
    the shapes do not fit, or a proposed token has probability 0 under q: then it was not sampled from q.
    """
    if p.ndim != 2 or len(p) != len(proposed) + 1 or q.shape != p[:-1].shape:
        raise ValueError(
            f"p {list(p.shape)}, q {list(q.shape)} and {len(proposed)} proposed tokens do not fit: give K + 1 rows of p for K "
            "rows of q and K tokens"
        )
    for number, token in enumerate(proposed):
        ours, its = p[number, token].item(), q[number, token].item()
        if not its > 0:
            raise ValueError(
                f"token {token} has probability {its} under the draft's q: it cannot have been sampled from it"
            )
        if torch.rand((), generator=rng).item() * its >= ours:
            return [*proposed[:number], _sample(residual(p[number], q[number]), rng)]
    return [*proposed, _sample(p[-1], rng)]


@torch.no_grad()
def speculative_generate(
    model,
    draft,
    ids: Sequence[int],
    *,
    look_ahead: int = 4,
    max_tokens: int = 200,
    stop: Iterable[int] = (),
    forbidden: Iterable[int] = (),
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    counts: Counts | None = None,
) -> Iterator[int]:
    """Yield the tokens that ``helpers.generation.sampling.generate(model, ids, …)`` yields, or others of the same distribution.

    ``draft`` is any language model with the model's vocabulary, asked for ``look_ahead`` tokens at a time; the settings are
    those of ``generate``. At temperature 0 the tokens are the same, one by one. Otherwise the same seed gives other tokens
    than there, each with the same probability. ``model`` must keep a state that can be cut (``GPT``, ``OnnxGPT``), or none.
    ``counts`` is filled in on the way. Raises ValueError when ``ids`` is empty, ``look_ahead`` is below 1, the vocabularies
    differ or the state cannot be cut, and for settings as ``generate`` does.
    """
    if not len(ids):
        raise ValueError("there is nothing to go on from: give one token at least, such as the tokenizer's <end>")
    if look_ahead < 1:
        raise ValueError(f"look_ahead is {look_ahead}: the draft must propose 1 token or more, usually 2 to 8")
    if len(sizes := {_vocabulary(each) for each in (model, draft)} - {None}) > 1:
        raise ValueError(
            f"model and draft know {' and '.join(f'{size:,}' for size in sorted(sizes))} tokens: give one vocabulary"
        )
    rng, counts, left = torch.Generator(), Counts() if counts is None else counts, max_tokens
    rng.manual_seed(seed) if seed is not None else rng.seed()
    barred, stop = torch.tensor(sorted(set(forbidden)), dtype=torch.int64), set(stop)

    def probabilities(logits: torch.Tensor) -> torch.Tensor:
        return distribution(logits.float().cpu().index_fill(-1, barred, float("-inf")), temperature, top_k, top_p)

    text, target, proposer = list(ids), _Target(model), _Draft(draft)
    while left > 0:
        number = min(look_ahead, left - 1, target.room(text))
        proposed, q = proposer.propose(text, number, probabilities, rng)
        p = probabilities(target.read(text, proposed))
        tokens = accept(p, q if len(q) else p[:0], proposed, rng)
        counts.target_calls, counts.proposed = counts.target_calls + 1, counts.proposed + len(proposed)
        counts.accepted, counts.rejected = (
            counts.accepted + len(tokens) - 1,
            counts.rejected + (len(tokens) <= len(proposed)),
        )
        text += tokens
        target.keep(text, len(text) - 1)  # the last one is not read yet
        proposer.keep(len(text) - 1)
        for token in tokens:
            if token in stop:
                return
            counts.tokens, left = counts.tokens + 1, left - 1
            yield token


class _Target:
    """Reads a text and the tokens proposed after it with the model, and forgets those that were rejected."""

    def __init__(self, model):
        self.model, self.limit, self.device = model, getattr(model, "context", None), device_of(model)
        self.state, self.begin, self.length = None, 0, 0  # of the text it has read begin … length

    def room(self, text: list[int]) -> int:
        """Return how many tokens can be read after ``text``; a full context begins anew, as it does in ``generate``."""
        if self.limit is None:
            return len(text) + 1_000_000
        if len(text) - self.begin > self.limit:
            self.begin, self.state = len(text) - max(1, self.limit // 2), None
        return self.limit - (len(text) - self.begin)

    def read(self, text: list[int], proposed: list[int]) -> torch.Tensor:
        """Return the logits [K + 1, V] after ``text`` and after each of the K proposed tokens."""
        unread = text[self.begin if self.state is None else self.length :] + proposed
        with evaluating(self.model):
            logits, self.state = self.model(torch.tensor([unread], device=self.device), self.state)
        if self.state is not None and not hasattr(self.state, "cut"):
            raise ValueError(
                f"the state of {type(self.model).__name__} cannot be cut: rejected tokens would stay in it. Take a GPT"
            )
        return logits[0, len(unread) - len(proposed) - 1 :]

    def keep(self, text: list[int], length: int) -> None:
        """Keep what was read of the first ``length`` tokens of ``text``."""
        self.length = length
        if self.state is not None:
            self.state = self.state.cut(length - self.begin, torch.tensor([text[length - 1]], device=self.device))


class _Draft:
    """Proposes tokens one by one, and remembers its state after each: no state is ever changed, so an old one can go on."""

    def __init__(self, model):
        self.model, self.limit, self.device = model, getattr(model, "context", None), device_of(model)
        self.states, self.begin = {}, 0  # length of the text that was read -> state
        self.order = getattr(model, "order", None)  # counts look at the last order - 1 tokens alone: why read the others?

    def propose(self, text: list[int], number: int, probabilities, rng) -> tuple[list[int], torch.Tensor]:
        """Return ``number`` tokens that may follow ``text``, and the probabilities q [number, V] they were sampled from."""
        proposed, rows = [], []
        if self.order is not None and not self.states:
            self.begin = max(0, len(text) - max(1, self.order - 1))
        if self.limit is not None:  # of a long text it reads the end, with room for what it proposes
            number = min(number, self.limit)
            if len(text) - self.begin + number - 1 > self.limit:
                self.begin, self.states = len(text) - max(1, min(self.limit // 2, self.limit - number + 1)), {}
        for _ in range(number):
            whole = text + proposed
            read = max(self.states, default=self.begin)
            with evaluating(self.model):
                logits, state = self.model(torch.tensor([whole[read:]], device=self.device), self.states.get(read))
            if state is not None:
                self.states[len(whole)] = state
            rows.append(probabilities(logits[0, -1]))
            proposed.append(_sample(rows[-1], rng))
        return proposed, torch.stack(rows) if rows else torch.empty(0)

    def keep(self, length: int) -> None:
        """Keep the states after at most ``length`` tokens: what was read beyond was rejected."""
        newest = max((read for read in self.states if read <= length), default=None)
        self.states = {} if newest is None else {newest: self.states[newest]}


def _vocabulary(model) -> int | None:
    """Return how many tokens a model knows, if it says so."""
    config = getattr(model, "config", None)
    return getattr(model, "vocab_size", config.get("vocab_size") if isinstance(config, dict) else None)


def _sample(probabilities: torch.Tensor, rng: torch.Generator) -> int:
    return int(torch.multinomial(probabilities, 1, generator=rng))


# --- what it can save, on paper ----------------------------------------------------------------------------------------


def expected_tokens(acceptance: float, look_ahead: int) -> float:
    """Return the mean number of tokens per call of the model, (1 − α^(γ + 1)) / (1 − α), equation 1 of the paper.

    α is the ``acceptance`` of a single token, taken to be the same everywhere, γ the ``look_ahead``. Raises ValueError for an
    acceptance outside 0 to 1 or a look_ahead below 1.
    """
    if not 0 <= acceptance <= 1 or look_ahead < 1:
        raise ValueError(
            f"acceptance {acceptance} and look_ahead {look_ahead}: give a share from 0 to 1, and 1 token or more"
        )
    return sum(acceptance**number for number in range(look_ahead + 1))


def speedup(acceptance: float, look_ahead: int, cost: float, check: float = 1.0) -> float:
    """Return how many times as fast it is as the model alone: ``expected_tokens`` / (γ · cost + check), theorem 3.8.

    ``cost`` is the time of a call of the draft, ``check`` that of a call of the model with γ + 1 tokens, both in calls of the
    model with one token. The paper takes ``check`` to be 1: a large accelerator waits for its memory, so more tokens cost it no
    more. Raises ValueError as ``expected_tokens`` does, and for a time below 0.
    """
    if cost < 0 or check <= 0:
        raise ValueError(f"cost {cost} and check {check}: give times of 0 or more, and above 0")
    return expected_tokens(acceptance, look_ahead) / (look_ahead * cost + check)
