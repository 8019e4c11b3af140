"""The n-gram model: Kneser–Ney by hand and by dictionaries, sums of one, and a checkpoint that comes back whole."""

import io
import json
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.ngram import NGram

LETTERS = "abcdr"  # "abracadabra" as 0 1 4 0 2 0 3 0 1 4 0
WORD = [LETTERS.index(letter) for letter in "abracadabra"]
streams = st.lists(st.integers(0, 5), min_size=5, max_size=60)


def random_stream(length=3000, tokens=6, seed=0):
    """Tokens that depend on the two before them, so that longer orders have something to learn."""
    rng, ids = np.random.default_rng(seed), [0, 1]
    for _ in range(length - 2):
        ids.append((2 * ids[-1] + ids[-2]) % tokens if rng.random() < 0.7 else int(rng.integers(tokens)))
    return np.array(ids)


def reference(ids, order, vocab_size, discount):
    """Return p(token, context): Kneser and Ney's formula with dictionaries and recursion, slow and plain."""
    grams = [Counter(tuple(ids[i : i + k]) for i in range(len(ids) - k + 1)) for k in range(1, order + 1)]
    counts = [defaultdict(dict) for _ in range(order)]  # counts[k - 1][context][token]
    for k in range(1, order + 1):
        for gram in grams[k - 1]:
            count = grams[-1][gram] if k == order else sum(longer[1:] == gram for longer in grams[k])
            if count:
                counts[k - 1][gram[:-1]][gram[-1]] = count

    def probability(token, context):
        context = tuple(context)[max(0, len(context) - order + 1) :]
        lower = probability(token, context[1:]) if context else 1 / vocab_size
        followed = counts[len(context)].get(context)
        if not followed:
            return lower
        kept = max(followed.get(token, 0) - discount, 0)
        return (kept + discount * len(followed) * lower) / sum(followed.values())

    return probability


def test_one_letter_by_hand():
    model = NGram.count(WORD, 1, len(LETTERS), discount=0.5)  # a 5, b 2, c 1, d 1, r 2: eleven letters, five kinds
    shared = 0.5 * 5 / 5  # what the discount took away, a fifth for each letter
    expected = np.array([4.5, 1.5, 0.5, 0.5, 1.5]) + shared
    np.testing.assert_allclose(np.exp(model.log_probabilities([])), expected / 11, rtol=1e-12)


def test_two_letters_by_hand():
    model = NGram.count(WORD, 2, len(LETTERS), discount=0.5)
    # The seven pairs are ab br ra ac ca ad da: a stands after r, c and d, every other letter after one.
    lower = (np.array([2.5, 0.5, 0.5, 0.5, 0.5]) + 0.5) / 7
    np.testing.assert_allclose(np.exp(model.log_probabilities([])), lower, rtol=1e-12)
    # After a: b twice, c once, d once.
    after_a = (np.array([0, 1.5, 0.5, 0.5, 0]) + 0.5 * 3 * lower) / 4
    np.testing.assert_allclose(np.exp(model.log_probabilities([0])), after_a, rtol=1e-12)
    assert math.exp(model.log_probabilities([0])[1]) == pytest.approx((1.5 + 1.5 / 7) / 4, rel=1e-12)


def test_discounts_are_estimated_per_order():
    model = NGram.count(WORD, 2, len(LETTERS))
    # Pairs: four seen once, three twice, so 4 / (4 + 2 · 3). Letters: none has a count of two, so the usual discount.
    assert model.config == {"order": 2, "vocab_size": 5, "discounts": [0.75, 0.4]}
    assert {type(discount) for discount in model.config["discounts"]} == {float}  # a checkpoint's header is JSON
    assert model.parameter_count() == 7 + 5


