"""Rows of words and codes in both orders, batches that hold half of each, and a GPT that learns a tiny world of them."""

import pytest
import torch

from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.models.multimodal import RowBatches, caption_first, picture_first, picture_gpt
from helpers.training import fit
from helpers.training.losses import next_token_loss

CAPTIONS, CODES = ["big sun", "small moon"], torch.tensor([[0, 1, 2], [2, 2, 0]])


@pytest.fixture
def tokenizer():
    return WordsAndCodes(["big", "small", "sun", "moon"], torch.eye(3))


def test_rows_in_both_orders(tokenizer):
    first, second = caption_first(tokenizer, CAPTIONS, CODES), picture_first(tokenizer, CAPTIONS, CODES)
    assert [tokenizer.decode(row, special=True) for row in (first[0], second[1])] == [
        "<caption> big sun <media> ‹0› ‹1› ‹2› <end>",
        "<media> ‹2› ‹2› ‹0› <caption> small moon <end>",
    ]
    assert first.shape == second.shape == (2, 8)
    assert torch.equal(first.sort(dim=1).values, second.sort(dim=1).values)


def test_each_picture_needs_a_caption(tokenizer):
    for order in (caption_first, picture_first):
        with pytest.raises(ValueError, match="1 captions and 2 pictures"):
            order(tokenizer, CAPTIONS[:1], CODES)


def test_half_a_batch_comes_from_each_order_and_no_picture_twice():
    tables = [torch.arange(30)[:, None] * 10 + torch.arange(3) + 1000 * number for number in range(2)]
    batches = RowBatches(*tables, batch_size=20, seed=1)
    for number in (0, 7):
        batch = batches[number]
        assert batch.inputs.shape == batch.targets.shape == (20, 2)
        assert torch.equal(batch.targets[:, 0], batch.inputs[:, 1])
        assert (batch.inputs[:, 0] // 1000).tolist() == [0] * 10 + [1] * 10
        assert len((batch.inputs[:, 0] % 1000).unique()) == 20
    assert torch.equal(batches[3].inputs, RowBatches(*tables, batch_size=20, seed=1)[3].inputs)
    assert not torch.equal(batches[3].inputs, batches[4].inputs)
    assert not torch.equal(batches[3].inputs, RowBatches(*tables, batch_size=20, seed=2)[3].inputs)


def test_tables_that_do_not_fit_are_refused():
    table = torch.zeros(4, 3, dtype=torch.long)
    for tables in ((), (table, table[:3]), (table[0],)):
        with pytest.raises(ValueError, match="all of the same shape"):
            RowBatches(*tables)
    for size in (3, 6):
        with pytest.raises(ValueError, match="a multiple of 2, the number of tables, and at most 4"):
            RowBatches(table, table, batch_size=size)


def test_the_gpt_has_a_score_for_every_id_and_learns_both_orders(tokenizer):
    tables = [order(tokenizer, CAPTIONS * 4, CODES.repeat(4, 1)) for order in (caption_first, picture_first)]
    model = picture_gpt(tokenizer, 8, n_embd=32, n_layer=1, n_head=2, dropout=0.0)
    assert model.context == 8 and model(tables[0])[0].shape == (8, 8, len(tokenizer))
    batches = RowBatches(*tables, batch_size=8)
    fit(model, batches, steps=250, learning_rate=1e-2, progress=False)
    # All that is left to guess is which of the two it is, and which order; the rest of the 7 targets follows.
    assert next_token_loss(model, batches[0]).item() == pytest.approx(0.693 / 7, abs=0.03)
