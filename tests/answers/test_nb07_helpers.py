"""What notebook 07 and its exercises build is what the package uses."""

import copy
import functools
from pathlib import Path

import pytest
import torch

from helpers.bots.bot import Bot
from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.models import lora
from helpers.training import next_token_loss
from tests import factories
from tests.answers.solutions import NOTEBOOKS, run, solutions
from tests.notebooks.books import read
from tests.notebooks.definitions import lift

NOTEBOOK = Path(NOTEBOOKS) / "07_fine_tuning.ipynb"
TOKENIZER = CharTokenizer("abcdefgh ")
TEXTS = ("ab", "c d", "ef", "g", "hh", "a")
TALK = factories.conversation(*TEXTS)


def solution(name):
    return run(solutions("07_fine_tuning")[name], name)


@functools.cache
def lifted(name):
    return lift(NOTEBOOK, name)


@pytest.mark.parametrize("speaker", ["A", "B"])
def test_the_notebook_marks_what_the_rows_mark_and_so_does_exercise_1(speaker):
    ids = [TOKENIZER.end, *TOKENIZER.encode_conversation(TALK)]
    own, other = (TOKENIZER.speaker(name) for name in (speaker, "BA"["AB".index(speaker)]))
    (row,) = reply_rows([TALK], TOKENIZER, 64, speaker)
    marks = lifted("marked")(ids, own, (other, TOKENIZER.end))
    assert row.ids.tolist() == ids and row.mask.tolist() == marks and sum(marks) > 5
    labels = solution("labels_for")(ids, own, (other, TOKENIZER.end))
    assert labels == ReplyBatches([row], 1, pad=TOKENIZER.pad)[0].targets[0].tolist()


def test_the_mean_of_exercise_2_is_the_loss_that_is_trained():
    model = factories.gpt(len(TOKENIZER), n_layer=1)
    batch = ReplyBatches(reply_rows([TALK, TALK], TOKENIZER, 16, "B"), 2, pad=TOKENIZER.pad)[0]
    logits, _ = model(batch.inputs)
    nats = torch.nn.functional.cross_entropy(logits.mT, batch.targets, reduction="none")
    assert solution("reply_mean")(nats, batch.targets) == pytest.approx(next_token_loss(model, batch).item())


def test_lora_of_the_notebook_of_exercise_3_and_of_the_package_are_one():
    torch.manual_seed(0)
    linear, x = torch.nn.Linear(6, 9), torch.randn(4, 6)
    ours, theirs = lifted("LoRALinear")(copy.deepcopy(linear), 2, 5.0), lora.LoRALinear(copy.deepcopy(linear), 2, 5.0)
    torch.nn.init.normal_(ours.B)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))
    beside = solution("lora_output")(x, linear.weight, ours.A, ours.B, 5.0) + linear.bias
    torch.testing.assert_close(beside, theirs(x))
    grown = [{name for name, value in part.named_parameters() if value.requires_grad} for part in (ours, theirs)]
    assert grown[0] == grown[1] == {"A", "B"}


def test_a_whole_network_with_lora_and_folded_again_as_the_package_does_it():
    base, ids = factories.gpt(40), torch.randint(40, (2, 9))
    namespace = lifted("with_lora").__globals__
    namespace["device"] = type("Device", (), {"torch": torch.device("cpu")})
    ours, theirs = lifted("with_lora")(base, 3), lora.add_lora(copy.deepcopy(base), 3, alpha=6)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, value in ours.named_parameters():
        if name.endswith(".B"):
            torch.nn.init.normal_(value, std=0.1)
    theirs.load_state_dict(ours.state_dict())
    scores = ours.eval()(ids)[0]
    torch.testing.assert_close(theirs.eval()(ids)[0], scores)
    assert not torch.allclose(scores, base(ids)[0], atol=1e-3)
    torch.testing.assert_close(lifted("folded")(ours)(ids)[0], scores, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(lora.merge_lora(theirs)(ids)[0], scores, atol=1e-4, rtol=1e-4)


def test_the_whole_way_to_a_manner_of_ones_own_can_be_gone(tmp_path, monkeypatch, capsys):
    """The listing at the end of the exercises, on a network and a corpus that are small."""
    (cell,) = [cell for cell in read(NOTEBOOK).cells if cell.source.startswith("### A manner of your own")]
    listing = cell.source.split("```python\n")[1].removesuffix("```")
    bot = Bot(factories.gpt(len(TOKENIZER), n_layer=1, context=128), TOKENIZER, "gpt")
    monkeypatch.setattr("helpers.bots.checkpoints.load", lambda name: copy.deepcopy(bot))
    monkeypatch.setattr("helpers.corpus.load.load", lambda name: factories.corpus(val=[TALK] * 20))
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(compile(listing, "notebook 07", "exec"), made)
    assert made["shouting"]("a.") == "A!" and (tmp_path / "shouting.safetensors").exists()
    ids = torch.tensor([made["rows"][0].ids[:-1].tolist()])
    with torch.no_grad():
        learned, fresh = (one.eval()(ids)[0] for one in (made["mine"].model, bot.model))
    assert torch.allclose(learned, made["light"].eval()(ids)[0], atol=1e-4) and not torch.allclose(learned, fresh, atol=0.1)
