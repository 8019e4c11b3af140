"""The ballot: replies in random order, votes that count for who wrote them, and an interval that is honest."""

import pytest

from helpers.evaluation.intervals import wilson_interval
from helpers.show.ballot import Ballot, Question

QUESTIONS = [Question(["Hello!", f"How are you, {n}?"], f"person {n}", f"bot {n}") for n in range(40)]


def ballot(**changes):
    return Ballot(QUESTIONS, **changes)


def side_of(ballot, who):
    """Return the side on which the present question has the reply of ``who``, 0 or 1."""
    return "left" if ballot.sides(ballot.at)[0] == ballot.questions[ballot.at][1 + who] else "right"


def test_votes_count_for_who_wrote_the_reply_wherever_it_stood():
    made = ballot()
    for number in range(40):
        made.vote(side_of(made, number % 2))
    assert made.votes == [0, 1] * 20
    assert len(set(made.swapped)) == 2 and 10 < sum(made.swapped) < 30


def test_always_left_is_no_opinion():
    made = ballot()
    for _ in range(40):
        made.vote("left")
    low, high = made.shares(made.votes)["interval"]
    assert low < 0.5 < high


def test_the_words_say_who_was_who_and_what_the_votes_say():
    made = ballot(names=("a person", "gpt"))
    words = made.vote(side_of(made, 1))
    assert "gpt 1" in words and "a person 0" in words and "can't say 0" in words and "100%" in words
    assert ("Left was gpt" in words) == (made.sides(0)[0] == "bot 0")
    assert "can't say 1" in made.vote("neither")
    assert made.shares(made.votes) == {"first": 0, "second": 1, "neither": 1, "share": 1.0, "interval": wilson_interval(1, 1)}


def test_who_wrote_what_is_not_told_before_the_vote():
    made = Ballot([Question(["Hi"], "one", "two")], names=("Ann", "Bob"))
    assert "Ann" not in repr(made) and "Ann" not in made._question.value
    assert "one" in repr(made) and "two" in repr(made)


def test_recorded_votes_are_told_until_you_vote():
    made = ballot(recorded=[0, 0, 1, None], voter="the reader")
    assert "4 votes by the reader" in made.words and "a person 2, the bot 1, can't say 1" in made.words
    assert "33%" in made.words
    assert "by the reader" not in made.vote("left") and made.recorded == [0, 0, 1, None]


def test_the_buttons_vote_and_end_with_the_last_question():
    made = Ballot(QUESTIONS[:2])
    made.buttons["left"].click()
    assert made.at == 1 and "2 of 2" in repr(made)
    made.buttons["neither"].click()
    assert made.votes[1] is None and "last question" in made.words
    assert all(button.disabled for button in made.buttons.values())
    made.vote("left")
    assert len(made.votes) == 2


def test_the_order_is_that_of_the_seed():
    assert ballot(seed=1).swapped == ballot(seed=1).swapped != ballot(seed=2).swapped


def test_markup_in_a_reply_stays_text():
    made = Ballot([Question(["<b>hi</b>"], "<script>x</script>", "a\nb")])
    assert "<script>" not in made._question.value and "&lt;script&gt;" in made._question.value
    assert "a / b" in repr(made)


def test_what_cannot_be_voted_on_is_refused():
    with pytest.raises(ValueError, match="nothing to vote on"):
        Ballot([])
    with pytest.raises(ValueError, match="question 1 has an empty reply"):
        Ballot([QUESTIONS[0], Question(["a"], "b", " ")])
    with pytest.raises(ValueError, match="two different names"):
        Ballot(QUESTIONS, names=("a", "a"))
    with pytest.raises(ValueError, match="recorded votes"):
        Ballot(QUESTIONS[:1], recorded=[0, 1])
    with pytest.raises(ValueError, match="vote one of"):
        ballot().vote("up")
    with pytest.raises(ValueError, match="cannot be won"):
        wilson_interval(3, 2)
