"""Triggers: read after a cache as read whole, found tokens that are the tokens of their text, and a control of equal cost."""

import numpy as np
import pytest
import torch

from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.robustness.triggers import TriggerSearch, find_trigger, random_trigger, survives, trigger_prompts
from tests import factories

CONTEXTS = [["how are you"], ["hello there", "the soup is fine"], ["what is it", "fish", "so the fish?"]]


@pytest.fixture(scope="module")
def bpe():
    texts = ["how are you what is the soup", "hello there the fish is fine", "what what the the so so you"] * 9
    return BPETokenizer.train(texts, 300)


@pytest.fixture(scope="module")
def model(bpe):
    return factories.gpt(len(bpe), std=0.4, context=48, zero_output=False, bigram_rows=31, dropout=0.5)


@pytest.fixture
def search(model, bpe):
    return TriggerSearch(model, bpe, CONTEXTS, bpe.encode("what")[0])


def test_prompts_are_all_but_the_trigger(bpe):
    prompts = trigger_prompts(bpe, CONTEXTS)
    for row, padding, speaker, context in zip(prompts.ids, prompts.padding, prompts.speakers, CONTEXTS):
        ids = [bpe.end]
        for place, text in enumerate(context):
            ids += [bpe.speaker("AB"[place % 2]), *bpe.encode(text)]
        assert row[padding:].tolist() == ids and row[:padding].eq(bpe.pad).all()
        assert speaker == bpe.speaker("AB"[len(context) % 2])
    assert prompts.padding.min() == 0
    for bad in ([], [["hello"], []], ["hello"]):
        for function in (trigger_prompts, lambda bpe, contexts: survives(bpe, contexts, [9])):
            with pytest.raises(ValueError, match="give one context at least"):
                function(bpe, bad)


def test_the_probability_is_that_of_the_text_read_whole(search, model, bpe):
    trigger = bpe.encode(" the soup what")
    found = search.probabilities(trigger)
    for row, context in enumerate(CONTEXTS):
        ids = [bpe.end]
        for place, text in enumerate([*context[:-1], context[-1] + bpe.decode(trigger)]):
            ids += [bpe.speaker("AB"[place % 2]), *bpe.encode(text)]
        with torch.no_grad():
            whole = model(torch.tensor([[*ids, bpe.speaker("AB"[len(context) % 2])]]))[0][0, -1].softmax(-1)
        assert found[row] == pytest.approx(float(whole[search.target]), rel=1e-4)
    assert search.calls == 1 and search.probabilities([]).shape == (3,)


def test_retokenized_tokens_must_be_the_same(bpe):
    whole = bpe.encode("what")
    assert len(whole) == 1 and survives(bpe, CONTEXTS, bpe.encode(" what the")).tolist() == [True] * 3
    letters = [bpe.encode(letter)[0] for letter in "what"]
    assert bpe.decode(letters) == "what" and not survives(bpe, CONTEXTS, letters).any()
    # A token that melts into the end of one of the messages does not survive there.
    assert survives(bpe, [["so?"], ["what", "so wh"]], bpe.encode("at")).tolist() == [True, False]


def test_the_gradient_is_that_of_the_mean_log_probability(search, model, bpe):
    trigger = bpe.encode(" the soup")[:3]
    model.train()
    gradient = search.gradient(trigger)
    assert gradient.shape == (len(trigger), 16) and model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    torch.testing.assert_close(search.gradient(trigger), gradient)
    model.eval()
    step, values = 1e-3, []
    for sign in (1, -1):

        def nudge(module, inputs, output, sign=sign):
            output = output.clone()
            output[:, 1, 4] += sign * step
            return output

        handle = model.embed.register_forward_hook(nudge)
        values.append(search.score(trigger))
        handle.remove()
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(float(gradient[1, 4]), rel=0.05, abs=1e-4)


def test_the_search_finds_more_than_chance_of_equal_cost(search, bpe):
    found = find_trigger(search, rounds=2, tries=8)
    assert found.calls == search.calls and len(found.tokens) == 3 and found.text == bpe.decode(found.tokens)
    assert survives(bpe, CONTEXTS, found.tokens).all()
    assert found.score == pytest.approx(search.score(found.tokens)) and set(found.tokens) <= set(
        search.candidates().tolist()
    )
    start = search.score((bpe.encode(" the") * 3)[:3])
    chance = random_trigger(search, found.calls)
    assert found.score > start and found.score > chance.score - 0.3 and chance.calls == found.calls
    assert survives(bpe, CONTEXTS, chance.tokens).all()
    assert chance == random_trigger(search, found.calls) != random_trigger(search, found.calls, seed=1)


def test_candidates_that_do_not_survive_are_never_asked(search, monkeypatch):
    asked = []
    monkeypatch.setattr(search, "survives", lambda trigger: trigger[1] % 2 == 0)
    monkeypatch.setattr(search, "score", lambda trigger: asked.append(trigger) or float(np.sum(trigger)))
    found = find_trigger(search, rounds=1, tries=5)
    assert all(trigger[1] % 2 == 0 for trigger in asked[1:]) and len(asked) <= 16
    assert found.score == max(np.sum(trigger) for trigger in asked)
    asked.clear()
    random_trigger(search, 9)
    assert len(asked) == 9 and all(trigger[1] % 2 == 0 for trigger in asked)


def test_bad_input_is_told(model, bpe, search):
    with pytest.raises(ValueError, match="length is 0"):
        TriggerSearch(model, bpe, CONTEXTS, 9, length=0)
    with pytest.raises(ValueError, match="the model sees 48: leave it out"):
        TriggerSearch(model, bpe, [["q" * 60]], 9)
    with pytest.raises(ValueError, match="calls is 0"):
        random_trigger(search, 0)
