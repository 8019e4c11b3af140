"""Judges that need no person: what they prefer, and what each of them is biased to (notebook 15).

A judge scores one reply after its context, higher is better, and the better score wins a duel. So none of them can be
swayed by which reply stands on the left; a judge that reads both at once can (Zheng et al. 2023). What they are swayed by
is measured: by length (``longer_wins``) and by their own hand (``self_preference``).

The stored scores are ``data/arena_scores.csv`` (``python -m helpers experiments arena``): for a bot the mean nats per token.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers import data_path
from helpers.bots import checkpoints
from helpers.evaluation.comparisons import Vote
from helpers.io import read_rows

if TYPE_CHECKING:
    import torch

BOT_JUDGES = (
    "n-gram",
    "rnn",
    "seq2seq",
    "transformer",
    "gpt",
    "gpt-chat",
    "gan",
    "dpo",
)  # by the likelihood each gives
REWARD_JUDGES = ("gold", "proxy")  # the reward models of notebook 09
READER = "reader"  # the classifier of notebook 08: did a person write this?
JUDGES = (*BOT_JUDGES, *REWARD_JUDGES, READER)
SCORE_COLUMNS = ("prompt", "seed", "contestant", "words", "tokens", *JUDGES)


def reply_pairs(bot, contexts: Sequence[Sequence[str]], replies: Sequence[str]) -> list:
    """Return a Pair of token ids for each reply after its context, as ``bot`` reads them; what closes it is left out."""
    from helpers.corpus.batches.base import Pair

    if len(contexts) != len(replies):
        raise ValueError(f"{len(contexts)} contexts and {len(replies)} replies: give each reply its context")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a long context the bot reads the end, here as when it replies
        prompts = [bot.prompt(context) for context in contexts]
    pairs = [Pair(ids[:-1], [ids[-1], *bot.tokenizer.encode(reply)]) for ids, reply in zip(prompts, replies)]
    sees = getattr(bot.model, "context", None)
    if sees is None:
        return pairs
    return [Pair(pair.context[-max(1, sees - 1 - len(pair.reply)) :], pair.reply) for pair in pairs]  # both must fit


def reply_nats(bot, contexts: Sequence[Sequence[str]], replies: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return −log p(reply | context) under a bot, in nats, float64 [R], and how many tokens that is of, int [R].

    The tokens are those of the reply and one more, that it ends there: the other speaker's token, or any other that ends a
    turn (their probabilities are added). The bot's own speaker token is given, not predicted. ``contexts`` are lists of
    messages, one list per reply. Raises ValueError for no reply, and when there is not one context per reply.
    """
    from helpers.generation.scoring import reply_log_probabilities

    pairs = reply_pairs(bot, contexts, replies)
    log_p = reply_log_probabilities(bot.model, pairs, bot.tokenizer.pad, bot.sampling()["stop"], rows=32)
    return -log_p.double().numpy(), np.array([len(pair.reply) for pair in pairs])


def token_nats(model, prompt: Sequence[int], reply: Sequence[int], ends: set[int]) -> torch.Tensor:
    """Return −log p of each token of one reply, then of its end: in nats, float32 [R + 1] for a reply of R tokens.

    ``model`` is called as ``logits, state = model(ids)`` and reads ``prompt``, whose last token says who speaks, and ``reply``
    at once. The end is any of the tokens ``ends``: their probabilities are added. No gradient, evaluation mode. It is what
    ``reply_nats`` adds up. Raises ValueError for an empty prompt, or no ``ends``.
    """
    import torch

    from helpers.models.utils import device_of, evaluating

    if not len(prompt) or not ends:
        raise ValueError("give a prompt of one token at least, and the tokens that end a reply")
    with evaluating(model), torch.no_grad():
        logits, _ = model(torch.tensor([[*prompt, *reply]], device=device_of(model)))
    log_p = logits[0, len(prompt) - 1 :].float().log_softmax(-1).cpu()  # [R + 1, V]: what follows each token
    written = log_p[torch.arange(len(reply)), torch.tensor(list(reply), dtype=torch.int64)]
    return -torch.cat([written, log_p[-1, sorted(ends)].logsumexp(0)[None]])


def preferred(left: float, right: float, tie: float = 0.0) -> str:
    """Return which of two replies is likelier, by their mean nats per token: "left", "right", or "tie" within ``tie``."""
    if abs(left - right) <= tie:
        return "tie"
    return "left" if left < right else "right"


# --- the judges --------------------------------------------------------------------------------------------------------


class LikelihoodJudge:
    """Prefers the reply that a bot finds likelier, per token: ``score`` is minus the mean nats of ``reply_nats``."""

    def __init__(self, bot):
        self.bot, self.name = bot, bot.name

    def score(self, contexts: Sequence[Sequence[str]], replies: Sequence[str]) -> np.ndarray:
        """Return the score of each reply after its context, float64 [R]."""
        nats, tokens = reply_nats(self.bot, contexts, replies)
        return -nats / tokens


