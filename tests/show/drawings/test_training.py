"""The training loop has its six steps; targets are inputs, one later."""

import pytest

from helpers.show.drawings.training import next_token_targets, training_loop


def test_the_loop_has_six_steps_with_their_code(legible):
    words = legible(training_loop())
    code = ("in batches", "loss(model, batch)", "zero_grad()", "value.backward()", "clip_grad_norm_", "optimizer.step()")
    places = [words.index(line) for line in code]
    assert places == sorted(places)


def test_targets_are_shifted_by_one(legible):
    assert "4 targets, each the token that comes next: “h” → “e”, “e” → “l”, “l” → “l”, “l” → “o”." in legible(
        next_token_targets("hello")
    )


@pytest.mark.parametrize(
    "tokens", [["a", "b"], list("a much longer text than will fit"), [" word" * 5, "x"], ["<A>", " I", "\n", ""]]
)
def test_any_tokens_are_legible(tokens, legible):
    words = legible(next_token_targets(tokens))
    assert ("Only the first" in words) == (len(tokens) > 20)


def test_one_token_is_not_enough():
    with pytest.raises(ValueError, match="at least two tokens"):
        next_token_targets(["a"])
