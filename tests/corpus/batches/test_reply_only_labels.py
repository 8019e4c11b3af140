"""Rows of whole turns: every reply is a label once, what came before it is read, and nothing else counts."""

import numpy as np
import pytest

from helpers.corpus.batches.reply_only_labels import ReplyBatches, Row, reply_labels, reply_rows
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.training import next_token_loss
from tests.factories import conversation as talk
from tests.factories import gpt

TOKENIZER = CharTokenizer("abcdefgh")


def shown(row: Row) -> str:
    """The row as text, with the labels in capitals and each special token as one sign."""
    signs = {TOKENIZER.end: ".", TOKENIZER.speaker("A"): "1", TOKENIZER.speaker("B"): "2", TOKENIZER.pad: "_"}
    text = ""
    for number, counted in zip(row.ids.tolist(), row.mask.tolist()):
        sign = signs.get(number) or TOKENIZER.decode([number])
        text += (sign.upper() if sign.isalpha() else {"1": "I", "2": "Z", ".": "!"}[sign]) if counted else sign
    return text


def test_a_short_conversation_is_one_row_and_all_that_is_said_counts():
    assert [shown(row) for row in reply_rows([talk("ab", "c")], TOKENIZER, 16)] == [".1ABZCI".replace("ZCI", "ZC!")]


def test_one_speaker_alone_counts_with_the_token_that_closes_the_turn():
    rows = reply_rows([talk("ab", "c", "d")], TOKENIZER, 16, speaker="B")
    assert [shown(row) for row in rows] == [".1ab2CId."]


def test_a_long_conversation_goes_on_with_earlier_turns_that_are_read_again():
    rows = reply_rows([talk("aa", "bb", "cc", "dd", "ee")], TOKENIZER, 11)
    # Ten tokens and <end>: three turns and what closes them; then at most half a row, one turn, is read again.
    assert [shown(row) for row in rows] == [".1AAZBBICCZ", ".1cc2DDIEE!"]
    assert all(len(row.ids) <= 12 for row in rows)


def test_every_reply_is_a_label_exactly_once():
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("abcdefgh"), random.integers(1, 9))) for _ in range(60)]
    rows = reply_rows([talk(*texts)], TOKENIZER, 32)
    labels = np.concatenate([row.ids[row.mask] for row in rows])
    whole = np.array(TOKENIZER.encode_conversation(talk(*texts)))[1:]  # nobody foresees who begins
    assert labels.tolist() == whole.tolist()
    assert all(len(row.ids) <= 33 and row.ids[0] == TOKENIZER.end and not row.mask[0] for row in rows)


def test_a_turn_longer_than_a_row_is_cut_at_its_end():
    (row,) = reply_rows([talk("abcdefgh" * 4)], TOKENIZER, 8)
    assert shown(row) == ".1ABCDEFG"


def test_labels_by_hand():
    # 1 opens a turn of A, 2 one of B, 9 ends the conversation; B chose 6, 7, then 1 to stop, and 4, then 9.
    ids = [9, 1, 5, 2, 6, 7, 1, 8, 2, 4, 9]
    assert reply_labels(ids, 2, (1, 9)) == [-100, -100, -100, 6, 7, 1, -100, -100, 4, 9]
    assert reply_labels(ids, 1, (2, 9)) == [-100, 5, 2, -100, -100, -100, 8, 2, -100, -100]


@pytest.mark.parametrize("context", [8, 12, 64])
def test_rows_with_labels_by_a_function_are_those_without(context):
    talks = [talk("ab", "c"), talk(*["abc", "d"] * 5), talk("a" * 30, "b" * 30)]
    for speaker in "AB":
        plain = reply_rows(talks, TOKENIZER, context, speaker)
        with_function = reply_rows(talks, TOKENIZER, context, speaker, reply_labels)
        for one, other in zip(plain, with_function, strict=True):
            assert one.ids.tolist() == other.ids.tolist() and one.mask.tolist() == other.mask.tolist()


def test_batches_hold_every_row_once_a_pass():
    rows = reply_rows([talk("ab" * n, "c") for n in range(1, 12)], TOKENIZER, 32)
    batches = ReplyBatches(rows, 4, seed=3, pad=TOKENIZER.pad)
    labels = sum(int((batches[number].targets >= 0).sum()) for number in range(3))
    assert len(batches) == 3 and labels == sum(int(row.mask.sum()) for row in rows)


def test_targets_are_the_next_token_where_they_count():
    rows = reply_rows([talk("ab", "c"), talk("d", "e")], TOKENIZER, 16, speaker="B")
    batch = ReplyBatches(rows, 2, pad=TOKENIZER.pad)[0]
    a, b, c, d, e = TOKENIZER.encode("abcde")
    first, second, end, none = TOKENIZER.speaker("A"), TOKENIZER.speaker("B"), TOKENIZER.end, -100
    assert sorted(zip(batch.inputs.tolist(), batch.targets.tolist())) == [
        ([end, first, a, b, second, c], [none, none, none, none, c, end]),
        ([end, first, d, second, e, end], [none, none, none, e, end, none]),
    ]


def test_padding_and_what_is_not_counted_do_not_touch_the_loss():
    model = gpt(len(TOKENIZER), "gpt2", n_layer=1)
    short, long = talk("ab", "c"), talk("abcabcabc", "d")
    rows = reply_rows([short, long], TOKENIZER, 32, speaker="B")
    both = ReplyBatches(rows, 2, pad=TOKENIZER.pad)[0]
    single = [next_token_loss(model, ReplyBatches([row], 1, pad=TOKENIZER.pad)[0]).item() for row in rows]
    # Each has two labels, the letter and <end>: the mean over both rows is the mean of the two.
    assert next_token_loss(model, both).item() == pytest.approx(sum(single) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: reply_rows([], TOKENIZER), "no turn to learn from"),
        (lambda: reply_rows([talk()], TOKENIZER), "no turn to learn from"),
        (lambda: reply_rows([talk("a")], TOKENIZER, speaker="B"), "no turn of speaker 'B'"),
        (lambda: reply_rows([talk("a")], TOKENIZER, context=7), "context is 7"),
        (lambda: reply_rows([talk("a")], TOKENIZER, labels=reply_labels), "labels belong to one speaker"),
    ],
)
def test_wrong_input_is_answered(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
