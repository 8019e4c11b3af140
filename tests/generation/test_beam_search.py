"""Beam search finds what counting all replies finds; width 1 is greedy; dull replies lose when they are re-ranked."""

import itertools
import math

import numpy as np
import pytest
import torch

from helpers.generation.beam_search import Candidate, beam_search, rerank
from helpers.generation.sampling import generate
from helpers.models.utils import device_of
from tests.factories import LANGUAGE_MODELS, language_model, ngram

END, SIZE = 2, 9
PROMPT = [2, 3, 6, 7, 4]


def tiny(kind, **config):
    """A model of 9 tokens, of which 0 to 4 are special."""
    if kind == "n-gram":
        return ngram(SIZE, seed=3, first=5)
    return language_model(kind, SIZE, **({} if kind in ("RNN", "GPT") else {"speakers": (3, 4)}), **config)


@pytest.fixture(params=LANGUAGE_MODELS)
def model(request, device):
    made = tiny(request.param)
    return made.to(device) if isinstance(made, torch.nn.Module) else made


@torch.no_grad()
def all_replies(model, most, stop=(END,), forbidden=(0, 1, 3, 4)):
    """Return (log p, tokens) of every reply of up to ``most`` tokens that ends, read one by one."""
    words = [token for token in range(SIZE) if token not in {*stop, *forbidden}]
    found = []
    for length in range(most + 1):
        for tokens in itertools.product(words, repeat=length):
            ids = torch.tensor([[*PROMPT, *tokens]], device=device_of(model))
            nats = model(ids)[0][0, -length - 1 :].double().log_softmax(-1)
            total = sum(float(nats[place, token]) for place, token in enumerate(tokens))
            found.append((total + float(nats[-1, list(stop)].logsumexp(-1)), list(tokens)))
    return sorted(found, reverse=True)


def search(model, **settings):
    return beam_search(model, PROMPT, **{"stop": [END], "forbidden": [0, 1, 3, 4], **settings})


def test_width_one_is_greedy(model):
    greedy = list(generate(model, PROMPT, temperature=0, max_tokens=12, stop=[END], forbidden=[0, 1, 3, 4]))
    (found,) = search(model, width=1, max_tokens=12)
    assert found.tokens == greedy and found.finished == (len(greedy) < 12)


def test_a_beam_as_wide_as_the_tree_is_exact(model):
    expected = all_replies(model, most=3)
    found = [candidate for candidate in search(model, width=5**4, max_tokens=4) if candidate.finished]
    assert len(found) == len(expected) == 1 + 4 + 16 + 64
    totals = {tuple(tokens): total for total, tokens in expected}
    for candidate, (total, _) in zip(found, expected):  # the n-gram's replies may be equally likely
        assert candidate.log_probability == candidate.score == pytest.approx(total, abs=1e-5)
        assert totals[tuple(candidate.tokens)] == pytest.approx(total, abs=1e-5)


def test_a_wider_beam_finds_nothing_worse_and_here_something_better(model):
    best = [search(model, width=width, max_tokens=6)[0] for width in (1, 3, 400)]
    finished = [candidate.log_probability for candidate in best if candidate.finished]
    assert finished == sorted(finished)


def test_greedy_misses_what_a_beam_finds():
    """The likeliest first token leads to a crossroads, the second likeliest to a reply that is nearly sure."""

    class Crossroads:
        def __call__(self, ids, state=None):
            logits = torch.full((*ids.shape, SIZE), -30.0)
            for row, last in enumerate(ids[:, -1].tolist()):
                for token, logit in {4: [(5, 1.5), (6, 1.0)], 5: [(5, 1), (7, 1), (8, 1)]}.get(last, [(END, 1)]):
                    logits[row, -1, token] = logit
            return logits, None

    greedy, wide = (search(Crossroads(), width=width, max_tokens=5)[0] for width in (1, 2))
    assert greedy.tokens[0] == 5 and wide.tokens == [6]
    assert wide.log_probability > greedy.log_probability


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
def test_the_score_is_the_sum_over_a_power_of_the_length(penalty):
    model = tiny("seq2seq")
    found = search(model, width=5**4, max_tokens=4, length_penalty=penalty)
    for candidate in found:
        size = len(candidate.tokens) + candidate.finished
        assert candidate.score == pytest.approx(candidate.log_probability / size**penalty)
    scores = [candidate.score for candidate in found if candidate.finished]
    assert scores == sorted(scores, reverse=True) and len(scores) == 85


