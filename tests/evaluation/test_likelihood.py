"""Surprise: equal to a computation by hand, the same side by side as one by one, and honest about unknown characters."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.evaluation import likelihood as measured
from helpers.evaluation.likelihood import by_word, conversation_nats, reply_bits, reply_bits_per_byte, surprisal
from helpers.evaluation.text_metrics import bits_per_byte
from helpers.models.ngram import NGram
from helpers.models.rnn import CharRNN
from tests.factories import conversation, gpt, rnn, seq2seq

TOKENIZER = CharTokenizer("ab ")
PAD, UNKNOWN, END, A, B, OTHER, a, b, SPACE = range(9)
DEARER = math.log(1_114_112 - 3)


class Halves:
    """After "a", "b" has probability 3/4 and "a" 1/4; after everything else, "a" 1/2, "b" 1/4, <unknown> and space 1/8."""

    def __init__(self):
        self.read = []

    def __call__(self, ids, state=None):
        self.read += ids[0].tolist()
        logits = torch.full((*ids.shape, 9), -torch.inf)
        logits[..., [a, b, UNKNOWN, SPACE]] = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8]).log()
        logits[ids == a] = torch.full((9,), -torch.inf)
        logits[ids == a, a], logits[ids == a, b] = math.log(1 / 4), math.log(3 / 4)
        return logits, state


def some_conversations():
    random = np.random.default_rng(5)
    lengths = [3, 700, 40, 41, 1100, 12, 90, 1, *range(20, 60)]
    return [conversation("".join(random.choice(list("ab é"), n)), "ab", "b a" * (n % 3)) for n in lengths]


def network(kind="lstm", dropout=0.0, n_layer=1):
    return rnn(len(TOKENIZER), seed=3, kind=kind, n_layer=n_layer, dropout=dropout)


def counted():
    return NGram.count([END, A, a, b, SPACE, a, b, B, b, b, UNKNOWN, a, END] * 3, 3, len(TOKENIZER))


def test_bits_by_hand():
    model = Halves()
    tokens, bits = surprisal(model, TOKENIZER, "ab a")
    assert tokens == ["a", "b", " ", "a"]
    assert bits == pytest.approx([1, math.log2(4 / 3), 3, 1])
    assert bits.dtype == np.float64
    assert model.read == [END, A, a, b, SPACE]  # the last character is guessed, not read


def test_the_context_is_read_with_its_speakers_and_the_next_one_speaks():
    for context, before in [(["b"], [A, b, B]), (["b", "a"], [A, b, B, a, A])]:
        model = Halves()
        surprisal(model, TOKENIZER, "ab", context)
        assert model.read == [END, *before, a]


def test_an_unknown_character_also_pays_for_which_one_it_is():
    tokens, bits = surprisal(Halves(), TOKENIZER, "é😀")
    assert tokens == ["é", "😀"]  # as written, not as the model sees them
    assert bits == pytest.approx([3 + DEARER / math.log(2)] * 2)


def test_an_empty_text_has_no_bits_and_a_context_is_a_list():
    for model in (Halves(), counted(), network()):
        tokens, bits = surprisal(model, TOKENIZER, "", ["a"])
        assert tokens == [] and bits.shape == (0,)
    with pytest.raises(TypeError, match=r"context=\['hello'\]"):
        surprisal(Halves(), TOKENIZER, "a", "hello")


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_a_long_text_is_read_in_windows_as_if_in_one_go(kind):
    model, text = network(kind), "ab ba " * 200
    _, bits = surprisal(model, TOKENIZER, text)
    ids = torch.tensor([[END, A, *TOKENIZER.encode(text)]])
    with torch.no_grad():
        expected = -model(ids[:, :-1])[0].log_softmax(-1)[0, torch.arange(1201), ids[0, 1:]] / math.log(2)
    assert bits == pytest.approx(expected[1:].numpy(), rel=1e-5)


def test_dropout_is_off_while_measuring_and_the_mode_is_put_back():
    model = network(dropout=0.5, n_layer=2)
    first, second = (surprisal(model, TOKENIZER, "ab ba")[1] for _ in range(2))
    assert (first == second).all() and model.training
    assert (surprisal(model.eval(), TOKENIZER, "ab ba")[1] == first).all() and not model.training
    with pytest.raises(ValueError, match="stop"), measured.evaluating(model.train()):
        raise ValueError("stop")
    assert model.training and torch.is_grad_enabled()


def test_the_counted_model_gives_the_same_through_both_of_its_doors():
    model = counted()
    _, bits = surprisal(model, TOKENIZER, "ab bé", ["ba"])
    _, called = surprisal(lambda ids, state=None: model(ids, state), TOKENIZER, "ab bé", ["ba"])
    assert bits == pytest.approx(called, rel=1e-5)


@pytest.mark.parametrize("model", [network("gru"), network("lstm"), counted()], ids=["gru", "lstm", "ngram"])
def test_side_by_side_is_the_same_as_one_by_one(model):
    together, size = conversation_nats(model, TOKENIZER, iter(some_conversations()))
    alone = [conversation_nats(model, TOKENIZER, [one]) for one in some_conversations()]
    assert together == pytest.approx(sum(nats for nats, _ in alone), rel=1e-6)
    assert size == sum(bytes_ for _, bytes_ in alone)


def test_at_most_32_rows_and_512_tokens_are_read_at_once_and_few_rows_of_a_large_vocabulary(monkeypatch):
    shapes = []

    class Watched(CharRNN):
        def forward(self, ids, state=None):
            shapes.append(tuple(ids.shape))
            return super().forward(ids, state)

    torch.manual_seed(3)
    model = Watched(len(TOKENIZER), hidden_size=4, embedding_size=2)
    usual, _ = conversation_nats(model, TOKENIZER, some_conversations())
    assert max(rows for rows, _ in shapes) == 32 and max(length for _, length in shapes) == 512
    assert len(shapes) < len(some_conversations())
    assert [rows for rows, _ in shapes[:3]] == [32, 2, 1]  # rows that have ended are read no further
    shapes.clear()
    monkeypatch.setattr(measured, "MOST_LOGITS", 3 * 512 * len(TOKENIZER))
    assert conversation_nats(model, TOKENIZER, some_conversations())[0] == pytest.approx(usual, rel=1e-6)
    assert max(rows for rows, _ in shapes) == 3


def test_every_token_of_a_conversation_is_paid_for():
    model = network()
    ids = torch.tensor([[END, A, a, UNKNOWN, B, b, END]])
    with torch.no_grad():
        scores = model(ids[:, :-1])[0].log_softmax(-1)
    expected = -sum(scores[0, t, ids[0, t + 1]].item() for t in range(6)) + DEARER
    nats, size = conversation_nats(model, TOKENIZER, [conversation("aé", "b")])
    assert nats == pytest.approx(expected, rel=1e-5)
    assert size == 4  # é has two bytes
    assert measured.bits_per_byte_on(model, TOKENIZER, [conversation("aé", "b")]) == pytest.approx(
        bits_per_byte(expected, ["aé", "b"]), rel=1e-5
    )


def test_a_model_that_holds_a_token_for_impossible_is_infinitely_surprised():
    assert conversation_nats(Halves(), TOKENIZER, [conversation("a")])[0] == math.inf  # it never says <A>


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="give at least one"):
        conversation_nats(Halves(), TOKENIZER, [])
    with pytest.raises(ValueError, match="at least one byte"):
        measured.bits_per_byte_on(counted(), TOKENIZER, [conversation("", "")])


def test_words_take_the_white_space_before_them():
    words, sums = by_word(list(" my  dog\n ok "), [1.0] * 13)
    assert words == [" my", "  dog", "\n ok", " "]
    assert sums.tolist() == [3, 5, 4, 1]
    assert by_word([], [])[0] == []
    with pytest.raises(ValueError, match="2 tokens and 1 numbers"):
        by_word(["a", "b"], [1.0])


def test_other_tokens_join_to_the_same_words():
    words, sums = by_word(["The", " cor", "gi", " ", "eats", "."], [1, 2, 3, 4, 5, 6])
    assert words == ["The", " corgi", " eats."] and sums.tolist() == [1, 5, 15]
    assert by_word(["go ", "on"], [1, 2])[0] == ["go ", "on"]


@given(st.text(alphabet="ab \n\u00a0😀", max_size=30))
def test_joining_loses_neither_text_nor_bits(text):
    words, sums = by_word(list(text), np.arange(len(text)))
    assert "".join(words) == text and sums.sum() == sum(range(len(text)))
    assert [word.strip() for word in words if word.strip()] == text.split()


# --- byte pairs ------------------------------------------------------------------------------------------------------

PAIRS = BPETokenizer.train(["the dog and the cat, the dog 🌊🌊 é"] * 3, 290)


class Even:
    """Every token is equally likely, so each costs log2 of the vocabulary."""

    def __call__(self, ids, state=None):
        return torch.zeros(*ids.shape, len(PAIRS)), state


@given(st.text(alphabet="the dog \n🌊é😀", max_size=30))
def test_pieces_of_a_byte_pair_tokenizer_are_the_text_and_cost_what_their_tokens_cost(text):
    pieces, bits = surprisal(Even(), PAIRS, text)
    assert "".join(pieces) == text and len(pieces) == len(bits)
    assert bits.sum() == pytest.approx(len(PAIRS.encode(text)) * math.log2(len(PAIRS)))
    assert (
        by_word(pieces, bits)[0] == by_word(list(text), [0] * len(text))[0]
    )  # the words of all tokenizers are the same


def test_tokens_that_share_a_character_stand_as_one():
    pieces, bits = surprisal(Even(), PAIRS, "the😀", ["hi"])
    assert pieces == ["the", "😀"]
    assert bits == pytest.approx(np.array([1, 3]) * math.log2(len(PAIRS)))  # 😀 is F0 9F and two more; F0 9F is merged


# --- models with a context -------------------------------------------------------------------------------------------


class Summing(torch.nn.Module):
    """Sees at most ``context`` tokens, and what it says depends on all of them: their sum decides which token is likely."""

    def __init__(self, context):
        super().__init__()
        self.context, self.shapes, self.scale = context, [], torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, ids, state=None):
        assert state is None and ids.shape[1] <= self.context
        self.shapes.append(tuple(ids.shape))
        likely = (ids.cumsum(1) % len(TOKENIZER))[..., None]
        return self.scale * torch.zeros(*ids.shape, len(TOKENIZER)).scatter(-1, likely, 2.0), None


def by_hand(ids, context):
    """Each token's nats, read in windows one at a time with plain loops."""
    step, nats, start = max(1, context // 2), {}, 0
    while True:
        window = ids[start : start + context + 1]
        for place in range(1, len(window)):
            likely = sum(window[:place]) % len(TOKENIZER)
            scores = [2.0 if number == likely else 0.0 for number in range(len(TOKENIZER))]
            said = math.log(sum(map(math.exp, scores))) - scores[window[place]]
            nats.setdefault(start + place, said)  # what an earlier window scored stays
        if start + context + 1 >= len(ids):
            return [nats[place] for place in range(1, len(ids))]
        start += step


@pytest.mark.parametrize("context", [1, 2, 3, 7, 8, 64])
def test_a_long_text_is_read_in_windows_that_overlap_by_half(context):
    model = Summing(context)
    for length in (1, context - 2, context - 1, context, 3 * context, 4 * context + 1, 50):
        text = ("ab ba b" * 300)[: max(1, length)]
        _, bits = surprisal(model, TOKENIZER, text)
        expected = by_hand([END, A, *TOKENIZER.encode(text)], context)[1:]
        assert bits * math.log(2) == pytest.approx(expected, rel=1e-5)


def test_windows_of_many_rows_are_read_side_by_side_and_short_rows_once():
    model, conversations = Summing(32), some_conversations()
    together, _ = conversation_nats(model, TOKENIZER, conversations)
    assert max(rows for rows, _ in model.shapes) == 32 and len(model.shapes) < len(conversations)
    alone = []
    for one in conversations:
        model.shapes.clear()
        alone.append(conversation_nats(model, TOKENIZER, [one])[0])
        ids = [END, *TOKENIZER.encode_conversation(one)]
        expected = sum(by_hand(ids, 32)) + DEARER * ids.count(UNKNOWN)
        assert alone[-1] == pytest.approx(expected, rel=1e-5)
        if len(ids) <= 33:
            assert model.shapes == [(1, len(ids) - 1)]
    assert together == pytest.approx(sum(alone), rel=1e-6)


def test_a_gpt_is_measured_as_if_it_had_read_each_window_alone():
    model = gpt(len(TOKENIZER), seed=1, context=16)
    text = "ab ba b" * 9
    _, bits = surprisal(model, TOKENIZER, text)
    ids = torch.tensor([END, A, *TOKENIZER.encode(text)])
    expected, start = [], 0
    with torch.no_grad():
        while len(expected) < len(ids) - 1:
            window = ids[start : start + 17]
            scores = model(window[None, :-1])[0][0].log_softmax(-1)
            expected += [-scores[t, window[t + 1]].item() for t in range(len(expected) - start, len(window) - 1)]
            start += 8
    assert bits * math.log(2) == pytest.approx(expected[1:], rel=1e-4)


def test_the_bits_of_a_reply_are_those_of_its_surprise_after_its_context():
    from helpers.bots.bot import Bot

    bot, contexts = Bot(network().eval(), TOKENIZER), [["ab", "a"], ["b"], []]
    bits = reply_bits(bot, ["ab", "b", "aa b"], contexts)
    assert bits.shape == (3,) and bits.dtype == np.float64
    alone = [surprisal(bot.model, TOKENIZER, *asked)[1].sum() for asked in zip(["ab", "b", "aa b"], contexts)]
    assert bits == pytest.approx(np.array(alone), rel=1e-5)  # they are read side by side, and given back in their order
    with pytest.raises(TypeError, match="one text"):
        reply_bits(bot, ["a"], ["ab"])
    assert bits[1] != pytest.approx(float(reply_bits(bot, ["b"], [["a a"]])[0]))
    with pytest.raises(ValueError, match="one context per reply: got 2 replies and 1"):
        reply_bits(bot, ["a", "b"], [["a"]])


def test_the_bits_of_many_replies_of_an_encoder_decoder_are_those_of_each():
    from helpers.bots.bot import Bot
    from helpers.corpus.tokenizers.bpe import BPETokenizer

    tokenizer = BPETokenizer.train(["ab aab baab bab"], 300)
    special = {"speakers": tuple(map(tokenizer.speaker, "AB")), "pad": tokenizer.pad, "end": tokenizer.end}
    model = seq2seq(len(tokenizer), scale=3, context_tokens=4, **special).train()
    replies, contexts = ["ab", "baab bab", "b", ""], [["ab", "a"], ["bab aab ab", "ab", "b"], [], ["a"]]
    alone = [surprisal(model, tokenizer, *asked)[1].sum() for asked in zip(replies, contexts)]
    for count in (3, 4):  # with and without an empty reply
        assert reply_bits(Bot(model, tokenizer), replies[:count], contexts[:count]) == pytest.approx(
            alone[:count], rel=1e-5
        )
    assert model.training


def test_bits_per_byte_of_replies_by_hand():
    # After <A> "b" has 1/4, after "b" the closing <B> is impossible for Halves; so every closing token gets 1/8 here.
    class Eighths(Halves):
        def __call__(self, ids, state=None):
            return torch.zeros(*ids.shape, 8).log_softmax(-1), state

    tokenizer = CharTokenizer("ab")  # 8 tokens
    talk = conversation("ab", "b", "a")
    assert len(tokenizer) == 8
    # Each token costs three bits: of B's turn "b" and what closes it, over one byte; of all turns seven tokens, four bytes.
    assert reply_bits_per_byte(Eighths(), tokenizer, [talk], "B", 16) == pytest.approx(6.0)
    assert reply_bits_per_byte(Eighths(), tokenizer, [talk], None, 16) == pytest.approx(3 * 7 / 4)


def test_bits_per_byte_of_replies_divide_by_bytes_not_by_characters():
    class Uniform(Halves):
        def __call__(self, ids, state=None):
            return torch.zeros(*ids.shape, len(tokenizer)), state

    talk = conversation("ab", "é😀")  # the reply has 2 characters and 6 bytes
    for tokenizer, tokens in ((CharTokenizer("abé😀"), 2), (BPETokenizer.train(["ab"], 262), 6)):
        expected = (tokens + 1) * math.log2(len(tokenizer)) / 6  # the token that closes the reply costs as much
        assert reply_bits_per_byte(Uniform(), tokenizer, [talk], "B", 16) == pytest.approx(expected)


@pytest.mark.parametrize("model", [network(), counted()], ids=["network", "counts"])
def test_the_nats_of_each_token_come_in_the_order_of_the_conversations(model):
    talks = some_conversations()[:6]
    nats = measured.token_nats(model, TOKENIZER, talks)
    assert [len(each) for each in nats] == [len(TOKENIZER.encode_conversation(talk)) for talk in talks]
    assert math.fsum(map(np.sum, nats)) == pytest.approx(conversation_nats(model, TOKENIZER, talks)[0])
    for talk, each in zip(talks, nats):
        np.testing.assert_allclose(measured.token_nats(model, TOKENIZER, [talk])[0], each, rtol=1e-4)
