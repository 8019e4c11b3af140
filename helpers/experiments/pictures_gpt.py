"""Training and measuring the GPT over words and pictures, for ``helpers.experiments.pictures`` (notebook 16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch

from helpers.corpus.pictures import CAPTIONS, NAMES, WORDS, Captioner, Pictures, caption_numbers, load_pictures, patches
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.evaluation.picture_metrics import as_asked, caption_accuracy, copies, digit_reader, spread
from helpers.experiments.run_missing import check_finished
from helpers.generation.multimodal import bayes_reading, caption_log_likelihoods, paint, to_images, write_captions
from helpers.models.codebook import kmeans, nearest_code
from helpers.models.gpt import GPT
from helpers.models.multimodal import RowBatches, caption_first, picture_first, picture_gpt
from helpers.runtime import seed_everything
from helpers.training import fit

DRAWN = 3  # pictures drawn for each held-out caption
SETTINGS = ((1, 1), (1, 0.7), (1, 0.5), (1, 0.3), (1.5, 1), (2, 1), (3, 1), (4, 1))  # guidance, temperature
ORDERS = {
    "both orders": (caption_first, picture_first),
    "caption first": (caption_first,),
    "picture first": (picture_first,),
}


@dataclass(frozen=True)
class PictureRecipe:
    """How a GPT over words and pictures is trained: as many steps whatever it reads."""

    codes: int = 64
    n_embd: int = 64
    n_layer: int = 3
    n_head: int = 4
    dropout: float = 0.1
    batch_size: int = 64
    steps: int = 1_000
    optimizer: str = "muon"
    learning_rate: float = 0.02
    weight_decay: float = 0.05
    seed: int = 0


class World(NamedTuple):
    """Pictures, one vocabulary for them and their captions, and the pictures as codes, int64 [N, 16]."""

    train: Pictures
    test: Pictures
    tokenizer: WordsAndCodes
    train_codes: torch.Tensor
    test_codes: torch.Tensor


@cache
def world(seed: int = 0, codes: int = 64) -> World:
    """Return the pictures with codes found in the training pictures by k-means with this seed."""
    train, test = load_pictures()
    table = kmeans(patches(train.images).flatten(0, 1), codes, seed=seed)
    numbers = [nearest_code(patches(part.images), table) for part in (train, test)]
    return World(train, test, WordsAndCodes(WORDS, table), *numbers)


def train_pictures(
    place: World, recipe: PictureRecipe, captions: Sequence[str] | None = None, kept=None, orders: str = "both orders"
) -> GPT:
    """Return a GPT trained as the recipe says.

    ``captions`` replace the training pictures' own, ``kept`` bool [N] leaves pictures out, ``orders`` is a key of
    ORDERS: with one order alone all rows of a batch are of it.
    """
    captions = place.train.captions if captions is None else list(captions)
    kept = torch.ones(len(captions), dtype=torch.bool) if kept is None else kept
    some, codes = [text for text, keep in zip(captions, kept.tolist()) if keep], place.train_codes[kept]
    tables = [order(place.tokenizer, some, codes) for order in ORDERS[orders]]
    seed_everything(recipe.seed)
    sizes = {name: getattr(recipe, name) for name in ("n_embd", "n_layer", "n_head", "dropout")}
    model = picture_gpt(place.tokenizer, tables[0].shape[1], **sizes)
    history = fit(
        model, RowBatches(*tables, batch_size=recipe.batch_size, seed=recipe.seed), steps=recipe.steps,
        learning_rate=recipe.learning_rate, optimizer=recipe.optimizer, weight_decay=recipe.weight_decay, progress=False,
    )  # fmt: skip
    check_finished(history)
    return model


def shuffled(captions: Sequence[str], seed: int) -> list[str]:
    """Return the same captions in random order: the control, in which none belongs to its picture."""
    order = torch.randperm(len(captions), generator=torch.Generator().manual_seed(seed))
    return [captions[number] for number in order.tolist()]


def measured(measures: dict[str, float], count: int, prefix: str, **columns) -> list[dict]:
    """Return a row of the table for each measure."""
    return [
        columns | {"measure": f"{prefix}{name}", "value": value, "count": count} for name, value in measures.items()
    ]


def reading_rows(model: GPT, place: World) -> list[dict]:
    """Return what the captions are worth that it writes for held-out pictures."""
    written = write_captions(model, place.tokenizer, place.test_codes)
    return measured(caption_accuracy(written, place.test.captions), len(written), "written ")


def bayes_rows(model: GPT, place: World) -> list[dict]:
    """Return how often the likeliest digit is right by Bayes' rule from log p(picture | caption) of all 90 captions."""
    posterior = bayes_reading(caption_log_likelihoods(model, place.tokenizer, place.test_codes, CAPTIONS))
    digits = posterior.unflatten(1, (len(NAMES), -1)).sum(-1).argmax(-1)
    share = (digits == place.test.labels).float().mean().item()
    return measured({"digit": share}, len(digits), "by Bayes ")


def drawing_rows(model: GPT, place: World, settings=SETTINGS) -> list[dict]:
    """Return what pictures drawn for the held-out captions are worth: as asked, spread (1: as real ones), copies."""
    test, rows = place.test, []
    captions = [caption for caption in test.captions for _ in range(DRAWN)]
    labels = caption_numbers(captions)[:, 2]
    read, captioner = digit_reader(place.train), Captioner.fit(place.train.images, place.train.labels)
    known, real = (to_images(place.tokenizer, codes) for codes in (place.train_codes, place.test_codes))
    for guidance, temperature in settings:
        codes = paint(model, place.tokenizer, captions, guidance=guidance, temperature=temperature)
        images = to_images(place.tokenizer, codes)
        measures = as_asked(read, captioner, images, captions)
        measures |= {"spread": spread(images, labels) / spread(real, test.labels), "copies": copies(images, known)}
        rows += measured(measures, len(images), "drawn ", guidance=guidance, temperature=temperature)
    return rows


def ceiling_rows(place: World) -> list[dict]:
    """Return what the same measures say about real held-out pictures, as they are and made of codes."""
    test, read = place.test, digit_reader(place.train)
    captioner = Captioner.fit(place.train.images, place.train.labels)
    known, real = (to_images(place.tokenizer, codes) for codes in (place.train_codes, place.test_codes))
    rows = measured(as_asked(read, captioner, test.images, test.captions), len(real), "real ")
    measures = as_asked(read, captioner, real, test.captions) | {"copies": copies(real, known)}
    measures["error of a pixel"] = (real - test.images).square().mean().item()
    return rows + measured(measures, len(real), "made of codes ")
