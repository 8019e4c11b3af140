"""Two towers, captions that were left out, and vowels, for ``helpers.experiments.pictures`` (notebook 16)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from helpers.corpus.pictures import CAPTIONS, Pictures, caption_numbers
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.corpus.vowels import VOWELS, Vowels, log_spectrum, vowel_set
from helpers.evaluation.picture_metrics import Captioner, as_asked, caption_accuracy, digit_reader
from helpers.experiments.pictures_gpt import PictureRecipe, World, measured, train_pictures
from helpers.experiments.run_missing import check_finished
from helpers.generation.multimodal import paint, to_images, write_captions
from helpers.models.codebook import kmeans, nearest_code
from helpers.models.contrastive import CaptionBatches, TwoTowers, best_caption, similarity, tower_loss
from helpers.models.multimodal import RowBatches, caption_first, picture_first, picture_gpt
from helpers.runtime import seed_everything
from helpers.training import fit

TOWERS = {  # steps, batch size, no caption twice in a batch
    "10 steps": (10, 64, False),
    "100 steps": (100, 64, False),
    "batch 64": (300, 64, False),
    "batch 16": (300, 16, False),
    "no doubles": (300, 64, True),
}
LEFT_OUT = tuple(CAPTIONS[9 * digit + (4 * digit) % 9] for digit in range(10))  # one caption of each digit
VOICES = {"low voices": "low", "both voices": "both"}
VOWEL_STEPS, VOWEL_NUMBER = 300, 200


# --- two towers --------------------------------------------------------------------------------------------------------


def train_towers(place: World, variant: str, seed: int, kept=None) -> TwoTowers:
    """Return towers trained as ``variant``, a key of TOWERS, says; ``kept`` bool [N] leaves training pictures out."""
    steps, batch_size, distinct = TOWERS[variant]
    kept = torch.ones(len(place.train.images), dtype=torch.bool) if kept is None else kept
    ids = place.tokenizer.captions(place.train.captions)[kept]
    seed_everything(seed)
    towers = TwoTowers(place.tokenizer.first_code)
    batches = CaptionBatches(place.train.images[kept], ids, batch_size, seed, distinct)
    check_finished(fit(towers, batches, steps=steps, learning_rate=3e-3, loss=tower_loss(), progress=False))
    return towers


def read_by_towers(place: World, towers: TwoTowers, images: torch.Tensor) -> list[str]:
    """Return the nearest of all 90 captions for each image."""
    return [CAPTIONS[number] for number in best_caption(towers, images, place.tokenizer.captions(CAPTIONS)).tolist()]


@torch.no_grad()
def digit_by_mean_caption(place: World, towers: TwoTowers, images: torch.Tensor) -> torch.Tensor:
    """Return digits read with one vector for each: the mean of the normalized vectors of its nine captions."""
    vectors = torch.nn.functional.normalize(towers.captions(place.tokenizer.captions(CAPTIONS)), dim=-1)
    return similarity(towers.pictures(images), vectors.unflatten(0, (10, 9)).mean(1)).argmax(-1)


def tower_rows(place: World, variant: str, seed: int) -> list[dict]:
    """Return how held-out pictures are read by towers: by the best of 90 captions, and by ten mean vectors."""
    towers = train_towers(place, variant, seed)
    shares = caption_accuracy(read_by_towers(place, towers, place.test.images), place.test.captions)
    mean = digit_by_mean_caption(place, towers, place.test.images) == place.test.labels
    shares["digit by ten mean captions"] = mean.float().mean().item()
    return measured(shares, len(place.test.images), "nearest ")


# --- captions never seen -----------------------------------------------------------------------------------------------


def unseen_rows(place: World, kind: str, recipe: PictureRecipe) -> list[dict]:
    """Return what a model ("gpt" or "towers") makes of the ten captions LEFT_OUT of its training, and of the others.

    "unseen": all pictures with these captions, none of which it saw; "seen": held-out pictures with other captions.
    """
    train, test = place.train, place.test
    out, out_test = (torch.tensor([text in LEFT_OUT for text in part.captions]) for part in (train, test))
    unseen = _together(_some(train, out), _some(test, out_test))
    groups = {"unseen": unseen, "seen": _some(test, ~out_test)}
    codes = {
        "unseen": torch.cat((place.train_codes[out], place.test_codes[out_test])),
        "seen": place.test_codes[~out_test],
    }
    if kind == "towers":
        towers = train_towers(place, "batch 64", recipe.seed, ~out)
    else:
        model = train_pictures(place, recipe, kept=~out)
    rows = []
    for name, part in groups.items():
        if kind == "towers":
            written = read_by_towers(place, towers, part.images)
        else:
            written = write_captions(model, place.tokenizer, codes[name])
            rows += _drawn(place, model, part.captions, f"{name}: drawn ")
        rows += measured(caption_accuracy(written, part.captions), len(written), f"{name}: written ")
    return rows


def _drawn(place: World, model, captions: Sequence[str], prefix: str) -> list[dict]:
    captioner = Captioner.fit(place.train.images, place.train.labels)
    images = to_images(place.tokenizer, paint(model, place.tokenizer, captions, guidance=3.0))
    shares = as_asked(digit_reader(place.train), captioner, images, captions)
    numbers = caption_numbers(captions)
    right = captioner.attributes(images, numbers[:, 2]) == numbers[:, :2]
    right = right.all(1) & (digit_reader(place.train)(images) == numbers[:, 2])
    shares["all three"] = right.float().mean().item()
    return measured(shares, len(images), prefix, guidance=3, temperature=1)


def _some(part: Pictures, kept: torch.Tensor) -> Pictures:
    captions = [text for text, keep in zip(part.captions, kept.tolist()) if keep]
    return Pictures(part.images[kept], part.labels[kept], captions)


def _together(one: Pictures, other: Pictures) -> Pictures:
    return Pictures(*(torch.cat(pair) for pair in zip(one[:2], other[:2])), one.captions + other.captions)


# --- vowels ------------------------------------------------------------------------------------------------------------


def vowel_rows(variant: str, seed: int, steps: int | None = None) -> list[dict]:
    """Return how the same GPT hears vowels of low and of high voices, and a logistic regression on the mean frame beside it.

    It learns from low voices alone, or from both. "spoken": the tokens it writes for each vowel, heard by the regression.
    """
    from sklearn.linear_model import LogisticRegression

    train = vowel_set(VOWEL_NUMBER, VOICES[variant], seed)
    frames = log_spectrum(train.sounds)
    tokenizer = WordsAndCodes(VOWELS, kmeans(frames.flatten(0, 1), 64, seed=seed))
    names, codes = _names(train), nearest_code(frames, tokenizer.codes)
    tables = [order(tokenizer, names, codes) for order in (caption_first, picture_first)]
    seed_everything(seed)
    model = picture_gpt(tokenizer, tables[0].shape[1], n_layer=2)
    batches = RowBatches(*tables, batch_size=32, seed=seed)
    settings = {"learning_rate": 0.02, "optimizer": "muon", "progress": False}
    check_finished(fit(model, batches, steps=steps or VOWEL_STEPS, **settings))
    regression = LogisticRegression(max_iter=5000).fit(frames.mean(1).numpy(), train.labels.numpy())
    rows = []
    for number, voices in enumerate(("low", "high")):
        test = vowel_set(100, voices, 1000 + 10 * seed + number)
        spectra = log_spectrum(test.sounds)
        heard = write_captions(model, tokenizer, nearest_code(spectra, tokenizer.codes), words=1)
        shares = {
            "heard by the GPT": sum(a == b for a, b in zip(heard, _names(test))) / len(heard),
            "heard by the mean frame": regression.score(spectra.mean(1).numpy(), test.labels.numpy()),
        }
        rows += measured(shares, len(heard), f"{voices} voices ")
    spoken = paint(model, tokenizer, names, length=frames.shape[1])
    share = regression.score(tokenizer.codes[spoken].mean(1).numpy(), train.labels.numpy())
    return rows + measured({"spoken": share}, len(spoken), "")


def _names(vowels: Vowels) -> list[str]:
    return [VOWELS[number] for number in vowels.labels.tolist()]
