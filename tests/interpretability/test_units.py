"""Units with a name: labels read by hand, scores against definitions, a planted unit is found, noise is not believed."""

import numpy as np
import pytest
import torch

from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.interpretability.units import LABELS, best_unit, pieces, record, unit_scores
from helpers.models.rnn import CharRNN

CHAT = Conversation("c", "c", (Turn("A", "What (now)? I'm ok"), Turn("B", 'A "B2" ')))


@pytest.fixture
def tokenizer():
    return CharTokenizer.train(turn.text for turn in CHAT.turns)


def test_record_is_what_the_model_shows_and_carries_the_memory_over(tokenizer, monkeypatch):
    monkeypatch.setattr("helpers.interpretability.units.WINDOW", 7)
    model = CharRNN(len(tokenizer), hidden_size=6, embedding_size=5, dropout=0.5)
    characters, outputs = record(model, tokenizer, [CHAT, "now~"])
    assert characters == ["<A>", *CHAT.turns[0].text, "<B>", *CHAT.turns[1].text, "<end>", "<A>", *"now�", "<end>"]
    ids = [tokenizer.end, *tokenizer.encode_conversation(CHAT), tokenizer.speaker("A"), *tokenizer.encode("now~")]
    model.eval()
    expected = model.read(torch.tensor([[*ids, tokenizer.end]]))[0][0, 1:]
    assert outputs.shape == (len(characters), 6) and outputs.dtype == np.float32
    assert outputs == pytest.approx(expected.detach().numpy(), abs=1e-6)
    model.train()
    assert record(model, tokenizer, [CHAT])[1] == pytest.approx(outputs[:28], abs=1e-6) and model.training


def test_record_refuses_nothing_and_a_bare_string(tokenizer):
    model = CharRNN(len(tokenizer), hidden_size=6)
    with pytest.raises(ValueError, match="no text"):
        record(model, tokenizer, [])
    with pytest.raises(ValueError, match=r"\[text\]"):
        record(model, tokenizer, "now")


READ = "<A> W h a t _ ( n o w ) ? _ I ' m _ o k <B> A _ “ B 2 ” _ <end>"
BY_HAND = {
    "inside a word": "01111001110001110110 10011000",
    "characters since the last space": "01234012345601230120 10123400",
    "inside a quotation": "00000000000000000000 00111000",
    "inside brackets": "00000011110000000000 00000000",
    "inside a number": "00000000000000000000 00001000",
    "the sentence began with a question word": "00000111111000000000 00000000",
    "the turn before asked a question": "00000000000000000001 11111110",
    "speaker B is talking": "00000000000000000001 11111110",
    "a capital letter in this word": "01111000000001110000 10011000",
    "the word before was I": "00000000000000001110 00000000",
    "the first word of a sentence": "11111000000111110001 10000001",
    "the turn began with a small letter": "00000000000000000000 00000000",
    "the conversation has just begun": "11111111111111111111 11111110",
}


@pytest.mark.parametrize("name", [name for name in LABELS if name in BY_HAND])
def test_labels_read_by_hand(name):
    characters = (
        READ.replace("_", "\t").replace(" ", "").replace("<A>", "\0").replace("<B>", "\1").replace("<end>", "\2")
    )
    marks = {"\0": "<A>", "\1": "<B>", "\2": "<end>", "\t": " "}
    characters = [marks.get(c, c) for c in characters]
    assert "".join(map(str, LABELS[name](characters))) == BY_HAND[name].replace(" ", "")


def test_every_label_is_checked_and_none_looks_ahead():
    assert set(BY_HAND) | {"characters since the turn began", "characters since the sentence began"} == set(LABELS)
    characters = ["<A>", *'So? Is it (a “b” or "c") I\'m 42', "<B>", *"No. What is it", "<end>"]
    for name, label in LABELS.items():
        whole = list(label(characters))
        for end in range(len(characters)):
            assert list(label(characters[:end])) == whole[:end], name


def test_positions_count_from_their_beginning():
    characters = ["<A>", *"a. b", "<B>", *"c"]
    assert LABELS["characters since the turn began"](characters) == [0, 1, 2, 3, 4, 0, 1]
    assert LABELS["characters since the sentence began"](characters) == [0, 1, 0, 1, 2, 0, 1]
    assert LABELS["characters since the last space"]("ab c") == [0, 1, 0, 1]  # a plain string will do


def test_area_under_the_curve_by_hand_with_ties():
    # Pairs of a 1 (shows 2, 3) with a 0 (shows 1, 2, 2): 1 + ½ + ½ + 3 = 5 of 6 won.
    outputs, labels = np.array([[1], [2], [2], [2], [3]], dtype=np.float32), [0, 0, 1, 0, 1]
    assert unit_scores(outputs, labels) == pytest.approx([2 * (5 / 6 - 0.5)])


