"""Policy gradient on whole replies, with a leash: RLHF in one file (built in notebook 09).

The REINFORCE of notebook 08 again, on a GPT: it says replies, a reward model scores them, and every token is made likelier or
less likely by what came of it. What is new is the leash, a price on moving away from the model it came from (Jaques et al.
2017; Ziegler et al. 2019; Stiennon et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from ..corpus.conversations import Conversation
from ..corpus.pairs import IGNORED, Pair
from ..models.modes import device_of, evaluating
from ..models.reward import RewardModel
from .policy import (
    discounted,
    kl_penalised_rewards,
    reinforce_loss,
    token_log_probabilities,
    whitened,
)


def contexts(
    conversations: Iterable[Conversation], tokenizer, turns: int = 3, most: int = 64, seed: int = 0
) -> list[list[int]]:
    """Return what may come before a reply: ``<end>``, up to ``turns`` whole turns, and the next speaker's token.

    One for each turn but the first of every conversation, with 1 to ``turns`` turns by lot; those longer than ``most`` tokens
    are left out. Raises ValueError when none is left.
    """
    random, made = np.random.default_rng(seed), []
    for talk in conversations:
        said = [[tokenizer.speaker(turn.speaker), *tokenizer.encode(turn.text)] for turn in talk.turns]
        for place in range(1, len(said)):
            before = said[max(0, place - int(random.integers(1, turns + 1))) : place]
            row = [tokenizer.end, *(token for turn in before for token in turn), said[place][0]]
            made += [row] * (len(row) <= most)
    if not made:
        raise ValueError(
            f"no context of at most {most} tokens was found: give more conversations, or allow more tokens"
        )
    return made


class ContextBatch(NamedTuple):
    """Contexts side by side, padded at their *beginning*, each ending with the token of the one who speaks next."""

    ids: torch.Tensor  # [B, S] int64
    padding: torch.Tensor  # [B] int64: how much of each row is padding
    targets: torch.Tensor  # [B] int64: the contexts' numbers; ``fit`` counts them
    first: bool = True


class ContextBatches:
    """Contexts (sequences of token numbers) in batches, each ``replies`` times in a row, in another order in each pass.

    ``batches[t]`` is the same for every t whenever it is asked for. Raises ValueError for an empty context.
    """

    def __init__(
        self, contexts: Sequence[Sequence[int]], batch_size: int, replies: int = 1, seed: int = 0, *, pad: int
    ):
        if batch_size < 1 or replies < 1 or not len(contexts) or not all(map(len, contexts)):
            raise ValueError("give contexts of one token at least, a batch_size and a number of replies from 1 on")
        self.contexts, self.batch_size, self.replies = contexts, min(batch_size, len(contexts)), replies
        self.seed, self.pad = seed, pad

    def __len__(self) -> int:
        """How many batches make one pass; what does not fill one is left for the next order."""
        return len(self.contexts) // self.batch_size

    def __getitem__(self, number: int) -> ContextBatch:
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        turn, place = divmod(number, len(self))
        order = np.random.default_rng([self.seed, turn]).permutation(len(self.contexts))
        rows = order[place * self.batch_size : (place + 1) * self.batch_size]
        return self.of([self.contexts[row] for row in rows], self.replies, self.pad)

    @staticmethod
    def of(contexts: Sequence[Sequence[int]], replies: int = 1, pad: int = 0) -> ContextBatch:
        """Return these contexts as one batch, in this order, each ``replies`` times in a row."""
        longest = max(map(len, contexts))
        ids = torch.full((len(contexts), longest), pad)
        for line, row in zip(ids, contexts):
            line[longest - len(row) :] = torch.as_tensor(np.asarray(row), dtype=torch.long)
        padding, numbers = torch.tensor([longest - len(row) for row in contexts]), torch.arange(len(contexts))
        return ContextBatch(*(part.repeat_interleave(replies, 0) for part in (ids, padding, numbers)))


def marks_of(tokenizer) -> dict:
    """Return the numbers that ``roll_out`` and `PolicyGradient` need: where replies end, and what a bot never says."""
    from ..models.encoder_decoder import marks

    return {**marks(tokenizer), "forbidden": () if tokenizer.unknown is None else (tokenizer.unknown,)}


class Rollout(NamedTuple):
    """Replies that a model has drawn, B side by side, after contexts of S tokens, with at most T tokens each."""

    ids: torch.Tensor  # [B, S + T + 1]: context, reply, the partner's token; padded at both ends
    padding: torch.Tensor  # [B]: how much at the beginning
    targets: torch.Tensor  # [B, S + T − 1]: each token that was drawn, at the place before it; −100 elsewhere
    last: torch.Tensor  # [B]: the place of the partner's token, where a reward model reads
    start: int  # S − 1: from this place on there are targets

    def pairs(self) -> list[Pair]:
        """Return contexts and replies as lists, each reply with the token it ended with, or not finished."""
        rows = zip(self.ids.tolist(), self.padding.tolist(), self.targets[:, self.start :].tolist())
        return [Pair(row[skip : self.start], [row[self.start], *(token for token in said if token != IGNORED)])
                for row, skip, said in rows]  # fmt: skip


@torch.no_grad()
def roll_out(
    model,
    batch: ContextBatch,
    max_tokens: int = 32,
    *,
    speakers,
    pad: int,
    end: int,
    forbidden: Sequence[int] = (),
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Rollout:
    """Draw a reply to each context, without dropout, all on the model's device; ``generator`` lives there, too.

    ``model`` is a GPT. A reply has one token of text at least, and ends with a speaker's token, ``<end>``, or after
    ``max_tokens``. Padding and ``forbidden`` tokens are never drawn.
    """
    if max_tokens < 1 or not temperature > 0:
        raise ValueError(f"max_tokens={max_tokens} and temperature={temperature}: give at least 1, and more than 0")
    device = device_of(model)
    ids, padding = batch.ids.to(device), batch.padding.to(device)
    stops = torch.tensor([*speakers, end], device=device)
    silent = torch.tensor(sorted({pad, *forbidden}), device=device)
    going, read, state, drawn = torch.ones(len(ids), dtype=torch.bool, device=device), ids, None, []
    with evaluating(model):
        for number in range(max_tokens):
            logits, state = model(read, state, padding)
            scores = logits[:, -1].float().index_fill(-1, silent, float("-inf"))
            if number == 0:
                scores = scores.index_fill(-1, stops, float("-inf"))
            token = torch.multinomial((scores / temperature).softmax(-1), 1, generator=generator)[:, 0]
            drawn.append(token.where(going, IGNORED))
            going = going & ~torch.isin(token, stops)
            if number % 8 == 7 and not going.any():  # asking a GPU costs more than a token or two too many
                break
            read = token[:, None]
    return _rollout(ids, padding, torch.stack(drawn, dim=1), speakers, stops, pad)


def _rollout(ids, padding, drawn, speakers, stops, pad: int) -> Rollout:
    """Put contexts and what was drawn side by side; the partner's token stands where the text ends."""
    text = (drawn != IGNORED) & ~torch.isin(drawn, stops)
    last = ids.shape[1] + text.sum(1)
    partner = torch.where(ids[:, -1] == speakers[0], speakers[1], speakers[0])
    said = torch.cat((ids, drawn.where(text, pad), torch.full_like(ids[:, :1], pad)), dim=1)
    said = said.scatter(1, last[:, None], partner[:, None])
    targets = torch.cat((torch.full_like(ids[:, 1:], IGNORED), drawn), dim=1)
    return Rollout(said, padding, targets, last, ids.shape[1] - 1)


