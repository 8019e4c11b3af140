"""A stream cut into batches: rows that go on, passes that begin elsewhere, nothing left out."""

import pytest
import torch

from helpers.corpus.batches.token_stream import StreamBatches, WindowBatches, stream
from helpers.corpus.tokenizers.base import SPECIAL
from helpers.corpus.tokenizers.characters import CharTokenizer
from tests.factories import conversation as talk

NUMBERS = torch.arange(103, dtype=torch.int16)  # a stream in which every token says where it stands


def test_a_stream_has_an_end_before_between_and_after():
    tokenizer = CharTokenizer("abc")
    ids = stream([talk("ab", "c"), talk("c")], tokenizer)
    assert tokenizer.decode(ids, special=True) == "<end><A>ab<B>c<end><A>c<end>"
    assert ids.dtype == torch.int16


@pytest.mark.parametrize(("size", "dtype"), [(1 << 15, torch.int16), ((1 << 15) + 1, torch.int32)])
def test_the_last_token_of_a_large_vocabulary_comes_back(size, dtype):
    tokenizer = CharTokenizer(map(chr, range(0x10000, 0x10000 + size - len(SPECIAL))))
    assert len(tokenizer) == size
    last = tokenizer.characters[-1]
    ids = stream([talk(last * 20)], tokenizer)
    assert ids.dtype == dtype and tokenizer.decode(ids) == last * 20
    for batches in (StreamBatches(ids, 2, 4), WindowBatches(ids, 2, 4)):
        assert batches[0].inputs.max() == size - 1 and batches[0].targets.dtype == torch.int64


def test_no_conversation_makes_no_stream():
    with pytest.raises(ValueError, match="no conversation"):
        stream([], CharTokenizer("abc"))


def test_targets_are_the_inputs_one_token_later():
    batches = StreamBatches(NUMBERS, batch_size=3, context=5)
    for number in range(3 * len(batches)):
        inputs, targets, _ = batches[number]
        assert inputs.shape == targets.shape == (3, 5) and inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(targets, (inputs + 1) % len(NUMBERS))
        assert torch.equal(targets[:, :-1], inputs[:, 1:])


def test_each_row_goes_on_where_it_stopped_and_only_a_new_pass_is_marked():
    batches = StreamBatches(NUMBERS, batch_size=3, context=5)
    assert len(batches) == (102 // 3) // 5
    for number in range(1, 2 * len(batches)):
        before, batch = batches[number - 1], batches[number]
        goes_on = torch.equal(batch.inputs[:, 0], before.targets[:, -1])
        assert goes_on == (number != len(batches)) == (not batch.first)
    assert batches[0].first


def test_passes_and_seeds_begin_elsewhere():
    batches = StreamBatches(NUMBERS, 3, 5)
    starts = {int(batches[turn * len(batches)].inputs[0, 0]) for turn in range(8)}
    assert len(starts) > 4
    assert len({int(StreamBatches(NUMBERS, 3, 5, seed)[0].inputs[0, 0]) for seed in range(8)}) > 4


def test_a_pass_reads_nothing_twice_and_a_few_passes_read_everything():
    batches = StreamBatches(NUMBERS, batch_size=4, context=6)
    one = torch.cat([batches[number].inputs.flatten() for number in range(len(batches))])
    assert len(set(one.tolist())) == len(one) == len(batches) * 4 * 6
    assert len(one) > len(NUMBERS) - 4 * 6 - 4  # less than a window a row is left for the next pass
    several = torch.cat([batches[number].targets.flatten() for number in range(6 * len(batches))])
    assert set(several.tolist()) == set(NUMBERS.tolist())


def test_the_shortest_stream_that_is_long_enough():
    assert len(StreamBatches(NUMBERS[:16], batch_size=3, context=5)) == 1
    with pytest.raises(ValueError, match="15 tokens are too few for 3 rows of 5 tokens: take a smaller"):
        StreamBatches(NUMBERS[:15], batch_size=3, context=5)


# --- windows, shuffled ------------------------------------------------------------------------------------------------


def test_windows_hold_what_stands_side_by_side_and_targets_are_one_later():
    batches = WindowBatches(NUMBERS, batch_size=3, context=5)
    for number in range(2 * len(batches)):
        inputs, targets, first = batches[number]
        assert inputs.shape == targets.shape == (3, 5) and inputs.dtype == torch.int64 and first
        assert torch.equal(targets, inputs + 1)
        assert torch.equal(inputs[:, 1:], targets[:, :-1])


def test_a_pass_of_windows_repeats_nothing_and_is_shuffled():
    batches = WindowBatches(NUMBERS, batch_size=3, context=5)
    starts = torch.cat([batches[number].inputs[:, 0] for number in range(len(batches))])
    assert len(starts.unique()) == len(starts) == 18
    assert len((starts % 5).unique()) == 1  # windows of one pass follow each other
    assert not torch.equal(starts, starts.sort().values)


def test_passes_of_windows_cut_elsewhere_and_in_another_order():
    batches = WindowBatches(NUMBERS, 3, 5)
    cuts = {int(batches[turn * len(batches)].inputs[0, 0]) % 5 for turn in range(12)}
    assert len(cuts) > 2


def test_windows_never_run_over_the_end():
    batches = WindowBatches(NUMBERS, 2, 5)
    assert max(int(batches[number].targets.max()) for number in range(200 * len(batches))) <= 102
    with pytest.raises(ValueError, match="16 tokens are too few for 3 rows of 5"):
        WindowBatches(NUMBERS[:16], 3, 5)
