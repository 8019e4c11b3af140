"""The arena: names after the vote, votes in a file, a class's files counted once, and ratings that move."""

import pytest

from helpers.bots.arena import Prompt
from helpers.evaluation.bradley_terry import bradley_terry
from helpers.show.arena import Arena
from tests.show.legible import problems

NAMES = ("gpt", "rnn", "people")
PROMPTS = [Prompt(number, f"talk {number}", ["Hi!", f"How are you, {number}?", "Fine."], "x") for number in range(12)]
REPLIES = {name: [f"reply {len(name)}{name[0]} of {number}" for number in range(12)] for name in NAMES}
RECORDED = [(number, "gpt", "rnn", "left" if number % 3 else "right") for number in range(12)]


def arena(**changes):
    return Arena(PROMPTS, REPLIES, **{"resamples": 20} | changes)


def choose(made, best):
    """Vote for the contestant that comes first in ``best``."""
    prompt, left, right = made.duels[made.at]
    return made.vote("left" if best.index(left) < best.index(right) else "right")


def test_the_names_come_after_the_vote():
    made = arena(duels=[(3, "rnn", "gpt"), (4, "gpt", "people")])
    before = repr(made) + made._question.value
    assert "rnn" not in before and "gpt" not in before and "Pair 1 of 2" in before
    assert "Left: reply 3r of 3" in repr(made) and "A: How are you, 3?" in repr(made) and "B: Fine." in repr(made)
    words = made.vote("right")
    assert words.startswith(
        "Left was rnn, right was gpt. Your 1 vote: no ratings yet: 1 vote on 1 prompt, and an interval needs 10"
    )
    assert tuple(made.votes[0])[:4] == (3, "rnn", "gpt", "right")


def test_votes_make_ratings_and_the_words_say_them():
    made = arena()
    for _ in range(30):
        words = choose(made, ["gpt", "rnn", "people"])
    assert "Your 30 votes, in Elo with 95 % intervals: gpt " in words
    assert words.index("gpt ", 40) < words.index("rnn ", 40) < words.index("people ", 40)
    assert "invented tie" in words and made.ratings().words.count(" to ") >= 3
    assert problems(made._picture.value) == []
    assert made.ratings("class") is None


def test_recorded_votes_are_shown_until_you_vote():
    made = arena(recorded=RECORDED, voter="a judge, no person")
    assert made.words.startswith("12 votes by a judge, no person, in Elo with 95 % intervals: gpt ")
    assert made.words.endswith("Yours are not cast yet.")
    choose(made, NAMES)
    assert "judge" not in made.words and made.source.value == "yours"
    made.source.value = "recorded"  # still there, by the menu
    assert "12 votes by a judge" in made.words and "not cast yet" not in made.words
    assert [label for label, _ in made.source.options] == ["votes by a judge, no person (12)", "your votes (1)"]


def test_votes_are_kept_in_the_file_and_not_asked_again(tmp_path):
    file, duels = tmp_path / "votes.jsonl", [(0, "gpt", "rnn"), (1, "rnn", "gpt"), (2, "gpt", "people")]
    arena(duels=duels, file=file).vote("tie")
    again = arena(duels=[(0, "rnn", "gpt"), *duels[1:]], file=file)
    assert again.duels == duels[1:] and "Your 1 vote" in again.words
    again.vote("both bad")
    shown = arena(duels=duels, file=file, recorded=RECORDED, voter="a judge")
    assert "Your 2 votes" in shown.words and "judge" not in shown.words  # you have voted before
    assert [vote.winner for vote in again.votes] == ["tie", "both bad"]
    with file.open("ab") as lines:
        lines.write(b'{"id": "half a li')
    assert "damaged line" in arena(duels=duels, file=file).words and len(again.votes) == 2


def test_without_a_file_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    choose(arena(), NAMES)
    assert arena().votes == [] and list(tmp_path.iterdir()) == []


def test_a_vote_that_cannot_be_kept_does_not_count(tmp_path, monkeypatch):
    made = arena(file=tmp_path / "votes.jsonl")

    def full(*args, **details):
        raise OSError("the disk is full: delete something")

    monkeypatch.setattr(made.file, "add", full)
    assert "could not be kept, and does not count: the disk is full" in made.vote("left")
    assert made.at == 0 and made.votes == []


def test_a_class_is_merged(tmp_path):
    for number, best in enumerate((NAMES, NAMES[::-1])):
        made = arena(file=tmp_path / f"{number}.jsonl", seed=number)
        for _ in range(12):
            choose(made, list(best))
    (tmp_path / "copy.jsonl").write_bytes((tmp_path / "0.jsonl").read_bytes())
    words = arena().merge(tmp_path)
    assert (
        words.startswith("24 votes by 2 voters in 3 files; 12 doubles counted once.")
        and "The class's 24 votes, in Elo" in words
    )
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        arena().merge(tmp_path / "nothing")


def test_the_learners_function_rates():
    made = arena(recorded=RECORDED, rate=lambda wins: [100, 1] if len(wins) == 2 else bradley_terry(wins))
    assert "gpt 400 (" in made.words and "rnn −400 (" in made.words


def test_the_buttons_vote_and_end_with_the_last_pair():
    made = arena(duels=[(0, "gpt", "rnn"), (1, "gpt", "rnn")])
    made.buttons["tie"].click()
    made.buttons["left"].click()
    assert "That was the last pair." in made.words and all(button.disabled for button in made.buttons.values())
    made.vote("left")
    assert len(made.votes) == 2 and made._question.value == "" and "Pair" not in repr(made)


def test_pairs_are_blind_and_random():
    made = arena()
    assert len(made.duels) == 36 and {duel[1] for duel in made.duels[:20]} == set(NAMES)
    assert made.duels == arena().duels != arena(seed=1).duels


def test_markup_stays_text():
    made = Arena([["<b>hi</b>"]], {"a": ["<script>x</script>"], "b": ["one\ntwo"]}, duels=[(0, "a", "b")])
    assert "<script>" not in made._question.value and "&lt;script&gt;" in made._question.value
    assert "one / two" in repr(made)


def test_what_cannot_be_asked_is_said():
    for duels, sentence in (
        ([], "no pair to vote on"),
        ([(12, "gpt", "rnn")], "pair 0 is .* with a prompt from 0 to 11"),
        ([(0, "gpt")], r"write \(prompt, left, right\)"),
        ([(0, "gpt", "gan")], "needs a reply of 'gan' to prompt 0"),
        ([(0, "gpt", "gpt")], "both replies are the same text"),
    ):
        with pytest.raises(ValueError, match=sentence):
            arena(duels=duels)
    with pytest.raises(ValueError, match="vote one of left, right, tie, both bad, not 'up'"):
        arena().vote("up")
    with pytest.raises(ValueError, match="winner"):
        arena(recorded=[(0, "gpt", "rnn", "first")])
