"""One Bot for all years: the prompt by hand, odd messages, replies that hold nothing but text."""

import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.bots.bot import Bot
from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.tokenizers.base import SPECIAL
from helpers.corpus.tokenizers.characters import CharTokenizer

SMALL = CharTokenizer("abc")  # <pad> 0, <unknown> 1, <end> 2, <A> 3, <B> 4, <other> 5, then a 6, b 7, c 8


class Reciting:
    """A model that wants to say the same tokens whatever it reads."""

    def __init__(self, tokens, size):
        self.tokens, self.size, self.read = tokens, size, []

    def __call__(self, ids, state=None):
        self.read.append(ids.tolist()[0])
        place = state or 0
        logits = torch.zeros(1, ids.shape[1], self.size)
        logits[0, -1, self.tokens[min(place, len(self.tokens) - 1)]] = 50.0
        return logits, place + 1


def reciting(*tokens):
    return Bot(Reciting(tokens, len(SMALL)), SMALL)


# --- what the model reads -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "ids"),
    [
        (["ab"], [2, 3, 6, 7, 4]),
        (["ab", "c"], [2, 3, 6, 7, 4, 8, 3]),
        (["ab", "c", "a"], [2, 3, 6, 7, 4, 8, 3, 6, 4]),
        (("ab",), [2, 3, 6, 7, 4]),
        ([""], [2, 3, 4]),
    ],
)
def test_the_prompt_by_hand(history, ids):
    assert reciting(2).prompt(history) == ids


def test_the_prompt_is_how_the_training_text_goes_on():
    turns = (Turn("A", "ab"), Turn("B", "c"), Turn("A", "cab"), Turn("B", "b"))
    whole = [SMALL.end, *SMALL.encode_conversation(Conversation("c", "c", turns))]
    prompt = reciting(2).prompt(["ab", "c", "cab"])
    assert whole[: len(prompt)] == prompt and whole[len(prompt) :] == [*SMALL.encode("b"), SMALL.end]


def test_the_model_reads_the_prompt():
    bot = reciting(8, 2)
    assert bot.reply(["ab"], seed=0) == "c"
    assert bot.model.read == [[2, 3, 6, 7, 4], [8]]


def test_a_bot_may_have_a_distribution_of_its_own():
    bot = reciting(8)
    bot.distribution = lambda logits, temperature, top_k, top_p: torch.eye(len(SMALL))[6]
    assert bot.reply(["ab"], seed=0, max_tokens=3) == "aaa"


def text_of(bot, message):
    ids = bot.prompt([message])
    return bot.tokenizer.decode(ids[2:-1])


def test_messages_are_written_as_the_training_texts_are(bot):
    assert text_of(bot, "It’s “fine”,  \t really\r\nyes") == 'It\'s "fine", really\nyes'
    assert text_of(bot, "don&rsquo;t") == "don't"
    assert text_of(bot, "a\x00b\x07c\x9fd") == "abcd"


def test_strange_characters_become_unknown_and_nothing_fails(bot):
    for message in ("👩‍👩‍👧 🌊", "\x00", "\ud800 lonely \udfff", "e\u0301\u0336", "\u202eright to left", "漢字" * 10):
        ids = bot.prompt([message])
        inside = ids[2:-1]
        assert all(number == bot.tokenizer.unknown or number >= len(SPECIAL) for number in inside)
        assert isinstance(bot.reply([message], seed=0, max_tokens=3), str)
    assert bot.tokenizer.unknown in bot.prompt(["🌊"])[2:-1]


@pytest.mark.parametrize("mark", SPECIAL)
@pytest.mark.parametrize("form", ["{}", "a {} b", "&lt;{0}", "{0}{0}"])
def test_a_message_cannot_forge_a_special_token(bot, mark, form):
    inside = bot.prompt([form.format(mark)])[2:-1]
    assert inside and min(inside) >= len(SPECIAL)
    assert mark in bot.tokenizer.decode(inside)


@given(st.text(max_size=80))
def test_whatever_the_message_three_special_tokens_frame_it(message):
    ids = reciting(2).prompt([message])
    assert ids[:2] == [2, 3] and ids[-1] == 4
    assert not {0, 2, 3, 4, 5} & set(ids[2:-1])


def test_of_a_long_conversation_the_oldest_turns_are_left_out_with_a_warning():
    bot = reciting(2)
    bot.context = 7
    with pytest.warns(UserWarning, match="the conversation is 9 tokens long; bot reads the last 7 of them"):
        assert bot.prompt(["abbb", "", ""]) == [2, 4, 3, 4]  # "abbb" and its speaker are gone, the others whole
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bot.prompt(["abb"]) == [2, 3, 6, 7, 7, 4]


