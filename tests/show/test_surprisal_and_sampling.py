"""Surprise and the dial: true words, every extreme of every control, and no chance but that of the seeds."""

import math
import random

import ipywidgets
import numpy as np
import pytest
import torch

from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models.ngram import NGram
from helpers.models.rnn import CharRNN
from helpers.show import explore_sampling, explore_surprisal, sampling_parameters, surprisal_tokens
from helpers.show.theme import xml

TEXT = "my dog walks and my dog eats. the dog is my dog and it walks a lot. is it my dog? it is."
TOKENIZER = CharTokenizer.train([TEXT, "kimchi"])


@pytest.fixture(scope="module")
def bots():
    ids = [TOKENIZER.end]
    for speaker, sentence in zip("ABAB", TEXT.split(". ") + ["lots of dogs"]):
        ids += [TOKENIZER.speaker(speaker), *TOKENIZER.encode(sentence)]
    torch.manual_seed(1)
    network = CharRNN(len(TOKENIZER), hidden_size=16, embedding_size=8, n_layer=2, dropout=0.3).eval()
    counted = NGram.count([*ids, TOKENIZER.end], 4, len(TOKENIZER))
    return {"n-gram": Bot(counted, TOKENIZER, "n-gram"), "rnn": Bot(network, TOKENIZER, "rnn")}


class Fixed:
    """A model that gives every next token the same logits, and a bot around it."""

    def __init__(self, **probabilities):
        names = {"END": "<end>", "A": "<A>", "PAD": "<pad>"}
        self.logits = torch.full((len(TOKENIZER),), -torch.inf)
        for name, value in probabilities.items():
            self.logits[TOKENIZER.tokens.index(names.get(name, name))] = math.log(value)

    def __call__(self, ids, state=None):
        return self.logits.expand(*ids.shape, -1), state


def fixed(**probabilities):
    return Bot(Fixed(**probabilities), TOKENIZER, "fixed")


def test_the_surprise_in_words(parse):
    one = surprisal_tokens(fixed(a=1 / 2, d=1 / 4, o=1 / 8, g=1 / 8), "dogada")
    assert one.words == (
        "fixed did not see “dogada” coming. 12 bits in all, 2.0 per character. Most surprising, in bits: “dogada” 12."
    )
    drawing = surprisal_tokens(
        Bot(Fixed(**{"a": 1 / 2, "d": 1 / 4, "g": 1 / 16, " ": 1 / 8, ".": 1 / 16}), TOKENIZER, "x"), "aa dad gagg ad."
    )
    assert drawing.words == (
        "x did not see “gagg” coming. 36 bits in all, 2.4 per character. "
        "Most surprising, in bits: “gagg” 16, “ad.” 10 and “dad” 8.0."
    )
    assert [title for title, _ in parse(drawing.svg)] == [
        "aa 2.0 bits",
        " dad 8.0 bits",
        " gagg 16 bits",
        " ad. 10 bits",
    ]
    assert f'aria-label="{xml(drawing.words)}"' in drawing.svg and drawing.svg.count("aria-label") == 1


def test_by_characters_each_is_told_with_its_word(parse):
    drawing = surprisal_tokens(Bot(Fixed(**{"a": 3 / 4, "g": 1 / 8, " ": 1 / 8}), TOKENIZER, "x"), "aa ga", words=False)
    assert drawing.title == "x did not see “␣” coming"
    assert "Most surprising, in bits: “␣” 3.0, “g” of “ga” 3.0 and “a” of “aa” 0.42." in drawing.words
    assert len(parse(drawing.svg)) == 5
    whole = surprisal_tokens(Bot(Fixed(**{"a": 3 / 4, "g": 1 / 8, " ": 1 / 8}), TOKENIZER, "x"), "aa ga")
    assert all("7 bits in all, 1.4 per character" in one.words for one in (whole, drawing))
    assert (
        surprisal_tokens(fixed(a=7 / 8, k=1 / 8), "ak", words=False).title == "fixed did not see the “k” of “ak” coming"
    )


def test_one_word_has_no_more_bits_than_there_are_in_all():
    words = surprisal_tokens(fixed(a=1 / 8, d=7 / 8), "a" * 43).words
    assert "129 bits in all" in words and words.endswith("” 129.")


