"""From replies to votes: both ways to resample keep their promise, and a judge's mean and sum are computed."""

import re
from xml.etree import ElementTree

import pytest

from helpers.show.drawings.voting import arena_round, bootstrap_by_prompt, likelihood_judge, style_control


def rows(drawing):
    """Return the numbers in the squares of the three rows, from top to bottom."""
    by_height = {}
    for text in ElementTree.fromstring(drawing.svg).iter("{http://www.w3.org/2000/svg}text"):
        if re.fullmatch(r"\d", text.text or ""):
            by_height.setdefault(float(text.get("y")), []).append(int(text.text))
    return [by_height[y] for y in sorted(by_height)]


def test_a_round_is_legible_whatever_was_asked(legible):
    assert "identical replies are left out" in legible(arena_round())
    assert "'<b>" in legible(arena_round("<b>" + "long words " * 30, ("a " * 80, "b" * 200)))


@pytest.mark.parametrize("seed", range(6))
def test_prompts_are_resampled_with_all_of_their_votes(seed, legible):
    counts = (4, 2, 3, 1, 2)
    drawing = bootstrap_by_prompt(counts, seed)
    words = legible(drawing)
    cast, prompts, votes = rows(drawing)
    assert [cast.count(i + 1) for i in range(5)] == list(counts) and len(votes) == len(cast) == 12
    times = [prompts.count(i + 1) / count for i, count in enumerate(counts)]
    assert all(time == int(time) for time in times) and sum(times) == 5
    assert f"{len(prompts)} in sum" in words
    gone = [str(i + 1) for i, time in enumerate(times) if not time]
    assert (
        f"left out: {' and '.join([', '.join(gone[:-1]), gone[-1]]) if len(gone) > 1 else ''.join(gone) or 'none'}."
        in words
    )


def test_many_votes_are_legible(legible):
    for seed in range(4):
        legible(bootstrap_by_prompt((20, 1, 1, 1, 1, 1, 1, 6), seed))


def test_length_may_decide_the_vote(legible):
    assert "takes the taste for length, γ, out of the strengths β" in legible(style_control())


def test_the_mean_and_the_sum_may_choose_differently(legible):
    words = legible(likelihood_judge())
    assert "left 0.84, right 2.65 nats: left wins. By the sums, 5.9 and 5.3 nats, right would win" in words


@pytest.mark.parametrize("n", [1, 2, 14])
def test_every_length_of_a_reply_is_legible(n, legible):
    words = legible(likelihood_judge([["tokenization"] * n, [" a", "\n"]], [[12.5] * n, [0, 0]]))
    assert "right wins" in words
    assert "a tie. By the sums, 1.0 and 1.0 nats, a tie" in legible(likelihood_judge([["a"], ["b"]], [[1], [1]]))
    assert (
        "a tie. By the sums, 4.0 and 2.0 nats, right would win"
        in likelihood_judge([["a", "b"], ["c"]], [[2, 2], [2]]).words
    )
    assert (
        "right wins. By the sums, 2.0 and 2.0 nats, a tie" in likelihood_judge([["a"], ["b", "c"]], [[2], [1, 1]]).words
    )
    assert "wins<" not in likelihood_judge([["a"], ["b"]], [[1], [1]]).svg


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: arena_round(replies=("a", "a")), "two different replies"),
        (lambda: bootstrap_by_prompt((1, 2)), "3 to 8 prompts"),
        (lambda: bootstrap_by_prompt((1, 2, 0)), "each with a vote at least"),
        (lambda: bootstrap_by_prompt((30, 2, 1)), "33 votes cannot be drawn: give 32 at most"),
        (lambda: likelihood_judge([["a"]], [[1]]), "a judge compares two replies"),
        (lambda: likelihood_judge([["a"], ["b"]], [[1], [1, 2]]), "one number for each token"),
        (lambda: likelihood_judge([["a"], ["b"]], [[1], [-1]]), "never negative: give nats"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
