"""The training runs behind notebook 07: every method begins where it says, and what is measured is what was trained."""

import csv

import pytest
import torch

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.corpus.batches.base import Batch
from helpers.corpus.texting_style import restyled
from helpers.evaluation.likelihood import reply_bits_per_byte
from helpers.experiments import fine_tuning
from helpers.experiments.fine_tuning import (
    RUNS,
    FineTuningRun,
    NoisyContext,
    initial_model,
    main,
    small_set,
    train_one,
    training_rows,
)
from helpers.runtime import start
from tests import factories


def talks(number):
    return factories.conversations(number, factories.SMALL_TALK * 3)


@pytest.fixture
def bot(tokenizer):
    return Bot(factories.gpt(len(tokenizer), seed=7, n_layer=1, context=128), tokenizer, "gpt")


CORPUS = factories.corpus(talks(6), talks(4), talks(2))


def test_each_method_begins_where_it_says(bot):
    ids = torch.arange(3, 12)[None]
    scratch, full, lora = (initial_model(method, bot.model) for method in ("scratch", "full", "lora-2"))
    for model in (full, lora):
        assert torch.equal(model.eval()(ids)[0], bot.model(ids)[0])
    assert scratch.settings == bot.model.settings and not torch.equal(scratch.embed.weight, bot.model.embed.weight)
    assert full.embed.weight is not bot.model.embed.weight
    trained = [sum(p.numel() for p in model.parameters() if p.requires_grad) for model in (scratch, full, lora)]
    assert trained[0] == trained[1] == bot.model.parameter_count() > 5 * trained[2] > 0
    for wrong in ("half", "lora", "lora-x"):
        with pytest.raises(ValueError, match="known are scratch, full, and lora-8"):
            initial_model(wrong, bot.model)


def test_noise_changes_only_what_is_no_label():
    ids = torch.arange(1, 101).view(1, 100).repeat(50, 1)
    targets = ids + 1
    targets[:, :60] = -100
    seen = []

    def model(inputs):
        seen.append(inputs)
        return torch.zeros(*inputs.shape, 1000), None

    NoisyContext(1000, 0.5)(model, Batch(ids, targets, True))
    changed = seen[0] != ids
    assert not changed[:, 0].any() and not changed[:, 61:].any()  # <end>, and what was said before by the bot itself
    assert 0.45 < changed[:, 1:61].float().mean() < 0.55


def test_rehearsal_reads_as_much_old_talk_as_new(bot):
    read = [restyled(talk) for talk in CORPUS.val]
    plain, mixed = (training_rows(read, CORPUS, bot.tokenizer, guard) for guard in ("", "rehearsal"))
    said = {bot.tokenizer.decode(row.ids[row.mask]) for row in plain}
    assert all("too" in text or "fine" in text or "ok" in text for text in said)
    old = [row for row in mixed if any(letter.isupper() for letter in bot.tokenizer.decode(row.ids[row.mask]))]
    assert 0.3 < len(old) / len(mixed) < 0.7


def run(method="full", talks=4, rate=1e-2, measured=(5,), series="frontier", optimizer="adamw", seed=0):
    return FineTuningRun(series, method, optimizer, talks, rate, seed, 2, measured)


def test_training_learns_the_style_and_records_how_much_it_trained(bot, monkeypatch):
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    device = start(seed=0)
    first, last = train_one(run(measured=(20, 40)), CORPUS, bot, device)
    assert (first["steps"], last["steps"]) == (20, 40) and first["trained"] == bot.model.parameter_count()
    assert last["new"] < first["new"] < 6  # bits per byte of the new style
    assert set(first) == set(fine_tuning.COLUMNS)
    (lora,) = train_one(run("lora-2"), CORPUS, bot, device)
    assert 0 < lora["trained"] < first["trained"] / 5
    (untouched,) = train_one(run(rate=0.0, measured=(0,), talks=0), CORPUS, bot, device)
    assert (untouched["steps"], untouched["trained"]) == (0, 0) and untouched["new"] > first["new"]
    again = train_one(run("lora-2"), CORPUS, bot, device)
    assert again == [lora]


def test_measuring_along_the_way_does_not_change_the_training(bot, monkeypatch):
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    device = start(seed=0)
    (once,) = train_one(run("full+dropout", measured=(6,)), CORPUS, bot, device)
    often = train_one(run("full+dropout", measured=(2, 3, 6)), CORPUS, bot, device)
    assert len(often) == 3 and often[-1] == once


def test_each_optimizer_goes_its_own_way(bot, monkeypatch):
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    device = start(seed=0)
    ends = {name: train_one(run(optimizer=name), CORPUS, bot, device)[0]["new"] for name in ("sgd", "adamw", "muon")}
    assert len(set(ends.values())) == 3


def test_a_seed_of_the_small_sets_has_conversations_of_its_own():
    corpus = factories.corpus((), talks(6), ())
    sets = [small_set(run(talks=2, series="guard", seed=seed), corpus) for seed in range(3)]
    assert [talk for chosen in sets for talk in chosen] == [restyled(talk) for talk in corpus.val]
    assert small_set(run(talks=2, seed=2), corpus) == sets[0]


def test_no_run_trains_on_the_conversations_that_choose():
    last = [run.talks * (run.seed + 1 if run.series == "guard" else 1) for run in RUNS]
    assert max(last) <= fine_tuning.SMALL_SET


def test_choices_are_made_on_validation_conversations_that_no_run_trains_on(bot, monkeypatch):
    monkeypatch.setattr(fine_tuning, "SMALL_SET", 4)
    others = factories.conversations(1, ("What do you think?", "I think, so I am here.", "Oh, good!", "You see, it is me!"))
    bits = fine_tuning.measure(bot.model, 2, factories.corpus((), (*CORPUS.val, *others), CORPUS.test), bot.tokenizer)
    assert bits["val"] == pytest.approx(reply_bits_per_byte(bot.model, bot.tokenizer, [*map(restyled, others)], "B", 128))
    assert bits["val"] != pytest.approx(bits["new"])


def test_the_file_grows_by_what_it_lacks(bot, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    runs = (run(talks=2, rate=1e-3, measured=(1, 2)), run("lora-2", talks=2, rate=1e-3, measured=(2,)))
    monkeypatch.setattr(fine_tuning, "load", lambda: CORPUS)
    monkeypatch.setattr(checkpoints, "load", lambda name: bot)
    path = tmp_path / "runs.csv"
    monkeypatch.setattr(fine_tuning, "RUNS", runs[:1])
    main(path)
    monkeypatch.setattr(fine_tuning, "RUNS", runs)
    before = path.read_text()
    main(path)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert path.read_text().startswith(before) and [row["method"] for row in rows] == ["full", "full", "lora-2"]
    assert [row["rate"] for row in rows] == ["0.001"] * 3
    main(path)
    assert len(path.read_text().splitlines()) == 4  # nothing is lacking any more


def test_every_run_is_one_of_its_own():
    keys = [tuple(run.key.values()) for run in RUNS]
    assert len(set(keys)) == len(keys)
    assert all(round(run.rate, 4) == run.rate for run in RUNS)  # a table keeps four digits after the point
