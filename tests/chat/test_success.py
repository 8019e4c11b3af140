"""Adversarial success: all bots answer the same people, and an evaluator that passed its tests looks at all in one way."""

import dataclasses
import random

import pytest

from helpers.chat import measuring, recipes, success, zoo
from helpers.chat.zoo import main
from helpers.corpus.conversations import Card, Conversation, Corpus, Turn
from helpers.evaluation import judging, scoreboard
from helpers.evaluation.judging import Sanity

ANSWERS = ("the soup is fine", "I like the rain", "my dog ate it", "no idea, you?", "that is good", "we had cake")


def talks(number, turns=4, seed=0):
    dice = random.Random(seed)
    made = []
    for place in range(number):
        said = tuple(Turn("AB"[turn % 2], dice.choice(ANSWERS)) for turn in range(turns))
        made.append(Conversation(f"c{place}", f"c{place}", said))
    return made


@pytest.fixture
def course(checkpoints, monkeypatch):
    """Three bots after a step or three on little text, seq2seq and gpt among them, with files of their own."""
    pair = {"width": 8, "batch_size": 4, "context_tokens": 12, "reply_tokens": 8, "seconds": 1e-6}
    small = {
        "rnn": recipes.RNNRecipe(width=8, embedding=4, batch_size=2, context=16, steps=3),
        "seq2seq": recipes.PairRecipe("Seq2Seq", more=(("embedding", 6),), **pair),
        "gpt": recipes.GPTRecipe(width=8, layers=1, heads=2, context=72, pair_rows=13, batch_size=2, steps=3),
    }
    monkeypatch.setattr(recipes, "RECIPES", small)
    made = recipes.BPETokenizer.train
    monkeypatch.setattr(recipes.BPETokenizer, "train", lambda texts: made(texts, 270))
    corpus = Corpus(talks(90), talks(90), talks(100), Card("invented", "CC0"))
    monkeypatch.setattr(recipes.conversations, "load", lambda: corpus)
    monkeypatch.setattr(measuring, "CONTEXTS", 4)
    monkeypatch.setattr(scoreboard, "data_path", checkpoints.parent.joinpath)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    return corpus


@pytest.fixture
def readers(course, monkeypatch, capsys):
    """The same course with both readers, and nobody judged."""
    with monkeypatch.context() as patch:
        patch.setattr(success, "judge_if_possible", lambda names, test: None)
        recipes.train(["seq2seq", "gpt"])
    return course


class Person:
    """Says what people say, drawn anew."""

    def __init__(self, seed=1):
        self.dice = random.Random(seed)

    def reply(self, history, temperature, seed):
        return self.dice.choice(ANSWERS)


def test_all_bots_are_judged_once_the_readers_are_there(course, capsys):
    recipes.train(["rnn"])
    assert "no adversarial success of rnn yet: there is no bot 'gpt'" in capsys.readouterr().out
    assert zoo.card("rnn")["metrics"][success.COLUMN] is None and success.rows() == {}
    assert scoreboard.read((success.COLUMN,)).loc["rnn", success.COLUMN] == ""

    recipes.train(["seq2seq", "gpt"])
    assert "rnn: adversarial success" in capsys.readouterr().out  # the readers are new: all are judged
    table = scoreboard.read((success.COLUMN,))
    for name in zoo.names():
        found = zoo.card(name)["metrics"][success.COLUMN]
        assert found < 0.25  # a few steps: anybody can tell
        assert float(table.loc[name, success.COLUMN]) == pytest.approx(found, rel=1e-3)
        assert success.rows()[name] == pytest.approx({**success.rows()[name], success.COLUMN: found}, abs=1e-4)
        assert list(success.rows()[name]) == list(success.EYES)


def files(checkpoints):
    """Everything that was written, without the checkpoints' own files."""
    cards = {name: zoo.card(name) for name in zoo.names()}
    return cards, (checkpoints.parent / "scoreboard.csv").read_text(), success.rows()


def test_judging_leaves_all_other_figures_as_they_are(course, checkpoints, capsys):
    recipes.train()
    before = files(checkpoints)
    zoo.note_metrics("rnn", zoo.card("rnn")["metrics"] | {success.COLUMN: 0.4})
    capsys.readouterr()
    assert main(["judge", "rnn"]) == 0 and "gpt" not in capsys.readouterr().out
    assert files(checkpoints) == before
    assert main(["judge"]) == 0 and "gpt: adversarial" in capsys.readouterr().out
    assert files(checkpoints) == before
    assert main(["judge", "skynet"]) == 1 and "known are rnn" in capsys.readouterr().err


