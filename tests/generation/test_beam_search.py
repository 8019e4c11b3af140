"""Beam search finds what counting all replies finds; width 1 is greedy; dull replies lose when they are re-ranked."""

import itertools

import numpy as np
import pytest
import torch

from helpers.generation.beam_search import Candidate, beam_search, reply_log_probabilities, rerank
from helpers.generation.sampling import generate
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.ngram import NGram
from helpers.models.rnn import CharRNN
from helpers.models.seq2seq import Seq2Seq
from helpers.models.transformer import Transformer

END, SIZE = 2, 9
MARKS = {"speakers": (3, 4), "pad": 0, "end": END}
PROMPT = [2, 3, 6, 7, 4]


def models():
    """One of each kind, with opinions: 9 tokens, of which 0 to 4 are special."""
    torch.manual_seed(3)
    made = {
        "RNN": CharRNN(SIZE, width=8, embedding=6),
        "n-gram": NGram.count(torch.randint(5, SIZE, (300,)), 3, SIZE),
        "seq2seq": Seq2Seq(SIZE, width=8, embedding=6, **MARKS),
        "fixed vector": Seq2Seq(SIZE, width=8, embedding=6, attention=False, **MARKS),
        "transformer": Transformer(SIZE, width=8, heads=2, layers=1, **MARKS),
        "GPT": GPT(GPTConfig.gpt2(SIZE, context=32, width=8, layers=1, heads=2)),
    }
    for model in made.values():
        if isinstance(model, torch.nn.Module):
            model.eval().double()
            for parameter in model.parameters():
                parameter.data *= 4
    return made


@pytest.fixture(params=["RNN", "n-gram", "seq2seq", "fixed vector", "transformer", "GPT"])
def model(request):
    return models()[request.param]


@torch.no_grad()
def all_replies(model, most, stop=(END,), forbidden=(0, 1, 3, 4)):
    """Return (log p, tokens) of every reply of up to ``most`` tokens that ends, read one by one."""
    words = [token for token in range(SIZE) if token not in {*stop, *forbidden}]
    found = []
    for length in range(most + 1):
        for tokens in itertools.product(words, repeat=length):
            nats = model(torch.tensor([[*PROMPT, *tokens]]))[0][0, -length - 1 :].double().log_softmax(-1)
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
    model = models()["seq2seq"]
    found = search(model, width=5**4, max_tokens=4, length_penalty=penalty)
    for candidate in found:
        size = len(candidate.tokens) + candidate.finished
        assert candidate.score == pytest.approx(candidate.log_probability / size**penalty)
    scores = [candidate.score for candidate in found if candidate.finished]
    assert scores == sorted(scores, reverse=True) and len(scores) == 85


def test_a_larger_length_penalty_gives_longer_replies():
    mean = []
    for penalty in (0.0, 2.0):
        found = search(models()["seq2seq"], width=20, max_tokens=8, length_penalty=penalty)
        mean.append(np.mean([len(candidate.tokens) for candidate in found[:5]]))
    assert mean[0] < mean[1]


def test_which_token_closes_does_not_matter():
    model = models()["seq2seq"]
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
    model = models()["seq2seq"].train()
    assert search(model, width=3) == search(model, width=3) and model.training


def test_forbidden_tokens_are_never_said(model):
    found = search(model, width=6, max_tokens=5, forbidden=[0, 1, 3, 4, 5, 6])
    assert {token for candidate in found for token in candidate.tokens} <= {7, 8}


def test_log_probabilities_of_given_replies(model):
    expected = {tuple(tokens): total for total, tokens in all_replies(model, most=2)}
    found = reply_log_probabilities(model, PROMPT, list(expected), [END])
    assert found == pytest.approx(list(expected.values()), abs=1e-5)


def test_reranking_prefers_what_is_likely_here():
    dull, fitting = Candidate([5], -2.0, -2.0), Candidate([6, 7], -3.0, -3.0)
    assert rerank([fitting, dull], [-9.0, -2.5], strength=0.0) == [dull, fitting]
    best, other = rerank([dull, fitting], [-2.5, -9.0], strength=0.5)
    assert best.tokens == [6, 7] and best.score == -3.0 + 4.5 and other.score == -2.0 + 1.25
    assert best.log_probability == -3.0


def test_bad_input_is_refused_in_words():
    model = models()["RNN"]
    with pytest.raises(ValueError, match="nothing to go on from"):
        beam_search(model, [], stop=[END])
    for wrong in ({"width": 0}, {"max_tokens": 0}, {"length_penalty": -1.0}, {"length_penalty": float("nan")}):
        with pytest.raises(ValueError, match="give at least 1, 1 and 0"):
            search(model, **wrong)
    with pytest.raises(ValueError, match="for each of the 1 candidates; got 2 numbers"):
        rerank([Candidate([5], -1.0, -1.0)], [0.0, 1.0])
    for replies, stop in (([[5]], []), ([], [END])):
        with pytest.raises(ValueError, match="one reply at least, and the tokens that may close one"):
            reply_log_probabilities(model, PROMPT, replies, stop)