class RewardJudge:
    """Prefers the reply that a reward model of notebook 09, "gold" or "proxy", scores higher."""

    def __init__(self, name: str):
        from helpers.bots.reward_models import BASE, reward_model

        self.name, self.model, self.bot = name, reward_model(name), checkpoints.load(BASE)

    def score(self, contexts: Sequence[Sequence[str]], replies: Sequence[str]) -> np.ndarray:
        """Return the score of each reply after its context, float64 [R]. Raises ValueError for an empty reply."""
        return self.model.score(reply_pairs(self.bot, contexts, replies)).double().numpy()


# --- from scores to votes, and what they are biased to -----------------------------------------------------------------


def judge_votes(scores: Mapping[str, Sequence[float]], names: Sequence[str] | None = None) -> list[Vote]:
    """Return a vote on every pair of contestants for every prompt: the higher score wins; equal scores are left out.

    ``scores`` is {contestant: its score for each prompt}, as ``read_scores`` returns it; ``names`` are those that take
    part (default: all), in the order that says who is named first. Identical replies have equal scores.
    """
    names = list(scores if names is None else names)
    return [
        Vote(prompt, left, right, "left" if scores[left][prompt] > scores[right][prompt] else "right")
        for prompt in range(len(scores[names[0]]))
        for left, right in itertools.combinations(names, 2)
        if scores[left][prompt] != scores[right][prompt]
    ]


def longer_wins(votes: Sequence[Vote], lengths: Mapping[str, Sequence[int]]) -> float:
    """Return the share of the votes with a winner, and replies of unequal length, that the longer reply has won.

    ``lengths`` is {contestant: the words of its reply to each prompt}. Raises ValueError when there is no such vote.
    """
    won = [
        (lengths[vote.left][vote.prompt] > lengths[vote.right][vote.prompt]) == (vote.winner == "left")
        for vote in votes
        if vote.winner in ("left", "right") and lengths[vote.left][vote.prompt] != lengths[vote.right][vote.prompt]
    ]
    if not won:
        raise ValueError("no vote has a winner and replies of unequal length: there is nothing to count")
    return sum(won) / len(won)


def self_preference(ratings: np.ndarray, judges: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Return for each judge that is a contestant how much better it rates its own replies than the other judges do.

    ``ratings`` [J, N] are those of N contestants under J judges, in one unit. A judge's raw rating of itself says little:
    a good bot is rated well by all. So its rating by the other judges is taken away, and so is what the judge gives the
    other contestants above theirs. Raises ValueError for fewer than two judges or contestants.
    """
    ratings = np.asarray(ratings, dtype=float)
    if ratings.shape != (len(judges), len(names)) or min(ratings.shape) < 2:
        raise ValueError(f"give ratings [judges, contestants], two of each at least, not {ratings.shape}")
    result = {}
    for row, judge in enumerate(judges):
        if judge in names:
            above = ratings[row] - np.delete(ratings, row, axis=0).mean(0)  # than the other judges, for each contestant
            own = names.index(judge)
            result[judge] = float(above[own] - np.delete(above, own).mean())
    return result


# --- the stored scores -------------------------------------------------------------------------------------------------


def read_scores(judge: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Return {contestant: the judge's score of its reply to each prompt, float64 [P]}; higher is better.

    Raises ValueError for an unknown judge, or a seed without scores.
    """
    if judge not in JUDGES:
        raise ValueError(f"there is no judge {judge!r}; there are {', '.join(JUDGES)}")
    return {name: in_file(judge, values) for name, values in _column(judge, seed).items()}


def in_file(judge: str, score):
    """Turn a judge's score into what the file holds, or back: of a bot the mean nats per token, where less is better."""
    return -score if judge in BOT_JUDGES else score


def read_lengths(seed: int = 0) -> dict[str, np.ndarray]:
    """Return {contestant: the words of its reply to each prompt [P]}. Raises ValueError for a seed without scores."""
    return _column("words", seed)


def _column(column: str, seed: int) -> dict[str, np.ndarray]:
    found: dict[str, dict[int, float]] = {}
    rows = read_rows(data_path("arena_scores.csv"))
    if not any(row["seed"] == seed for row in rows):
        raise ValueError(f"there are no scores of seed {seed}: run python -m helpers experiments arena")
    for row in rows:
        if row["seed"] in (seed, None):  # those who are no bots say the same whatever the seed is
            found.setdefault(row["contestant"], {})[row["prompt"]] = row[column]
    return {name: np.array([values[prompt] for prompt in sorted(values)]) for name, values in found.items()}
