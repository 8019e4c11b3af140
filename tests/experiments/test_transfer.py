"""Transfer: the starts differ in their weights alone, training is cut off on validation data, and the table says what was run."""

import csv
import math

import pytest
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows
from helpers.corpus.documentation_strings import DocumentationText
from helpers.evaluation.likelihood import reply_bits_per_byte
from helpers.experiments import transfer
from helpers.experiments.transfer import (
    STARTS,
    DocumentationRecipe,
    TransferRun,
    documentation_stream,
    fine_tune,
    initial_model,
    main,
    pretrain,
    pretrained,
    reply_bits_by_kind,
    some_conversations,
)
from helpers.io import read_rows
from helpers.runtime import start
from helpers.training import mean_loss, next_token_loss
from tests import factories

PARAGRAPHS = tuple(f"The {what} of the soup is {how} by the cook." for what in ("salt", "oil", "leek", "pot", "lid", "heat")
                   for how in ("added", "eaten", "taken", "stirred", "found", "left"))  # fmt: skip
TINY = DocumentationRecipe(n_embd=16, n_layer=1, n_head=2, context=24, bigram_rows=31, batch_size=4, steps=12)


def talks(number):
    texts = ("Hello there, my friend!", "Hello to you too.", "How is the soup?", "It is fine, and you?", "Me too.", "Ok!")
    return factories.conversations(number, texts * 3)


CORPUS = factories.corpus(talks(6), talks(4), talks(2))


@pytest.fixture
def course(tokenizer, checkpoint_folder, tmp_path, monkeypatch):  # noqa: F811
    """A folder with the bot "gpt", tiny sizes, and no text but PARAGRAPHS."""
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    checkpoints.save(Bot(factories.gpt(len(tokenizer), n_layer=1), tokenizer, "gpt"), {}, {})
    monkeypatch.setattr(transfer, "RECIPE", TINY)
    monkeypatch.setattr(transfer, "CONTEXT", 24)
    monkeypatch.setattr(transfer, "documentation_text", lambda: DocumentationText(PARAGRAPHS, {"soup": "1.0"}))
    pretrained.cache_clear()
    yield tokenizer
    pretrained.cache_clear()


def test_the_stream_has_every_paragraph_between_ends(tokenizer):
    ids = documentation_stream(PARAGRAPHS, tokenizer).tolist()
    assert ids[0] == ids[-1] == tokenizer.end and ids.count(tokenizer.end) == len(PARAGRAPHS) + 1
    text = tokenizer.decode(ids, special=True)
    assert sorted(text.split("<end>")[1:-1]) == sorted(PARAGRAPHS) and text.split("<end>")[1:-1] != list(PARAGRAPHS)


def test_pretraining_learns_and_says_on_what(course):
    model, facts = pretrain(PARAGRAPHS, course, start(seed=0), TINY)
    assert facts["tokens of documentation"] == len(documentation_stream(PARAGRAPHS, course))
    assert 0 < facts["bits per token of documentation"] < math.log2(len(course)) - 0.5
    assert facts["parameters"] == model.parameter_count() and facts["training seconds"] > 0


def test_what_was_pretrained_is_kept_and_is_no_bot(course, monkeypatch):
    first = pretrained("documentation").embed.weight
    card = checkpoints.card("gpt-docs")
    text = DocumentationText(PARAGRAPHS, {})
    assert card["recipe"]["text"] == text.sha256 and card["recipe"]["packages"] == {"soup": "1.0"}
    assert card["recipe"]["steps"] == TINY.steps and card["metrics"]["tokens of documentation"] > 0
    assert checkpoints.names() == ["gpt"]  # it has never read a conversation
    assert not torch.equal(first, pretrained("scratch").embed.weight)
    pretrained.cache_clear()
    monkeypatch.setattr(transfer, "pretrain", None)  # nothing is trained a second time
    assert torch.equal(pretrained("documentation").embed.weight, first)
    with pytest.raises(ValueError, match="known are scratch, documentation"):
        pretrained("English")


