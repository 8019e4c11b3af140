"""How few bits: bytes and cost from the table, a reply from the bot that is rounded now; every control works."""

import pandas
import pytest

from helpers.bots.bot import Bot
from helpers.compression.quantization import quantize
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.show import explore_few_bits, few_bits
from helpers.show.svg import quoted
from tests import factories

MESSAGE = "soup"


@pytest.fixture(scope="module")
def bot():
    tokenizer = CharTokenizer.train(["".join(map(chr, range(32, 127)))])
    model = factories.gpt(len(tokenizer), n_embd=16, n_head=2, scale=2, context=512)
    return Bot(model, tokenizer, "test")


@pytest.fixture(scope="module")
def table():
    rows = [
        {
            "bits": bits,
            "group": group,
            "symmetric": symmetric,
            "change": 1 / bits**3,
            "standard error": 0.001,
            "bytes": 250 * bits,
        }
        for bits in (2, 3, 4)
        for group in ("row", "16")
        for symmetric in (1, 0)
    ]
    return pandas.DataFrame(rows)


def test_the_words_say_size_cost_and_replies(bot, table):
    words = few_bits(bot, table, MESSAGE, 4, "16", False).words
    assert words.startswith("4 bits, groups of 16, asymmetric: the matrices take 0.0 MB")
    assert "The cost is +0.016 bits per byte (standard error 0.001). " in words and "Asked “soup”, the bot says “" in words
    full = bot.reply([MESSAGE], temperature=0, max_tokens=30)
    assert f"with all its bits {quoted(full, 200)}." in words


def test_the_reply_comes_from_the_learners_quantize(bot, table):
    calls = []

    def counted(weight, *settings):
        calls.append(settings)
        return quantize(weight, *settings)

    few_bits(bot, table, MESSAGE, 3, "16", True, quantize=counted)
    assert set(calls) == {(3, 16, True)}


def test_what_is_not_there_gets_a_sentence(bot, table):
    with pytest.raises(ValueError, match="no row with 7 bits, group row"):
        few_bits(bot, table, MESSAGE, 7)
    with pytest.raises(ValueError, match="write a message"):
        few_bits(bot, table, "  ", 4)
    with pytest.raises(ValueError, match="the table is empty"):
        explore_few_bits(bot, table[:0], MESSAGE)


def test_every_setting_of_the_controls_draws(bot, table, parse):
    explore = explore_few_bits(bot, table, MESSAGE)
    assert explore.settings == {"bits": 4, "group": "16", "symmetric": False, "message": MESSAGE}
    assert explore.words == few_bits(bot, table, MESSAGE, 4, "16", False).words
    words = set()
    for settings in explore.extremes():
        if settings["message"]:
            assert explore.error is None, (settings, explore.words)
            parse(explore._picture.value)
        else:
            assert "write a message" in explore.words
        words.add(explore.words)
    assert len(words) >= 5
