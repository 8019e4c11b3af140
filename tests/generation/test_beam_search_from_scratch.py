"""The beam search that can be read finds what the fast one finds, and its tree is the search's."""

import pytest
import torch

from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.generation.beam_search import beam_search as fast_search
from helpers.generation.beam_search_from_scratch import NextToken, beam_search, search_tree
from tests import factories

IDS, STOP, FORBIDDEN = [2, 3, 6, 7, 4], (2, 3, 4), (0, 1)


@pytest.fixture(params=["seq2seq", "fixed vector", "GPT"])
def model(request):
    config = {"speakers": (3, 4)} if request.param != "GPT" else {}
    return factories.language_model(request.param, 9, **config)


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_it_finds_what_the_fast_search_finds(model, width, penalty):
    fast = fast_search(model, IDS, width=width, max_tokens=12, stop=STOP, forbidden=FORBIDDEN, length_penalty=penalty)
    finished = [candidate for candidate in fast if candidate.finished]
    ours = beam_search(NextToken(model, IDS, STOP, FORBIDDEN), width, 12, STOP[0], penalty)
    ours = [reply for reply in ours if len(reply[0]) < 12][: len(finished)]
    assert [tokens for tokens, _ in ours] == [candidate.tokens for candidate in finished]
    assert [total for _, total in ours] == pytest.approx([candidate.log_probability for candidate in finished])


def test_going_on_step_by_step_gives_what_reading_anew_gives(model):
    ask, anew = NextToken(model, IDS, STOP, FORBIDDEN), lambda tokens: NextToken(model, IDS, STOP, FORBIDDEN)(tokens)
    for beginnings in ([[]], [[5], [6]], [[6, 7], [5, 8], [6, 5]], [[6, 5, 5]]):
        torch.testing.assert_close(ask(beginnings), anew(beginnings))
    torch.testing.assert_close(ask([[8, 8]]), anew([[8, 8]]))  # no continuation of what was asked before
    assert ask.asked[1] == [[5], [6]] and len(ask.asked) == 5


def test_closing_tokens_are_added_and_forbidden_ones_never_come(model):
    with torch.no_grad():
        plain = model(torch.tensor([IDS]))[0][0, -1].double().softmax(-1)
    p = NextToken(model, IDS, STOP, FORBIDDEN)([[]])[0].exp()
    assert p[STOP[0]].item() == pytest.approx(plain[list(STOP)].sum().item(), rel=1e-6)
    assert p[[0, 1, 3, 4]].sum() == 0
    torch.testing.assert_close(p[5:], plain[5:])


def test_the_tree_is_that_of_the_search():
    tokenizer = CharTokenizer("abcdefgh")
    model = factories.seq2seq(len(tokenizer), scale=4, hidden_size=8, embedding_size=6, speakers=(3, 4)).eval().double()
    ask = NextToken(model, IDS, STOP, FORBIDDEN)
    with pytest.raises(ValueError, match="search first"):
        search_tree(ask, tokenizer)
    beam_search(ask, 3, 4, STOP[0])
    levels = search_tree(ask, tokenizer, steps=3, candidates=5)
    assert [len(level) for level in levels] == [5, 5, 5]
    assert all(parent is None for _, _, parent, _ in levels[0])
    for before, level in zip(levels, levels[1:]):
        assert all(before[parent][3] and total <= before[parent][1] for _, total, parent, _ in level)
        assert [total for _, total, _, _ in level] == sorted((total for _, total, _, _ in level), reverse=True)
    kept = [sum(kept for *_, kept in level) for level in levels]
    assert kept == [len(beginnings) for beginnings in ask.asked[1:4]]


def test_the_tree_can_be_drawn():
    from helpers.show import drawings

    tokenizer = CharTokenizer("abcdefgh")
    model = factories.seq2seq(len(tokenizer), scale=4, hidden_size=8, embedding_size=6, speakers=(3, 4)).eval().double()
    ask = NextToken(model, IDS, STOP, FORBIDDEN)
    beam_search(ask, 3, 5, STOP[0])
    assert "beam search of width" in repr(drawings.beam_search(search_tree(ask, tokenizer)))
