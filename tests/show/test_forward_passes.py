"""One forward pass: every step has a picture and words whose numbers are the model's, and every control moves them."""

import math
import re

import pytest
import torch
from torch.nn import functional

from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.interpretability.forward_trace import trace
from helpers.models.small_gpt import Attention
from helpers.show import explore_forward_pass, forward_pass, forward_pass_steps
from helpers.show.forward_pass_list import list_of_steps, steps_of
from helpers.show.forward_pass_parts import chips, decimal, strip
from helpers.show.theme import number, percent
from tests import factories
from tests.benchmarks import bench_drawings

TEXT = "abba cab <&>"
CHARACTERS = CharTokenizer("abc <>&")
BYTES = BPETokenizer.train(["the cat sat on the mat, the cat ate the rat 🐀\n"] * 3, 280)
STEPS = ["text", "tokens", "embedding", "scores 0", "attention 0", "MLP 0", "scores 1", "attention 1", "MLP 1", "norm",
         "logits", "probabilities", "next"]  # fmt: skip


def plain(tokenizer=CHARACTERS, **config):
    return factories.small_gpt(len(tokenizer), std=0.4, **config)


def package(tokenizer=CHARACTERS, recipe="modern"):
    return factories.gpt(len(tokenizer), recipe=recipe, std=0.4, bigram_rows=7 * (recipe == "modern"))


