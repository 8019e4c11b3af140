"""The tree of a beam search: who continues whom, what is kept, and the likeliest that has ended."""

import pytest

from helpers.show.drawings.search_tree import beam_search

LEVELS = [
    [("I", -0.9, None, True), ("Yes", -1.1, None, True), ("No", -2.3, None, False)],
    [(" am", -1.9, 0, True), (" do", -2.2, 0, False), ("!", -1.6, 1, True)],
    [(" here", -2.5, 0, True), (" it", -3.0, 0, False)],
]


def test_the_likeliest_finished_sequence_wins(legible):
    words = legible(beam_search(LEVELS))
    assert "width 2 over 3 steps: 8 candidates, 5 kept" in words
    assert "likeliest sequence is “Yes!” with log probability −1.60" in words  # it ended in step 2: nothing continues it
    longer = [LEVELS[0], LEVELS[1], [*LEVELS[2], (" Sure", -2.0, 2, True)]]
    assert "“Yes! Sure” with log probability −2.00" in legible(beam_search(longer))


def test_what_is_not_kept_is_dashed():
    assert beam_search(LEVELS).svg.count('stroke-dasharray="5 4"') == 3


def test_the_largest_tree_is_legible(legible):
    level = [(f" candidate{i}", -10.0 - i, 0, i < 5) for i in range(10)]
    legible(beam_search([[(token, p, None, kept) for token, p, _, kept in level]] + [level] * 5))


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        ([], "one to six steps"),
        ([[("a", -1, None, True)] * 11], "one to ten candidates"),
        ([[("a", -1, 0, True)]], "nothing comes before it"),
        ([LEVELS[0], [("b", -2, 7, True)]], "parent 7: give 0 to 2"),
        ([LEVELS[0], [("b", -2, None, True)]], "parent None"),
        ([LEVELS[0], [("b", -2, 2, True)]], "continues 'No', which was not kept"),
        ([[("a", -1, None, False)]], "none of the last step"),
    ],
)
def test_wrong_trees_are_refused_with_a_sentence(levels, sentence):
    with pytest.raises(ValueError, match=sentence):
        beam_search(levels)
