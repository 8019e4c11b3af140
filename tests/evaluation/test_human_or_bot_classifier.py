"""The evaluator: what it sees is computed right, it passes its tests on people, and it is refused where it does not."""

import random

import numpy as np
import pytest
import torch

from helpers.corpus.batches.context_reply_pairs import Pair, batch_of
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.evaluation.gan_monitor import ReplyWatch, last_verdicts
from helpers.evaluation.human_or_bot_classifier import (
    READINGS,
    Evaluator,
    Replies,
    Sanity,
    adversarial_success,
    random_words,
    readings,
    sanity,
)
from helpers.evaluation.quality_diversity import answered, quality_and_variety
from helpers.models.discriminators import Discriminator, LikelihoodRatioDiscriminator
from helpers.models.encoder_decoder import marks
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.seq2seq import Seq2Seq

WHO, DOES, WHAT = (
    "I we they you she he".split(),
    "like love want see eat hate".split(),
    "tea rain dogs cake jazz maps".split(),
)
TOKENIZER = CharTokenizer.train([" ".join([*WHO, *DOES, *WHAT]), "hello!?."] * 30, min_count=1)


def pairs(number, seed=0):
    """Return what people said: three words and a full stop each, every one to a context of its own."""
    dice = random.Random(seed)
    speaker, other = TOKENIZER.speaker("A"), TOKENIZER.speaker("B")
    made = []
    for _ in range(number):
        text = " ".join(dice.choice(words) for words in (WHO, DOES, WHAT)) + dice.choice(".!?")
        asked = [TOKENIZER.end, other, *TOKENIZER.encode(dice.choice(WHAT))]
        made.append(Pair(asked, [speaker, *TOKENIZER.encode(text), other]))
    return made


def bot(**changes):
    torch.manual_seed(0)
    return Seq2Seq(len(TOKENIZER), **{"width": 12, "embedding": 8, **marks(TOKENIZER), **changes}).eval()


def gpt():
    torch.manual_seed(0)
    made = GPT(GPTConfig.modern(len(TOKENIZER), width=16, layers=1, heads=2, context=64, pair_rows=0)).eval()
    for parameter in made.parameters():  # a fresh one adds nothing in its blocks: it would not look at the context
        parameter.data += 0.3 * torch.randn_like(parameter)
    return made


@pytest.fixture(scope="module")
def evaluator():
    return Evaluator([gpt(), bot()], TOKENIZER)


# --- what it sees ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [bot, gpt])
def test_readings_by_hand(make):
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
    assert len(expected) == len(READINGS)
    assert readings(model, [pair], TOKENIZER.pad)[0] == pytest.approx(np.array(expected), abs=1e-4)


@pytest.mark.parametrize("make", [bot, gpt])
def test_readings_of_many_are_those_of_each_alone(make):
    model = make()
    many = [*pairs(70), Pair([TOKENIZER.end], pairs(1)[0].reply[:3]), Pair([7] * 50, pairs(2)[1].reply)]
    together = readings(model, many, TOKENIZER.pad)
    for row in (0, 33, 70, 71):
        assert together[row] == pytest.approx(readings(model, [many[row]], TOKENIZER.pad)[0], abs=1e-4)


def test_with_fewer_eyes_it_sees_the_lengths_and_the_readings_of_those(evaluator):
    seen = evaluator.see(pairs(8))
    for number in (0, 1):
        alone = Evaluator([evaluator.readers[number]], TOKENIZER).see(pairs(8))
        assert np.array_equal(seen.seen_by([number]).features, alone.features) and alone.texts == seen.texts
    assert np.array_equal(seen.seen_by([0, 1]).features, seen.features)
    assert seen.seen_by([]).features.shape == (8, 2)


# --- its tests, and its verdict ----------------------------------------------------------------------------------------


def test_it_cannot_tell_people_from_people_and_tells_them_from_random_words(evaluator):
    found = sanity(evaluator, pairs(240))
    assert found.passed and 0.45 <= found.same <= 0.55 and found.random >= 0.95
    assert "may be asked" in str(found)


def test_success_is_half_for_people_and_nothing_for_a_bot_that_has_one_sentence(evaluator):
    human, tested = evaluator.see(pairs(240)), Sanity(0.5, 1.0)
    others = evaluator.see(pairs(240, seed=1))
    assert adversarial_success(evaluator, human, others, tested) == pytest.approx(0.5, abs=0.12)
    dull = evaluator.see([Pair(pair.context, pairs(1)[0].reply) for pair in pairs(240)])
    assert adversarial_success(evaluator, human, dull, tested) < 0.1


def test_too_few_replies_for_its_tests_are_refused(evaluator):
    with pytest.raises(ValueError, match="79 replies of people are too few to test an evaluator: give 80 or more"):
        sanity(evaluator, pairs(79))


class Blind(Evaluator):
    """Sees nothing: every reply looks alike."""

    def see(self, pairs):
        return Replies(["a a"] * len(pairs), np.zeros((len(pairs), 1)))


