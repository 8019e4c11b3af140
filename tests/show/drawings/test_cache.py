"""The cache of keys and values: what is computed, what is read, and the multiplications, counted again by hand."""

import pytest

from helpers.show.drawings.cache import kv_cache, multiplications
from tests.show.legible import texts

TOKENS = ["My", " dog", " learned", " to"]


def test_multiplications_are_those_of_the_matrices():
    step, d = 3, 5
    without = sum(3 * d * d + 2 * d * (t + 1) for t in range(step))  # every token's projections, and its pairs with earlier ones
    assert multiplications(step, d, False) == without
    assert multiplications(step, d, True) == 3 * d * d + 2 * d * step
    assert multiplications(1, d, True) == multiplications(1, d, False)
    # A cache never computes a pair twice: all steps with it cost what the last step without it costs.
    assert sum(multiplications(t, d, True) for t in range(1, step + 1)) == without


def test_only_one_column_is_computed_with_a_cache(legible):
    drawing = kv_cache(TOKENS, 3, d_model=32)
    words = legible(drawing)
    assert "Step 3 reads “learned”" in words and f"{multiplications(3, 32, False):,} multiplications" in words
    assert "2 keys and 2 values are read" in words
    names = [text for text, *_ in texts(drawing.svg)]
    assert [names.count(name) for name in ("q1", "q3", "k1", "k3", "k4")] == [1, 2, 2, 2, 0]


@pytest.mark.parametrize("length", [2, 10])
def test_every_step_is_legible(length, legible):
    for step in (1, length):
        legible(kv_cache([" long-token"] * length, step, d_model=12_288))


@pytest.mark.parametrize(("tokens", "step", "sentence"), [(["a"], 1, "2 to 10"), (TOKENS, 0, "1 to 4"), (TOKENS, 5, "1 to 4")])
def test_wrong_input_is_refused_with_a_sentence(tokens, step, sentence):
    with pytest.raises(ValueError, match=sentence):
        kv_cache(tokens, step)
