"""The evaluator: what it sees is computed right, it passes its tests on people, and it is refused where it does not."""

import numpy as np
import pytest
import torch

from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.evaluation.gan_monitor import last_logits
from helpers.evaluation.human_or_bot_classifier import (
    LIKELIHOOD_FEATURES,
    Evaluator,
    ReplyFeatures,
    SanityCheck,
    adversarial_success,
    likelihood_features,
    random_words,
    sanity_check,
)
from helpers.models.discriminators import LikelihoodRatioDiscriminator
from tests.evaluation.small_language import TOKENIZER, bot, gpt, pairs

# --- what it sees ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [bot, gpt])
def test_likelihood_features_by_hand(make):
    model, pair = make(), pairs(1)[0]
    if make is bot:
        logits = model.read(batch_of([pair], TOKENIZER.pad))[0]
    else:
        ids = torch.tensor([[*pair.context, *pair.reply]])
        logits = model(ids[:, :-1])[0][0, len(pair.context) :]
    log_p = logits.detach().double().log_softmax(-1)
    said = torch.tensor(pair.reply[1:])
    nats = -log_p[torch.arange(len(said)), said]
    entropy = -(log_p.exp() * log_p).sum(-1)
    rank = torch.tensor([(row > row[token]).sum().item() for row, token in zip(log_p, said)]).double()
    expected = [nats.mean(), nats.max(), nats.min(), nats.std(correction=0), (nats - entropy).mean()]
    expected += [rank.log1p().mean(), nats[0], nats[-1]]
    assert len(expected) == len(LIKELIHOOD_FEATURES)
    assert likelihood_features(model, [pair], TOKENIZER.pad)[0] == pytest.approx(np.array(expected), abs=1e-4)


@pytest.mark.parametrize("make", [bot, gpt])
def test_features_of_many_are_those_of_each_alone(make):
    model = make()
    many = [*pairs(70), Pair([TOKENIZER.end], pairs(1)[0].reply[:3]), Pair([7] * 50, pairs(2)[1].reply)]
    together = likelihood_features(model, many, TOKENIZER.pad)
    for row in (0, 33, 70, 71):
        assert together[row] == pytest.approx(likelihood_features(model, [many[row]], TOKENIZER.pad)[0], abs=1e-4)


def test_with_fewer_readers_it_keeps_the_lengths_and_the_features_of_those(evaluator):
    seen = evaluator.featurize(pairs(8))
    for number in (0, 1):
        alone = Evaluator([evaluator.readers[number]], TOKENIZER).featurize(pairs(8))
        assert np.array_equal(seen.of_readers([number]).features, alone.features) and alone.texts == seen.texts
    assert np.array_equal(seen.of_readers([0, 1]).features, seen.features)
    assert seen.of_readers([]).features.shape == (8, 2)


# --- its tests, and its verdict ----------------------------------------------------------------------------------------


def test_it_cannot_tell_people_from_people_and_tells_them_from_random_words(evaluator):
    found = sanity_check(evaluator, pairs(240))
    assert found.passed and 0.45 <= found.same <= 0.55 and found.random >= 0.95
    assert "may be asked" in str(found)


def test_success_is_half_for_people_and_nothing_for_a_bot_that_has_one_sentence(evaluator):
    human, tested = evaluator.featurize(pairs(240)), SanityCheck(0.5, 1.0)
    others = evaluator.featurize(pairs(240, seed=1))
    assert adversarial_success(evaluator, human, others, tested) == pytest.approx(0.5, abs=0.12)
    dull = evaluator.featurize([Pair(pair.context, pairs(1)[0].reply) for pair in pairs(240)])
    assert adversarial_success(evaluator, human, dull, tested) < 0.1


