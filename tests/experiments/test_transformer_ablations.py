"""The runs behind notebook 04's table: each variant lacks what it is named for, and only what is missing is run."""

import pytest
import torch

from helpers import data_path
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.experiments import transformer_ablations as ablations
from helpers.io import read_rows

LETTERS = ablations.LETTERS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    runs = tuple(ablations.AblationRun("parts", variant, 4, 1, 0) for variant in ("complete", "without scale"))
    for name, value in {"data_path": lambda: tmp_path, "RUNS": runs, "STEPS": 2}.items():
        monkeypatch.setattr(ablations, name, value)
    return tmp_path


def test_a_reply_is_the_word_reversed():
    pair = ablations.reversed_words(1, seed=0)[0]
    word = LETTERS.decode(pair.context)
    assert len(word) == 8 and LETTERS.decode(pair.reply) == word[::-1]
    assert ablations.reversed_words(3, seed=0)[0].context.tolist() == pair.context.tolist()


def test_the_stored_table_has_every_run_once():
    stored = read_rows(data_path() / "transformer_ablations.csv")
    names = ablations.AblationRun._fields
    assert [tuple(row[name] for name in names) for row in stored] == [tuple(run) for run in ablations.RUNS]
    assert all(0 <= row["loss"] < 9 and 0 <= row["right"] <= 1 and row["score spread"] > 0 for row in stored)


def test_a_model_that_knows_nothing_has_few_letters_right():
    torch.manual_seed(0)
    assert ablations.letters_right(ablations.build("complete", 4, 1)) < 0.1


def test_the_token_that_ends_a_reply_is_no_letter():
    class Oracle:
        """Knows the first ``known`` letters of each reply and where it ends; its other answers are no letters."""

        def __init__(self, known):
            self.known = known

        def read(self, batch):
            guess = batch.targets.clamp(min=0).clone()
            rest = (batch.targets != LETTERS.end) & (torch.arange(guess.shape[1]) >= self.known)
            guess[rest] = LETTERS.pad
            return torch.nn.functional.one_hot(guess, len(LETTERS))

    assert ablations.letters_right(Oracle(8)) == 1
    assert ablations.letters_right(Oracle(2)) == pytest.approx(2 / 8)
    assert ablations.letters_right(Oracle(0)) == 0


@pytest.mark.parametrize("variant", sorted({run.variant for run in ablations.RUNS}))
def test_every_variant_can_be_trained(variant):
    model = ablations.build(variant, 4, 1)
    batch = batch_of(ablations.reversed_words(2, seed=0), LETTERS.pad)
    assert torch.isfinite(model.read(batch)).all()


@torch.no_grad()
def test_without_positions_the_encoder_sees_a_bag():
    batch = batch_of(ablations.reversed_words(1, seed=0), LETTERS.pad)
    turned = batch.context.flip(1)
    mask = torch.ones_like(turned).bool()
    for variant, alike in (("complete", False), ("without positions", True)):
        model = ablations.build(variant, 4, 1).eval()
        one, other = model.encode(batch.context, mask), model.encode(turned, mask).flip(1)
        assert torch.allclose(one, other, atol=1e-5) == alike


@torch.no_grad()
def test_the_scores_are_as_large_as_said():
    torch.manual_seed(0)
    spread = {
        v: ablations.score_spread(ablations.build(v, 4, 1), "without scale" not in v)
        for v in ("complete", "without scale", "small start", "small queries and keys")
    }
    assert spread["without scale"] == pytest.approx(4 * spread["complete"], rel=0.3)  # heads of 16 numbers
    assert spread["small start"] < 0.6 * spread["complete"]
    assert spread["small queries and keys"] == pytest.approx(spread["complete"] / 3, rel=0.3)


def test_small_queries_and_keys_leave_values_and_outputs_as_they_are():
    layers = []
    for variant in ("complete", "small queries and keys"):
        torch.manual_seed(0)
        layers.append(ablations.build(variant, 4, 1).encoder[0].self_attention)
    (whole, small), width = layers, layers[0].in_proj.in_features
    assert torch.equal(small.in_proj.weight[2 * width :], whole.in_proj.weight[2 * width :])
    assert torch.equal(small.out_proj.weight, whole.out_proj.weight)
    assert torch.allclose(small.in_proj.weight[: 2 * width] * 3**0.5, whole.in_proj.weight[: 2 * width])


@torch.no_grad()
def test_without_feed_forward_nothing_is_added():
    model = ablations.build("without feed-forward", 4, 1)
    assert not model.encoder[0].feed_forward(torch.randn(1, 2, 64)).any()


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="known are complete"):
        ablations.build("without anything", 4, 1)


def test_every_run_becomes_a_row_once(folder, monkeypatch):
    ablations.main()
    rows = read_rows(folder / "transformer_ablations.csv")
    assert [row["variant"] for row in rows] == ["complete", "without scale"]
    assert all(0 < row["loss"] < 9 and 0 <= row["right"] <= 1 and row["below one nat"] == 0 for row in rows)
    monkeypatch.setattr(ablations, "train_one", lambda *arguments: pytest.fail("run twice"))
    ablations.main()