@pytest.mark.parametrize("tokenizer", [CHARACTERS, BYTES], ids=["characters", "byte pairs"])
@pytest.mark.parametrize("make", [plain, package])
def test_every_step_of_every_position_and_head_is_drawn(make, tokenizer, parse):
    model, text = make(tokenizer), "cab 🐀\n <&>"
    assert forward_pass_steps(model) == STEPS
    last = len(tokenizer.encode(text)) - 1
    for step in STEPS:
        for position, head in ((0, 0), (last // 2, 1), (last, 1)):
            drawing = forward_pass(model, tokenizer, text, step, position, head)
            parse(drawing.svg)
            assert drawing.words.startswith(f"Step {STEPS.index(step)} of 12, ") and "nan" not in drawing.words
    for step, name in enumerate(STEPS):
        assert forward_pass(model, tokenizer, text, step).svg == forward_pass(model, tokenizer, text, name, last).svg
        assert forward_pass(model, tokenizer, text, step - 13).words == forward_pass(model, tokenizer, text, step).words


@pytest.fixture(scope="module", params=[plain, package, lambda: package(recipe="gpt2")])
def case(request):
    model = request.param()
    return model, trace(model, CHARACTERS.encode(TEXT))


def test_the_first_steps_tell_the_ids_and_vectors_of_the_model(case):
    model, found = case
    words = forward_pass(model, CHARACTERS, TEXT, "text").words
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in words and "It has 2 blocks, " in words
    words = forward_pass(model, CHARACTERS, TEXT, "tokens").words
    assert "12 tokens" in words and f"“a” {CHARACTERS.encode('a')[0]}, “b” {CHARACTERS.encode('b')[0]}" in words
    words = forward_pass(model, CHARACTERS, TEXT, "embedding", 2).words
    with torch.no_grad():
        row = model.embed.weight[found.ids[2]].detach()
    assert f"({decimal(row[0])}, {decimal(row[1])}, …)" in words
    assert f"Block 0 gets ({decimal(found.embedded[2, 0])}, {decimal(found.embedded[2, 1])}, …)" in words
    assert ("rotates queries and keys" in words) == (found.position_vectors is None)
    assert "parts" not in words and found.embedding_note in words


def test_scores_and_weights_are_those_of_the_model(case):
    model, found = case
    for layer, head, position in ((0, 0, 4), (1, 1, 11)):
        block = found.blocks[layer]
        words = forward_pass(model, CHARACTERS, TEXT, f"scores {layer}", position, head).words
        best = int(block.weights[head, position].argmax())
        assert f"The highest score is {decimal(block.scores[head, position, best])}, for " in words
        assert f"a weight of {percent(float(block.weights[head, position, best]), 1)}" in words
        assert f"keys of {position + 1} tokens, q · k / √8" in words
        assert ("mask hides 7 later tokens" in words) == (position == 4)
        words = forward_pass(model, CHARACTERS, TEXT, f"attention {layer}", position).words
        for h in range(2):
            weight, name = block.weights[h, position].max(), TEXT[int(block.weights[h, position].argmax())].strip() or "␣"
            assert f"head {h} to “{name}” ({percent(float(weight), 1)})" in words
        for vector in (block.attention_output, block.before, block.middle):
            assert f"length {number(float(vector[position].norm()))}" in words


def test_hidden_units_are_counted(case):
    model, found = case
    block = found.blocks[1]
    words = forward_pass(model, CHARACTERS, TEXT, "MLP 1", 3).words
    active = int((block.hidden[3] > 0).sum())
    assert 0 < active < 64 and f"{active} are active" in words
    assert f"unit {int(block.hidden[3].argmax())} with {number(float(block.hidden[3].max()))}" in words
    assert f"sum has length {number(float(block.after[3].norm()))}" in words


def test_logits_probabilities_and_the_next_token_are_the_models(case):
    model, found = case
    with torch.no_grad():
        logits = model.eval()(torch.tensor([CHARACTERS.encode(TEXT)]))[0][0, -1]
    best = int(logits.argmax())
    name, chance = CHARACTERS.tokens[best].replace("<unknown>", "�").strip() or "␣", percent(float(logits.softmax(-1)[best]), 1)
    words = forward_pass(model, CHARACTERS, TEXT, "logits").words
    assert f"Highest: “{name}” {decimal(logits[best])}" in words and f"mean {decimal(logits.mean())}" in words
    assert f"“{name}” {chance}" in forward_pass(model, CHARACTERS, TEXT, "probabilities").words
    words = forward_pass(model, CHARACTERS, TEXT, "next").words
    assert f"the most probable token is “{name}”, {chance}" in words and "next forward pass reads 13 tokens" in words
    mean = found.normalized[-1].mean()
    assert f"final norm mean {decimal(mean)} and standard" in forward_pass(model, CHARACTERS, TEXT, "norm").words


def test_at_an_earlier_position_the_true_next_token_and_its_loss_are_told(case):
    model, found = case
    words = forward_pass(model, CHARACTERS, TEXT, "next", 1).words
    probability = float(found.probabilities[1, found.ids[2]])
    assert f"goes on with “b”, {percent(probability, 1)}" in words
    assert f"−ln p = {number(-math.log(probability))} nats" in words and "Greedy" not in words


def test_bars_of_a_vector_are_its_numbers():
    svg, end = strip(torch.tensor([1.0, -0.5, 0.0]), 10, "a vector", height=32)
    assert "3 numbers: 1.00, −0.50, 0.00" in svg and end == 10 + 16 + 32
    assert "v-20.0" in svg and "v10.0" in svg and svg.count("v") >= 2  # up by 20 of 30 pixels, down by 10
    long, end = strip(torch.linspace(-1, 1, 2000), 0, "")
    assert "2,000 numbers (the first 1,024 drawn): " in long and end == 3 * 22 - 2
    zero, _ = strip(torch.zeros(4), 0, "zero")
    assert "stroke-width" not in zero


def test_chips_show_what_stands_around_the_chosen_one():
    few, _ = chips(["a", " b"], 0, 1, ids=[1, 23])
    assert "␣b" in few and ">23<" in few and "…" not in few
    many, end = chips([f" {i}" for i in range(100)], 0, 50)
    assert "␣50" in many and "␣0<" not in many and end == 24
    (before,), (behind,) = re.findall(r">(\d+) …<", many), re.findall(r">… (\d+)<", many)
    assert int(before) + int(behind) + many.count("<rect") == 100
    assert all(float(x) + float(w) <= 805 for x, w in re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"', many))


@pytest.mark.parametrize("n_layer", [1, 2, 4, 12, 48])
def test_the_list_shows_where_in_the_network_a_step_is(n_layer):
    steps = steps_of(n_layer)
    for current in range(len(steps)):
        svg, end = list_of_steps(steps, current)
        assert end < 560 and f'font-weight="700" fill="#ffffff">{steps[current].label}<' in svg
        if steps[current].block is not None:
            assert f">block {steps[current].block}<" in svg
        if n_layer > 12:
            assert re.search(r">blocks \d+ to \d+<", svg)


# --- the controls -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=[plain, package])
def explore(request):
    model = request.param()
    return model, explore_forward_pass(model, CHARACTERS, TEXT)


def test_controls_start_at_the_text_and_its_last_token(explore):
    model, live = explore
    assert live.settings == {"step": 0, "position": 11, "head": 0, "tokens_appended": 0, "text": TEXT}
    assert live.words == forward_pass(model, CHARACTERS, TEXT).words and live.error is None
    assert [label for label, _ in live.controls["step"].options][3:5] == ["3 · scores 0", "4 · attention 0"]
    assert not any(control.continuous_update for control in live.controls.values())


def test_every_extreme_of_every_control_works(explore, parse):
    _, live = explore
    for step in (0, 1, 3, 4, 12):
        live.controls["step"].value = step
        for settings in live.extremes():
            assert live.error is None, settings
            parse(live._picture.value)
        assert live.settings["text"] == TEXT and live.settings["step"] == step


def test_the_words_are_those_of_the_drawing_and_change_with_each_control(explore):
    model, live = explore
    seen = set()
    for step in range(13):
        live.controls["step"].value = step
        assert live.words == forward_pass(model, CHARACTERS, TEXT, step).words
        seen.add(live.words)
    assert len(seen) == 13
    live.controls["step"].value = 3
    live.controls["head"].value, live.controls["position"].value = 1, 5
    assert live.words == forward_pass(model, CHARACTERS, TEXT, 3, 5, 1).words and "Head 1" in live.words


def test_appended_tokens_are_the_greedy_ones_and_the_position_stays_at_the_end(explore):
    model, live = explore
    ids = CHARACTERS.encode(TEXT)
    for _ in range(3):
        with torch.no_grad():
            ids.append(int(model.eval()(torch.tensor([ids]))[0][0, -1].argmax()))
    live.controls["step"].value = 1
    live.controls["tokens_appended"].value = 3
    assert live.settings["position"] == live.controls["position"].max == 14
    assert "15 tokens" in live.words and "generated the last 3" in live.words
    live.controls["step"].value = 12
    assert "reads 16 tokens" in live.words and "(position 14)" in live.words
    live.controls["position"].value = 2
    live.controls["text"].value = "ab"
    assert live.settings["position"] == 2 and live.controls["position"].max == 4
    live.controls["tokens_appended"].value = 0
    assert live.settings["position"] == 1 and live.error is None


def test_the_controls_answer_a_text_that_cannot_be_read_with_a_sentence(explore):
    _, live = explore
    live.controls["text"].value = ""
    assert live.words == "There is no token to read: give a text of at least one character." and live.error is None
    live.controls["text"].value = "a" * 40
    assert live.words == "The text has 40 tokens, and this model reads at most 32: shorten it."
    live.controls["text"].value = "a" * 30
    live.controls["tokens_appended"].value = 8
    assert "this model reads at most 32" in live.words
    live.controls["tokens_appended"].value = 2
    live.controls["step"].value = 12
    assert live.words.startswith("Step 12 of 12") and "its context is full" in live.words


def test_a_trace_is_computed_once_for_each_text(monkeypatch):
    from helpers.interpretability import forward_trace

    calls = []
    monkeypatch.setattr(forward_trace, "trace", lambda model, ids: (calls.append(ids), trace(model, ids))[1])
    live = explore_forward_pass(plain(), CHARACTERS, TEXT)
    for step in range(13):
        live.controls["step"].value = step
    assert len(calls) == 1


def test_what_is_not_there_is_refused_with_a_sentence():
    model = plain()
    with pytest.raises(ValueError, match="no token to read"):
        forward_pass(model, CHARACTERS, "")
    with pytest.raises(ValueError, match="at most 32"):
        explore_forward_pass(model, CHARACTERS, "a" * 33)
    with pytest.raises(ValueError, match="no step 'attention 2'; known are text, tokens"):
        forward_pass(model, CHARACTERS, "ab", "attention 2")
    with pytest.raises(ValueError, match="no step 13; take 0 to 12"):
        forward_pass(model, CHARACTERS, "ab", 13)
    with pytest.raises(ValueError, match="no position 2 among 2 tokens; take 0 to 1"):
        forward_pass(model, CHARACTERS, "ab", 2, 2)
    with pytest.raises(ValueError, match="no head 2; take 0 to 1"):
        forward_pass(model, CHARACTERS, "ab", 3, 0, 2)


class Unscaled(Attention):
    causal, scale = True, 1.0

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal, scale=self.scale)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Unmasked(Unscaled):
    causal, scale = False, None


def test_an_attention_of_another_kind_is_said_and_shown_without_weights(parse):
    model = plain(attention=Unscaled)
    for step in STEPS:
        parse(forward_pass(model, CHARACTERS, TEXT, step).svg)
    assert "not the standard one" in forward_pass(model, CHARACTERS, TEXT, "scores 0").words
    found = trace(model, CHARACTERS.encode(TEXT)).blocks[0]
    words = forward_pass(model, CHARACTERS, TEXT, "attention 0").words
    assert "not the standard one" in words and f"length {number(float(found.middle[-1].norm()))}" in words
    assert "head" not in explore_forward_pass(model, CHARACTERS, TEXT).settings


def test_without_a_mask_later_tokens_are_shown_and_the_missing_mask_is_said(parse):
    model = plain(attention=Unmasked)
    drawing = forward_pass(model, CHARACTERS, TEXT, "scores 0", 0)
    parse(drawing.svg)
    assert "keys of 12 tokens" in drawing.words and "No mask hides" in drawing.words


def test_many_heads_and_wide_vectors_fit(parse):
    model = plain(n_embd=768, n_head=12, n_layer=1)
    for step in range(10):
        drawing = forward_pass(model, CHARACTERS, TEXT, step, 5, 11)
        parse(drawing.svg)
        assert len(drawing.svg) < 120_000
        assert all(float(x) < 820 for x in re.findall(r' x="([\d.]+)"', drawing.svg))


def test_a_book_calls_positions_as_the_words_do():
    book = explore_forward_pass(plain(), CHARACTERS, TEXT).in_book().book["position"]
    assert isinstance(book, list) and book[-1] == len(TEXT) - 1  # a list's settings are called by their values, from 0


def test_the_benchmark_of_frames_runs_beside_others(capsys):
    bench_drawings.main(["--rounds", "1", "--size", "100MB"])  # how fast it is here and now is no test
    said = capsys.readouterr().out
    assert "the slowest of 13 frames takes" in said and "the slowest of 4 frames takes" in said