def test_what_other_weights_or_other_readers_found_is_forgotten(course, checkpoints, monkeypatch, capsys):
    recipes.train()
    monkeypatch.setattr(judging, "tested_on", lambda *arguments: Sanity(0.5, 0.9))
    recipes.train(["rnn"])
    assert "no adversarial success of rnn yet" in (words := capsys.readouterr().out) and "0.90" in words
    assert list(success.rows()) == ["seq2seq", "gpt"]
    recipes.train(["gpt"])
    assert success.rows() == {}
    assert {zoo.card(name)["metrics"][success.COLUMN] for name in zoo.names()} == {None}
    assert set(scoreboard.read((success.COLUMN,))[success.COLUMN]) == {""}
    before = files(checkpoints)
    assert main(["judge"]) == 1 and "says nothing about a bot" in capsys.readouterr().err
    assert files(checkpoints) == before


def test_what_was_not_measured_is_not_judged(readers, capsys):
    bot = zoo.load("seq2seq")
    for name, words in (("gan", "not measured yet: python -m helpers.chat.zoo train gan"), ("mine", "no row on the")):
        bot.name = name
        zoo.save(bot, {}, {})
        assert main(["judge", name]) == 1 and words in capsys.readouterr().err
    assert main(["judge"]) == 0 and list(success.rows()) == ["seq2seq", "gpt"]


def test_people_succeed_in_half_of_all_cases_and_a_parrot_never(readers):
    examiner = success.Examiner(readers.test)
    assert all(tested.passed for tested in examiner.tested.values()) and list(examiner.tested) == list(success.EYES)
    assert all(0.35 < found < 0.65 for found in examiner.success(Person()).values())

    class Parrot:
        def reply(self, history, temperature, seed):
            return "polly wants a cracker"

    assert max(examiner.success(Parrot()).values()) < 0.05


def test_a_reply_is_read_in_the_same_way_whoever_wrote_it(readers):
    examiner = success.Examiner(readers.test)
    question, tokenizer = examiner.questions[0], examiner.evaluator.tokenizer
    short, long = (examiner.pair(question, text) for text in (" soup \n", "soup " * 50))
    other = tokenizer.speaker("A")  # three turns were said, B replies, and A is next
    assert short.reply == [tokenizer.speaker("B"), *tokenizer.encode("soup"), other]
    assert len(long.reply) == success.PIECES + 1 and other not in long.reply
    assert short.context == long.context and tokenizer.speaker("B") == short.reply[0]
    assert examiner.pair(question, "").reply == [tokenizer.speaker("B"), other]  # silence is a reply, too


def test_questions_are_asked_where_a_conversation_is_long_enough():
    asked = success.questions([*talks(1, turns=3), *talks(1, turns=11)])
    assert [len(question.turns) for question in asked] == [3, 9]
    talk = talks(1, turns=11)[0]
    assert asked[1] == ([turn.text for turn in talk.turns[:9]], talk.turns[9].text)


def test_too_few_conversations_are_said(course, monkeypatch, capsys):
    few = dataclasses.replace(course, test=talks(10))
    monkeypatch.setattr(recipes.conversations, "load", lambda: few)
    recipes.train(["seq2seq", "gpt"])
    assert "10 replies of people are too few" in (words := capsys.readouterr().out) and "80 or more" in words
    assert main(["judge"]) == 1


def test_the_course_has_judged_all_its_bots_and_says_so_everywhere():
    board, found = scoreboard.read((success.COLUMN,))[success.COLUMN], success.rows()
    assert success.EYES == {"seq2seq": (1,), "gpt": (0,), success.COLUMN: (0, 1)} and success.READERS == (
        "gpt",
        "seq2seq",
    )
    assert list(found) == zoo.names() == [entry.name for entry in scoreboard.ENTRIES]
    for name in found:
        own = zoo.card(name)["metrics"][success.COLUMN]
        assert found[name][success.COLUMN] == pytest.approx(own, abs=1e-4)
        assert float(board[name]) == pytest.approx(own, rel=1e-3)
