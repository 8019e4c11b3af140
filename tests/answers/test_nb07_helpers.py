"""What learners build in notebook 07, in its build cells, is what the package and torch compute."""

import copy
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from helpers.bots.bot import Bot
from helpers.corpus.batches import reply_only_labels
from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models import lora
from helpers.training import early_stopping, losses, next_token_loss
from tests import factories
from tests.answers.solutions import NOTEBOOKS, run, solutions
from tests.notebooks.books import read
from tests.notebooks.definitions import lift

NAME = "07_fine_tuning"
NOTEBOOK = Path(NOTEBOOKS) / f"{NAME}.ipynb"
TOKENIZER = CharTokenizer("abcdefgh ")
TEXTS = ("ab", "c d", "ef", "g", "hh", "a")
TALK = factories.conversation(*TEXTS)
LONG = factories.conversation(*TEXTS * 6, speakers="ABB")


def solution(name):
    return run(solutions(NAME)[name], name, NAME)


@pytest.mark.parametrize("speaker", ["A", "B"])
@pytest.mark.parametrize("talk", [TALK, LONG])
def test_the_learners_labels_are_the_packages_and_those_of_the_rows(talk, speaker):
    ids = [TOKENIZER.end, *TOKENIZER.encode_conversation(talk)]
    own, other = (TOKENIZER.speaker(name) for name in (speaker, "BA"["AB".index(speaker)]))
    labels = solution("reply_labels")(ids, own, (other, TOKENIZER.end))
    assert labels == reply_only_labels.reply_labels(ids, own, (other, TOKENIZER.end))
    for context in (8, 16, 256):
        theirs = reply_rows([talk], TOKENIZER, context, speaker)
        ours = reply_rows([talk], TOKENIZER, context, speaker, labels=solution("reply_labels"))
        assert [(row.ids.tolist(), row.mask.tolist()) for row in ours] == [(r.ids.tolist(), r.mask.tolist()) for r in theirs]
    (row,) = theirs
    assert labels == ReplyBatches([row], 1, pad=TOKENIZER.pad)[0].targets[0].tolist()


def test_the_rows_hold_what_the_learner_marks():
    """Another rule than the package's, and the rows follow it: the learner's labels are those that are trained."""
    rows = reply_rows([TALK], TOKENIZER, 64, "B", labels=lambda ids, own, others: [-100] * (len(ids) - 2) + [ids[-1]])
    assert [row.mask.tolist() for row in rows] == [[False] * (len(rows[0].ids) - 1) + [True]]


def test_the_learners_loss_is_torchs_and_the_packages_with_its_gradient():
    model = factories.gpt(len(TOKENIZER), n_layer=1)
    batch = ReplyBatches(reply_rows([TALK, TALK], TOKENIZER, 16, "B"), 2, pad=TOKENIZER.pad)[0]
    logits = model(batch.inputs)[0].detach()
    ways = [solution("masked_cross_entropy"), losses.masked_cross_entropy,
            lambda logits, targets: functional.cross_entropy(logits.flatten(0, 1), targets.flatten())]  # fmt: skip
    found = []
    for way in ways:
        leaf = logits.clone().requires_grad_(True)
        loss = way(leaf, batch.targets)
        found.append((loss.detach(), torch.autograd.grad(loss, leaf)[0]))
    torch.testing.assert_close(found[0], found[2])
    torch.testing.assert_close(found[1], found[2])
    assert found[0][0].item() == pytest.approx(next_token_loss(model, batch).item())


def test_the_learners_lora_is_the_packages_with_its_gradients():
    torch.manual_seed(0)
    linear, x = torch.nn.Linear(6, 9), torch.randn(4, 6)
    ours, theirs = solution("LoRALinear")(copy.deepcopy(linear), 2, 5.0), lora.LoRALinear(copy.deepcopy(linear), 2, 5.0)
    torch.nn.init.normal_(ours.B)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))
    for layer in (ours, theirs):
        layer(x).square().sum().backward()
    gradients = [{name: part.grad for name, part in layer.named_parameters() if part.requires_grad} for layer in (ours, theirs)]
    assert set(gradients[0]) == {"A", "B"}
    torch.testing.assert_close(*gradients)