def test_a_text_that_was_foreseen_is_said_to_be():
    assert surprisal_tokens(fixed(a=1.0), "aaa").words.startswith("fixed saw every word coming. 0 bits in all")
    assert surprisal_tokens(fixed(a=1.0), "aaa", words=False).title == "fixed saw every character coming"
    assert "∞ bits in all" in surprisal_tokens(fixed(a=1.0), "abc").words


def test_the_context_counts_and_a_text_is_needed(bots):
    with_, without = (surprisal_tokens(bots["rnn"], "my dog", context).svg for context in (["is it my dog?"], []))
    assert with_ != without
    with pytest.raises(ValueError, match="the text is empty"):
        surprisal_tokens(bots["rnn"], "")


def test_colors_compare_across_bots_because_the_scale_is_fixed():
    light, dark = (surprisal_tokens(fixed(a=p, d=1 - p), "aaa").svg for p in (1 / 2, 1 / 16))
    assert all("a bar of full height: 30." in svg for svg in (light, dark))
    assert 'fill-opacity="0.16"' in light and 'fill-opacity="0.39"' in dark  # 3 and 12 of 30 bits
    assert "full height: 10." in surprisal_tokens(fixed(a=1), "aaa", words=False).svg


def test_long_texts_are_drawn_in_part_and_counted_whole(parse):
    drawing = surprisal_tokens(fixed(**{"a": 1 / 2, " ": 1 / 2}), "a " * 300)
    assert "600 bits in all, 1.0 per character" in drawing.words
    assert drawing.words.endswith("Only the first 200 of 301 tokens are drawn.") and len(parse(drawing.svg)) == 200


def test_exploring_surprise(bots, parse):
    explore = explore_surprisal(bots, "my dog eats kimchi", ["is it?"])
    assert explore.settings == {"bot": "n-gram", "text": "my dog eats kimchi", "by_word": True}
    assert explore.words == surprisal_tokens(bots["n-gram"], "my dog eats kimchi", ["is it?"]).words
    assert explore.words.startswith("n-gram did not see “kimchi” coming.")
    for name, value in [("bot", "rnn"), ("by_word", False), ("text", "it is a corgi")]:
        before, picture = explore.words, explore._picture.value
        explore.controls[name].value = value
        assert explore.words != before and explore._picture.value != picture
    seen = set()
    for settings in explore.extremes():
        assert explore.error is None, settings
        parse(explore._picture.value)
        seen.add(explore.words)
    assert len(seen) == 6  # (2 bots, one at rest), 3 texts, 2 positions of the tick box, one at rest
    explore.controls["text"].value = ""
    assert explore.words == "There is no text yet: write a sentence of your own."
    explore.controls["text"].value = "a" * 501
    assert explore.words.endswith(" Only the first 500 of 501 characters are read.")


def test_the_menu_names_the_bots_even_when_they_share_a_name():
    explore = explore_surprisal({"young": fixed(a=1 / 2, d=1 / 2), "old": fixed(a=1 / 4, d=3 / 4)}, "aaaa")
    assert explore.words.startswith("young did not")
    explore.controls["bot"].value = "old"
    assert explore.words.startswith("old did not see “aaaa” coming. 8 bits")
    with pytest.raises(ValueError, match="there is no bot to ask"):
        explore_surprisal({}, "a")


def test_the_dial_in_words(parse):
    bot = fixed(a=1 / 2, d=1 / 4, END=1 / 4)
    drawing = sampling_parameters(bot, "my dog", temperature=1.0)
    assert drawing.title == "At temperature 1.0, fixed begins with “a” in 50 % of its replies"
    said = [bot.reply(["my dog"], temperature=1.0, seed=seed, max_tokens=80) for seed in range(3)]
    told = [f"Seed {seed}: “{text}”." if text else f"Seed {seed}: (an empty reply)." for seed, text in enumerate(said)]
    assert drawing.words == (
        f"{drawing.title}. Likeliest first tokens: “a” 50 %, “<end>” 25 % and “d” 25 %. Entropy 1.5 bits. {' '.join(told)}"
    )
    reached = parse(drawing.svg)
    assert [title for title, _ in reached[:3]] == ["a 50 %", "<end> 25 %", "d 25 %"]
    assert [title for title, _ in reached[8:]] == ["seed 0", "seed 1", "seed 2"]
    for (_, texts), text in zip(reached[8:], said):
        assert "".join(texts[1:]) == (f"“{text}”" if text else "(an empty reply)")


