"""Judges without people: their scores equal the models', votes follow from scores, biases from votes."""

import math

import numpy as np
import pytest
import torch

from helpers.bots import checkpoints, judges, reward_models
from helpers.bots.bot import Bot
from helpers.corpus.batches.base import Pair
from helpers.evaluation.comparisons import Vote
from helpers.io import write_rows
from tests import factories

CONTEXTS = [["the soup is fine"], ["my dog ate it", "the rain", "i like it"], ["the dog"]]
REPLIES = ["i like the rain", "it is fine", "no"]


def test_nats_are_those_of_the_reply_and_of_its_end(bot):
    nats, tokens = judges.reply_nats(bot, CONTEXTS, REPLIES)
    for context, reply, found, number in zip(CONTEXTS, REPLIES, nats, tokens):
        ids, written = bot.prompt(context), bot.tokenizer.encode(reply)
        with torch.no_grad():
            log_p = torch.log_softmax(bot.model(torch.tensor([[*ids, *written]]))[0][0].double(), -1)
        by_hand = sum(float(log_p[len(ids) - 1 + place, token]) for place, token in enumerate(written))
        ends = sorted(bot.sampling()["stop"])
        assert math.isclose(found, -by_hand - float(log_p[-1, ends].logsumexp(0)), rel_tol=1e-5)
        assert number == len(written) + 1
        each = judges.token_nats(bot.model.train(), ids, written, bot.sampling()["stop"])
        assert len(each) == number and math.isclose(float(each.sum()), found, rel_tol=1e-5) and bot.model.training
        assert math.isclose(float(each[0]), -float(log_p[len(ids) - 1, written[0]]), rel_tol=1e-5)
    assert np.allclose(judges.LikelihoodJudge(bot).score(CONTEXTS, REPLIES), -nats / tokens)
    assert len(judges.token_nats(bot.model, [2], [], {2})) == 1
    for prompt, ends in (([], {2}), ([2], set())):
        with pytest.raises(ValueError, match="a prompt of one token at least, and the tokens that end"):
            judges.token_nats(bot.model, prompt, [7], ends)
    with pytest.raises(ValueError, match="1 contexts and 3 replies"):
        judges.reply_nats(bot, CONTEXTS[:1], REPLIES)


@pytest.mark.parametrize("kind", factories.LANGUAGE_MODELS)
def test_every_kind_of_model_can_judge_and_its_neighbors_change_nothing(kind, tokenizer):
    bot = Bot(factories.language_model(kind, len(tokenizer)), tokenizer, kind, context=24)
    judge = judges.LikelihoodJudge(bot)
    together = judge.score(CONTEXTS, REPLIES)
    alone = [judge.score([context], [reply])[0] for context, reply in zip(CONTEXTS, REPLIES)]
    assert np.allclose(together, alone, rtol=1e-5) and (together < 0).all()


def test_of_a_long_context_what_fits_beside_the_reply_is_read(tokenizer):
    bot = Bot(
        factories.language_model("GPT", len(tokenizer)), tokenizer
    )  # it sees 32 tokens, of which a prompt gets 24
    context, reply = ["the soup is fine and the rain is fine"], "my dog ate it"
    (pair,) = judges.reply_pairs(bot, [context], [reply])
    assert len(pair.context) + len(pair.reply) == 31 and [*pair.context, pair.reply[0]] == bot.fitted(context)[0][-18:]
    assert np.isfinite(judges.LikelihoodJudge(bot).score([context], [reply])).all()


def test_the_likelier_reply_is_preferred():
    assert [judges.preferred(1.0, 2.0), judges.preferred(2.0, 1.0), judges.preferred(1.5, 1.5)] == [
        "left",
        "right",
        "tie",
    ]
    assert judges.preferred(1.0, 1.05, tie=0.1) == "tie"