def test_a_larger_length_penalty_gives_longer_replies():
    mean = []
    for penalty in (0.0, 2.0):
        found = search(tiny("seq2seq"), width=20, max_tokens=8, length_penalty=penalty)
        mean.append(np.mean([len(candidate.tokens) for candidate in found[:5]]))
    assert mean[0] < mean[1]


class Path:
    """Replies are 5 5 5 …: the first ends with probability .55, the second with .9, the eighth surely; counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, ids, state=None):
        self.calls += 1
        logits = torch.full((*ids.shape, SIZE), -60.0)
        for row, tokens in enumerate(ids.tolist()):
            end = {0: 0.55, 1: 0.9, 8: 1 - 1e-9}.get(tokens.count(5), 1e-9)
            logits[row, -1, END], logits[row, -1, 5] = math.log(end), math.log(1 - end)
        return logits, None


def test_the_search_goes_on_while_a_longer_reply_may_get_the_better_score():
    """Eight tokens have a sum of log .045 = −3.1 only, but −.34 a token; the two replies at hand have −.45 and −.60."""
    model = Path()
    best, second = search(model, width=2, max_tokens=9, length_penalty=1.0)
    assert best.tokens == [5] * 8 and best.score == pytest.approx(math.log(0.45 * 0.1) / 9, abs=1e-4)
    assert second.tokens == [5] and second.score == pytest.approx(math.log(0.45 * 0.9) / 2, abs=1e-4)
    assert model.calls == 9


@pytest.mark.parametrize(("most", "penalty"), [(9, 0.0), (5, 1.0)])
def test_the_search_stops_as_soon_as_no_beam_can_overtake(most, penalty):
    """A sum of −3.1 only falls, and over five tokens it is −.62 each: worse than both replies at hand."""
    model = Path()
    assert [found.tokens for found in search(model, width=2, max_tokens=most, length_penalty=penalty)] == (
        [[], [5]] if penalty == 0 else [[5], []]
    )
    assert model.calls == 2


def test_which_token_closes_does_not_matter():
    model = tiny("seq2seq")
    expected = all_replies(model, most=2, stop=(END, 3, 4), forbidden=(0, 1))
    found = [c for c in search(model, width=300, max_tokens=3, stop=[END, 3, 4], forbidden=[0, 1]) if c.finished]
    assert [candidate.tokens for candidate in found] == [tokens for _, tokens in expected]
    assert len({tuple(candidate.tokens) for candidate in found}) == len(found)
    assert found[0].log_probability == pytest.approx(expected[0][0])


def test_replies_that_do_not_end_are_cut_and_come_last(model):
    found = search(model, width=4, max_tokens=3, stop=[])
    assert len(found) == 4 and all(len(c.tokens) == 3 and not c.finished for c in found)
    mixed = [candidate.finished for candidate in search(model, width=8, max_tokens=2)]
    assert mixed == sorted(mixed, reverse=True)


def test_it_is_deterministic_and_leaves_the_mode():
    model = tiny("seq2seq").train()
    assert search(model, width=3) == search(model, width=3) and model.training


def test_forbidden_tokens_are_never_said(model):
    found = search(model, width=6, max_tokens=5, forbidden=[0, 1, 3, 4, 5, 6])
    assert {token for candidate in found for token in candidate.tokens} <= {7, 8}


def test_reranking_prefers_what_is_likely_here():
    dull, fitting = Candidate([5], -2.0, -2.0), Candidate([6, 7], -3.0, -3.0)
    assert rerank([fitting, dull], [-9.0, -2.5], strength=0.0) == [dull, fitting]
    best, other = rerank([dull, fitting], [-2.5, -9.0], strength=0.5)
    assert best.tokens == [6, 7] and best.score == -3.0 + 4.5 and other.score == -2.0 + 1.25
    assert best.log_probability == -3.0


def test_bad_input_is_refused_in_words():
    model = tiny("RNN")
    with pytest.raises(ValueError, match="nothing to go on from"):
        beam_search(model, [], stop=[END])
    for wrong in ({"width": 0}, {"max_tokens": 0}, {"length_penalty": -1.0}, {"length_penalty": float("nan")}):
        with pytest.raises(ValueError, match="give at least 1, 1 and 0"):
            search(model, **wrong)
    with pytest.raises(ValueError, match="for each of the 1 candidates; got 2 numbers"):
        rerank([Candidate([5], -1.0, -1.0)], [0.0, 1.0])