def test_temperature_moves_the_bars_and_the_entropy(parse):
    bot = fixed(a=4 / 5, d=1 / 5)
    cold = sampling_parameters(bot, "hi", temperature=0.5)
    assert "“a” 94 % and “d” 6 %" in cold.words and "Entropy 0.3 bits" in cold.words  # 16 : 1
    assert "“a” 67 % and “d” 33 %" in sampling_parameters(bot, "hi", temperature=2).words  # 2 : 1
    greedy = sampling_parameters(bot, "hi", temperature=0)
    assert "“a” 100 %." in greedy.words and "Entropy 0.0 bits." in greedy.words and "Cut" not in greedy.words
    assert [title for title, _ in parse(greedy.svg)[:2]] == ["a 100 %", "d 0 %"]  # the order stays


def test_what_a_cut_removed_stays_with_nothing_and_is_named(parse):
    bot = fixed(a=0.4, d=0.3, g=0.2, o=0.1)
    drawing = sampling_parameters(bot, "hi", temperature=1, top_k=2)
    assert "Cut by top-k 2: 2 tokens, of these eight “g” and “o”; 2 are left. Entropy 1.0 bits." in drawing.words
    titles = [title for title, _ in parse(drawing.svg)[:4]]
    assert titles == ["a 57 %", "d 43 %", "g 0 %, cut off", "o 0 %, cut off"]
    assert "Cut by top-p 0.65: 2 tokens" in sampling_parameters(bot, "hi", 1, top_p=0.65).words
    assert "Cut by top-k 3 and top-p 0.10: 3 tokens" in sampling_parameters(bot, "hi", 1, top_k=3, top_p=0.1).words
    assert "Cut" not in sampling_parameters(bot, "hi", 1, top_k=0, top_p=1.0).words


def test_a_bot_with_a_distribution_of_its_own_is_drawn_with_it():
    bot = fixed(a=0.4, d=0.3, g=0.2, o=0.1)
    asked = []

    def always_d(logits, temperature, top_k, top_p):
        asked.append((temperature, top_k, top_p))
        return torch.eye(len(TOKENIZER))[TOKENIZER.tokens.index("d")]

    bot.distribution = always_d
    drawing = sampling_parameters(bot, "hi", temperature=0.6, top_k=2)
    assert "“d” 100 %" in drawing.words
    assert "Seed 0: “ddd" in drawing.words and (0.6, 2, None) in asked


def test_what_a_bot_never_says_is_no_bar():
    assert "“a” 100 %" in sampling_parameters(fixed(a=1 / 4, PAD=3 / 4), "hi").words


def test_seeds_are_the_only_chance(bots):
    bots["rnn"].model.train()  # its dropout would draw, too
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    first, second = (sampling_parameters(bots["rnn"], "my dog", 1.0) for _ in range(2))
    assert first.svg == second.svg and first.words == second.words
    assert sampling_parameters(bots["rnn"], "my dog", 1.0, seeds=(7,)).words != first.words
    assert "Seed 7: “" in sampling_parameters(bots["rnn"], "my dog", 1.0, seeds=(7,)).words
    surprisal_tokens(bots["rnn"], "my dog")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states[:2]
    assert torch.equal(torch.get_rng_state(), states[2])
    assert bots["rnn"].model.training
    bots["rnn"].model.eval()


def test_exploring_the_dial(bots, parse):
    explore = explore_sampling(bots["rnn"], "is it my dog?")
    assert explore.settings == {"temperature": 0.7, "top_k": 0, "top_p": 1.0, "message": "is it my dog?"}
    assert explore.words == sampling_parameters(bots["rnn"], "is it my dog?").words
    slider = explore.controls["temperature"]
    assert isinstance(slider, ipywidgets.FloatLogSlider) and slider.continuous_update is False
    for name, value in [("temperature", 0.1), ("temperature", 10**0.5), ("top_k", 3), ("top_p", 0.1), ("message", "a")]:
        before = explore.words
        explore.controls[name].value = value
        assert explore.controls[name].value == pytest.approx(value) if name != "message" else True
        assert explore.words != before and explore.error is None
    for one in (explore, explore_sampling(bots["n-gram"], "hi")):
        for settings in one.extremes():
            assert one.error is None, settings
            parse(one._picture.value)