def test_a_reward_model_judges_by_its_own_score(preference_course, monkeypatch):
    reward, bot = factories.random_reward_model(), checkpoints.load("gpt")
    monkeypatch.setattr(reward_models, "reward_model", lambda name: reward)
    judge = judges.RewardJudge("gold")
    scores = judge.score(CONTEXTS, REPLIES)
    for context, reply, score in zip(CONTEXTS, REPLIES, scores):
        *before, speaker = bot.prompt(context)
        (alone,) = reward.score([Pair(before, [speaker, *bot.tokenizer.encode(reply)])])
        assert math.isclose(score, float(alone), rel_tol=1e-4, abs_tol=1e-6)
    with pytest.raises(ValueError, match="reply 1 is empty"):
        judge.score(CONTEXTS[:2], ["no", ""])


SCORES = {"a": [1.0, 2.0, 3.0], "b": [0.0, 2.0, 4.0], "c": [2.0, 2.0, 2.0]}


def test_votes_follow_from_scores_and_equal_scores_are_no_vote():
    votes = judges.judge_votes(SCORES)
    assert [vote[:4] for vote in votes] == [
        (0, "a", "b", "left"), (0, "a", "c", "right"), (0, "b", "c", "right"),
        (2, "a", "b", "right"), (2, "a", "c", "left"), (2, "b", "c", "left"),
    ]  # fmt: skip
    assert judges.judge_votes(SCORES, ["c", "a"]) == [Vote(0, "c", "a", "left"), Vote(2, "c", "a", "right")]


def test_the_longer_reply_is_counted_where_there_is_one():
    votes = [Vote(0, "a", "b", "left"), Vote(1, "a", "b", "right"), Vote(2, "a", "b", "left"), Vote(0, "b", "a", "tie")]
    lengths = {"a": [5, 5, 1], "b": [2, 3, 1]}
    assert judges.longer_wins(votes, lengths) == 0.5
    assert judges.longer_wins([Vote(0, "b", "a", "right")], lengths) == 1.0
    with pytest.raises(ValueError, match="nothing to count"):
        judges.longer_wins(votes[2:], lengths)


def test_self_preference_is_what_is_left_when_quality_and_severity_are_taken_away():
    quality = np.array([100.0, 0.0, -100.0, 50.0])
    ratings = np.stack([quality, quality + 7, quality])  # the second judge is kinder to all
    found = judges.self_preference(ratings, ["a", "b", "other"], ["a", "b", "c", "d"])
    assert found == {"a": 0.0, "b": 0.0}
    ratings[1, 1] += 60
    found = judges.self_preference(ratings, ["a", "b", "other"], ["a", "b", "c", "d"])
    assert math.isclose(found["b"], 60) and math.isclose(found["a"], 10)  # b's vanity is in what a is compared with
    with pytest.raises(ValueError, match="two of each at least"):
        judges.self_preference(ratings[:1], ["a"], ["a", "b", "c", "d"])


def test_stored_scores_are_read_by_judge_and_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(judges, "data_path", tmp_path.joinpath)
    rows = [
        {"prompt": prompt, "seed": seed, "contestant": name, "words": 3 + prompt, "gpt": value + prompt, "gold": value}
        for name, seed, value in (("people", None, 9.0), ("rnn", 0, 1.0), ("rnn", 1, 2.0))
        for prompt in (1, 0)
    ]
    write_rows(tmp_path / "arena_scores.csv", judges.SCORE_COLUMNS, rows)
    scores = judges.read_scores("gpt", 1)
    assert {name: values.tolist() for name, values in scores.items()} == {"people": [-9.0, -10.0], "rnn": [-2.0, -3.0]}
    assert judges.read_scores("gold", 1)["rnn"].tolist() == [
        2.0,
        2.0,
    ]  # nats are turned into scores, scores are left alone
    assert judges.read_lengths(0)["rnn"].tolist() == [3, 4]
    with pytest.raises(ValueError, match="no judge 'me'"):
        judges.read_scores("me")
    with pytest.raises(ValueError, match="no scores of seed 2"):
        judges.read_scores("gpt", 2)
