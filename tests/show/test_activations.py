"""How far back, and what a cell knows: words that state the finding, every setting works, marks and signs are seen."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.rnn import CharRNN
from helpers.models.seq2seq import Seq2Seq
from helpers.show import Tokens, explore_input_gradients, explore_units, input_gradient_map, unit_activations

TEXT = "I walk my corgi"
CHAT = Conversation("c", "c", (Turn("A", "hi <b>\nyou"), Turn("B", "go on")))


@pytest.fixture(scope="module")
def tokenizer():
    return CharTokenizer.train([TEXT, "hi <b>\nyou go on"])


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.manual_seed(1)
    return CharRNN(len(tokenizer), hidden_size=16, embedding_size=8)


class Fading(nn.Module):
    """Each step back counts half as much: the gradient is known beforehand."""

    def __init__(self, size, rate=0.5):
        super().__init__()
        self.embed, self.rate = nn.Embedding(size, 2), rate
        self.head = nn.Linear(2, size)

    def forward(self, ids, state=None):
        memory, shown = 0, []
        for x in self.embed(ids).unbind(1):
            memory = self.rate * memory + x
            shown.append(memory)
        return self.head(torch.stack(shown, 1)), None


def test_input_gradient_map_names_half_and_ninety_per_cent(tokenizer):
    drawing = input_gradient_map(Fading(len(tokenizer)), tokenizer, TEXT, 7)
    assert isinstance(drawing, Tokens)
    # Of 1 + 1/2 + 1/4 + … (eight characters) the last holds just over a half, the last four 94 %.
    assert drawing.title == "Half of the input gradient for “y” falls on the last character, 90 % on the last 4"
    assert drawing.words == (
        "Token 8 of 8, “m”: 100 % of the largest. Half of the input gradient for “y” falls on the last character, "
        "90 % on the last 4. Highest, in % of the largest: “m” 100, “␣” 50 and “k” 25; lowest “I” 0.78; mean 25 over 8 tokens."
    )


def test_all_characters_can_count_alike_and_none_may_count(tokenizer):
    even = input_gradient_map(Fading(len(tokenizer), rate=1.0), tokenizer, TEXT, 9)
    assert "falls on the last 5 characters, 90 % on the last 9" in even.title
    deaf = Fading(len(tokenizer))
    deaf.head.weight.data.zero_()
    assert "No character has a gradient here" in input_gradient_map(deaf, tokenizer, TEXT).words


def test_what_stands_before_a_string_is_read_but_not_drawn(tokenizer, model, parse):
    read = []
    handle = model.embed.register_forward_hook(lambda _, given, __: read.append(given[0][0].tolist()))
    drawing = input_gradient_map(model, tokenizer, TEXT, 5)
    assert read == [[tokenizer.end, tokenizer.speaker("A"), *tokenizer.encode("I walk")]]
    assert [texts[0] for _, texts in parse(drawing.svg) if texts][-1] == "100"  # the last box: its number, its letter
    assert len(parse(drawing.svg)) == 6
    input_gradient_map(model, tokenizer, CHAT)
    handle.remove()
    assert read[1] == [tokenizer.end, *tokenizer.encode_conversation(CHAT)[:-1]]


def test_the_end_of_a_long_text_is_drawn(tokenizer, parse):
    drawing = input_gradient_map(Fading(len(tokenizer)), tokenizer, TEXT * 20, name="Fading")
    boxes = parse(drawing.svg)
    assert len(boxes) == 200 and boxes[-1][0] == "i 100 % of the largest"
    assert "Fading: half of the input gradient here falls on the last character" in drawing.words


def test_explore_input_gradients(tokenizer, model, parse):
    explore = explore_input_gradients({"LSTM": model, "fading": Fading(len(tokenizer))}, tokenizer, TEXT)
    assert explore.error is None and explore.settings == {"model": "LSTM", "position": len(TEXT) - 1}
    assert explore.words == input_gradient_map(model, tokenizer, TEXT, name="LSTM").words
    words = []
    for settings in explore.extremes():
        assert explore.error is None, settings
        parse(explore._picture.value)
        words.append(explore.words)
    assert len(words) == 4 and len(set(words)) == 3  # the two menu entries and the two ends; one of them twice
    explore.controls["position"].value = 0
    assert explore.words.startswith("Token 1 of 1, “I”: 100 % of the largest. LSTM: half of the input gradient for “␣”")


def test_input_gradient_map_answers_wrong_input(tokenizer, model):
    with pytest.raises(ValueError, match="no position 15 in 15 characters; take 0 to 14"):
        input_gradient_map(model, tokenizer, TEXT, 15)
    for empty in ("", Conversation("c", "c", ())):
        with pytest.raises(ValueError, match="the text is empty"):
            input_gradient_map(model, tokenizer, empty)
    with pytest.raises(ValueError, match="at least one model"):
        explore_input_gradients({}, tokenizer, TEXT)


PIECES = BPETokenizer.train(["the dog and the cat, the dog"] * 4, 275)
LONG = Conversation("c", "c", (Turn("A", "the dog and the cat " * 12), Turn("B", "the cat and the")))


def test_word_pieces_are_told_as_tokens_and_in_characters():
    text = "the dog and the"
    drawing = input_gradient_map(Fading(len(PIECES)), PIECES, text, 2)
    assert PIECES.encode(text)[:3] == [PIECES.tokens.index(name) for name in ("the", " dog", " and")]
    assert drawing.title == (
        "Half of the input gradient for “the” falls on the last token (4 characters), 90 % on the last 3 (11 characters)"
    )
    single = input_gradient_map(Fading(len(PIECES)), PIECES, "d", 0).title
    assert single.endswith(" falls on the last token (1 character), 90 % on the last token (1 character)")
    speaker = input_gradient_map(Fading(len(PIECES)), PIECES, LONG, 0).words
    assert speaker.endswith("falls on the last token, 90 % on the last token.")  # not "(0 characters)"
    deaf = Fading(len(PIECES))
    deaf.head.weight.data.zero_()
    assert "No token has a gradient here" in input_gradient_map(deaf, PIECES, text).words
    with pytest.raises(ValueError, match="no position 9 in 4 tokens"):
        input_gradient_map(deaf, PIECES, text, 9)


def readers():
    torch.manual_seed(1)
    gpt = GPT(GPTConfig.gpt2(len(PIECES), context=16, n_embd=16, n_layer=2, n_head=2))
    settings = {"hidden_size": 16, "embedding_size": 8, "context_tokens": 12, **special_token_ids(PIECES)}
    return {"GPT": gpt, "attention": Seq2Seq(len(PIECES), **settings),
            "one vector": Seq2Seq(len(PIECES), attention=False, **settings)}  # fmt: skip


@pytest.mark.parametrize("name", list(readers()))
def test_what_a_model_cannot_read_counts_nothing(name, parse):
    model, ids = readers()[name], PIECES.encode_conversation(LONG)[:-1]
    drawing = input_gradient_map(model, PIECES, LONG)
    shares = [float(title.split(" % of")[0].split()[-1]) for title, _ in parse(drawing.svg)]
    reply = len(ids) - ids.index(PIECES.speaker("B"))
    read = 16 if name == "GPT" else 12 + reply
    assert not any(shares[:-read]) and all(shares[-read:])
    explore = explore_input_gradients({name: model}, PIECES, LONG)
    for settings in explore.extremes():
        assert explore.error is None, settings
    for position in range(len(ids)):
        input_gradient_map(model, PIECES, LONG, position)


CHARACTERS = ["<A>", *"aba a", "<B>", "&"]
OUTPUTS = np.array([[0, 0.5, -1, 1, 0, 0.9, 0, -0.25], [0] * 8], dtype=np.float32).T


def test_a_cell_says_what_it_fires_on():
    drawing = unit_activations(CHARACTERS, OUTPUTS, 0, "the letter a", [0.873, 0.1])
    assert drawing.words == (
        "Unit 0 and “the letter a”: score 0.87. It fires most on “a”, “␣” and “<A>”. Mean activation 0.14 over 8 "
        "characters; by character, highest “a” 0.80, “␣” 0 and “<A>” 0; lowest “b” −1.0."
    )
    assert unit_activations(CHARACTERS, OUTPUTS, 1).words.startswith("Unit 1 fires most on")


def test_more_than_zero_and_less_are_told_apart(parse):
    svg = unit_activations(CHARACTERS, OUTPUTS, 0).svg
    boxes = dict(zip("<aba_a>&", svg.split('<g tabindex="0">')[1:]))
    titles = [title for title, _ in parse(svg)]
    assert titles == ["<A> 0", "a 0.50", "b −1.0", "a 1.0", "␣ 0", "a 0.90", "<B> 0", "& −0.25"]
    assert "v18.0h" in boxes["b"] and "#1e3e81" in boxes["b"]  # a full bar that hangs
    assert "v4.5h" in boxes["&"] and "v-16.2h" in boxes["a"] and "#ed6e34" in boxes["a"]
    assert 'fill-opacity="0.36"' in boxes["b"] and 'fill-opacity="0.12"' in boxes["&"]


def test_a_speaker_begins_a_new_line_and_a_text_is_cut_at_200(parse):
    heights = [
        float(unit_activations(["a", c], OUTPUTS[:2], 0).svg.split('height="')[1].split('"')[0]) for c in ("b", "<B>", "<A>")
    ]
    assert heights[0] < heights[1] == heights[2]
    long = unit_activations(["a"] * 250, np.zeros((250, 1)), 0)
    assert len(parse(long.svg)) == 200 and long.words.endswith("Only the first 200 of 250 characters are drawn.")
    assert len(long.svg) < 200 * 330 + 1500


def test_values_beyond_one_set_the_scale():
    assert "a full bar: 4.0 or −4.0" in unit_activations(["a", "b"], np.array([[4.0], [-2.0]]), 0).svg
    assert "a full bar: 1.0 or −1.0" in unit_activations(["a", "b"], np.array([[0.4], [-0.2]]), 0).svg


def test_explore_units(tokenizer, model, parse):
    scores = np.linspace(0, 1, 16) % 0.7
    explore = explore_units(model, tokenizer, CHAT, scores, "a label")
    assert explore.error is None and explore.settings == {"unit": int(scores.argmax())}
    assert f"Unit {scores.argmax()} and “a label”: score 0.67. It fires most on" in explore.words
    words = {explore.words}
    for settings in explore.extremes():
        assert explore.error is None, settings
        assert [title.split()[0] for title, _ in parse(explore._picture.value)][:3] == ["<A>", "h", "i"]
        words.add(explore.words)
    assert len(words) == 3
    plain = explore_units(model, tokenizer, TEXT)
    assert plain.error is None and plain.settings == {"unit": 0} and "over 15 characters" in plain.words


def test_cell_answers_wrong_input(tokenizer, model):
    for unit in (-1, 2):
        with pytest.raises(ValueError, match=f"no unit {unit}; these outputs .* 0 to 1"):
            unit_activations(CHARACTERS, OUTPUTS, unit)
    with pytest.raises(ValueError, match="one number per character"):
        unit_activations(CHARACTERS[1:], OUTPUTS, 0)
    with pytest.raises(ValueError, match="the text is empty"):
        explore_units(model, tokenizer, "")