def test_an_evaluator_that_sees_nothing_is_not_asked():
    blind = Blind([], TOKENIZER)
    found = sanity(blind, pairs(120))
    assert not found.passed and found.random == pytest.approx(0.5)
    human = blind.see(pairs(120))
    with pytest.raises(ValueError, match="says nothing about a bot: .*must not be asked"):
        adversarial_success(blind, human, human, found)


@pytest.mark.parametrize(
    ("same", "random", "passed"), [(0.5, 0.95, True), (0.45, 1, True), (0.44, 1, False), (0.56, 1, False), (0.5, 0.94, False)]
)
def test_both_tests_count(same, random, passed):
    assert Sanity(same, random).passed is passed


def test_the_contexts_of_the_test_are_not_learned_from(evaluator):
    """Replies that differ in the second half only cannot be told by who learned from the first."""
    human = evaluator.see(pairs(200))
    half = evaluator.see([*pairs(200)[:100], *[Pair(pair.context, pairs(1)[0].reply) for pair in pairs(200)[100:]]])
    assert evaluator.accuracy(human, half) == pytest.approx(0.5, abs=0.2)


def test_random_words_keep_length_speaker_and_end(evaluator):
    before = pairs(20)
    for pair, other in zip(before, random_words(evaluator, before, np.random.default_rng(0))):
        assert len(other.reply) == len(pair.reply) and other.context == pair.context
        assert (other.reply[0], other.reply[-1]) == (pair.reply[0], pair.reply[-1])
        assert not {TOKENIZER.pad, TOKENIZER.end, TOKENIZER.speaker("A"), TOKENIZER.speaker("B")} & set(
            other.reply[1:-1]
        )


def test_unequal_or_few_replies_are_refused(evaluator):
    few = evaluator.see(pairs(30))
    with pytest.raises(ValueError, match="give equally many, 40 or more"):
        evaluator.accuracy(few, few)


# --- quality and variety -----------------------------------------------------------------------------------------------


def test_answers_keep_the_order_and_the_contexts():
    asked = [*pairs(6), Pair([TOKENIZER.end], [TOKENIZER.speaker("B"), 9, TOKENIZER.end])]
    made = answered(bot(), asked, TOKENIZER.pad, max_tokens=5)
    assert [pair.context for pair in made] == [pair.context for pair in asked]
    assert all(pair.reply[0] == other.reply[0] and 2 <= len(pair.reply) <= 6 for pair, other in zip(made, asked))
    assert made == answered(bot(), asked, TOKENIZER.pad, max_tokens=5)
    assert made != answered(bot(), asked, TOKENIZER.pad, max_tokens=5, seed=1)


def test_quality_is_the_mean_over_tokens_not_over_replies(evaluator):
    two = [pairs(1)[0], Pair(pairs(1)[0].context, pairs(1)[0].reply[:3])]
    found = quality_and_variety(evaluator, two)
    each = readings(evaluator.readers[0], two, TOKENIZER.pad)[:, 0]
    lengths = [len(pair.reply) - 1 for pair in two]
    assert found["nats"] == pytest.approx((each * lengths).sum() / sum(lengths))
    assert found["distinct-2"] is None and found["words"] == pytest.approx(2)
    same = quality_and_variety(evaluator, [pairs(1)[0]] * 400)
    assert same["self-bleu-2"] == pytest.approx(1) and same["distinct-2"] < 0.01


# --- the watch ---------------------------------------------------------------------------------------------------------


class Guess(Discriminator):
    """Takes for a person's what begins with ``mark``; its verdict at other tokens is wrong on purpose."""

    def score(self, batch):
        lengths = (batch.targets >= 0).sum(1)
        logits = torch.full(batch.targets.shape, 9.0)
        people = batch.targets[:, 1] == TOKENIZER.encode(" ")[0]
        logits[torch.arange(len(logits)), lengths - 1] = torch.where(people, 1.0, -1.0)
        return logits, logits


def test_the_watch_looks_at_the_last_verdict_of_people_and_bot():
    writer = bot()
    people = [pair for pair in pairs(200) if pair.reply[2] == TOKENIZER.encode(" ")[0]]
    watch = ReplyWatch(people, TOKENIZER, [[TOKENIZER.end, TOKENIZER.speaker("A")]], max_tokens=24, words=10)
    found = watch(writer, Guess(writer))
    assert 0.9 < found["accuracy"] <= 1 and len(found["replies"]) == 1
    assert found == watch(writer, Guess(writer)) and 0 < found["distinct-2"] <= 1
    assert found["likelihood"] == pytest.approx(
        quality_and_variety(Evaluator([writer], TOKENIZER), people)["nats"], abs=1e-4
    )
    assert "distinct-2" not in ReplyWatch(people, TOKENIZER, words=10**6)(writer, Guess(writer))


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
    assert last_verdicts(judge, batch).shape == (4,)