def scored_by(reward: RewardModel) -> Callable[[Rollout], torch.Tensor]:
    """Return a function that gives the scores [B] of a Rollout: the reward model without dropout and without gradient."""

    @torch.no_grad()
    def score(said: Rollout) -> torch.Tensor:
        with evaluating(reward):
            return reward(said.ids, said.last, said.padding)

    return score


class PolicyGradient:
    """The loss of RLHF for ``fit`` on `ContextBatches`: say replies, have them scored, follow REINFORCE with a leash.

    ``reward`` gives scores [B] of a Rollout, ``reference`` is the model it all began with (it is not changed), ``beta`` the
    price of a nat of distance from it: 0 takes the leash off. ``replies`` is how many replies in a row answer the same
    context: the mean of the others is each one's baseline (Ahmadian et al. 2024). ``marks`` are those of ``roll_out``.

    ``records`` has a dict for each step: score, distance from the reference ("kl", nats a reply, measured on what was
    drawn), tokens a reply, share of replies with a token of ``watched``. Give ``loss.watch`` to fit as a callback: when a
    score is no number the training ends, says where, and the model keeps the weights from before that step.
    """

    def __init__(
        self,
        reward: Callable[[Rollout], torch.Tensor],
        reference,
        beta: float = 0.05,
        replies: int = 4,
        max_tokens: int = 32,
        watched: Sequence[int] = (),
        seed: int = 0,
        **marks,
    ):
        if not beta >= 0 or replies < 1:
            raise ValueError(f"beta={beta} and replies={replies}: give 0 or more, and at least 1")
        self.reward, self.reference, self.beta, self.replies = reward, reference, beta, replies
        self.max_tokens, self.watched, self.marks = max_tokens, list(watched), marks
        self.dice = torch.Generator(device_of(reference)).manual_seed(seed)
        self.records, self.wrong = [], ""

    def __call__(self, model, batch: ContextBatch) -> torch.Tensor:
        said = roll_out(model, batch, self.max_tokens, generator=self.dice, **self.marks)
        scores = self.reward(said).float()
        now, counted = self._log_probabilities(model, said)
        bad = (~torch.isfinite(scores)).nonzero()
        if len(bad):
            place = int(bad[0])
            self.wrong = f"the reward of reply {place} was {scores[place].item()}"
            return now.sum() * float("nan")  # fit makes no step on it
        with torch.no_grad():
            before, _ = self._log_probabilities(self.reference, said)
        earned = kl_penalised_rewards(scores - self._baseline(scores), now.detach(), before, self.beta, counted)
        self._note(scores, now.detach() - before, counted, said)
        return reinforce_loss(now, whitened(discounted(earned, counted), counted), counted)

    def _log_probabilities(self, model, said: Rollout) -> tuple[torch.Tensor, torch.Tensor]:
        with evaluating(model):  # the policy that spoke had no dropout
            logits, _ = model(said.ids[:, :-2], None, said.padding)
        return token_log_probabilities(logits[:, said.start :], said.targets[:, said.start :])

    def _baseline(self, scores: torch.Tensor) -> torch.Tensor:
        """Return for each reply the mean score of the others to the same context; 0 where there are none."""
        if self.replies == 1:
            return torch.zeros_like(scores)
        groups = scores.view(-1, self.replies)
        return ((groups.sum(1, keepdim=True) - groups) / (self.replies - 1)).view(-1)

    def _note(self, scores, moved, counted, said: Rollout) -> None:
        watched = torch.isin(said.targets, torch.tensor(self.watched, device=scores.device)).any(1)
        lengths = counted.sum(1).float()
        values = torch.stack((scores.mean(), moved.sum(1).mean(), lengths.mean(), watched.float().mean()))
        self.records.append(dict(zip(("score", "kl", "tokens", "watched"), values.tolist())))

    def watch(self, history, model) -> None:
        """As a callback of ``fit``: say in the history which reward ended the training."""
        if self.wrong and history.stopped:
            history.stopped = (
                f"Stopped at step {history.steps:,}: {self.wrong}. The model keeps the weights from before it."
            )