def test_of_a_single_turn_that_is_too_long_the_end_is_read():
    bot = reciting(2)
    bot.context = 6
    with pytest.warns(UserWarning, match="reads the last 6"):
        assert bot.prompt(["bbbba"]) == [2, 3, 7, 7, 6, 4]


def test_a_model_that_sees_little_keeps_a_quarter_of_it_for_the_reply():
    bot = reciting(2)
    bot.model.context = 16
    assert bot.room == 12
    with pytest.warns(UserWarning, match="reads the last 12"):
        assert len(bot.prompt(["a" * 40])) == 12
    bot.context = 9  # the smaller of the two counts
    assert bot.room == 9


def test_a_message_of_a_hundred_thousand_characters_is_answered(bot):
    with pytest.warns(UserWarning, match="reads the last 2,000 of them"):
        assert isinstance(bot.reply(["word " * 20_000], seed=0, max_tokens=5), str)


def test_of_a_message_beyond_all_reason_the_end_is_read(bot):
    with pytest.warns(UserWarning, match="tokens long"):
        ids = bot.prompt(["a" * 150_000 + " and this is the question?"])
    assert len(ids) == 2000
    assert bot.tokenizer.decode(ids).endswith("aaa and this is the question?")


@pytest.mark.parametrize(
    ("history", "error", "words"),
    [
        ([], ValueError, r'history is empty: .* bot\.reply\(\["Hello!"\]\)'),
        ("Hello", TypeError, r"put it into a list, bot\.reply\(\['Hello'\]\)"),
        (["Hello", None], TypeError, "a list of texts, the oldest first"),
        ([b"Hello"], TypeError, "a list of texts"),
        ([["Hello"]], TypeError, "a list of texts"),
        (None, TypeError, "a list of texts"),
        (7, TypeError, "a list of texts"),
        (iter(["Hello"]), TypeError, "a list of texts"),
    ],
)
def test_other_histories_are_refused_in_words(bot, history, error, words):
    with pytest.raises(error, match=words):
        bot.reply(history)


# --- what it says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [2, 3, 4, 5])
def test_a_reply_ends_where_the_turn_ends(last):
    assert reciting(6, 7, last, 8).reply(["a"], seed=0) == "ab"


def test_padding_and_unknown_are_never_said():
    for token in (0, 1):
        reply = reciting(token).reply(["a"], seed=0, max_tokens=50)
        assert reply and set(reply) <= set("abc")


def test_replies_hold_no_special_token(bot):
    bot.model.head.bias.data[: len(SPECIAL)] = 1.5  # it would like to
    length = 0
    for seed in range(20):
        pieces = list(bot.stream(["Hello"], seed=seed, temperature=1.5, max_tokens=40))
        length += len(pieces)
        assert all(len(piece) == 1 and piece in bot.tokenizer.characters for piece in pieces)
    assert length > 100


def test_a_seed_repeats_the_reply(bot):
    replies = [bot.reply(["Hello"], seed=seed, max_tokens=30) for seed in (0, 0, 1)]
    assert replies[0] == replies[1] != replies[2]


def test_without_a_seed_the_sampler_gets_none(bot, monkeypatch):
    """None of its own either: replies differ each time (the sampler has a test of that)."""
    seen = []
    monkeypatch.setattr("helpers.generation.sampling.generate", lambda *_, seed=None, **settings: seen.append(seed) or iter(()))
    bot.reply(["Hello"])
    bot.reply(["Hello"], seed=3)
    assert seen == [None, 3]


def test_the_pieces_joined_are_the_reply(bot):
    for seed in range(5):
        pieces = list(bot.stream(["Hello", "Hi", "Well?"], seed=seed, max_tokens=30))
        assert "".join(pieces).strip() == bot.reply(["Hello", "Hi", "Well?"], seed=seed, max_tokens=30)


def test_an_empty_message_is_answered(bot):
    assert bot.reply([""], seed=0, max_tokens=20)


def test_settings_reach_the_sampler(bot):
    greedy = bot.reply(["Hello"], temperature=0, max_tokens=20)
    assert bot.reply(["Hello"], top_k=1, max_tokens=20) == greedy
    assert bot.reply(["Hello"], top_p=1e-9, max_tokens=20) == greedy
    assert bot.reply(["Hello"], temperature=0, repetition_penalty=5.0, max_tokens=20) != greedy
    assert len(list(bot.stream(["Hello"], temperature=0, max_tokens=7))) <= 7
    with pytest.raises(ValueError, match="temperature is -1"):
        bot.reply(["Hello"], temperature=-1)
