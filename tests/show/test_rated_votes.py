"""Ratings as the votes come in: those of the package, the learner's own, and a finite one for the unbeaten."""

import numpy as np
import pytest

from helpers.evaluation.bradley_terry import bradley_terry, to_elo
from helpers.evaluation.comparisons import win_matrix
from helpers.evaluation.rating_intervals import bootstrap_ratings
from helpers.show import arena_ratings, explore_arena
from helpers.show.rated_votes import INVENTED, rated_votes
from tests.show.legible import problems


def cast(prompts=12, names=("gpt", "rnn", "people")):
    """Votes in which each beats the next one twice of three times, prompt after prompt."""
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [
        (prompt, *(pair if prompt % 2 else pair[::-1]), ("left" if prompt % 2 else "right") if prompt % 3 else "tie")
        if (prompt + i) % 4
        else (prompt, *pair, "right")
        for prompt in range(prompts)
        for i, pair in enumerate(pairs)
    ]


def test_the_numbers_are_those_of_the_bootstrap():
    found, boot = rated_votes(cast(), resamples=50), bootstrap_ratings(cast(), resamples=50)
    assert found.names == boot.names == ["gpt", "people", "rnn"] and not found.invented
    assert (
        np.allclose(found.values, boot.ratings)
        and np.allclose(found.low, boot.low)
        and np.allclose(found.high, boot.high)
    )


def test_words_name_the_ratings_best_first_and_their_width():
    drawing = arena_ratings(cast(), resamples=50)
    first, rest = drawing.words.split(": ", 1)
    assert first == "36 votes on 12 prompts" and rest.startswith("how sure is the ranking? Ratings in Elo, best first")
    assert rest.index("gpt ") < rest.index("rnn ") < rest.index("people ")
    assert "On average an interval reaches" in rest and "too narrow" not in rest and INVENTED not in rest
    assert drawing.svg.count("<circle") == 2  # people are no bot
    assert arena_ratings(cast(), highlight=(), resamples=50).svg.count("<circle") == 3


def test_the_first_votes_are_counted():
    later = [(100 + prompt, "gan", "gpt", "left") for prompt in range(30)]
    assert arena_ratings(cast() + later, 36).words == arena_ratings(cast()).words
    assert "gan" in arena_ratings(cast() + later).words


def test_the_learners_function_rates_whether_or_not_a_tie_is_invented():
    tables = []

    def rate(wins):
        tables.append(wins)
        return bradley_terry(wins)

    for votes in (
        cast(),
        [(prompt, "a", "b", "left") for prompt in range(10)] + [(0, "b", "c", "left"), (1, "c", "b", "left")],
    ):
        found = rated_votes(votes, rate=rate, resamples=20)
        assert np.allclose(found.values, rated_votes(votes, resamples=20).values, atol=1e-4)
    assert [len(table) for table in tables] == [3, 4] and found.invented
    assert np.allclose(tables[0], win_matrix(cast())[1])
    assert np.allclose(rated_votes(cast(), rate=lambda wins: [1, 10, 100], resamples=20).values, [-400, 0, 400])
    with pytest.raises(ZeroDivisionError):  # a fault of the learner's own is not called "too few votes"
        rated_votes(cast(), rate=lambda wins: 1 / 0, resamples=20)


def test_the_unbeaten_gets_a_finite_rating_and_the_words_say_how():
    votes = [(prompt, "a", "b", "left") for prompt in range(10)]
    drawing = arena_ratings(votes, resamples=20)
    wins = np.array([[0, 10, 0.5], [0, 0, 0.5], [0.5, 0.5, 0]])
    expected = to_elo(bradley_terry(wins)[:2])
    assert f"a {expected[0]:.0f} (" in drawing.words and INVENTED in drawing.words
    assert "too narrow" not in drawing.words


def test_ties_may_be_left_out():
    round_of_five = [("a", "b", "tie"), ("a", "b", "left"), ("b", "a", "left"), ("a", "b", "left"), ("a", "b", "left")]
    votes = [(5 * number + i, *vote) for number in range(4) for i, vote in enumerate(round_of_five)]
    half, dropped = (rated_votes(votes, ties=ties, resamples=20).values[0] for ties in ("half", "drop"))
    assert half == pytest.approx(200 * np.log10(3.5 / 1.5), abs=1e-3)
    assert dropped == pytest.approx(200 * np.log10(3), abs=1e-3)


def test_too_few_votes_are_said_not_raised():
    assert arena_ratings([(0, "a", "b", "left")]).words == (
        "No ratings yet: 1 vote on 1 prompt, and an interval needs 10 prompts at least."
    )
    ties = [(prompt, "a", "b", "tie") for prompt in range(12)]
    assert "12 votes, all of them ties: nothing is decided yet." in arena_ratings(ties, ties="drop").words


def test_few_votes_for_each_are_said_to_give_too_narrow_intervals():
    names = "abcdefgh"
    votes = [(prompt, names[prompt % 8], names[(prompt + 1) % 8], "left") for prompt in range(16)]
    assert (
        "Each met others on 4.0 prompts on average: with so few, such intervals are too narrow."
        in arena_ratings(votes).words
    )


def test_every_setting_of_the_controls_draws(parse):
    explore = explore_arena(cast(24))
    assert explore.settings == {"count": 72, "resample": "prompt", "ties": "half"}
    assert explore.words == arena_ratings(cast(24)).words
    words = {explore.words}
    for name, value in (("count", 40), ("resample", "vote"), ("ties", "drop")):
        control = explore.controls[name]
        control.value = value
        assert explore.error is None
        parse(explore._picture.value)
        assert problems(explore._picture.value) == []
        words.add(explore.words)
    assert len(words) == 4


def test_a_drawing_is_made_once(monkeypatch):
    explore, made = explore_arena(cast()), []
    monkeypatch.setattr("helpers.show.rated_votes.arena_ratings", lambda *args: made.append(args) or "x")
    for count in (20, 36, 20):
        explore.controls["count"].value = count
    assert len(made) == 1


def test_what_cannot_be_counted_is_said():
    for call, sentence in (
        (lambda: arena_ratings(cast(), 0), "0 votes cannot be counted: give 1 to 36"),
        (lambda: arena_ratings(cast(), 37), "37 votes cannot be counted"),
        (lambda: arena_ratings(cast(), by="day"), "resample by prompt, vote or voter, not 'day'"),
        (lambda: arena_ratings(cast(), ties="win"), "ties are"),
        (lambda: explore_arena([]), "no votes to count"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