def test_a_damaged_checkpoint_says_which_command_trains_it_again(course):
    pretrained("documentation")
    (checkpoints.folder() / "gpt-docs" / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(checkpoints.DamagedCheckpoint, match="python -m helpers experiments transfer"):
        checkpoints.load("gpt-docs")


def test_the_starts_differ_in_their_weights_alone(course):
    models = {name: initial_model(name) for name in STARTS}
    assert len({str(model.config) for model in models.values()}) == 1
    assert torch.equal(initial_model("documentation", 3).embed.weight, models["documentation"].embed.weight)
    fresh = [initial_model("scratch", seed).embed.weight for seed in (0, 3, 3)]
    assert torch.equal(fresh[0], models["scratch"].embed.weight) and torch.equal(fresh[1], fresh[2])
    assert not torch.equal(fresh[0], fresh[1])
    models["documentation"].embed.weight.data.zero_()
    assert initial_model("documentation").embed.weight.any()  # a copy of its own


def test_bits_are_those_of_the_course_and_closing_tokens_are_a_part_of_them(tokenizer):
    model = factories.gpt(len(tokenizer), context=24, std=0.1)
    rows = reply_rows(CORPUS.test, tokenizer, 24)
    bits, closing = reply_bits_by_kind(model, tokenizer, rows)
    assert bits == pytest.approx(reply_bits_per_byte(model, tokenizer, CORPUS.test, context=24), rel=1e-5)
    assert 0 < closing < bits
    labels = [number for row in rows for number in row.ids[row.mask]]
    share = sum(not tokenizer.decode([number]) for number in labels) / len(labels)
    uniform = factories.gpt(len(tokenizer), context=24, scale=0)
    bits, closing = reply_bits_by_kind(uniform, tokenizer, rows)
    assert closing / bits == pytest.approx(share, rel=1e-5)


def test_the_weights_that_did_best_on_validation_stay(course):
    validation, seen = reply_rows(CORPUS.val, course, 24), []
    model = initial_model("documentation")
    history = fine_tune(
        model, course, CORPUS.train, validation, steps=8, rate=1.0, checks=4, optimizer="adamw", schedule="constant",
        callbacks=[lambda history, model: seen.append(history.steps)],
    )  # fmt: skip
    assert seen == list(range(1, 9))
    checks = {row[0]: row[4] for row in history.rows if row[4] == row[4]}  # validation, where it was measured
    assert list(checks) == [2, 4, 6, 8] and checks[history.best_step] == min(checks.values()) < max(checks.values())
    held_out = ReplyBatches(validation, 32, pad=course.pad)
    assert mean_loss(model, held_out, loss=next_token_loss) == pytest.approx(history.best, rel=1e-5)


def test_another_seed_reads_other_conversations():
    many = talks(40)
    first, again, other = (some_conversations(many, 5, seed) for seed in (0, 0, 1))
    assert first == again != other and len({talk.id for talk in first}) == 5
    assert len(some_conversations(many, 100)) == 40


def test_the_command_runs_what_the_table_lacks(course, tmp_path, monkeypatch):
    runs = (
        TransferRun("before", "documentation", 0, 0.0, 0, 0),
        *(TransferRun("conversations", name, 3, 0.01, 0, 4) for name in STARTS),
    )
    monkeypatch.setattr(transfer, "RUNS", runs)
    monkeypatch.setattr(transfer, "load", lambda: CORPUS)
    path = tmp_path / "transfer.csv"
    main(path)
    rows = read_rows(path)
    assert [row["start"] for row in rows] == ["documentation", "scratch", "documentation"]
    assert all(row["test"] > row["closing"] > 0 and row["validation"] > 0 for row in rows)
    assert [row["best_step"] for row in rows][0] == 0 and all(0 < row["best_step"] <= 4 for row in rows[1:])
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    main(path)
    assert path.read_text(encoding="utf-8") == "".join(lines)


def test_the_stored_table_and_checkpoint_belong_to_this_file():
    with data_path("transfer.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == transfer.COLUMNS
    for run in transfer.RUNS:
        key = {name: f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
               for name, value in run.key.items()}  # fmt: skip
        assert any(key.items() <= row.items() for row in rows), key
    card = checkpoints.card("gpt-docs")
    assert card["config"] == checkpoints.load("gpt-docs").model.config
    for name in ("n_embd", "n_layer", "context", "steps", "learning_rate"):
        assert card["recipe"][name] == getattr(transfer.RECIPE, name)