def test_a_gpt_with_the_learners_lora_is_the_packages_is_merged_and_saved(tmp_path):
    base, ids = factories.gpt(40, zero_output=False), torch.randint(40, (2, 9))
    ours = solution("add_lora")(copy.deepcopy(base), 3, 6.0)
    theirs = lora.add_lora(copy.deepcopy(base), 3, alpha=6.0)
    mixed = lora.add_lora(copy.deepcopy(base), 3, 6.0, layer=solution("LoRALinear"))  # a learner who wrote the layer alone
    for name, value in ours.named_parameters():
        if name.endswith(".B"):
            torch.nn.init.normal_(value, std=0.1)
    for other in (theirs, mixed):
        assert ours.state_dict().keys() == other.state_dict().keys()
        other.load_state_dict(ours.state_dict())
    scores = ours.eval()(ids)[0]
    torch.testing.assert_close(theirs.eval()(ids)[0], scores)
    torch.testing.assert_close(mixed.eval()(ids)[0], scores)
    assert not torch.allclose(scores, base(ids)[0], atol=1e-3)
    file = lora.save_lora(ours, tmp_path / "ours.safetensors")
    torch.testing.assert_close(lora.load_lora(copy.deepcopy(base), file).eval()(ids)[0], scores)
    torch.testing.assert_close(lora.merge_lora(ours)(ids)[0], scores, atol=1e-4, rtol=1e-4)
    assert ours.state_dict().keys() == base.state_dict().keys()


def test_early_stopping_is_the_packages():
    rng, stop = torch.Generator().manual_seed(0), solution("early_stopping")
    for _ in range(200):
        values = torch.randint(6, (int(torch.randint(1, 12, (), generator=rng)),), generator=rng).tolist()
        for patience in (1, 2, 4):
            assert stop(values, patience) == early_stopping.early_stopping(values, patience)


def test_the_ensemble_of_the_notebook_averages_probabilities():
    models, ids = [factories.gpt(20, seed=seed, zero_output=False).eval() for seed in range(3)], torch.randint(20, (2, 7))
    logits, _ = lift(NOTEBOOK, "Ensemble")(*models)(ids)
    mean = sum(model(ids)[0].softmax(-1) for model in models) / 3
    torch.testing.assert_close(logits.softmax(-1), mean)


def test_the_whole_way_to_a_style_of_ones_own_can_be_gone(tmp_path, monkeypatch, capsys):
    """The listing at the end of the exercises, on a network and a corpus that are small."""
    (cell,) = [cell for cell in read(NOTEBOOK).cells if cell.source.startswith("### A style of your own")]
    listing = cell.source.split("```python\n")[1].removesuffix("```")
    bot = Bot(factories.gpt(len(TOKENIZER), n_layer=1, context=128), TOKENIZER, "gpt")
    monkeypatch.setattr("helpers.bots.checkpoints.load", lambda name: copy.deepcopy(bot))
    monkeypatch.setattr("helpers.corpus.load.load", lambda name: factories.corpus(val=[TALK] * 20))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(listing, "notebook 07", "exec"), names)
    assert names["shouting"]("a.") == "A!" and (tmp_path / "shouting.safetensors").exists()
    ids = torch.tensor([names["rows"][0].ids[:-1].tolist()])
    with torch.no_grad():
        learned, fresh = (one.eval()(ids)[0] for one in (names["mine"].model, bot.model))
        light = names["light"].eval()(ids)[0]
    assert torch.allclose(learned, light, atol=1e-4) and not torch.allclose(learned, fresh, atol=0.1)