def test_log_odds_are_those_that_a_person_wrote_each_of_other_replies(evaluator):
    human, other = (evaluator.featurize(pairs(120, seed=seed)) for seed in (0, 1))
    noise, other_noise = (
        evaluator.featurize(random_words(TOKENIZER, pairs(120, seed=seed), np.random.default_rng(seed)))
        for seed in (0, 1)
    )
    score = evaluator.log_odds(human, noise)
    assert (score(other) > 0).mean() > 0.9 and (score(other_noise) < 0).mean() > 0.9
    assert score(other.part([5, 3])).tolist() == pytest.approx(score(other)[[5, 3]].tolist())


def test_too_few_replies_for_its_tests_are_refused(evaluator):
    with pytest.raises(ValueError, match="79 replies of people are too few to test an evaluator: give 80 or more"):
        sanity_check(evaluator, pairs(79))


class Blind(Evaluator):
    """Sees nothing: every reply looks alike."""

    def featurize(self, pairs):
        return ReplyFeatures(["a a"] * len(pairs), np.zeros((len(pairs), 1)))


def test_an_evaluator_that_sees_nothing_is_not_asked():
    blind = Blind([], TOKENIZER)
    found = sanity_check(blind, pairs(120))
    assert not found.passed and found.random == pytest.approx(0.5)
    human = blind.featurize(pairs(120))
    with pytest.raises(ValueError, match="says nothing about a bot: .*must not be asked"):
        adversarial_success(blind, human, human, found)


@pytest.mark.parametrize(
    ("same", "random", "passed"),
    [(0.5, 0.95, True), (0.45, 1, True), (0.44, 1, False), (0.56, 1, False), (0.5, 0.94, False)],
)
def test_both_tests_count(same, random, passed):
    assert SanityCheck(same, random).passed is passed


def test_the_contexts_of_the_test_are_not_learned_from(evaluator):
    """Replies that differ in the second half only cannot be told by who learned from the first."""
    human = evaluator.featurize(pairs(200))
    half = evaluator.featurize(
        [*pairs(200)[:100], *[Pair(pair.context, pairs(1)[0].reply) for pair in pairs(200)[100:]]]
    )
    assert evaluator.accuracy(human, half) == pytest.approx(0.5, abs=0.2)


def test_random_words_keep_length_speaker_and_end(evaluator):
    before = pairs(20)
    for pair, other in zip(before, random_words(TOKENIZER, before, np.random.default_rng(0))):
        assert len(other.reply) == len(pair.reply) and other.context == pair.context
        assert (other.reply[0], other.reply[-1]) == (pair.reply[0], pair.reply[-1])
        assert not {TOKENIZER.pad, TOKENIZER.end, TOKENIZER.speaker("A"), TOKENIZER.speaker("B")} & set(
            other.reply[1:-1]
        )


def test_unequal_or_few_replies_are_refused(evaluator):
    few = evaluator.featurize(pairs(30))
    with pytest.raises(ValueError, match="give equally many, 40 or more"):
        evaluator.accuracy(few, few)


# --- the judge that no training makes ----------------------------------------------------------------------------------


def test_the_ratio_judge_adds_up_what_a_reader_finds_likelier():
    writer, reader = bot(), gpt()
    batch = batch_of([*pairs(3), Pair([TOKENIZER.end], pairs(1)[0].reply[:4])], TOKENIZER.pad)
    judge = LikelihoodRatioDiscriminator(writer, reader)
    logits, values = judge.score(batch)
    for row, pair in enumerate([*pairs(3), Pair([TOKENIZER.end], pairs(1)[0].reply[:4])]):
        ids = torch.tensor([[*pair.context, *pair.reply]])
        said = ids[:, len(pair.context) + 1 :, None]
        people = reader(ids[:, :-1])[0][:, len(pair.context) :].log_softmax(-1).gather(-1, said)
        machine = writer.read(batch_of([pair], TOKENIZER.pad)).log_softmax(-1).gather(-1, said)
        expected = (people - machine)[0, :, 0].cumsum(0)
        assert torch.allclose(logits[row, : len(expected)], expected, atol=1e-4)
    assert not logits.requires_grad and values.requires_grad
    assert not any(name.startswith("both") for name, _ in judge.named_parameters())
    assert last_logits(judge, batch).shape == (4,)