@pytest.mark.parametrize("setting", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}])
def test_settings_without_sense_are_refused(setting):
    with pytest.raises(ValueError, match="give"):
        sampling_parameters(fixed(a=1.0), "hi", **setting)


class Told(Bot):
    """A bot that says what it is told, to try the drawing of any reply."""

    def reply(self, history, **settings):
        return self.says


@pytest.mark.parametrize(
    ("says", "lines"), [("one\ntwo <b> & \x00", 1), ("word " * 39 + "word", 3), ("😀" * 80, 2), ("", 1)]
)
def test_any_reply_can_be_drawn(says, lines, parse):
    bot = Told(Fixed(a=1.0), TOKENIZER, "told")
    bot.says = says
    title, texts = parse(sampling_parameters(bot, "hi", seeds=(4,)).svg)[-1]
    assert title == "seed 4" and len(texts) == 1 + lines
    assert "".join(texts[1:]).replace(" ", "") == {
        "": "(anemptyreply)", "one\ntwo <b> & \x00": "“one⏎two<b>&\\x00”"
    }.get(says, f"“{says}”".replace(" ", ""))  # fmt: skip


def test_bars_are_drawn_to_scale():
    svg = sampling_parameters(fixed(a=3 / 4, d=1 / 4), "hi", temperature=1).svg
    widths = [float(part.split('"')[0]) for part in svg.split('y="45" width="')[1:] + svg.split('y="71" width="')[1:]]
    assert widths[0] == pytest.approx(3 * widths[1], abs=0.2)


# --- word pieces -----------------------------------------------------------------------------------------------------

PIECES = BPETokenizer.train(["the dog and the dog, the dog 🌊"] * 4, 280)


class Piecewise:
    """Gives every next token the same logits: those named in bits, the others share what is left."""

    def __init__(self, **bits):
        rest = 1 - sum(2.0**-value for value in bits.values())
        self.logits = torch.full((len(PIECES),), math.log(max(rest, 1e-9) / (len(PIECES) - len(bits))))
        for name, value in bits.items():
            self.logits[PIECES.tokens.index(name.replace("_", " "))] = -value * math.log(2)

    def __call__(self, ids, state=None):
        return self.logits.expand(*ids.shape, -1), state


def test_word_pieces_are_told_as_tokens_with_their_words(parse):
    bot = Bot(Piecewise(the=1, _dog=2), PIECES, "pieces")
    drawing = surprisal_tokens(bot, "the dogs 🌊", words=False)
    assert [title for title, _ in parse(drawing.svg)] == [
        "the 1.0 bits",
        " dog 2.0 bits",
        "s 10 bits",
        " 🌊 10 bits",
    ]
    assert "full height: 20." in drawing.svg
    assert "“s” of “dogs” 10" in drawing.words and "character" not in drawing.title
    whole = surprisal_tokens(bot, "the dogs 🌊")
    assert [title.rsplit(" ", 2)[0] for title, _ in parse(whole.svg)] == ["the", " dogs", " 🌊"]
    assert whole.words.split(". ")[1] == drawing.words.split(". ")[1]  # the same bits in all, per character of the text
    assert f"{sum(surprise_bits(bot, 'the dogs 🌊')) / 10:.1f} per character" in whole.words
    assert surprisal_tokens(Bot(Piecewise(the=0), PIECES, "x"), "the", words=False).title == "x saw every token coming"


def surprise_bits(bot, text):
    from helpers.evaluation.likelihood import surprisal

    return surprisal(bot.model, bot.tokenizer, text)[1]


def test_a_space_before_a_word_is_seen_beside_the_bar(parse):
    drawing = sampling_parameters(Bot(Piecewise(the=2, _the=1, _dog=3), PIECES, "pieces"), "hi", temperature=1)
    assert "“␣the” " in drawing.title and "“␣the” 50 %, “the” 25 %, “␣dog” 13 %" in drawing.words
    assert [title.split()[0] for title, _ in parse(drawing.svg)[:3]] == ["␣the", "the", "␣dog"]
    for explore in (explore_sampling(Bot(Piecewise(the=2), PIECES, "pieces"), "hi"),
                    explore_surprisal({"pieces": Bot(Piecewise(the=2), PIECES, "pieces")}, "the dog")):  # fmt: skip
        for settings in explore.extremes():
            assert explore.error is None, settings
            parse(explore._picture.value)