def test_area_under_the_curve_is_the_share_of_pairs_won():
    outputs, labels = np.random.normal(size=(60, 70)).round(1), np.random.random(60) < 0.3
    pairs = np.sign(outputs[labels][:, None] - outputs[~labels][None]).mean((0, 1))
    assert unit_scores(outputs, labels) == pytest.approx(np.abs(pairs))


def test_numbers_are_compared_by_spearman_with_ties():
    outputs, labels = np.array([[1, 5], [2, 5], [2, 5], [9, 5]]), [0, 3, 1, 3]
    ranks, other = [1, 2.5, 2.5, 4], [1, 3.5, 2, 3.5]
    assert unit_scores(outputs, labels) == pytest.approx(
        [np.corrcoef(ranks, other)[0, 1], 0]
    )  # a constant unit knows 0
    assert unit_scores(np.arange(6)[:, None], [0, 1, 8, 27, 64, 125]) == pytest.approx([1])


@pytest.mark.parametrize("labels", [np.arange(50) % 5, np.arange(50) % 5 > 2])
def test_sign_scale_and_any_growing_function_leave_the_score_as_it_is(labels):
    outputs = np.random.normal(size=(50, 3)).astype(np.float32)
    scores = unit_scores(outputs, labels)
    for changed in (-outputs, 1000 * outputs - 7, np.exp(outputs.astype(float))):
        assert unit_scores(changed, labels) == pytest.approx(scores)


def runs(size, random):
    """Labels that stay the same for about ten places, as those of words and turns do."""
    return np.cumsum(random.random(size) < 0.1) % 2


def smooth_noise(size, units, random):
    """Units that know nothing and change slowly, as those of a recurrent network do."""
    noise = random.normal(size=(size, units))
    for t in range(1, size):
        noise[t] = 0.9 * noise[t - 1] + 0.44 * noise[t]
    return np.tanh(noise)


def test_a_planted_unit_is_found_and_holds_elsewhere():
    random = np.random.default_rng(1)
    (one, first), (two, second) = ((runs(800, random), smooth_noise(800, 12, random)) for _ in "ab")
    for labels, outputs in ((one, first), (two, second)):
        outputs[:, 7] -= 4 * labels  # it goes down where the label is 1
    found = best_unit(first, one, second, two)
    assert found.unit == 7 and found.score > 0.9 and found.held_out > 0.9 and found.luck < 0.5
    second[:, 7] += 8 * two  # it turns round in the other text: that is not the same knowledge
    assert best_unit(first, one, second, two).held_out < -0.9


def test_noise_is_not_believed():
    random = np.random.default_rng(2)
    held_out, above = [], 0
    for seed in range(10):
        first, second = (smooth_noise(400, 20, random) for _ in "ab")
        found = best_unit(first, runs(400, random), second, runs(400, random), seed=seed)
        held_out.append(found.held_out)
        above += found.score > found.luck
        assert found.score > 0.1  # the best of twenty looks like something …
    assert abs(np.mean(held_out)) < 0.1 and above <= 2  # … and is nothing: 1 in 21 beats twenty shuffles


def test_shifting_keeps_the_runs_that_plain_shuffling_would_break():
    random = np.random.default_rng(3)
    outputs, labels = smooth_noise(600, 20, random), runs(600, random)
    luck = best_unit(outputs, labels, outputs, labels, shuffles=20).luck
    plain = max(unit_scores(outputs, random.permutation(labels)).max() for _ in range(20))
    assert luck > 1.3 * plain


def test_the_seed_decides_the_shuffles():
    random = np.random.default_rng(4)
    outputs, labels = smooth_noise(200, 5, random), runs(200, random)
    one, same, other = (best_unit(outputs, labels, outputs, labels, 5, seed) for seed in (0, 0, 1))
    assert one == same and one.luck != other.luck and one.score == other.score == one.held_out


def test_wrong_input_is_answered_with_what_to_do():
    with pytest.raises(ValueError, match="one label for each row"):
        unit_scores(np.zeros((3, 2)), [0, 1])
    with pytest.raises(ValueError, match="read more text"):
        unit_scores(np.zeros((3, 2)), [1, 1, 1])


def test_pieces_are_one_to_a_token(tokenizer):
    assert pieces(tokenizer, [0, 1, 2, 3, *tokenizer.encode("W ")]) == ["<pad>", "�", "<end>", "<A>", "W", " "]


def test_small_turns():
    characters = ["<A>", *"1 oK", "<B>", *"Ok", "<A>", *"ok"]
    assert LABELS["the turn began with a small letter"](characters) == [0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1]


def test_straight_quotation_marks_open_and_close_and_a_turn_closes_what_is_open():
    characters = [*'a "b" "c', "<B>", *'d"e']
    assert LABELS["inside a quotation"](characters) == [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]
    assert LABELS["inside brackets"]([*":( (b", "<B>", *"d)e"]) == [0, 0, 0, 1, 1, 0, 0, 0, 0]
