"""Pull it out: the recorded words, what each replacement does, and every control at each of its ends."""

import re

import pytest
import torch

from helpers.interpretability.ablation import ablation
from helpers.show import HeadRemoval, explore_pull_it_out, pull_it_out
from tests import factories

ANSWERS = [(3, " he"), (5, " she")]
PAIRS = {"one": torch.tensor([[1, 8, 2, 9], [1, 7, 2, 9]]), "two": torch.tensor([[1, 8, 6], [1, 7, 6]])}


@pytest.fixture(scope="module")
def removal():
    text = torch.randint(16, (3, 12), generator=torch.Generator().manual_seed(0))
    names = {"one": ("brother", "sister"), "two": ("dad", "mom")}
    return HeadRemoval(factories.gpt(std=0.5, zero_output=False), PAIRS, ANSWERS, text, names)


def test_the_words_say_what_becomes_of_both_answers_and_of_the_loss(removal):
    words, shares = pull_it_out(removal, 1, 0, "zero").words, []
    for hooks in ({}, ablation(removal.model, removal.text, 1, 0, "zero")):
        with torch.no_grad(), removal.model.hooks(hooks):
            p = removal.model(PAIRS["one"])[0][:, -1].softmax(-1)
        shares.append(p[:, 3] / (p[:, 3] + p[:, 5]))
    (man, woman), (man_after, woman_after) = (100 * share for share in shares)
    assert words.startswith(
        f"Without head 1.0, replaced by zeros: after “brother” the share of “he” goes from {man:.0f} % to {man_after:.0f} %, "
        f"after “sister” it goes from {woman:.0f} % to {woman_after:.0f} %. "
    )
    assert (man - man_after).abs() > 1
    assert f"The average loss goes from {removal.loss():.2f} to {removal.loss(1, 0, 'zero'):.2f} nats" in words


@pytest.mark.parametrize(
    "replacement, name", [("zero", "zero"), ("mean", "mean"), ("another conversation", "resample")]
)
def test_a_head_is_replaced_as_the_package_does(removal, replacement, name):
    inputs = removal.text[:, :-1]
    hooks = ablation(removal.model, removal.text, 0, 1, name)
    with torch.no_grad(), removal.model.hooks(hooks):
        logits = removal.model(inputs)[0]
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), removal.text[:, 1:].flatten()).item()
    assert removal.loss(0, 1, replacement) == pytest.approx(expected, abs=1e-5)
    assert removal.loss(0, 1, replacement) != pytest.approx(removal.loss(), abs=1e-5)


def test_a_head_that_writes_nothing_changes_nothing():
    model = factories.gpt(std=0.5, zero_output=False)
    model.blocks[0].attention.output.weight.data.zero_()
    text = torch.randint(16, (2, 8), generator=torch.Generator().manual_seed(0))
    words = pull_it_out(HeadRemoval(model, PAIRS, ANSWERS, text), 0, 0, "mean").words
    assert "100 % of the difference is left. The average loss stays at " in words and " goes " not in words


def test_the_picture_can_be_read_by_ear(removal, parse):
    cells = parse(pull_it_out(removal, 0, 1, "mean", "two").svg)
    titles = [title for title, _ in cells]
    assert sum(bool(re.match(r"(dad|mom), (as it is|without it): he .+ %, she .+ %", title)) for title in titles) == 4
    assert sum("nats" in title for title in titles) == 2


def test_every_control_works_at_each_of_its_ends(removal):
    explore = explore_pull_it_out(removal, 1, 1)
    assert explore.words == pull_it_out(removal, 1, 1, "mean", "one").words
    seen = {explore.words}
    for settings in explore.extremes():
        assert explore.error is None, explore.words
        assert explore.words == pull_it_out(removal, **settings).words
        seen.add(explore.words)
    assert len(seen) >= 6


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"layer": 2}, "there is no head 2.0"),
        ({"head": 2}, "there is no head 0.2"),
        ({"layer": -1}, "there is no head"),
        ({"replacement": "noise"}, "there is no replacement 'noise'"),
        ({"pair": "three"}, "there is no sentence pair 'three'"),
    ],
)
def test_what_is_not_there_gets_a_sentence(removal, settings, words):
    with pytest.raises(ValueError, match=words):
        pull_it_out(removal, **settings)


@pytest.mark.parametrize(
    "pairs, text, words",
    [
        ({}, torch.zeros(2, 4), "no sentence pair"),
        ({"one": torch.zeros(1, 4)}, torch.zeros(2, 4), "equal length"),
        (PAIRS, torch.zeros(1, 4), "at least two rows"),
    ],
)
def test_wrong_input_gets_a_sentence(pairs, text, words):
    with pytest.raises(ValueError, match=words):
        HeadRemoval(factories.gpt(), pairs, ANSWERS, text)
    with pytest.raises(ValueError, match="no heads"):
        HeadRemoval(torch.nn.Linear(2, 2), PAIRS, ANSWERS, torch.zeros(2, 4))