def test_order_one_is_the_counts():
    ids = random_stream()
    model = NGram.count(ids, 1, 6, discount=1e-9)
    expected = np.log(np.bincount(ids) / len(ids))
    np.testing.assert_allclose(model.log_probabilities([3, 4]), expected, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(streams, st.integers(1, 5), st.lists(st.integers(0, 5), max_size=6))
def test_dictionaries_give_the_same(ids, order, context):
    probability = reference(ids, order, 6, 0.6)
    expected = [probability(token, context) for token in range(6)]
    result = np.exp(NGram.count(ids, order, 6, discount=0.6).log_probabilities(context))
    np.testing.assert_allclose(result, expected, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(streams, st.integers(1, 5), st.lists(st.integers(0, 7), max_size=6), st.integers(1, 3), st.integers(1, 4))
def test_probabilities_sum_to_one_and_none_is_zero(ids, order, context, minimum, from_order):
    full = NGram.count(ids, order, 8)  # the tokens 6 and 7 are never seen
    for model in (full, full.prune(minimum, from_order), full.prune(2, 1).prune(3, 1)):
        for after in (context, ids[-4:], []):
            probabilities = np.exp(model.log_probabilities(after))
            assert abs(probabilities.sum() - 1) < 1e-9
            assert probabilities.min() > 0


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("order", [1, 2, 5, 9])
def test_a_whole_stream_at_once_is_token_by_token(order, pruned):
    model = NGram.count(random_stream(), order, 7)
    model = model.prune(3, 2) if pruned else model
    ids = np.append(random_stream(200, seed=1), [6, 6, 0])  # 6 was never counted
    expected = [-model.log_probabilities(ids[:i].tolist())[ids[i]] for i in range(1, len(ids))]
    np.testing.assert_allclose(model.negative_log_likelihood(ids), expected, rtol=1e-12)
    np.testing.assert_allclose(model.negative_log_likelihood(ids[:3]), expected[:2], rtol=1e-12)
    assert model.negative_log_likelihood(ids[:1]).shape == (0,)


def test_a_nine_gram_of_the_largest_tokens_fits():
    ids = [127] * 12 + [126]
    model = NGram.count(ids, 9, 128, discount=0.5)
    assert model.tables[-1].keys.tolist() == [2**63 - 2, 2**63 - 1]  # 126 last, then 127 nine times
    probability = reference(ids, 9, 128, 0.5)
    expected = [probability(token, [127] * 8) for token in range(128)]
    np.testing.assert_allclose(np.exp(model.log_probabilities([127] * 20)), expected, rtol=1e-12)


@pytest.mark.parametrize("vocab_size", [128, 129, 2048, 32_768])
def test_many_tokens_are_counted_as_few_are(vocab_size):
    few = random_stream()
    many = few * ((vocab_size - 1) // 5)  # the same stream with other, larger numbers
    kept = []
    for model, ids in [(NGram.count(few, 4, 6, discount=0.5), few),
                       (NGram.count(many, 4, vocab_size, discount=0.5), many)]:  # fmt: skip
        model = NGram.from_tensors(model.prune(2, 3).tensors(), model.config)
        kept.append((model.negative_log_likelihood(ids), model.parameter_count()))
        alone = [-model.log_probabilities(ids[:i].tolist())[ids[i]] for i in (1, 2, 3, 50)]
        np.testing.assert_allclose(kept[-1][0][[0, 1, 2, 49]], alone, rtol=1e-12)
    assert kept[0][1] == kept[1][1]
    probability = reference(many, 2, vocab_size, 0.5)
    got = NGram.count(many, 2, vocab_size, discount=0.5).log_probabilities([int(many[5])])
    np.testing.assert_allclose(
        np.exp(got[many[:6]]), [probability(int(t), [int(many[5])]) for t in many[:6]], rtol=1e-12
    )
    assert np.exp(got).sum() == pytest.approx(1)


def test_a_longer_order_knows_its_training_data_better():
    ids = random_stream()
    nats = [NGram.count(ids, order, 6).negative_log_likelihood(ids).mean() for order in range(1, 7)]
    assert nats == sorted(nats, reverse=True)
    assert nats[2] < nats[1] - 0.3  # the token two places back decides
    assert nats[-1] < nats[0] - 0.8


@pytest.mark.parametrize("kind", [np.uint8, np.int64, torch.int16, list])
def test_every_kind_of_stream_counts_alike(kind):
    ids = random_stream(300)
    same = ids.tolist() if kind is list else torch.tensor(ids, dtype=kind) if kind == torch.int16 else ids.astype(kind)
    expected = NGram.count(ids, 4, 6)
    model = NGram.count(same, 4, 6)
    assert model.config == expected.config
    assert [t.counts.tolist() for t in model.tables] == [t.counts.tolist() for t in expected.tables]
    np.testing.assert_array_equal(model.negative_log_likelihood(same), expected.negative_log_likelihood(ids))


def test_counting_leaves_the_stream_as_it_is():
    for order in (1, 3):
        ids = random_stream(100)
        NGram.count(ids, order, 6)
        np.testing.assert_array_equal(ids, random_stream(100))


@pytest.mark.parametrize("order", [1, 4])
def test_one_by_one_is_all_at_once(order):
    model = NGram.count(random_stream(), order, 6)
    ids = torch.tensor(random_stream(40, seed=2).reshape(2, 20))
    logits, end = model(ids)
    assert logits.shape == (2, 20, 6)
    assert logits.dtype == torch.float32
    np.testing.assert_allclose(logits[1, 9], model.log_probabilities(ids[1, :10]), rtol=1e-6)
    state, pieces = None, []
    for column in ids.split(1, dim=1):
        piece, state = model(column, state)
        pieces.append(piece)
    assert torch.equal(torch.cat(pieces, dim=1), logits)
    assert state == end == [tuple(row[20 - order + 1 :]) for row in ids.tolist()]
    kept = list(end)
    model(ids[:, :7], end)
    assert end == kept  # a state can be gone on from twice
    nothing, state = model(ids[:, :0], end)
    assert nothing.shape == (2, 0, 6) and state == end


def test_pruning_by_hand():
    model = NGram.count(WORD, 2, len(LETTERS), discount=0.5).prune(2, from_order=2)
    assert model.parameter_count() == 3 + 5  # of the seven pairs, ab, br and ra were seen twice
    lower = np.exp(model.log_probabilities([]))
    # After a, c and d are left out: their two counts of four go to the order below, with b's discount.
    expected = (np.array([0, 1.5, 0, 0, 0]) + (0.5 + 2) * lower) / 4
    np.testing.assert_allclose(np.exp(model.log_probabilities([0])), expected, rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.log_probabilities([2])), lower, rtol=1e-12)  # ca was all that c had


def test_pruning_twice_is_pruning_once():
    model = NGram.count(random_stream(), 5, 6)
    once, twice = model.prune(4, 3), model.prune(2, 3).prune(4, 3)
    assert once.parameter_count() == twice.parameter_count() < model.prune(2, 3).parameter_count()
    for table in (4, 5):
        assert once.tables[table - 1].counts.min() >= 4
    assert once.tables[1] is model.tables[1]
    ids = random_stream(seed=3)
    np.testing.assert_allclose(once.negative_log_likelihood(ids), twice.negative_log_likelihood(ids), rtol=1e-12)


@pytest.mark.parametrize("minimum", [1, 2, 10**6])
def test_a_checkpoint_comes_back_whole(minimum):
    model = NGram.count(random_stream(), 9, 6).prune(minimum, 1 if minimum > 2 else 4)
    tensors, config = model.tensors(), json.loads(json.dumps(model.config))
    assert {(array.dtype, array.ndim) for array in tensors.values()} == {(np.dtype(np.uint8), 1)}
    assert all(array.flags.c_contiguous for array in tensors.values())
    again = NGram.from_tensors({name: torch.tensor(array) for name, array in tensors.items()}, config)
    assert again.config == model.config
    assert again.parameter_count() == model.parameter_count()
    ids = random_stream(seed=4)
    np.testing.assert_array_equal(again.negative_log_likelihood(ids), model.negative_log_likelihood(ids))


def rewritten(tensors, change):
    """Return the tensors of a checkpoint with the arrays in its compressed file changed."""
    arrays, file = dict(np.load(io.BytesIO(tensors["counts.npz"].tobytes()))), io.BytesIO()
    change(arrays)
    np.savez_compressed(file, **arrays)
    return {"counts.npz": np.frombuffer(file.getvalue(), np.uint8)}


def test_other_checkpoints_are_refused():
    model = NGram.count(WORD, 2, 5)
    tensors, config = model.tensors(), model.config
    fewer = rewritten(tensors, lambda arrays: arrays.update({"2.counts": arrays["2.counts"][:, :-1]}))
    without = rewritten(tensors, lambda arrays: arrays.pop("1.keys"))
    cut, noise = ({"counts.npz": part} for part in (tensors["counts.npz"][:-40], np.full(99, 7, np.uint8)))
    pairs = [(wrong, config) for wrong in (fewer, without, cut, noise, {})]
    for wrong, settings_ in [*pairs, (tensors, {}), (tensors, {**config, "order": 1})]:
        with pytest.raises(ValueError, match="not the checkpoint of an n-gram model"):
            NGram.from_tensors(wrong, settings_)


def test_a_checkpoint_is_small():
    model = NGram.count(random_stream(30_000, tokens=50), 4, 50)
    (data,) = model.tensors().values()
    assert data.nbytes < 4 * model.parameter_count()  # as arrays of int64 keys and int32 counts it would be 12


def test_the_file_holds_the_bytes_of_equal_weight_side_by_side():
    arrays = np.load(io.BytesIO(NGram.count([1, 2] * 150, 1, 5).tensors()["counts.npz"].tobytes()))
    assert arrays["1.counts"].tolist() == [[150, 150], [0, 0], [0, 0], [0, 0]]
    assert arrays["1.keys"].tolist() == [[1, 1], *[[0, 0]] * 7]  # steps from 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((WORD, 0, 5), "order 0 is not possible: choose 1 to 9"),
        ((WORD, 10, 5), "order 10 is not possible"),
        ((WORD, 2, 32_769), "32769 tokens are not possible: take 1 to 32,768"),
        ((WORD, 8, 129), "order 8 is not possible with 129 tokens: choose 1 to 7"),
        ((WORD, 5, 8192), "order 5 is not possible with 8,192 tokens: choose 1 to 4"),
        ((WORD, 2, 4), "no token has the number 4; this vocabulary has 0 to 3"),
        (([0, -1], 2, 4), "no token has the number -1"),
        (([], 2, 4), "the stream is empty"),
        (([1, 2], 3, 4), "2 tokens has no n-gram of order 3"),
        (([0.5, 1.0], 1, 4), "whole numbers"),
        (([WORD], 1, 5), "one row"),
        ((WORD, 2, 5, 0.0), "discount 0.0 is not possible"),
        ((WORD, 2, 5, 1.5), "discount 1.5 is not possible"),
    ],
)
def test_what_cannot_be_counted_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NGram.count(*arguments)


def test_what_cannot_be_read_is_refused():
    for order in (1, 3):
        model = NGram.count(WORD, order, 5)
        with pytest.raises(ValueError, match="no token has the number 5"):
            model.negative_log_likelihood([0, 5])
        with pytest.raises(ValueError, match="no token has the number 5"):
            model(torch.tensor([[0, 5]]))
    with pytest.raises(ValueError, match="no token has the number 5"):
        model.log_probabilities([0, 5])
    with pytest.raises(ValueError, match="1 rows and ids have 2"):
        model(torch.zeros(2, 1, dtype=torch.int64), [(0, 1)])
    with pytest.raises(ValueError, match="the stream is empty"):
        model.negative_log_likelihood([])
    with pytest.raises(ValueError, match="must be 1 or more"):
        model.prune(0)
