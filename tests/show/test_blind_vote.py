"""The blind vote: no name before the vote, all names after it, and the first vote counts."""

import pytest

from helpers.show.blind_vote import BlindVote

NAMES = {"A": "rnn (2016)", "B": "n-gram (1948)", "C": "gpt (2018)"}
OLDEST, BEST = "Which is the oldest?", "Which would you talk to?"


def vote(**changes):
    return BlindVote(**({"names": NAMES, "questions": {OLDEST: "B", BEST: None}} | changes))


def test_before_the_vote_nothing_gives_a_name_away():
    made = vote()
    seen = repr(made) + made._spoken.value + str([menu.options for menu in made.menus.values()])
    assert not any(name in seen for name in NAMES.values())
    assert OLDEST in repr(made) and "No vote yet" in repr(made)


def test_an_unfinished_vote_shows_no_name():
    made = vote()
    assert made.cast({OLDEST: "C"}) == "1 question still open: choose a letter for each, then vote."
    assert not made.votes and not made.button.disabled


def test_after_the_vote_all_names_are_said():
    made = vote()
    words = made.cast({OLDEST: "C", BEST: "A"})
    assert "You said C, gpt (2018). It is B, n-gram (1948)." in words
    assert f"{BEST} You said A, rnn (2016)." in words
    assert words.endswith("The names: A rnn (2016), B n-gram (1948) and C gpt (2018).")
    assert made.votes == {OLDEST: "C", BEST: "A"} and repr(made).startswith(OLDEST)


def test_a_right_answer_is_praised_and_taste_is_not_corrected():
    words = vote().cast({OLDEST: "B", BEST: "C"})
    assert words.startswith(f"✔ {OLDEST} You said B") and "It is" not in words


def test_the_first_vote_counts():
    made = vote()
    made.cast({OLDEST: "C", BEST: "A"})
    made.cast({OLDEST: "B"})
    assert made.votes[OLDEST] == "C" and made.button.disabled and all(menu.disabled for menu in made.menus.values())


def test_the_button_votes():
    made = vote()
    for menu in made.menus.values():
        menu.value = "A"
    made.button.click()
    assert "The names" in made.words and "The names" in made._spoken.value


@pytest.mark.parametrize(
    "changes", [{"names": {"A": "one"}, "questions": {BEST: None}}, {"questions": {}}, {"questions": {OLDEST: "Z"}}]
)
def test_a_vote_that_makes_no_sense_is_refused(changes):
    with pytest.raises(ValueError, match="a vote needs"):
        vote(**changes)
