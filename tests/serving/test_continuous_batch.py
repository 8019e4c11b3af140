"""A batch that requests join and leave at any step: every reply is what it would have been alone."""

from collections import deque

import pytest
import torch

from helpers.generation.sampling import distribution, generate
from helpers.serving.continuous_batch import ContinuousBatch, OneAtATime, join_caches, keep_rows
from tests import factories

PROMPTS = [[1, 5, 9], [2, 7, 3, 8, 4, 6], [3, 11], [4, 4, 2, 9], [5, 1, 13, 6, 2], [8, 8]]
LENGTHS = [4, 9, 1, 6, 3, 7]


def gpt(recipe="modern"):
    return factories.gpt(recipe=recipe, zero_output=False, std=0.6, bigram_rows=31)


class Request:
    def __init__(self, ids, length, seed, temperature=0.8):
        self.ids, self.length, self.tokens, self.temperature = ids, length, [], temperature
        self.rng = torch.Generator().manual_seed(seed)

    done = property(lambda self: len(self.tokens) >= self.length)
    last = property(lambda self: (self.tokens or self.ids)[-1])

    def push(self, logits):
        assert not self.done
        probabilities = distribution(logits.float(), self.temperature)
        self.tokens.append(int(torch.multinomial(probabilities, 1, generator=self.rng)))


class Counted:
    def __init__(self, model):
        self.model, self.rows = model, []

    def __call__(self, ids, state=None):
        self.rows += [len(ids)] if state is not None else []
        return self.model(ids, state)

    def parameters(self):
        return self.model.parameters()


def alone(model, number):
    settings = {"max_tokens": LENGTHS[number], "temperature": 0.8, "seed": number}
    return list(generate(model, PROMPTS[number], **settings))


@pytest.mark.parametrize("recipe", ["modern", "gpt2"])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_batched_is_alone_token_for_token(recipe, size):
    model = gpt(recipe)
    requests = [Request(ids, length, seed) for seed, (ids, length) in enumerate(zip(PROMPTS, LENGTHS))]
    batch, waiting, coming, steps = ContinuousBatch(model, size), deque(), list(requests), 0
    while not all(request.done for request in requests):
        waiting += [coming.pop(0)] if coming else []  # one more comes with each step
        batch.step(waiting)
        steps += 1
        assert len(batch.running) <= size and steps < 60
    assert [request.tokens for request in requests] == [alone(model, number) for number in range(6)]


def test_a_row_is_given_on_as_soon_as_it_is_free():
    counted = Counted(gpt())
    requests = [Request(ids, length, 0) for ids, length in zip(PROMPTS, [2, 5, 3, 1, 4])]
    batch, waiting = ContinuousBatch(counted, 2), deque(requests)
    for _ in range(12):
        batch.step(waiting)
    assert counted.rows == [2, 2, 2, 2, 2, 2, 1, 1, 1] and not batch.running and batch.cache is None


def test_nobody_costs_nothing():
    counted = Counted(gpt())
    ContinuousBatch(counted).step(deque())
    assert counted.rows == []


def test_joined_caches_are_padded_at_their_beginnings_and_cut_again():
    model = gpt()
    caches = [model(torch.tensor([ids]))[1] for ids in PROMPTS[:3]]
    joined = join_caches([join_caches(caches[:2]), caches[2]])
    assert joined.length == 6 and joined.padding.tolist() == [3, 0, 4] and joined.last.tolist() == [9, 6, 11]
    short = keep_rows(joined, [2, 0])
    assert short.length == 3 and short.padding.tolist() == [1, 0] and short.last.tolist() == [11, 9]
    torch.testing.assert_close(short.keys[1][1:], caches[0].keys[1], rtol=0, atol=0)
    assert caches[0].padding is None and caches[0].length == 3  # nothing that was given has changed


def test_what_cannot_be_a_cache():
    with pytest.raises(ValueError, match="no cache to join"):
        join_caches([])
    with pytest.raises(ValueError, match="no row is kept"):
        keep_rows(join_caches([gpt()(torch.tensor([[1, 2]]))[1]]), [])


def test_another_model_answers_one_at_a_time_the_same():
    model = gpt()
    batch, request = OneAtATime(model), Request(PROMPTS[1], LENGTHS[1], 1)
    batch.join(request)
    while not request.done:
        batch.advance()
    batch.leave()
    assert request.tokens == alone(model, 1) and not batch.running
