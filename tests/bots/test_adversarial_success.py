"""Adversarial success: all bots answer the same people, and an evaluator that passed its tests looks at all in one way."""

import dataclasses
import random

import pytest

from helpers.__main__ import main
from helpers.bots import adversarial_success, checkpoints, measure, recipes, train
from helpers.evaluation import human_or_bot_classifier, scoreboard
from helpers.evaluation.human_or_bot_classifier import SanityCheck
from tests import factories

ANSWERS = ("the soup is fine", "I like the rain", "my dog ate it", "no idea, you?", "that is good", "we had cake")


def talks(number, turns=4):
    rng = random.Random(0)
    return [factories.conversation(*rng.choices(ANSWERS, k=turns), name=f"c{place}") for place in range(number)]


@pytest.fixture
def course(checkpoint_folder, monkeypatch):
    """Three bots after a step or three on little text, seq2seq and gpt among them, with files of their own."""
    pair = {"batch_size": 4, "context_tokens": 12, "reply_tokens": 8, "seconds": 1e-6}
    small = {
        "rnn": recipes.RNNRecipe(hidden_size=8, embedding_size=4, batch_size=2, context=16, steps=3),
        "seq2seq": recipes.PairRecipe("Seq2Seq", sizes=(("hidden_size", 8), ("embedding_size", 6)), **pair),
        "gpt": recipes.GPTRecipe(n_embd=8, n_layer=1, n_head=2, context=72, bigram_rows=13, batch_size=2, steps=3),
    }
    monkeypatch.setattr(train, "RECIPES", small)
    made = train.BPETokenizer.train
    monkeypatch.setattr(train.BPETokenizer, "train", lambda texts: made(texts, 270))
    corpus = factories.use_corpus(monkeypatch, factories.corpus(talks(90), talks(90), talks(100)))
    monkeypatch.setattr(measure, "CONTEXTS", 4)
    monkeypatch.setattr(scoreboard, "data_path", checkpoint_folder.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.chdir(checkpoint_folder.parent.parent)
    return corpus


@pytest.fixture
def readers(course, monkeypatch, capsys):
    """The same course with both readers, and nobody judged."""
    with monkeypatch.context() as patch:
        patch.setattr(adversarial_success, "evaluate", lambda names, test, required: None)
        train.train(["seq2seq", "gpt"])
    return course


class Person:
    """Says what people say, drawn anew."""

    def __init__(self, seed=1):
        self.dice = random.Random(seed)

    def reply(self, history, temperature, seed):
        return self.dice.choice(ANSWERS)


def test_all_bots_are_judged_once_the_readers_are_there(course, capsys):
    train.train(["rnn"])
    assert "no adversarial success of rnn yet: there is no bot 'gpt'" in capsys.readouterr().out
    assert checkpoints.card("rnn")["metrics"][adversarial_success.COLUMN] is None and adversarial_success.read_results() == {}
    assert scoreboard.read((adversarial_success.COLUMN,)).loc["rnn", adversarial_success.COLUMN] == ""

    train.train(["seq2seq", "gpt"])
    assert "rnn: adversarial success" in capsys.readouterr().out  # the readers are new: all are judged
    table = scoreboard.read((adversarial_success.COLUMN,))
    for name in checkpoints.names():
        found = checkpoints.card(name)["metrics"][adversarial_success.COLUMN]
        assert found < 0.25  # a few steps: anybody can tell
        assert float(table.loc[name, adversarial_success.COLUMN]) == pytest.approx(found, rel=1e-3)
        row = adversarial_success.read_results()[name]
        assert row == pytest.approx({**row, adversarial_success.COLUMN: found}, abs=1e-4)
        assert list(adversarial_success.read_results()[name]) == list(adversarial_success.READER_SETS)


def files(checkpoint_folder):
    """Everything that was written, without the checkpoints' own files."""
    cards = {name: checkpoints.card(name) for name in checkpoints.names()}
    return cards, (checkpoint_folder.parent / "scoreboard.csv").read_text(), adversarial_success.read_results()


def test_judging_leaves_all_other_figures_as_they_are(course, checkpoint_folder, capsys):
    train.train()
    before = files(checkpoint_folder)
    checkpoints.note_metrics("rnn", checkpoints.card("rnn")["metrics"] | {adversarial_success.COLUMN: 0.4})
    capsys.readouterr()
    assert main(["bots", "judge", "rnn"]) == 0 and "gpt" not in capsys.readouterr().out
    assert files(checkpoint_folder) == before
    assert main(["bots", "judge"]) == 0 and "gpt: adversarial" in capsys.readouterr().out
    assert files(checkpoint_folder) == before
    assert main(["bots", "judge", "skynet"]) == 1 and "known are rnn" in capsys.readouterr().err


def test_what_other_weights_or_other_readers_found_is_forgotten(course, checkpoint_folder, monkeypatch, capsys):
    train.train()
    monkeypatch.setattr(human_or_bot_classifier, "sanity_of_features", lambda *arguments: SanityCheck(0.5, 0.9))
    train.train(["rnn"])
    assert "no adversarial success of rnn yet" in (words := capsys.readouterr().out) and "0.90" in words
    assert list(adversarial_success.read_results()) == ["seq2seq", "gpt"]
    train.train(["gpt"])
    assert adversarial_success.read_results() == {}
    assert {checkpoints.card(name)["metrics"][adversarial_success.COLUMN] for name in checkpoints.names()} == {None}
    assert set(scoreboard.read((adversarial_success.COLUMN,))[adversarial_success.COLUMN]) == {""}
    before = files(checkpoint_folder)
    assert main(["bots", "judge"]) == 1 and "says nothing about a bot" in capsys.readouterr().err
    assert files(checkpoint_folder) == before


def test_what_was_not_measured_is_not_judged(readers, capsys):
    bot = checkpoints.load("seq2seq")
    for name, words in (("gan", "not measured yet: python -m helpers bots train gan"), ("mine", "no row on the")):
        bot.name = name
        checkpoints.save(bot, {}, {})
        assert main(["bots", "judge", name]) == 1 and words in capsys.readouterr().err
    assert main(["bots", "judge"]) == 0 and list(adversarial_success.read_results()) == ["seq2seq", "gpt"]


def test_people_succeed_in_half_of_all_cases_and_a_parrot_never(readers):
    evaluation = adversarial_success.AdversarialEvaluation(readers.test)
    assert all(sanity.passed for sanity in evaluation.sanity.values()) and list(evaluation.sanity) == list(
        adversarial_success.READER_SETS
    )
    assert all(0.35 < found < 0.65 for found in evaluation.success(Person()).values())

    class Parrot:
        def reply(self, history, temperature, seed):
            return "polly wants a cracker"

    assert max(evaluation.success(Parrot()).values()) < 0.05


def test_a_reply_is_read_in_the_same_way_whoever_wrote_it(readers):
    evaluation = adversarial_success.AdversarialEvaluation(readers.test)
    question, tokenizer = evaluation.questions[0], evaluation.evaluator.tokenizer
    short, long = (evaluation.pair(question, text) for text in (" soup \n", "soup " * 50))
    other = tokenizer.speaker("A")  # three turns were said, B replies, and A is next
    assert short.reply == [tokenizer.speaker("B"), *tokenizer.encode("soup"), other]
    assert len(long.reply) == adversarial_success.TOKENS + 1 and other not in long.reply
    assert short.context == long.context and tokenizer.speaker("B") == short.reply[0]
    assert evaluation.pair(question, "").reply == [tokenizer.speaker("B"), other]  # silence is a reply, too


def test_questions_are_asked_where_a_conversation_is_long_enough():
    asked = adversarial_success.questions([*talks(1, turns=3), *talks(1, turns=11)])
    assert [len(question.turns) for question in asked] == [3, 9]
    talk = talks(1, turns=11)[0]
    assert asked[1] == ([turn.text for turn in talk.turns[:9]], talk.turns[9].text)


def test_too_few_conversations_are_said(course, monkeypatch, capsys):
    few = dataclasses.replace(course, test=talks(10))
    for where in ("helpers.bots.train.load", "helpers.corpus.load.load"):
        monkeypatch.setattr(where, lambda: few)
    train.train(["seq2seq", "gpt"])
    assert "10 replies of people are too few" in (words := capsys.readouterr().out) and "80 or more" in words
    assert main(["bots", "judge"]) == 1


def test_the_course_has_judged_all_its_bots_and_says_so_everywhere():
    board, found = (
        scoreboard.read((adversarial_success.COLUMN,))[adversarial_success.COLUMN],
        adversarial_success.read_results(),
    )
    assert adversarial_success.READER_SETS == {"seq2seq": (1,), "gpt": (0,), adversarial_success.COLUMN: (0, 1)}
    assert adversarial_success.READERS == (
        "gpt",
        "seq2seq",
    )
    assert list(found) == checkpoints.names() == [entry.name for entry in scoreboard.BOTS]
    for name in found:
        own = checkpoints.card(name)["metrics"][adversarial_success.COLUMN]
        assert found[name][adversarial_success.COLUMN] == pytest.approx(own, abs=1e-4)
        assert float(board[name]) == pytest.approx(own, rel=1e-3)
